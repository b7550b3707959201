//! Matching: which events a webhook wants.

use serde::{Deserialize, Serialize};

use crate::event::{ObjectRef, TYPE_CHARS_MAX, is_event_type};
use crate::webhook::{Contract, Definition, ObjectFilter};

/// An exact event type (`order.paid`), a prefix (`order.*`, which matches every type below `order.`) or everything (`*`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventPattern(pub(crate) String);

impl EventPattern {
    /// The pattern, if `text` is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let stem = text.strip_suffix(".*").unwrap_or(text);
        let fits = text == "*" || (text.len() <= TYPE_CHARS_MAX && is_event_type(stem));
        fits.then(|| Self(String::from(text)))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an event of type `kind` matches.
    #[must_use]
    pub fn matches(&self, kind: &str) -> bool {
        if self.0 == "*" {
            return true;
        }
        match self.0.strip_suffix(".*") {
            Some(stem) => kind.strip_prefix(stem).is_some_and(|rest| rest.starts_with('.')),
            None => self.0 == kind,
        }
    }
}

/// Whether `webhook` wants an event of type `kind` about `object`. Says nothing of `enabled`.
///
/// A `ubiops` webhook for `*_finished` also matches `*_completed` and `*_failed` (issue, WIRE A.4).
#[must_use]
pub fn matches(webhook: &Definition, kind: &str, object: Option<&ObjectRef>) -> bool {
    webhook.events.iter().any(|pattern| takes(webhook.contract, pattern, kind)) && object_matches(&webhook.object, object)
}

/// Whether `pattern` of a webhook with `contract` takes an event of type `kind`.
pub(crate) fn takes(contract: Contract, pattern: &EventPattern, kind: &str) -> bool {
    pattern.matches(kind) || (contract == Contract::Ubiops && ends_either_way(pattern.as_str(), kind))
}

/// Whether `pattern` is UbiOps' "finished" and `kind` one of the two ways in which the same thing ends.
fn ends_either_way(pattern: &str, kind: &str) -> bool {
    let Some(stem) = pattern.strip_suffix("_finished") else { return false };
    matches!(kind.strip_prefix(stem), Some("_completed" | "_failed"))
}

fn object_matches(filter: &ObjectFilter, object: Option<&ObjectRef>) -> bool {
    let part = |wanted: &Option<String>, found: Option<&str>| wanted.as_deref().is_none_or(|wanted| found == Some(wanted));
    part(&filter.kind, object.map(|object| object.kind.as_str()))
        && part(&filter.name, object.map(|object| object.name.as_str()))
        && part(&filter.version, object.and_then(|object| object.version.as_deref()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_exact_type_matches_itself_and_nothing_longer(kind in "[a-z_]{1,8}(\\.[a-z_]{1,8}){0,3}", more in "[a-z_.]{1,5}") {
            let pattern = EventPattern::parse(&kind);
            let longer = format!("{kind}{more}");
            let holds = pattern.is_some_and(|pattern| pattern.matches(&kind) && !pattern.matches(&longer));
            prop_assert!(holds);
        }

        #[test]
        fn a_prefix_matches_what_is_below_it_only(stem in "[a-z]{1,8}", below in "[a-z]{1,8}(\\.[a-z]{1,8})?") {
            let pattern = EventPattern::parse(&format!("{stem}.*"));
            let (inside, beside) = (format!("{stem}.{below}"), format!("{stem}{below}"));
            let holds = pattern.is_some_and(|pattern| pattern.matches(&inside) && !pattern.matches(&stem) && !pattern.matches(&beside));
            prop_assert!(holds);
        }

        #[test]
        fn a_text_is_a_pattern_only_if_it_can_match(text in "[a-z.*_]{0,12}") {
            if let Some(pattern) = EventPattern::parse(&text) {
                let kind = text.replace('*', "x");
                prop_assert!(pattern.matches(&kind) && is_event_type(&kind));
            }
        }
    }
}
