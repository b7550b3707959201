//! Contracts: how a callback's body looks and which answers count as delivered.

pub mod actinia;
pub mod standard;
pub mod ubiops;
pub mod up42;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::event::{NewEvent, ObjectRef};
use crate::filter::EventPattern;
use crate::signing::{self, Secret};
use crate::time::Timestamp;
use crate::webhook::{Contract, Definition, header};

/// The event that a body is made of.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The event type.
    pub kind: &'a str,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// `data` as the producer wrote it.
    pub data: &'a RawValue,
    /// What it happened to.
    pub object: Option<&'a ObjectRef>,
}

/// The part of a definition that shapes the body. Kept with each attempt, so that the exact bytes can be shown later
/// although the definition has changed: [`render`] is a pure function of event and rendering.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Rendering {
    /// The contract.
    pub contract: Contract,
    /// The event name that the body carries, where it is not the event's own type (`ubiops`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscribed_event: Option<String>,
    /// Whether `result` is included (`ubiops`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub include_result: bool,
}

impl Rendering {
    /// The rendering of an event of type `kind` for `webhook`.
    #[must_use]
    pub fn of(webhook: &Definition, kind: &str) -> Self {
        match webhook.contract {
            Contract::Standard | Contract::Up42 => {
                Self { contract: webhook.contract, subscribed_event: None, include_result: false }
            }
            Contract::Ubiops => Self {
                contract: Contract::Ubiops,
                subscribed_event: ubiops::subscribed_event(webhook, kind),
                include_result: webhook.include_result,
            },
        }
    }
}

/// The body's exact text.
#[must_use]
pub fn render(rendering: &Rendering, source: &Source<'_>) -> String {
    match rendering.contract {
        Contract::Standard => standard::render(source),
        Contract::Ubiops => ubiops::render(rendering, source),
        Contract::Up42 => up42::render(source),
    }
}

/// Whether an answer with `status` counts as delivered.
#[must_use]
pub const fn counts_as_delivered(contract: Contract, status: u16) -> bool {
    match contract {
        Contract::Standard | Contract::Up42 => matches!(status, 200..=299),
        Contract::Ubiops => matches!(status, 200..=399),
    }
}

/// Everything of a callback but its URL: header names in lower case, in the order they are set.
#[derive(Clone, PartialEq, Eq)]
pub struct Callback {
    /// Names and values, the protected ones in clear.
    pub headers: Vec<(String, String)>,
    /// The same list as it may be shown: protected values and every `authorization` are `••••••••`.
    pub shown_headers: Vec<(String, String)>,
    /// The exact bytes.
    pub body: String,
}

/// What hidden values are shown as.
pub const HIDDEN: &str = "••••••••";

/// A stored secret of a webhook with this contract.
///
/// # Errors
/// It is none: a bug or a damaged store; never repeats the secret.
pub fn secret_of(contract: Contract, text: &str) -> Result<Secret, signing::SecretFault> {
    match contract {
        Contract::Standard | Contract::Ubiops => Secret::parse(text),
        Contract::Up42 => Ok(up42::standard_secret(text)),
    }
}

/// Headers that a contract sets itself, so that a webhook may not: names in lower case.
#[must_use]
pub const fn own_headers(contract: Contract) -> &'static [&'static str] {
    match contract {
        Contract::Standard | Contract::Ubiops => &[],
        Contract::Up42 => &up42::SIGNATURE_HEADERS,
    }
}

/// Builds the callback: body, Standard Webhooks headers, signature, the webhook's own headers.
///
/// `webhook` must hold plain (unsealed) secrets. It is signed with the current one first, then with every one before it that
/// has not expired at `now`. UP42's own signature, beside, knows one secret only: the current one.
///
/// # Errors
/// A stored secret is not a secret (a bug or a damaged store), or this build can't sign with it: the fault, never the secret.
pub fn build(
    webhook: &Definition,
    rendering: &Rendering,
    source: &Source<'_>,
    message_id: &str,
    now: Timestamp,
) -> Result<Callback, signing::SecretFault> {
    let body = render(rendering, source);
    let timestamp_s = now.unix_s();
    let own = |name: &str, value: &str| Line {
        name: String::from(name),
        value: String::from(value),
        is_hidden: false,
    };
    let mut lines = vec![
        own("content-type", "application/json"),
        own("user-agent", USER_AGENT),
        own("accept", ACCEPT),
        own("webhook-id", message_id),
        own("webhook-timestamp", &timestamp_s.to_string()),
    ];
    let secrets = webhook
        .signing_secrets(now)
        .map(|text| secret_of(webhook.contract, text))
        .collect::<Result<Vec<_>, _>>()?;
    if !secrets.is_empty() {
        lines.push(own(
            "webhook-signature",
            &signing::sign(&secrets, message_id, timestamp_s, body.as_bytes())?,
        ));
    }
    if let (Contract::Up42, Some(secret)) = (webhook.contract, webhook.secret.as_deref()) {
        for (name, value) in up42::signature_headers(secret, now, body.as_bytes()) {
            lines.push(own(name, &value));
        }
    }
    for header in &webhook.headers {
        let name = header.key.to_ascii_lowercase();
        // Refused by the parser; a webhook that had it before the name was refused must not forge a signature.
        if header::is_own(&name, webhook.contract) || header::refusal(&name).is_some() {
            continue;
        }
        let line = Line {
            is_hidden: header.protected || name == "authorization",
            value: header.value.clone(),
            name,
        };
        match lines.iter_mut().find(|earlier| earlier.name == line.name) {
            // Only those that a webhook may replace (`webhook::header`).
            Some(earlier) => *earlier = line,
            None => lines.push(line),
        }
    }
    let shown = |line: &Line| String::from(if line.is_hidden { HIDDEN } else { line.value.as_str() });
    Ok(Callback {
        shown_headers: lines.iter().map(|line| (line.name.clone(), shown(line))).collect(),
        headers: lines.into_iter().map(|line| (line.name, line.value)).collect(),
        body,
    })
}

/// What callbacks call themselves.
pub const USER_AGENT: &str = "Postern/0.1 (+https://github.com/postern)";

/// What callbacks take as an answer: anything, which is what leaving the header out means, too (RFC 9110 12.5.1). Firewalls with the usual
/// rules (OWASP CRS 920300) refuse requests without it.
pub const ACCEPT: &str = "*/*";

/// A header that is about to be sent.
struct Line {
    name: String,
    value: String,
    is_hidden: bool,
}

/// An event that `webhook` would take (but for its payload condition), for tests and previews where nobody wrote one.
#[must_use]
pub fn sample_event(webhook: &Definition) -> NewEvent {
    match webhook.contract {
        Contract::Standard => standard::sample_event(webhook),
        Contract::Ubiops => ubiops::sample_event(webhook),
        Contract::Up42 => up42::sample_event(webhook),
    }
}

/// The object that a webhook's filter describes, where it describes one: the parts it leaves open are filled with
/// `example`.
fn sample_object(webhook: &Definition) -> Option<ObjectRef> {
    let filter = &webhook.object;
    if *filter == crate::webhook::ObjectFilter::default() {
        return None;
    }
    let part = |text: &Option<String>| text.clone().unwrap_or_else(|| String::from("example"));
    Some(ObjectRef { kind: part(&filter.kind), name: part(&filter.name), version: filter.version.clone() })
}

/// An event type that `pattern` matches.
fn sample_kind(pattern: Option<&EventPattern>) -> String {
    match pattern.map(EventPattern::as_str) {
        // Nothing below `postern.`: everything does not mean Postern's own events.
        None | Some("*") => String::from("example.test"),
        Some(text) => match text.strip_suffix(".*") {
            Some(stem) => format!("{stem}.test"),
            None => String::from(text),
        },
    }
}

/// `value` as JSON text that is kept as written.
fn raw(value: &serde_json::Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap_or_else(|_never| RawValue::NULL.to_owned())
}

/// `text` as a JSON string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// `text` as a JSON string, or `null`.
fn quoted_or_null(text: Option<&str>) -> String {
    text.map_or_else(|| String::from("null"), quoted)
}

#[cfg(test)]
mod tests;
