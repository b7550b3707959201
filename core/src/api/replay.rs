//! Replays: sending again what was sent before, or what never was, in the background.

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumString, IntoStaticStr, VariantArray};

use crate::replay::ReplayQuery;
use crate::time::Timestamp;
use crate::variants::spelled;

/// Deliveries or events to look at that are counted at most when a replay is asked for.
pub const COUNTED_MAX: u32 = 1_000_000;
/// Deliveries that a dry run looks at, at most.
pub const LOOKED_MAX: u32 = 100_000;

/// Where a replay stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[derive(EnumCount, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum ReplayState {
    /// At work.
    Running,
    /// Everything was looked at.
    Done,
    /// Somebody stopped it; what it did stays.
    Cancelled,
}

spelled!(pub ReplayState, "The wire spelling.");

/// A replay as read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ReplayView {
    /// `rpl_…`
    pub id: String,
    /// Where it stands.
    pub state: ReplayState,
    /// What it replays.
    pub query: ReplayQuery,
    /// Deliveries or events that it has to look at, counted when it was asked for, up to [`COUNTED_MAX`].
    pub total: u32,
    /// Those it has looked at.
    pub scanned: u32,
    /// Deliveries it has made due.
    pub replayed: u32,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was done or cancelled.
    pub ended_at: Option<Timestamp>,
}

/// Answer to a dry run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ReplayCount {
    /// Always true.
    pub dry_run: bool,
    /// Deliveries that would be made due.
    pub count: u32,
    /// Whether counting stopped early, so that there may be more: it looks at [`LOOKED_MAX`] deliveries, or
    /// at 20,000 events.
    pub capped: bool,
}

impl ReplayCount {
    /// The answer for exactly so many.
    #[must_use]
    pub const fn exactly(count: u32) -> Self {
        Self { dry_run: true, count, capped: false }
    }

    /// The answer for so many, where counting stopped.
    #[must_use]
    pub const fn at_least(count: u32) -> Self {
        Self { dry_run: true, count, capped: true }
    }
}
