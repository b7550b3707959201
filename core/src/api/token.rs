//! Tokens.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;
use crate::token::Role;
use crate::webhook::ProjectName;

/// A token as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TokenView {
    /// `tok_…`
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was created.
    pub created_at: Timestamp,
    /// From then on it opens nothing; null: never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute; null: not yet.
    #[serde(default)]
    pub last_used_at: Option<Timestamp>,
}

/// Whose token a call shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TokenIdentity {
    /// The project that it is for; null for `ADMIN_TOKEN`, which is for all of them.
    pub project: Option<ProjectName>,
    /// `tok_…`; null for `ADMIN_TOKEN`.
    pub id: Option<String>,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// From then on it opens nothing; null: never.
    pub expires_at: Option<Timestamp>,
}

/// Answer to the creation: the only time the secret is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TokenCreated {
    /// The token.
    pub token: TokenView,
    /// `pst_…`
    pub secret: String,
}
