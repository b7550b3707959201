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

/// How many deliveries stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct StateCounts {
    /// Not called yet.
    pub pending: u32,
    /// Being called.
    pub leased: u32,
    /// To be called again.
    pub waiting: u32,
    /// Taken by their receivers.
    pub delivered: u32,
    /// Given up.
    pub dead: u32,
    /// Called off.
    pub cancelled: u32,
}

impl StateCounts {
    /// Counts `number` more in a state.
    pub const fn add(&mut self, state: State, number: u32) {
        let count = match state {
            State::Pending => &mut self.pending,
            State::Leased => &mut self.leased,
            State::Waiting => &mut self.waiting,
            State::Delivered => &mut self.delivered,
            State::Dead => &mut self.dead,
            State::Cancelled => &mut self.cancelled,
        };
        *count = count.saturating_add(number);
    }

    /// Adds the count of other deliveries.
    pub const fn merge(&mut self, more: &Self) {
        let Self { pending, leased, waiting, delivered, dead, cancelled } = *more;
        self.add(State::Pending, pending);
        self.add(State::Leased, leased);
        self.add(State::Waiting, waiting);
        self.add(State::Delivered, delivered);
        self.add(State::Dead, dead);
        self.add(State::Cancelled, cancelled);
    }

    /// Those that have not ended.
    #[must_use]
    pub const fn open(&self) -> u32 {
        self.pending.saturating_add(self.leased).saturating_add(self.waiting)
    }

    /// All of them: what success is a share of, wherever one is shown. What still waits counts too, so that a
    /// receiver that takes nothing lowers it long before the first delivery to it is given up.
    #[must_use]
    pub const fn all(&self) -> u32 {
        self.open().saturating_add(self.delivered).saturating_add(self.dead).saturating_add(self.cancelled)
    }
}

impl FromIterator<State> for StateCounts {
    fn from_iter<I: IntoIterator<Item = State>>(states: I) -> Self {
        states.into_iter().fold(Self::default(), |mut counts, state| {
            counts.add(state, 1);
            counts
        })
    }
}

/// Deliveries by when they were made, and where they stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct DeliveryHistogram {
    /// Made at this time or later.
    pub since: Timestamp,
    /// Made before this time.
    pub until: Timestamp,
    /// Parts of this time, at most 49, oldest first, those without a delivery too.
    pub bins: Vec<HistogramBin>,
    /// Whether all that fit were counted. One request looks at a bounded part of a list, the newest first.
    pub exact: bool,
    /// Only where not all were counted: what was made at this time or later was counted, what is older was
    /// not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searched_to: Option<Timestamp>,
}

/// The deliveries that were made in a part of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct HistogramBin {
    /// When it starts. It ends where the next one starts, the last one at `until`.
    pub at: Timestamp,
    /// How many stand where.
    #[serde(flatten)]
    pub counts: StateCounts,
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
