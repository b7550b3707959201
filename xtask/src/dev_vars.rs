//! `.dev.vars`: the secrets of a development machine, one `NAME=value` a line.
//!
//! What is missing is generated and appended; what is there is never changed. The file is ours alone to read
//! (mode 0600) and git ignores it.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::failure::{Failure, Result};
use crate::workspace;

/// The variables that a Worker is started with.
pub(crate) struct DevVars(BTreeMap<String, String>);

impl DevVars {
    /// Reads `.dev.vars`, completing it. `ADMIN_TOKEN` from the environment wins over the file's, and is then
    /// not stored.
    ///
    /// # Errors
    /// The file cannot be read or written, or an `ADMIN_TOKEN` has characters that no bearer token has.
    pub(crate) fn load() -> Result<Self> {
        let file = workspace::root().join(".dev.vars");
        let from_environment = env::var("ADMIN_TOKEN").ok().filter(|token| !token.is_empty());
        let mut vars = complete(&file, from_environment.as_deref())?;
        if let Some(token) = from_environment {
            vars.insert("ADMIN_TOKEN".to_owned(), token);
        }
        vars.entry("ALLOW_PRIVATE_TARGETS".to_owned()).or_insert_with(|| "true".to_owned());
        let loaded = Self(vars);
        if !is_bearer_token(loaded.admin_token()) {
            return Err(Failure::new(
                "ADMIN_TOKEN may hold only letters, digits and - . _ ~ + / =, and must not be empty.",
            ));
        }
        let chars = loaded.admin_token().chars().count();
        if chars < ADMIN_TOKEN_CHARS_MIN {
            return Err(Failure::new(format!(
                "ADMIN_TOKEN has {chars} characters; the Worker refuses fewer than {ADMIN_TOKEN_CHARS_MIN}. \
                 Delete its line from .dev.vars (or unset it), and a new one is made."
            )));
        }
        Ok(loaded)
    }

    /// The token that may do everything.
    pub(crate) fn admin_token(&self) -> &str {
        self.0.get("ADMIN_TOKEN").map_or("", String::as_str)
    }

    /// Writes all variables to a file that only we can read, for wrangler's `--env-file`: arguments and
    /// environment of a process can be seen by others.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write_env_file(&self, file: &Path) -> Result<()> {
        let mut text = String::new();
        for (name, value) in &self.0 {
            // Single quotes keep everything but `$`, which starts a reference in every kind of quotes.
            _ = writeln!(text, "{name}='{}'", value.replace('$', "\\$"));
        }
        drop(fs::remove_file(file));
        let mut out = private_file(file)?;
        out.write_all(text.as_bytes()).map_err(|cause| Failure::path("write", file, &cause))
    }
}

/// Characters of an `ADMIN_TOKEN` at least: `postern_core::admin::TOKEN_CHARS_MIN`, which this program does
/// not link.
const ADMIN_TOKEN_CHARS_MIN: usize = 32;

/// The characters of RFC 6750's `b64token`.
fn is_bearer_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte))
}

/// Opens a file for appending that only its owner can read, if it is new.
fn private_file(file: &Path) -> Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(file)
        .map_err(|cause| Failure::path("write", file, &cause))
}

/// Reads a file of variables and appends the secrets that it lacks; an `admin_token` from elsewhere is not
/// written down.
fn complete(file: &Path, admin_token: Option<&str>) -> Result<BTreeMap<String, String>> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(cause) => return Err(Failure::path("read", file, &cause)),
    };
    let mut vars = parse(&text);
    let mut added = String::new();
    if !vars.contains_key("ADMIN_TOKEN") && admin_token.is_none() {
        let token = format!("adm_{}", hex(&random::<24>()?));
        _ = writeln!(
            added,
            "# Signs you in to the dashboard of `cargo xtask dev`, and may do everything there.\nADMIN_TOKEN={token}"
        );
        vars.insert("ADMIN_TOKEN".to_owned(), token);
    }
    if !vars.contains_key("SEALING_KEYS") {
        let keys = format!("k1:{}", base64(&random::<32>()?));
        _ = writeln!(
            added,
            "# Encrypts the secrets in .state; without it they cannot be read again.\nSEALING_KEYS={keys}"
        );
        vars.insert("SEALING_KEYS".to_owned(), keys);
    }
    if !added.is_empty() {
        let separator = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        private_file(file)?
            .write_all(format!("{separator}{added}").as_bytes())
            .map_err(|cause| Failure::path("write", file, &cause))?;
    }
    Ok(vars)
}

/// `NAME=value` lines; comments, blank lines and one pair of quotes around a value are left out.
fn parse(text: &str) -> BTreeMap<String, String> {
    let unquoted = |value: &str| {
        ['"', '\'']
            .iter()
            .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote))
            .unwrap_or(value)
            .to_owned()
    };
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), unquoted(value.trim())))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let source = Path::new("/dev/urandom");
    let mut bytes = [0; N];
    File::open(source)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|cause| Failure::path("read", source, &cause))?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}

/// RFC 4648 base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group
            .iter()
            .enumerate()
            .fold(0_u32, |bits, (place, byte)| bits | u32::from(*byte) << (16 - 8 * place));
        for place in 0..4 {
            // A group of n bytes has n + 1 digits.
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_follows_the_rfcs_vectors() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn values_are_read_with_and_without_quotes() {
        let vars = parse("# c\nA=1\n B = \"two words\" \nC='k1:ab=='\n\nEMPTY=\n");
        assert_eq!(
            vars.into_iter().collect::<Vec<_>>(),
            [("A", "1"), ("B", "two words"), ("C", "k1:ab==")].map(|(n, v)| (n.to_owned(), v.to_owned()))
        );
    }

    #[test]
    fn missing_secrets_are_generated_once_and_nothing_is_overwritten() {
        let file = env::temp_dir().join(format!("postern-xtask-{}.vars", std::process::id()));
        fs::write(&file, "MINE=kept").expect("a file");

        let first = complete(&file, None).expect("it is completed");
        let second = complete(&file, None).expect("it is complete");

        assert_eq!(first, second);
        assert_eq!(first.get("MINE").map(String::as_str), Some("kept"));
        assert!(
            first.get("SEALING_KEYS").is_some_and(|keys| keys.starts_with("k1:") && keys.len() == 3 + 44)
        );
        assert!(first.get("ADMIN_TOKEN").is_some_and(|token| is_bearer_token(token)));
        fs::remove_file(&file).expect("it is removed");
    }

    #[test]
    fn a_token_from_the_environment_is_not_written_down() {
        let file = env::temp_dir().join(format!("postern-xtask-{}-env.vars", std::process::id()));
        complete(&file, Some("of-the-environment")).expect("it is completed");
        let text = fs::read_to_string(&file).expect("the file");
        assert!(!text.contains("ADMIN_TOKEN=") && text.contains("SEALING_KEYS="));
        fs::remove_file(&file).expect("it is removed");
    }

    #[test]
    fn a_token_with_a_space_or_a_quote_is_refused() {
        assert!(is_bearer_token("adm_0aZ-._~+/="));
        for bad in ["", "two words", "a'b", "a$b", "a\nb"] {
            assert!(!is_bearer_token(bad), "{bad:?}");
        }
    }
}
