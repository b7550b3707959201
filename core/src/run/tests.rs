use serde_json::json;
use serde_json::value::RawValue;

use super::parse::{claim, create, finish, update};
use super::*;
use crate::delivery::Outcome;
use crate::egress::Policy;
use crate::fault::InputFault;
use crate::retry::{self, RetryAfter};
use crate::time::Timestamp;

fn entry() -> Entry {
    Entry {
        origin: String::from("https://h.example"),
        path: String::from("/v1/projects/p1/runs"),
        endpoint: String::from("runs"),
    }
}

fn pointers<T>(parsed: Result<T, InputFault>) -> Vec<String> {
    match parsed {
        Ok(_) => Vec::new(),
        Err(InputFault::Invalid(faults)) => faults.into_iter().map(|fault| fault.pointer).collect(),
        Err(InputFault::Malformed(text)) => vec![text],
    }
}

fn draft(body: &serde_json::Value) -> Result<RunDraft, InputFault> {
    create(&body.to_string(), &Policy::default(), entry())
}

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(String::from(text)).unwrap_or_else(|_fault| RawValue::NULL.to_owned())
}

#[test]
fn a_chain_is_kept_as_it_was_written() {
    let body = r#"{"labels": {"team": "geo"}, "chain": {"z": 1e400, "a": [ ]} }"#;
    let parsed = create(body, &Policy::default(), entry());
    let Ok(parsed) = parsed else { panic!("{parsed:?}") };
    assert_eq!(parsed.chain.get(), r#"{"z": 1e400, "a": [ ]}"#);
    assert_eq!((parsed.webhooks, parsed.labels.len(), parsed.mode), (None, 1, RunMode::Work));
}

#[test]
fn a_chain_with_callbacks_of_its_own_is_refused() {
    let chain =
        json!({"version": "1", "list": [], "webhooks": {"finished": "https://r.example/", "auth": "u:hush"}});
    assert_eq!(pointers(draft(&json!({ "chain": chain }))), ["/chain"]);
    let inner = json!({"chain": {"list": [{"webhooks": 1}]}});
    assert!(draft(&inner).is_ok());
}

#[test]
fn every_bad_field_of_a_new_run_is_named() {
    for (body, expected) in [
        (json!({}), vec!["/chain"]),
        (json!({"chain": []}), vec!["/chain"]),
        (json!({"chain": "x", "more": 1}), vec!["/chain", "/more"]),
        (json!({"chain": {}, "webhooks": {}}), vec!["/webhooks/finished"]),
        (
            json!({"chain": {}, "webhooks": {"finished": "http://a.example/", "update": "https://10.0.0.1/"}}),
            vec!["/webhooks/finished", "/webhooks/update"],
        ),
        (
            json!({"chain": {}, "webhooks": {"finished": "https://a.example/", "auth": "nocolon", "x": 1}}),
            vec!["/webhooks/auth", "/webhooks/x"],
        ),
        (
            json!({"chain": {}, "webhooks": {"finished": "https://a.example/", "auth": ":secret"}}),
            vec!["/webhooks/auth"],
        ),
        (
            json!({"chain": {}, "webhooks": {"finished": "https://u:p@a.example/", "auth": "u:p"}}),
            vec!["/webhooks/finished"],
        ),
        (json!({"chain": {}, "webhooks": 5, "labels": []}), vec!["/webhooks", "/labels"]),
        (json!([]), vec![""]),
    ] {
        let mut found = pointers(draft(&body));
        found.sort();
        let mut expected: Vec<String> = expected.into_iter().map(String::from).collect();
        expected.sort();
        assert_eq!(found, expected, "{body}");
    }
}

#[test]
fn credentials_leave_the_address_and_no_fault_repeats_them() {
    let body = json!({"chain": {}, "webhooks": {"finished": "https://u:p%3A1@a.example/", "update": "https://b.example/"}});
    let webhooks = draft(&body).ok().and_then(|draft| draft.webhooks);
    let Some(webhooks) = webhooks else { panic!("webhooks were given") };
    assert_eq!(webhooks.finished.url, "https://a.example/");
    assert_eq!(webhooks.finished.authorization.as_deref(), Some("Basic dTpwOjE="));
    assert_eq!(webhooks.update.and_then(|update| update.authorization), None);

    // Split at the first colon: the password holds one.
    let body = json!({"chain": {}, "webhooks": {"finished": "https://a.example/", "update": "https://b.example/", "auth": "u:p:1"}});
    let Some(mut webhooks) = draft(&body).ok().and_then(|draft| draft.webhooks) else {
        panic!("webhooks were given")
    };
    assert_eq!(webhooks.shown_auth().as_deref(), Some("u:XXX"));
    assert!(webhooks.targets_mut().all(|target| target.authorization.as_deref() == Some("Basic dTpwOjE=")));
    assert!(!format!("{webhooks:?}").contains("dTpwOjE="));

    let body = json!({"chain": {}, "webhooks": {"finished": "https://a.example/", "auth": "hush\u{7}"}});
    assert!(!format!("{:?}", draft(&body)).contains("hush"));
}

#[test]
fn a_claim_asks_for_ten_seconds_to_an_hour() {
    for (body, expected) in
        [(json!({}), LEASE_S_DEFAULT), (json!({"lease_s": 10}), 10), (json!({"lease_s": 3600}), 3_600)]
    {
        assert_eq!(claim(&body.to_string()), Ok(expected), "{body}");
    }
    for body in [
        json!({"lease_s": 9}),
        json!({"lease_s": 3601}),
        json!({"lease_s": "60"}),
        json!({"lease_s": null}),
        json!({"lease_s": 1.5}),
    ] {
        assert_eq!(pointers(claim(&body.to_string())), ["/lease_s"], "{body}");
    }
}

#[test]
fn an_update_says_how_far_the_run_is() {
    let read = |body: serde_json::Value| update(&body.to_string());
    let parsed = read(
        json!({"claim": 2, "message": "m", "progress": {"step": 1, "of": 3}, "log": [1, "a", {"b": 2}]}),
    );
    let Ok(parsed) = parsed else { panic!("{parsed:?}") };
    assert_eq!((parsed.claim, parsed.progress), (Some(2), Some(Progress { step: 1, of: 3, percent: 33 })));
    assert_eq!(parsed.log.iter().map(|entry| entry.get()).collect::<Vec<_>>(), ["1", "\"a\"", "{\"b\":2}"]);
    let percent = |progress: serde_json::Value| {
        read(json!({ "progress": progress })).ok().and_then(|update| update.progress)
    };
    assert_eq!(
        percent(json!({"step": 0, "of": 2, "percent": 12.7})).map(|progress| progress.percent),
        Some(12)
    );
    for (written, expected) in [
        ("99.99999999999999999999", Some(99)),
        ("100.0", Some(100)),
        ("1e2", Some(100)),
        ("100.00000000000000000001", None),
        ("1e-999999999", Some(0)),
        ("-0", Some(0)),
        ("-0.1", None),
        ("1e999999999", None),
    ] {
        let sent: serde_json::Value = serde_json::from_str(written).unwrap_or_default();
        let found = percent(json!({"step": 0, "of": 2, "percent": sent})).map(|progress| progress.percent);
        assert_eq!(found, expected, "{written}");
    }
    assert_eq!(percent(json!({"step": 2, "of": 2})).map(|progress| progress.percent), Some(100));
    assert!(read(json!({})).is_ok_and(|update| update.is_heartbeat()));
    assert!(
        read(json!({"log": null, "message": null, "progress": null, "claim": null}))
            .is_ok_and(|update| update.is_heartbeat())
    );
    for (body, expected) in [
        (json!({"progress": {"step": 3, "of": 2}}), vec!["/progress/step"]),
        (json!({"progress": {"step": 1}}), vec!["/progress/of"]),
        (
            json!({"progress": {"step": 0, "of": 0, "percent": 101}}),
            vec!["/progress/of", "/progress/percent"],
        ),
        (json!({"progress": {"step": -1, "of": 2, "x": 1}}), vec!["/progress/step", "/progress/x"]),
        (
            json!({"log": {}, "claim": 0, "message": 5, "more": 1}),
            vec!["/claim", "/log", "/message", "/more"],
        ),
        (json!({"message": "x".repeat(MESSAGE_CHARS_MAX + 1)}), vec!["/message"]),
    ] {
        let mut found = pointers(read(body.clone()));
        found.sort();
        assert_eq!(found, expected, "{body}");
    }
}

#[test]
fn results_are_kept_as_they_were_written() {
    let results = |text: &str| {
        let body = format!(r#"{{"outcome": "finished", "results": {text}, "log": [1.50]}}"#);
        finish(&body).map(|end| (end.results.map(|results| String::from(results.get())), end.log.len()))
    };
    for text in [
        r#"{"id":12345678901234567890123, "z": 1.50,  "a" : [ ] }"#,
        "0.10000000000000000555",
        "\"\\u00e4\"",
        "false",
        r#"{"a":1,"a":2}"#,
    ] {
        assert_eq!(results(text), Ok((Some(String::from(text)), 1)), "{text}");
    }
    assert_eq!(results(" null "), Ok((None, 1)));
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(results(&nested(127)).is_ok());
    assert_eq!(pointers(results(&nested(128))), ["/results"]);
    assert_eq!(results("1e400"), Ok((Some(String::from("1e400")), 1)), "a number of any size");
    assert_eq!(pointers(results(r#""\ud800""#)), ["/results"]);
    assert_eq!(pointers(results("1, \"results\": 2")), ["/results"]);
    assert_eq!(pointers(finish(r#"{"outcome": "finished", "log": [], "log": [], "x": 1}"#)), ["/log", "/x"]);
}

#[test]
fn a_run_ends_in_one_of_three_ways() {
    let read = |body: serde_json::Value| finish(&body.to_string());
    for outcome in [RunState::Finished, RunState::Error, RunState::Terminated] {
        assert!(read(json!({ "outcome": outcome.as_str() })).is_ok_and(|end| end.outcome == outcome));
    }
    let parsed = read(json!({"outcome": "finished", "message": "m", "results": {"a": 1}, "log": [1]}));
    assert!(parsed.is_ok_and(
        |end| end.results.is_some_and(|results| results.get() == r#"{"a":1}"#) && end.log.len() == 1
    ));
    for (body, expected) in [
        (json!({}), vec!["/outcome"]),
        (json!({"outcome": "running"}), vec!["/outcome"]),
        (json!({"outcome": "accepted", "log": 5, "x": 1}), vec!["/log", "/outcome", "/x"]),
    ] {
        let mut found = pointers(read(body.clone()));
        found.sort();
        assert_eq!(found, expected, "{body}");
    }
}

#[test]
fn only_the_executor_at_work_is_heard() {
    assert_eq!(check_claim(RunState::Running, 2, Some(2)), Ok(()));
    assert_eq!(check_claim(RunState::Running, 2, None), Ok(()));
    assert_eq!(check_claim(RunState::Running, 2, Some(1)), Err(NotHeard::OtherClaim));
    assert_eq!(check_claim(RunState::Accepted, 1, Some(1)), Err(NotHeard::NotClaimed), "its lease has ended");
    assert_eq!(check_claim(RunState::Finished, 1, Some(1)), Err(NotHeard::Ended));
    assert_eq!(check_claim(RunState::Error, 1, None), Err(NotHeard::Ended));
    assert_eq!(check_claim(RunState::Terminated, 1, None), Err(NotHeard::Terminated));
    assert!(is_offered_again(4) && !is_offered_again(5));
}

fn failures() -> Vec<Outcome> {
    let message = String::from("x");
    vec![Outcome::TimedOut, Outcome::ConnectionFailed { message }, Outcome::NameNotResolved]
}

fn standing(kind: CallbackKind, tries: u32) -> CallTerms<'static> {
    CallTerms { kind, tries, schedule_s: None, seed: 7 }
}

fn after(kind: CallbackKind, tries: u32, outcome: &Outcome) -> Next {
    decide(standing(kind, tries), outcome, None)
}

/// Milliseconds until the next call; `None` where there is none.
fn pause(next: Next) -> Option<i64> {
    match next {
        Next::Again { after_ms } => Some(after_ms),
        Next::Delivered | Next::Failed => None,
    }
}

#[test]
fn only_200_passes_a_probe_and_only_a_loss_of_our_own_repeats_it_at_once() {
    for kind in [CallbackKind::ProbeFinished, CallbackKind::ProbeUpdate] {
        assert_eq!(after(kind, 1, &Outcome::Answered { status: 200 }), Next::Delivered);
        for status in [201, 204, 301, 302, 401, 404, 410, 500, 501, 505] {
            assert_eq!(after(kind, 1, &Outcome::Answered { status }), Next::Failed, "{status}");
        }
        for outcome in [Outcome::NameNotResolved, Outcome::Blocked { message: String::new() }] {
            assert_eq!(after(kind, 1, &outcome), Next::Failed, "{outcome:?}");
        }
        assert_eq!(after(kind, 1, &Outcome::Lost), Next::Again { after_ms: 0 });
        assert_eq!(after(kind, 3, &Outcome::Lost), Next::Failed);
    }
}

#[test]
fn a_probe_that_reaches_nobody_is_repeated_for_ten_seconds() {
    let nobody = [Outcome::TimedOut, Outcome::ConnectionFailed { message: String::from("refused") }];
    for outcome in nobody.into_iter().chain([429, 502, 503, 504].map(|status| Outcome::Answered { status })) {
        let pauses: Vec<_> =
            (1..=4).map(|tries| pause(after(CallbackKind::ProbeFinished, tries, &outcome))).collect();
        assert_eq!(pauses, [Some(1_000), Some(3_000), Some(6_000), None], "{outcome:?}");
        assert_eq!(
            after(CallbackKind::ProbeFinished, u32::MAX, &outcome),
            Next::Failed,
            "where somebody waits for the answer"
        );
    }
}

#[test]
fn a_probe_waits_as_its_answer_asks_up_to_a_minute() {
    let answer = |status, retry_after_s| {
        let terms = CallTerms { kind: CallbackKind::ProbeFinished, tries: 1, schedule_s: None, seed: 7 };
        pause(decide(terms, &Outcome::Answered { status }, retry_after_s))
    };
    assert_eq!(answer(429, Some(20)), Some(20_000));
    assert_eq!(answer(503, Some(7_200)), Some(60_000));
    assert_eq!(answer(503, Some(0)), Some(1_000));
    assert_eq!(answer(404, Some(20)), None, "it is an answer, and not 200");
}

#[test]
fn what_is_posted_is_repeated_by_the_schedule_of_deliveries() {
    let may_pass =
        [301, 302, 400, 401, 404, 408, 425, 429, 500, 502, 503].map(|status| Outcome::Answered { status });
    for kind in [CallbackKind::Update, CallbackKind::Finished] {
        for status in [200, 204] {
            assert_eq!(after(kind, 10, &Outcome::Answered { status }), Next::Delivered);
        }
        for outcome in failures().into_iter().chain([Outcome::Lost]).chain(may_pass.clone()) {
            for tries in 1..=9 {
                let expected = retry::wait_ms(tries + 1, None, 7, None);
                assert_eq!(pause(after(kind, tries, &outcome)), expected, "{outcome:?} {tries}");
                assert!(expected.is_some_and(|ms| ms >= 4_000), "never at once");
            }
            assert_eq!(after(kind, 10, &outcome), Next::Failed, "{outcome:?}");
        }
        for status in [201, 202, 299, 410] {
            assert_eq!(after(kind, 1, &Outcome::Answered { status }), Next::Failed, "{status}");
        }
        assert_eq!(after(kind, 1, &Outcome::Blocked { message: String::new() }), Next::Failed);
    }
}

#[test]
fn the_projects_schedule_and_what_the_receiver_asks_for_count() {
    let with = |schedule_s, tries, retry_after_s| {
        let standing = CallTerms { schedule_s, ..standing(CallbackKind::Finished, tries) };
        pause(decide(standing, &Outcome::Answered { status: 503 }, retry_after_s))
    };
    assert!(with(Some(&[7, 60]), 1, None).is_some_and(|ms| (5_600..=8_400).contains(&ms)));
    assert_eq!(with(Some(&[7, 60]), 3, None), None);
    assert_eq!(with(Some(&[]), 1, None), None);
    assert_eq!(with(Some(&[7, 60]), 1, Some(120)), Some(120_000));
    assert!(with(Some(&[60]), 1, Some(5)).is_some_and(|ms| ms >= 48_000), "it only ever lengthens");
}

#[test]
fn what_may_be_sent_again_and_what_not() {
    let target = |authorization: Option<&str>| Target {
        url: String::new(),
        authorization: authorization.map(String::from),
    };
    let mut webhooks =
        Webhooks { finished: target(Some("Basic x")), update: None, user: None, forgotten: false };
    let at = Some(Timestamp(1));
    let finished = |state, next_at, webhooks: &Webhooks| {
        may_resend(CallbackKind::Finished, RunState::Finished, state, next_at, webhooks)
    };
    for (state, next_at) in
        [(CallbackState::Failed, None), (CallbackState::Waiting, at), (CallbackState::Delivered, None)]
    {
        assert_eq!(finished(state, next_at, &webhooks), Ok(()), "{state:?}");
    }
    assert!(finished(CallbackState::Leased, at, &webhooks).is_err_and(|why| why.contains("right now")));
    assert!(finished(CallbackState::Waiting, None, &webhooks).is_err(), "it would overtake the update");
    let update = |run| may_resend(CallbackKind::Update, run, CallbackState::Failed, None, &webhooks);
    assert_eq!(update(RunState::Running), Ok(()));
    assert!(update(RunState::Finished).is_err(), "the end was told, and \"running\" must not follow it");
    let probe =
        may_resend(CallbackKind::ProbeFinished, RunState::Error, CallbackState::Failed, None, &webhooks);
    assert!(probe.is_err_and(|why| why.contains("create the run again")));
    assert!(webhooks.forget_credentials() && !webhooks.forget_credentials());
    assert!(
        finished(CallbackState::Delivered, None, &webhooks).is_err_and(|why| why.contains("credentials"))
    );

    let mut open = Webhooks { finished: target(None), update: None, user: None, forgotten: false };
    assert!(!open.forget_credentials());
    assert_eq!(finished(CallbackState::Delivered, None, &open), Ok(()), "it never had any");
    let older = Webhooks { user: Some(String::from("u")), ..open };
    assert!(finished(CallbackState::Failed, None, &older).is_err(), "an older build has deleted them");
}

#[test]
fn a_callback_says_why_it_stands_where_it_stands() {
    let asked = |number, outcome, retry_after: Option<&str>| {
        let attempt = CallbackAttempt {
            number,
            started_at: Timestamp(0),
            duration_ms: 5,
            outcome,
            answer: String::new(),
            retry_after_s: None,
            body_note: None,
            request_id: None,
        };
        CallRecord::new(attempt, retry_after.map(|value| RetryAfter::read(value, Timestamp(0))))
    };
    let call = |number, outcome| asked(number, outcome, None);
    let busy = [call(1, Outcome::TimedOut), call(2, Outcome::Answered { status: 503 })];
    let of =
        |state, next_at: Option<i64>| reason(CallbackKind::Finished, state, next_at.map(Timestamp), &busy);
    assert_eq!(of(CallbackState::Waiting, Some(9)).headline, "Call 2 failed: 503 Service Unavailable");
    assert!(of(CallbackState::Waiting, Some(9)).advice.contains("send it again"));
    assert_eq!(
        of(CallbackState::Leased, Some(9)).headline,
        "Call 3 is under way; the one before ended: 503 Service Unavailable"
    );
    assert_eq!(of(CallbackState::Failed, None).headline, "Given up after call 2: 503 Service Unavailable");
    let named = [asked(1, Outcome::Answered { status: 429 }, Some("in a while"))];
    let waiting = reason(CallbackKind::Update, CallbackState::Waiting, Some(Timestamp(9)), &named);
    assert_eq!(
        waiting.headline,
        "Call 1 failed: 429 Too Many Requests, Retry-After was not understood: in a while"
    );
    assert_eq!(named[0].result(), "429 Too Many Requests, Retry-After was not understood: in a while");
    let odd = reason(
        CallbackKind::Finished,
        CallbackState::Failed,
        None,
        &[call(1, Outcome::Answered { status: 202 })],
    );
    assert!(odd.advice.contains("200 and 204"), "{odd:?}");
    let none = |state, next_at: Option<i64>| {
        reason(CallbackKind::Finished, state, next_at.map(Timestamp), &[]).headline
    };
    assert_eq!(none(CallbackState::Waiting, None), "Waits for the update before it");
    assert_eq!(none(CallbackState::Waiting, Some(9)), "Not called yet");
    for kind in CallbackKind::ALL {
        for state in CallbackState::ALL {
            assert!(!reason(kind, state, None, &busy).headline.is_empty());
        }
    }
}

#[test]
fn a_log_keeps_the_newest_entries() {
    let mut log = vec![raw("1")];
    assert_eq!(append_log(&mut log, vec![raw("2"), raw("3")]), 0);
    let large = format!("\"{}\"", "x".repeat(LOG_BYTES_MAX - 20));
    assert_eq!(append_log(&mut log, vec![raw(&large)]), 0);
    assert_eq!(append_log(&mut log, vec![raw("\"0123456789abcd\"")]), 3, "the three oldest make room");
    assert_eq!(log.len(), 2);
    let huge = format!("\"{}\"", "x".repeat(LOG_BYTES_MAX));
    assert_eq!(append_log(&mut log, vec![raw(&huge), raw("4")]), 3, "it would fit in no log");
    assert_eq!(log.iter().map(|entry| entry.get()).collect::<Vec<_>>(), ["4"]);
}

#[test]
fn spellings_read_back() {
    for state in RunState::ALL {
        assert_eq!(RunState::parse(state.as_str()), Some(state));
        assert_eq!(serde_json::to_value(state).ok(), Some(json!(state.as_str())));
    }
    for kind in CallbackKind::ALL {
        assert_eq!(CallbackKind::parse(kind.as_str()), Some(kind));
        assert_eq!(serde_json::to_value(kind).ok(), Some(json!(kind.as_str())));
    }
    for state in CallbackState::ALL {
        assert_eq!(CallbackState::parse(state.as_str()), Some(state));
    }
    assert!(
        parse::RunQuery::parse("state=running&limit=2")
            .is_ok_and(|query| query.state == Some(RunState::Running))
    );
    assert!(parse::RunQuery::parse("state=waiting").is_err() && parse::RunQuery::parse("x=1").is_err());
}
