//! Who asks a project.

use postern_core::admin::UNNAMED;
use postern_core::api::audit::Actor;
use serde::{Deserialize, Serialize};

/// Who asks. The object trusts this: only the Worker can reach it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Caller {
    /// Holds `ADMIN_TOKEN` (compared in the Worker).
    Admin,
    /// Holds the token of this administrator (`ADMIN_TOKENS`, compared in the Worker).
    NamedAdmin(String),
    /// Holds a token with this SHA-256 that names this project. Whether the project knows it is the object's
    /// to say.
    Token(String),
    /// Postern itself: dispatcher, queue consumers, cron, and whatever calls an inbox.
    Postern,
}

impl Caller {
    /// Whether it is an administrator, whom no project need know.
    pub(crate) const fn is_admin(&self) -> bool {
        matches!(self, Self::Admin | Self::NamedAdmin(_))
    }

    /// The administrator of this name.
    pub(crate) fn admin(name: &str) -> Self {
        if name == UNNAMED { Self::Admin } else { Self::NamedAdmin(String::from(name)) }
    }

    /// Who acts, for the audit log; a token is known to its project only.
    pub(crate) fn actor(&self) -> Option<Actor> {
        match self {
            Self::Admin => Some(Actor::admin()),
            Self::NamedAdmin(name) => Some(Actor::named_admin(name)),
            Self::Postern => Some(Actor::postern()),
            Self::Token(_) => None,
        }
    }
}
