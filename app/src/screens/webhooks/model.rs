//! What the list of webhooks says of each: its state as a word with a reason, what it takes, and the filter
//! as the API wants it.

use postern_core::api::delivery::StateCounts;
use postern_core::api::webhook::{HELD_MAX, Health, HealthStatus, RECENT_MAX, WebhookView};
use postern_core::delivery::State;
use postern_core::time::Timestamp;
use postern_core::webhook::ObjectFilter;

use crate::routes::Query;
use crate::ui::badge::Tone;
use crate::ui::rows::Extent;
use crate::ui::rows::store::{Counts, Row};
use crate::words::{self, state_word};

impl Row for WebhookView {
    fn id(&self) -> &str {
        &self.id
    }

    /// What the heading counts: disabled, paused, failing and retrying webhooks, from the lowest bit on.
    fn marks(&self) -> u8 {
        if !self.enabled {
            return 1;
        }
        let is_failing = self.health.status == HealthStatus::Failing;
        let is_retrying = !self.paused
            && self.health.status == HealthStatus::Healthy
            && self.health.recent.contains(&State::Waiting);
        u8::from(self.paused) << 1 | u8::from(is_failing) << 2 | u8::from(is_retrying) << 3
    }
}

/// How a webhook does, as a word with a reason.
///
/// What stops calls comes before what slows them, and that before how the latest deliveries went: a disabled
/// webhook with good deliveries behind it is disabled.
pub(crate) fn standing(webhook: &WebhookView) -> (Tone, String) {
    let health = &webhook.health;
    let held = if health.held > 0 { format!(" · {} held", held_words(health.held)) } else { String::new() };
    match (&webhook.disabled_reason, health.status) {
        (Some(reason), _) if !webhook.enabled => {
            return (Tone::Bad, format!("Disabled · {}", short_reason(reason)));
        }
        _ if !webhook.enabled => return (Tone::Idle, String::from("Disabled")),
        _ if webhook.paused => return (Tone::Idle, format!("Paused{held}")),
        (_, HealthStatus::Failing) => return (Tone::Bad, format!("Failing{held}")),
        (_, HealthStatus::Throttled) => return (Tone::Busy, format!("Throttled{held}")),
        (_, HealthStatus::Disabled | HealthStatus::Paused | HealthStatus::Healthy) => {}
    }
    let recent = &health.recent;
    let waiting = count(recent, |state| state == State::Waiting);
    match recent.iter().rev().find(|state| state.is_final()) {
        _ if waiting > 0 => (Tone::Busy, format!("Retrying {waiting}")),
        Some(State::Dead) => (Tone::Bad, String::from("Gave up")),
        Some(_) => (Tone::Good, String::from("Healthy")),
        None if recent.is_empty() => (Tone::Idle, String::from("No events yet")),
        None => (Tone::Busy, String::from("Sending")),
    }
}

/// The reason of a state in one or two words: the status that caused it, where there is one.
///
/// Three digits in a reason are the status of the answer that led to it: the list has room for no more. The
/// webhook's own screen says all of it.
fn short_reason(reason: &str) -> &str {
    let status = reason.split(|c: char| !c.is_ascii_digit()).find(|part| part.len() == 3);
    status.unwrap_or("by Postern")
}

/// How many deliveries are held; they are counted up to a limit.
fn held_words(held: u32) -> String {
    let more = if held >= HELD_MAX { "+" } else { "" };
    format!("{}{more}", words::number(u64::from(held)))
}

/// How a webhook does and what follows from it; `None` where there is nothing to say: it is called as usual.
///
/// Tone, headline and what follows from it. It always says whether something is lost, because that is the
/// question of whoever reads it.
pub(crate) fn health_words(webhook: &WebhookView, now: Timestamp) -> Option<(Tone, String, String)> {
    let health = &webhook.health;
    let ago = |at: Option<Timestamp>| at.map(|at| format!(" {}", words::ago(now, at))).unwrap_or_default();
    let held = match health.held {
        0 => String::new(),
        1 => String::from(" 1 delivery is held meanwhile."),
        held => format!(" {} deliveries are held meanwhile.", held_words(held)),
    };
    let next_call = || match health.next_call_at.map(|at| words::countdown(now, at)) {
        Some(left) if left != "now" => format!("The next call is in {left}."),
        _ => String::from("The next call is due."),
    };
    if !webhook.enabled {
        let disabled = format!("Disabled{}", ago(health.disabled_at));
        let held = held.replace("meanwhile", "until it is enabled");
        return Some(match &webhook.disabled_reason {
            Some(reason) => (
                Tone::Bad,
                format!("{disabled} by Postern: {}", lower_first(reason)),
                format!(
                    "Events pass it by.{held} When the receiver works again, enable it, then recover what it missed."
                ),
            ),
            None => (Tone::Idle, disabled, format!("Events pass it by.{held}")),
        });
    }
    if webhook.paused {
        let held = held.replace("meanwhile", "until it is resumed");
        return Some((
            Tone::Idle,
            String::from("Paused"),
            format!("It takes events, and sends none.{held} Nothing is lost."),
        ));
    }
    match health.status {
        HealthStatus::Failing => Some((
            Tone::Bad,
            format!("Failed {} in a row", words::count(health.failures_in_a_row, "time", "times")),
            format!(
                "{}It gets one call at a time until one succeeds. {}{held} Nothing is lost.",
                health
                    .failing_since
                    .map(|since| format!("No call has succeeded for {}. ", span_since(now, since)))
                    .unwrap_or_default(),
                next_call()
            ),
        )),
        HealthStatus::Throttled => Some((
            Tone::Busy,
            String::from("The receiver is overloaded"),
            format!(
                "It gets one call at a time, sooner after each one that succeeds. {}{held} Nothing is lost.",
                next_call()
            ),
        )),
        HealthStatus::Disabled | HealthStatus::Paused | HealthStatus::Healthy
            if health.failures_in_a_row > 0 =>
        {
            Some((
                Tone::Busy,
                format!(
                    "The latest {} failed",
                    words::count(health.failures_in_a_row, "attempt", "attempts")
                ),
                String::from("Attempts are repeated on the schedule. Nothing is lost."),
            ))
        }
        HealthStatus::Disabled | HealthStatus::Paused | HealthStatus::Healthy => None,
    }
}

/// How long ago something was, in its two largest units.
fn span_since(now: Timestamp, since: Timestamp) -> String {
    words::span(u64::try_from(now.ms_since(since) / 1_000).unwrap_or_default())
}

/// `text` in the middle of a sentence.
fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| format!("{}{}", first.to_ascii_lowercase(), letters.as_str()))
        .unwrap_or_default()
}

/// What limits a webhook, in a few words each; empty where nothing does.
pub(crate) fn limit_words(webhook: &WebhookView) -> Vec<String> {
    let mut limits = Vec::new();
    if let Some(limit) = webhook.rate_limit {
        limits.push(format!(
            "{} in {}",
            words::count(limit.calls, "call", "calls"),
            words::exact(limit.per_s)
        ));
    }
    if let Some(limit) = webhook.concurrency_limit {
        limits.push(format!("{} at once", words::count(limit, "call", "calls")));
    }
    if webhook.ordered {
        limits.push(String::from("in order, key by key"));
    }
    limits
}

/// The colours of the health strip, oldest first.
pub(crate) fn strip_tones(health: &Health) -> Vec<Tone> {
    health.recent.iter().map(|state| state_word(*state).0).collect()
}

/// Bars of a strip.
pub(crate) const STRIP_LENGTH: usize = RECENT_MAX as usize;

/// The health strip in words, for somebody who does not see it.
pub(crate) fn strip_summary(health: &Health) -> String {
    if health.recent.is_empty() {
        return String::from("No deliveries yet");
    }
    let delivered = count(&health.recent, |state| state == State::Delivered);
    let dead = count(&health.recent, |state| state == State::Dead);
    let open = count(&health.recent, |state| !state.is_final());
    let total = count(&health.recent, |_| true);
    format!(
        "Latest {}: {delivered} delivered, {dead} gave up, {open} under way",
        words::count(total, "delivery", "deliveries")
    )
}

/// The share of the latest deliveries that were delivered; `—` where there is none.
///
/// Of all of them, as wherever a share is shown: a receiver that takes nothing has 0 % before the first
/// delivery to it is given up.
pub(crate) fn delivered(health: &Health) -> String {
    let counts: StateCounts = health.recent.iter().copied().collect();
    words::percent(counts.delivered, counts.all())
}

/// [`delivered`] in the middle of a text; nothing where there is none.
pub(crate) fn delivered_words(health: &Health) -> String {
    if health.recent.is_empty() { String::new() } else { format!("{} delivered", delivered(health)) }
}

/// How many of the states fit.
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
    let (kind, name) =
        object.split_once(':').map_or((object.as_str(), None), |(kind, name)| (kind, Some(name)));
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

/// The line below the heading. `counts` as [`Row::marks`] marks webhooks.
pub(crate) fn about(extent: Extent, counts: Counts) -> String {
    let (shown, more) = match extent {
        Extent::Whole(number) => (number, ""),
        Extent::Cut(number) => (number, " shown, there are more"),
    };
    let part =
        |(number, word): (u32, &str)| if number > 0 { format!(" · {number} {word}") } else { String::new() };
    let parts: String =
        counts.into_iter().zip(["disabled", "paused", "failing", "retrying"]).map(part).collect();
    format!("{}{more}{parts}", words::count(u32::try_from(shown).unwrap_or(u32::MAX), "webhook", "webhooks"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::hold_words;

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
        assert_eq!(said(&[Delivered, Dead]), "Gave up");
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
    fn what_is_delivered_is_a_share_of_all_that_was_made() {
        use State::{Cancelled, Dead, Delivered, Waiting};
        let some = webhook(&[Delivered, Delivered, Dead, Waiting, Cancelled]).health;
        assert_eq!(
            (delivered(&some), delivered_words(&some)),
            (String::from("40 %"), String::from("40 % delivered"))
        );
        assert_eq!(delivered(&webhook(&[Waiting]).health), "0 %", "a receiver that takes nothing");
        let none = webhook(&[]).health;
        assert_eq!((delivered(&none), delivered_words(&none)), (String::from("—"), String::new()));
    }

    #[test]
    fn a_webhook_that_is_called_less_says_why_and_until_when() {
        let now = Timestamp(1_795_270_051_204);
        let mut failing = webhook(&[State::Delivered]);
        assert_eq!(health_words(&failing, now), None);
        failing.health.status = HealthStatus::Failing;
        failing.health.failures_in_a_row = 7;
        failing.health.failing_since = Some(now.plus_ms(-90_000));
        failing.health.next_call_at = Some(now.plus_ms(41_000));
        failing.health.held = 38;
        assert_eq!(standing(&failing), (Tone::Bad, String::from("Failing · 38 held")));
        let (_, headline, advice) = health_words(&failing, now).expect("words");
        assert_eq!(headline, "Failed 7 times in a row");
        assert!(
            advice.contains("for 1 min 30 s.")
                && advice.contains("in 0:41. 38 deliveries are held meanwhile."),
            "{advice}"
        );
        failing.health.status = HealthStatus::Throttled;
        assert_eq!(
            (standing(&failing).1.as_str(), hold_words(&failing)),
            ("Throttled · 38 held", "webhook throttled")
        );
        failing.paused = true;
        assert_eq!(
            (standing(&failing).1.as_str(), hold_words(&failing)),
            ("Paused · 38 held", "webhook paused")
        );
        assert!(
            health_words(&failing, now)
                .is_some_and(|(_, _, advice)| advice.contains("held until it is resumed"))
        );
    }

    #[test]
    fn limits_are_said_shortly() {
        let mut limited = webhook(&[]);
        assert_eq!(limit_words(&limited), [""; 0]);
        limited.rate_limit = Some(postern_core::webhook::RateLimit { calls: 10, per_s: 60 });
        limited.concurrency_limit = Some(1);
        limited.ordered = true;
        assert_eq!(limit_words(&limited), ["10 calls in 1 min", "1 call at once", "in order, key by key"]);
    }

    #[test]
    fn an_object_in_the_address_is_two_parameters_of_the_api() {
        let page = Query::default()
            .with("object", Some("deployment:d1"))
            .with("label", Some("team:core"))
            .with("open", Some("x"));
        assert_eq!(api_query(&page, None).text(), "?object_type=deployment&object_name=d1&label=team%3Acore");
        assert!(is_filtered(&page));
        assert!(!is_filtered(&Query::default().with("open", Some("x"))));
    }

    #[test]
    fn the_heading_counts_what_needs_a_look() {
        let mut off = webhook(&[State::Waiting]);
        off.enabled = false;
        let mut paused = webhook(&[State::Waiting]);
        paused.paused = true;
        let mut failing = webhook(&[State::Waiting]);
        failing.health.status = HealthStatus::Failing;
        let marks = [&off, &paused, &failing, &webhook(&[State::Waiting]), &webhook(&[State::Delivered])]
            .map(Row::marks);
        assert_eq!(marks, [1, 2, 4, 8, 0]);
        assert_eq!(about(Extent::Whole(2), [1, 0, 0, 1]), "2 webhooks · 1 disabled · 1 retrying");
        assert_eq!(about(Extent::Cut(1), [0; 4]), "1 webhook shown, there are more");
    }
}
