//! The data of operational events: what Postern itself sends to webhooks that subscribe to `postern.…`.

use serde::{Deserialize, Serialize};

use crate::api::project::Aged;
use crate::delivery::DisableCause;
use crate::time::Timestamp;

/// The data of `postern.delivery.dead`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct DeliveryDeadData {
    /// `dlv_…`
    pub delivery_id: String,
    /// `evt_…`
    pub event_id: String,
    /// The type of the event that was not delivered.
    #[serde(rename = "type")]
    pub kind: String,
    /// The webhook's name; null where it was deleted.
    pub webhook: Option<String>,
    /// `whk_…`
    pub webhook_id: String,
    /// Attempts made.
    pub attempts: u32,
    /// HTTP status of the last attempt; null where it got no answer.
    pub last_status: Option<u32>,
    /// The last attempt in a few words, such as `503 Service Unavailable` or `timed out`.
    pub last_result: String,
}

/// The data of `postern.webhook.disabled`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct WebhookDisabledData {
    /// The webhook's name; null where it was deleted.
    pub webhook: Option<String>,
    /// `whk_…`
    pub webhook_id: String,
    /// Where it called; null where it was deleted.
    pub url: Option<String>,
    /// Why, in words.
    pub reason: String,
    /// Why, as one of a few words.
    pub cause: DisableCause,
    /// Since when every call has failed.
    pub since: Timestamp,
}

/// The data of `postern.webhook.failing`, `postern.webhook.throttled` and `postern.webhook.recovered`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct WebhookHealthData {
    /// The webhook's name; null where it was deleted.
    pub webhook: Option<String>,
    /// `whk_…`
    pub webhook_id: String,
    /// Where it calls; null where it was deleted.
    pub url: Option<String>,
    /// Calls that failed in a row; of a recovery, before it.
    pub failures: u32,
    /// Since when; null where it does not fail.
    pub failing_since: Option<Timestamp>,
    /// When it is called next; null where it is called as usual.
    pub next_call_at: Option<Timestamp>,
    /// The attempt that caused this in a few words, such as `503 Service Unavailable`.
    pub last_result: String,
}

/// The data of `postern.project.full`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ProjectFullData {
    /// The project's name.
    pub project: String,
    /// Bytes that it stores.
    pub stored_bytes: u64,
    /// Bytes that it may store.
    pub limit: Option<u64>,
}

/// The data of `postern.project.aging`: told when the first answers' bodies are given up before their
/// retention is over, and again when the first deliveries and events are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ProjectAgingData {
    /// The project's name.
    pub project: String,
    /// Bytes that it stores.
    pub stored_bytes: u64,
    /// Bytes that it may store.
    pub limit: Option<u64>,
    /// Days that it would keep what has ended.
    pub retention_days: u32,
    /// What was given up so far.
    pub aged: Aged,
}
