//! UbiOps' bodies: what a client sends.

use std::collections::BTreeMap;

use crate::contract::ubiops::{EVENT_ENDINGS, OBJECT_TYPES, object_type_of, sample_event};
use crate::egress::Policy;
use crate::fault::{self, Fields, InputFault, Sent};
use crate::filter::EventPattern;
use crate::webhook::field::{self, Authorization, ProtectedField};
use crate::webhook::parse::Trial;
use crate::webhook::{Contract, Definition, ObjectFilter, TIMEOUT_DEFAULT_S, WebhookName};

/// Parses UbiOps' Create body (docs/wire.md A.3).
///
/// # Errors
/// Not JSON, or every bad field.
pub fn create(body: &str, policy: &Policy) -> Result<Definition, InputFault> {
    let draft = fault::parse_json(body)?;
    let mut fields = Fields::from_value(&draft, "")?;
    let name = fields.text("name");
    let name = fields.required("name", name).and_then(|text| field::name(&mut fields, text));
    let definition = new_definition(&mut fields, name, policy);
    let description = read_description(&mut fields);
    let labels = read_labels(&mut fields);
    let enabled = fields.flag("enabled").value();
    let faults = fields.finish();
    match definition {
        Some(definition) if faults.is_empty() => Ok(Definition {
            description: description.unwrap_or_default(),
            labels: labels.unwrap_or_default(),
            enabled: enabled.unwrap_or(true),
            ..definition
        }),
        _ => Err(faults.into()),
    }
}

/// Parses UbiOps' TestCreate body (docs/wire.md A.3): what to call and a sample of the event that it names.
///
/// # Errors
/// Not JSON, or every bad field.
pub fn test_create(body: &str, policy: &Policy) -> Result<Trial, InputFault> {
    let draft = fault::parse_json(body)?;
    let mut fields = Fields::from_value(&draft, "")?;
    let definition = new_definition(&mut fields, WebhookName::parse("test"), policy);
    let faults = fields.finish();
    match definition {
        Some(definition) if faults.is_empty() => {
            let event = sample_event(&definition);
            let retry = definition.retry;
            Ok(Trial { definition, event, retry, variation: None })
        }
        _ => Err(faults.into()),
    }
}

/// Reads the fields that Create and TestCreate have in common; the others get their defaults.
fn new_definition(fields: &mut Fields<'_>, name: Option<WebhookName>, policy: &Policy) -> Option<Definition> {
    let url = fields.text("url");
    let url = fields.required("url", url).and_then(|text| field::url(fields, text, policy));
    let object_type = fields.text("object_type");
    let object_type = fields.required("object_type", object_type).and_then(|text| {
        let known = OBJECT_TYPES.into_iter().find(|known| *known == text);
        if known.is_none() {
            fields.fault("object_type", "must be deployment or pipeline");
        }
        known
    });
    let object_name = fields.text("object_name");
    let object_name = fields
        .required("object_name", object_name)
        .and_then(|text| field::object_part(fields, "object_name", text));
    let version = fields.text("version").value().and_then(|text| field::object_part(fields, "version", text));
    let event = fields.text("event");
    let event = fields.required("event", event).and_then(|text| read_event(fields, text, object_type));
    let headers = fields.list("headers").value();
    let headers =
        headers.map(|items| field::headers(fields, items, &[], ProtectedField::Required)).unwrap_or_default();
    let timeout_s = fields
        .integer("timeout")
        .value()
        .map_or(TIMEOUT_DEFAULT_S, |seconds| field::timeout_s(fields, "timeout", seconds));
    let retry = fields.flag("retry").value().unwrap_or(false);
    let include_result = fields.flag("include_result").value().unwrap_or(false);
    let url = url?;
    let mut definition = Definition {
        object: ObjectFilter { kind: Some(String::from(object_type?)), name: Some(object_name?), version },
        headers,
        timeout_s,
        retry,
        include_result,
        ..Definition::new(name?, url.url, Contract::Ubiops, vec![event?])
    };
    field::add_authorization(fields, &mut definition, url.authorization, Authorization::MustBeNew);
    Some(definition)
}

/// Applies UbiOps' Update body (docs/wire.md A.3): only the fields that were sent change, and `null` restores
/// a default.
///
/// # Errors
/// Not JSON, or every bad field.
pub fn update(current: &Definition, body: &str, policy: &Policy) -> Result<Definition, InputFault> {
    let patch = fault::parse_json(body)?;
    let mut fields = Fields::from_value(&patch, "")?;
    let mut updated = current.clone();
    let name = fields.text("name");
    if let Some(name) = fields.not_null("name", name).value().and_then(|text| field::name(&mut fields, text))
    {
        updated.name = name;
    }
    let event = fields.text("event");
    if let Some(text) = fields.not_null("event", event).value()
        && let Some(event) = read_event(&mut fields, text, current.object.kind.as_deref())
    {
        updated.events = vec![event];
    }
    let headers = fields.list("headers");
    field::update_headers(&mut fields, &mut updated, headers, &current.headers, ProtectedField::Required);
    let url = fields.text("url");
    if let Some(url) =
        fields.not_null("url", url).value().and_then(|text| field::url(&mut fields, text, policy))
    {
        updated.url = url.url;
        let rule = if matches!(headers, Sent::Value(_)) {
            Authorization::MustBeNew
        } else {
            Authorization::Replaces
        };
        field::add_authorization(&mut fields, &mut updated, url.authorization, rule);
    }
    if let Some(description) = read_description(&mut fields) {
        updated.description = description;
    }
    if let Some(labels) = read_labels(&mut fields) {
        updated.labels = labels;
    }
    match fields.integer("timeout") {
        Sent::Null => updated.timeout_s = TIMEOUT_DEFAULT_S,
        Sent::Value(seconds) => updated.timeout_s = field::timeout_s(&mut fields, "timeout", seconds),
        Sent::Missing | Sent::Wrong => {}
    }
    // `null` means the default.
    for (key, default, flag) in [
        ("enabled", true, &mut updated.enabled),
        ("retry", false, &mut updated.retry),
        ("include_result", false, &mut updated.include_result),
    ] {
        match fields.flag(key) {
            Sent::Null => *flag = default,
            Sent::Value(sent) => *flag = sent,
            Sent::Missing | Sent::Wrong => {}
        }
    }
    let faults = fields.finish();
    if faults.is_empty() { Ok(updated) } else { Err(faults.into()) }
}

/// An event that `object_type` has; where the object is not known (it is faulty), any of UbiOps' events.
fn read_event(fields: &mut Fields<'_>, text: &str, object_type: Option<&str>) -> Option<EventPattern> {
    let fits = object_type_of(text).is_some_and(|found| object_type.is_none_or(|wanted| wanted == found));
    if !fits {
        let object_types = object_type.map_or_else(|| OBJECT_TYPES.to_vec(), |one| vec![one]);
        let known = object_types
            .iter()
            .flat_map(|kind| EVENT_ENDINGS.iter().map(move |ending| format!("{kind}_request_{ending}")));
        fields.fault("event", format!("must be one of {}", known.collect::<Vec<_>>().join(", ")));
        return None;
    }
    EventPattern::parse(text)
}

fn read_description(fields: &mut Fields<'_>) -> Option<String> {
    match fields.text("description") {
        Sent::Null => Some(String::new()),
        Sent::Value(text) => Some(field::description(fields, text)),
        Sent::Missing | Sent::Wrong => None,
    }
}

fn read_labels(fields: &mut Fields<'_>) -> Option<BTreeMap<String, String>> {
    match fields.object("labels") {
        Sent::Null => Some(BTreeMap::new()),
        Sent::Value(map) => Some(field::labels(fields, "labels", map)),
        Sent::Missing | Sent::Wrong => None,
    }
}
