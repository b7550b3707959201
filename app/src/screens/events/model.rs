//! The form that posts an event: what was typed as the JSON that is sent, judged by the same parser as at the edge.

use postern_core::api::event::EventTypeView;
use postern_core::api::page::Page;
use postern_core::event;
use postern_core::fault::{Fault, InputFault};
use serde_json::{Map, Value};

use crate::json;

/// What was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EventDraft {
    /// The event type.
    pub(crate) kind: String,
    /// JSON text.
    pub(crate) data: String,
    /// Object type, name and version; all empty means no object.
    pub(crate) object: [String; 3],
    /// Idempotency key; empty means none.
    pub(crate) key: String,
    /// Order key; empty means none.
    pub(crate) order_key: String,
    /// `key:value` pairs, separated by commas.
    pub(crate) labels: String,
}

impl EventDraft {
    /// The body that posts it, with `data` as it was typed.
    pub(crate) fn body(&self) -> String {
        let text = |text: &str| Value::from(text.trim()).to_string();
        let mut members = vec![format!("\"type\":{}", text(&self.kind))];
        let data = self.data.trim();
        members.push(format!("\"data\":{}", if data.is_empty() { "{}" } else { data }));
        let [kind, name, version] = &self.object;
        if self.object.iter().any(|part| !part.trim().is_empty()) {
            let version = if version.trim().is_empty() { String::new() } else { format!(",\"version\":{}", text(version)) };
            members.push(format!("\"object\":{{\"type\":{},\"name\":{}{version}}}", text(kind), text(name)));
        }
        if !self.key.trim().is_empty() {
            members.push(format!("\"idempotency_key\":{}", text(&self.key)));
        }
        if !self.order_key.trim().is_empty() {
            members.push(format!("\"order_key\":{}", text(&self.order_key)));
        }
        let labels = labels_of(&self.labels);
        if !labels.is_empty() {
            members.push(format!("\"labels\":{}", Value::Object(labels)));
        }
        format!("{{{}}}", members.join(","))
    }

    /// What the edge would say is wrong with it.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        if !self.data.trim().is_empty() && !json::is_json(&self.data) {
            return vec![Fault::new("/data", "is not JSON yet")];
        }
        match event::parse_event(&self.body()) {
            Ok(_) => Vec::new(),
            Err(InputFault::Invalid(faults)) => faults.into_named(),
            Err(InputFault::Malformed(detail)) => vec![Fault::new("/data", detail)],
        }
    }
}

/// Labels as they are typed: `key:value` pairs, separated by commas.
pub(crate) fn labels_of(text: &str) -> Map<String, Value> {
    let mut labels = Map::new();
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once(':').unwrap_or((pair, ""));
        labels.insert(String::from(key.trim()), Value::from(value.trim()));
    }
    labels
}

/// The catalogue's example of an event type.
pub(crate) fn example_of(types: Option<&Page<EventTypeView>>, kind: &str) -> Option<Value> {
    types?.items.iter().find(|item| item.name == kind)?.example.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::form::fault_of;

    fn draft() -> EventDraft {
        EventDraft { kind: String::from("order.paid"), data: String::from("{\"n\": 1e400}"), ..EventDraft::default() }
    }

    #[test]
    fn data_is_sent_as_it_was_typed() {
        assert_eq!(draft().body(), "{\"type\":\"order.paid\",\"data\":{\"n\": 1e400}}");
        assert_eq!(draft().faults(), []);
    }

    #[test]
    fn an_object_is_sent_if_any_part_of_it_was_typed() {
        let with_object = EventDraft { object: ["deployment", "d1", ""].map(String::from), key: String::from("k1"), ..draft() };
        assert!(with_object.body().ends_with("\"object\":{\"type\":\"deployment\",\"name\":\"d1\"},\"idempotency_key\":\"k1\"}"));
        assert_eq!(with_object.faults(), []);
    }

    #[test]
    fn order_key_and_labels_are_sent_if_they_were_typed() {
        let ordered = EventDraft { order_key: String::from(" o-1 "), labels: String::from("env:prod, tier : gold"), ..draft() };
        assert!(ordered.body().ends_with(r#""order_key":"o-1","labels":{"env":"prod","tier":"gold"}}"#), "{}", ordered.body());
        assert_eq!(ordered.faults(), []);
        let bad = EventDraft { labels: String::from(":prod"), ..draft() };
        assert!(fault_of(&bad.faults(), "labels").is_some());
    }

    #[test]
    fn faults_find_their_fields() {
        let bad = EventDraft { kind: String::from("order paid"), ..draft() };
        assert!(fault_of(&bad.faults(), "type").is_some());
        let bad = EventDraft { data: String::from("{"), ..draft() };
        assert_eq!(fault_of(&bad.faults(), "data").as_deref(), Some("Is not JSON yet."));
    }
}
