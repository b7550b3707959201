//! A table of what follows what, and the laws that no sequence of attempts breaks.

use proptest::prelude::*;

use super::state::DAY_MS;
use super::*;
use crate::delivery::{Outcome, ReceivedResponse};
use crate::time::Timestamp;
use crate::webhook::{Contract, Definition, Header, WebhookName};

const NOW: Timestamp = Timestamp(1_795_270_051_204);

fn after_all(signals: &[Signal], at: impl Fn(usize) -> Timestamp) -> (Health, Vec<(usize, Transition)>) {
    let mut health = Health::default();
    let mut told = Vec::new();
    for (index, signal) in signals.iter().enumerate() {
        let (next, transitions) = health.after(*signal, at(index));
        told.extend(transitions.into_iter().map(|transition| (index, transition)));
        health = next;
    }
    (health, told)
}

const S: Signal = Signal::Success;
const F: Signal = Signal::Failed;
const T: Signal = Signal::Throttled { retry_after_s: None };

#[test]
fn calls_that_were_under_way_when_a_receiver_vanished_count_as_one_probe() {
    let at = Timestamp(1_000_000);
    let mut health = Health::default();
    for _ in 0..FAILING_AFTER {
        health = health.after(Signal::Failed, at).0;
    }
    let begun = health;
    for signal in [Signal::Failed, Signal::Throttled { retry_after_s: None }] {
        for _ in 0..50 {
            health = health.after(signal, at.plus_ms(500)).0;
        }
    }
    assert_eq!((health.level, health.next_call_at), (begun.level, begun.next_call_at));
    let asked = health.after(Signal::Throttled { retry_after_s: Some(30) }, at.plus_ms(500)).0;
    assert_eq!(
        (asked.level, asked.next_call_at),
        (begun.level, Some(at.plus_ms(30_500))),
        "what a receiver asks for counts at any time"
    );
    let probed = health.after(Signal::Failed, at.plus_ms(1_000)).0;
    assert_eq!(probed.level, begun.level + 1);
}

#[test]
fn what_follows_what() {
    use Cause::{Failing, Throttled};
    // Signals an hour apart; then failures in a row, level, cause, seconds until the next call, and what was
    // told when.
    for (signals, failures, level, cause, next_s, told) in [
        (&[S][..], 0, 0, None, None, vec![]),
        (&[F, F, F, F], 4, 0, None, None, vec![]),
        (&[F, F, F, F, S, F], 1, 0, None, None, vec![]),
        (&[F, F, F, F, F], 5, 1, Some(Failing), Some(1), vec![(4, Transition::Failing)]),
        (&[F; 7], 7, 3, Some(Failing), Some(4), vec![(4, Transition::Failing)]),
        (&[F; 30], 30, 10, Some(Failing), Some(60), vec![(4, Transition::Failing)]),
        (
            &[F, F, F, F, F, F, S],
            0,
            0,
            None,
            None,
            vec![(4, Transition::Failing), (6, Transition::Recovered)],
        ),
        (&[T], 0, 1, Some(Throttled), Some(1), vec![(0, Transition::Throttled)]),
        (&[T, T, T], 0, 3, Some(Throttled), Some(4), vec![(0, Transition::Throttled)]),
        (&[T; 40], 0, 10, Some(Throttled), Some(512), vec![(0, Transition::Throttled)]),
        (&[T, T, T, S], 0, 2, Some(Throttled), Some(2), vec![(0, Transition::Throttled)]),
        (&[T, T, S, S], 0, 0, None, None, vec![(0, Transition::Throttled), (3, Transition::Recovered)]),
        (&[T, T, F], 1, 2, Some(Throttled), Some(2), vec![(0, Transition::Throttled)]),
        // Down, then overloaded when it is back: step by step.
        (&[F, F, F, F, F, T, S], 0, 1, Some(Throttled), Some(1), vec![(4, Transition::Failing)]),
        // Throttled first, then down: told as failing once, however the two alternate.
        (
            &[T, F, F, F, F, F, T, F, T, F],
            7,
            6,
            Some(Failing),
            Some(32),
            vec![(0, Transition::Throttled), (5, Transition::Failing)],
        ),
    ] {
        let at = |index: usize| NOW.plus_ms(i64::try_from(index).unwrap_or_default() * 3_600_000);
        let (health, found) = after_all(signals, at);
        let last = at(signals.len() - 1);
        assert_eq!(
            (health.failures_in_a_row, health.level, health.cause),
            (failures, level, cause),
            "{signals:?}"
        );
        assert_eq!(health.next_call_at, next_s.map(|seconds| last.plus_ms(seconds * 1_000)), "{signals:?}");
        assert_eq!(found, told, "{signals:?}");
    }
}

#[test]
fn what_the_receiver_asks_for_lengthens_the_pause_up_to_a_day() {
    for (asked_s, wait_s) in [(None, 1), (Some(0), 1), (Some(1), 1), (Some(90), 90), (Some(u32::MAX), 86_400)]
    {
        let (health, _) = Health::default().after(Signal::Throttled { retry_after_s: asked_s }, NOW);
        assert_eq!(health.next_call_at, Some(NOW.plus_ms(wait_s * 1_000)), "{asked_s:?}");
    }
}

#[test]
fn what_was_under_way_when_the_pause_began_neither_ends_nor_shortens_it() {
    let (paused, _) = Health::default().after(Signal::Throttled { retry_after_s: Some(3_600) }, NOW);
    let later = NOW.plus_ms(1_000);
    for signal in [S, F, T] {
        let (health, transitions) = paused.after(signal, later);
        assert!(
            health.is_probed() && health.next_call_at == paused.next_call_at && transitions.is_empty(),
            "{signal:?}"
        );
    }
    let (recovered, transitions) = paused.after(S, NOW.plus_ms(3_600_000));
    assert_eq!(recovered, opened_at(NOW.plus_ms(3_600_000)));
    assert_eq!(transitions, [Transition::Recovered]);
}

#[test]
fn a_success_at_any_time_ends_failing() {
    let (failing, _) = after_all(&[F; 12], |_| NOW);
    assert_eq!(failing.after(S, NOW), (opened_at(NOW), vec![Transition::Recovered]));
}

#[test]
fn five_days_without_a_success_disable() {
    for (first, second) in [(F, F), (F, T), (T, F), (T, T)] {
        let health = failing_since_now(first);
        let told = |ms: i64| health.after(second, NOW.plus_ms(ms)).1.contains(&Transition::DisabledForDays);
        assert_eq!((told(DISABLE_AFTER_MS - 1), told(DISABLE_AFTER_MS)), (false, true));
        let (fixed, _) = health.after(S, NOW.plus_ms(DISABLE_AFTER_MS - 1));
        assert!(!fixed.after(second, NOW.plus_ms(DISABLE_AFTER_MS)).1.contains(&Transition::DisabledForDays));
    }
}

#[test]
fn what_an_attempt_says_depends_on_whose_fault_it_is() {
    let response = |status: u16, retry_after: Option<&str>| ReceivedResponse {
        status,
        headers: retry_after
            .map(|value| (String::from("retry-after"), String::from(value)))
            .into_iter()
            .collect(),
        ..ReceivedResponse::default()
    };
    let throttled = |retry_after_s| Some(Signal::Throttled { retry_after_s });
    for (status, retry_after, signal) in [
        (200, None, Some(S)),
        (200, Some("60"), Some(S)),
        (302, None, Some(F)),
        (404, None, Some(F)),
        (410, None, Some(Signal::Gone)),
        (410, Some("60"), Some(Signal::Gone)),
        (429, None, throttled(None)),
        (429, Some("60"), throttled(Some(60))),
        (429, Some("soon"), throttled(None)),
        (500, Some("60"), Some(F)),
        (502, None, throttled(None)),
        (503, None, Some(F)),
        (503, Some("60"), throttled(Some(60))),
        (503, Some("4.5"), throttled(Some(5))),
        (503, Some("soon"), throttled(None)),
        (503, Some("-5"), throttled(None)),
        (503, Some(""), throttled(None)),
        (504, Some("Sat, 21 Nov 2026 14:07:41 GMT"), throttled(Some(10))),
    ] {
        let found = Signal::from_outcome(
            Contract::Standard,
            &Outcome::Answered { status },
            Some(&response(status, retry_after)),
            NOW,
        );
        assert_eq!(found, signal, "{status} {retry_after:?}");
    }
    assert_eq!(
        Signal::from_outcome(Contract::Ubiops, &Outcome::Answered { status: 302 }, None, NOW),
        Some(S)
    );
    let message = || String::from("x");
    for (outcome, signal) in [
        (Outcome::TimedOut, Some(F)),
        (Outcome::ConnectionFailed { message: message() }, Some(F)),
        (Outcome::NameNotResolved, Some(F)),
        (Outcome::PlatformFailed { message: message() }, None),
        (Outcome::PlatformFailed { message: String::from("TLS peer's certificate is not trusted") }, Some(F)),
        (Outcome::Answered { status: 401 }, Some(Signal::Refused)),
        (Outcome::Answered { status: 403 }, Some(Signal::Refused)),
        (Outcome::Blocked { message: message() }, None),
        (Outcome::Lost, None),
    ] {
        assert_eq!(Signal::from_outcome(Contract::Standard, &outcome, None, NOW), signal, "{outcome:?}");
    }
}

fn webhook() -> Definition {
    let Some(name) = WebhookName::parse("w") else { panic!("w is a name") };
    Definition::new(name, String::from("https://a.example/x"), Contract::Standard, Vec::new())
}

#[test]
fn a_second_410_counts_from_ten_minutes_after_the_first() {
    let at_once = webhook();
    let confirming = Definition { confirm_gone: true, ..at_once.clone() };
    let plain = Health::default();
    assert!(plain.gone_disables(&at_once, NOW), "the first one, unless the webhook asks for a second");
    assert!(!plain.gone_disables(&confirming, NOW.plus_ms(9 * GONE_CONFIRM_MS)), "there was no first one");
    let (first, told) = plain.after(Signal::Gone, NOW);
    assert_eq!(
        (first.failures_in_a_row, first.gone_since, told),
        (1, Some(NOW), Vec::new()),
        "a failure as others"
    );
    assert!(
        !first.gone_disables(&confirming, NOW.plus_ms(GONE_CONFIRM_MS - 1))
            && first.gone_disables(&confirming, NOW.plus_ms(GONE_CONFIRM_MS))
    );
    // What comes in between does not move it, but a success clears it.
    let later = NOW.plus_ms(60_000);
    for signal in [Signal::Gone, F, T] {
        assert_eq!(first.after(signal, later).0.gone_since, Some(NOW), "{signal:?}");
    }
    assert_eq!(first.after(S, later).0, plain);
    let slow = first.after(T, later).0.after(T, later.plus_ms(3_600_000)).0;
    for at in [later.plus_ms(3_600_001), later.plus_ms(7_200_000)] {
        let (well, _told) = slow.after(S, at);
        assert_eq!((well.is_probed(), well.gone_since), (true, None), "throttled still, and not gone");
    }
    assert_eq!(
        serde_json::to_value(first).ok().and_then(|stored| serde_json::from_value(stored).ok()),
        Some(first)
    );
}

#[test]
fn it_is_stored_in_few_words_and_reads_back() {
    let text = |health: &Health| serde_json::to_string(health).unwrap_or_default();
    assert_eq!(text(&Health::default()), "{}");
    let (health, _) = after_all(&[F, F, F, F, F, T], |_| NOW);
    assert_eq!(serde_json::from_str::<Health>(&text(&health)).ok(), Some(health));
    assert_eq!(serde_json::from_str::<Health>("{}").ok(), Some(Health::default()));
}

fn any_signal() -> impl Strategy<Value = Signal> {
    prop_oneof![
        3 => Just(S),
        5 => Just(F),
        3 => prop::option::of(0u32..200_000).prop_map(|retry_after_s| Signal::Throttled { retry_after_s }),
    ]
}

proptest! {
    #[test]
    fn no_sequence_of_attempts_breaks_the_rules(steps in prop::collection::vec((any_signal(), 0i64..100_000_000), 1..80)) {
        let mut health = Health::default();
        let mut now = NOW;
        let mut is_told_unwell = false;
        for (signal, ms) in steps {
            now = now.plus_ms(ms);
            let (next, transitions) = health.after(signal, now);
            prop_assert!(next.level <= LEVEL_MAX);
            prop_assert_eq!(next.level > 0, next.cause.is_some());
            prop_assert_eq!(next.level > 0, next.next_call_at.is_some());
            // Everything that makes it unwell is told, and so is the end of it, in turn.
            for transition in &transitions {
                match transition {
                    Transition::Recovered => {
                        prop_assert!(is_told_unwell && !next.is_probed() && signal == S);
                        is_told_unwell = false;
                    }
                    Transition::Failing | Transition::Throttled => is_told_unwell = true,
                    Transition::DisabledForDays => prop_assert!(signal != S),
                }
            }
            prop_assert_eq!(is_told_unwell, next.is_probed());
            if signal == S {
                prop_assert!(next.failures_in_a_row == 0 && next.failing_since.is_none() && next.level <= health.level);
            } else {
                prop_assert!(next.failing_since.is_some_and(|since| since <= now) && next.level >= health.level);
                prop_assert!(next.next_call_at >= health.next_call_at, "a failure never shortens a pause");
            }
            health = next;
        }
    }

    #[test]
    fn enough_successes_fix_anything(steps in prop::collection::vec(any_signal(), 0..60)) {
        let (mut health, _) = after_all(&steps, |_| NOW);
        for step in 0..=LEVEL_MAX + 6 {
            let opens_at = NOW.plus_ms(i64::from(step) * DAY_MS);
            health = health.after(S, health.next_call_at.unwrap_or(opens_at)).0;
        }
        prop_assert!(health.is_plain());
    }

    #[test]
    fn any_clock_and_any_stored_health_is_taken(failures_in_a_row: u32, since: Option<i64>, level: u8, next: Option<i64>, now: i64, signal in any_signal()) {
        let cause = [None, Some(Cause::Failing), Some(Cause::Throttled)][usize::from(level % 3)];
        let health =
            Health { failures_in_a_row, failing_since: since.map(Timestamp), level, cause, next_call_at: next.map(Timestamp), ..Health::default() };
        let _next = health.after(signal, Timestamp(now));
    }
}

#[test]
fn days_of_failure_begin_anew_when_a_webhook_is_resumed() {
    let now = Timestamp(1_795_270_051_204);
    let failed = failing_since_now(T);
    let resumed = failed.resumed();
    assert_eq!(
        resumed,
        Health { failing_since: None, failures: 0, failing_days: 0, failed_on: None, ..failed }
    );
    let later = now.plus_ms(DISABLE_AFTER_MS);
    assert!(failed.after(T, later).1.contains(&Transition::DisabledForDays));
    let (failed, transitions) = resumed.after(T, later);
    assert_eq!((failed.failing_since, transitions), (Some(later), Vec::new()));
    let failed =
        (1..10).fold(failed, |health, half_days| health.after(T, later.plus_ms(half_days * DAY_MS / 2)).0);
    assert!(failed.after(T, later.plus_ms(DISABLE_AFTER_MS)).1.contains(&Transition::DisabledForDays));
    assert!(Health::default().resumed().is_plain());
}

/// A webhook whose first failure was `first`, at [`NOW`], and that has failed often enough since to be
/// disabled in the end.
fn failing_since_now(first: Signal) -> Health {
    let (health, _) = Health::default().after(first, NOW);
    (1..10).fold(health, |health, half_days| health.after(T, NOW.plus_ms(half_days * DAY_MS / 2)).0)
}

#[test]
fn a_quiet_webhook_is_not_disabled_by_a_few_failures_however_far_apart() {
    let at_days = |days: &[i64]| {
        let mut told = Vec::new();
        let mut health = Health::default();
        for day in days {
            let (next, transitions) = health.after(F, NOW.plus_ms(day * DAY_MS));
            told.extend(transitions.contains(&Transition::DisabledForDays).then_some(*day));
            health = next;
        }
        told
    };
    assert_eq!(at_days(&[0, 5]), [0; 0], "one on Monday, one on Saturday");
    assert_eq!(at_days(&[0, 1, 2, 3, 4, 5, 6, 7, 8]), [0; 0], "nine of them");
    assert_eq!(at_days(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), [9], "ten");
    let burst = |day: i64| [day; 20];
    assert_eq!(at_days(&[burst(0), burst(5)].concat()), [0; 0], "many, on two days");
    assert_eq!(at_days(&[&burst(0)[..], &[2, 5]].concat()), [5], "many, on three days");
}

#[test]
fn an_edit_that_makes_another_receiver_of_a_webhook_starts_anew() {
    let before = webhook();
    let failing = failing_since_now(F);
    let paused = Definition { paused: true, ..before.clone() };
    let elsewhere = Definition { url: String::from("https://b.example/x"), ..before.clone() };
    let secret = Definition { secret: Some(String::from("s1.k1.other")), ..before.clone() };
    let header = Header { key: String::from("x-key"), value: String::from("1"), protected: true };
    let headers = Definition { headers: vec![header], ..before.clone() };
    let disabled = Definition { enabled: false, ..before.clone() };
    assert_eq!(failing.edited(&before, &before), failing);
    assert_eq!(failing.edited(&before, &paused), failing);
    assert_eq!(failing.edited(&paused, &before), failing.resumed());
    assert!(failing.edited(&disabled, &before).is_plain());
    assert!(failing.edited(&before, &elsewhere).is_plain());
    for other in [&secret, &headers] {
        assert_eq!(failing.edited(&before, other), failing, "its failures have another reason");
        let (refused, _) = failing.after(Signal::Refused, NOW.plus_ms(DISABLE_AFTER_MS - 1));
        assert!(refused.refused && refused.edited(&before, other).is_plain());
        let (again, _) = refused.after(F, NOW.plus_ms(DISABLE_AFTER_MS - 1));
        assert_eq!(again.edited(&before, other), again, "the latest failure was another one");
    }
}

/// A webhook that is as well as it can be right after an outage.
fn opened_at(now: Timestamp) -> Health {
    Health { at_once: Some(SLOW_START_FROM), at_once_since: Some(now), ..Health::default() }
}

#[test]
fn a_webhook_opens_slowly_after_an_outage() {
    let (failing, _) = after_all(&[F; 7], |_| NOW);
    let mut health = failing.after(S, NOW).0;
    // A success every 10 ms: after how many milliseconds so many calls at once are allowed.
    let mut raised = vec![(0, health.at_once)];
    for ms in (10..3_000).step_by(10) {
        let next = health.after(S, NOW.plus_ms(ms)).0;
        if next.at_once != health.at_once {
            raised.push((ms, next.at_once));
        }
        health = next;
    }
    let expected = [(0, Some(2)), (340, Some(4)), (680, Some(8)), (1_020, Some(16)), (1_360, Some(32))];
    assert_eq!(raised[..5], expected);
    assert_eq!(raised[5..], [(1_700, None)], "as usual");
    assert!(health.is_plain());
}

#[test]
fn a_failure_while_a_webhook_opens_halves_what_it_gets_at_once() {
    let eight = Health { at_once: Some(8), at_once_since: Some(NOW), ..Health::default() };
    let at_once = |signals: &[Signal]| {
        let late = NOW.plus_ms(SLOW_START_STEP_MS);
        signals.iter().fold(eight, |health, signal| health.after(*signal, late).0).at_once
    };
    assert_eq!(at_once(&[F]), Some(4));
    assert_eq!(at_once(&[F, S]), Some(4), "it is not raised at once");
    assert_eq!(at_once(&[F, F, F, F]), Some(4), "nor lowered again at once");
    assert_eq!(at_once(&[F, F, F, F, F]), None, "it is probed again");
    assert_eq!(at_once(&[T]), None);
    let early = eight.after(F, NOW.plus_ms(SLOW_START_STEP_MS - 1)).0;
    assert_eq!(early.at_once, Some(8), "the last change was just now");
}

#[test]
fn a_receiver_that_refuses_some_events_is_not_kept_closed_by_them() {
    let mut health = opened_at(NOW);
    // A call every 10 ms, every tenth of which fails.
    let opens = (1..1_000).find(|call| {
        let signal = if call % 10 == 0 { F } else { S };
        health = health.after(signal, NOW.plus_ms(call * 10)).0;
        health.at_once.is_none()
    });
    assert!(opens.is_some(), "within ten seconds");
}
