//! From the parts of a document to what they declare.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::document::{brief, declared_fields};
use super::state::State;
use crate::api::event::EventTypeView;
use crate::api::project::ProjectSettings;
use crate::budget::{Budget, REQUEST_STEPS_MAX};
use crate::change::event_type_fields;
use crate::credential::is_credential;
use crate::egress::Policy;
use crate::event::{EventTypeDraft, event_type_at};
use crate::fault::{Fault, Faults, Fields};
use crate::filter::EventPattern;
use crate::project;
use crate::webhook::parse::{self, SecretChoice};
use crate::webhook::{Contract, Definition, TIMEOUT_DEFAULT_S, WebhookName};

/// What a document says. A section that it leaves out is `None`.
pub(super) struct Declared {
    pub(super) settings: Option<ProjectSettings>,
    pub(super) event_types: Option<Vec<EventTypeDraft>>,
    pub(super) webhooks: Option<Vec<(Definition, SecretChoice)>>,
}

/// Reads a document that stands at `/document`.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn read(document: &Value, state: &State, policy: &Policy) -> Result<Declared, Faults> {
    let mut fields = Fields::from_value(document, "/document")?;
    // Null is refused: it could mean "remove all" as well as "leave alone".
    let sent = fields.object("settings");
    let settings = fields.not_null("settings", sent).value().map(|map| settings(&mut fields, map));
    let sent = fields.list("event_types");
    let items = fields.not_null("event_types", sent).value();
    // One for all: a document may hold a thousand types.
    let budget = Budget::new(REQUEST_STEPS_MAX);
    let event_type = |item: &Value, pointer: &str| {
        event_type_at(item, pointer, &budget).or_else(|faults| {
            let name = item.get("name");
            let known = state.event_types.iter().find(|kind| name.is_some_and(|name| *name == kind.name));
            let known = known.filter(|kind| is_as_exported(item, &brief(event_type_fields(kind))));
            known.map(|kind| draft_of(kind.clone())).ok_or(faults)
        })
    };
    let event_types =
        items.map(|items| each(&mut fields, "event_types", items, event_type, |kind| kind.name.as_str()));
    let sent = fields.list("webhooks");
    let items = fields.not_null("webhooks", sent).value();
    let known = state.webhooks_by_name();
    let webhook = |item: &Value, pointer: &str| {
        webhook(item, pointer, &known, policy).or_else(|faults| {
            let known = item.get("name").and_then(Value::as_str).and_then(|name| known.get(name));
            let known = known.filter(|webhook| is_as_exported(item, &declared_fields(webhook)));
            known.map(|webhook| ((*webhook).clone(), SecretChoice::Given)).ok_or(faults)
        })
    };
    let webhooks = items.map(|items| {
        each(&mut fields, "webhooks", items, webhook, |(webhook, _choice)| webhook.name.as_str())
    });
    let faults = fields.finish();
    if faults.is_empty() { Ok(Declared { settings, event_types, webhooks }) } else { Err(faults) }
}

/// The draft that a view was made of: an example may have megabytes, and is not copied.
pub(super) fn draft_of(view: EventTypeView) -> EventTypeDraft {
    let EventTypeView { name, description, example, schema, archived, version: _, created_at: _ } = view;
    EventTypeDraft { name, description, example, schema, archived }
}

/// Whether an item is what an export says of the thing that is stored: it stays as it is then, although a
/// rule that is newer than it may refuse it.
fn is_as_exported(item: &Value, exported: &Map<String, Value>) -> bool {
    item.as_object() == Some(exported)
}

fn settings(fields: &mut Fields<'_>, map: &Map<String, Value>) -> ProjectSettings {
    match project::settings_at(map, &fields.pointer_of("settings")) {
        Ok(patch) => patch.apply(ProjectSettings::default()),
        Err(faults) => {
            fields.absorb(faults);
            ProjectSettings::default()
        }
    }
}

/// Reads the items of a list, whose names must differ.
fn each<T>(
    fields: &mut Fields<'_>,
    key: &'static str,
    items: &[Value],
    read: impl Fn(&Value, &str) -> Result<T, Faults>,
    name: impl Fn(&T) -> &str,
) -> Vec<T> {
    let mut declared: Vec<T> = Vec::with_capacity(items.len());
    let mut names = BTreeSet::new();
    let at = fields.pointer_of(key);
    fields.each_of(items, |fields, index, item| match read(item, &format!("{at}/{index}")) {
        Ok(found) => {
            if names.insert(String::from(name(&found))) {
                declared.push(found);
            } else {
                fields.fault_below(&format!("{key}/{index}/name"), "is named twice");
            }
        }
        Err(faults) => fields.absorb(faults),
    });
    declared
}

/// What an item of `webhooks` declares: a change of a blank webhook that has only what may be kept.
fn webhook(
    item: &Value,
    pointer: &str,
    known: &BTreeMap<&str, &Definition>,
    policy: &Policy,
) -> Result<(Definition, SecretChoice), Faults> {
    let Value::Object(sent) = item else {
        return Err(Fault::new(pointer, "must be a JSON object").into());
    };
    let mut patch = sent.clone();
    mark_credentials(&mut patch);
    let mut faults = Faults::default();
    for key in ["name", "url", "events"] {
        if !sent.contains_key(key) {
            faults.push(Fault::new(format!("/{key}"), "is required"));
        }
    }
    let name = sent.get("name").and_then(Value::as_str).and_then(WebhookName::parse);
    let current = name.as_ref().and_then(|name| known.get(name.as_str()).copied());
    let says_keep = sent.get("secret").is_some_and(|secret| *secret == json!({ "keep": true }));
    let is_silent = !sent.contains_key("secret");
    if says_keep {
        patch.remove("secret");
    }
    let contract =
        sent.get("contract").and_then(Value::as_str).and_then(Contract::parse).unwrap_or(Contract::Standard);
    patch.entry("contract").or_insert_with(|| Value::from(contract.as_str()));
    let Some(mut blank) = blank(name, contract) else {
        return Err(Fault::new(pointer, "can't be read").into());
    };
    if let Some(current) = current {
        // What the patch does not name is kept from here. It names all of its headers.
        blank.contract = current.contract;
        blank.secret.clone_from(&current.secret);
        blank.previous_secrets.clone_from(&current.previous_secrets);
        if sent.contains_key("headers") {
            blank.headers.clone_from(&current.headers);
        }
    }
    let declared = match parse::update(&blank, &Value::Object(patch), policy) {
        Ok(declared) => Some(declared),
        Err(more) => {
            faults.absorb(more);
            None
        }
    };
    match declared {
        Some(declared) if faults.is_empty() => {
            // `keep` asks for a webhook that signs, whatever its contract; if absent, a new webhook's default
            // holds.
            let is_default = is_silent && current.is_none() && declared.contract == Contract::Standard;
            let generates = declared.secret.is_none() && (says_keep || is_default);
            Ok((declared, if generates { SecretChoice::Generate } else { SecretChoice::Given }))
        }
        _ => Err(faults.map(|fault| Fault::new(format!("{pointer}{}", fault.pointer), fault.detail))),
    }
}

/// Writes down the default of `protected` where the document names a value: what is stored plays no part in
/// it.
fn mark_credentials(webhook: &mut Map<String, Value>) {
    let headers = webhook.get_mut("headers").and_then(Value::as_array_mut);
    for header in headers.into_iter().flatten().filter_map(Value::as_object_mut) {
        if let Some(value) = header.get("value").and_then(Value::as_str)
            && let Some(key) = header.get("key").and_then(Value::as_str)
        {
            let is_credential = is_credential(key, value);
            header.entry("protected").or_insert_with(|| Value::from(is_credential));
        }
    }
}

/// A webhook that says nothing: every field has its default.
fn blank(name: Option<WebhookName>, contract: Contract) -> Option<Definition> {
    let name = name.or_else(|| WebhookName::parse("webhook"))?;
    let blank = Definition::new(name, "https://example.com/", contract, vec![EventPattern::parse("*")?]);
    debug_assert_eq!(blank.timeout_s, TIMEOUT_DEFAULT_S);
    Some(blank)
}
