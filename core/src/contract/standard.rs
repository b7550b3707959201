//! The `standard` contract: Standard Webhooks 1.0 (docs/wire.md D).
//!
//! The body is `{"type","timestamp","data"}`, and `object` where the event has one. `timestamp` is the time
//! of the event, while the header `webhook-timestamp` is that of the attempt.

use std::fmt::Write as _;

use serde_json::json;

use super::json::{quoted, quoted_or_null, raw};
use super::sample::{sample_kind, sample_object};
use super::source::Source;
use crate::event::NewEvent;
use crate::webhook::Definition;

/// The body. `data` stands in it byte for byte as the producer wrote it.
pub(super) fn render(source: &Source<'_>) -> String {
    let mut body = format!(
        r#"{{"type":{},"timestamp":"{}","data":{}"#,
        quoted(source.kind),
        source.accepted_at.to_rfc3339(),
        source.data.get().trim()
    );
    if let Some(object) = source.object {
        let (kind, name, version) =
            (quoted(&object.kind), quoted(&object.name), quoted_or_null(object.version.as_deref()));
        let _never_fails = write!(body, r#","object":{{"type":{kind},"name":{name},"version":{version}}}"#);
    }
    body.push('}');
    body
}

/// An event of the first pattern.
pub(super) fn sample_event(webhook: &Definition) -> NewEvent {
    let data = raw(&json!({"message": "This is a test from Postern."}));
    NewEvent {
        object: sample_object(webhook),
        labels: webhook.event_labels.clone(),
        ..NewEvent::new(sample_kind(webhook.events.first()), data)
    }
}
