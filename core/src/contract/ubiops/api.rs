//! UbiOps' API (docs/wire.md A.2, A.3): its bodies in, its objects out.
//!
//! Definitions are the same as everywhere; this module only knows UbiOps' names for their fields. The edge adds routes,
//! tokens and status codes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{EVENT_ENDINGS, OBJECT_TYPES, object_type_of, sample_event};
use crate::api::test::{TestStatus, TestView};
use crate::api::webhook::{HeaderView, WebhookView};
use crate::egress::Policy;
use crate::fault::{self, Faults, Fields, InputFault, Sent};
use crate::filter::EventPattern;
use crate::query;
use crate::time::Timestamp;
use crate::webhook::field::{self, Authorization, ProtectedField};
use crate::webhook::parse::Trial;
use crate::webhook::{Contract, Definition, ObjectFilter, WebhookName};

/// Parses UbiOps' Create body (docs/wire.md A.3).
///
/// # Errors
/// Not JSON, or every bad field.
pub fn create(body: &str, policy: &Policy) -> Result<Definition, InputFault> {
    let draft = fault::parse_json(body)?;
    let mut fields = Fields::of(&draft, "")?;
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
    let mut fields = Fields::of(&draft, "")?;
    let definition = new_definition(&mut fields, WebhookName::parse("test"), policy);
    let faults = fields.finish();
    match definition {
        Some(definition) if faults.is_empty() => {
            let event = sample_event(&definition);
            let retry = definition.retry;
            Ok(Trial { definition, event, retry })
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
        .map_or(field::TIMEOUT_DEFAULT_S, |seconds| field::timeout_s(fields, "timeout", seconds));
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

/// Applies UbiOps' Update body (docs/wire.md A.3): only the fields that were sent change, and `null` restores a
/// default.
///
/// # Errors
/// Not JSON, or every bad field.
pub fn update(current: &Definition, body: &str, policy: &Policy) -> Result<Definition, InputFault> {
    let patch = fault::parse_json(body)?;
    let mut fields = Fields::of(&patch, "")?;
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
        Sent::Null => updated.timeout_s = field::TIMEOUT_DEFAULT_S,
        Sent::Value(seconds) => updated.timeout_s = field::timeout_s(&mut fields, "timeout", seconds),
        Sent::Missing | Sent::Wrong => {}
    }
    if let Some(enabled) = read_flag(&mut fields, "enabled", true) {
        updated.enabled = enabled;
    }
    if let Some(retry) = read_flag(&mut fields, "retry", false) {
        updated.retry = retry;
    }
    if let Some(include_result) = read_flag(&mut fields, "include_result", false) {
        updated.include_result = include_result;
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

/// A flag, where `null` means the default.
fn read_flag(fields: &mut Fields<'_>, key: &'static str, default: bool) -> Option<bool> {
    match fields.flag(key) {
        Sent::Null => Some(default),
        Sent::Value(flag) => Some(flag),
        Sent::Missing | Sent::Wrong => None,
    }
}

/// UbiOps' list filter (docs/wire.md A.2). What is `None` or empty does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListFilter {
    /// What stands between the commas of `labels`. A value may hold a comma, and its text does not say which commas are its own: a
    /// webhook is listed if there is a reading in which it has all of the labels.
    pub labels: Vec<String>,
    /// The object's type.
    pub object_type: Option<String>,
    /// The event, as subscribed.
    pub event: Option<String>,
}

impl ListFilter {
    /// Reads the raw query `labels=k:v,k:v&object_type=&event=`. An empty value counts as not given. A part of `labels` without a
    /// colon goes on with the value before it: `labels=city:Zug, Switzerland,env:prod`.
    ///
    /// # Errors
    /// Every bad or unknown parameter.
    pub fn parse(query: &str) -> Result<Self, Faults> {
        let mut parameters = query::Parameters::parse(query)?;
        let labels = parameters.one("labels").filter(|text| !text.is_empty());
        if let Some(text) = &labels {
            parameters.label("labels", text);
        }
        let object_type = parameters.one("object_type").filter(|text| !text.is_empty());
        if let Some(object_type) = &object_type
            && !OBJECT_TYPES.contains(&object_type.as_str())
        {
            parameters.fault("object_type", "must be deployment or pipeline");
        }
        let event = parameters.one("event").filter(|text| !text.is_empty());
        if let Some(event) = &event
            && object_type_of(event).is_none()
        {
            parameters.fault("event", "must be an event such as deployment_request_finished");
        }
        let labels = labels.map(|text| text.split(',').map(String::from).collect()).unwrap_or_default();
        parameters.finish(Self { labels, object_type, event })
    }

    /// Whether the filter lets `webhook` through.
    #[must_use]
    pub fn matches(&self, webhook: &WebhookView) -> bool {
        self.has_labels(&webhook.labels)
            && self.object_type.as_ref().is_none_or(|kind| webhook.object.kind.as_ref() == Some(kind))
            && self.event.as_ref().is_none_or(|event| webhook.events.contains(event))
    }
}

impl ListFilter {
    /// The only label that can be meant, where there is only one reading.
    #[must_use]
    pub fn only_label(&self) -> Option<(String, String)> {
        let (first, rest) = self.labels.split_first()?;
        let (key, _value) = first.split_once(':')?;
        let text = self.labels.join(",");
        let value = text.get(key.len() + 1..)?;
        (!rest.iter().any(|part| part.contains(':'))).then(|| (String::from(key), String::from(value)))
    }

    /// Whether the parts can be read as labels that are all among `labels`. Each place between two parts is looked at once.
    fn has_labels(&self, labels: &BTreeMap<String, String>) -> bool {
        let parts = &self.labels;
        let mut ends_here: Vec<bool> = std::iter::once(true).chain(parts.iter().map(|_part| false)).collect();
        for (at, part) in parts.iter().enumerate() {
            let begins = ends_here.get(at).copied().unwrap_or_default();
            let label = part.split_once(':').and_then(|(key, begin)| Some((begin, labels.get(key)?)));
            let Some((begin, value)) = label.filter(|_| begins) else { continue };
            let mut left = value.strip_prefix(begin);
            for (next, end) in ends_here.iter_mut().enumerate().skip(at + 1) {
                let Some(rest) = left else { break };
                *end |= rest.is_empty();
                left = parts.get(next).and_then(|part| rest.strip_prefix(',')?.strip_prefix(part.as_str()));
            }
        }
        ends_here.last().copied().unwrap_or(true)
    }
}

/// A webhook as UbiOps shows it (docs/wire.md A.3): every field its client knows. A hidden header value is `null`,
/// never `""`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// A bare UUID.
    pub id: String,
    /// Unique in the project.
    pub name: String,
    /// Where to call.
    pub url: String,
    /// `deployment` or `pipeline`.
    pub object_type: Option<String>,
    /// The object's name.
    pub object_name: Option<String>,
    /// The object's version; null for any.
    pub version: Option<String>,
    /// The event (a webhook that was made natively may have more: the first).
    pub event: String,
    /// Extra headers.
    pub headers: Vec<HeaderView>,
    /// At most 400 characters.
    pub description: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Seconds.
    pub timeout: u32,
    /// Whether it takes events.
    pub enabled: bool,
    /// Whether failed calls are repeated.
    pub retry: bool,
    /// Whether callbacks carry `result`.
    pub include_result: bool,
    /// When it was created.
    pub creation_date: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
}

impl Detail {
    /// The UbiOps face of a webhook.
    #[must_use]
    pub fn of(webhook: &WebhookView) -> Self {
        let shown = |header: &HeaderView| HeaderView {
            value: header.value.clone().filter(|value| !header.protected && !value.is_empty()),
            ..header.clone()
        };
        Self {
            id: bare_uuid(&webhook.id),
            name: webhook.name.clone(),
            url: webhook.url.clone(),
            object_type: webhook.object.kind.clone(),
            object_name: webhook.object.name.clone(),
            version: webhook.object.version.clone(),
            event: webhook.events.first().cloned().unwrap_or_default(),
            headers: webhook.headers.iter().map(shown).collect(),
            description: webhook.description.clone(),
            labels: webhook.labels.clone(),
            timeout: webhook.timeout_s,
            enabled: webhook.enabled,
            retry: webhook.retry,
            include_result: webhook.include_result,
            creation_date: webhook.created_at,
            last_updated: webhook.updated_at,
        }
    }
}

/// A test as UbiOps shows it (docs/wire.md A.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TestDetail {
    /// A bare UUID.
    pub id: String,
    /// `pending`, `completed` or `failed`.
    pub status: TestStatus,
    /// Why it failed.
    pub error_message: Option<String>,
}

impl TestDetail {
    /// The UbiOps face of a test.
    #[must_use]
    pub fn of(test: &TestView) -> Self {
        Self { id: bare_uuid(&test.id), status: test.status, error_message: test.error_message.clone() }
    }
}

/// A public id without its prefix.
fn bare_uuid(id: &str) -> String {
    String::from(id.split_once('_').map_or(id, |(_, uuid)| uuid))
}
