//! Tests: trial calls.

use serde::{Deserialize, Serialize};

use super::delivery::AttemptView;
use crate::time::Timestamp;

/// Where a test stands (WIRE A.3 uses the same words).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TestStatus {
    /// Not called yet, or being called.
    Pending,
    /// The receiver took it.
    Completed,
    /// It did not; `error_message` says why.
    Failed,
}

/// A test as read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TestView {
    /// `tst_…`
    pub id: String,
    /// The webhook that is tested; null for a bare URL.
    pub webhook: Option<String>,
    /// Where it stands.
    pub status: TestStatus,
    /// Why it failed, in words.
    pub error_message: Option<String>,
    /// The call, once it was made.
    pub attempt: Option<AttemptView>,
    /// When it was asked for.
    pub created_at: Timestamp,
}
