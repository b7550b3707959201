//! The envelope of UP42's answers.

use serde::Serialize;
use serde_json::{Value, json};

use crate::time::Timestamp;

/// What came of `POST webhooks/{id}/tests`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TestsRun {
    /// When the first call started.
    pub started_at: Timestamp,
    /// Calls made, one for each event.
    pub tests_run: usize,
    /// Calls that the receiver took.
    pub tests_succeeded: usize,
}

/// `data` in the envelope of an answer.
#[must_use]
pub fn answer<T: Serialize>(data: &T) -> Value {
    json!({ "data": data, "error": null })
}

/// The answer to a request that failed.
#[must_use]
pub fn error(status: u16, message: &str) -> Value {
    json!({ "data": null, "error": { "code": status, "message": message } })
}
