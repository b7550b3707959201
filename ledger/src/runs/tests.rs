use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use postern_core::project::{ScheduleChange, SettingsPatch};
use postern_core::retry::RetryAfter;
use postern_core::run::{Entry, Progress};
use serde_json::{Value as Json, json};

use postern_core::api::run::{CallbackView, RunClaim};
use postern_core::delivery::Outcome;
use postern_core::id::Seq;
use postern_core::run::{
    self, CallRecord, CallbackAttempt, CallbackKind, CallbackState, EXECUTOR_LOST, RunDraft, RunEnd, RunMode,
    RunState, RunUpdate, Target, Webhooks,
};
use postern_core::time::Timestamp;

use super::*;
use crate::Ledger;
use crate::error::LedgerError;
use crate::sql::{Row, Sql, Value, first};
use crate::support::build::{START, json as raw, ledger};
use crate::support::native::Native;

/// How long a call may take until it counts as lost.
const CALL_LEASE_MS: i64 = 40_000;

type Store = Ledger<Rc<Native>>;

fn target(url: &str) -> Target {
    Target { url: String::from(url), authorization: Some(String::from("s1.k1.sealed")) }
}

fn draft(webhooks: Option<Webhooks>) -> RunDraft {
    RunDraft {
        chain: raw(r#"{"version":"1","list":[]}"#),
        webhooks,
        labels: BTreeMap::new(),
        mode: RunMode::Work,
        entry: Entry {
            origin: String::from("https://h"),
            path: String::from("/v1/projects/p1/runs"),
            endpoint: String::from("runs"),
        },
        refusal: None,
    }
}

fn both() -> Webhooks {
    Webhooks {
        finished: target("https://f.example/"),
        update: Some(target("https://u.example/")),
        user: Some(String::from("u")),
        forgotten: false,
    }
}

fn create(ledger: &mut Store, draft: &RunDraft) -> RunTurn {
    let seq = ledger.reserve(START);
    ledger.create_run(seq, draft, START).unwrap()
}

/// A run without callbacks.
fn plain(ledger: &mut Store) -> String {
    create(ledger, &draft(None)).run.id
}

fn answered(status: u16) -> Outcome {
    Outcome::Answered { status }
}

fn attempt(outcome: Outcome) -> CallRecord {
    let attempt = CallbackAttempt {
        number: 0,
        started_at: START,
        duration_ms: 5,
        outcome,
        answer: String::new(),
        retry_after_s: None,
        body_note: None,
        request_id: None,
    };
    CallRecord::new(attempt, None)
}

/// An answer whose `Retry-After` is `value`.
fn asking(status: u16, value: &str) -> CallRecord {
    CallRecord::new(attempt(answered(status)).attempt, Some(RetryAfter::read(value, START)))
}

fn report(ledger: &mut Store, call: &RunCall, outcome: Outcome, now: Timestamp) -> Option<RunTurn> {
    ledger.report_run_call(call.run, call.kind, call.number, attempt(outcome), now).unwrap()
}

/// A run with both callbacks whose probes have passed.
fn probed(ledger: &mut Store) -> String {
    let turn = create(ledger, &draft(Some(both())));
    let turn = report(ledger, &turn.calls[0], answered(200), START).unwrap();
    let turn = report(ledger, &turn.calls[0], answered(200), START).unwrap();
    assert!(turn.calls.is_empty());
    turn.run.id
}

fn claim(ledger: &mut Store, now: Timestamp) -> Option<RunClaim> {
    ledger.claim_run(60, now).unwrap().claim
}

fn update(words: &str) -> RunUpdate {
    RunUpdate { message: Some(String::from(words)), ..RunUpdate::default() }
}

fn end(outcome: RunState) -> RunEnd {
    RunEnd { claim: None, outcome, message: None, results: None, log: Vec::new() }
}

fn why<T: std::fmt::Debug>(result: Result<T, LedgerError>) -> String {
    match result {
        Err(LedgerError::StateConflict { why }) => String::from(why),
        other => panic!("{other:?}"),
    }
}

fn callback(ledger: &Store, id: &str, kind: CallbackKind) -> CallbackView {
    ledger.run(id).unwrap().callbacks.into_iter().find(|callback| callback.kind == kind).unwrap()
}

fn told(call: &RunCall) -> Json {
    let inner: String = serde_json::from_str(call.body.as_deref().unwrap()).unwrap();
    serde_json::from_str(&inner).unwrap()
}

#[test]
fn a_run_is_claimed_in_its_turn_worked_on_and_finished() {
    let mut ledger = ledger();
    let (first, second) = (plain(&mut ledger), plain(&mut ledger));
    let claimed = claim(&mut ledger, START).unwrap();
    assert_eq!(
        (claimed.id.as_str(), claimed.claim, claimed.lease_until),
        (first.as_str(), 1, START.plus_ms(60_000))
    );
    assert_eq!(claimed.chain.get(), r#"{"version":"1","list":[]}"#);
    assert_eq!(claim(&mut ledger, START).unwrap().id, second);
    assert!(claim(&mut ledger, START).is_none());

    let later = START.plus_ms(50_000);
    let said = RunUpdate { progress: Some(Progress::new(1, 2, None)), log: vec![raw("1")], ..update("half") };
    let run = ledger.update_run(&first, said, later).unwrap().run;
    assert_eq!(
        (run.state, run.message.as_str(), run.progress.map(|progress| progress.percent)),
        (RunState::Running, "half", Some(50))
    );
    assert_eq!(run.lease_until, Some(later.plus_ms(60_000)), "an update renews the lease");
    let run = ledger.update_run(&first, RunUpdate::default(), later.plus_ms(1)).unwrap().run;
    assert_eq!(
        (run.message.as_str(), run.lease_until),
        ("half", Some(later.plus_ms(60_001))),
        "what is not said stays"
    );

    let done =
        RunEnd { results: Some(raw(r#"{"z":1,"a":2}"#)), log: vec![raw("2")], ..end(RunState::Finished) };
    let turn = ledger.finish_run(&first, done, later.plus_ms(2)).unwrap();
    assert_eq!(
        (turn.run.state, turn.run.ended_at, turn.calls.len()),
        (RunState::Finished, Some(later.plus_ms(2)), 0)
    );
    let detail = ledger.run(&first).unwrap();
    assert_eq!(detail.log.iter().map(|entry| entry.get()).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(detail.results.unwrap().get(), r#"{"z":1,"a":2}"#, "as it was written");
    assert_eq!(detail.message, "Processing successfully finished");
    assert!(why(ledger.finish_run(&first, end(RunState::Error), later)).contains("has ended"));
    assert!(why(ledger.update_run(&first, RunUpdate::default(), later)).contains("has ended"));
    assert!(why(ledger.terminate_run(&first, later)).contains("ended already"));
}

#[test]
fn a_terminated_run_is_told_to_its_executor_and_offered_to_nobody() {
    let mut ledger = ledger();
    let (claimed, waiting) = (plain(&mut ledger), plain(&mut ledger));
    claim(&mut ledger, START).unwrap();
    for id in [&claimed, &waiting] {
        assert_eq!(ledger.terminate_run(id, START).unwrap().run.state, RunState::Terminated);
    }
    assert!(why(ledger.update_run(&claimed, RunUpdate::default(), START)).contains("terminated"));
    assert!(why(ledger.finish_run(&claimed, end(RunState::Finished), START)).contains("terminated"));
    assert!(claim(&mut ledger, START).is_none());
    assert_eq!(ledger.next_run_wake().unwrap(), None, "nothing is planned");
}

#[test]
fn a_claim_whose_lease_ends_is_offered_again_and_the_stale_executor_is_not_heard() {
    let mut ledger = ledger();
    let id = plain(&mut ledger);
    claim(&mut ledger, START).unwrap();
    let ended = START.plus_ms(60_000);
    assert_eq!(ledger.next_run_wake().unwrap(), Some(ended));
    assert!(ledger.due_runs(ended.plus_ms(-1)).unwrap().changed.is_empty());
    let changed = ledger.due_runs(ended).unwrap().changed;
    assert_eq!((changed[0].state, changed[0].lease_until), (RunState::Accepted, None));
    assert!(
        why(ledger.update_run(&id, RunUpdate { claim: Some(1), ..update("late") }, ended))
            .contains("claim it first")
    );

    assert_eq!(claim(&mut ledger, ended).unwrap().claim, 2);
    assert!(
        why(ledger.update_run(&id, RunUpdate { claim: Some(1), ..update("stale") }, ended))
            .contains("another executor")
    );
    assert!(
        why(ledger.finish_run(&id, RunEnd { claim: Some(1), ..end(RunState::Finished) }, ended))
            .contains("another executor")
    );
    assert!(ledger.update_run(&id, RunUpdate { claim: Some(2), ..update("mine") }, ended).is_ok());
    assert!(ledger.update_run(&id, update("without a number"), ended).is_ok());
}

#[test]
fn a_claim_takes_up_a_lost_run_before_the_alarm_has_rung() {
    let mut ledger = ledger();
    let id = plain(&mut ledger);
    claim(&mut ledger, START).unwrap();
    assert!(claim(&mut ledger, START.plus_ms(59_999)).is_none());
    assert_eq!(claim(&mut ledger, START.plus_ms(60_000)).map(|claim| (claim.id, claim.claim)), Some((id, 2)));
}

#[test]
fn after_five_lost_claims_the_run_has_failed() {
    let mut ledger = ledger();
    let id = probed(&mut ledger);
    let mut now = START;
    for number in 1..=5 {
        assert_eq!(claim(&mut ledger, now).unwrap().claim, number);
        now = now.plus_ms(60_000);
        // The object dies and starts again in between: everything is in the database.
        ledger = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
        let due = ledger.due_runs(now).unwrap();
        assert_eq!(due.changed[0].state, if number < 5 { RunState::Accepted } else { RunState::Error });
        assert_eq!(due.calls.len(), usize::from(number == 5), "its end is told");
    }
    assert!(claim(&mut ledger, now).is_none());
    assert_eq!(ledger.run(&id).unwrap().message, EXECUTOR_LOST);
}

#[test]
fn a_run_is_offered_once_both_probes_have_passed() {
    let mut ledger = ledger();
    let turn = create(&mut ledger, &draft(Some(both())));
    let [probe] = turn.calls.as_slice() else { panic!("one call: {turn:?}") };
    assert_eq!(
        (probe.kind, probe.target.url.as_str(), probe.body.as_deref()),
        (CallbackKind::ProbeFinished, "https://f.example/", None)
    );
    assert_eq!(probe.sealed_under, turn.run.id);
    assert!(claim(&mut ledger, START).is_none());
    let turn = report(&mut ledger, probe, answered(200), START).unwrap();
    let [probe] = turn.calls.as_slice() else { panic!("one call: {turn:?}") };
    assert_eq!((probe.kind, probe.target.url.as_str()), (CallbackKind::ProbeUpdate, "https://u.example/"));
    assert!(claim(&mut ledger, START).is_none());
    let turn = report(&mut ledger, probe, answered(200), START).unwrap();
    assert!(turn.calls.is_empty());
    assert!(claim(&mut ledger, START).is_some());
}

#[test]
fn a_probe_that_fails_ends_the_run_and_nothing_is_posted() {
    for (passed, outcome, field, url) in [
        (0, answered(204), "finished", "https://f.example/"),
        (0, Outcome::NameNotResolved, "finished", "https://f.example/"),
        (1, answered(302), "update", "https://u.example/"),
    ] {
        let mut ledger = ledger();
        let mut turn = create(&mut ledger, &draft(Some(both())));
        for _probe in 0..passed {
            turn = report(&mut ledger, &turn.calls[0], answered(200), START).unwrap();
        }
        let turn = report(&mut ledger, &turn.calls[0], outcome, START).unwrap();
        assert_eq!((turn.run.state, turn.calls.len()), (RunState::Error, 0));
        assert_eq!(turn.run.message, format!("The {field} webhook URL {url} can not be accessed."));
        let (code, text) = ledger.run_status(&turn.run.id).unwrap();
        assert_eq!(code, 400);
        assert!(
            text.contains(&format!("AsyncProcessError:  The {field} webhook URL {url} can not be accessed.")),
            "{text}"
        );
        let posts = ledger
            .run(&turn.run.id)
            .unwrap()
            .callbacks
            .into_iter()
            .filter(|callback| !callback.kind.is_probe())
            .count();
        assert_eq!((posts, ledger.next_run_wake().unwrap()), (0, None));
    }
}

#[test]
fn a_chain_that_can_not_be_done_calls_nobody() {
    let mut ledger = ledger();
    let refused = RunDraft { refusal: Some(String::from("no")), webhooks: None, ..draft(None) };
    let turn = create(&mut ledger, &refused);
    assert_eq!((turn.run.state, turn.run.message.as_str(), turn.calls.len()), (RunState::Error, "no", 0));
    assert!(claim(&mut ledger, START).is_none());
}

#[test]
fn a_validation_ends_when_its_probes_have_passed_and_is_offered_to_nobody() {
    let mut ledger = ledger();
    let at_once = create(&mut ledger, &RunDraft { mode: RunMode::Validation, ..draft(None) });
    assert_eq!(at_once.run.state, RunState::Finished);
    let turn = create(&mut ledger, &RunDraft { mode: RunMode::Validation, ..draft(Some(both())) });
    assert_eq!(turn.run.state, RunState::Accepted);
    let turn = report(&mut ledger, &turn.calls[0], answered(200), START).unwrap();
    let turn = report(&mut ledger, &turn.calls[0], answered(200), START).unwrap();
    assert_eq!(
        (turn.run.state, turn.calls.len()),
        (RunState::Finished, 0),
        "nothing was done, so nothing is told"
    );
    assert!(claim(&mut ledger, START).is_none());
}

#[test]
fn updates_are_posted_and_a_newer_one_replaces_one_that_was_not_sent() {
    let mut ledger = ledger();
    let id = probed(&mut ledger);
    claim(&mut ledger, START).unwrap();
    let turn = ledger
        .update_run(&id, RunUpdate { progress: Some(Progress::new(1, 3, None)), ..update("one") }, START)
        .unwrap();
    let [first] = turn.calls.as_slice() else { panic!("one call: {turn:?}") };
    let body = told(first);
    assert_eq!(
        (&body["status"], &body["message"], &body["progress"]),
        (&json!("running"), &json!("one"), &json!({"step": 1, "num_of_steps": 3}))
    );
    assert_eq!((&body["process_chain_list"], body.get("process_log")), (&json!([]), None));

    // While the first is under way, two more come: the last of them is told after it.
    for words in ["two", "three"] {
        assert!(ledger.update_run(&id, update(words), START).unwrap().calls.is_empty());
    }
    let turn = report(&mut ledger, first, answered(500), START).unwrap();
    let [next] = turn.calls.as_slice() else { panic!("one call: {turn:?}") };
    assert_eq!((&told(next)["message"], next.number), (&json!("three"), 2));
    assert_ne!(next.message_id, first.message_id, "it tells something else");
    let turn = report(&mut ledger, next, answered(200), START).unwrap();
    assert!(turn.calls.is_empty(), "an update is called once");
    let shown = callback(&ledger, &id, CallbackKind::Update);
    assert_eq!((shown.state, shown.attempts.len()), (CallbackState::Delivered, 2));
    assert_eq!(shown.attempts[0].result, "500 Internal Server Error");

    assert!(
        ledger.update_run(&id, RunUpdate::default(), START).unwrap().calls.is_empty(),
        "a heartbeat tells nothing"
    );
}

#[test]
fn the_end_is_told_after_an_update_that_is_under_way() {
    for loses in [false, true] {
        let mut ledger = ledger();
        let id = probed(&mut ledger);
        claim(&mut ledger, START).unwrap();
        let update = ledger.update_run(&id, update("one"), START).unwrap().calls.remove(0);
        let turn = ledger.finish_run(&id, end(RunState::Finished), START).unwrap();
        assert!(turn.calls.is_empty());
        let calls = if loses {
            ledger.due_runs(START.plus_ms(CALL_LEASE_MS)).unwrap().calls
        } else {
            report(&mut ledger, &update, answered(200), START).unwrap().calls
        };
        assert_eq!(calls.iter().map(|call| call.kind).collect::<Vec<_>>(), [CallbackKind::Finished]);
        assert_eq!(told(&calls[0])["status"], "finished");
    }
}

#[test]
fn the_end_is_told_until_somebody_takes_it() {
    let mut ledger = ledger();
    let id = probed(&mut ledger);
    claim(&mut ledger, START).unwrap();
    let done = RunEnd {
        message: Some(String::from("it broke")),
        log: vec![raw("\"a line\"")],
        ..end(RunState::Error)
    };
    let mut turn = ledger.finish_run(&id, done, START).unwrap();
    let body = told(&turn.calls[0]);
    assert_eq!(
        (&body["status"], &body["http_code"], &body["message"]),
        (&json!("error"), &json!(400), &json!("AsyncProcessError:  it broke"))
    );
    assert_eq!(
        (&body["process_log"][0]["stdout"], &body["process_chain_list"][0]["version"]),
        (&json!("a line"), &json!("1"))
    );

    // 5xx: after the first pause of the schedule.
    let message_id = turn.calls[0].message_id.clone();
    turn = report(&mut ledger, &turn.calls[0], answered(503), START).unwrap();
    assert!(turn.calls.is_empty(), "never at once");
    let shown = callback(&ledger, &id, CallbackKind::Finished);
    assert_eq!(
        (shown.state, shown.reason.headline.as_str()),
        (CallbackState::Waiting, "Call 1 failed: 503 Service Unavailable")
    );
    let second = shown.next_at.unwrap();
    assert!((4_000..=6_000).contains(&second.ms_since(START)), "{second:?}");
    assert_eq!(ledger.next_run_wake().unwrap(), Some(second));
    assert!(ledger.due_runs(second.plus_ms(-1)).unwrap().calls.is_empty());
    let calls = ledger.due_runs(second).unwrap().calls;
    assert_eq!(
        (calls[0].number, calls[0].message_id.as_str()),
        (2, message_id.as_str()),
        "it tells the same"
    );
    // No connection: after the next one.
    report(&mut ledger, &calls[0], Outcome::ConnectionFailed { message: String::from("x") }, second).unwrap();
    let later = callback(&ledger, &id, CallbackKind::Finished).next_at.unwrap();
    assert!((240_000..=360_000).contains(&later.ms_since(second)), "{later:?}");
    assert_eq!(ledger.next_run_wake().unwrap(), Some(later));
    assert!(ledger.due_runs(later.plus_ms(-1)).unwrap().calls.is_empty());
    let calls = ledger.due_runs(later).unwrap().calls;
    assert_eq!((calls[0].number, calls.len()), (3, 1));
    let turn = report(&mut ledger, &calls[0], answered(204), later).unwrap();
    assert!(turn.calls.is_empty());
    let shown = callback(&ledger, &id, CallbackKind::Finished);
    assert_eq!(
        (shown.state, shown.attempts.iter().map(|attempt| attempt.attempt.number).collect::<Vec<_>>()),
        (CallbackState::Delivered, vec![1, 2, 3])
    );
    assert_eq!(
        ledger.run(&id).unwrap().state,
        RunState::Error,
        "what a callback comes to changes nothing of the run"
    );
}

/// The calls that are due, at the time for which the next one is planned.
fn next_calls(ledger: &mut Store) -> Option<(Vec<RunCall>, Timestamp)> {
    let at = ledger.next_run_wake().unwrap()?;
    Some((ledger.due_runs(at).unwrap().calls, at))
}

/// A run whose end is due, and its first call.
fn ended(ledger: &mut Store) -> (String, RunCall) {
    let id = probed(ledger);
    claim(ledger, START).unwrap();
    let call = ledger.finish_run(&id, end(RunState::Finished), START).unwrap().calls.remove(0);
    (id, call)
}

/// Answers the calls that follow `call` by `outcome` until none is planned; gives how many there were.
fn exhaust(ledger: &mut Store, call: &RunCall, outcome: &Outcome, now: Timestamp) -> u32 {
    report(ledger, call, outcome.clone(), now).unwrap();
    let mut made = 1;
    while let Some((calls, at)) = next_calls(ledger) {
        for call in calls {
            made += 1;
            report(ledger, &call, outcome.clone(), at).unwrap();
        }
    }
    made
}

#[test]
fn the_schedule_ends_the_calls_and_so_does_a_receiver_that_is_gone() {
    let mut ledger = ledger();
    for (status, calls) in [(500, 10), (404, 10), (302, 10), (429, 10), (410, 1), (201, 1)] {
        let (id, call) = ended(&mut ledger);
        let made = exhaust(&mut ledger, &call, &answered(status), START);
        assert_eq!(
            (made, callback(&ledger, &id, CallbackKind::Finished).state),
            (calls, CallbackState::Failed),
            "{status}"
        );
    }
    assert_eq!(ledger.next_run_wake().unwrap(), None);
}

#[test]
fn the_projects_schedule_counts_for_the_calls_of_its_runs() {
    let mut ledger = ledger();
    let patch =
        SettingsPatch { schedule: Some(ScheduleChange::Waits(vec![100, 100])), ..SettingsPatch::default() };
    ledger.update_settings(patch, START).unwrap();
    let (_id, call) = ended(&mut ledger);
    assert_eq!(exhaust(&mut ledger, &call, &Outcome::TimedOut, START), 3);

    let (id, call) = ended(&mut ledger);
    ledger.report_run_call(call.run, call.kind, call.number, asking(503, "3600"), START).unwrap();
    assert_eq!(
        callback(&ledger, &id, CallbackKind::Finished).next_at,
        Some(START.plus_ms(3_600_000)),
        "as the receiver asks"
    );
}

#[test]
fn what_the_answer_of_a_callback_asks_for_is_told_and_a_form_that_is_not_understood_is_named() {
    for (value, words) in [
        ("600", "503 Service Unavailable with Retry-After 600 s"),
        ("599.5", "503 Service Unavailable with Retry-After 600 s"),
        ("soon", "503 Service Unavailable, Retry-After was not understood: soon"),
        ("", "503 Service Unavailable, Retry-After was not understood: it is empty"),
    ] {
        let mut ledger = ledger();
        let (id, call) = ended(&mut ledger);
        ledger.report_run_call(call.run, call.kind, call.number, asking(503, value), START).unwrap();
        let ledger = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
        let told = callback(&ledger, &id, CallbackKind::Finished);
        assert_eq!(told.reason.headline, format!("Call 1 failed: {words}"));
        assert_eq!(told.attempts.iter().map(|call| call.result.as_str()).collect::<Vec<_>>(), [words]);
        let is_asked = told.attempts[0].attempt.retry_after_s == Some(600);
        assert_eq!(
            told.next_at.unwrap().ms_since(START) == 600_000,
            is_asked,
            "{value}: what is not understood leaves the schedule"
        );
    }
    let mut ledger = ledger();
    let (id, call) = ended(&mut ledger);
    ledger.report_run_call(call.run, call.kind, call.number, asking(200, "soon"), START).unwrap();
    assert_eq!(
        callback(&ledger, &id, CallbackKind::Finished).attempts[0].result,
        "200 OK",
        "it is taken, so nothing is asked"
    );
}

#[test]
fn calls_that_an_older_build_has_kept_read_back() {
    let mut ledger = ledger();
    let (id, call) = ended(&mut ledger);
    ledger.report_run_call(call.run, call.kind, call.number, asking(503, "600"), START).unwrap();
    let older = r#"[{"number":1,"started_at":"2026-11-21T14:07:31.204Z","duration_ms":5,"outcome":{"kind":"answered","status":503},"retry_after_s":600}]"#;
    ledger
        .sql
        .run("UPDATE run_callback SET attempts = ?1 WHERE kind = 'finished'", &[Value::from(older)])
        .unwrap();
    let told = callback(&ledger, &id, CallbackKind::Finished);
    assert_eq!(
        (told.attempts[0].result.as_str(), told.attempts[0].attempt.retry_after_s),
        ("503 Service Unavailable", Some(600))
    );
}

#[test]
fn an_end_is_told_once_its_receiver_is_back_however_often_we_stop_meanwhile() {
    /// Any numbers.
    fn draw(state: &mut u64) -> u64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *state >> 33
    }
    for seed in 0..300_u64 {
        let mut dice = seed;
        let mut ledger = ledger();
        let (id, first) = ended(&mut ledger);
        let message_id = first.message_id.clone();
        // Down for up to two days; the schedule goes on for three.
        let back = START.plus_ms(i64::try_from(draw(&mut dice) % 172_800_000).unwrap());
        let (mut calls, mut now, mut told) = (vec![first], START, 0);
        loop {
            for call in std::mem::take(&mut calls) {
                assert_eq!(call.message_id, message_id, "seed {seed}");
                let outcome = match draw(&mut dice) % 5 {
                    _ if now >= back => answered(204),
                    0 => answered(503),
                    1 => answered(404),
                    2 => Outcome::TimedOut,
                    3 => Outcome::NameNotResolved,
                    _ => Outcome::ConnectionFailed { message: String::from("refused") },
                };
                // The receiver hears of it, whether we do or not.
                told += u32::from(now >= back);
                if !draw(&mut dice).is_multiple_of(8) {
                    assert!(report(&mut ledger, &call, outcome.clone(), now).is_some(), "seed {seed}");
                    assert!(report(&mut ledger, &call, outcome, now).is_none(), "seed {seed}: once");
                }
            }
            if draw(&mut dice).is_multiple_of(2) {
                ledger = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
            }
            while ledger.retention_step(now).unwrap() {}
            let state = callback(&ledger, &id, CallbackKind::Finished).state;
            let Some(wake) = ledger.next_run_wake().unwrap() else {
                // The report of the very last call may be lost.
                assert!(
                    state == CallbackState::Delivered || told > 0,
                    "seed {seed}: nothing is planned, and its end is not told"
                );
                break;
            };
            assert!(state.is_open() && wake > now, "seed {seed}");
            now = wake;
            calls = ledger.due_runs(now).unwrap().calls;
            assert!(calls.len() <= 1, "seed {seed}: one call at a time");
        }
        assert!(told >= 1, "seed {seed}");
    }
}

#[test]
fn an_end_that_was_given_up_is_told_when_somebody_asks() {
    let mut ledger = ledger();
    let (id, first) = ended(&mut ledger);
    exhaust(&mut ledger, &first, &answered(503), START);
    let week = START.plus_ms(7 * 86_400_000);
    while ledger.retention_step(week).unwrap() {}
    let mut ledger = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();

    let turn = ledger.resend_run_callback(&id, "finished", week).unwrap();
    let [call] = turn.calls.as_slice() else { panic!("one call: {turn:?}") };
    assert_eq!(
        (call.kind, call.number, call.message_id.as_str()),
        (CallbackKind::Finished, 11, first.message_id.as_str())
    );
    assert_eq!(
        (call.target.authorization.as_deref(), &call.body),
        (Some("s1.k1.sealed"), &first.body),
        "as it was told first"
    );
    assert!(why(ledger.resend_run_callback(&id, "finished", week)).contains("right now"));
    // It fails once more, and goes on by itself.
    report(&mut ledger, call, answered(503), week).unwrap();
    let (calls, at) = next_calls(&mut ledger).unwrap();
    assert!((4_000..=6_000).contains(&at.ms_since(week)), "the schedule from its start");
    report(&mut ledger, &calls[0], answered(503), at).unwrap();
    let waiting = callback(&ledger, &id, CallbackKind::Finished);
    assert_eq!((waiting.state, waiting.attempts.len()), (CallbackState::Waiting, 12));
    // Somebody does not want to wait.
    let call = ledger.resend_run_callback(&id, "finished", at).unwrap().calls.remove(0);
    let turn = report(&mut ledger, &call, answered(200), at).unwrap();
    assert_eq!((turn.run.state, ledger.next_run_wake().unwrap()), (RunState::Finished, None));
    assert!(
        why(ledger.resend_run_callback(&id, "finished", at)).contains("credentials"),
        "they went with the success"
    );
}

#[test]
fn only_what_can_be_called_is_sent_again() {
    let mut ledger = ledger();
    let missing = Err(LedgerError::NotFound { what: "callback" });
    let without = plain(&mut ledger);
    for kind in ["finished", "update", "nonsense", "", "probe_finished"] {
        assert_eq!(ledger.resend_run_callback(&without, kind, START).map(|_turn| ()), missing, "{kind:?}");
    }
    assert_eq!(
        ledger.resend_run_callback("run_x", "finished", START).map(|_turn| ()),
        Err(LedgerError::NotFound { what: "run" })
    );

    let id = probed(&mut ledger);
    assert_eq!(
        ledger.resend_run_callback(&id, "finished", START).map(|_turn| ()),
        missing,
        "it has not ended"
    );
    assert!(why(ledger.resend_run_callback(&id, "probe_finished", START)).contains("create the run again"));
    ledger.claim_run(3_600, START).unwrap();
    ledger.claim_run(3_600, START).unwrap();
    let call = ledger.update_run(&id, update("one"), START).unwrap().calls.remove(0);
    let turn = ledger.finish_run(&id, end(RunState::Finished), START).unwrap();
    assert!(turn.calls.is_empty());
    assert!(
        why(ledger.resend_run_callback(&id, "finished", START)).contains("update before it"),
        "it must not overtake the update"
    );
    report(&mut ledger, &call, answered(500), START).unwrap();
    assert!(why(ledger.resend_run_callback(&id, "update", START)).contains("has ended"));

    let open = Webhooks {
        finished: Target { authorization: None, ..target("https://f.example/") },
        update: None,
        user: None,
        forgotten: false,
    };
    let turn = create(&mut ledger, &draft(Some(open)));
    report(&mut ledger, &turn.calls[0], answered(200), START).unwrap();
    let call = ledger.terminate_run(&turn.run.id, START).unwrap().calls.remove(0);
    report(&mut ledger, &call, answered(200), START).unwrap();
    let again = ledger.resend_run_callback(&turn.run.id, "finished", START).unwrap();
    assert_eq!(again.calls.len(), 1, "a receiver may have lost what it took");
}

#[test]
fn a_probe_that_finds_nobody_is_repeated_before_the_run_has_failed() {
    for (failures, state) in [(1, RunState::Accepted), (3, RunState::Accepted), (4, RunState::Error)] {
        let mut ledger = ledger();
        let turn = create(&mut ledger, &draft(Some(both())));
        let id = turn.run.id.clone();
        let refused = || Outcome::ConnectionFailed { message: String::from("refused") };
        let mut at = START;
        let mut call = turn.calls[0].clone();
        for number in 1..=failures {
            let turn = report(&mut ledger, &call, refused(), at).unwrap();
            assert!(turn.calls.is_empty(), "not at once");
            if let Some((mut calls, next)) = next_calls(&mut ledger) {
                assert_eq!(next.ms_since(at), run::PROBE_PAUSES_MS[number - 1]);
                (at, call) = (next, calls.remove(0));
            }
        }
        assert_eq!(ledger.run(&id).unwrap().state, state, "{failures}");
        if state == RunState::Error {
            assert!(at.ms_since(START) <= 10_000, "whoever mistyped an address learns it soon");
            assert_eq!(
                ledger.run(&id).unwrap().message,
                "The finished webhook URL https://f.example/ can not be accessed."
            );
        } else {
            let turn = report(&mut ledger, &call, answered(200), at).unwrap();
            assert_eq!(turn.calls[0].kind, CallbackKind::ProbeUpdate, "it was being restarted");
        }
    }
}

#[test]
fn an_update_is_repeated_until_a_newer_one_or_the_end_takes_its_place() {
    let mut ledger = ledger();
    let id = probed(&mut ledger);
    ledger.claim_run(3_600, START).unwrap();
    let first = ledger.update_run(&id, update("one"), START).unwrap().calls.remove(0);
    report(&mut ledger, &first, answered(503), START).unwrap();
    let (calls, at) = next_calls(&mut ledger).unwrap();
    assert_eq!((&calls[0].message_id, &calls[0].body), (&first.message_id, &first.body), "it tells the same");
    report(&mut ledger, &calls[0], answered(503), at).unwrap();
    // A newer one does not wait for the pause of the older.
    let newer = ledger.update_run(&id, update("two"), at).unwrap().calls.remove(0);
    assert_eq!((&told(&newer)["message"], newer.number), (&json!("two"), 3));
    assert_ne!(newer.message_id, first.message_id);
    report(&mut ledger, &newer, answered(503), at).unwrap();
    let again = ledger.resend_run_callback(&id, "update", at).unwrap().calls.remove(0);
    assert_eq!(told(&again)["message"], "two");
    report(&mut ledger, &again, answered(503), at).unwrap();
    // The end is told at once, whatever an update waits for.
    let turn = ledger.finish_run(&id, end(RunState::Finished), at).unwrap();
    assert_eq!(turn.calls.iter().map(|call| call.kind).collect::<Vec<_>>(), [CallbackKind::Finished]);
    assert_eq!(callback(&ledger, &id, CallbackKind::Update).state, CallbackState::Cancelled);
    report(&mut ledger, &turn.calls[0], answered(200), at).unwrap();
    assert_eq!(ledger.next_run_wake().unwrap(), None);
}

#[test]
fn a_call_whose_report_never_comes_is_recorded_as_lost_and_a_late_report_counts_no_more() {
    let mut ledger = ledger();
    let id = probed(&mut ledger);
    claim(&mut ledger, START).unwrap();
    let lost = ledger.finish_run(&id, end(RunState::Finished), START).unwrap().calls.remove(0);
    let mut reopened = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
    let ended = START.plus_ms(CALL_LEASE_MS);
    assert_eq!(reopened.next_run_wake().unwrap(), Some(ended), "the wake-up is in the database");
    assert!(reopened.due_runs(ended).unwrap().calls.is_empty(), "a pause first");
    assert!(report(&mut reopened, &lost, answered(200), ended).is_none());
    let calls = reopened.due_runs(ended.plus_ms(10_000)).unwrap().calls;
    assert_eq!((calls[0].number, calls[0].message_id.as_str()), (2, lost.message_id.as_str()));
    assert!(
        report(&mut reopened, &lost, answered(200), ended.plus_ms(10_000)).is_none(),
        "another call is leased"
    );
    assert!(report(&mut reopened, &calls[0], answered(200), ended.plus_ms(10_000)).is_some());
    let shown = callback(&reopened, &id, CallbackKind::Finished);
    assert_eq!(
        shown.attempts.iter().map(|attempt| attempt.result.as_str()).collect::<Vec<_>>(),
        ["result lost", "200 OK"]
    );
}

#[test]
fn a_lost_probe_is_made_again_at_once_and_a_lost_update_after_a_pause() {
    let mut ledger = ledger();
    let turn = create(&mut ledger, &draft(Some(both())));
    assert_eq!(turn.calls.len(), 1);
    let later = START.plus_ms(CALL_LEASE_MS);
    let again = ledger.due_runs(later).unwrap().calls;
    assert_eq!((again[0].kind, again[0].number), (CallbackKind::ProbeFinished, 2));
    let turn = report(&mut ledger, &again[0], answered(200), later).unwrap();
    report(&mut ledger, &turn.calls[0], answered(200), later).unwrap();

    let claimed = ledger.claim_run(3_600, later).unwrap().claim.unwrap();
    assert_eq!(ledger.update_run(&claimed.id, update("one"), later).unwrap().calls.len(), 1);
    let much_later = later.plus_ms(CALL_LEASE_MS);
    assert!(ledger.due_runs(much_later).unwrap().calls.is_empty());
    let (calls, at) = next_calls(&mut ledger).unwrap();
    assert_eq!((calls[0].kind, calls[0].number), (CallbackKind::Update, 2));
    report(&mut ledger, &calls[0], answered(200), at).unwrap();
    assert_eq!(callback(&ledger, &claimed.id, CallbackKind::Update).state, CallbackState::Delivered);
}

#[test]
fn a_run_that_is_terminated_while_it_is_probed_is_told_to_nobody() {
    let mut ledger = ledger();
    let turn = create(&mut ledger, &draft(Some(both())));
    assert!(ledger.terminate_run(&turn.run.id, START).unwrap().calls.is_empty());
    let turn = report(&mut ledger, &turn.calls[0], answered(404), START).unwrap();
    assert_eq!((turn.run.state, turn.calls.len()), (RunState::Terminated, 0));

    let id = probed(&mut ledger);
    let turn = ledger.terminate_run(&id, START).unwrap();
    assert_eq!(told(&turn.calls[0])["status"], "terminated", "its address was seen to answer");
}

#[test]
fn the_alarm_makes_no_more_calls_than_it_may_have_open() {
    let mut ledger = ledger();
    let ids: Vec<String> = (0..10).map(|_| probed(&mut ledger)).collect();
    for id in &ids {
        claim(&mut ledger, START).unwrap();
        let call = ledger.finish_run(id, end(RunState::Finished), START).unwrap().calls.remove(0);
        report(&mut ledger, &call, Outcome::TimedOut, START).unwrap();
    }
    let later = START.plus_ms(10_000);
    let calls = ledger.due_runs(later).unwrap().calls;
    assert_eq!(calls.len(), 6);
    assert_eq!(
        ledger.next_run_wake().unwrap(),
        Some(later.plus_ms(CALL_LEASE_MS)),
        "it does not ring in vain"
    );
    report(&mut ledger, &calls[0], answered(200), later).unwrap();
    assert!(ledger.next_run_wake().unwrap().is_some_and(|at| at <= later), "a connection is free");
    assert_eq!(ledger.due_runs(later).unwrap().calls.len(), 1);
}

#[test]
fn no_password_is_shown_and_the_sealed_one_goes_to_the_call() {
    let mut ledger = ledger();
    let turn = create(&mut ledger, &draft(Some(both())));
    let shown = serde_json::to_string(&ledger.run(&turn.run.id).unwrap()).unwrap();
    assert!(!shown.contains("sealed") && shown.contains("u:XXX"), "{shown}");
    assert_eq!(turn.calls[0].target.authorization.as_deref(), Some("s1.k1.sealed"));
}

#[test]
fn a_run_that_calls_nobody_any_more_keeps_no_password() {
    let mut ledger = ledger();
    let holds = |ledger: &Store| ledger.runs_with_credentials_after(Seq::ZERO, 10).unwrap().len();
    let id = probed(&mut ledger);
    let (seq, found, mut webhooks) = ledger.runs_with_credentials_after(Seq::ZERO, 10).unwrap().remove(0);
    assert_eq!(found, id);
    webhooks.finished.authorization = Some(String::from("s1.k2.sealed"));
    ledger.replace_run_credentials(seq, &webhooks).unwrap();
    claim(&mut ledger, START).unwrap();
    let call = ledger.finish_run(&id, end(RunState::Finished), START).unwrap().calls.remove(0);
    assert_eq!(call.target.authorization.as_deref(), Some("s1.k2.sealed"));
    assert_eq!(holds(&ledger), 1, "it may have to be told again");
    report(&mut ledger, &call, answered(200), START).unwrap();
    assert_eq!(holds(&ledger), 0);
    let shown = ledger.run(&id).unwrap();
    assert_eq!(shown.webhooks.unwrap().auth.as_deref(), Some("u:XXX"));

    let turn = create(&mut ledger, &draft(Some(both())));
    assert_eq!(holds(&ledger), 1);
    report(&mut ledger, &turn.calls[0], answered(404), START).unwrap();
    assert_eq!(holds(&ledger), 0, "its probe has failed");

    let (given_up, call) = ended(&mut ledger);
    exhaust(&mut ledger, &call, &answered(503), START);
    assert_eq!(holds(&ledger), 1, "somebody may have its end told again");
    let later = START.plus_ms(400 * 86_400_000);
    while ledger.retention_step(later).unwrap() {}
    assert_eq!(ledger.run(&given_up).unwrap_err(), LedgerError::NotFound { what: "run" });
    assert_eq!(holds(&ledger), 0, "until the retention deletes the run");
}

#[test]
fn runs_are_listed_newest_first_by_page_and_state() {
    let mut ledger = ledger();
    let ids: Vec<String> = (0..5).map(|_| plain(&mut ledger)).collect();
    claim(&mut ledger, START).unwrap();
    let first = ledger.list_runs(None, 3, None).unwrap();
    assert_eq!(first.items.iter().map(|run| &run.id).collect::<Vec<_>>(), [&ids[4], &ids[3], &ids[2]]);
    let second = ledger.list_runs(None, 3, first.next.as_deref()).unwrap();
    assert_eq!((second.items.len(), second.next), (2, None));
    let running = ledger.list_runs(Some(RunState::Running), 10, None).unwrap().items;
    assert_eq!(running.iter().map(|run| &run.id).collect::<Vec<_>>(), [&ids[0]]);
    assert_eq!(ledger.run_statuses(2).unwrap().len(), 2);
    assert_eq!(ledger.list_runs(None, 3, Some("x")).unwrap_err(), LedgerError::BadCursor);
    assert_eq!(ledger.run("run_x").unwrap_err(), LedgerError::NotFound { what: "run" });
}

#[test]
fn a_long_log_loses_its_oldest_entries() {
    let mut ledger = ledger();
    let id = plain(&mut ledger);
    claim(&mut ledger, START).unwrap();
    let large = raw(&format!("\"{}\"", "x".repeat(100_000)));
    for _ in 0..4 {
        ledger
            .update_run(&id, RunUpdate { log: vec![large.clone()], ..RunUpdate::default() }, START)
            .unwrap();
    }
    let detail = ledger.run(&id).unwrap();
    assert_eq!((detail.log.len(), detail.log_dropped), (2, 2));
}

#[test]
fn old_runs_go_once_they_have_ended_and_their_callbacks_with_them() {
    let mut ledger = ledger();
    let (ended, open) = (probed(&mut ledger), plain(&mut ledger));
    let turn = ledger.terminate_run(&ended, START).unwrap();
    report(&mut ledger, &turn.calls[0], answered(200), START);
    let later = START.plus_ms(400 * 86_400_000);
    while ledger.retention_step(later).unwrap() {}
    assert_eq!(ledger.run(&ended).unwrap_err(), LedgerError::NotFound { what: "run" });
    assert!(ledger.run(&open).is_ok());
    let left =
        first(ledger.sql.run("SELECT count(*) FROM run_callback", &[]).unwrap()).unwrap().integer(0).unwrap();
    assert_eq!(left, 0);
}

#[test]
fn a_run_that_took_longer_than_the_retention_stays_as_long_after_its_end_and_until_its_end_is_told() {
    let mut ledger = ledger();
    let day = 86_400_000;
    let (quiet, told) = (plain(&mut ledger), probed(&mut ledger));
    let ended = START.plus_ms(40 * day);
    let turns = [&quiet, &told].map(|id| ledger.terminate_run(id, ended).unwrap());
    let pass = |ledger: &mut Store, at: Timestamp| while ledger.retention_step(at).unwrap() {};
    let stays = |ledger: &Store| [&quiet, &told].map(|id| ledger.run(id).is_ok());
    pass(&mut ledger, ended.plus_ms(29 * day));
    assert_eq!(stays(&ledger), [true, true], "29 days after the end");
    pass(&mut ledger, ended.plus_ms(31 * day));
    assert_eq!(stays(&ledger), [false, true], "one callback is still to be made");
    report(&mut ledger, &turns[1].calls[0], answered(200), ended.plus_ms(31 * day));
    pass(&mut ledger, ended.plus_ms(32 * day));
    assert_eq!(stays(&ledger), [false, false]);
}

#[test]
fn a_run_whose_end_is_still_to_be_told_by_its_schedule_outlives_the_retention() {
    let mut ledger = ledger();
    let day = 86_400_000;
    let patch = SettingsPatch {
        schedule: Some(ScheduleChange::Waits(vec![604_800, 604_800])),
        retention_days: Some(1),
        ..SettingsPatch::default()
    };
    ledger.update_settings(patch, START).unwrap();
    let (id, call) = ended(&mut ledger);
    report(&mut ledger, &call, Outcome::TimedOut, START).unwrap();
    for waits in 1..=2 {
        let (calls, at) = next_calls(&mut ledger).unwrap();
        assert!(at.ms_since(START) > 5 * day);
        while ledger.retention_step(at).unwrap() {}
        assert_eq!(calls.len(), 1, "{waits}");
        report(&mut ledger, &calls[0], Outcome::TimedOut, at).unwrap();
    }
    assert!(ledger.run(&id).is_ok());
    let after = START.plus_ms(30 * day);
    while ledger.retention_step(after).unwrap() {}
    assert_eq!(
        ledger.run(&id).unwrap_err(),
        LedgerError::NotFound { what: "run" },
        "nobody is to be told any more"
    );
}

/// A store that fails at a statement of choice, as a crash would.
struct Failing {
    store: Rc<Native>,
    left: Cell<u32>,
}

impl Sql for Failing {
    fn run(&self, statement: &str, parameters: &[Value]) -> Result<Vec<Row>, crate::SqlError> {
        // A transaction is not part of the count: it is opened and ended by the store itself.
        match self.left.get() {
            0 => Err(crate::SqlError::new("the machine is gone")),
            left => {
                self.left.set(left - 1);
                self.store.run(statement, parameters)
            }
        }
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), LedgerError>) -> Result<(), LedgerError> {
        self.store.transaction(work)
    }

    fn database_size(&self) -> Result<u64, crate::SqlError> {
        self.store.database_size()
    }
}

#[test]
fn a_crash_at_any_statement_leaves_a_run_that_goes_on() {
    let mut crashes = 0;
    for statements in 0..200 {
        let mut made = ledger();
        let id = probed(&mut made);
        let store = Rc::clone(&made.sql);
        drop(made);
        let failing = Rc::new(Failing { store: Rc::clone(&store), left: Cell::new(10_000) });
        let mut ledger = Ledger::open(Rc::clone(&failing)).unwrap().unwrap();
        failing.left.set(statements);
        let work = |ledger: &mut Ledger<Rc<Failing>>| -> Result<(), LedgerError> {
            ledger.claim_run(60, START)?;
            ledger.update_run(&id, RunUpdate { log: vec![raw("1")], ..update("one") }, START)?;
            ledger.finish_run(&id, end(RunState::Finished), START)?;
            Ok(())
        };
        let crashed = work(&mut ledger).is_err();
        crashes += u32::from(crashed);
        // Another object, hours later: whatever the crash cut off is done by now, or by the next claim.
        let mut ledger = Ledger::open(Rc::clone(&store)).unwrap().unwrap();
        let mut now = START;
        let mut ended = 0;
        for _round in 0..50 {
            now = now.plus_ms(61_000);
            for call in ledger.due_runs(now).unwrap().calls {
                ended += u32::from(call.kind == CallbackKind::Finished);
                report(&mut ledger, &call, answered(200), now);
            }
            if let Some(claimed) = claim(&mut ledger, now) {
                let turn = ledger.finish_run(&claimed.id, end(RunState::Finished), now).unwrap();
                for call in turn.calls {
                    ended += u32::from(call.kind == CallbackKind::Finished);
                    report(&mut ledger, &call, answered(200), now);
                }
            }
        }
        let detail = ledger.run(&id).unwrap();
        assert_eq!(detail.state, RunState::Finished, "crash at statement {statements}");
        assert_eq!(
            callback(&ledger, &id, CallbackKind::Finished).state,
            CallbackState::Delivered,
            "crash at statement {statements}"
        );
        assert!(ended >= 1, "crash at statement {statements}");
        assert_eq!(ledger.next_run_wake().unwrap(), None);
        if !crashed {
            break;
        }
    }
    assert!(crashes > 10, "{crashes}");
}
