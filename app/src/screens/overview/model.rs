//! What needs a person, and the steps of the first minute.

use postern_core::api::delivery::DeliveryView;
use postern_core::api::webhook::{HealthStatus, WebhookView};
use postern_core::delivery::State;

use crate::screens::webhooks::model::standing;
use crate::ui::badge::Tone;
use crate::words;

/// Something that only a person can fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// How bad it is.
    pub(crate) tone: Tone,
    /// The state as a word.
    pub(crate) state: String,
    /// The webhook.
    pub(crate) webhook: String,
    /// What happened.
    pub(crate) why: String,
}

/// What needs a person: webhooks that Postern disabled, that fail, or that retry, the worst first; then
/// deliveries given up for webhooks that do well again or are gone.
pub(crate) fn needs(webhooks: &[WebhookView], dead: &[DeliveryView]) -> Vec<Need> {
    let needs = webhooks.iter().filter_map(|webhook| need_of(webhook, dead));
    let (mut bad, others): (Vec<Need>, Vec<Need>) = needs.partition(|need| need.tone == Tone::Bad);
    bad.extend(others);
    bad
}

/// What a webhook needs, if it needs anything.
///
/// A delivery that was given up counts as long as it is among the recent ones of its webhook
/// (`health.recent`): after some successes it is history, and the list of deliveries has it.
fn need_of(webhook: &WebhookView, dead: &[DeliveryView]) -> Option<Need> {
    let (tone, state) = standing(webhook);
    let gave_up = u32::try_from(webhook.health.recent.iter().filter(|state| **state == State::Dead).count())
        .unwrap_or(u32::MAX);
    let lately = dead
        .iter()
        .find(|delivery| delivery.webhook.as_deref() == Some(&webhook.name))
        .and_then(|delivery| delivery.last_result.clone());
    let lately = lately.map(|result| format!(", last: {result}")).unwrap_or_default();
    let health = &webhook.health;
    let why = match (tone, &webhook.disabled_reason) {
        (Tone::Bad, Some(reason)) if !webhook.enabled => {
            format!("{reason}. Events pass it by until it is enabled.")
        }
        _ if !webhook.enabled => return None,
        _ if webhook.paused && health.held > 0 => {
            let (held, wait) = (
                words::count(health.held, "delivery", "deliveries"),
                if health.held == 1 { "waits" } else { "wait" },
            );
            format!("{held} {wait} until somebody resumes it.")
        }
        _ if webhook.paused => return None,
        _ if health.status == HealthStatus::Failing => {
            format!(
                "Failed {} in a row{lately}. It gets one call at a time until one succeeds.",
                words::count(health.failures_in_a_row, "time", "times")
            )
        }
        _ if health.status == HealthStatus::Throttled => {
            format!(
                "The receiver is overloaded{lately}. It gets one call at a time, sooner after each one that succeeds."
            )
        }
        (Tone::Bad, _) => format!(
            "Gave up on {} of the latest {}{lately}. Nothing more is sent unless you resend.",
            gave_up,
            words::count(recent(webhook), "delivery", "deliveries")
        ),
        (Tone::Busy, _) if webhook.health.recent.contains(&State::Waiting) => String::from(
            "The receiver fails or is slow; attempts are repeated on the schedule. Nothing is lost.",
        ),
        (Tone::Good, _) if gave_up > 0 => {
            format!(
                "Works again, but gave up on {}{lately}. Resend them if they matter.",
                words::count(gave_up, "delivery", "deliveries")
            )
        }
        _ => return None,
    };
    let (tone, state) =
        if tone == Tone::Good { (Tone::Bad, format!("Gave up {gave_up}")) } else { (tone, state) };
    Some(Need { tone, state, webhook: webhook.name.clone(), why })
}

/// How many of its latest deliveries are known.
fn recent(webhook: &WebhookView) -> u32 {
    u32::try_from(webhook.health.recent.len()).unwrap_or(u32::MAX)
}

/// How far the first minute is: inbox, webhook, first call.
///
/// Read from what there is, not remembered: a person who deletes the only inbox is a newcomer again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Steps {
    /// There is an inbox.
    pub(crate) has_inbox: bool,
    /// There is a webhook.
    pub(crate) has_webhook: bool,
    /// Something was delivered.
    pub(crate) has_delivery: bool,
}

impl Steps {
    /// The steps that webhooks and inboxes show.
    pub(crate) fn of(inboxes: u32, webhooks: &[WebhookView]) -> Self {
        Self {
            has_inbox: inboxes > 0,
            has_webhook: !webhooks.is_empty(),
            has_delivery: webhooks.iter().any(|webhook| webhook.health.recent.contains(&State::Delivered)),
        }
    }

    /// Whether there is nothing left to show a newcomer.
    pub(crate) const fn is_done(self) -> bool {
        self.has_inbox && self.has_webhook && self.has_delivery
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(name: &str, enabled: bool, reason: Option<&str>, recent: &[State]) -> WebhookView {
        serde_json::from_value(serde_json::json!({
            "id": format!("whk_{name}"), "name": name, "url": "https://example.com/", "contract": "standard", "events": ["*"],
            "object": {"type": null, "name": null, "version": null}, "headers": [], "description": "", "labels": {},
            "timeout_s": 10, "enabled": enabled, "disabled_reason": reason, "retry": true, "include_result": false, "signed": true,
            "version": 1, "created_at": "2026-11-21T09:30:00.000Z", "updated_at": "2026-11-21T09:30:00.000Z",
            "health": {"recent": recent, "at_once": 0, "latest_at": null}
        }))
        .expect("a webhook")
    }

    #[test]
    fn only_what_a_person_must_act_on_is_listed_the_worst_first() {
        use State::{Dead, Delivered, Waiting};
        let webhooks = [
            webhook("fine", true, None, &[Delivered]),
            webhook("off-by-hand", false, None, &[Delivered]),
            webhook("slow", true, None, &[Delivered, Waiting]),
            webhook("gone", false, Some("The receiver answered 410 Gone"), &[Dead]),
            webhook("fixed", true, None, &[Dead, Delivered]),
        ];
        let needs = needs(&webhooks, &[]);
        let listed: Vec<(&str, &str)> =
            needs.iter().map(|need| (need.webhook.as_str(), need.state.as_str())).collect();
        assert_eq!(listed, [("gone", "Disabled · 410"), ("fixed", "Gave up 1"), ("slow", "Retrying 1")]);
    }

    #[test]
    fn a_webhook_that_is_called_less_or_waits_is_listed() {
        let with = |name: &str, status: HealthStatus, held: u32| {
            let mut webhook = webhook(name, true, None, &[State::Delivered]);
            webhook.paused = status == HealthStatus::Paused;
            webhook.health.status = status;
            webhook.health.failures_in_a_row = 7;
            webhook.health.held = held;
            webhook
        };
        let webhooks = [
            with("paused", HealthStatus::Paused, 2),
            with("resting", HealthStatus::Paused, 0),
            with("slowed", HealthStatus::Throttled, 0),
            with("failing", HealthStatus::Failing, 38),
        ];
        let needs = needs(&webhooks, &[]);
        let listed: Vec<(&str, &str)> =
            needs.iter().map(|need| (need.webhook.as_str(), need.state.as_str())).collect();
        assert_eq!(
            listed,
            [("failing", "Failing · 38 held"), ("paused", "Paused · 2 held"), ("slowed", "Throttled")]
        );
        assert!(needs[0].why.starts_with("Failed 7 times in a row."), "{}", needs[0].why);
    }

    #[test]
    fn the_first_minute_ends_with_a_delivery() {
        assert!(!Steps::of(0, &[]).is_done());
        assert!(Steps::of(1, &[webhook("w", true, None, &[State::Delivered])]).is_done());
    }
}
