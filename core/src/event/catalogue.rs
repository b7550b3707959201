//! Entries of a project's catalogue of event types.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kind::{TYPE_RULE, is_event_type};
use crate::budget::Budget;
use crate::fault::{self, Fault, Faults, Fields, Sent};
use crate::json;
use crate::json_schema::Schema;

/// Characters of the description of an event type at most.
pub const EVENT_TYPE_DESCRIPTION_CHARS_MAX: usize = 400;

/// An entry of the project's catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventTypeDraft {
    /// The event type.
    pub name: String,
    /// At most 400 characters.
    pub description: String,
    /// An example of `data`; it fits the schema.
    #[serde(default, deserialize_with = "json::written_or_none")]
    pub example: Option<Value>,
    /// What `data` must be; [`Schema::parse`] takes it.
    #[serde(default, deserialize_with = "json::written_or_none")]
    pub schema: Option<Value>,
    /// Whether it is no longer offered to people.
    #[serde(default)]
    pub archived: bool,
}

impl EventTypeDraft {
    /// A type of which only the name is known.
    #[must_use]
    pub const fn new(name: String) -> Self {
        Self { name, description: String::new(), example: None, schema: None, archived: false }
    }
}

/// Parses the body of `POST event-types`.
///
/// # Errors
/// Every bad field; every keyword of the schema that would not be checked; an example that does not fit the
/// schema.
pub fn parse_event_type(body: &Value) -> Result<EventTypeDraft, Faults> {
    event_type_at(body, "", &Budget::of_event())
}

/// The same for a draft that stands at `pointer` of the input; its example is compared with its schema for
/// what is left of `budget`.
///
/// # Errors
/// See [`parse_event_type`].
pub fn event_type_at(body: &Value, pointer: &str, budget: &Budget) -> Result<EventTypeDraft, Faults> {
    let mut fields = Fields::from_value(body, pointer)?;
    let name = fields.text("name");
    let name = fields.required("name", name);
    if let Some(name) = name
        && !is_event_type(name)
    {
        fields.fault("name", TYPE_RULE);
    }
    let mut draft = EventTypeDraft::new(name.map(String::from).unwrap_or_default());
    read_event_type(&mut fields, &mut draft, budget);
    let faults = fields.finish();
    if faults.is_empty() { Ok(draft) } else { Err(faults) }
}

/// Applies the body of `PATCH event-types/{name}` to `current`: only the fields that were sent change; `null`
/// empties them.
///
/// # Errors
/// See [`parse_event_type`]. The name can't change: events and webhooks know the type by it.
pub fn update_event_type(current: EventTypeDraft, patch: &Value) -> Result<EventTypeDraft, Faults> {
    let mut fields = Fields::from_value(patch, "")?;
    let mut updated = current;
    if fields.any("name").is_some_and(|name| *name != updated.name) {
        fields.fault("name", "can't change, because events and webhooks refer to the type by it");
    }
    read_event_type(&mut fields, &mut updated, &Budget::of_event());
    let faults = fields.finish();
    if faults.is_empty() { Ok(updated) } else { Err(faults) }
}

/// Reads everything but the name, where it was sent.
fn read_event_type(fields: &mut Fields<'_>, draft: &mut EventTypeDraft, budget: &Budget) {
    match fields.text("description") {
        Sent::Null => draft.description = String::new(),
        Sent::Value(text) => {
            if let Err(detail) = fault::check_name(text, 0, EVENT_TYPE_DESCRIPTION_CHARS_MAX) {
                fields.fault("description", detail);
            }
            draft.description = String::from(text);
        }
        Sent::Missing | Sent::Wrong => {}
    }
    let sent_example = fields.any("example");
    if let Some(example) = sent_example {
        draft.example = Some(example.clone()).filter(|example| !example.is_null());
    }
    let sent_schema = fields.any("schema");
    if let Some(schema) = sent_schema {
        draft.schema = Some(schema.clone()).filter(|schema| !schema.is_null());
    }
    match fields.flag("archived") {
        Sent::Null => draft.archived = false,
        Sent::Value(archived) => draft.archived = archived,
        Sent::Missing | Sent::Wrong => {}
    }
    let pointer = fields.pointer_of("schema");
    match draft.schema.as_ref().map(|schema| Schema::parse(schema, &pointer)) {
        Some(Err(faults)) => fields.absorb(faults),
        Some(Ok(schema)) => {
            let pointer = fields.pointer_of("example");
            let misfits = draft
                .example
                .as_ref()
                .map(|example| schema.check_within(example, &pointer, budget))
                .unwrap_or_default();
            fields.absorb(misfits.map(|fault| {
                Fault::new(fault.pointer, format!("does not fit the schema: {}", fault.detail))
            }));
        }
        None => {}
    }
}
