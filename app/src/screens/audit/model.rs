//! The audit log in words.

use postern_core::api::audit::{ActorKind, AuditEntry};
use postern_core::change::Change;
use serde_json::Value;

use crate::ui::rows::store::Row;

impl Row for AuditEntry {
    fn id(&self) -> &str {
        &self.id
    }
}

/// What was done, such as "Webhook secret rotated".
///
/// Made of the action's own name, so that an action which is newer than this page is said too.
pub(crate) fn words_of(entry: &AuditEntry) -> String {
    let words = entry.action.as_str().replace(['.', '_'], " ");
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase()).unwrap_or_default();
    format!("{first}{}", letters.as_str())
}

/// What kind of actor it was, and from where.
pub(crate) fn origin_of(entry: &AuditEntry) -> String {
    let kind = match entry.actor.kind {
        ActorKind::Token => "token",
        ActorKind::Admin => "administrator",
        ActorKind::Postern => "of its own accord",
    };
    entry.address.as_ref().map_or_else(|| String::from(kind), |address| format!("{kind} · {address}"))
}

/// A field before and after: what was not there is nothing.
pub(crate) fn sides(change: &Change) -> (Option<String>, Option<String>) {
    (side(&change.from), side(&change.to))
}

/// A value as it is shown: a text as it is, anything else as JSON, null not at all.
fn side(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry() -> AuditEntry {
        serde_json::from_value(json!({
            "id": "aud_1", "at": "2026-11-21T09:30:00.000Z", "actor": {"kind": "token", "id": "tok_1", "name": "ci"},
            "address": "203.0.113.9", "request_id": null, "action": "webhook.secret_rotated",
            "subject": {"kind": "webhook", "name": "w"}, "changes": {},
        }))
        .expect("an entry")
    }

    #[test]
    fn an_entry_is_told_in_words() {
        assert_eq!(words_of(&entry()), "Webhook secret rotated");
        assert_eq!(origin_of(&entry()), "token · 203.0.113.9");
        assert_eq!(origin_of(&AuditEntry { address: None, ..entry() }), "token");
    }

    #[test]
    fn what_postern_does_itself_has_no_address() {
        let own: AuditEntry = serde_json::from_value(json!({
            "id": "aud_2", "at": "2026-11-21T09:30:00.000Z", "actor": {"kind": "postern", "id": null, "name": "postern"},
            "address": null, "request_id": null, "action": "webhook.disabled", "subject": {"kind": "webhook", "name": "w"}, "changes": {},
        }))
        .expect("an entry");
        assert_eq!(
            (words_of(&own).as_str(), origin_of(&own).as_str()),
            ("Webhook disabled", "of its own accord")
        );
    }

    #[test]
    fn a_field_shows_what_it_was_and_what_it_is() {
        let change = Change { from: Value::Null, to: json!({"n": 1}) };
        assert_eq!(sides(&change), (None, Some(String::from("{\"n\":1}"))));
        assert_eq!(
            sides(&Change { from: json!("set"), to: json!("changed") }),
            (Some(String::from("set")), Some(String::from("changed")))
        );
    }
}
