//! Webhooks as read. The create body has the same field names with `secret` added and `id`, `version`,
//! `created_at`, `updated_at`, `health`, `signed` left out; the PATCH body is any subset of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::condition::Condition;
use crate::delivery::State;
use crate::signing::Secret;
use crate::time::Timestamp;
use crate::webhook::{Contract, Definition, ObjectFilter, RateLimit, RetiredSecret};

/// A webhook without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each a field of the wire")]
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
    /// Seconds before attempt 2, 3, …; null where the project's schedule holds.
    #[serde(default)]
    pub retry_schedule_s: Option<Vec<u32>>,
    /// Calls in a time at most.
    #[serde(default)]
    pub rate_limit: Option<RateLimit>,
    /// Calls under way at once at most.
    #[serde(default)]
    pub concurrency_limit: Option<u32>,
    /// Whether events with one `order_key` come one after the other.
    #[serde(default)]
    pub ordered: bool,
    /// The payload condition as it was written (`condition`).
    #[serde(default, deserialize_with = "crate::json::written_or_none")]
    pub filter: Option<Value>,
    /// Labels that an event must carry.
    #[serde(default)]
    pub event_labels: BTreeMap<String, String>,
    /// Whether deliveries wait.
    #[serde(default)]
    pub paused: bool,
    /// Whether a 410 disables it only where the receiver answers it again ten minutes after the first.
    #[serde(default)]
    pub confirm_gone: bool,
    /// Counts up with each change; the `ETag`.
    pub version: u32,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How it does.
    pub health: Health,
}

/// What is known of a webhook beside its definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// `whk_…`
    pub id: String,
    /// Counts up with each change.
    pub version: u32,
    /// Why Postern disabled it, in words.
    pub disabled_reason: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// How its deliveries go.
    pub health: Health,
}

impl WebhookView {
    /// What is shown of `definition`: no secret, and no value of a protected header.
    #[must_use]
    pub fn from_definition(definition: Definition, standing: Standing) -> Self {
        let Standing { id, version, disabled_reason, created_at, updated_at, health } = standing;
        let headers = definition.headers.into_iter().map(|header| HeaderView {
            value: (!header.protected).then_some(header.value),
            key: header.key,
            protected: header.protected,
        });
        Self {
            id,
            name: String::from(definition.name.as_str()),
            url: definition.url,
            contract: definition.contract,
            events: definition.events.iter().map(|pattern| String::from(pattern.as_str())).collect(),
            object: definition.object,
            headers: headers.collect(),
            description: definition.description,
            labels: definition.labels,
            timeout_s: definition.timeout_s,
            enabled: definition.enabled,
            disabled_reason,
            retry: definition.retry,
            include_result: definition.include_result,
            signed: definition.secret.is_some(),
            retry_schedule_s: definition.retry_schedule_s,
            rate_limit: definition.rate_limit,
            concurrency_limit: definition.concurrency_limit,
            ordered: definition.ordered,
            filter: definition.filter.as_ref().map(Condition::to_value),
            event_labels: definition.event_labels,
            paused: definition.paused,
            confirm_gone: definition.confirm_gone,
            version,
            created_at,
            updated_at,
            health,
        }
    }
}

/// A header as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "WebhookHealth"))]
pub struct Health {
    /// States of its latest deliveries, oldest first, at most [`RECENT_MAX`].
    pub recent: Vec<State>,
    /// Of them, those delivered at the first attempt (same order and length as `recent`).
    pub at_once: u32,
    /// When the latest of them was created.
    pub latest_at: Option<Timestamp>,
    /// How it stands, in one word.
    #[serde(default)]
    pub status: HealthStatus,
    /// The first failure after its latest success.
    #[serde(default)]
    pub failing_since: Option<Timestamp>,
    /// Failures since its latest success; throttling answers do not count.
    #[serde(default)]
    pub failures_in_a_row: u32,
    /// Where it is probed: not before then.
    #[serde(default)]
    pub next_call_at: Option<Timestamp>,
    /// Deliveries that wait for it to be called again, counted up to [`HELD_MAX`].
    #[serde(default)]
    pub held: u32,
    /// From when on a further 410 disables it, where `confirm_gone` holds and the receiver has answered 410
    /// since its latest success.
    #[serde(default)]
    pub gone_from: Option<Timestamp>,
    /// When Postern or a person disabled it; null while it is enabled.
    #[serde(default)]
    pub disabled_at: Option<Timestamp>,
}

/// Deliveries that [`Health::held`] counts at most.
pub const HELD_MAX: u32 = 10_000;

/// How a webhook stands. What is said first holds: a disabled webhook that failed is disabled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// It takes no events.
    Disabled,
    /// It takes events; deliveries wait until somebody resumes it.
    Paused,
    /// It failed often: one call at a time, until one succeeds.
    Failing,
    /// Its receiver asked for fewer calls: one at a time, quicker with each success.
    Throttled,
    /// Called as usual.
    #[default]
    Healthy,
}

/// Deliveries that [`Health::recent`] holds at most.
pub const RECENT_MAX: u32 = 42;

/// `GET webhooks/{name}/secret`, and the answer to a rotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SecretView {
    /// `whsec_…` or `whsk_…`, or null where callbacks are not signed.
    pub secret: Option<String>,
    /// `whpk_…`, what receivers verify with; null for a `whsec_`, which is its own.
    #[serde(default)]
    pub public_key: Option<String>,
    /// Secrets that sign beside it for a while, the latest first. They are not shown.
    #[serde(default)]
    pub previous: Vec<PreviousSecretView>,
}

impl SecretView {
    /// The view of a plain secret and those before it that have not expired at `now`.
    #[must_use]
    pub fn from_secrets(secret: Option<String>, previous: &[RetiredSecret], now: Timestamp) -> Self {
        let public_key = secret
            .as_deref()
            .and_then(|text| Secret::parse(text).ok())
            .and_then(|secret| secret.public_key());
        let previous = previous.iter().filter(|retired| retired.expires_at > now);
        let previous =
            previous.map(|retired| PreviousSecretView { expires_at: retired.expires_at }).collect();
        Self { secret, public_key, previous }
    }
}

/// A secret that was replaced and still signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct PreviousSecretView {
    /// Until then.
    pub expires_at: Timestamp,
}
