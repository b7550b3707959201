//! A webhook as UP42 shows it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::api::webhook::WebhookView;
use crate::id::Kind;
use crate::time::Timestamp;
use crate::webhook::ProjectName;

/// A webhook as UP42 shows it. Every field is always there: the SDK up to 1.0.3 fails on a missing one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// A bare UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where to call.
    pub url: String,
    /// Event types.
    pub events: Vec<String>,
    /// Whether it takes events.
    pub active: bool,
    /// In clear, because the SDK writes back what it reads (docs/wire.md B.3); `""` if it has no secret, null
    /// if the caller may not know it.
    pub secret: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Webhook {
    /// The UP42 face of a webhook, with its plain secret if the caller may know it.
    #[must_use]
    pub fn from_view(webhook: &WebhookView, secret: Secrecy) -> Self {
        Self {
            id: String::from(webhook.id.strip_prefix(Kind::Webhook.prefix()).unwrap_or(&webhook.id)),
            name: webhook.name.clone(),
            url: webhook.url.clone(),
            events: webhook.events.clone(),
            active: webhook.enabled,
            secret: match secret {
                Secrecy::Hidden => None,
                Secrecy::Open(secret) => Some(secret.unwrap_or_default()),
            },
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
        }
    }
}

/// What a caller may know of a secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Secrecy {
    /// Nothing, not even whether there is one.
    Hidden,
    /// All: the secret in clear, or that the webhook has no secret.
    Open(Option<String>),
}

impl std::fmt::Debug for Secrecy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if *self == Self::Hidden { "Hidden" } else { "Open" })
    }
}

/// The public id of the webhook that UP42 calls so.
#[must_use]
pub fn webhook_id(uuid: &str) -> String {
    format!("{}{uuid}", Kind::Webhook.prefix())
}

/// The UUID of a project's workspace: always the same one for a name (RFC 9562 version 8: bits of a digest).
#[must_use]
pub fn workspace_id(project: &ProjectName) -> String {
    let digest = Sha256::digest(format!("postern/up42/workspace/{}", project.as_str()).as_bytes());
    let mut hex = String::with_capacity(36);
    for (index, byte) in digest.iter().take(16).enumerate() {
        let byte = match index {
            6 => byte & 0x0f | 0x80,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        if matches!(index, 4 | 6 | 8 | 10) {
            hex.push('-');
        }
        let _never_fails = write!(hex, "{byte:02x}");
    }
    hex
}
