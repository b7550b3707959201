//! Tests: trial calls.

use serde::{Deserialize, Serialize};

use super::delivery::AttemptView;
use crate::examination::{Finding, Variation};
use crate::time::Timestamp;

/// Where a test stands (docs/wire.md A.3 uses the same words).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TestStatus {
    /// Not called yet, being called, or to be called again.
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
    /// Why it failed, in words; null until it has ended (until then, see the latest attempt).
    pub error_message: Option<String>,
    /// Whether it is called again where it fails.
    pub retry: bool,
    /// Attempts made.
    pub attempts: u32,
    /// When the next attempt is due; null while one is under way, and after the last.
    pub next_attempt_at: Option<Timestamp>,
    /// The latest attempt, once one was made.
    pub attempt: Option<AttemptView>,
    /// What is different from a sound callback; null for a plain test.
    #[serde(default)]
    pub variation: Option<Variation>,
    /// What the answer says about the receiver; null for a plain test, and until one has ended.
    #[serde(default)]
    pub finding: Option<Finding>,
    /// When it was asked for.
    pub created_at: Timestamp,
}
