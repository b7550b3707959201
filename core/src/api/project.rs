//! Projects.

use serde::{Deserialize, Serialize};

use crate::quota::QuotaUse;
use crate::time::Timestamp;
use crate::webhook::ProjectName;

/// An entry of the list of projects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ProjectView {
    /// Its name.
    pub name: ProjectName,
    /// When it was created.
    pub created_at: Timestamp,
}

/// One project with what a person wants to know first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ProjectDetail {
    /// Its name.
    pub name: ProjectName,
    /// When it was created.
    pub created_at: Timestamp,
    /// How much is in it.
    pub counts: ProjectCounts,
    /// What holds where a webhook says nothing.
    #[serde(default)]
    pub settings: ProjectSettings,
    /// The sealing key (its id) that every webhook's secrets are known to be under; null until somebody
    /// looked. Older keys are no longer needed for them.
    #[serde(default)]
    pub sealed_under: Option<String>,
    /// Every quota, with what is used of it.
    #[serde(default)]
    pub quotas: Vec<QuotaUse>,
    /// Whether the project came to 80 % of its stored bytes (`postern.project.full`) and has not fallen below
    /// 70 % since.
    #[serde(default)]
    pub full: bool,
    /// What was given up before its retention was over, because the store had filled to 70 %; null where
    /// nothing is missed that the retention would have kept.
    #[serde(default)]
    pub aged: Option<Aged>,
}

/// What a project gave up before its retention was over. What is open, and what ended within the last hour,
/// is never given up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Aged {
    /// Of ended deliveries that were created before then, the bodies of answers are gone, but for short ones;
    /// null: all are there.
    pub answers_kept_since: Option<Timestamp>,
    /// Ended deliveries and events that were created before then are gone; null: all are there.
    pub kept_since: Option<Timestamp>,
    /// Deliveries whose answers were given up.
    pub answers: u64,
    /// Deliveries that were given up.
    pub deliveries: u64,
    /// Events that were given up.
    pub events: u64,
}

/// What holds for all of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ProjectSettings {
    /// Seconds before attempt 2, 3, … of webhooks without a schedule of their own; null is Postern's default.
    pub retry_schedule_s: Option<Vec<u32>>,
    /// Days that ended deliveries and their events are kept, 1 to [`RETENTION_DAYS_MAX`].
    pub retention_days: u32,
    /// What actinia's clients are told that there is (`GET locations`); empty: the project itself. Any other
    /// is taken as well.
    pub actinia_locations: Vec<String>,
}

impl Default for ProjectSettings {
    fn default() -> Self {
        Self { retry_schedule_s: None, retention_days: RETENTION_DAYS_DEFAULT, actinia_locations: Vec::new() }
    }
}

/// Days that things are kept by default.
pub const RETENTION_DAYS_DEFAULT: u32 = 30;
/// Days that things are kept at most.
pub const RETENTION_DAYS_MAX: u32 = 365;

/// How much is in a project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ProjectCounts {
    /// Webhooks.
    pub webhooks: u32,
    /// Inboxes.
    pub inboxes: u32,
    /// Deliveries that are pending, leased or waiting (counted up to 10,000).
    pub open: u32,
}

/// Answer to the creation: the only time the token is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ProjectCreated {
    /// The project.
    pub project: ProjectView,
    /// A `manage` token.
    pub token: String,
}
