//! UP42's API (docs/wire.md B.3): its bodies in, its objects out, both in their envelope `{"data": …, "error": null}`.
//!
//! Definitions are the same as everywhere; this module only knows UP42's names for their fields. The edge adds routes,
//! tokens and status codes.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::EVENTS;
use crate::api::event::EventTypeView;
use crate::api::webhook::WebhookView;
use crate::egress::Policy;
use crate::fault::{self, Fields, InputFault, Sent};
use crate::filter::EventPattern;
use crate::id::Kind;
use crate::time::Timestamp;
use crate::webhook::field::{self, Authorization};
use crate::webhook::{Contract, Definition, ProjectName, WebhookName};

/// Characters of somebody's event name that a fault repeats at most.
const SHOWN_CHARS_MAX: usize = 60;

/// Parses the body of `POST webhooks`. `known` are the events that there are: UP42's and those of the project's catalogue.
///
/// # Errors
/// Not JSON, or every bad field.
pub fn create(body: &str, policy: &Policy, known: &[&str]) -> Result<Definition, InputFault> {
    let draft = fault::parse_json(body)?;
    let mut fields = Fields::of(&draft, "")?;
    let read = Read::of(&mut fields, policy, known);
    let (name, url, events) = (read.name, read.url, read.events);
    let mut definition = None;
    if let (Some(name), Some(url), Some(events)) = (name, url, events) {
        let mut made = Definition {
            enabled: read.active.unwrap_or(false),
            secret: read.secret.flatten(),
            ..Definition::new(name, url.url, Contract::Up42, events)
        };
        field::add_authorization(&mut fields, &mut made, url.authorization, Authorization::MustBeNew);
        definition = Some(made);
    }
    let faults = fields.finish();
    definition.filter(|_| faults.is_empty()).ok_or_else(|| InputFault::from(faults))
}

/// Applies the body of `PUT webhooks/{id}`: name, URL, events, secret and `active` are replaced, what UP42 does not know of
/// stays. A body without `secret` or `active` leaves that as it is; the SDK always sends both.
///
/// Events that the webhook has already may be sent back although `known` does not hold them: the SDK reads a webhook and
/// writes all of it.
///
/// # Errors
/// Not JSON, or every bad field.
pub fn update(
    current: &Definition,
    body: &str,
    policy: &Policy,
    known: &[&str],
) -> Result<Definition, InputFault> {
    let draft = fault::parse_json(body)?;
    let mut fields = Fields::of(&draft, "")?;
    for made_here in ["id", "createdAt", "updatedAt"] {
        fields.expect(made_here);
    }
    let own = current.events.iter().map(EventPattern::as_str);
    let known: Vec<&str> = known.iter().copied().chain(own).collect();
    let read = Read::of(&mut fields, policy, &known);
    let mut updated = current.clone();
    if let Some(name) = read.name {
        updated.name = name;
    }
    if let Some(url) = read.url {
        updated.url = url.url;
        field::add_authorization(&mut fields, &mut updated, url.authorization, Authorization::Replaces);
    }
    if let Some(events) = read.events {
        updated.events = events;
    }
    if let Some(active) = read.active {
        updated.enabled = active;
    }
    if let Some(secret) = read.secret {
        updated.secret = secret;
        updated.previous_secrets = Vec::new();
    }
    let faults = fields.finish();
    if faults.is_empty() { Ok(updated) } else { Err(faults.into()) }
}

/// The five fields, as far as they are good. The last two are `None` where they were not sent.
#[expect(clippy::option_option, reason = "not sent and sent as none are two things")]
struct Read {
    name: Option<WebhookName>,
    url: Option<crate::egress::Target>,
    events: Option<Vec<EventPattern>>,
    active: Option<bool>,
    secret: Option<Option<String>>,
}

impl Read {
    fn of(fields: &mut Fields<'_>, policy: &Policy, known: &[&str]) -> Self {
        let name = fields.text("name");
        let name = fields.required("name", name).and_then(|text| field::name(fields, text));
        let url = fields.text("url");
        let url = fields.required("url", url).and_then(|text| field::url(fields, text, policy));
        let events = fields.list("events");
        let events = fields.required("events", events).and_then(|items| read_events(fields, items, known));
        let secret = match fields.text("secret") {
            Sent::Missing | Sent::Wrong => None,
            // UP42's own samples write "" for none.
            Sent::Null | Sent::Value("") => Some(None),
            Sent::Value(text) => Some(field::secret(fields, text, Contract::Up42)),
        };
        let active = fields.flag("active");
        let active = fields.not_null("active", active).value();
        Self { name, url, events, active, secret }
    }
}

/// A list of events that there are. One text that names several, as UP42's documentation shows it, is none.
fn read_events(fields: &mut Fields<'_>, items: &[Value], known: &[&str]) -> Option<Vec<EventPattern>> {
    if items.is_empty() {
        fields.fault("events", format!("must name at least one event: {}", EVENTS.join(", ")));
        return None;
    }
    let mut all_known = true;
    for (index, item) in items.iter().enumerate().take(field::EVENTS_MAX) {
        if let Some(text) = item.as_str()
            && !known.contains(&text)
        {
            let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
            let known = known.iter().take(field::EVENTS_MAX).copied().collect::<Vec<_>>().join(", ");
            let hint = if text.contains(',') { "; write each event as a string of its own" } else { "" };
            fields.fault_below(
                &format!("events/{index}"),
                format!("there is no event {shown:?}, there are {known}{hint}"),
            );
            all_known = false;
        }
    }
    if all_known { field::events(fields, items) } else { None }
}

/// A webhook as UP42 shows it. Every field is always there: the SDK up to 1.0.3 fails on a missing one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// A bare UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where to call.
    pub url: String,
    /// Event types.
    pub events: Vec<String>,
    /// Whether it takes events.
    pub active: bool,
    /// In clear, because the SDK writes back what it reads (docs/wire.md B.3); `""` where there is none, null where the caller
    /// may not know it.
    pub secret: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Webhook {
    /// The UP42 face of a webhook, with its plain secret if the caller may know it.
    #[must_use]
    pub fn of(webhook: &WebhookView, secret: Secrecy) -> Self {
        Self {
            id: String::from(webhook.id.strip_prefix(Kind::Webhook.prefix()).unwrap_or(&webhook.id)),
            name: webhook.name.clone(),
            url: webhook.url.clone(),
            events: webhook.events.clone(),
            active: webhook.enabled,
            secret: match secret {
                Secrecy::Hidden => None,
                Secrecy::Open(secret) => Some(secret.unwrap_or_default()),
            },
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
        }
    }
}

/// What a caller may know of a secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Secrecy {
    /// Nothing, not even whether there is one.
    Hidden,
    /// All: in clear, or that there is none.
    Open(Option<String>),
}

impl std::fmt::Debug for Secrecy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if *self == Self::Hidden { "Hidden" } else { "Open" })
    }
}

/// The public id of the webhook that UP42 calls so.
#[must_use]
pub fn webhook_id(uuid: &str) -> String {
    format!("{}{uuid}", Kind::Webhook.prefix())
}

/// An event as `GET webhooks/events` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventEntry {
    /// What webhooks subscribe to.
    pub name: String,
    /// For people.
    pub title: String,
    /// What it belongs to.
    pub category: String,
    /// When it happens.
    pub description: String,
    /// An address to read on; empty where there is none.
    pub documentation: String,
}

/// The events that a project has: UP42's, then those that its catalogue offers.
#[must_use]
pub fn event_entries(catalogue: &[EventTypeView]) -> Vec<EventEntry> {
    let own = [
        ("job.status", "Job status", "The status of a job has changed."),
        ("order.status", "Order status", "An order has been fulfilled or has failed."),
    ];
    let entry = |name: &str, title: &str, description: &str| EventEntry {
        name: String::from(name),
        title: String::from(title),
        category: category_of(name),
        description: String::from(description),
        documentation: String::new(),
    };
    let others = catalogue.iter().filter(|kind| !kind.archived && !EVENTS.contains(&kind.name.as_str()));
    let others = others.map(|kind| entry(&kind.name, &kind.name, &kind.description));
    own.iter().map(|(name, title, description)| entry(name, title, description)).chain(others).collect()
}

/// What stands before the first dot, such as `JOB`.
fn category_of(name: &str) -> String {
    name.split('.').next().unwrap_or(name).to_uppercase()
}

/// What came of `POST webhooks/{id}/tests`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TestsRun {
    /// When the first call began.
    pub started_at: Timestamp,
    /// Calls made, one for each event.
    pub tests_run: usize,
    /// Calls that the receiver took.
    pub tests_succeeded: usize,
}

/// `data` in the envelope of an answer.
#[must_use]
pub fn answer<T: Serialize>(data: &T) -> Value {
    json!({ "data": data, "error": null })
}

/// The answer that tells a failure.
#[must_use]
pub fn error(status: u16, message: &str) -> Value {
    json!({ "data": null, "error": { "code": status, "message": message } })
}

/// The UUID of a project's workspace: always the same one for a name (RFC 9562 version 8: bits of a digest).
#[must_use]
pub fn workspace_id(project: &ProjectName) -> String {
    let digest = Sha256::digest(format!("postern/up42/workspace/{}", project.as_str()).as_bytes());
    let mut hex = String::with_capacity(36);
    for (index, byte) in digest.iter().take(16).enumerate() {
        let byte = match index {
            6 => byte & 0x0f | 0x80,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        if matches!(index, 4 | 6 | 8 | 10) {
            hex.push('-');
        }
        let _never_fails = write!(hex, "{byte:02x}");
    }
    hex
}
