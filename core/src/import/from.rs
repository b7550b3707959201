//! The systems whose listings are understood.

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumString, IntoStaticStr, VariantArray};

use crate::variants::spelled;

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

spelled!(pub From, "The wire spelling.");
