//! Projects.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;
use crate::webhook::ProjectName;

/// An entry of the list of projects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectView {
    /// Its name.
    pub name: ProjectName,
    /// When it was created.
    pub created_at: Timestamp,
}

/// One project with what a person wants to know first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectDetail {
    /// Its name.
    pub name: ProjectName,
    /// When it was created.
    pub created_at: Timestamp,
    /// How much is in it.
    pub counts: ProjectCounts,
}

/// How much is in a project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct ProjectCreated {
    /// The project.
    pub project: ProjectView,
    /// A `manage` token.
    pub token: String,
}
