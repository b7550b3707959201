//! Events and the catalogue of event types.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::condition::Clause;
use crate::event::ObjectRef;
use crate::json;
use crate::time::Timestamp;

/// Answer to an accepted event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct EventAccepted {
    /// `evt_…`
    pub id: String,
    /// Webhooks it goes to.
    pub deliveries: u32,
    /// Whether its idempotency key was known: nothing new was stored.
    pub duplicate: bool,
}

/// Answer to a batch, in the order of the batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct BatchAccepted {
    /// One per event.
    pub items: Vec<EventAccepted>,
}

/// An event as read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct EventView {
    /// `evt_…`
    pub id: String,
    /// The event type.
    #[serde(rename = "type")]
    pub kind: String,
    /// As the producer wrote it; left out of lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
    /// What it happened to.
    pub object: Option<ObjectRef>,
    /// The producer's key.
    pub idempotency_key: Option<String>,
    /// What `ordered` webhooks keep in order.
    #[serde(default)]
    pub order_key: Option<String>,
    /// What webhooks may filter by.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// Webhooks it matched.
    pub deliveries: u32,
}

/// Answer to `GET events/{id}/decisions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct EventDecisions {
    /// By name.
    pub webhooks: Vec<EventDecision>,
}

/// Whether a webhook got an event, and what its definition of now says of it. Which definition decided when
/// the event came is not kept: where `updated_at` is later, it may have been another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct EventDecision {
    /// Its name.
    pub webhook: String,
    /// `whk_…`
    pub webhook_id: String,
    /// `dlv_…` of its first delivery of this event; null where it did not get it.
    pub delivery_id: Option<String>,
    /// Whether it takes events now.
    pub enabled: bool,
    /// Whether it wants such an event, by its definition of now.
    pub matched: bool,
    /// Why, filter by filter.
    pub reasons: Vec<Clause>,
    /// When the webhook was created: one that is younger than the event could not get it.
    pub created_at: Timestamp,
    /// When its definition last changed.
    pub updated_at: Timestamp,
}

/// An entry of the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct EventTypeView {
    /// The event type.
    pub name: String,
    /// What it means.
    pub description: String,
    /// An example of `data`.
    #[serde(deserialize_with = "json::written_or_none")]
    pub example: Option<Value>,
    /// What `data` must be (`json_schema`); null where anything will do. Events that do not fit are refused.
    #[serde(default, deserialize_with = "json::written_or_none")]
    pub schema: Option<Value>,
    /// Whether it is no longer offered to people. Its events are still accepted.
    #[serde(default)]
    pub archived: bool,
    /// Counts up with each change; the `ETag`.
    #[serde(default = "first_version")]
    pub version: u32,
    /// When it was added.
    pub created_at: Timestamp,
}

const fn first_version() -> u32 {
    1
}
