//! Tokens: the bearer secrets of one project, and the roles they carry.
//!
//! A token names its project (`pst_{project}_{secret}`), so a request can be told apart without a look-up:
//! one that names another project is answered like a project that does not exist.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use strum::{EnumCount, EnumString, IntoStaticStr, VariantArray};

use crate::fault::{Fields, InputFault, check_name, parse_json};
use crate::time::{TIME_RULE, Timestamp};
use crate::variants::spelled;
use crate::webhook::ProjectName;

/// What a token may do. Which operations that is: [`crate::operation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[derive(EnumCount, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Role {
    /// Everything in its project.
    Manage,
    /// Post events, nothing else.
    Publish,
    /// Create runs and work on them: for executors, and for clients that submit jobs.
    Execute,
    /// Read everything but secrets, tokens and the audit log.
    Read,
}

spelled!(pub Role, "The wire spelling.");

impl Role {
    /// What people read of it. A test holds the words against the table of operations.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Manage => "everything in this project",
            Self::Publish => "post events, nothing else",
            Self::Execute => "create runs, work on them and read them, nothing else",
            Self::Read => "read everything but secrets, tokens and the audit log",
        }
    }
}

/// A new token's owner and role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenDraft {
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// From then on it opens nothing; `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// Characters of a token's name at most.
pub const NAME_CHARS_MAX: usize = 64;

/// Parses the body of `POST tokens`: `{"name","role","expires_at"?}`. An expiry lies after `now`.
///
/// # Errors
/// Not JSON, or every bad field.
pub fn create(body: &str, now: Timestamp) -> Result<TokenDraft, InputFault> {
    let draft = parse_json(body)?;
    let mut fields = Fields::from_value(&draft, "")?;
    let name = fields.text("name");
    let name = fields.required("name", name);
    if let Some(Err(detail)) = name.map(|name| check_name(name, 1, NAME_CHARS_MAX)) {
        fields.fault("name", detail);
    }
    let role = fields.text("role");
    let role = fields.required("role", role).and_then(|text| {
        let role = Role::parse(text);
        if role.is_none() {
            fields.fault("role", format!("must be one of {}", Role::ALL.map(Role::as_str).join(", ")));
        }
        role
    });
    let expires_at = fields.text("expires_at").value().and_then(|text| {
        let at = Timestamp::parse_rfc3339(text);
        match at {
            None => fields.fault("expires_at", TIME_RULE),
            Some(at) if at <= now => fields.fault("expires_at", "must lie in the future"),
            Some(_) => {}
        }
        at
    });
    let faults = fields.finish();
    match (name, role) {
        (Some(name), Some(role)) if faults.is_empty() => {
            Ok(TokenDraft { name: String::from(name), role, expires_at })
        }
        _ => Err(faults.into()),
    }
}

/// The answer to every token that is of no use, whatever is wrong with it: nobody learns how near a guess
/// came.
pub const WRONG: &str = "the token is wrong, has expired or was revoked";

/// Every token starts so.
pub const PREFIX: &str = "pst_";
/// Random bytes of a token's secret part.
pub const SECRET_BYTES: usize = 32;

/// A new token of `project` from 32 random bytes.
#[must_use]
pub fn mint(project: &ProjectName, random: &[u8; SECRET_BYTES]) -> String {
    format!("{PREFIX}{}_{}", project.as_str(), base32_lower(random))
}

/// The project that a well-formed token names.
#[must_use]
pub fn project_of(token: &str) -> Option<ProjectName> {
    let (project, secret) = token.strip_prefix(PREFIX)?.rsplit_once('_')?;
    let secret_fits =
        secret.len() == 52 && secret.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if secret_fits { ProjectName::parse(project) } else { None }
}

/// SHA-256 of the token in lower-case hex: all that is stored. 256 random bits need no slow hash.
#[must_use]
pub fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// The digits of `bytes` in lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    // Not `format!("{byte:02x}")`: every request is hashed, and formatting took a tenth of its time in the
    // Worker.
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// RFC 4648 base32 without padding, in lower case: no `_`, so a token's secret part is what follows the last
/// one.
#[must_use]
pub fn base32_lower(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut pending, mut pending_bits) = (0u16, 0u32);
    for byte in bytes {
        pending = pending << 8 | u16::from(*byte);
        pending_bits += 8;
        while pending_bits >= 5 {
            pending_bits -= 5;
            text.push(char::from(ALPHABET[usize::from(pending >> pending_bits & 31)]));
        }
        pending &= (1 << pending_bits) - 1;
    }
    if pending_bits > 0 {
        text.push(char::from(ALPHABET[usize::from(pending << (5 - pending_bits) & 31)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_project_whatever_the_name_holds() -> Result<(), &'static str> {
        for name in ["p1", "a_b", "a-b_c"] {
            let project = ProjectName::parse(name).ok_or("a good name")?;
            let token = mint(&project, &[9; SECRET_BYTES]);
            assert_eq!(project_of(&token), Some(project));
        }
        Ok(())
    }

    #[test]
    fn what_is_no_token_names_no_project() {
        for text in
            ["", "pst_", "pst_p1_short", "p1", "pst_P1_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]
        {
            assert_eq!(project_of(text), None, "{text}");
        }
    }

    #[test]
    fn a_new_token_needs_a_name_and_a_role() {
        let now = Timestamp(1_795_270_051_204);
        let create = |body: &str| create(body, now);
        let draft = TokenDraft { name: String::from("ci"), role: Role::Publish, expires_at: None };
        assert_eq!(create(r#"{"name":"ci","role":"publish"}"#), Ok(draft.clone()));
        assert_eq!(create(r#"{"name":"ci","role":"publish","expires_at":null}"#), Ok(draft.clone()));
        for role in Role::ALL {
            let body = format!(r#"{{"name":"ci","role":"{}"}}"#, role.as_str());
            assert_eq!(create(&body), Ok(TokenDraft { role, ..draft.clone() }));
        }
        let tomorrow = now.plus_ms(86_400_000);
        let body = format!(r#"{{"name":"ci","role":"publish","expires_at":"{}"}}"#, tomorrow.to_rfc3339());
        assert_eq!(create(&body), Ok(TokenDraft { expires_at: Some(tomorrow), ..draft }));
        for expiry in ["2026-11-21T14:00:00Z", "tomorrow", ""] {
            let body = format!(r#"{{"name":"ci","role":"publish","expires_at":"{expiry}"}}"#);
            assert!(
                matches!(create(&body), Err(InputFault::Invalid(faults)) if faults[0].pointer == "/expires_at"),
                "{expiry}"
            );
        }
        for (body, count) in
            [("{}", 2), (r#"{"name":"ci","role":"admin"}"#, 1), (r#"{"name":"","role":1,"x":1}"#, 3)]
        {
            assert!(
                matches!(create(body), Err(InputFault::Invalid(faults)) if faults.len() == count),
                "{body}"
            );
        }
    }

    #[test]
    fn a_name_shows_all_that_it_holds() {
        let body = r#"{"name":"ci\u202e","role":"read"}"#;
        assert!(
            matches!(create(body, Timestamp(0)), Err(InputFault::Invalid(faults)) if faults[0].pointer == "/name")
        );
    }

    #[test]
    fn base32_is_that_of_rfc_4648() {
        assert_eq!(base32_lower(b"foobar"), "mzxw6ytboi");
        assert_eq!(base32_lower(b"f"), "my");
    }

    #[test]
    fn a_hash_is_that_of_sha_256() {
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
