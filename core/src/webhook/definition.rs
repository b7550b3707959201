//! The definition itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumString, IntoStaticStr, VariantArray};

use super::name::WebhookName;
use crate::condition::Condition;
use crate::filter::EventPattern;
use crate::time::Timestamp;
use crate::variants::spelled;

/// Seconds of an attempt if absent.
pub const TIMEOUT_DEFAULT_S: u32 = 10;

/// How a webhook's callbacks look and when one counts as delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[derive(EnumCount, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Contract {
    /// Standard Webhooks 1.0 (docs/wire.md D).
    Standard,
    /// UbiOps (docs/wire.md A).
    Ubiops,
    /// UP42 (docs/wire.md B).
    Up42,
}

spelled!(pub Contract, "The wire spelling.");

impl Contract {
    /// Whether failed attempts are repeated if absent: UbiOps documents that they are not
    /// (docs/wire.md A.3).
    #[must_use]
    pub const fn retries_by_default(self) -> bool {
        !matches!(self, Self::Ubiops)
    }
}

/// How many calls a webhook may get: at most `calls` start in any window of `per_s` seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RateLimit {
    /// 1 to [`RateLimit::CALLS_MAX`].
    pub calls: u32,
    /// Seconds, 1 to [`RateLimit::PER_S_MAX`].
    pub per_s: u32,
}

impl RateLimit {
    /// Calls of a window at most: the ledger remembers when each started, above 100 of them to a hundredth of
    /// the window.
    pub const CALLS_MAX: u32 = 10_000;
    /// Seconds of a window at most.
    pub const PER_S_MAX: u32 = 3_600;
}

/// A secret that was replaced, and signs beside the current one until it expires.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetiredSecret {
    /// As [`Definition::secret`]: plain straight from the caller, sealed in every store.
    pub secret: String,
    /// From then on it signs no more.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for RetiredSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RetiredSecret").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Which objects a webhook listens to. A part that is `None` matches anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ObjectFilter {
    /// Such as `deployment`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Such as `d1`.
    pub name: Option<String>,
    /// Such as `v1`.
    pub version: Option<String>,
}

/// A header that the owner of a webhook adds to its callbacks.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The name as given; compared without case.
    pub key: String,
    /// The value. Sealed text where `protected` and the definition comes from a store.
    pub value: String,
    /// Hidden on every read.
    pub protected: bool,
}

impl Header {
    /// Whether this header's protected value is the very one of `stored` (the definition before an update),
    /// and therefore sealed already. Nobody outside knows sealed text, so equal text was kept and not sent.
    #[must_use]
    pub fn is_kept_from(&self, stored: &[Self]) -> bool {
        stored.iter().any(|header| {
            header.protected && header.key.eq_ignore_ascii_case(&self.key) && header.value == self.value
        })
    }
}

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = if self.protected { "••••••••" } else { self.value.as_str() };
        f.debug_struct("Header")
            .field("key", &self.key)
            .field("value", &value)
            .field("protected", &self.protected)
            .finish()
    }
}

/// A webhook as its owner wants it. Serialisable for the stores; the wire shape is `api::WebhookView`.
///
/// `secret`, `previous_secrets` and protected header values are plain text straight after parsing and sealed
/// text in every store. Fields that came later are left out where they say nothing, so that what older
/// versions stored reads back.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each a field of the wire")]
pub struct Definition {
    /// Unique in its project.
    pub name: WebhookName,
    /// Where to call: checked by the egress policy, in its normalised form, without credentials.
    pub url: String,
    /// How callbacks look.
    pub contract: Contract,
    /// Which event types; never empty.
    pub events: Vec<EventPattern>,
    /// Which objects.
    pub object: ObjectFilter,
    /// Extra headers, in order.
    pub headers: Vec<Header>,
    /// At most 400 characters.
    pub description: String,
    /// For people and for the list filter.
    pub labels: BTreeMap<String, String>,
    /// Seconds for headers and body of one attempt, 1 to 30.
    pub timeout_s: u32,
    /// Events are matched and deliveries sent only while enabled.
    pub enabled: bool,
    /// Whether failed attempts are repeated on the schedule.
    pub retry: bool,
    /// Whether callbacks carry `result` (UbiOps).
    pub include_result: bool,
    /// Signing secret (`whsec_…` or `whsk_…`; any text for `up42`), if callbacks are signed.
    pub secret: Option<String>,
    /// Secrets that rotation replaced, the latest first, at most [`Self::PREVIOUS_SECRETS_MAX`]; some may
    /// have expired.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub previous_secrets: Vec<RetiredSecret>,
    /// Seconds before attempt 2, 3, …; empty is one attempt, `None` the project's schedule. `retry: false`
    /// wins over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_schedule_s: Option<Vec<u32>>,
    /// How many calls may start in a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// Calls under way at once at most, 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency_limit: Option<u32>,
    /// Whether deliveries whose events have the same `order_key` go one after the other, in the order of
    /// acceptance.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ordered: bool,
    /// What must hold of an event's data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Condition>,
    /// Labels that an event must carry, all of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub event_labels: BTreeMap<String, String>,
    /// Whether deliveries wait. Events are taken all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// Whether a 410 disables it only where the receiver says so again ([`crate::health::GONE_CONFIRM_MS`]).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirm_gone: bool,
}

impl Definition {
    /// Secrets that sign beside the current one at most.
    pub const PREVIOUS_SECRETS_MAX: usize = 5;

    /// A webhook of which only this is said: enabled, every object, no header, 10 s, unsigned, the contract's
    /// default for `retry`. Nothing is checked.
    #[must_use]
    pub fn new(
        name: WebhookName,
        url: impl Into<String>,
        contract: Contract,
        events: Vec<EventPattern>,
    ) -> Self {
        Self {
            name,
            url: url.into(),
            contract,
            events,
            object: ObjectFilter::default(),
            headers: Vec::new(),
            description: String::new(),
            labels: BTreeMap::new(),
            timeout_s: TIMEOUT_DEFAULT_S,
            enabled: true,
            retry: contract.retries_by_default(),
            include_result: false,
            secret: None,
            previous_secrets: Vec::new(),
            retry_schedule_s: None,
            rate_limit: None,
            concurrency_limit: None,
            ordered: false,
            filter: None,
            event_labels: BTreeMap::new(),
            paused: false,
            confirm_gone: false,
        }
    }

    /// Makes `secret` the current one. The one before signs beside it for `overlap_s` seconds more; what has
    /// expired, and the oldest beyond [`Self::PREVIOUS_SECRETS_MAX`], is dropped.
    ///
    /// Texts are moved, not read: plain or sealed, they stay as they are.
    pub fn rotate_secret(&mut self, secret: String, overlap_s: u32, now: Timestamp) {
        self.previous_secrets.retain(|retired| retired.expires_at > now);
        if let Some(replaced) = self.secret.replace(secret)
            && overlap_s > 0
        {
            let expires_at = now.plus_ms(i64::from(overlap_s) * 1_000);
            self.previous_secrets.insert(0, RetiredSecret { secret: replaced, expires_at });
        }
        self.previous_secrets.truncate(Self::PREVIOUS_SECRETS_MAX);
    }

    /// Every secret that signs at `now`: the current one first.
    pub fn signing_secrets(&self, now: Timestamp) -> impl Iterator<Item = &str> {
        let previous = self.previous_secrets.iter().filter(move |retired| retired.expires_at > now);
        self.secret.as_deref().into_iter().chain(previous.map(|retired| retired.secret.as_str()))
    }
}

impl std::fmt::Debug for Definition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Definition")
            .field("name", &self.name)
            .field("contract", &self.contract)
            .finish_non_exhaustive()
    }
}
