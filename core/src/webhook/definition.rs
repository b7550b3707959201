//! The definition itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::WebhookName;
use crate::filter::EventPattern;

/// How a webhook's callbacks look and when one counts as delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Contract {
    /// Standard Webhooks 1.0 (PEERS 6).
    Standard,
    /// UbiOps (WIRE A).
    Ubiops,
}

impl Contract {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Standard, Self::Ubiops];

    /// The wire spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Ubiops => "ubiops",
        }
    }
}

/// Which objects a webhook listens to. A part that is `None` matches anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Whether this header's protected value is the very one of `stored` (the definition before an update), and
    /// therefore sealed already. Nobody outside knows sealed text, so equal text was kept and not sent.
    #[must_use]
    pub fn is_kept_from(&self, stored: &[Self]) -> bool {
        stored.iter().any(|header| header.protected && header.key.eq_ignore_ascii_case(&self.key) && header.value == self.value)
    }
}

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = if self.protected { "••••••••" } else { self.value.as_str() };
        f.debug_struct("Header").field("key", &self.key).field("value", &value).field("protected", &self.protected).finish()
    }
}

/// A webhook as its owner wants it. Serialisable for the stores; the wire shape is `api::WebhookView`.
///
/// `secret` and protected header values are plain text straight after parsing and sealed text in every store.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Signing secret (`whsec_…`), if callbacks are signed.
    pub secret: Option<String>,
}

impl std::fmt::Debug for Definition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Definition").field("name", &self.name).field("contract", &self.contract).finish_non_exhaustive()
    }
}
