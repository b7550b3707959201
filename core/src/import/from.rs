//! The systems whose listings are understood.

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumString, IntoStaticStr, VariantArray};

use crate::variants;

/// Whose listing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(EnumCount, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
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
    pub const ALL: [Self; Self::COUNT] = variants::array(Self::VARIANTS);

    /// The wire spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// Reads the wire spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}
