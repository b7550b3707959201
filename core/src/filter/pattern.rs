//! Patterns of event types.

use serde::{Deserialize, Serialize};

use crate::event::{TYPE_CHARS_MAX, is_event_type, is_operational};

/// An exact event type (`order.paid`), a prefix (`order.*`, which matches every type below `order.`) or
/// everything that producers post (`*`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
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

    /// Whether an event of type `kind` matches. Postern's own events (`postern.…`) match only a pattern that
    /// names them: a subscription to everything means what producers post.
    #[must_use]
    pub fn matches(&self, kind: &str) -> bool {
        if self.0 == "*" {
            return !is_operational(kind);
        }
        match self.0.strip_suffix(".*") {
            Some(stem) => kind.strip_prefix(stem).is_some_and(|rest| rest.starts_with('.')),
            None => self.0 == kind,
        }
    }
}
