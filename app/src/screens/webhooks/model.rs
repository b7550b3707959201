//! What the list of webhooks says of each: its state as a word with a reason, its success, and the filter as the API wants it.

use postern_core::api::webhook::{Health, RECENT_MAX, WebhookView};
use postern_core::delivery::State;
use postern_core::webhook::ObjectFilter;

use crate::routes::Query;
use crate::ui::badge::Tone;
use crate::words;

/// What a person calls a state, and what it means.
pub(crate) const fn state_word(state: State) -> (Tone, &'static str) {
    match state {
        State::Pending => (Tone::Busy, "Pending"),
        State::Leased => (Tone::Busy, "Calling"),
        State::Waiting => (Tone::Busy, "Waiting"),
        State::Delivered => (Tone::Good, "Delivered"),
        State::Dead => (Tone::Bad, "Gave up"),
        State::Cancelled => (Tone::Idle, "Cancelled"),
    }
}

/// How a webhook does, as a word with a reason.
pub(crate) fn standing(webhook: &WebhookView) -> (Tone, String) {
    if !webhook.enabled {
        return match &webhook.disabled_reason {
            Some(reason) => (Tone::Bad, format!("Disabled · {}", short_reason(reason))),
            None => (Tone::Idle, String::from("Disabled")),
        };
    }
    let recent = &webhook.health.recent;
    let waiting = count(recent, |state| state == State::Waiting);
    match recent.iter().rev().find(|state| state.is_final()) {
        _ if waiting > 0 => (Tone::Busy, format!("Retrying {waiting}")),
        Some(State::Dead) => (Tone::Bad, String::from("Failing")),
        Some(_) => (Tone::Good, String::from("Healthy")),
        None if recent.is_empty() => (Tone::Idle, String::from("No events yet")),
        None => (Tone::Busy, String::from("Sending")),
    }
}

/// The reason of a state in one or two words: the status that caused it, where there is one.
fn short_reason(reason: &str) -> &str {
    let status = reason.split(|c: char| !c.is_ascii_digit()).find(|part| part.len() == 3);
    status.unwrap_or("by Postern")
}

/// The colours of the health strip, oldest first.
pub(crate) fn strip_tones(health: &Health) -> Vec<Tone> {
    health.recent.iter().map(|state| state_word(*state).0).collect()
}

/// Bars of a strip.
pub(crate) const STRIP_LENGTH: usize = RECENT_MAX as usize;

/// The health strip in words, for whoever does not see it.
pub(crate) fn strip_summary(health: &Health) -> String {
    if health.recent.is_empty() {
        return String::from("No deliveries yet");
    }
    let delivered = count(&health.recent, |state| state == State::Delivered);
    let dead = count(&health.recent, |state| state == State::Dead);
    let open = count(&health.recent, |state| !state.is_final());
    let total = count(&health.recent, |_| true);
    format!("Latest {}: {delivered} delivered, {dead} gave up, {open} under way", words::count(total, "delivery", "deliveries"))
}

/// The share of ended deliveries that were delivered.
pub(crate) fn success(health: &Health) -> String {
    let delivered = count(&health.recent, |state| state == State::Delivered);
    let dead = count(&health.recent, |state| state == State::Dead);
    words::percent(delivered, delivered + dead)
}

fn count(states: &[State], fits: impl Fn(State) -> bool) -> u32 {
    u32::try_from(states.iter().filter(|state| fits(**state)).count()).unwrap_or(u32::MAX)
}

/// Which objects, in a few words; empty for all.
pub(crate) fn object_words(object: &ObjectFilter) -> String {
    let part = |part: &Option<String>| part.clone().unwrap_or_else(|| String::from("any"));
    match (&object.kind, &object.name, &object.version) {
        (None, None, None) => String::new(),
        (_, None, None) => part(&object.kind),
        (_, _, None) => format!("{} {}", part(&object.kind), part(&object.name)),
        (_, _, Some(version)) => format!("{} {} {version}", part(&object.kind), part(&object.name)),
    }
}

/// The filters of the list, as they stand in the page's address.
pub(crate) const FILTERS: [&str; 5] = ["search", "state", "event", "object", "label"];

/// The query for the API from the page's own: `object=type:name` is two parameters there.
pub(crate) fn api_query(page: &Query, cursor: Option<&str>) -> Query {
    let object = page.value("object").unwrap_or_default();
    let (kind, name) = object.split_once(':').map_or((object.as_str(), None), |(kind, name)| (kind, Some(name)));
    Query::default()
        .with("search", page.value("search").as_deref())
        .with("state", page.value("state").as_deref())
        .with("event", page.value("event").as_deref())
        .with("object_type", Some(kind))
        .with("object_name", name)
        .with("label", page.value("label").as_deref())
        .with("cursor", cursor)
}

/// Whether the list is filtered.
pub(crate) fn is_filtered(page: &Query) -> bool {
    FILTERS.iter().any(|filter| page.value(filter).is_some())
}

/// The line below the heading.
pub(crate) fn about(webhooks: &[WebhookView], has_more: bool) -> String {
    let number = u32::try_from(webhooks.len()).unwrap_or(u32::MAX);
    let disabled = webhooks.iter().filter(|webhook| !webhook.enabled).count();
    let retrying = webhooks.iter().filter(|webhook| webhook.enabled && webhook.health.recent.contains(&State::Waiting)).count();
    let more = if has_more { " shown, there are more" } else { "" };
    let part = |number: usize, word: &str| if number > 0 { format!(" · {number} {word}") } else { String::new() };
    format!("{}{more}{}{}", words::count(number, "webhook", "webhooks"), part(disabled, "disabled"), part(retrying, "retrying"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(recent: &[State]) -> WebhookView {
        serde_json::from_value(serde_json::json!({
            "id": "whk_1", "name": "orders", "url": "https://example.com/", "contract": "standard", "events": ["*"],
            "object": {"type": null, "name": null, "version": null}, "headers": [], "description": "", "labels": {},
            "timeout_s": 10, "enabled": true, "disabled_reason": null, "retry": true, "include_result": false, "signed": true,
            "version": 1, "created_at": "2026-11-21T09:30:00.000Z", "updated_at": "2026-11-21T09:30:00.000Z",
            "health": {"recent": recent, "at_once": 0, "latest_at": null}
        }))
        .expect("a webhook")
    }

    #[test]
    fn the_state_of_a_webhook_is_a_word_with_a_reason() {
        use State::{Dead, Delivered, Pending, Waiting};
        let said = |recent: &[State]| standing(&webhook(recent)).1;
        assert_eq!(said(&[]), "No events yet");
        assert_eq!(said(&[Pending]), "Sending");
        assert_eq!(said(&[Dead, Delivered]), "Healthy");
        assert_eq!(said(&[Delivered, Dead]), "Failing");
        assert_eq!(said(&[Delivered, Waiting, Waiting]), "Retrying 2");
    }

    #[test]
    fn a_disabled_webhook_says_who_disabled_it() {
        let mut gone = webhook(&[]);
        gone.enabled = false;
        assert_eq!(standing(&gone), (Tone::Idle, String::from("Disabled")));
        gone.disabled_reason = Some(String::from("The receiver answered 410 Gone"));
        assert_eq!(standing(&gone), (Tone::Bad, String::from("Disabled · 410")));
    }

    #[test]
    fn success_counts_only_what_has_ended() {
        use State::{Cancelled, Dead, Delivered, Waiting};
        assert_eq!(success(&webhook(&[Delivered, Delivered, Dead, Waiting, Cancelled]).health), "66.6 %");
        assert_eq!(success(&webhook(&[Waiting]).health), "—");
    }

    #[test]
    fn an_object_in_the_address_is_two_parameters_of_the_api() {
        let page = Query::default().with("object", Some("deployment:d1")).with("label", Some("team:core")).with("open", Some("x"));
        assert_eq!(api_query(&page, None).text(), "?object_type=deployment&object_name=d1&label=team%3Acore");
        assert!(is_filtered(&page));
        assert!(!is_filtered(&Query::default().with("open", Some("x"))));
    }

    #[test]
    fn the_heading_counts_what_needs_a_look() {
        let mut off = webhook(&[]);
        off.enabled = false;
        assert_eq!(about(&[webhook(&[State::Waiting]), off], false), "2 webhooks · 1 disabled · 1 retrying");
        assert_eq!(about(&[webhook(&[])], true), "1 webhook shown, there are more");
    }
}
