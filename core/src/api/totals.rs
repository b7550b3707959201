//! What a person wants to know first of a project, counted.
//!
//! Each total says of which time it is, and which list holds exactly what it counted.

use serde::{Deserialize, Serialize};

use super::delivery::StateCounts;
use crate::delivery::State;
use crate::search::DeliveryFilter;
use crate::time::Timestamp;

/// Answer to `GET totals`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TotalsView {
    /// What is counted of a time was made before then.
    pub until: Timestamp,
    /// Where the deliveries of the time stand. Success is `delivered` of all of them.
    pub made: MadeTotal,
    /// Those of the time that were given up.
    pub dead: DeadTotal,
    /// Those that have not ended, whenever they were made.
    pub open: OpenTotal,
    /// The webhooks, as they are now.
    pub webhooks: WebhookTotal,
}

/// The deliveries that were made in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct MadeTotal {
    /// They were made at this time or later: what was asked for, or a later time where there were too many to
    /// look at all of them.
    pub since: Timestamp,
    /// How many stand where.
    #[serde(flatten)]
    pub counts: StateCounts,
}

/// The deliveries that were made in a time and given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct DeadTotal {
    /// They were made at this time or later: what was asked for, or a later time where there were too many to
    /// look at all of them.
    pub since: Timestamp,
    /// How many there are.
    pub count: u32,
}

/// The deliveries that have not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct OpenTotal {
    /// So many were counted.
    pub count: u32,
    /// Whether these are all; else there are at least `count`.
    pub exact: bool,
    /// When the oldest of them was made; null where there is none, and where not all were counted.
    pub oldest_at: Option<Timestamp>,
}

/// The webhooks of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct WebhookTotal {
    /// Those that fail, or were disabled by Postern: what `GET webhooks?state=down` lists.
    pub down: u32,
    /// All of them.
    pub all: u32,
}

impl TotalsView {
    /// Which list holds the deliveries that were delivered.
    #[must_use]
    pub fn delivered_filter(&self) -> DeliveryFilter {
        self.filter(State::Delivered, self.made.since)
    }

    /// Which list holds those that were given up.
    #[must_use]
    pub fn dead_filter(&self) -> DeliveryFilter {
        self.filter(State::Dead, self.dead.since)
    }

    fn filter(&self, state: State, since: Timestamp) -> DeliveryFilter {
        DeliveryFilter {
            state: Some(state),
            since: Some(since),
            until: Some(self.until),
            ..DeliveryFilter::default()
        }
    }
}
