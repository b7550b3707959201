//! A run's callbacks: what they are about, and where one stands.

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumString, IntoStaticStr, VariantArray};

use super::target::{Target, Webhooks};
use crate::credential::masked_url;
use crate::variants::spelled;

/// What a run is called about, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[derive(EnumCount, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum CallbackKind {
    /// A GET of `finished` before the run is offered to anybody.
    ProbeFinished,
    /// The same of `update`, once that of `finished` has passed.
    ProbeUpdate,
    /// A POST of how far the run is.
    Update,
    /// A POST of its end.
    Finished,
}

spelled!(pub CallbackKind, "The wire spelling.");

impl CallbackKind {
    /// Whether it only looks whether somebody is there.
    #[must_use]
    pub const fn is_probe(self) -> bool {
        matches!(self, Self::ProbeFinished | Self::ProbeUpdate)
    }

    /// The field of `webhooks` that holds its address.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::ProbeFinished | Self::Finished => "finished",
            Self::ProbeUpdate | Self::Update => "update",
        }
    }

    /// Its address.
    #[must_use]
    pub const fn target(self, webhooks: &Webhooks) -> Option<&Target> {
        match self {
            Self::ProbeFinished | Self::Finished => Some(&webhooks.finished),
            Self::ProbeUpdate | Self::Update => webhooks.update.as_ref(),
        }
    }
}

/// What a run says one of whose addresses did not answer its probe with 200 (docs/wire.md C.4). Credentials
/// in the query are masked.
#[must_use]
pub fn not_accessible(field: &str, url: &str) -> String {
    format!("The {field} webhook URL {} can not be accessed.", masked_url(url))
}

/// Where a callback of a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[derive(EnumCount, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum CallbackState {
    /// Due, or waiting for its time.
    Waiting,
    /// Being made.
    Leased,
    /// The receiver took it.
    Delivered,
    /// Given up.
    Failed,
    /// The run was terminated before it was made.
    Cancelled,
}

spelled!(pub CallbackState, "The wire spelling.");

impl CallbackState {
    /// Whether a call is to be made, or is being made.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Leased)
    }
}
