//! What travels between the ledger and those who call receivers: tickets, works and reports.

use postern_core::delivery::{Attempt, Trigger};
use postern_core::event::ObjectRef;
use postern_core::id::Seq;
use postern_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Which queue carries a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// First attempts: never behind a retry.
    First,
    /// Everything after a first attempt.
    Retry,
}

/// The right to claim one attempt until its lease ends. Holds ids only, so it may travel through a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LeaseTicket {
    /// The delivery.
    pub delivery: Seq,
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// Its webhook.
    pub webhook: Seq,
    /// Which queue it belongs to.
    pub lane: Lane,
}

/// One call to make, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// The delivery.
    pub delivery: Seq,
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// Why it is made.
    pub trigger: Trigger,
    /// The `webhook-id`: `msg_…`, the same for every attempt of a delivery.
    pub message_id: String,
    /// The event, found in [`WorkSet::events`].
    pub event: Seq,
    /// The webhook.
    pub webhook: Seq,
    /// `whk_…`
    pub webhook_id: String,
    /// The webhook's current version: a copy of the definition that is older must not be used.
    pub webhook_version: u32,
    /// Seconds that the call may take.
    pub timeout_s: u32,
    /// When the ledger takes the attempt for lost.
    pub lease_until: Timestamp,
}

/// An event as a callback needs it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WorkEvent {
    /// Its key.
    pub seq: Seq,
    /// `evt_…` (of a test: `tst_…`).
    pub id: String,
    /// The event type.
    #[serde(rename = "type")]
    pub kind: String,
    /// As the producer wrote it.
    pub data: Box<RawValue>,
    /// What it happened to.
    pub object: Option<ObjectRef>,
    /// When it was accepted.
    pub accepted_at: Timestamp,
}

/// Calls to make, with their events; an event is there once, however many webhooks want it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct WorkSet {
    /// The events of `works`.
    pub events: Vec<WorkEvent>,
    /// The calls.
    pub works: Vec<Work>,
}

impl WorkSet {
    /// The event with this key.
    #[must_use]
    pub fn event(&self, seq: Seq) -> Option<&WorkEvent> {
        self.events.iter().find(|event| event.seq == seq)
    }
}

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The delivery.
    pub delivery: Seq,
    /// The record. `number` says which attempt it is; `trigger` is the ledger's to say and is overwritten.
    pub attempt: Attempt,
}
