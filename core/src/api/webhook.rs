//! Webhooks as read. The create body has the same field names with `secret` added and `id`, `version`, `created_at`,
//! `updated_at`, `health`, `signed` left out; the PATCH body is any subset of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::delivery::State;
use crate::time::Timestamp;
use crate::webhook::{Contract, ObjectFilter};

/// A webhook without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "four independent switches, each a field of the wire")]
pub struct WebhookView {
    /// `whk_…`
    pub id: String,
    /// Unique in its project.
    pub name: String,
    /// Where to call.
    pub url: String,
    /// How callbacks look.
    pub contract: Contract,
    /// Event patterns.
    pub events: Vec<String>,
    /// Object filter; parts are null for "any".
    pub object: ObjectFilter,
    /// Extra headers; a protected one has no value.
    pub headers: Vec<HeaderView>,
    /// At most 400 characters.
    pub description: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Seconds of one attempt, 1 to 30.
    pub timeout_s: u32,
    /// Whether it takes events.
    pub enabled: bool,
    /// Why it is disabled, where Postern did it (`410`), in words; null otherwise.
    pub disabled_reason: Option<String>,
    /// Whether failed attempts are repeated.
    pub retry: bool,
    /// Whether callbacks carry `result` (`ubiops`).
    pub include_result: bool,
    /// Whether callbacks are signed.
    pub signed: bool,
    /// Counts up with each change; the `ETag`.
    pub version: u32,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How it does.
    pub health: Health,
}

/// A header as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderView {
    /// Name.
    pub key: String,
    /// Value; null where protected.
    pub value: Option<String>,
    /// Hidden on reads.
    pub protected: bool,
}

/// How a webhook does, from its latest deliveries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// States of its latest deliveries, oldest first, at most [`RECENT_MAX`].
    pub recent: Vec<State>,
    /// Of them, those delivered at the first attempt (same order and length as `recent`).
    pub at_once: u32,
    /// When the latest of them was created.
    pub latest_at: Option<Timestamp>,
}

/// Deliveries that [`Health::recent`] holds at most.
pub const RECENT_MAX: u32 = 42;

/// `GET webhooks/{name}/secret`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretView {
    /// `whsec_…`, or null where callbacks are not signed.
    pub secret: Option<String>,
}
