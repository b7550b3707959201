//! Inboxes: URLs of our own that record what reaches them.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Requests that an inbox keeps.
pub const REQUESTS_KEPT: u32 = 200;
/// Longest delay of an answer.
pub const DELAY_MS_MAX: u32 = 60_000;
/// Longest body of an answer, in bytes.
pub const ANSWER_BODY_BYTES_MAX: usize = 16 * 1024;

/// What an inbox answers with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "InboxAnswer"))]
pub struct Answer {
    /// 200 to 599.
    pub status: u16,
    /// Milliseconds before the answer.
    pub delay_ms: u32,
    /// Its body, as text.
    pub body: String,
}

impl Default for Answer {
    fn default() -> Self {
        Self { status: 200, delay_ms: 0, body: String::new() }
    }
}

/// An inbox as read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct InboxView {
    /// `ibx_…`
    pub id: String,
    /// Unique in its project.
    pub name: String,
    /// The absolute address.
    pub url: String,
    /// What it answers.
    pub answer: Answer,
    /// Requests it holds now.
    pub received: u32,
    /// When it was created.
    pub created_at: Timestamp,
}

/// What a receiver that knows the secrets says of a recorded request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum SignatureVerdict {
    /// No `webhook-signature`.
    Unsigned,
    /// Signed with the secret of a webhook of this project that calls this inbox.
    Valid {
        /// Its name.
        webhook: String,
    },
    /// Signed, but it does not verify.
    Invalid {
        /// Why.
        reason: String,
    },
}

/// A recorded request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct InboxRequestView {
    /// `req_…`
    pub id: String,
    /// The method.
    pub method: String,
    /// Path and query below the inbox's own path; `""` or starts with `/` or `?`.
    pub path: String,
    /// Headers in the order they came.
    pub headers: Vec<(String, String)>,
    /// The body as text; base64 where `body_is_base64`.
    pub body: String,
    /// Whether the body is not UTF-8.
    pub body_is_base64: bool,
    /// The body in Unicode, where it is text in another charset that its `content-type` (or a byte order
    /// mark) declares. Made when it is read, from the first 64 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_text: Option<String>,
    /// Bytes that arrived.
    pub body_bytes: u32,
    /// Whether the body was cut at 256 KiB.
    pub truncated: bool,
    /// When it arrived.
    pub received_at: Timestamp,
    /// The signature, checked.
    pub signature: SignatureVerdict,
    /// The status that was answered.
    pub answered: u16,
}
