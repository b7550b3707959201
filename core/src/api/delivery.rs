//! Deliveries.

use serde::{Deserialize, Serialize};

use super::event::EventView;
use crate::delivery::{Attempt, State};
use crate::explain::Reason;
use crate::time::Timestamp;

/// A delivery in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct DeliveryView {
    /// `dlv_…`
    pub id: String,
    /// `evt_…`
    pub event_id: String,
    /// The event type.
    #[serde(rename = "type")]
    pub kind: String,
    /// `whk_…`
    pub webhook_id: String,
    /// The webhook's name; null where it was deleted.
    pub webhook: Option<String>,
    /// The `webhook-id` of every attempt.
    pub message_id: String,
    /// Where it stands.
    pub state: State,
    /// Attempts made.
    pub attempts: u32,
    /// When the next attempt is due (`pending`, `waiting`), or the lease ends (`leased`).
    pub next_at: Option<Timestamp>,
    /// HTTP status of the latest attempt that got an answer.
    pub last_status: Option<u16>,
    /// The latest attempt in a few words, such as `503 Service Unavailable` or `timed out`.
    pub last_result: Option<String>,
    /// Milliseconds of the latest attempt.
    pub last_duration_ms: Option<u32>,
    /// When it was made: when its event was accepted, but for one that a replay made for an event that was
    /// missed. Lists, exports, replays and retention go by this time.
    pub created_at: Timestamp,
    /// When it was last touched.
    pub updated_at: Timestamp,
}

/// How many deliveries a list holds in all its pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct DeliveryCount {
    /// So many were found.
    pub count: u32,
    /// Whether these are all. One request looks at a bounded part of a list; where the list is longer, there
    /// are at least `count`.
    pub exact: bool,
    /// Only of a count that is not exact: what was made at this time or later was counted, what is older was
    /// not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searched_to: Option<Timestamp>,
}

/// A delivery as a line of an export: what a list shows, and every attempt as it is recorded.
///
/// `A` is what `attempts` is written as; the ledger has them as JSON text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "ExportedDelivery"))]
pub struct ExportedDelivery<A = Vec<Attempt>> {
    /// `dlv_…`
    pub id: String,
    /// `evt_…`
    pub event_id: String,
    /// The event type.
    #[serde(rename = "type")]
    pub kind: String,
    /// `whk_…`
    pub webhook_id: String,
    /// The webhook's name; null where it was deleted.
    pub webhook: Option<String>,
    /// The `webhook-id` of every attempt.
    pub message_id: String,
    /// Where it stands.
    pub state: State,
    /// How many attempts were made: the field that a list calls `attempts`.
    pub attempt_count: u32,
    /// When the next attempt is due (`pending`, `waiting`), or the lease ends (`leased`).
    pub next_at: Option<Timestamp>,
    /// HTTP status of the latest attempt that got an answer.
    pub last_status: Option<u16>,
    /// The latest attempt in a few words, such as `503 Service Unavailable` or `timed out`.
    pub last_result: Option<String>,
    /// Milliseconds of the latest attempt.
    pub last_duration_ms: Option<u32>,
    /// When it was made: when its event was accepted, but for one that a replay made for an event that was
    /// missed.
    pub created_at: Timestamp,
    /// When it was last touched.
    pub updated_at: Timestamp,
    /// Every attempt, oldest first.
    pub attempts: A,
}

impl<A> ExportedDelivery<A> {
    /// The line of `delivery` with its `attempts`.
    #[must_use]
    pub fn new(delivery: DeliveryView, attempts: A) -> Self {
        let DeliveryView {
            id,
            event_id,
            kind,
            webhook_id,
            webhook,
            message_id,
            state,
            attempts: attempt_count,
            next_at,
            last_status,
            last_result,
            last_duration_ms,
            created_at,
            updated_at,
        } = delivery;
        Self {
            id,
            event_id,
            kind,
            webhook_id,
            webhook,
            message_id,
            state,
            attempt_count,
            next_at,
            last_status,
            last_result,
            last_duration_ms,
            created_at,
            updated_at,
            attempts,
        }
    }
}

/// A delivery in full.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct DeliveryDetail {
    /// What a list shows.
    pub delivery: DeliveryView,
    /// Why it stands there, and what to do.
    pub reason: Reason,
    /// Every attempt, oldest first.
    pub attempts: Vec<AttemptView>,
    /// The event, with its data.
    pub event: EventView,
}

/// An attempt with what was sent and received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AttemptView {
    /// The record.
    pub attempt: Attempt,
    /// In words.
    pub reason: Reason,
    /// The exact body that was sent; null where nothing was.
    pub request_body: Option<String>,
}
