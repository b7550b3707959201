//! What a project holds.

use std::collections::BTreeMap;

use serde_json::json;

use crate::api::event::EventTypeView;
use crate::api::project::ProjectSettings;
use crate::webhook::Definition;

/// Bytes of all definitions and entries of the catalogue of a project as they are stored, at most. An export
/// is never longer than this and its settings: it leaves out defaults and secrets.
pub const PROJECT_BYTES_MAX: usize = 6 * 1024 * 1024;

/// What a project holds. Definitions are plain.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The settings.
    pub settings: ProjectSettings,
    /// The catalogue, by name.
    pub event_types: Vec<EventTypeView>,
    /// The webhooks, by name, with their versions.
    pub webhooks: Vec<(u32, Definition)>,
}

impl State {
    /// The definitions, to be looked up: a document may name ten thousand.
    pub(super) fn webhooks_by_name(&self) -> BTreeMap<&str, &Definition> {
        self.webhooks.iter().map(|(_version, webhook)| (webhook.name.as_str(), webhook)).collect()
    }

    /// Stands for this very state: another one has another digest.
    #[must_use]
    pub fn digest(&self) -> String {
        let types: Vec<(&str, u32)> =
            self.event_types.iter().map(|kind| (kind.name.as_str(), kind.version)).collect();
        let webhooks: Vec<(&str, u32)> =
            self.webhooks.iter().map(|(version, webhook)| (webhook.name.as_str(), *version)).collect();
        crate::token::hash(&json!([self.settings, types, webhooks]).to_string())
    }
}
