//! UP42's bodies: what a client sends.

use serde_json::Value;

use crate::contract::up42::EVENTS;
use crate::egress::Policy;
use crate::fault::{self, Fields, InputFault, Sent};
use crate::filter::EventPattern;
use crate::webhook::field::{self, Authorization};
use crate::webhook::{Contract, Definition, WebhookName};

/// Characters of somebody's event name that a fault repeats at most.
const SHOWN_CHARS_MAX: usize = 60;

/// Parses the body of `POST webhooks`. `known` are the events that there are: UP42's and those of the
/// project's catalogue.
///
/// # Errors
/// Not JSON, or every bad field.
pub fn create(body: &str, policy: &Policy, known: &[&str]) -> Result<Definition, InputFault> {
    let draft = fault::parse_json(body)?;
    let mut fields = Fields::from_value(&draft, "")?;
    let read = Read::from_fields(&mut fields, policy, known);
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

/// Applies the body of `PUT webhooks/{id}`: name, URL, events, secret and `active` are replaced, what UP42
/// does not know of stays. A body without `secret` or `active` leaves that as it is; the SDK always sends
/// both.
///
/// Events that the webhook has already may be sent back although `known` does not hold them: the SDK reads a
/// webhook and writes all of it.
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
    let mut fields = Fields::from_value(&draft, "")?;
    for made_here in ["id", "createdAt", "updatedAt"] {
        fields.expect(made_here);
    }
    let own = current.events.iter().map(EventPattern::as_str);
    let known: Vec<&str> = known.iter().copied().chain(own).collect();
    let read = Read::from_fields(&mut fields, policy, &known);
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
#[expect(clippy::option_option, reason = "an absent secret and an empty one are two things")]
struct Read {
    name: Option<WebhookName>,
    url: Option<crate::egress::Target>,
    events: Option<Vec<EventPattern>>,
    active: Option<bool>,
    secret: Option<Option<String>>,
}

impl Read {
    fn from_fields(fields: &mut Fields<'_>, policy: &Policy, known: &[&str]) -> Self {
        let name = fields.text("name");
        let name = fields.required("name", name).and_then(|text| field::name(fields, text));
        let url = fields.text("url");
        let url = fields.required("url", url).and_then(|text| field::url(fields, text, policy));
        let events = fields.list("events");
        let events = fields.required("events", events).and_then(|items| read_events(fields, items, known));
        let secret = match fields.text("secret") {
            Sent::Missing | Sent::Wrong => None,
            // UP42's own samples write "" for "no secret".
            Sent::Null | Sent::Value("") => Some(None),
            Sent::Value(text) => Some(field::secret(fields, text, Contract::Up42)),
        };
        let active = fields.flag("active");
        let active = fields.not_null("active", active).value();
        Self { name, url, events, active, secret }
    }
}

/// Known events only. A single comma-separated string, as UP42's documentation shows it, is rejected.
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
                format!("{shown:?} is not a known event; known are {known}{hint}"),
            );
            all_known = false;
        }
    }
    if all_known { field::events(fields, items) } else { None }
}
