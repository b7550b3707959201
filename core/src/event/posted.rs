//! What producers post: one event, or a batch.

use serde_json::value::RawValue;

use super::draft::NewEvent;
use super::kind::{TYPE_RULE, is_event_type};
use super::object::object_ref;
use super::operational::is_operational;
use crate::fault::{self, Fields, InputFault};
use crate::webhook::field;

/// Characters of an idempotency key at most.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 128;

/// Characters of an order key at most.
pub const ORDER_KEY_CHARS_MAX: usize = 128;

/// Events of one batch at most.
pub const BATCH_EVENTS_MAX: usize = 100;

/// Levels of nesting of `data` at most.
pub const DATA_DEPTH_MAX: usize = fault::JSON_DEPTH_MAX;

/// Parses the body of `POST events`.
///
/// # Errors
/// Not JSON, or every bad field, unknown ones included; a body that is not a JSON object is one fault at
/// `""`.
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
    if let Some(Err(detail)) = order_key.map(|key| fault::check_name(key, 1, ORDER_KEY_CHARS_MAX)) {
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

/// Checks an idempotency key of the `Idempotency-Key` header: printable ASCII only
/// (draft-ietf-httpapi-idempotency-key-header §2.1 makes it a string of RFC 8941). Whatever else a header
/// holds arrives as U+FFFD where it is not UTF-8, so that two keys would be one and the second event would be
/// lost as a duplicate.
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
    fault::check_name(key, 1, IDEMPOTENCY_KEY_CHARS_MAX)
}
