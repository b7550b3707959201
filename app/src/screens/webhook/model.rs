//! The test panel: what to send, what to offer, and what came of it.

use postern_core::api::event::EventTypeView;
use postern_core::api::test::{TestStatus, TestView};
use postern_core::api::webhook::WebhookView;
use postern_core::explain::brief_with_body;
use postern_core::filter::EventPattern;
use reactive_stores::Store;
use serde_json::Value;

use crate::ui::badge::Tone;
use crate::{json, words};

/// What is sent as a test. Both are texts: data goes out as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Store)]
pub(crate) struct TrialDraft {
    /// The event type; empty means one that the webhook listens to.
    pub(crate) kind: String,
    /// JSON text; empty means an example.
    pub(crate) data: String,
}

impl TrialDraft {
    /// The body of a test: only what was chosen.
    ///
    /// `data` goes into it as it was typed, not through a value: a number keeps its digits, and the signature
    /// is over what the person sees. An empty member is left out, and the edge chooses.
    pub(crate) fn body(&self) -> String {
        let mut members = Vec::new();
        if !self.kind.trim().is_empty() {
            members.push(format!("\"type\":{}", Value::from(self.kind.trim())));
        }
        if !self.data.trim().is_empty() {
            members.push(format!("\"data\":{}", self.data.trim()));
        }
        format!("{{{}}}", members.join(","))
    }

    /// What is wrong with the data.
    pub(crate) fn data_fault(&self) -> Option<String> {
        (!self.data.trim().is_empty() && !json::is_json(&self.data))
            .then(|| String::from("This is not JSON yet."))
    }

    /// Puts the example of its type where no data was typed.
    pub(crate) fn fill(&mut self, example: &Value) {
        if self.data.trim().is_empty() {
            self.data = json::pretty(&example.to_string()).unwrap_or_default();
        }
    }
}

/// How a test stands, as a word.
pub(crate) const fn status_word(status: TestStatus) -> (Tone, &'static str) {
    match status {
        TestStatus::Pending => (Tone::Busy, "Pending"),
        TestStatus::Completed => (Tone::Good, "Completed"),
        TestStatus::Failed => (Tone::Bad, "Failed"),
    }
}

/// What came of a test so far.
pub(crate) fn status_words(test: &TestView) -> String {
    let Some(attempt) = &test.attempt else {
        return test.error_message.clone().unwrap_or_else(|| String::from("calling…"));
    };
    let record = &attempt.attempt;
    let note = record.response.as_ref().and_then(|response| response.body_note.as_ref());
    let next = if test.status == TestStatus::Pending { " · it is called again" } else { "" };
    format!("{} · {}{next}", brief_with_body(&record.outcome, note), words::duration(record.duration_ms))
}

/// Event types that fit the webhook: its exact ones, and those of the catalogue that its patterns match.
///
/// The exact names come first, in the order of the definition: they are what the webhook was made for.
/// Patterns offer only what the catalogue knows, because they stand for types without end.
pub(crate) fn fitting_types(webhook: &WebhookView, catalogue: &[EventTypeView]) -> Vec<String> {
    let mut fitting: Vec<String> =
        webhook.events.iter().filter(|pattern| !pattern.ends_with('*')).cloned().collect();
    for item in catalogue {
        let matches = webhook.events.iter().any(|pattern| matches_pattern(pattern, &item.name));
        if matches && !fitting.contains(&item.name) {
            fitting.push(item.name.clone());
        }
    }
    fitting
}

/// Whether a pattern takes an event type.
fn matches_pattern(pattern: &str, kind: &str) -> bool {
    EventPattern::parse(pattern).is_some_and(|pattern| pattern.matches(kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screens::attempt::model::tests::attempt;

    fn typed(kind: &str, data: &str) -> TrialDraft {
        TrialDraft { kind: String::from(kind), data: String::from(data) }
    }

    #[test]
    fn a_test_sends_only_what_was_chosen_and_data_as_it_was_typed() {
        assert_eq!(typed("", "").body(), "{}");
        assert_eq!(
            typed(" order.paid ", "{\"n\": 1e400}").body(),
            "{\"type\":\"order.paid\",\"data\":{\"n\": 1e400}}"
        );
        assert_eq!(typed("", "{\"n\":").data_fault().as_deref(), Some("This is not JSON yet."));
        assert_eq!(typed("", " ").data_fault(), None);
    }

    #[test]
    fn an_example_fills_only_what_nobody_typed() {
        let mut draft = typed("order.paid", " ");
        draft.fill(&serde_json::json!({ "n": 1 }));
        assert_eq!(draft.data, "{\n  \"n\": 1\n}");
        let mut draft = typed("order.paid", "{}");
        draft.fill(&serde_json::json!({ "n": 1 }));
        assert_eq!(draft.data, "{}");
    }

    #[test]
    fn a_test_says_what_came_of_it_so_far() {
        let mut test: TestView = serde_json::from_value(serde_json::json!({
            "id": "tst_1", "webhook": "orders", "status": "pending", "error_message": null, "retry": true, "attempts": 0,
            "next_attempt_at": null, "attempt": null, "created_at": "2026-11-21T09:30:00.000Z"
        }))
        .expect("a test");
        assert_eq!((status_word(test.status).1, status_words(&test).as_str()), ("Pending", "calling…"));
        test.attempt = Some(attempt(1, 503, ""));
        assert_eq!(status_words(&test), "503 Service Unavailable · 63 ms · it is called again");
        test.status = TestStatus::Failed;
        assert_eq!(status_words(&test), "503 Service Unavailable · 63 ms");
        (test.attempt, test.error_message) = (None, Some(String::from("It was not called.")));
        assert_eq!(status_words(&test), "It was not called.");
    }

    #[test]
    fn the_catalogue_is_offered_as_far_as_it_fits() {
        let webhook: WebhookView = serde_json::from_value(serde_json::json!({
            "id": "whk_1", "name": "orders", "url": "https://example.com/", "contract": "standard", "events": ["order.*", "ping"],
            "object": {"type": null, "name": null, "version": null}, "headers": [], "description": "", "labels": {},
            "timeout_s": 10, "enabled": true, "disabled_reason": null, "retry": true, "include_result": false, "signed": true,
            "version": 1, "created_at": "2026-11-21T09:30:00.000Z", "updated_at": "2026-11-21T09:30:00.000Z",
            "health": {"recent": [], "at_once": 0, "latest_at": null}
        }))
        .expect("a webhook");
        let kind = |name: &str| EventTypeView {
            name: String::from(name),
            description: String::new(),
            example: None,
            schema: None,
            archived: false,
            version: 1,
            created_at: webhook.created_at,
        };
        assert_eq!(
            fitting_types(&webhook, &[kind("order.paid"), kind("invoice.created"), kind("ping")]),
            ["ping", "order.paid"]
        );
    }
}
