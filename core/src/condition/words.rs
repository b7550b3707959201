//! Values in an explanation, cut.

use serde_json::Value;

/// Characters of a value that an explanation repeats at most.
pub const FOUND_CHARS_MAX: usize = 200;

/// `text`, cut to what an explanation repeats.
pub(crate) fn cut(text: &str) -> String {
    crate::fault::cut(text, FOUND_CHARS_MAX)
}

/// `value` as JSON, cut to what an explanation repeats.
pub(crate) fn shown(value: &Value) -> String {
    crate::fault::shown(value, FOUND_CHARS_MAX)
}
