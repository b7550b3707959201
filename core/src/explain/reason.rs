//! What an explanation is, and how its sentences are put together.

use serde::{Deserialize, Serialize};

/// An explanation for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Reason {
    /// What happened, in one sentence.
    pub headline: String,
    /// What it means and what to do; may be empty.
    pub advice: String,
}

/// `text`, which is English, in the middle of a sentence.
pub(super) fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| format!("{}{}", first.to_ascii_lowercase(), letters.as_str()))
        .unwrap_or_default()
}

pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// The first line of foreign text, cut.
pub(super) fn shorten(text: &str) -> String {
    const CHARS_MAX: usize = 200;
    let line = text.lines().next().unwrap_or("").trim();
    let mut short: String = line.chars().take(CHARS_MAX).collect();
    if line.chars().nth(CHARS_MAX).is_some() {
        short.push('…');
    }
    short
}

/// A header value in a sentence.
pub(super) fn named(value: &str) -> String {
    match shorten(value) {
        text if text.is_empty() => String::from("it is empty"),
        text => text,
    }
}
