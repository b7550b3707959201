//! Events: what a producer posts, and the object it happened to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::budget::Budget;
use crate::fault::{self, Fault, Faults, Fields, InputFault, Sent};
use crate::json;
use crate::json_schema::Schema;
use crate::webhook::field;

/// Characters of an event type at most.
pub const TYPE_CHARS_MAX: usize = 128;
/// Characters of an idempotency key at most.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 128;
/// Characters of an order key at most.
pub const ORDER_KEY_CHARS_MAX: usize = 128;
/// Events of one batch at most.
pub const BATCH_EVENTS_MAX: usize = 100;
/// Bytes of a request body at most.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// Levels of nesting of `data` at most.
pub const DATA_DEPTH_MAX: usize = fault::JSON_DEPTH_MAX;
/// Characters of an object's type, name and version at most.
pub const OBJECT_PART_CHARS_MAX: usize = 128;
/// Characters of the description of an event type at most.
pub const EVENT_TYPE_DESCRIPTION_CHARS_MAX: usize = 400;

/// What an event happened to: UbiOps' deployment or pipeline, or anything of the producer's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ObjectRef {
    /// Such as `deployment`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Such as `d1`.
    pub name: String,
    /// Such as `v1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// A checked event, not yet accepted. `data` is kept as the producer wrote it (compact JSON text), so that what is
/// signed and sent has not been through a number or map conversion.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewEvent {
    /// The event type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Any JSON value.
    pub data: Box<RawValue>,
    /// What it happened to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectRef>,
    /// Two events of a project with one key are one event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// Deliveries of events with one key go to an `ordered` webhook one after the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_key: Option<String>,
    /// What webhooks may filter by; the rules are those of a webhook's labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl NewEvent {
    /// An event of which only type and data are known. Nothing is checked.
    #[must_use]
    pub const fn new(kind: String, data: Box<RawValue>) -> Self {
        Self { kind, data, object: None, idempotency_key: None, order_key: None, labels: BTreeMap::new() }
    }

    /// One of Postern's own events: no producer can post its type.
    #[must_use]
    pub fn operational(kind: Operational, data: &Value) -> Self {
        let data = RawValue::from_string(data.to_string()).unwrap_or_else(|_never| RawValue::NULL.to_owned());
        Self::new(String::from(kind.as_str()), data)
    }
}

/// What the types of Postern's own events begin with.
pub const OPERATIONAL_PREFIX: &str = "postern.";

/// Whether `kind` is the type of one of Postern's own events.
#[must_use]
pub fn is_operational(kind: &str) -> bool {
    kind.starts_with(OPERATIONAL_PREFIX)
}

/// Postern's own events: what happened to a webhook, a delivery or the project, for whoever subscribes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operational {
    /// Postern disabled a webhook.
    WebhookDisabled,
    /// A webhook failed [`crate::health::FAILING_AFTER`] times in a row; it is probed from now on.
    WebhookFailing,
    /// A webhook that was failing or throttled is called as usual again.
    WebhookRecovered,
    /// A receiver asked for fewer calls, or a proxy before it did not reach it.
    WebhookThrottled,
    /// A delivery was given up.
    DeliveryDead,
    /// The project uses 80 % of the bytes that it may store.
    ProjectFull,
}

impl Operational {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::WebhookDisabled,
        Self::WebhookFailing,
        Self::WebhookRecovered,
        Self::WebhookThrottled,
        Self::DeliveryDead,
        Self::ProjectFull,
    ];

    /// The event type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WebhookDisabled => "postern.webhook.disabled",
            Self::WebhookFailing => "postern.webhook.failing",
            Self::WebhookRecovered => "postern.webhook.recovered",
            Self::WebhookThrottled => "postern.webhook.throttled",
            Self::DeliveryDead => "postern.delivery.dead",
            Self::ProjectFull => "postern.project.full",
        }
    }
}

/// Whether `text` is an event type: dot-separated words of `[A-Za-z0-9_]` (Standard Webhooks, docs/wire.md D.4).
#[must_use]
pub fn is_event_type(text: &str) -> bool {
    text.len() <= TYPE_CHARS_MAX
        && text.split('.').all(|word| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
}

/// Parses the body of `POST events`.
///
/// # Errors
/// Not JSON, or every bad field, unknown ones included; a body that is not a JSON object is one fault at `""`.
pub fn parse_event(body: &str) -> Result<NewEvent, InputFault> {
    event_at(body, "")
}

/// Parses the body of `POST events/batch`, `{"events":[…]}` with 1 to [`BATCH_EVENTS_MAX`] events.
///
/// # Errors
/// Not JSON, or every bad field of every event, with pointers such as `/events/3/type`.
pub fn parse_batch(body: &str) -> Result<Vec<NewEvent>, InputFault> {
    const KEY: &str = "events";
    let split = fault::split_object(body, "", KEY)?;
    let mut fields = Fields::new(&split.rest, "");
    fields.expect(KEY);
    fields.absorb(split.faults);
    let Some(raw) = split.raw else {
        fields.fault(KEY, "is required");
        return Err(fields.finish().into());
    };
    let Ok(items) = serde_json::from_str::<Vec<Box<RawValue>>>(raw.get()) else {
        fields.fault(KEY, "must be an array");
        return Err(fields.finish().into());
    };
    if !(1..=BATCH_EVENTS_MAX).contains(&items.len()) {
        fields.fault(KEY, format!("must hold 1 to {BATCH_EVENTS_MAX} events, this holds {}", items.len()));
        return Err(fields.finish().into());
    }
    let mut events = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        match event_at(item.get(), &format!("/{KEY}/{index}")) {
            Ok(event) => events.push(event),
            Err(InputFault::Invalid(faults)) => fields.absorb(faults),
            Err(malformed @ InputFault::Malformed(_)) => return Err(malformed),
        }
    }
    let faults = fields.finish();
    if faults.is_empty() { Ok(events) } else { Err(faults.into()) }
}

/// Parses the event whose JSON stands at `pointer` of the body.
fn event_at(json: &str, pointer: &str) -> Result<NewEvent, InputFault> {
    let split = fault::split_object(json, pointer, "data")?;
    let mut fields = Fields::new(&split.rest, pointer);
    fields.expect("data");
    fields.absorb(split.faults);
    let kind = fields.text("type");
    let kind = fields.required("type", kind);
    if let Some(kind) = kind
        && !is_event_type(kind)
    {
        fields.fault("type", TYPE_RULE);
    }
    if kind.is_some_and(is_operational) {
        fields.fault("type", "types below postern. are Postern's own");
    }
    if split.raw.is_none() {
        fields.fault("data", "is required (null is a value)");
    }
    let object = fields.object("object").value().and_then(|map| {
        let mut part = Fields::new(map, fields.pointer_of("object"));
        let object = object_ref(&mut part);
        fields.absorb(part.finish());
        object
    });
    let idempotency_key = fields.text("idempotency_key").value();
    if let Some(Err(detail)) = idempotency_key.map(check_idempotency_key) {
        fields.fault("idempotency_key", detail);
    }
    let order_key = fields.text("order_key").value();
    if let Some(Err(detail)) = order_key.map(|key| fault::check_text(key, 1, ORDER_KEY_CHARS_MAX)) {
        fields.fault("order_key", detail);
    }
    let labels = fields
        .object("labels")
        .value()
        .map(|map| field::labels(&mut fields, "labels", map))
        .unwrap_or_default();
    let faults = fields.finish();
    match (kind, split.raw) {
        (Some(kind), Some(data)) if faults.is_empty() => {
            let [idempotency_key, order_key] = [idempotency_key, order_key].map(|key| key.map(String::from));
            Ok(NewEvent {
                object,
                idempotency_key,
                order_key,
                labels,
                ..NewEvent::new(String::from(kind), data)
            })
        }
        _ => Err(faults.into()),
    }
}

/// Checks an idempotency key of the `Idempotency-Key` header: printable ASCII only (draft-ietf-httpapi-idempotency-key-header
/// §2.1 makes it a string of RFC 8941). Whatever else a header holds arrives as U+FFFD where it is no UTF-8, so that two keys
/// would be one and the second event would be lost as a duplicate.
///
/// # Errors
/// What is wrong, in words.
pub fn check_idempotency_header(key: &str) -> Result<(), String> {
    if !key.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(String::from("must be printable ASCII: headers carry nothing else unchanged"));
    }
    check_idempotency_key(key)
}

/// Checks an idempotency key from a body.
///
/// # Errors
/// What is wrong, in words.
fn check_idempotency_key(key: &str) -> Result<(), String> {
    fault::check_text(key, 1, IDEMPOTENCY_KEY_CHARS_MAX)
}

fn object_ref(fields: &mut Fields<'_>) -> Option<ObjectRef> {
    let part = |fields: &mut Fields<'_>, key: &'static str, is_required: bool| {
        let sent = fields.text(key);
        let text = if is_required { fields.required(key, sent) } else { sent.value() };
        if let Some(Err(detail)) = text.map(|text| fault::check_text(text, 1, OBJECT_PART_CHARS_MAX)) {
            fields.fault(key, detail);
        }
        text.map(String::from)
    };
    let kind = part(fields, "type", true);
    let name = part(fields, "name", true);
    let version = part(fields, "version", false);
    Some(ObjectRef { kind: kind?, name: name?, version })
}

/// What an event type looks like, for the person whose text is none.
pub(crate) const TYPE_RULE: &str =
    "must be 1 to 128 characters: words of letters, digits and _, joined by dots, such as order.paid";

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
/// Every bad field; every keyword of the schema that would not be checked; an example that does not fit the schema.
pub fn parse_event_type(body: &Value) -> Result<EventTypeDraft, Faults> {
    event_type_at(body, "", &Budget::of_event())
}

/// The same for a draft that stands at `pointer` of the input; its example is compared with its schema for what is left of
/// `budget`.
///
/// # Errors
/// See [`parse_event_type`].
pub fn event_type_at(body: &Value, pointer: &str, budget: &Budget) -> Result<EventTypeDraft, Faults> {
    let mut fields = Fields::of(body, pointer)?;
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

/// Applies the body of `PATCH event-types/{name}` to `current`: only the fields that were sent change; `null` empties them.
///
/// # Errors
/// See [`parse_event_type`]. The name can't change: events and webhooks know the type by it.
pub fn update_event_type(current: EventTypeDraft, patch: &Value) -> Result<EventTypeDraft, Faults> {
    let mut fields = Fields::of(patch, "")?;
    let mut updated = current;
    if fields.any("name").is_some_and(|name| *name != updated.name) {
        fields.fault("name", "can't change: events and webhooks know the type by it");
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn pointers<T>(outcome: Result<T, InputFault>) -> Vec<String> {
        match outcome {
            Err(InputFault::Invalid(faults)) => faults.into_iter().map(|fault| fault.pointer).collect(),
            Err(InputFault::Malformed(text)) => vec![text],
            Ok(_) => vec![String::from("no fault")],
        }
    }

    #[test]
    fn data_is_kept_byte_for_byte() -> Result<(), InputFault> {
        for data in
            ["null", "1E400", "12345678901234567890.10", r#"{ "b":1,"a" : 2, "a":3 }"#, r#""\u00e4ä""#, "[ ]"]
        {
            let event = parse_event(&format!(r#"{{"type":"order.paid","data":{data} }}"#))?;
            assert_eq!(event.data.get(), data);
        }
        Ok(())
    }

    #[test]
    fn a_key_of_a_header_is_ascii_so_that_no_two_become_one() {
        assert_eq!(check_idempotency_header("order 7/a~"), Ok(()));
        for key in ["", "k\u{fffd}", "kö", "a\tb", "a\u{7f}", &"x".repeat(IDEMPOTENCY_KEY_CHARS_MAX + 1)] {
            assert!(check_idempotency_header(key).is_err(), "{key:?}");
        }
    }

    #[test]
    fn every_field_is_taken() -> Result<(), InputFault> {
        let event = parse_event(
            r#"{"type":"a","data":{},"object":{"type":"deployment","name":"d1","version":"v1"},"idempotency_key":"k"}"#,
        )?;
        let object = ObjectRef {
            kind: String::from("deployment"),
            name: String::from("d1"),
            version: Some(String::from("v1")),
        };
        assert_eq!((event.object, event.idempotency_key.as_deref()), (Some(object), Some("k")));
        let event =
            parse_event(r#"{"type":"a","data":{},"order_key":"customer 7","labels":{"env":"prod"}}"#)?;
        assert_eq!(
            (event.order_key.as_deref(), event.labels.get("env").map(String::as_str)),
            (Some("customer 7"), Some("prod"))
        );
        let event = parse_event(
            r#"{"type":"a","data":{},"object":null,"idempotency_key":null,"order_key":null,"labels":null}"#,
        )?;
        assert_eq!(
            (event.object, event.idempotency_key, event.order_key, event.labels.len()),
            (None, None, None, 0)
        );
        Ok(())
    }

    #[test]
    fn every_bad_field_is_named() {
        let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
        for (body, pointer) in [
            (json!({"data": 1}).to_string(), "/type"),
            (json!({"type": "", "data": 1}).to_string(), "/type"),
            (json!({"type": "a..b", "data": 1}).to_string(), "/type"),
            (json!({"type": "order.*", "data": 1}).to_string(), "/type"),
            (json!({"type": "x".repeat(129), "data": 1}).to_string(), "/type"),
            (json!({"type": 1, "data": 1}).to_string(), "/type"),
            (json!({"type": "a"}).to_string(), "/data"),
            (format!(r#"{{"type":"a","data":{deep}}}"#), "/data"),
            (String::from(r#"{"type":"a","data":"\ud800"}"#), "/data"),
            (String::from(r#"{"type":"a","data":1,"data":2}"#), "/data"),
            (String::from(r#"{"type":"a","type":"b","data":1}"#), "/type"),
            (String::from(r#"{"type":"a","data":1,"idempotency_key":"\ud800"}"#), "/idempotency_key"),
            (String::from(r#"{"type":1e999,"data":1}"#), "/type"),
            (json!({"type": "a", "data": 1, "object": 1}).to_string(), "/object"),
            (json!({"type": "a", "data": 1, "object": {"type": "x"}}).to_string(), "/object/name"),
            (
                json!({"type": "a", "data": 1, "object": {"type": "x", "name": ""}}).to_string(),
                "/object/name",
            ),
            (
                json!({"type": "a", "data": 1, "object": {"type": "x", "name": "y", "id": 1}}).to_string(),
                "/object/id",
            ),
            (
                json!({"type": "a", "data": 1, "object": {"type": "x", "name": "y".repeat(129)}}).to_string(),
                "/object/name",
            ),
            (json!({"type": "a", "data": 1, "idempotency_key": ""}).to_string(), "/idempotency_key"),
            (
                json!({"type": "a", "data": 1, "idempotency_key": "x".repeat(129)}).to_string(),
                "/idempotency_key",
            ),
            (json!({"type": "postern.webhook.failing", "data": 1}).to_string(), "/type"),
            (json!({"type": "postern.x", "data": 1}).to_string(), "/type"),
            (json!({"type": "a", "data": 1, "order_key": ""}).to_string(), "/order_key"),
            (json!({"type": "a", "data": 1, "order_key": "x".repeat(129)}).to_string(), "/order_key"),
            (json!({"type": "a", "data": 1, "order_key": 7}).to_string(), "/order_key"),
            (json!({"type": "a", "data": 1, "labels": []}).to_string(), "/labels"),
            (json!({"type": "a", "data": 1, "labels": {"a:b": "x"}}).to_string(), "/labels/a:b"),
            (json!({"type": "a", "data": 1, "labels": {"a": 1}}).to_string(), "/labels/a"),
            (json!({"type": "a", "data": 1, "time": 1}).to_string(), "/time"),
            (String::from("[]"), ""),
            (String::from("null"), ""),
            (String::from("\"x\""), ""),
        ] {
            let found = pointers(parse_event(&body));
            assert_eq!(found.first().map(String::as_str), Some(pointer), "{body} {found:?}");
        }
        assert_eq!(pointers(parse_event("{}")), ["/type", "/data"]);
        assert!(matches!(parse_event("{\"type\":\"a\","), Err(InputFault::Malformed(_))));
        assert!(matches!(parse_event("{} x"), Err(InputFault::Malformed(_))));
    }

    #[test]
    fn producers_can_not_post_what_postern_itself_tells() -> Result<(), InputFault> {
        for kind in Operational::ALL {
            let own = NewEvent::operational(kind, &json!({"webhook": "w"}));
            assert!(
                is_operational(&own.kind)
                    && is_event_type(&own.kind)
                    && own.data.get() == r#"{"webhook":"w"}"#
            );
            assert_eq!(pointers(parse_event(&json!({"type": own.kind, "data": 1}).to_string())), ["/type"]);
            assert_eq!(
                pointers(parse_batch(&json!({"events": [{"type": own.kind, "data": 1}]}).to_string())),
                ["/events/0/type"]
            );
        }
        for kind in ["postern", "posterns.x", "a.postern.b"] {
            assert_eq!(parse_event(&json!({"type": kind, "data": 1}).to_string())?.kind, kind);
        }
        Ok(())
    }

    #[test]
    fn an_event_of_an_older_version_reads_back() {
        let event: Result<NewEvent, _> = serde_json::from_str(r#"{"type":"a","data":1}"#);
        assert!(event.is_ok_and(|event| event.order_key.is_none() && event.labels.is_empty()));
    }

    #[test]
    fn a_batch_is_taken_whole_or_not_at_all() -> Result<(), InputFault> {
        let event = json!({"type": "a", "data": 1});
        assert_eq!(parse_batch(&json!({"events": [event, event]}).to_string())?.len(), 2);
        assert_eq!(parse_batch(&json!({"events": vec![&event; 100]}).to_string())?.len(), 100);
        for (body, expected) in [
            (
                json!({"events": [event, {"type": "a b", "data": 1}, 7, {"data": 1}]}),
                vec!["/events/1/type", "/events/2", "/events/3/type"],
            ),
            (json!({"events": []}), vec!["/events"]),
            (json!({"events": vec![&event; 101]}), vec!["/events"]),
            (json!({"events": {}}), vec!["/events"]),
            (json!({}), vec!["/events"]),
            (json!({"events": [event], "more": 1}), vec!["/more"]),
            (json!([event]), vec![""]),
        ] {
            assert_eq!(pointers(parse_batch(&body.to_string())), expected, "{body}");
        }
        Ok(())
    }

    #[test]
    fn a_catalogue_entry_needs_a_name() {
        let entry = parse_event_type(
            &json!({"name": "order.paid", "description": "Money came in.", "example": {"n": 1}}),
        );
        assert!(entry.is_ok_and(|entry| entry.example == Some(json!({"n": 1}))));
        assert!(
            parse_event_type(&json!({"name": "order.paid", "example": null}))
                .is_ok_and(|entry| entry.example.is_none() && entry.description.is_empty())
        );
        for (body, pointer) in [
            (json!({}), "/name"),
            (json!({"name": "order.*"}), "/name"),
            (json!({"name": "a", "description": "x".repeat(401)}), "/description"),
            (json!({"name": "a", "schema": []}), "/schema"),
            (json!({"name": "a", "schema": {"pattern": "x"}}), "/schema/pattern"),
            (json!({"name": "a", "schema": {"type": "string"}, "example": 1}), "/example"),
            (json!({"name": "a", "schema": {"required": ["n"]}, "example": {}}), "/example/n"),
            (json!({"name": "a", "archived": 1}), "/archived"),
        ] {
            assert_eq!(pointers(parse_event_type(&body).map_err(InputFault::from)), [pointer], "{body}");
        }
    }

    #[test]
    fn a_patch_of_a_catalogue_entry_changes_only_what_it_names() -> Result<(), Faults> {
        let current = parse_event_type(&json!({"name": "a", "description": "d", "example": {"n": 1}}))?;
        let patched = |patch: Value| update_event_type(current.clone(), &patch);
        assert_eq!(patched(json!({}))?, current);
        assert_eq!(patched(json!({"name": "a"}))?, current);
        let archived = patched(json!({"archived": true, "description": null}))?;
        assert_eq!(
            (archived.archived, archived.description.as_str(), &archived.example),
            (true, "", &current.example)
        );
        let schema = json!({"properties": {"n": {"type": "integer"}}});
        assert_eq!(patched(json!({"schema": schema}))?.schema, Some(schema));
        for (patch, pointer) in [
            (json!({"name": "b"}), "/name"),
            (json!({"schema": {"properties": {"n": {"type": "string"}}}}), "/example/n"),
            (json!({"more": 1}), "/more"),
        ] {
            assert_eq!(pointers(patched(patch.clone()).map_err(InputFault::from)), [pointer], "{patch}");
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(text in ".{0,60}") {
            let _event = parse_event(&text);
            let _event = parse_event(&format!(r#"{{"type":"a","data":{text}}}"#));
            let _batch = parse_batch(&format!(r#"{{"events":[{text}]}}"#));
        }
    }
}
