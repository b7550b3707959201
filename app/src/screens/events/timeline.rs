//! When an event's deliveries were tried, all on one axis. Plain Rust.
//!
//! The axis is logarithmic: the first attempts of a schedule are seconds apart and the last ones hours, and
//! both are to be told apart.

use postern_core::api::delivery::DeliveryDetail;
use postern_core::time::Timestamp;

use crate::screens::attempt::model;
use crate::ui::badge::Tone;
use crate::words;

/// Places of the axis from its start to its end.
pub(super) const PLACES: u32 = 1_000;

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The webhook's name, or what stands for one that was deleted.
    pub(super) webhook: String,
    /// 1, 2, …
    pub(super) number: u32,
    /// When it started.
    pub(super) at: Timestamp,
    /// How long after the event was accepted.
    pub(super) after: String,
    /// How it ended, in a few words.
    pub(super) result: String,
    /// What that means.
    pub(super) tone: Tone,
    /// Where it stands on the axis, up to [`PLACES`].
    pub(super) place: u32,
}

/// The attempts of all deliveries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Timeline {
    /// Each webhook that was called, with the places and tones of its attempts.
    pub(super) lanes: Vec<(String, Vec<(u32, Tone)>)>,
    /// Every attempt, the first one first.
    pub(super) marks: Vec<Mark>,
    /// Places that have a name.
    pub(super) ticks: Vec<(u32, &'static str)>,
}

/// Lengths of time that the axis names.
const TICKS: [(i64, &str); 6] = [
    (1_000, "1 s"),
    (10_000, "10 s"),
    (60_000, "1 min"),
    (600_000, "10 min"),
    (3_600_000, "1 h"),
    (86_400_000, "1 d"),
];

impl Timeline {
    /// The attempts of these deliveries of an event that was accepted at `accepted_at`.
    pub(super) fn of(accepted_at: Timestamp, deliveries: &[DeliveryDetail]) -> Self {
        let after_ms = |at: Timestamp| at.ms_since(accepted_at).max(0);
        let attempts =
            || deliveries.iter().flat_map(|of| of.attempts.iter().map(move |attempt| (of, &attempt.attempt)));
        let end_ms =
            attempts().map(|(_, attempt)| after_ms(attempt.started_at)).max().unwrap_or_default().max(1_000);
        let mut marks: Vec<Mark> = attempts()
            .map(|(of, attempt)| Mark {
                webhook: of.delivery.webhook.clone().unwrap_or_else(|| String::from("(deleted)")),
                number: attempt.number,
                at: attempt.started_at,
                after: after_words(after_ms(attempt.started_at)),
                result: model::result(attempt),
                tone: if model::is_delivered(attempt) { Tone::Good } else { Tone::Bad },
                place: place(after_ms(attempt.started_at), end_ms),
            })
            .collect();
        marks.sort_by(|one, other| {
            (one.at, &one.webhook, one.number).cmp(&(other.at, &other.webhook, other.number))
        });
        let mut lanes: Vec<(String, Vec<(u32, Tone)>)> = Vec::new();
        for mark in &marks {
            let known = lanes.iter_mut().find(|(webhook, _)| *webhook == mark.webhook);
            match known {
                Some((_, places)) => places.push((mark.place, mark.tone)),
                None => lanes.push((mark.webhook.clone(), vec![(mark.place, mark.tone)])),
            }
        }
        let ticks =
            TICKS.into_iter().filter(|(ms, _)| *ms <= end_ms).map(|(ms, name)| (place(ms, end_ms), name));
        Self { lanes, marks, ticks: ticks.collect() }
    }

    /// All of it in words, for the ear.
    pub(super) fn summary(&self) -> String {
        let count =
            |number: usize, one, many| words::count(u32::try_from(number).unwrap_or(u32::MAX), one, many);
        let last = self
            .marks
            .last()
            .map(|mark| format!(", the last {} after it was accepted", mark.after))
            .unwrap_or_default();
        format!(
            "{} to {}{last}. The table below lists them.",
            count(self.marks.len(), "attempt", "attempts"),
            count(self.lanes.len(), "webhook", "webhooks")
        )
    }
}

/// How long after, in words.
fn after_words(ms: i64) -> String {
    match u32::try_from(ms) {
        Ok(ms) if ms < 60_000 => words::duration(ms),
        _ => words::span(u64::try_from(ms / 1_000).unwrap_or_default()),
    }
}

/// The place of a time after the start, on an axis that ends at `end_ms`. Tenths of a second are told apart
/// from its start on.
fn place(ms: i64, end_ms: i64) -> u32 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a few days")]
    let high = |ms: i64| (1.0 + ms as f64 / 100.0).ln();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and PLACES")]
    let place = (high(ms) / high(end_ms) * f64::from(PLACES)) as u32;
    place.min(PLACES)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const POSTED: Timestamp = Timestamp(1_795_270_051_204);

    fn delivery(webhook: &str, attempts: &[(i64, u16)]) -> DeliveryDetail {
        let at = |ms: i64| POSTED.plus_ms(ms).to_rfc3339();
        let attempt = |(index, (ms, status)): (usize, &(i64, u16))| {
            let headers = json!([]);
            json!({
                "attempt": {
                    "number": index + 1, "trigger": "schedule", "started_at": at(*ms), "duration_ms": 10,
                    "outcome": { "kind": "answered", "status": status },
                    "request": { "url": "http://a/", "headers": headers, "rendering": { "contract": "standard" }, "body_bytes": 2 },
                    "response": { "status": status, "headers": headers, "body": "", "truncated": false }
                },
                "reason": { "headline": "", "advice": "" }, "request_body": null
            })
        };
        serde_json::from_value(json!({
            "delivery": {
                "id": format!("dlv_{webhook}"), "event_id": "evt_1", "type": "order.paid", "webhook_id": "whk_1",
                "webhook": webhook, "message_id": "msg_1", "state": "waiting", "attempts": attempts.len(),
                "next_at": null, "last_status": null, "last_result": null, "last_duration_ms": null,
                "created_at": at(0), "updated_at": at(0)
            },
            "reason": { "headline": "", "advice": "" },
            "attempts": attempts.iter().enumerate().map(attempt).collect::<Vec<_>>(),
            "event": {
                "id": "evt_1", "type": "order.paid", "object": null, "idempotency_key": null, "accepted_at": at(0), "deliveries": 2
            }
        }))
        .expect("a delivery")
    }

    #[test]
    fn attempts_of_all_deliveries_stand_on_one_axis() {
        let found = Timeline::of(
            POSTED,
            &[delivery("crm", &[(50, 503), (5_050, 503), (300_000, 200)]), delivery("billing", &[(40, 200)])],
        );
        let marks: Vec<(&str, u32, &str, Tone)> = found
            .marks
            .iter()
            .map(|mark| (mark.webhook.as_str(), mark.number, mark.after.as_str(), mark.tone))
            .collect();
        assert_eq!(
            marks,
            [
                ("billing", 1, "40 ms", Tone::Good),
                ("crm", 1, "50 ms", Tone::Bad),
                ("crm", 2, "5.05 s", Tone::Bad),
                ("crm", 3, "5 min", Tone::Good)
            ]
        );
        assert_eq!(found.marks[1].result, "503 Service Unavailable");
        assert_eq!(
            found.lanes.iter().map(|(name, places)| (name.as_str(), places.len())).collect::<Vec<_>>(),
            [("billing", 1), ("crm", 3)]
        );
        let places: Vec<u32> = found.marks.iter().map(|mark| mark.place).collect();
        assert!(places.is_sorted() && places.last() == Some(&PLACES), "{places:?}");
        assert_eq!(found.ticks.iter().map(|(_, name)| *name).collect::<Vec<_>>(), ["1 s", "10 s", "1 min"]);
        assert_eq!(
            found.summary(),
            "4 attempts to 2 webhooks, the last 5 min after it was accepted. The table below lists them."
        );
    }

    #[test]
    fn without_an_attempt_there_is_nothing() {
        let found = Timeline::of(POSTED, &[delivery("crm", &[])]);
        assert!(found.marks.is_empty() && found.lanes.is_empty());
    }
}
