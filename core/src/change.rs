//! What changed in a thing, field by field: for the audit log and for the plan of a configuration.
//!
//! Secrets, protected header values and the values of headers whose name is one of a credential never appear:
//! of them it is only said whether they are `set`, or `changed`. Credentials in the query of a URL are
//! masked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::api::event::EventTypeView;
use crate::api::project::ProjectSettings;
use crate::credential::{is_credential, masked_url};
use crate::json;
use crate::webhook::{Definition, Header};

/// Stands for a hidden value that is there.
pub const SET: &str = "set";
/// Stands for a hidden value that is there and was another before.
pub const CHANGED: &str = "changed";
/// Bytes of a value's JSON text that an audit entry keeps at most.
const VALUE_BYTES_MAX: usize = 4_096;

/// A field before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Change {
    /// Null where the field, or the thing, was not there.
    #[serde(deserialize_with = "json::written")]
    pub from: Value,
    /// Null where it is no longer there.
    #[serde(deserialize_with = "json::written")]
    pub to: Value,
}

/// Every field that is another than before, by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Changes(pub BTreeMap<String, Change>);

impl Changes {
    /// One field.
    #[must_use]
    pub fn one(field: &str, from: Value, to: Value) -> Self {
        Self(BTreeMap::from([(String::from(field), Change { from, to })]))
    }

    /// Whether nothing is another than before.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `field` is the only one.
    #[must_use]
    pub fn is_only(&self, field: &str) -> bool {
        self.0.len() == 1 && self.0.contains_key(field)
    }

    /// What differs between two objects. A missing field and null are the same.
    #[must_use]
    pub fn between(before: Map<String, Value>, mut after: Map<String, Value>) -> Self {
        let mut changes = BTreeMap::new();
        for (key, from) in before {
            let to = after.remove(&key).unwrap_or_default();
            if from != to {
                changes.insert(key, Change { from, to });
            }
        }
        let new = after.into_iter().filter(|(_key, to)| !to.is_null());
        changes.extend(new.map(|(key, to)| (key, Change { from: Value::Null, to })));
        Self(changes)
    }

    /// What differs between two definitions, sealed or plain but both alike; `None` if there is no webhook.
    #[must_use]
    pub fn of_webhook(before: Option<&Definition>, after: Option<&Definition>) -> Self {
        // Of a webhook that comes or goes only what somebody chose is worth reading.
        let fields = |of: Option<&Definition>, other: Option<&Definition>| match (of, other) {
            (Some(of), None) => chosen_fields(of),
            (Some(of), Some(_)) => fields_of(of),
            (None, _) => Map::new(),
        };
        let (mut from, mut to) = (fields(before, after), fields(after, before));
        let secret = |of: Option<&Definition>| of.and_then(|of| of.secret.as_deref()).map(String::from);
        let (old, new) = (secret(before), secret(after));
        let mark = |secret: &Option<String>| secret.as_ref().map_or(Value::Null, |_hidden| Value::from(SET));
        from.insert(String::from("secret"), mark(&old));
        to.insert(
            String::from("secret"),
            if old.is_some() && new.is_some() && old != new { Value::from(CHANGED) } else { mark(&new) },
        );
        // An open credential is shown where somebody made it so, but not here: a log outlives that wish.
        for (fields, of) in [(&mut from, before), (&mut to, after)] {
            for header in of.into_iter().flat_map(|of| &of.headers).filter(|header| is_hidden(header)) {
                set_header_value(fields, &header.key, SET);
            }
        }
        for header in after.into_iter().flat_map(|after| &after.headers).filter(|header| is_hidden(header)) {
            let known = before
                .into_iter()
                .flat_map(|before| &before.headers)
                .find(|known| known.key.eq_ignore_ascii_case(&header.key));
            // Sealed text is another each time, so across a change of `protected` nothing is compared.
            let is_comparable = |known: &&Header| is_hidden(known) && known.protected == header.protected;
            if known.filter(is_comparable).is_some_and(|known| known.value != header.value) {
                set_header_value(&mut to, &header.key, CHANGED);
            }
        }
        mask_url(&mut from, &mut to);
        Self::between(from, to)
    }

    /// What differs between two entries of the catalogue; `None` if there is no entry.
    #[must_use]
    pub fn of_event_type(before: Option<&EventTypeView>, after: Option<&EventTypeView>) -> Self {
        let fields = |of: Option<&EventTypeView>| of.map(event_type_fields).unwrap_or_default();
        let (mut from, mut to) = (fields(before), fields(after));
        if before.is_none() || after.is_none() {
            for map in [&mut from, &mut to] {
                map.retain(|_key, value| !is_nothing(value));
            }
        }
        Self::between(from, to)
    }

    /// What differs between two settings.
    #[must_use]
    pub fn of_settings(before: &ProjectSettings, after: &ProjectSettings) -> Self {
        Self::between(object_of(before), object_of(after))
    }

    /// The same with long values replaced by their length, so that a log stays small.
    #[must_use]
    pub fn shortened(mut self) -> Self {
        for change in self.0.values_mut() {
            for value in [&mut change.from, &mut change.to] {
                let bytes = value.to_string().len();
                if bytes > VALUE_BYTES_MAX {
                    *value = Value::from(format!("({bytes} bytes)"));
                }
            }
        }
        self
    }
}

fn is_hidden(header: &Header) -> bool {
    header.protected || is_credential(&header.key, &header.value)
}

/// Masks the credentials of both URLs. Where nothing but a credential is another, it is said that it is.
fn mask_url(from: &mut Map<String, Value>, to: &mut Map<String, Value>) {
    const KEY: &str = "url";
    let was_changed = from.get(KEY) != to.get(KEY);
    for fields in [&mut *from, &mut *to] {
        if let Some(Value::String(url)) = fields.get_mut(KEY) {
            *url = masked_url(url);
        }
    }
    if was_changed
        && from.get(KEY) == to.get(KEY)
        && let Some(Value::String(url)) = to.get_mut(KEY)
    {
        url.push_str(" (");
        url.push_str(CHANGED);
        url.push(')');
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.values().all(is_nothing),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

fn object_of<T: Serialize>(value: &T) -> Map<String, Value> {
    match json::to_value(value) {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn set_header_value(fields: &mut Map<String, Value>, key: &str, mark: &str) {
    let headers = fields.get_mut("headers").and_then(Value::as_array_mut);
    for header in headers.into_iter().flatten().filter(|header| header["key"] == key) {
        header["value"] = Value::from(mark);
    }
}

/// Every field of a webhook in the words of its create body, without the secret; protected header values are
/// [`SET`].
#[must_use]
pub fn fields_of(webhook: &Definition) -> Map<String, Value> {
    let mut fields = object_of(webhook);
    fields.remove("secret");
    fields.remove("previous_secrets");
    for header in webhook.headers.iter().filter(|header| header.protected) {
        set_header_value(&mut fields, &header.key, SET);
    }
    // Left out of the stored form where they say nothing.
    for (key, nothing) in [
        ("retry_schedule_s", Value::Null),
        ("rate_limit", Value::Null),
        ("concurrency_limit", Value::Null),
        ("ordered", json!(false)),
        ("confirm_gone", json!(false)),
        ("filter", Value::Null),
        ("event_labels", json!({})),
        ("paused", json!(false)),
    ] {
        fields.entry(key).or_insert(nothing);
    }
    fields
}

/// [`fields_of`] without those that have their default.
#[must_use]
pub fn chosen_fields(webhook: &Definition) -> Map<String, Value> {
    let default =
        Definition::new(webhook.name.clone(), webhook.url.clone(), webhook.contract, webhook.events.clone());
    let defaults = fields_of(&default);
    let mut fields = fields_of(webhook);
    fields.retain(|key, value| {
        matches!(key.as_str(), "name" | "url" | "contract" | "events") || defaults.get(key) != Some(value)
    });
    fields
}

/// An entry of the catalogue in the words of its create body.
#[must_use]
pub fn event_type_fields(kind: &EventTypeView) -> Map<String, Value> {
    // By hand: written out and read again, an example of megabytes would be made twice more.
    let EventTypeView { name, description, example, schema, archived, version: _, created_at: _ } = kind;
    let fields = [
        ("name", Value::from(name.as_str())),
        ("description", Value::from(description.as_str())),
        ("example", example.clone().unwrap_or_default()),
        ("schema", schema.clone().unwrap_or_default()),
        ("archived", Value::from(*archived)),
    ];
    fields.into_iter().map(|(key, value)| (String::from(key), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::{Contract, RetiredSecret, WebhookName};

    fn webhook() -> Definition {
        let name = WebhookName::parse("w").unwrap_or_else(|| panic!("w is a name"));
        Definition {
            secret: Some(String::from("s1.old")),
            ..Definition::new(name, "https://w.example/", Contract::Standard, Vec::new())
        }
    }

    fn header(value: &str, protected: bool) -> Header {
        Header { key: String::from("X-Mark"), value: String::from(value), protected }
    }

    #[test]
    fn only_fields_that_differ_are_named() {
        let before = webhook();
        assert!(Changes::of_webhook(Some(&before), Some(&before)).is_empty());
        let after = Definition { timeout_s: 20, paused: true, ..before.clone() };
        let changes = Changes::of_webhook(Some(&before), Some(&after));
        assert_eq!(changes.0.keys().collect::<Vec<_>>(), ["paused", "timeout_s"]);
        assert_eq!(changes.0["timeout_s"], Change { from: json!(10), to: json!(20) });
        assert_eq!(changes.0["paused"], Change { from: json!(false), to: json!(true) });
    }

    #[test]
    fn a_new_webhook_shows_what_was_chosen_and_a_deleted_one_what_is_gone() {
        let made = Changes::of_webhook(None, Some(&webhook()));
        assert_eq!(made.0.keys().collect::<Vec<_>>(), ["contract", "events", "name", "secret", "url"]);
        assert!(made.0.values().all(|change| change.from.is_null()));
        let gone = Changes::of_webhook(Some(&webhook()), None);
        assert_eq!(gone.0["secret"], Change { from: json!("set"), to: Value::Null });
    }

    #[test]
    fn what_is_hidden_is_only_said_to_have_changed() {
        let before = Definition { headers: vec![header("s1.one", true)], ..webhook() };
        let retired = RetiredSecret { secret: String::from("s1.old"), expires_at: crate::time::Timestamp(0) };
        let after = Definition {
            headers: vec![header("s1.two", true)],
            secret: Some(String::from("s1.new")),
            previous_secrets: vec![retired],
            ..before.clone()
        };
        let changes = Changes::of_webhook(Some(&before), Some(&after));
        assert_eq!(changes.0["secret"], Change { from: json!("set"), to: json!("changed") });
        assert_eq!(
            changes.0["headers"].to,
            json!([{"key": "X-Mark", "value": "changed", "protected": true}])
        );
        assert_eq!(changes.0["headers"].from, json!([{"key": "X-Mark", "value": "set", "protected": true}]));
        assert!(!serde_json::to_string(&changes).unwrap_or_default().contains("s1."));
        let public = Definition { headers: vec![header("1", false)], ..before.clone() };
        let shown = Changes::of_webhook(Some(&before), Some(&public));
        assert_eq!(shown.0["headers"].to, json!([{"key": "X-Mark", "value": "1", "protected": false}]));
    }

    #[test]
    fn open_credentials_and_those_in_a_url_are_not_written_down() {
        let named = |value: &str| Header {
            key: String::from("X-Api-Key"),
            value: String::from(value),
            protected: false,
        };
        let with = |key: &str, token: &str| Definition {
            headers: vec![named(key)],
            url: format!("https://w.example/?token={token}&a=1"),
            ..webhook()
        };
        let (before, after) = (with("hush-1", "hush-2"), with("hush-3", "hush-4"));
        let changes = Changes::of_webhook(Some(&before), Some(&after));
        assert_eq!(
            changes.0["headers"].to,
            json!([{"key": "X-Api-Key", "value": "changed", "protected": false}])
        );
        assert_eq!(
            changes.0["url"],
            Change {
                from: json!("https://w.example/?token=••••••••&a=1"),
                to: json!("https://w.example/?token=••••••••&a=1 (changed)")
            }
        );
        let made = Changes::of_webhook(None, Some(&after));
        assert_eq!(made.0["headers"].to[0]["value"], "set");
        for changes in [changes, made] {
            assert!(!serde_json::to_string(&changes).unwrap_or_default().contains("hush"), "{changes:?}");
        }
    }

    #[test]
    fn a_long_value_is_kept_as_its_length() {
        let changes = Changes::one("schema", Value::Null, json!("x".repeat(5_000))).shortened();
        assert_eq!(changes.0["schema"], Change { from: Value::Null, to: json!("(5002 bytes)") });
    }
}
