//! Dry runs: what would happen to an event, webhook by webhook. Nothing is stored or sent.

use serde::{Deserialize, Serialize};

use crate::condition::Clause;
use crate::time::Timestamp;

/// Webhooks of an answer at most.
pub const WEBHOOKS_MAX: u32 = 200;

/// Bytes of all bodies of an answer together: each may be as long as a body can be.
pub const BODIES_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes of stored definitions that are read to say what requests would look like: a definition can be as
/// long as its condition, and reading 200 of those costs more than matching them.
pub const DEFINITIONS_BYTES_MAX: usize = 512 * 1024;

/// Answer to `POST events/dry-run`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct DryRunView {
    /// By name.
    pub webhooks: Vec<DryRunWebhook>,
}

/// What one webhook would do with the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct DryRunWebhook {
    /// Its name.
    pub webhook: String,
    /// `whk_…`
    pub webhook_id: String,
    /// Whether it wants the event.
    pub matched: bool,
    /// Whether it would get it: it matched and is enabled.
    pub delivers: bool,
    /// Why, filter by filter.
    pub reasons: Vec<Clause>,
    /// What would be sent; null where it did not match, and where the requests before it fill an answer (4
    /// MiB of bodies, or 512 KiB of definitions): ask for that webhook alone.
    pub request: Option<DryRunRequest>,
    /// When attempts would be made if each failed at once; empty if there would be no attempt.
    pub timeline: Vec<DryRunAttempt>,
}

/// A request as it would be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct DryRunRequest {
    /// Always `POST`.
    pub method: String,
    /// The URL.
    pub url: String,
    /// Headers in their order; protected values are `••••••••`.
    pub headers: Vec<(String, String)>,
    /// The exact body.
    pub body: String,
}

/// An attempt that would be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct DryRunAttempt {
    /// 1, 2, …
    pub attempt: u32,
    /// When.
    pub at: Timestamp,
}
