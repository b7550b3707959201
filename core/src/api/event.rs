//! Events and the catalogue of event types.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::event::ObjectRef;
use crate::time::Timestamp;

/// Answer to an accepted event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct BatchAccepted {
    /// One per event.
    pub items: Vec<EventAccepted>,
}

/// An event as read.
#[derive(Clone, Debug, Serialize, Deserialize)]
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

/// An entry of the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventTypeView {
    /// The event type.
    pub name: String,
    /// What it means.
    pub description: String,
    /// An example of `data`.
    pub example: Option<Value>,
    /// When it was added.
    pub created_at: Timestamp,
}
