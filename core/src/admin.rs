//! Administrators: who holds `ADMIN_TOKEN`, or one of the named tokens of `ADMIN_TOKENS`, may do everything
//! in every project.
//!
//! These are secrets that a person chose, so they must be long: only the limit on guessing slows an attacker
//! down.

use crate::fault::check_name;
use crate::token;

use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

/// Characters of a token at least: 32 hexadecimal digits are 128 bits.
pub const TOKEN_CHARS_MIN: usize = 32;
/// What the holder of `ADMIN_TOKEN` is called.
pub const UNNAMED: &str = "ADMIN_TOKEN";

/// What is wrong with the configured tokens. Never repeats one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdminFault {
    /// `ADMIN_TOKEN` can be guessed.
    #[error("ADMIN_TOKEN has {chars} characters; at least 32 are needed (`openssl rand -hex 32` makes 64)")]
    Short {
        /// Characters found.
        chars: usize,
    },
    /// The token of an entry can be guessed.
    #[error(
        "the token of {name} in ADMIN_TOKENS has {chars} characters; at least 32 are needed (`openssl rand -hex 32` makes 64)"
    )]
    ShortOf {
        /// Whose.
        name: String,
        /// Characters found.
        chars: usize,
    },
    /// An entry is of another form.
    #[error("entry {0} of ADMIN_TOKENS is not name:token")]
    Form(usize),
    /// The name of an entry breaks the rule of tokens' names: people could not tell it from another.
    #[error("the name of entry {number} of ADMIN_TOKENS {detail}")]
    Name {
        /// Which entry, from 1.
        number: usize,
        /// What is wrong with it.
        detail: String,
    },
    /// Two entries, or an entry and `ADMIN_TOKEN`, have the same name or the same token: nobody could tell
    /// who it was.
    #[error("entry {0} of ADMIN_TOKENS has the name or the token of another one")]
    Twice(usize),
}

/// The administrators of a deployment.
#[derive(Clone, Default)]
pub struct Admins(Vec<Admin>);

#[derive(Clone)]
struct Admin {
    name: String,
    token: String,
}

impl std::fmt::Debug for Admins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|admin| &admin.name)).finish()
    }
}

impl Admins {
    /// Reads `ADMIN_TOKEN`, and `ADMIN_TOKENS` with entries such as `ada:<token>`, separated by commas or
    /// white space. Nobody is an administrator where both are empty.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(admin_token: &str, admin_tokens: &str) -> Result<Self, AdminFault> {
        let mut admins: Vec<Admin> = Vec::new();
        let admin_token = admin_token.trim();
        if !admin_token.is_empty() {
            let chars = admin_token.chars().count();
            if chars < TOKEN_CHARS_MIN {
                return Err(AdminFault::Short { chars });
            }
            admins.push(Admin { name: String::from(UNNAMED), token: String::from(admin_token) });
        }
        let entries =
            admin_tokens.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
        for (index, entry) in entries.enumerate() {
            let number = index + 1;
            let (name, token) = entry.split_once(':').ok_or(AdminFault::Form(number))?;
            check_name(name, 1, token::NAME_CHARS_MAX)
                .map_err(|detail| AdminFault::Name { number, detail })?;
            let chars = token.chars().count();
            if chars < TOKEN_CHARS_MIN {
                return Err(AdminFault::ShortOf { name: String::from(name), chars });
            }
            if admins.iter().any(|known| known.name == name || known.token == token) {
                return Err(AdminFault::Twice(number));
            }
            admins.push(Admin { name: String::from(name), token: String::from(token) });
        }
        Ok(Self(admins))
    }

    /// Whose token it is. Every known one is compared in constant time: how long it takes tells nothing but
    /// lengths.
    #[must_use]
    pub fn name_of(&self, token: &str) -> Option<&str> {
        let (mut found, mut place) = (Choice::from(0), 0u32);
        for (index, admin) in (0u32..).zip(&self.0) {
            let is_own = admin.token.as_bytes().ct_eq(token.as_bytes());
            place.conditional_assign(&index, is_own);
            found |= is_own;
        }
        if bool::from(found) { self.0.get(place as usize).map(|admin| admin.name.as_str()) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: &str = "ada-0123456789abcdef0123456789abcdef";
    const BOB: &str = "bob-0123456789abcdef0123456789:abcdef";
    const ONE: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn each_administrator_is_known_by_name() -> Result<(), AdminFault> {
        let admins = Admins::parse(ONE, &format!("ada:{ADA},\n bob@example.com:{BOB} "))?;
        assert_eq!(admins.name_of(ONE), Some("ADMIN_TOKEN"));
        assert_eq!(admins.name_of(ADA), Some("ada"));
        assert_eq!(admins.name_of(BOB), Some("bob@example.com"));
        for text in ["", "ada", "x", &ONE[1..], &format!("{ADA} "), &format!("ada:{ADA}")] {
            assert_eq!(admins.name_of(text), None, "{text}");
        }
        Ok(())
    }

    #[test]
    fn nobody_is_administrator_where_no_token_is_set() -> Result<(), AdminFault> {
        for (one, named) in [("", ""), (" ", " , "), ("", "\n")] {
            assert_eq!(Admins::parse(one, named)?.name_of(""), None);
        }
        Ok(())
    }

    #[test]
    fn a_token_that_can_be_guessed_is_refused_with_its_variable_and_never_shown() {
        let fault = |one: &str, named: &str| Admins::parse(one, named).map(drop).expect_err("it is refused");
        assert_eq!(fault(&ONE[1..], ""), AdminFault::Short { chars: 31 });
        assert_eq!(
            fault("", &format!("ada:{ADA} bob:hush")),
            AdminFault::ShortOf { name: String::from("bob"), chars: 4 }
        );
        assert_eq!(fault("", &format!("ada:{ADA},{ADA}")), AdminFault::Form(2));
        assert_eq!(fault("", ADA), AdminFault::Form(1));
        assert_eq!(fault("", &format!("ada:{ADA},ada:{BOB}")), AdminFault::Twice(2));
        assert_eq!(fault("", &format!("ada:{ADA},bob:{ADA}")), AdminFault::Twice(2));
        assert_eq!(fault(ONE, &format!("ADMIN_TOKEN:{ADA}")), AdminFault::Twice(1));
        for fault in [fault("hush", ""), fault("", "hush"), fault("", "ada:hush")] {
            assert!(!fault.to_string().contains("hush"), "{fault}");
        }
    }

    #[test]
    fn an_administrators_name_follows_the_rule_of_tokens_names() -> Result<(), AdminFault> {
        let long = "x".repeat(token::NAME_CHARS_MAX);
        for name in ["ada", "bob@example.com", "Zürich", "東京", "ops+night", "עברית", long.as_str()]
        {
            assert_eq!(Admins::parse("", &format!("{name}:{ADA}"))?.name_of(ADA), Some(name));
        }
        let too_long = format!("{long}x");
        for name in ["", "a\u{200b}b", "a\u{202e}b", "a\u{e000}", "a\u{7}b", "\u{feff}ada", too_long.as_str()]
        {
            let fault =
                Admins::parse("", &format!("ok:{BOB} {name}:{ADA}")).map(drop).expect_err("it is refused");
            assert!(matches!(fault, AdminFault::Name { number: 2, .. }), "{name:?}: {fault}");
            let body = serde_json::json!({ "name": name, "role": "read" }).to_string();
            assert!(token::create(&body, crate::time::Timestamp(0)).is_err(), "{name:?}: as that of a token");
        }
        Ok(())
    }

    #[test]
    fn nothing_shows_a_token() -> Result<(), AdminFault> {
        let shown = format!("{:?}", Admins::parse(ONE, &format!("ada:{ADA}"))?);
        assert!(shown.contains("ada") && !shown.contains("0123"), "{shown}");
        Ok(())
    }
}
