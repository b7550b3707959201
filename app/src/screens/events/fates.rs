//! What became of an event at each webhook, in words.

use postern_core::api::delivery::DeliveryView;
use postern_core::api::event::{EventDecision, EventDecisions};
use postern_core::condition::Clause;
use postern_core::delivery::State;
use postern_core::time::Timestamp;

use crate::words;

/// What became of the event at one webhook.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fate {
    /// The webhook's name, or what stands for one that was deleted.
    pub(super) webhook: String,
    /// Its delivery; `None`: the webhook did not get it.
    pub(super) delivery: Option<DeliveryView>,
    /// What is to be said in a line.
    pub(super) line: String,
    /// Why, filter by filter, by the webhook's definition of now.
    pub(super) reasons: Vec<Clause>,
}

impl Fate {
    /// Its place in the list: what somebody has to do something about comes first.
    fn rank(&self) -> u8 {
        match self.delivery.as_ref().map(|delivery| delivery.state) {
            Some(State::Dead) => 0,
            Some(State::Pending | State::Leased | State::Waiting) => 1,
            Some(State::Delivered) => 2,
            Some(State::Cancelled) => 3,
            None => 4,
        }
    }

    /// Whether it was given up by a webhook that is still there, so that it can be sent again.
    pub(super) fn can_be_sent_again(&self) -> bool {
        self.rank() == 0 && self.delivery.as_ref().is_some_and(|delivery| delivery.webhook.is_some())
    }

    /// What a row is known by: one that changes is made anew, the others stay as somebody has opened them.
    pub(super) fn key(&self) -> String {
        let delivery = self.delivery.as_ref();
        let (id, state) = (delivery.map(|of| of.id.as_str()), delivery.map(|of| of.state.as_str()));
        [id.unwrap_or(&self.webhook), state.unwrap_or_default(), &self.line].join(" ")
    }
}

/// What became of an event that was accepted at `accepted_at`. Where nobody could say why (`None`), only the
/// webhooks that got it are known.
pub(super) fn fates(
    accepted_at: Timestamp,
    deliveries: Vec<DeliveryView>,
    decisions: Option<EventDecisions>,
) -> Vec<Fate> {
    let decisions = decisions.map(|decisions| decisions.webhooks).unwrap_or_default();
    let reasons_of = |webhook: &str| {
        let decision = decisions.iter().find(|decision| decision.webhook_id == webhook);
        decision.map(|decision| decision.reasons.clone()).unwrap_or_default()
    };
    let mut fates: Vec<Fate> = deliveries
        .into_iter()
        .map(|delivery| Fate {
            webhook: delivery.webhook.clone().unwrap_or_else(|| String::from("(deleted)")),
            line: delivery_words(&delivery),
            reasons: reasons_of(&delivery.webhook_id),
            delivery: Some(delivery),
        })
        .collect();
    let got: Vec<String> =
        fates.iter().filter_map(|fate| fate.delivery.as_ref().map(|of| of.webhook_id.clone())).collect();
    let did_not_get =
        |decision: &EventDecision| decision.delivery_id.is_none() && !got.contains(&decision.webhook_id);
    fates.extend(decisions.into_iter().filter(did_not_get).map(|decision| Fate {
        line: missed_words(accepted_at, &decision),
        webhook: decision.webhook,
        delivery: None,
        reasons: decision.reasons,
    }));
    fates.sort_by(|one, other| (one.rank(), &one.webhook).cmp(&(other.rank(), &other.webhook)));
    fates
}

/// How a delivery went, as far as it has come.
fn delivery_words(delivery: &DeliveryView) -> String {
    let attempts = words::count(delivery.attempts, "attempt", "attempts");
    let result =
        delivery.last_result.as_ref().map(|result| format!(", the latest: {result}")).unwrap_or_default();
    let is_over = matches!(delivery.state, State::Delivered | State::Dead | State::Cancelled);
    let took_ms = u32::try_from(delivery.updated_at.ms_since(delivery.created_at).max(0)).unwrap_or(u32::MAX);
    let took = if is_over { format!(", over after {}", words::duration(took_ms)) } else { String::new() };
    format!("{attempts}{result}{took}")
}

/// Why a webhook has no delivery of the event, as far as its definition of now can say.
fn missed_words(accepted_at: Timestamp, decision: &EventDecision) -> String {
    if decision.created_at > accepted_at {
        return String::from("It was made after the event was posted.");
    }
    if !decision.matched {
        let failing = first_failing(&decision.reasons);
        return failing.map_or_else(
            || String::from("It does not want such an event."),
            |clause| format!("It does not want such an event: “{}” does not hold.", clause.text),
        );
    }
    if !decision.enabled {
        return String::from("It is disabled: it gets no events.");
    }
    if decision.updated_at > accepted_at {
        return String::from("It was changed since. Now it would get such an event.");
    }
    String::from("It would get such an event now. What it had is not kept, or another definition decided.")
}

/// The innermost part that decided, the first where there are several. Whether the webhook is enabled is said
/// apart.
fn first_failing(clauses: &[Clause]) -> Option<&Clause> {
    let failing = clauses.iter().find(|clause| !clause.holds && clause.pointer != "/enabled")?;
    Some(first_failing(&failing.children).unwrap_or(failing))
}

/// The whole in one line.
pub(super) fn summary(fates: &[Fate]) -> String {
    let count = |rank: &[u8]| fates.iter().filter(|fate| rank.contains(&fate.rank())).count();
    let parts: Vec<String> = [
        ("gave up", count(&[0])),
        ("under way", count(&[1])),
        ("delivered", count(&[2])),
        ("cancelled", count(&[3])),
    ]
    .into_iter()
    .filter(|(_word, count)| *count > 0)
    .map(|(word, count)| format!("{count} {word}"))
    .collect();
    let missed = match count(&[4]) {
        0 => String::new(),
        1 => String::from("1 webhook did not get it."),
        count => format!("{count} webhooks did not get it."),
    };
    let got = if parts.is_empty() { String::new() } else { words::sentence(&parts.join(", ")) };
    format!("{got} {missed}").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const POSTED: Timestamp = Timestamp(1_795_270_051_204);

    fn delivery(webhook: &str, state: &str) -> DeliveryView {
        serde_json::from_value(json!({
            "id": format!("dlv_{webhook}"), "event_id": "evt_1", "type": "order.paid", "webhook_id": format!("whk_{webhook}"),
            "webhook": webhook, "message_id": "msg_1", "state": state, "attempts": 2, "next_at": null, "last_status": 503,
            "last_result": "503 Service Unavailable", "last_duration_ms": 12, "created_at": POSTED.to_rfc3339(),
            "updated_at": POSTED.plus_ms(5_000).to_rfc3339()
        }))
        .expect("a delivery")
    }

    fn decision(webhook: &str, matched: bool, enabled: bool) -> EventDecision {
        let clause = |pointer: &str, text: &str, holds: bool, children: Vec<Clause>| Clause {
            pointer: String::from(pointer),
            text: String::from(text),
            holds,
            found: None,
            children,
        };
        let inner = clause("/filter/and/0", "country eq \"CH\"", matched, Vec::new());
        EventDecision {
            webhook: String::from(webhook),
            webhook_id: format!("whk_{webhook}"),
            delivery_id: None,
            enabled,
            matched,
            reasons: vec![
                clause("/enabled", "enabled", enabled, Vec::new()),
                clause("/filter", "all of these hold", matched, vec![inner]),
            ],
            created_at: POSTED.plus_ms(-1_000),
            updated_at: POSTED.plus_ms(-1_000),
        }
    }

    #[test]
    fn what_failed_comes_first_and_what_was_not_wanted_last() {
        let deliveries = vec![delivery("b", "delivered"), delivery("c", "dead"), delivery("a", "waiting")];
        let decisions =
            EventDecisions { webhooks: vec![decision("b", true, true), decision("other", false, true)] };
        let fates = fates(POSTED, deliveries, Some(decisions));
        let names: Vec<&str> = fates.iter().map(|fate| fate.webhook.as_str()).collect();
        assert_eq!(names, ["c", "a", "b", "other"]);
        assert!(fates[0].can_be_sent_again() && !fates[1].can_be_sent_again());
        assert_eq!(fates[0].line, "2 attempts, the latest: 503 Service Unavailable, over after 5.00 s");
        assert_eq!(fates[1].line, "2 attempts, the latest: 503 Service Unavailable");
        assert_eq!((fates[0].reasons.len(), fates[2].reasons.len()), (0, 2));
        assert_eq!(fates[3].line, "It does not want such an event: “country eq \"CH\"” does not hold.");
        assert_eq!(summary(&fates), "1 gave up, 1 under way, 1 delivered. 1 webhook did not get it.");
        assert_eq!(summary(&fates[3..]), "1 webhook did not get it.");
        assert_eq!(summary(&[]), "");
    }

    #[test]
    fn why_a_webhook_has_none_is_said_as_far_as_it_is_known() {
        let said = |decision: EventDecision| missed_words(POSTED, &decision);
        let later = POSTED.plus_ms(1);
        let of = decision;
        assert!(
            said(EventDecision { created_at: later, ..of("w", true, true) }).starts_with("It was made after")
        );
        assert!(said(of("w", true, false)).starts_with("It is disabled"));
        assert!(
            said(EventDecision { updated_at: later, ..of("w", true, true) }).starts_with("It was changed")
        );
        assert!(said(of("w", true, true)).contains("is not kept"));
        assert!(
            said(EventDecision { reasons: Vec::new(), ..of("w", false, true) })
                .starts_with("It does not want such")
        );
    }

    #[test]
    fn without_reasons_the_webhooks_that_got_it_are_shown() {
        let fates = fates(POSTED, vec![delivery("a", "delivered")], None);
        assert_eq!((fates.len(), fates[0].reasons.len()), (1, 0));
    }
}
