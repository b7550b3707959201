//! The systems whose listings are understood.

use serde::{Deserialize, Serialize};

/// Whose listing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum From {
    /// Svix: `GET /api/v1/app/{app}/endpoint`.
    Svix,
    /// Convoy: endpoints, or subscriptions, of a project.
    Convoy,
    /// Hook0: `GET /api/v1/subscriptions`.
    Hook0,
    /// UbiOps: `GET /projects/{project}/webhooks`.
    Ubiops,
    /// UP42: `GET /workspaces/{workspace}/webhooks`.
    Up42,
    /// actinia: process chains with `webhooks`, or such objects alone.
    Actinia,
}

impl From {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Svix, Self::Convoy, Self::Hook0, Self::Ubiops, Self::Up42, Self::Actinia];

    /// The wire spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Svix => "svix",
            Self::Convoy => "convoy",
            Self::Hook0 => "hook0",
            Self::Ubiops => "ubiops",
            Self::Up42 => "up42",
            Self::Actinia => "actinia",
        }
    }

    /// Reads the wire spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|from| from.as_str() == text)
    }
}
