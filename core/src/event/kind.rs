//! The type of an event.

/// Characters of an event type at most.
pub const TYPE_CHARS_MAX: usize = 128;

/// Whether `text` is an event type: dot-separated words of `[A-Za-z0-9_]` (Standard Webhooks, docs/wire.md
/// D.4).
#[must_use]
pub fn is_event_type(text: &str) -> bool {
    text.len() <= TYPE_CHARS_MAX
        && text.split('.').all(|word| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
}

/// Shown when an event type is malformed.
pub(crate) const TYPE_RULE: &str =
    "must be 1 to 128 characters: words of letters, digits and _, joined by dots, such as order.paid";
