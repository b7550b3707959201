//! The form that posts an event: what was typed as the JSON that is sent, judged by the same parser as at the
//! edge.

use postern_core::api::dry_run::DryRunWebhook;
use postern_core::api::event::{EventAccepted, EventTypeView, EventView};
use postern_core::api::page::Page;
use postern_core::event;
use postern_core::fault::{Fault, InputFault};
use postern_core::time::Timestamp;
use reactive_stores::Store;
use serde_json::{Map, Value};

use crate::ui::rows::Extent;
use crate::ui::rows::store::Row;
use crate::{json, words};

/// What a row shows of an event.
///
/// Not the event itself: its data may be large, and a list keeps thousands of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EventRow {
    /// `evt_…`
    pub(crate) id: String,
    /// The event type.
    pub(crate) kind: String,
    /// What it happened to, in words.
    pub(crate) object: String,
    /// Webhooks it matched.
    pub(crate) deliveries: u32,
    /// When it was accepted.
    pub(crate) accepted_at: Timestamp,
}

impl EventRow {
    /// The row of an event.
    pub(crate) fn of(event: &EventView) -> Self {
        Self {
            id: event.id.clone(),
            kind: event.kind.clone(),
            object: object_words(event),
            deliveries: event.deliveries,
            accepted_at: event.accepted_at,
        }
    }
}

impl Row for EventRow {
    fn id(&self) -> &str {
        &self.id
    }
}

/// What an event happened to, in words.
fn object_words(event: &EventView) -> String {
    event.object.as_ref().map_or_else(
        || String::from("—"),
        |object| {
            format!("{} {} {}", object.kind, object.name, object.version.as_deref().unwrap_or_default())
                .trim_end()
                .to_owned()
        },
    )
}

/// How many events of a search there are, as far as it is known.
pub(super) fn found_words(extent: Extent) -> String {
    let number = words::number(u64::try_from(extent.shown()).unwrap_or(u64::MAX));
    match extent {
        Extent::Whole(0) => String::from("No event fits."),
        Extent::Whole(1) => String::from("1 event fits."),
        Extent::Whole(_) => format!("{number} events fit."),
        Extent::Cut(_) => format!("The newest {number} are shown, there may be older ones that fit."),
    }
}

/// The form as it is filled in. All texts: data goes out as it was typed, and the parser says what the others
/// should be.
#[derive(Clone, Debug, PartialEq, Eq, Store)]
pub(crate) struct EventDraft {
    /// The event type.
    pub(crate) kind: String,
    /// JSON text.
    pub(crate) data: String,
    /// The type of the object; empty like the next two means that there is no object.
    pub(crate) object_type: String,
    /// The name of the object.
    pub(crate) object_name: String,
    /// The version of the object; empty means any.
    pub(crate) object_version: String,
    /// Idempotency key; empty means none.
    pub(crate) key: String,
    /// Order key; empty means none.
    pub(crate) order_key: String,
    /// `key:value` pairs, separated by commas.
    pub(crate) labels: String,
}

impl Default for EventDraft {
    fn default() -> Self {
        let [kind, object_type, object_name, object_version, key, order_key, labels] =
            [(); 7].map(|()| String::new());
        Self {
            kind,
            data: String::from("{}"),
            object_type,
            object_name,
            object_version,
            key,
            order_key,
            labels,
        }
    }
}

impl EventDraft {
    /// The body that posts it, with `data` as it was typed.
    pub(crate) fn body(&self) -> String {
        let text = |text: &str| Value::from(text.trim()).to_string();
        let mut members = vec![format!("\"type\":{}", text(&self.kind))];
        let data = self.data.trim();
        members.push(format!("\"data\":{}", if data.is_empty() { "{}" } else { data }));
        let (kind, name, version) = (&self.object_type, &self.object_name, &self.object_version);
        if [kind, name, version].into_iter().any(|part| !part.trim().is_empty()) {
            let version = if version.trim().is_empty() {
                String::new()
            } else {
                format!(",\"version\":{}", text(version))
            };
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

    /// Puts the example of its type where no data was typed.
    ///
    /// `{}` is what the form starts with, so it counts as nothing typed.
    pub(crate) fn fill(&mut self, example: &Value) {
        if matches!(self.data.trim(), "" | "{}") {
            self.data = json::pretty(&example.to_string()).unwrap_or_default();
        }
    }

    /// What the edge would say is wrong with it.
    ///
    /// Broken JSON is said in words of its own before the parser is asked: the whole body would be malformed
    /// then, and the parser could not say where.
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
///
/// Nothing is refused here: a pair without a colon is a key with an empty value, and the parser judges that.
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

/// What a post led to.
pub(super) fn accepted_words(accepted: &EventAccepted) -> String {
    if accepted.duplicate {
        return String::from("Known already: nothing new was stored");
    }
    format!("Accepted: it goes to {}", words::count(accepted.deliveries, "webhook", "webhooks"))
}

/// What a dry run says in one line: how many webhooks would get the event, and how many would not.
pub(super) fn outcome_words(webhooks: &[DryRunWebhook]) -> String {
    let gets = webhooks.iter().filter(|webhook| webhook.delivers).count();
    let skipped = webhooks.len() - gets;
    let webhooks = words::count(u32::try_from(gets).unwrap_or(u32::MAX), "webhook", "webhooks");
    match (gets, skipped) {
        (0, 0) => String::from("There is no webhook yet: the event would be kept, and sent to nobody."),
        (0, _) => String::from("No webhook would get it. It would be kept."),
        (_, 0) => format!("{webhooks} would get it."),
        _ => format!("{webhooks} would get it, {skipped} would not."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::form::fault_of;

    fn draft() -> EventDraft {
        EventDraft {
            kind: String::from("order.paid"),
            data: String::from("{\"n\": 1e400}"),
            ..EventDraft::default()
        }
    }

    #[test]
    fn a_row_says_what_an_event_happened_to() {
        let event = |object: Value| {
            let event = serde_json::json!({
                "id": "evt_1", "type": "order.paid", "object": object, "idempotency_key": null,
                "accepted_at": "2026-11-21T14:07:31.204Z", "deliveries": 2
            });
            EventRow::of(&serde_json::from_value(event).expect("an event"))
        };
        let row = event(serde_json::json!({"type": "deployment", "name": "d1", "version": null}));
        assert_eq!((row.object.as_str(), row.id(), row.deliveries), ("deployment d1", "evt_1", 2));
        assert_eq!(event(Value::Null).object, "—");
    }

    #[test]
    fn what_was_found_is_all_or_the_newest_part() {
        assert_eq!(found_words(Extent::Whole(1_200)), "1,200 events fit.");
        assert_eq!(found_words(Extent::Whole(1)), "1 event fits.");
        assert_eq!(found_words(Extent::Whole(0)), "No event fits.");
        assert!(found_words(Extent::Cut(50)).starts_with("The newest 50 are shown"));
    }

    #[test]
    fn data_is_sent_as_it_was_typed() {
        assert_eq!(draft().body(), "{\"type\":\"order.paid\",\"data\":{\"n\": 1e400}}");
        assert_eq!(draft().faults(), []);
    }

    #[test]
    fn an_object_is_sent_if_any_part_of_it_was_typed() {
        let with_object = EventDraft {
            object_type: String::from("deployment"),
            object_name: String::from("d1"),
            key: String::from("k1"),
            ..draft()
        };
        assert!(
            with_object.body().ends_with(
                "\"object\":{\"type\":\"deployment\",\"name\":\"d1\"},\"idempotency_key\":\"k1\"}"
            )
        );
        assert_eq!(with_object.faults(), []);
    }

    #[test]
    fn order_key_and_labels_are_sent_if_they_were_typed() {
        let ordered = EventDraft {
            order_key: String::from(" o-1 "),
            labels: String::from("env:prod, tier : gold"),
            ..draft()
        };
        assert!(
            ordered.body().ends_with(r#""order_key":"o-1","labels":{"env":"prod","tier":"gold"}}"#),
            "{}",
            ordered.body()
        );
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

    #[test]
    fn an_example_fills_only_what_nobody_typed() {
        let mut draft = EventDraft::default();
        draft.fill(&serde_json::json!({ "n": 1 }));
        assert_eq!(draft.data, "{\n  \"n\": 1\n}");
        draft.fill(&serde_json::json!({ "n": 2 }));
        assert_eq!(draft.data, "{\n  \"n\": 1\n}");
    }

    #[test]
    fn a_dry_run_says_how_many_would_get_the_event() {
        let webhook = |delivers: bool| -> DryRunWebhook {
            serde_json::from_value(serde_json::json!({
                "webhook": "w", "webhook_id": "whk_1", "matched": delivers, "delivers": delivers, "reasons": [], "request": null, "timeline": []
            }))
            .expect("a webhook")
        };
        assert!(outcome_words(&[]).starts_with("There is no webhook yet"));
        assert!(outcome_words(&[webhook(false)]).starts_with("No webhook would get it."));
        assert_eq!(outcome_words(&[webhook(true)]), "1 webhook would get it.");
        assert_eq!(
            outcome_words(&[webhook(true), webhook(true), webhook(false)]),
            "2 webhooks would get it, 1 would not."
        );
    }
}
