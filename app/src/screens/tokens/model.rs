//! Tokens in words, and a token as it is asked for.

use postern_core::fault::{Fault, InputFault};
use postern_core::time::Timestamp;
use postern_core::token::{self, Role};
use reactive_stores::Store;
use serde_json::{Value, json};

use crate::words;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// The roles in the order in which they are offered: what most tokens need first, what few should have last.
pub(super) const ROLES: [Role; 4] = [Role::Publish, Role::Execute, Role::Read, Role::Manage];

/// For how long a new token may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lifetime {
    /// Until somebody revokes it.
    NoEnd,
    /// 30 days.
    Month,
    /// 90 days.
    Quarter,
    /// 365 days.
    Year,
}

impl Lifetime {
    /// All of them, in the order in which they are offered.
    pub(super) const ALL: [Self; 4] = [Self::NoEnd, Self::Month, Self::Quarter, Self::Year];

    /// Its name in the form.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::NoEnd => "0",
            Self::Month => "30",
            Self::Quarter => "90",
            Self::Year => "365",
        }
    }

    /// Reads the name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lifetime| lifetime.as_str() == name)
    }

    /// How long it is, and for whom.
    pub(super) const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::NoEnd => ("no end", "until somebody revokes it"),
            Self::Month => ("30 days", "for something that ends"),
            Self::Quarter => ("90 days", "where tokens are replaced each quarter"),
            Self::Year => ("a year", "where they are replaced each year"),
        }
    }

    /// In days; `None` if it has no end.
    const fn days(self) -> Option<i64> {
        match self {
            Self::NoEnd => None,
            Self::Month => Some(30),
            Self::Quarter => Some(90),
            Self::Year => Some(365),
        }
    }
}

/// The form of a new token.
///
/// It starts with the role that can do the least and with no end, as most tokens of producers are.
#[derive(Clone, Debug, PartialEq, Eq, Store)]
pub(super) struct TokenDraft {
    /// Who or what uses it; a text that is typed.
    pub(super) name: String,
    /// What it may do.
    pub(super) role: Role,
    /// For how long.
    pub(super) lifetime: Lifetime,
}

impl Default for TokenDraft {
    fn default() -> Self {
        Self { name: String::new(), role: Role::Publish, lifetime: Lifetime::NoEnd }
    }
}

impl TokenDraft {
    /// The body that makes the token.
    pub(super) fn body(&self, now: Timestamp) -> Value {
        let mut body = json!({ "name": self.name.trim(), "role": self.role.as_str() });
        if let Some(days) = self.lifetime.days() {
            body["expires_at"] = json!(now.plus_ms(days * DAY_MS));
        }
        body
    }

    /// What the edge would say is wrong with it.
    pub(super) fn faults(&self, now: Timestamp) -> Vec<Fault> {
        match token::create(&self.body(now).to_string(), now) {
            Err(InputFault::Invalid(faults)) => faults.into_named(),
            Ok(_) | Err(InputFault::Malformed(_)) => Vec::new(),
        }
    }
}

/// When a token stops, in words.
pub(super) fn expiry_words(
    now: Timestamp,
    expires_at: Option<Timestamp>,
    offset_min: impl Fn(Timestamp) -> i64,
) -> String {
    match expires_at {
        None => String::from("never"),
        Some(at) if at <= now => String::from("expired"),
        Some(at) => words::date_time(at, offset_min(at)),
    }
}

/// When a token was last used, in words.
pub(super) fn used_words(now: Timestamp, used_at: Option<Timestamp>) -> String {
    used_at.map_or_else(|| String::from("never"), |used_at| words::ago(now, used_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_270_051_204);

    fn draft(name: &str, lifetime: Lifetime) -> TokenDraft {
        TokenDraft { name: String::from(name), role: Role::Read, lifetime }
    }

    #[test]
    fn a_token_without_an_end_says_nothing_of_one() {
        assert_eq!(draft(" ci ", Lifetime::NoEnd).body(NOW), json!({"name": "ci", "role": "read"}));
        let month = draft("ci", Lifetime::Month);
        assert_eq!(month.body(NOW)["expires_at"], json!("2026-12-21T14:07:31.204Z"));
        assert_eq!(month.faults(NOW), []);
    }

    #[test]
    fn a_token_without_a_name_is_refused_as_at_the_edge() {
        let pointers: Vec<String> =
            draft(" ", Lifetime::Year).faults(NOW).into_iter().map(|fault| fault.pointer).collect();
        assert_eq!(pointers, ["/name"]);
    }

    #[test]
    fn every_role_is_offered_once() {
        let mut offered = ROLES.map(Role::as_str);
        let mut all = Role::ALL.map(Role::as_str);
        offered.sort_unstable();
        all.sort_unstable();
        assert_eq!(offered, all);
    }

    #[test]
    fn a_lifetime_is_named_after_its_days() {
        for lifetime in Lifetime::ALL {
            assert_eq!(Lifetime::parse(lifetime.as_str()), Some(lifetime));
            assert_eq!(lifetime.days().unwrap_or_default().to_string(), lifetime.as_str());
        }
    }

    #[test]
    fn an_expiry_is_told_in_words() {
        assert_eq!(expiry_words(NOW, None, |_| 0), "never");
        assert_eq!(expiry_words(NOW, Some(NOW), |_| 0), "expired");
        assert_eq!(expiry_words(NOW, Some(NOW.plus_ms(1_000)), |_| 60), "2026-11-21 15:07:32");
        assert_eq!(used_words(NOW, None), "never");
    }
}
