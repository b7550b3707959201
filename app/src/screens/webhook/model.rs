//! The test panel: what to send, and what to offer.

use postern_core::api::event::EventTypeView;
use postern_core::api::webhook::WebhookView;
use serde_json::Value;

use crate::json;

/// The body of a test: only what was chosen, with the data as it was typed.
pub(crate) fn test_body(kind: &str, data: &str) -> String {
    let mut members = Vec::new();
    if !kind.trim().is_empty() {
        members.push(format!("\"type\":{}", Value::from(kind.trim())));
    }
    if !data.trim().is_empty() {
        members.push(format!("\"data\":{}", data.trim()));
    }
    format!("{{{}}}", members.join(","))
}

/// What is wrong with data that was typed.
pub(crate) fn data_fault(data: &str) -> Option<String> {
    (!data.trim().is_empty() && !json::is_json(data)).then(|| String::from("This is not JSON yet."))
}

/// Event types that fit the webhook: its exact ones, and those of the catalogue that its patterns match.
pub(crate) fn fitting_types(webhook: &WebhookView, catalogue: &[EventTypeView]) -> Vec<String> {
    let mut fitting: Vec<String> = webhook.events.iter().filter(|pattern| !pattern.ends_with('*')).cloned().collect();
    for item in catalogue {
        let matches = webhook.events.iter().any(|pattern| matches_pattern(pattern, &item.name));
        if matches && !fitting.contains(&item.name) {
            fitting.push(item.name.clone());
        }
    }
    fitting
}

fn matches_pattern(pattern: &str, kind: &str) -> bool {
    postern_core::filter::EventPattern::parse(pattern).is_some_and(|pattern| pattern.matches(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_sends_only_what_was_chosen_and_data_as_it_was_typed() {
        assert_eq!(test_body("", ""), "{}");
        assert_eq!(test_body(" order.paid ", "{\"n\": 1e400}"), "{\"type\":\"order.paid\",\"data\":{\"n\": 1e400}}");
        assert_eq!(data_fault("{\"n\":"), Some(String::from("This is not JSON yet.")));
        assert_eq!(data_fault(" "), None);
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
        assert_eq!(fitting_types(&webhook, &[kind("order.paid"), kind("invoice.created"), kind("ping")]), ["ping", "order.paid"]);
    }
}
