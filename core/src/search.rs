//! What lists of events and deliveries can be searched by. How a query writes it is in [`crate::query`]; how
//! rows are looked at, in the ledger.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::delivery::State;
use crate::event::OBJECT_PART_CHARS_MAX;
use crate::time::Timestamp;

/// Characters of a piece of a payload at least: shorter ones are in nearly every payload.
pub const PIECE_CHARS_MIN: usize = 3;
/// Characters of a piece of a payload at most.
pub const PIECE_CHARS_MAX: usize = 200;
/// What [`StatusFilter::parse`] takes, in words.
pub(crate) const STATUS_RULE: &str = "must be a status (503) or a class of them (5xx)";
/// What [`ObjectFilter::parse`] takes, in words.
pub(crate) const OBJECT_RULE: &str =
    "must be a type, or a type, a slash and a name, of at most 128 characters each";

/// Which statuses of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusFilter {
    /// This one.
    Is(u16),
    /// Those of this hundred: 5 for 500 to 599.
    Class(u16),
}

impl StatusFilter {
    /// Reads `503` or `5xx`, 100 to 599.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_suffix("xx").unwrap_or(text);
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number: u16 = digits.parse().ok()?;
        let found = if digits.len() == text.len() { Self::Is(number) } else { Self::Class(number) };
        (100..600).contains(&found.range().0).then_some(found)
    }

    /// The first status and the last.
    #[must_use]
    pub const fn range(self) -> (u16, u16) {
        match self {
            Self::Is(status) => (status, status),
            Self::Class(class) => {
                let first = class.saturating_mul(100);
                (first, first.saturating_add(99))
            }
        }
    }
}

/// Which objects of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectFilter {
    /// Its type, exactly.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name, exactly; `None` for every object of the type.
    pub name: Option<String>,
}

impl ObjectFilter {
    /// Reads `type` or `type/name`; the name may hold slashes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once('/').map_or((text, None), |(kind, name)| (kind, Some(name)));
        let fits = |part: &str| !part.is_empty() && part.chars().count() <= OBJECT_PART_CHARS_MAX;
        (fits(kind) && name.is_none_or(fits))
            .then(|| Self { kind: String::from(kind), name: name.map(String::from) })
    }
}

/// Which events, by what they are and hold. What is `None` or empty does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventFilter {
    /// Accepted at this time or later.
    pub since: Option<Timestamp>,
    /// Accepted before this time.
    pub until: Option<Timestamp>,
    /// Of exactly this type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// With all of these labels.
    pub labels: BTreeMap<String, String>,
    /// That happened to such an object.
    pub object: Option<ObjectFilter>,
    /// Whose `data`, as the producer wrote it, holds this text, with its case.
    pub piece: Option<String>,
}

/// Which deliveries. What is `None` does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryFilter {
    /// Those in this state.
    pub state: Option<State>,
    /// Those of the webhook with this name; of an unknown one there are none.
    pub webhook: Option<String>,
    /// Those of events of exactly this type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Those of the event with this id; of an unknown one there are none.
    pub event: Option<String>,
    /// Those whose latest answer had such a status.
    pub status: Option<StatusFilter>,
    /// Those of which at least so many attempts were made.
    pub attempts_min: Option<u32>,
    /// Those that were made then or later.
    pub since: Option<Timestamp>,
    /// Those that were made before then.
    pub until: Option<Timestamp>,
    /// Those of events with all of these labels.
    pub labels: BTreeMap<String, String>,
    /// Those of events that happened to such an object.
    pub object: Option<ObjectFilter>,
    /// Those of events whose `data`, as the producer wrote it, holds this text, with its case.
    pub piece: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_or_a_class() {
        assert_eq!(StatusFilter::parse("503").map(StatusFilter::range), Some((503, 503)));
        assert_eq!(StatusFilter::parse("5xx").map(StatusFilter::range), Some((500, 599)));
        assert_eq!(StatusFilter::parse("1xx").map(StatusFilter::range), Some((100, 199)));
        for wrong in
            ["", "xx", "99", "600", "6xx", "0xx", "50xx", "5XX", "5x", "+503", "-1", "99999", "655xx"]
        {
            assert_eq!(StatusFilter::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_object_is_a_type_or_a_type_and_a_name() {
        let parts = |text: &str| ObjectFilter::parse(text).map(|object| (object.kind, object.name));
        assert_eq!(parts("deployment"), Some((String::from("deployment"), None)));
        assert_eq!(parts("a/b/c"), Some((String::from("a"), Some(String::from("b/c")))));
        let long = "x".repeat(OBJECT_PART_CHARS_MAX + 1);
        for wrong in ["", "/", "a/", "/b", long.as_str()] {
            assert_eq!(ObjectFilter::parse(wrong), None, "{wrong}");
        }
    }
}
