//! The answer to such a call: what would change, or did.

use serde::{Deserialize, Serialize};

use crate::change::Changes;

/// What is done to a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "PlanAction"))]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It comes.
    Create,
    /// It changes.
    Update,
    /// It goes.
    Delete,
}

/// What a configuration is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "PlanKind"))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The project's settings.
    Settings,
    /// An event type.
    EventType,
    /// A webhook.
    Webhook,
}

/// One change of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct PlannedChange {
    /// What is done.
    pub action: Action,
    /// To what kind of thing.
    pub kind: Kind,
    /// Its name; empty for the settings.
    pub name: String,
    /// The difference, field by field; secrets are only said to be `set` or `changed`.
    pub fields: Changes,
    /// What else there is to know: that a secret is made because there is no stored one to keep.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Answer to `POST config/plan` and `POST config/apply`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct PlanView {
    /// Stands for the state that the plan is made for, for `expect`; of an applied one, for the state that it
    /// made.
    pub base: String,
    /// What would change, or did.
    pub changes: Vec<PlannedChange>,
    /// The same as lines for people.
    pub text: String,
}
