//! UbiOps' objects: what a client reads.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::api::test::{TestStatus, TestView};
use crate::api::webhook::{HeaderView, WebhookView};
use crate::time::Timestamp;

/// A webhook as UbiOps shows it (docs/wire.md A.3): every field its client knows. A hidden header value is
/// `null`, never `""`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// A bare UUID.
    pub id: String,
    /// Unique in the project.
    pub name: String,
    /// Where to call.
    pub url: String,
    /// `deployment` or `pipeline`.
    pub object_type: Option<String>,
    /// The object's name.
    pub object_name: Option<String>,
    /// The object's version; null for any.
    pub version: Option<String>,
    /// The event (a webhook that was made natively may have more: the first).
    pub event: String,
    /// Extra headers.
    pub headers: Vec<HeaderView>,
    /// At most 400 characters.
    pub description: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Seconds.
    pub timeout: u32,
    /// Whether it takes events.
    pub enabled: bool,
    /// Whether failed calls are repeated.
    pub retry: bool,
    /// Whether callbacks carry `result`.
    pub include_result: bool,
    /// When it was created.
    pub creation_date: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
}

impl Detail {
    /// The UbiOps face of a webhook.
    #[must_use]
    pub fn from_view(webhook: &WebhookView) -> Self {
        let shown = |header: &HeaderView| HeaderView {
            value: header.value.clone().filter(|value| !header.protected && !value.is_empty()),
            ..header.clone()
        };
        Self {
            id: bare_uuid(&webhook.id),
            name: webhook.name.clone(),
            url: webhook.url.clone(),
            object_type: webhook.object.kind.clone(),
            object_name: webhook.object.name.clone(),
            version: webhook.object.version.clone(),
            event: webhook.events.first().cloned().unwrap_or_default(),
            headers: webhook.headers.iter().map(shown).collect(),
            description: webhook.description.clone(),
            labels: webhook.labels.clone(),
            timeout: webhook.timeout_s,
            enabled: webhook.enabled,
            retry: webhook.retry,
            include_result: webhook.include_result,
            creation_date: webhook.created_at,
            last_updated: webhook.updated_at,
        }
    }
}

/// A test as UbiOps shows it (docs/wire.md A.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TestDetail {
    /// A bare UUID.
    pub id: String,
    /// `pending`, `completed` or `failed`.
    pub status: TestStatus,
    /// Why it failed.
    pub error_message: Option<String>,
}

impl TestDetail {
    /// The UbiOps face of a test.
    #[must_use]
    pub fn from_view(test: &TestView) -> Self {
        Self { id: bare_uuid(&test.id), status: test.status, error_message: test.error_message.clone() }
    }
}

/// A public id without its prefix.
fn bare_uuid(id: &str) -> String {
    String::from(id.split_once('_').map_or(id, |(_, uuid)| uuid))
}
