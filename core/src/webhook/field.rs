//! The rules of single fields of a webhook, shared by the native API and the facades.
//!
//! Each function takes the outside value, notes what is wrong with it and gives back what is usable.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Contract, Definition, Header, ObjectFilter, RateLimit, TIMEOUT_DEFAULT_S, WebhookName, header};
use crate::condition::Condition;
use crate::contract::up42;
use crate::credential;
use crate::egress::{self, Policy, Target};
use crate::event::check_object_part;
use crate::fault::{Fields, Sent, check_name, check_visible, whole_number};
use crate::filter::EventPattern;
use crate::signing::Secret;

/// Seconds of an attempt at most (docs/wire.md A.3).
pub const TIMEOUT_MAX_S: u32 = 30;
/// Events of a webhook at most.
pub const EVENTS_MAX: usize = 50;
/// Headers of a webhook at most.
pub const HEADERS_MAX: usize = 20;
/// Characters of a header's name at most.
pub const HEADER_NAME_CHARS_MAX: usize = 128;
/// Bytes of a header's value at most.
pub const HEADER_VALUE_BYTES_MAX: usize = 4_096;
/// Labels of a webhook at most.
pub const LABELS_MAX: usize = 32;
/// Characters of a label's key at most.
pub const LABEL_KEY_CHARS_MAX: usize = 64;
/// Characters of a label's value at most.
pub const LABEL_VALUE_CHARS_MAX: usize = 256;
/// Characters of a description at most (docs/wire.md A.3).
pub const DESCRIPTION_CHARS_MAX: usize = 400;

/// Attempts after the first that a schedule names at most.
pub const SCHEDULE_WAITS_MAX: usize = 20;
/// Seconds between two attempts at most: a week.
pub const SCHEDULE_WAIT_MAX_S: u32 = 604_800;
/// Calls of a webhook under way at once at most.
pub const CONCURRENCY_MAX: u32 = 100;

/// Whether a header must say if it is protected.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProtectedField {
    /// Where it does not, it is if its name is one of a credential, or if the stored header of that name is.
    Optional,
    /// It must (UbiOps, docs/wire.md A.3).
    Required,
}

/// What credentials in a URL do to an `Authorization` header that is there already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Authorization {
    /// The header must not be there already: the same input names both, and one would be lost.
    MustBeNew,
    /// They replace the stored one.
    Replaces,
}

pub(crate) fn name(fields: &mut Fields<'_>, text: &str) -> Option<WebhookName> {
    let name = WebhookName::parse(text);
    if name.is_none() {
        match check_name(text, 1, WebhookName::CHARS_MAX) {
            Err(detail) => fields.fault("name", detail),
            Ok(()) if matches!(text, "." | "..") => {
                fields.fault("name", "must not be . or .., which mean something else in a path");
            }
            Ok(()) => fields.fault("name", "must not start or end with a space"),
        }
    }
    name
}

pub(crate) fn url(fields: &mut Fields<'_>, text: &str, policy: &Policy) -> Option<Target> {
    match egress::check(text, policy) {
        Ok(target) => Some(target),
        Err(refusal) => {
            fields.fault("url", refusal.to_string());
            None
        }
    }
}

pub(crate) fn events(fields: &mut Fields<'_>, items: &[Value]) -> Option<Vec<EventPattern>> {
    if items.is_empty() {
        fields.fault("events", "must name at least one event type; \"*\" means every event");
        return None;
    }
    patterns(fields, "events", items)
}

/// A list of patterns at the field `key`, which may be empty.
pub(crate) fn patterns(fields: &mut Fields<'_>, key: &str, items: &[Value]) -> Option<Vec<EventPattern>> {
    if items.len() > EVENTS_MAX {
        fields.fault(key, format!("must hold at most {EVENTS_MAX} event types, this holds {}", items.len()));
        return None;
    }
    let mut patterns: Vec<EventPattern> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let at = format!("{key}/{index}");
        match item.as_str().and_then(EventPattern::parse) {
            None => fields
                .fault_below(&at, "must be an event type such as order.paid, a prefix such as order.*, or *"),
            Some(pattern) if patterns.contains(&pattern) => fields.fault_below(&at, "is named twice"),
            Some(pattern) => patterns.push(pattern),
        }
    }
    Some(patterns)
}

/// Reads an object filter: a part that is not sent stays as in `current`, `null` is any.
pub(crate) fn object(
    fields: &mut Fields<'_>,
    map: &Map<String, Value>,
    current: ObjectFilter,
) -> ObjectFilter {
    let mut part = Fields::new(map, fields.pointer_of("object"));
    let mut read = |key: &'static str, known: Option<String>| match part.text(key) {
        Sent::Missing => known,
        Sent::Value(text) => object_part(&mut part, key, text),
        Sent::Null | Sent::Wrong => None,
    };
    let (kind, name, version) =
        (read("type", current.kind), read("name", current.name), read("version", current.version));
    fields.absorb(part.finish());
    ObjectFilter { kind, name, version }
}

pub(crate) fn object_part(fields: &mut Fields<'_>, key: &'static str, text: &str) -> Option<String> {
    match check_object_part(key, text) {
        Ok(()) => Some(String::from(text)),
        Err(detail) => {
            fields.fault(key, detail);
            None
        }
    }
}

/// A signing secret as it is stored: what the contract takes for one.
pub(crate) fn secret(fields: &mut Fields<'_>, text: &str, contract: Contract) -> Option<String> {
    let checked = match contract {
        Contract::Standard | Contract::Ubiops => {
            Secret::parse(text).map(|secret| secret.reveal()).map_err(|fault| fault.to_string())
        }
        Contract::Up42 => up42::check_secret(text).map(|()| String::from(text)),
    };
    checked.map_err(|detail| fields.fault("secret", detail)).ok()
}

/// Replaces the list of headers where one was sent: `null` is the empty list.
pub(crate) fn update_headers(
    fields: &mut Fields<'_>,
    updated: &mut Definition,
    sent: Sent<&[Value]>,
    stored: &[Header],
    protected_field: ProtectedField,
) {
    match sent {
        Sent::Null => updated.headers = Vec::new(),
        Sent::Value(items) => updated.headers = headers(fields, items, stored, protected_field),
        Sent::Missing | Sent::Wrong => {}
    }
}

/// Reads a list of headers. One without a value keeps the value that is `stored` under its name.
pub(crate) fn headers(
    fields: &mut Fields<'_>,
    items: &[Value],
    stored: &[Header],
    protected_field: ProtectedField,
) -> Vec<Header> {
    if items.len() > HEADERS_MAX {
        fields
            .fault("headers", format!("must hold at most {HEADERS_MAX} headers, this holds {}", items.len()));
        return Vec::new();
    }
    let mut read: Vec<Header> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let at = format!("{}/{index}", fields.pointer_of("headers"));
        let mut part = match Fields::from_value(item, at) {
            Ok(part) => part,
            Err(fault) => {
                fields.absorb(fault);
                continue;
            }
        };
        if let Some(header) = one_header(&mut part, &read, stored, protected_field) {
            read.push(header);
        }
        fields.absorb(part.finish());
    }
    read
}

fn one_header(
    fields: &mut Fields<'_>,
    before: &[Header],
    stored: &[Header],
    protected_field: ProtectedField,
) -> Option<Header> {
    let key = fields.text("key");
    let key = fields.required("key", key).and_then(|key| header_name(fields, key, before));
    let sent_value = fields.text("value");
    let is_protected = fields.flag("protected");
    let known = key.and_then(|key| stored.iter().find(|header| header.key.eq_ignore_ascii_case(key)));
    let is_protected = match protected_field {
        ProtectedField::Required => fields.required("protected", is_protected),
        ProtectedField::Optional => match fields.not_null("protected", is_protected) {
            Sent::Value(is_protected) => Some(is_protected),
            _ => key.map(|key| {
                let value = if let Sent::Value(text) = sent_value { text } else { "" };
                credential::is_credential(key, value) || known.is_some_and(|known| known.protected)
            }),
        },
    };
    let value = match sent_value {
        Sent::Value(text) => header_value(fields, text),
        Sent::Wrong => None,
        Sent::Missing | Sent::Null => match known {
            // Without this a hidden value could be read by declaring it public.
            Some(kept) if kept.protected && is_protected == Some(false) => {
                fields.fault("value", "must be given again to make this header readable");
                None
            }
            Some(kept) => Some(kept.value.clone()),
            None if key.is_some() => {
                fields.fault("value", "is required, because no header of this name is stored");
                None
            }
            None => None,
        },
    };
    Some(Header { key: String::from(key?), value: value?, protected: is_protected? })
}

fn header_name<'a>(fields: &mut Fields<'_>, name: &'a str, before: &[Header]) -> Option<&'a str> {
    let is_token =
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    if name.is_empty() || !is_token {
        fields.fault("key", "must be an HTTP header name: letters, digits and -, without spaces");
    } else if name.len() > HEADER_NAME_CHARS_MAX {
        fields.fault("key", format!("must be at most {HEADER_NAME_CHARS_MAX} characters"));
    } else if let Some(why) = header::refusal(name) {
        fields.fault("key", format!("{} {why}", name.to_ascii_lowercase()));
    } else if before.iter().any(|header| header.key.eq_ignore_ascii_case(name)) {
        fields.fault("key", "is given twice (names are compared without case)");
    } else {
        return Some(name);
    }
    None
}

/// A value of visible ASCII characters, spaces and tabs. HTTP lets other bytes through as "opaque" (RFC 9110
/// 5.5), but the platform sends text as UTF-8 (docs/platform.md 12) while many receivers read Latin-1 and
/// some refuse it, so nobody gets what was meant. Never repeated in a fault: it may be a password.
fn header_value(fields: &mut Fields<'_>, text: &str) -> Option<String> {
    let is_control = |c: char| c != '\t' && c.is_ascii_control();
    if text.is_empty() {
        fields.fault("value", "must not be empty; leave it out to keep the stored one");
    } else if text.len() > HEADER_VALUE_BYTES_MAX {
        fields.fault(
            "value",
            format!("must be at most {HEADER_VALUE_BYTES_MAX} bytes, this has {}", text.len()),
        );
    } else if text.chars().any(is_control) {
        fields.fault("value", "must not contain line breaks or control characters");
    } else if !text.is_ascii() {
        fields.fault(
            "value",
            "must be ASCII: receivers read other characters of a header in different ways. Percent-encode them, or use base64",
        );
    } else if text.trim_matches([' ', '\t']) != text {
        fields.fault("value", "must not start or end with a space: HTTP drops it");
    } else {
        return Some(String::from(text));
    }
    None
}

/// Turns the credentials of a URL into a protected header.
pub(crate) fn add_authorization(
    fields: &mut Fields<'_>,
    definition: &mut Definition,
    value: Option<String>,
    rule: Authorization,
) {
    const NAME: &str = "authorization";
    let Some(value) = value else { return };
    let count = definition.headers.len();
    let stored = definition.headers.iter_mut().find(|header| header.key.eq_ignore_ascii_case(NAME));
    match stored {
        Some(_) if rule == Authorization::MustBeNew => {
            fields.fault(
                "url",
                "holds credentials, and headers has an authorization already: give one of the two",
            );
        }
        Some(header) => {
            header.value = value;
            header.protected = true;
        }
        None if count >= HEADERS_MAX => {
            fields.fault(
                "url",
                format!(
                    "holds credentials, which would be header number {} of {HEADERS_MAX}",
                    HEADERS_MAX + 1
                ),
            );
        }
        None => definition.headers.push(Header { key: String::from(NAME), value, protected: true }),
    }
}

pub(crate) fn description(fields: &mut Fields<'_>, text: &str) -> String {
    let chars = text.chars().count();
    if chars > DESCRIPTION_CHARS_MAX {
        fields.fault(
            "description",
            format!("must be at most {DESCRIPTION_CHARS_MAX} characters, this has {chars}"),
        );
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        fields.fault("description", "must not contain control characters");
    } else if let Err(detail) = check_visible(text) {
        fields.fault("description", detail);
    }
    String::from(text)
}

/// Labels at the field `key`: those of a webhook, of an event, or that an event must carry.
pub(crate) fn labels(
    fields: &mut Fields<'_>,
    key: &str,
    map: &Map<String, Value>,
) -> BTreeMap<String, String> {
    if map.len() > LABELS_MAX {
        fields.fault(key, format!("must hold at most {LABELS_MAX} labels, this holds {}", map.len()));
        return BTreeMap::new();
    }
    let mut part_faults = crate::fault::Faults::default();
    let mut labels = BTreeMap::new();
    let part = Fields::new(map, fields.pointer_of(key));
    for (key, value) in map {
        let checked = check_name(key, 1, LABEL_KEY_CHARS_MAX)
            .map_err(|detail| format!("the label's name {detail}"))
            .and_then(|()| {
                // The filter of both APIs is written key:value, and UbiOps joins several by commas
                // (docs/wire.md A.2).
                if key.contains([':', ',']) {
                    Err(String::from("the label's name must not contain : or ,"))
                } else {
                    Ok(())
                }
            })
            .and_then(|()| value.as_str().ok_or_else(|| String::from("must be a string")))
            .and_then(|text| check_name(text, 0, LABEL_VALUE_CHARS_MAX).map(|()| text));
        match checked {
            Ok(text) => {
                labels.insert(key.clone(), String::from(text));
            }
            Err(detail) => part_faults.push(crate::fault::Fault::new(part.pointer_of(key), detail)),
        }
    }
    fields.absorb(part_faults);
    labels
}

pub(crate) fn timeout_s(fields: &mut Fields<'_>, key: &'static str, seconds: i64) -> u32 {
    if let Ok(seconds @ 1..=TIMEOUT_MAX_S) = u32::try_from(seconds) {
        return seconds;
    }
    fields.fault(key, format!("must be 1 to {TIMEOUT_MAX_S} seconds"));
    TIMEOUT_DEFAULT_S
}

/// Seconds before attempt 2, 3, …, at the field `key`.
pub(crate) fn schedule_s(fields: &mut Fields<'_>, key: &str, items: &[Value]) -> Vec<u32> {
    if items.len() > SCHEDULE_WAITS_MAX {
        fields
            .fault(key, format!("must hold at most {SCHEDULE_WAITS_MAX} waits, this holds {}", items.len()));
        return Vec::new();
    }
    let mut waits = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        match whole_number(item).and_then(|seconds| u32::try_from(seconds).ok()) {
            Some(seconds @ 1..=SCHEDULE_WAIT_MAX_S) => waits.push(seconds),
            _ => fields.fault_below(
                &format!("{key}/{index}"),
                format!("must be 1 to {SCHEDULE_WAIT_MAX_S} seconds"),
            ),
        }
    }
    waits
}

pub(crate) fn rate_limit(fields: &mut Fields<'_>, map: &Map<String, Value>) -> Option<RateLimit> {
    let mut part = Fields::new(map, fields.pointer_of("rate_limit"));
    let mut read = |key: &'static str, max: u32| {
        let sent = part.integer(key);
        let number = part.required(key, sent)?;
        let fitting = u32::try_from(number).ok().filter(|number| (1..=max).contains(number));
        if fitting.is_none() {
            part.fault(key, format!("must be 1 to {max}"));
        }
        fitting
    };
    let (calls, per_s) = (read("calls", RateLimit::CALLS_MAX), read("per_s", RateLimit::PER_S_MAX));
    fields.absorb(part.finish());
    Some(RateLimit { calls: calls?, per_s: per_s? })
}

pub(crate) fn concurrency_limit(fields: &mut Fields<'_>, count: i64) -> Option<u32> {
    let count = u32::try_from(count).ok().filter(|count| (1..=CONCURRENCY_MAX).contains(count));
    if count.is_none() {
        fields.fault("concurrency_limit", format!("must be 1 to {CONCURRENCY_MAX}"));
    }
    count
}

pub(crate) fn condition(fields: &mut Fields<'_>, key: &'static str, sent: &Value) -> Option<Condition> {
    match Condition::parse(sent, &fields.pointer_of(key)) {
        Ok(condition) => Some(condition),
        Err(faults) => {
            fields.absorb(faults);
            None
        }
    }
}
