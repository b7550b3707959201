//! Pieces of JSON text.

use serde_json::value::RawValue;

/// `value` as JSON text that is kept as written.
pub(super) fn raw(value: &serde_json::Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap_or_else(|_never| RawValue::NULL.to_owned())
}

/// `text` as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// `text` as a JSON string, or `null`.
pub(super) fn quoted_or_null(text: Option<&str>) -> String {
    text.map_or_else(|| String::from("null"), quoted)
}
