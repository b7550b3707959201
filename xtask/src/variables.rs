//! Files of secrets and variables, one `NAME=value` a line: `.dev.vars` of a development machine, which git
//! ignores, and `postern.env` in the data folder of `cargo xtask serve`.
//!
//! What is missing is generated and appended; what is there is never changed. The file is ours alone to read
//! (mode 0600).

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::failure::{Failure, Result};
use crate::workerd::Reach;
use crate::workspace;

/// The variables that a Worker is started with.
pub(crate) struct Variables(BTreeMap<String, String>);

/// Secrets that a file lacks are made, unless the environment has them.
const ADMIN_TOKEN: &str = "ADMIN_TOKEN";
/// Administrators with names of their own; whoever has these needs no `ADMIN_TOKEN`.
const ADMIN_TOKENS: &str = "ADMIN_TOKENS";
const SEALING_KEYS: &str = "SEALING_KEYS";
const ALLOW_PRIVATE_TARGETS: &str = "ALLOW_PRIVATE_TARGETS";
/// What one address may do, with the Worker's own limits for a deployment: where private targets are allowed
/// it would take those of a machine on which everybody has the address of loopback.
const LIMITS: [(&str, &str); 2] = [("AUTH_FAILURES_PER_MINUTE", "20"), ("PUBLIC_REQUESTS_PER_MINUTE", "600")];

impl Variables {
    /// Reads `.dev.vars`, completing it. `ADMIN_TOKEN` from the environment wins over the file's, and is then
    /// not stored.
    ///
    /// # Errors
    /// The file cannot be read or written, or an `ADMIN_TOKEN` has characters that no bearer token has.
    pub(crate) fn of_development() -> Result<Self> {
        let file = workspace::root().join(".dev.vars");
        let mut vars = completed(&file, from_environment(|name| name == ADMIN_TOKEN))?;
        vars.entry(ALLOW_PRIVATE_TARGETS.to_owned()).or_insert_with(|| "true".to_owned());
        let loaded = Self(vars);
        loaded.check_admin_token(&file)?;
        Ok(loaded)
    }

    /// Reads the file of a machine of one's own, completing it. Each variable that the Worker knows wins from
    /// the environment, and is then not stored. With [`Reach::Everywhere`] private targets are allowed.
    ///
    /// # Errors
    /// As [`Self::of_development`].
    pub(crate) fn of_own_machine(file: &Path, reach: Reach) -> Result<Self> {
        let mut vars = completed(file, from_environment(is_known))?;
        for (name, limit) in LIMITS {
            vars.entry(name.to_owned()).or_insert_with(|| limit.to_owned());
        }
        if reach == Reach::Everywhere {
            vars.insert(ALLOW_PRIVATE_TARGETS.to_owned(), "true".to_owned());
        }
        let loaded = Self(vars);
        if loaded.0.contains_key(ADMIN_TOKEN) {
            loaded.check_admin_token(file)?;
        }
        Ok(loaded)
    }

    fn check_admin_token(&self, file: &Path) -> Result<()> {
        if !is_bearer_token(self.admin_token()) {
            return Err(Failure::new(
                "ADMIN_TOKEN may hold only letters, digits and - . _ ~ + / =, and must not be empty.",
            ));
        }
        let chars = self.admin_token().chars().count();
        if chars < ADMIN_TOKEN_CHARS_MIN {
            return Err(Failure::new(format!(
                "ADMIN_TOKEN has {chars} characters; the Worker refuses fewer than {ADMIN_TOKEN_CHARS_MIN}. \
                 Delete its line from {} (or unset it), and a new one is made.",
                workspace::relative(file).display()
            )));
        }
        Ok(())
    }

    /// Each with its value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The token that may do everything.
    pub(crate) fn admin_token(&self) -> &str {
        self.0.get(ADMIN_TOKEN).map_or("", String::as_str)
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

/// Whether the Worker knows a variable of this name: those of `edge/src/config.rs`.
fn is_known(name: &str) -> bool {
    let others =
        [ADMIN_TOKEN, ADMIN_TOKENS, SEALING_KEYS, ALLOW_PRIVATE_TARGETS, "PUBLIC_HOSTS", "LOG_REQUESTS"];
    others.contains(&name) || name.starts_with("QUOTA_") || LIMITS.iter().any(|(limit, _)| *limit == name)
}

/// The variables of our environment that are wanted and say something.
fn from_environment(is_wanted: impl Fn(&str) -> bool) -> BTreeMap<String, String> {
    env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, value)| is_wanted(name) && !value.is_empty())
        .collect()
}

/// Reads a file of variables and appends the secrets that it lacks; what is `given` from elsewhere wins, and
/// is not written down.
fn completed(file: &Path, given: BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(cause) => return Err(Failure::path("read", file, &cause)),
    };
    let mut vars = parse(&text);
    vars.extend(given);
    let mut added = String::new();
    if !vars.contains_key(ADMIN_TOKEN) && !vars.contains_key(ADMIN_TOKENS) {
        let token = format!("adm_{}", hex(&random::<24>()?));
        _ = writeln!(
            added,
            "# Signs you in to the dashboard, and may do everything there.\nADMIN_TOKEN={token}"
        );
        vars.insert(ADMIN_TOKEN.to_owned(), token);
    }
    if !vars.contains_key(SEALING_KEYS) {
        let keys = format!("k1:{}", base64(&random::<32>()?));
        _ = writeln!(
            added,
            "# Encrypts the secrets that are stored; without it they cannot be read again.\nSEALING_KEYS={keys}"
        );
        vars.insert(SEALING_KEYS.to_owned(), keys);
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

        let first = completed(&file, BTreeMap::new()).expect("it is completed");
        let second = completed(&file, BTreeMap::new()).expect("it is complete");

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
        let given = BTreeMap::from([(ADMIN_TOKEN.to_owned(), "of-the-environment".to_owned())]);
        let vars = completed(&file, given).expect("it is completed");
        assert_eq!(vars.get(ADMIN_TOKEN).map(String::as_str), Some("of-the-environment"));
        let text = fs::read_to_string(&file).expect("the file");
        assert!(!text.contains("ADMIN_TOKEN=") && text.contains("SEALING_KEYS="));
        fs::remove_file(&file).expect("it is removed");
    }

    #[test]
    fn administrators_with_names_need_no_other_token() {
        let file = env::temp_dir().join(format!("postern-xtask-{}-names.vars", std::process::id()));
        fs::write(&file, "ADMIN_TOKENS=ada:0123456789abcdef0123456789abcdef\n").expect("a file");
        let vars = Variables::of_own_machine(&file, Reach::Everywhere).expect("it is completed");
        assert_eq!(vars.admin_token(), "");
        let value = |wanted| vars.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value);
        assert_eq!(value(ALLOW_PRIVATE_TARGETS), Some("true"));
        assert_eq!(value("AUTH_FAILURES_PER_MINUTE"), Some("20"), "guessing is slowed down all the same");
        fs::remove_file(&file).expect("it is removed");
    }

    #[test]
    fn every_variable_that_the_worker_reads_is_known() {
        let config = include_str!("../../edge/src/config.rs");
        let constants: Vec<&str> = config
            .lines()
            .filter_map(|line| line.strip_prefix("const ")?.split_once(": &str = \"")?.1.strip_suffix("\";"))
            .collect();
        assert!(constants.len() >= 7, "{constants:?}");
        for name in constants {
            assert!(is_known(name), "{name}");
        }
    }

    #[test]
    fn a_token_with_a_space_or_a_quote_is_refused() {
        assert!(is_bearer_token("adm_0aZ-._~+/="));
        for bad in ["", "two words", "a'b", "a$b", "a\nb"] {
            assert!(!is_bearer_token(bad), "{bad:?}");
        }
    }
}
