//! What a body is made of.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::event::ObjectRef;
use crate::time::Timestamp;
use crate::webhook::Contract;

/// The event that a body is made of.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The event type.
    pub kind: &'a str,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// `data` as the producer wrote it.
    pub data: &'a RawValue,
    /// What it happened to.
    pub object: Option<&'a ObjectRef>,
}

/// The part of a definition that shapes the body. Kept with each attempt, so that the exact bytes can be
/// shown later although the definition has changed: [`render`] is a pure function of event and rendering.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Rendering {
    /// The contract.
    pub contract: Contract,
    /// The event name that the body carries, where it is not the event's own type (`ubiops`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscribed_event: Option<String>,
    /// Whether `result` is included (`ubiops`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub include_result: bool,
}
