//! Writing the document of a state.

use serde_json::{Map, Value, json};

use super::state::State;
use crate::change::{SET, chosen_fields, event_type_fields};
use crate::json;
use crate::webhook::Definition;

/// The document of a state.
#[must_use]
pub fn document(state: &State) -> Value {
    let event_types: Vec<Value> =
        state.event_types.iter().map(|kind| Value::Object(brief(event_type_fields(kind)))).collect();
    let webhooks: Vec<Value> =
        state.webhooks.iter().map(|(_version, webhook)| Value::Object(declared_fields(webhook))).collect();
    // Put together by hand: `json!` would write the numbers anew that somebody wrote in conditions, schemas
    // and examples.
    let sections = [
        ("settings", json::to_value(&state.settings)),
        ("event_types", event_types.into()),
        ("webhooks", webhooks.into()),
    ];
    Value::Object(sections.into_iter().map(|(name, section)| (String::from(name), section)).collect())
}

/// Without the fields that say nothing. An example may be anything, `false` and `""` too.
pub(super) fn brief(mut fields: Map<String, Value>) -> Map<String, Value> {
    fields.retain(|key, value| match key.as_str() {
        "description" => *value != json!(""),
        "archived" => *value != json!(false),
        _ => !value.is_null(),
    });
    fields
}

pub(super) fn declared_fields(webhook: &Definition) -> Map<String, Value> {
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
