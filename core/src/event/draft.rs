//! An event that is checked and not yet accepted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::object::ObjectRef;
use super::operational::Operational;

/// A checked event, not yet accepted. `data` is kept as the producer wrote it (compact JSON text), so that
/// what is signed and sent has not been through a number or map conversion.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewEvent {
    /// The event type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Any JSON value.
    pub data: Box<RawValue>,
    /// What it happened to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectRef>,
    /// Two events of a project with one key are one event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// Deliveries of events with one key go to an `ordered` webhook one after the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_key: Option<String>,
    /// What webhooks may filter by; the rules are those of a webhook's labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl NewEvent {
    /// An event of which only type and data are known. Nothing is checked.
    #[must_use]
    pub const fn new(kind: String, data: Box<RawValue>) -> Self {
        Self { kind, data, object: None, idempotency_key: None, order_key: None, labels: BTreeMap::new() }
    }

    /// One of Postern's own events: no producer can post its type.
    #[must_use]
    pub fn operational(kind: Operational, data: &Value) -> Self {
        let data = RawValue::from_string(data.to_string()).unwrap_or_else(|_never| RawValue::NULL.to_owned());
        Self::new(String::from(kind.as_str()), data)
    }
}
