//! The `up42` contract: what UP42 POSTs and how it signs (docs/wire.md B.4 and B.5), in [`api`] UP42's own
//! API in both directions, in [`login`] the way into it.
//!
//! UP42's signature covers only the headers that it lists, so one of them is a digest of the body, and one
//! says when it was signed. Beside it stand the headers of Standard Webhooks, which bind time, id and body
//! together.

use serde_json::{Value, json};

use super::json::{quoted, raw};
use super::sample::{sample_kind, sample_object};
use super::source::Source;
use crate::event::NewEvent;
use crate::filter::EventPattern;
use crate::signing::{self, Secret, SecretKind};
use crate::time::Timestamp;
use crate::webhook::Definition;

/// Characters of a secret at most.
pub const SECRET_CHARS_MAX: usize = 75;
/// The events that UP42 has (docs/wire.md B.3).
pub const EVENTS: [&str; 2] = ["job.status", "order.status"];
/// The headers of a signature, in the order in which they are sent. The first two are those that the third
/// lists.
pub const SIGNATURE_HEADERS: [&str; 4] = ["date", "digest", "signature-input", "signature"];

/// Checks a secret that somebody chose: any text of 1 to 75 characters.
///
/// # Errors
/// What is wrong with it, in words; never repeats the secret.
pub fn check_secret(text: &str) -> Result<(), String> {
    match text.chars().count() {
        0 => Err(String::from("must not be empty; null means that callbacks are not signed")),
        1..=SECRET_CHARS_MAX => Ok(()),
        chars => Err(format!("must be at most {SECRET_CHARS_MAX} characters, this has {chars}")),
    }
}

/// The key of the Standard Webhooks signature. A secret in their own form (`whsec_…`, which Postern makes
/// where a secret is rotated) is read as their libraries read it; any other text is the key itself.
#[must_use]
pub fn standard_secret(text: &str) -> Secret {
    Secret::parse(text)
        .ok()
        .filter(|secret| secret.kind() == SecretKind::V1)
        .unwrap_or_else(|| Secret::from_text(text))
}

/// The body: `data` stands in it byte for byte as the producer wrote it.
pub(super) fn render(source: &Source<'_>) -> String {
    format!(r#"{{"event":{},"body":{}}}"#, quoted(source.kind), source.data.get().trim())
}

/// UP42's signature (docs/wire.md B.5): the HMAC-SHA256 under the secret's UTF-8 of the values of the listed
/// headers, with nothing between them.
pub(super) fn signature_headers(secret: &str, now: Timestamp, body: &[u8]) -> [(&'static str, String); 4] {
    let date = now.to_http_date();
    let digest = format!("SHA-256={}", signing::sha256_base64(body));
    let [date_name, digest_name, input_name, signature_name] = SIGNATURE_HEADERS;
    let input = format!(r#"up42-sig=("{date_name}" "{digest_name}");created={}"#, now.unix_s());
    let signature =
        format!("up42-sig={}", signing::hmac_base64(secret.as_bytes(), format!("{date}{digest}").as_bytes()));
    [(date_name, date), (digest_name, digest), (input_name, input), (signature_name, signature)]
}

/// An event of the first subscription.
pub(super) fn sample_event(webhook: &Definition) -> NewEvent {
    let kind = webhook.events.first().and_then(|pattern| kinds_of(pattern, &EVENTS).into_iter().next());
    sample_of(webhook, kind.as_deref().unwrap_or(EVENTS[0]))
}

/// The event types that a pattern stands for: itself, or those of `known` that it matches, or else an
/// invented one below it.
pub(crate) fn kinds_of(pattern: &EventPattern, known: &[&str]) -> Vec<String> {
    if !pattern.as_str().ends_with('*') {
        return vec![String::from(pattern.as_str())];
    }
    let matched: Vec<String> =
        known.iter().filter(|kind| pattern.matches(kind)).map(|kind| String::from(*kind)).collect();
    if matched.is_empty() { vec![sample_kind(Some(pattern))] } else { matched }
}

/// An event of type `kind`; those of UP42 say a status that they really have (docs/wire.md B.4).
pub(crate) fn sample_of(webhook: &Definition, kind: &str) -> NewEvent {
    const MESSAGE: &str = "This is a test from Postern.";
    let data: Value = match kind {
        "job.status" => json!({"status": "SUCCEEDED", "message": MESSAGE}),
        "order.status" => json!({"status": "FULFILLED", "message": MESSAGE}),
        _ => json!({"message": MESSAGE}),
    };
    NewEvent {
        object: sample_object(webhook),
        labels: webhook.event_labels.clone(),
        ..NewEvent::new(String::from(kind), raw(&data))
    }
}
