//! Names that people choose.

use serde::{Deserialize, Serialize};

use crate::fault::check_visible;

/// A project's name: `[a-z0-9][a-z0-9_-]{0,62}`. It is part of paths, KV keys and tokens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct ProjectName(String);

impl ProjectName {
    /// Characters at most.
    pub const CHARS_MAX: usize = 63;

    /// The name, if `text` is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = text.bytes();
        let first_fits = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let rest_fits = bytes
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_');
        (first_fits && rest_fits && text.len() <= Self::CHARS_MAX).then(|| Self(String::from(text)))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for ProjectName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("is not a project name"))
    }
}

/// A webhook's name: 1 to 64 characters (docs/wire.md A.3), without control or invisible characters and
/// without a space at either end. Not `.` or `..`: every URL parser resolves them away, percent-encoded too,
/// so no path could name them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct WebhookName(String);

impl WebhookName {
    /// Characters at most.
    pub const CHARS_MAX: usize = 64;

    /// The name, if `text` is one that a webhook may get.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if check_visible(text).is_err() { None } else { Self::of_known(text) }
    }

    /// The same for a webhook that may be there already: older versions took invisible characters.
    #[must_use]
    pub fn of_known(text: &str) -> Option<Self> {
        let has_length = (1..=Self::CHARS_MAX).contains(&text.chars().count());
        let fits = has_length
            && text.trim() == text
            && !text.chars().any(char::is_control)
            && !matches!(text, "." | "..");
        fits.then(|| Self(String::from(text)))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for WebhookName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::of_known(&text).ok_or_else(|| serde::de::Error::custom("is not a webhook name"))
    }
}
