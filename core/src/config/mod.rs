//! A project's configuration as one JSON document, for people who keep it in git: settings, event types and webhooks.
//!
//! [`document()`] writes it, [`Request::parse`] reads a call that brings one, [`plan`] says what applying it would change.
//! A document says what shall be: a field that it leaves out has its default. A section that it leaves out is not touched, and
//! a thing that it does not name is only deleted where the call says `prune`.
//!
//! No secret stands in a document that Postern writes: a webhook's `secret` is `{"keep": true}`, a protected header has no
//! value, and both keep what is stored where the document is applied. Where there is no secret to keep one is made, and the plan says
//! so; a protected header without a value can't be made, and is a fault.

mod declare;
mod plan;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use self::plan::{Plan, Step, plan};
use crate::api::event::EventTypeView;
use crate::api::project::ProjectSettings;
use crate::change::{Changes, SET, chosen_fields, event_type_fields};
use crate::fault::{Fault, Fields, InputFault, parse_json};
use crate::json;
use crate::webhook::Definition;

/// Bytes of a call that brings a document, at most: more than a project can hold, so that an export comes back, with room for another
/// layout.
pub const CONFIG_BYTES_MAX: usize = PROJECT_BYTES_MAX + 2 * 1024 * 1024;
/// Values of a document, at most: read, each of them takes far more memory than it has bytes.
const VALUES_MAX: usize = 1_000_000;
/// Bytes of all definitions and entries of the catalogue of a project as they are stored, at most. An export is never longer than
/// this and its settings: it leaves out defaults and secrets.
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
    fn webhooks_by_name(&self) -> BTreeMap<&str, &Definition> {
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

/// The document of a state.
#[must_use]
pub fn document(state: &State) -> Value {
    let event_types: Vec<Value> =
        state.event_types.iter().map(|kind| Value::Object(brief(event_type_fields(kind)))).collect();
    let webhooks: Vec<Value> =
        state.webhooks.iter().map(|(_version, webhook)| Value::Object(declared_fields(webhook))).collect();
    // Put together by hand: `json!` would write the numbers anew that somebody wrote in conditions, schemas and examples.
    let sections = [
        ("settings", json::of(&state.settings)),
        ("event_types", event_types.into()),
        ("webhooks", webhooks.into()),
    ];
    Value::Object(sections.into_iter().map(|(name, section)| (String::from(name), section)).collect())
}

/// Without the fields that say nothing. An example may be anything, `false` and `""` too.
fn brief(mut fields: Map<String, Value>) -> Map<String, Value> {
    fields.retain(|key, value| match key.as_str() {
        "description" => *value != json!(""),
        "archived" => *value != json!(false),
        _ => !value.is_null(),
    });
    fields
}

fn declared_fields(webhook: &Definition) -> Map<String, Value> {
    let mut fields = chosen_fields(webhook);
    for header in fields.get_mut("headers").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(header) = header.as_object_mut()
            && header.get("protected") == Some(&Value::Bool(true))
            && header.get("value").and_then(Value::as_str) == Some(SET)
        {
            header.remove("value");
        }
    }
    let secret = if webhook.secret.is_some() { json!({ "keep": true }) } else { Value::Null };
    fields.insert(String::from("secret"), secret);
    fields
}

/// The body of `POST config/plan` and `POST config/apply`.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What shall be; read where the project's state is known.
    pub document: Value,
    /// Whether things that the document does not name are deleted.
    pub prune: bool,
    /// [`State::digest`] of the state that the document was planned against; nothing is applied to another.
    pub expect: Option<String>,
}

impl Request {
    /// Reads `{"document", "prune"?, "expect"?}`.
    ///
    /// # Errors
    /// Not JSON, or every bad field of the call itself.
    pub fn parse(body: &str) -> Result<Self, InputFault> {
        // At least as many as there are values; marks inside texts count as well.
        let values = body.bytes().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count();
        if values > VALUES_MAX {
            return Err(Fault::new(
                "",
                format!("must hold at most {VALUES_MAX} values, this may hold {values}"),
            )
            .into());
        }
        let body = parse_json(body)?;
        let mut fields = Fields::of(&body, "")?;
        let document = fields.any("document");
        if document.is_none() {
            fields.fault("document", "is required");
        }
        let prune = fields.flag("prune");
        let prune = fields.not_null("prune", prune).value().unwrap_or(false);
        let expect = fields.text("expect").value().map(String::from);
        let faults = fields.finish();
        match document {
            Some(document) if faults.is_empty() => Ok(Self { document: document.clone(), prune, expect }),
            _ => Err(faults.into()),
        }
    }
}

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
    /// What else there is to know: a secret that is made because there is none to keep.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Answer to `POST config/plan` and `POST config/apply`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct PlanView {
    /// Stands for the state that the plan is made for, for `expect`; of an applied one, for the state that it made.
    pub base: String,
    /// What would change, or did.
    pub changes: Vec<PlannedChange>,
    /// The same as lines for people.
    pub text: String,
}
