//! The `ubiops` contract: what UbiOps POSTs (docs/wire.md A.4 and A.5), and in [`api`] UbiOps' own API in
//! both directions.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::json::{quoted, quoted_or_null, raw};
use super::sample::{sample_kind, sample_object};
use super::source::{Rendering, Source};
use crate::event::{NewEvent, ObjectRef};
use crate::filter;
use crate::json_text::compact_bytes;
use crate::webhook::Definition;

/// Bytes of `result` at most ("up to 16 kB", docs/wire.md A.5), counted without insignificant white space.
pub const RESULT_BYTES_MAX: usize = 16_000;
/// The objects that UbiOps' API documents.
pub const OBJECT_TYPES: [&str; 2] = ["deployment", "pipeline"];
/// How each of their events ends.
pub(crate) const EVENT_ENDINGS: [&str; 4] = ["started", "completed", "failed", "finished"];

/// The kind of object that a UbiOps event is about; `None` for any other event type.
#[must_use]
pub fn object_type_of(event: &str) -> Option<&'static str> {
    let (object_type, ending) = event.split_once("_request_")?;
    OBJECT_TYPES.into_iter().find(|known| *known == object_type && EVENT_ENDINGS.contains(&ending))
}

/// The event that the body names, where it is not the event's own type: the first subscription that takes
/// `kind` says it (`deployment_request_finished` for an event `deployment_request_failed`).
pub(super) fn subscribed_event(webhook: &Definition, kind: &str) -> Option<String> {
    if webhook.events.iter().any(|pattern| pattern.as_str() == kind) {
        return None;
    }
    let pattern =
        webhook.events.iter().find(|pattern| filter::takes(webhook.contract, pattern, kind))?.as_str();
    (!pattern.ends_with('*')).then(|| String::from(pattern))
}

/// The body. Its keys always come in the same order.
pub(super) fn render(rendering: &Rendering, source: &Source<'_>) -> String {
    let data: BTreeMap<String, &RawValue> = serde_json::from_str(source.data.get()).unwrap_or_default();
    let text = |key: &str| data.get(key).and_then(|raw| text_of(raw.get()));
    let object_type =
        source.object.map(|object| object.kind.as_str()).or_else(|| object_type_of(source.kind));
    let request_id = text("request_id");
    let status = text("status").or_else(|| status_of(source.kind).map(String::from));

    let mut body =
        format!(r#"{{"event":{}"#, quoted(rendering.subscribed_event.as_deref().unwrap_or(source.kind)));
    let mut member = |key: &str, json: &str| {
        body.push(',');
        body.push_str(&quoted(key));
        body.push(':');
        body.push_str(json);
    };
    if let Some(object_type) = object_type {
        let named = |part: &str| format!("{object_type}{part}");
        let (name, version) = match source.object {
            Some(object) => (Some(object.name.clone()), object.version.clone()),
            // The data may say it, as it may say the ids.
            None => (text(&named("_name")), text(&named("_version_name"))),
        };
        member(&named("_id"), &quoted_or_null(text(&named("_id")).as_deref()));
        member(&named("_name"), &quoted_or_null(name.as_deref()));
        member(&named("_version_id"), &quoted_or_null(text(&named("_version_id")).as_deref()));
        member(&named("_version_name"), &quoted_or_null(version.as_deref()));
    }
    member("request_id", &quoted_or_null(request_id.as_deref()));
    member("status", &quoted_or_null(status.as_deref()));
    // Data that is not an object has no members: the whole of it is the result.
    let whole = (!source.data.get().trim_start().starts_with(['{', 'n'])).then_some(source.data);
    let result = data
        .get("result")
        .copied()
        .or(whole)
        .filter(|result| rendering.include_result && compact_bytes(result.get()) <= RESULT_BYTES_MAX);
    if let Some(result) = result {
        member("result", result.get());
    }
    let sentence = text("text").unwrap_or_else(|| {
        sentence(object_type, source.object, request_id.as_deref(), status.as_deref(), source.kind)
    });
    member("text", &quoted(&sentence));
    body.push('}');
    body
}

/// A member of the data where UbiOps has a text: a text as it is, nothing for null, and anything else as the
/// JSON that the producer wrote, so that a number is not lost for not being a string.
fn text_of(json: &str) -> Option<String> {
    match json {
        "null" => None,
        json => Some(serde_json::from_str::<String>(json).unwrap_or_else(|_no_text| String::from(json))),
    }
}

/// The status that the event's name implies (docs/wire.md A.4).
fn status_of(kind: &str) -> Option<&'static str> {
    object_type_of(kind)?;
    match kind.rsplit_once('_')?.1 {
        "started" => Some("processing"),
        "completed" => Some("completed"),
        "failed" => Some("failed"),
        _ => None,
    }
}

/// One sentence for people, such as `Deployment request 5f0c of d1 (version v1) has completed.`
fn sentence(
    object_type: Option<&str>,
    object: Option<&ObjectRef>,
    request_id: Option<&str>,
    status: Option<&str>,
    kind: &str,
) -> String {
    let Some(object_type) = object_type else { return format!("The event {kind} happened.") };
    let mut initial = object_type.chars();
    let subject: String = initial.next().into_iter().flat_map(char::to_uppercase).chain(initial).collect();
    let request_id = request_id.map(|id| format!(" {id}")).unwrap_or_default();
    let name = object.map(|object| format!(" of {}", object.name)).unwrap_or_default();
    let version = object
        .and_then(|object| object.version.as_ref())
        .map(|version| format!(" (version {version})"))
        .unwrap_or_default();
    let change = match status {
        Some("processing") => String::from("has started"),
        Some("completed") => String::from("has completed"),
        Some("failed") => String::from("has failed"),
        Some(status) => format!("is now {status}"),
        None => String::from("has changed"),
    };
    format!("{subject} request{request_id}{name}{version} {change}.")
}

/// An event of the first subscription; `finished` is shown by a request that completed.
pub(crate) fn sample_event(webhook: &Definition) -> NewEvent {
    let kind = sample_kind(webhook.events.first());
    let kind = match kind.strip_suffix("_finished") {
        Some(stem) => format!("{stem}_completed"),
        None => kind,
    };
    let object = sample_object(webhook).or_else(|| {
        let object_type = object_type_of(&kind)?;
        Some(ObjectRef { kind: String::from(object_type), name: String::from("example"), version: None })
    });
    let mut data = json!({"request_id": "00000000-0000-4000-8000-000000000000"});
    if let Some(status) = status_of(&kind) {
        data["status"] = Value::from(status);
    }
    if webhook.include_result {
        data["result"] = json!({"message": "This is a test from Postern."});
    }
    NewEvent { object, labels: webhook.event_labels.clone(), ..NewEvent::new(kind, raw(&data)) }
}
