//! The catalogue as it is shown, and an event type as it is typed.

use postern_core::api::event::EventTypeView;
use postern_core::event::parse_event_type;
use postern_core::fault::Fault;
use postern_core::webhook::ProjectName;
use reactive_stores::Store;
use serde_json::Value;

use crate::json;

/// The form of a new event type. The example and the schema are texts until they are parsed, and go out as
/// they were typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Store)]
pub(super) struct EventTypeDraft {
    /// The event type.
    pub(super) name: String,
    /// When it happens.
    pub(super) description: String,
    /// JSON text; empty if the type has no example.
    pub(super) example: String,
    /// JSON Schema as text; empty means that any data is accepted.
    pub(super) schema: String,
}

impl EventTypeDraft {
    /// The body that adds the event type, or what is wrong with the example or the schema.
    pub(super) fn body(&self) -> Result<Value, Fault> {
        let (example, schema) = (json_of("/example", &self.example)?, json_of("/schema", &self.schema)?);
        let (name, description) = (self.name.trim().into(), self.description.trim().into());
        // Put together by hand: `json!` would write numbers anew.
        let fields = [("name", name), ("description", description), ("example", example), ("schema", schema)];
        Ok(Value::Object(fields.into_iter().map(|(name, value)| (String::from(name), value)).collect()))
    }

    /// What the edge would say is wrong with it.
    pub(super) fn faults(&self) -> Vec<Fault> {
        match self.body() {
            Ok(body) => parse_event_type(&body).err().unwrap_or_default().into_named(),
            Err(fault) => vec![fault],
        }
    }
}

/// JSON that was typed; empty text is null.
fn json_of(pointer: &str, typed: &str) -> Result<Value, Fault> {
    match typed.trim() {
        "" => Ok(Value::Null),
        text if json::is_json(text) => {
            postern_core::json::read(text).map_err(|error| Fault::new(pointer, error.to_string()))
        }
        _ => Err(Fault::new(pointer, "is not JSON yet")),
    }
}

/// What a deletion that can be undone is about. Not the bare name: another project may have an event type
/// with the same one.
pub(super) fn subject_of(project: &ProjectName, name: &str) -> String {
    format!("{}/event-types/{name}", project.as_str())
}

/// The event types that are shown: without those that `is_gone` hides, and archived ones last.
pub(super) fn shown(items: &[EventTypeView], is_gone: impl Fn(&str) -> bool) -> Vec<EventTypeView> {
    let mut shown: Vec<EventTypeView> = items.iter().filter(|item| !is_gone(&item.name)).cloned().collect();
    shown.sort_by_key(|item| item.archived);
    shown
}

/// What became of an event type that was archived or taken back.
pub(super) fn archived_words(changed: &EventTypeView) -> String {
    let name = &changed.name;
    if changed.archived {
        format!("{name} is no longer offered; events of it are still accepted")
    } else {
        format!("{name} is offered again")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(example: &str, schema: &str) -> Result<Value, Fault> {
        EventTypeDraft {
            name: String::from(" a "),
            example: String::from(example),
            schema: String::from(schema),
            ..EventTypeDraft::default()
        }
        .body()
    }

    #[test]
    fn an_example_is_json_or_nothing() {
        assert_eq!(
            body(" ", ""),
            Ok(json!({ "name": "a", "description": "", "example": null, "schema": null }))
        );
        assert_eq!(body("{\"n\":1}", "{}").map(|body| body["example"]["n"].clone()), Ok(json!(1)));
        let exact =
            body("[1.10,1e5,-0]", r#"{"maximum":12345678901234567890123}"#).map(|body| body.to_string());
        assert!(
            exact
                .is_ok_and(|body| body.contains("[1.10,1e5,-0]") && body.contains("12345678901234567890123"))
        );
        assert_eq!(body("{", "").map_err(|fault| fault.pointer), Err(String::from("/example")));
        assert_eq!(body("", "{").map_err(|fault| fault.pointer), Err(String::from("/schema")));
    }

    #[test]
    fn a_name_is_judged_as_at_the_edge() {
        let typed =
            |name: &str| EventTypeDraft { name: String::from(name), ..EventTypeDraft::default() }.faults();
        assert_eq!(typed("order.paid"), []);
        assert_eq!(
            typed("order paid").iter().map(|fault| fault.pointer.as_str()).collect::<Vec<_>>(),
            ["/name"]
        );
    }

    #[test]
    fn what_is_archived_comes_last_and_what_is_being_deleted_is_hidden() {
        let kind = |name: &str, archived: bool| -> EventTypeView {
            serde_json::from_value(json!({
                "name": name, "description": "", "example": null, "archived": archived, "created_at": "2026-11-21T09:30:00.000Z"
            }))
            .expect("an event type")
        };
        let all = [kind("a.old", true), kind("b", false), kind("c", false)];
        let names: Vec<String> = shown(&all, |name| name == "c").into_iter().map(|item| item.name).collect();
        assert_eq!(names, ["b", "a.old"]);
        assert_ne!(archived_words(&kind("a", true)), archived_words(&kind("a", false)));
    }
}
