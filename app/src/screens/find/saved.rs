//! Searches that are saved under a name, as they are kept. Plain Rust.

use serde::{Deserialize, Serialize};

/// As many are kept of a list; the oldest go first.
const KEPT_MAX: usize = 50;

/// A search with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Saved {
    /// What somebody called it.
    pub(super) name: String,
    /// The query of the address, with its question mark.
    pub(super) query: String,
}

/// Reads what [`text`] wrote; nothing where it is something else.
pub(super) fn parse(text: &str) -> Vec<Saved> {
    serde_json::from_str(text).unwrap_or_default()
}

/// As it is kept; `None` for nothing.
pub(super) fn text(saved: &[Saved]) -> Option<String> {
    serde_json::to_string(saved).ok().filter(|_| !saved.is_empty())
}

/// With another one, in the place of one with its name.
pub(super) fn with(saved: &[Saved], one: Saved) -> Vec<Saved> {
    let mut all = without(saved, &one.name);
    all.push(one);
    all.split_off(all.len().saturating_sub(KEPT_MAX))
}

/// Without the one that has this name.
pub(super) fn without(saved: &[Saved], name: &str) -> Vec<Saved> {
    saved.iter().filter(|known| known.name != name).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, query: &str) -> Saved {
        Saved { name: String::from(name), query: String::from(query) }
    }

    #[test]
    fn searches_are_kept_by_their_names() {
        let saved = with(&with(&[], one("acme", "?text=acme")), one("late", "?attempts_min=4"));
        let saved = with(&saved, one("acme", "?label=customer%3Aacme"));
        assert_eq!(saved, [one("late", "?attempts_min=4"), one("acme", "?label=customer%3Aacme")]);
        assert_eq!(parse(&text(&saved).unwrap_or_default()), saved);
        assert_eq!(text(&without(&saved[..1], "late")), None);
    }

    #[test]
    fn what_is_not_ours_is_nothing() {
        for other in ["", "{}", "[1]", "[{\"name\":\"a\"}]"] {
            assert_eq!(parse(other), [], "{other}");
        }
    }

    #[test]
    fn the_oldest_go_where_there_are_too_many() {
        let all = (0..60).fold(Vec::new(), |all, at| with(&all, one(&at.to_string(), "?a")));
        assert_eq!((all.len(), all[0].name.as_str()), (KEPT_MAX, "10"));
    }
}
