//! The sentences themselves, because people read them at 3 am.

use proptest::prelude::*;

use super::*;
use crate::contract::counts_as_delivered;
use crate::delivery::{Attempt, BodyNote, Outcome, ReceivedResponse, State, Trigger};
use crate::time::Timestamp;
use crate::webhook::{Contract, RateLimit};

fn attempt_of(number: u32, outcome: Outcome, headers: &[(&str, &str)]) -> Attempt {
    let status = if let Outcome::Answered { status } = outcome { Some(status) } else { None };
    let headers = headers.iter().map(|(name, value)| (String::from(*name), String::from(*value))).collect();
    let response = status.map(|status| ReceivedResponse { status, headers, ..ReceivedResponse::default() });
    Attempt {
        number,
        trigger: Trigger::Schedule,
        started_at: Timestamp(0),
        duration_ms: 10_004,
        outcome,
        request: None,
        response,
        request_id: None,
    }
}

fn answer(status: u16) -> Outcome {
    Outcome::Answered { status }
}

fn message(text: &str) -> String {
    String::from(text)
}

fn outcomes() -> Vec<Outcome> {
    let text = || message("x");
    let mut outcomes: Vec<Outcome> = (100..600).map(answer).collect();
    outcomes.extend([
        Outcome::TimedOut,
        Outcome::ConnectionFailed { message: text() },
        Outcome::NameNotResolved,
        Outcome::Blocked { message: text() },
        Outcome::PlatformFailed { message: text() },
        Outcome::PlatformFailed { message: message("TLS peer's certificate is not trusted") },
        Outcome::Lost,
    ]);
    outcomes
}

#[test]
fn each_way_to_fail_has_its_own_headline() {
    for (outcome, headers, headline) in [
        (answer(200), vec![], "200 OK"),
        (answer(503), vec![("Retry-After", "60")], "503 Service Unavailable with Retry-After 60 s"),
        (
            answer(429),
            vec![("retry-after", "Thu, 01 Jan 1970 00:01:10 GMT")],
            "429 Too Many Requests with Retry-After 60 s",
        ),
        (answer(503), vec![("retry-after", "4.5")], "503 Service Unavailable with Retry-After 5 s"),
        (
            answer(503),
            vec![("retry-after", "soon")],
            "503 Service Unavailable, Retry-After was not understood: soon",
        ),
        (
            answer(503),
            vec![("retry-after", "-60")],
            "503 Service Unavailable, Retry-After was not understood: -60",
        ),
        (
            answer(503),
            vec![("retry-after", "")],
            "503 Service Unavailable, Retry-After was not understood: it is empty",
        ),
        (
            answer(503),
            vec![("retry-after", "Wed, 31 Dec 1969 23:00:00 GMT")],
            "503 Service Unavailable with a Retry-After that has passed",
        ),
        (
            answer(429),
            vec![("retry-after", "100000")],
            "429 Too Many Requests with Retry-After 100000 s, of which Postern waits 86400 s",
        ),
        (
            answer(500),
            vec![("webhook-delivery", "disabled")],
            "500 Internal Server Error, webhook-delivery was not understood: disabled",
        ),
        (
            answer(302),
            vec![("Location", "https://r.example/new")],
            "302 Found, redirect to https://r.example/new",
        ),
        (answer(299), vec![], "HTTP status 299"),
        (answer(799), vec![], "HTTP status 799"),
        (Outcome::TimedOut, vec![], "No answer within 10 s"),
        (
            Outcome::ConnectionFailed { message: message("Network connection lost.") },
            vec![],
            "The connection failed or was lost",
        ),
        (
            Outcome::ConnectionFailed { message: message("connect: Connection refused") },
            vec![],
            "The receiver refused the connection",
        ),
        (
            Outcome::ConnectionFailed {
                message: message(
                    "the host name does not resolve, or no secured connection could be made (internal \
                     error; reference = a)",
                ),
            },
            vec![],
            "The host name does not resolve, or no secure connection could be made",
        ),
        (
            Outcome::PlatformFailed { message: message("SSL routines:\nhandshake failure") },
            vec![],
            "No secure connection: SSL routines:",
        ),
        (Outcome::NameNotResolved, vec![], "The host name does not resolve"),
        (
            Outcome::Blocked { message: message("must name a public host: 127.0.0.1 is a loopback address") },
            vec![],
            "Not called, because the URL is not allowed: it must name a public host: 127.0.0.1 is a loopback address",
        ),
        (Outcome::Lost, vec![], "The result of the call was lost"),
    ] {
        let reason = attempt(Contract::Standard, &attempt_of(1, outcome.clone(), &headers));
        assert_eq!(reason.headline, headline, "{outcome:?}");
    }
}

#[test]
fn every_failure_comes_with_advice_and_success_with_none() {
    for contract in Contract::ALL {
        for outcome in outcomes() {
            let is_success =
                matches!(outcome, Outcome::Answered { status } if counts_as_delivered(contract, status));
            let reason = attempt(contract, &attempt_of(1, outcome.clone(), &[]));
            assert_eq!(reason.advice.is_empty(), is_success, "{outcome:?}");
            assert!(!reason.headline.is_empty() && !brief(&outcome).is_empty(), "{outcome:?}");
            assert!(!reason.advice.contains("  ") && !reason.advice.contains('\n'), "{outcome:?}");
        }
    }
}

fn with_note(status: u16, note: BodyNote) -> Attempt {
    let mut attempt = attempt_of(1, answer(status), &[]);
    if let Some(response) = &mut attempt.response {
        response.body_note = Some(note);
    }
    attempt
}

#[test]
fn what_is_wrong_with_a_body_is_said_beside_the_status() {
    for (note, headline, advice) in [
        (
            BodyNote::BrokenOff { message: message("Network connection lost.") },
            ", with a body that broke off",
            "(Network connection lost)",
        ),
        (BodyNote::TimedOut, ", with a body that did not end in time", "within the timeout"),
        (
            BodyNote::NotDecoded {
                coding: message("gzip"),
                message: message("Gzip compressed stream ended prematurely."),
            },
            ", with a body that is not valid gzip",
            "content-encoding: gzip",
        ),
        (BodyNote::StillEncoded { coding: message("zstd") }, "", "content-encoding: zstd"),
        (BodyNote::NotText { charset: Some(message("x-klingon")) }, "", "x-klingon"),
        (BodyNote::NotText { charset: None }, "", "not UTF-8"),
    ] {
        let ok = with_note(200, note.clone());
        let reason = attempt(Contract::Standard, &ok);
        assert_eq!(reason.headline, format!("200 OK{headline}"));
        assert!(reason.advice.contains(advice), "{}", reason.advice);
        let whole = delivery(Contract::Standard, State::Delivered, std::slice::from_ref(&ok));
        assert_eq!(whole.headline, format!("Delivered at the first attempt: 200 OK{headline}"));
        assert_eq!(whole.advice, reason.advice);

        let failed = attempt(Contract::Standard, &with_note(410, note.clone()));
        assert_eq!(failed.headline, format!("410 Gone{headline}"));
        assert!(
            failed.advice.contains("disabled the webhook") && failed.advice.contains(advice),
            "{}",
            failed.advice
        );
        assert_eq!(brief_with_body(&answer(503), Some(&note)), format!("503 Service Unavailable{headline}"));
    }
    assert_eq!(brief_with_body(&answer(503), None), "503 Service Unavailable");
}

#[test]
fn what_a_receiver_sends_is_cut_in_a_reason() {
    let long = "x".repeat(9_000);
    let retry = attempt(
        Contract::Standard,
        &attempt_of(1, answer(503), &[("retry-after", &long), ("webhook-delivery", &long)]),
    );
    assert!(retry.headline.chars().count() < 400, "{}", retry.headline.len());
    let coding = attempt(
        Contract::Standard,
        &with_note(200, BodyNote::NotDecoded { coding: long.clone(), message: long }),
    );
    assert!(coding.headline.chars().count() < 400 && coding.advice.chars().count() < 700);
}

#[test]
fn a_redirect_is_success_for_ubiops_only() {
    let redirect = attempt_of(1, answer(302), &[("location", "https://r.example/")]);
    assert_eq!(attempt(Contract::Ubiops, &redirect).headline, "302 Found");
    assert!(attempt(Contract::Standard, &redirect).advice.contains("not followed"));
}

#[test]
fn a_delivery_says_how_often_it_failed_the_same_way() {
    let failing = |outcomes: Vec<Outcome>| -> Vec<Attempt> {
        (1..).zip(outcomes).map(|(number, outcome)| attempt_of(number, outcome, &[])).collect()
    };
    for (state, outcomes, headline) in [
        (State::Pending, vec![], "Accepted, not called yet"),
        (State::Leased, vec![], "The first attempt is under way"),
        (State::Waiting, vec![answer(503)], "Attempt 1 failed: 503 Service Unavailable"),
        (
            State::Waiting,
            vec![answer(503); 3],
            "Attempt 3 failed: 503 Service Unavailable (all 3 attempts ended this way)",
        ),
        (
            State::Waiting,
            vec![answer(500), answer(503), answer(503)],
            "Attempt 3 failed: 503 Service Unavailable (the last 2 attempts ended this way)",
        ),
        (
            State::Leased,
            vec![Outcome::TimedOut],
            "Attempt 2 is under way; the one before failed: No answer within 10 s",
        ),
        (State::Delivered, vec![answer(204)], "Delivered at the first attempt: 204 No Content"),
        (
            State::Delivered,
            vec![answer(500), answer(500), answer(200)],
            "Delivered at attempt 3 after 2 failed attempts: 200 OK",
        ),
        (
            State::Delivered,
            vec![answer(500), answer(200), answer(500)],
            "Delivered at attempt 2 after 1 failed attempt: 200 OK",
        ),
        (State::Dead, vec![answer(404)], "Given up after 1 attempt: 404 Not Found"),
        (
            State::Dead,
            vec![answer(404); 10],
            "Given up after 10 attempts: 404 Not Found (all 10 attempts ended this way)",
        ),
        (State::Cancelled, vec![], "Cancelled before the first attempt"),
        (State::Cancelled, vec![answer(500)], "Cancelled after 1 attempt: 500 Internal Server Error"),
    ] {
        assert_eq!(delivery(Contract::Standard, state, &failing(outcomes)).headline, headline);
    }
}

#[test]
fn a_dead_delivery_says_what_to_do_and_that_it_can_be_resent() {
    let reason = delivery(Contract::Standard, State::Dead, &[attempt_of(1, answer(410), &[])]);
    assert!(
        reason.advice.contains("disabled the webhook") && reason.advice.ends_with("resend this delivery."),
        "{}",
        reason.advice
    );
}

const DISABLE: &[(&str, &str)] = &[("Webhook-Delivery", " Disable ")];
const ABORT: &[(&str, &str)] = &[("webhook-delivery", "abort")];

#[test]
fn what_the_receiver_asks_for_is_said_and_obeyed() {
    let standard = Contract::Standard;
    let disable = attempt(standard, &attempt_of(1, answer(503), DISABLE));
    assert_eq!(disable.headline, "503 Service Unavailable, and asks for no more calls");
    assert!(disable.advice.contains("so Postern disabled the webhook"), "{}", disable.advice);
    let aborted = delivery(standard, State::Dead, &[attempt_of(1, answer(500), ABORT)]);
    assert_eq!(
        aborted.headline,
        "Given up after 1 attempt, as the receiver asked: 500 Internal Server Error, and asks for no further attempt"
    );
    assert_eq!(
        attempt(standard, &attempt_of(1, answer(200), DISABLE)),
        attempt(standard, &attempt_of(1, answer(200), &[]))
    );
}

#[test]
fn what_a_receiver_of_another_contract_says_in_webhook_delivery_is_not_explained() {
    for contract in Contract::ALL.into_iter().filter(|contract| *contract != Contract::Standard) {
        let plain = attempt_of(1, answer(500), &[]);
        for headers in [DISABLE, ABORT, &[("webhook-delivery", "later")]] {
            let wishing = attempt_of(1, answer(500), headers);
            assert_eq!(attempt(contract, &wishing), attempt(contract, &plain), "{contract:?} {headers:?}");
            assert_eq!(trial(contract, &wishing), trial(contract, &plain), "{contract:?} {headers:?}");
            for state in [State::Waiting, State::Dead] {
                let whole = delivery(contract, state, std::slice::from_ref(&wishing));
                assert_eq!(
                    whole,
                    delivery(contract, state, std::slice::from_ref(&plain)),
                    "{contract:?} {headers:?}"
                );
            }
        }
    }
}

#[test]
fn a_410_that_waits_for_a_second_one_has_disabled_nothing() {
    for attempt in [attempt_of(1, answer(410), &[]), with_note(410, BodyNote::TimedOut)] {
        for contract in Contract::ALL {
            let first = super::attempt(contract, &attempt);
            let confirmed = first.clone().where_gone_is_not_confirmed();
            assert_eq!(confirmed.headline, first.headline);
            assert!(
                confirmed.advice.contains("again ten minutes")
                    && !confirmed.advice.contains("so Postern disabled"),
                "{confirmed:?}"
            );
        }
    }
    let other = attempt(Contract::Standard, &attempt_of(1, answer(500), DISABLE));
    assert_eq!(other.clone().where_gone_is_not_confirmed(), other);
}

#[test]
fn a_test_disables_nothing_and_says_so() {
    for contract in Contract::ALL {
        let wish = (contract == Contract::Standard).then_some((answer(500), DISABLE));
        for (outcome, headers) in [(answer(410), &[][..])].into_iter().chain(wish) {
            let attempt = attempt_of(1, outcome, headers);
            let reason = trial(contract, &attempt);
            assert!(
                reason.advice.contains("nothing is disabled") && !reason.advice.contains("Postern disabled"),
                "{}",
                reason.advice
            );
            assert_eq!(reason.headline, super::attempt(contract, &attempt).headline);
        }
        for outcome in outcomes() {
            let attempt = attempt_of(1, outcome.clone(), &[]);
            let is_gone = outcome == answer(410);
            assert_eq!(
                trial(contract, &attempt) == super::attempt(contract, &attempt),
                !is_gone,
                "{outcome:?}"
            );
        }
    }
    let gone = attempt_of(1, answer(410), &[]);
    let (first, confirmed) =
        (trial(Contract::Standard, &gone), trial_where_gone_is_confirmed(Contract::Standard, &gone));
    assert!(first.advice.ends_with("the same answer to a delivery would disable the webhook."), "{first:?}");
    assert!(
        confirmed.advice.contains("if it came again ten minutes later")
            && confirmed.advice.contains("nothing is disabled")
    );
    for outcome in outcomes().into_iter().filter(|outcome| *outcome != answer(410)) {
        let attempt = attempt_of(1, outcome, &[]);
        assert_eq!(
            trial_where_gone_is_confirmed(Contract::Standard, &attempt),
            trial(Contract::Standard, &attempt)
        );
    }
    let aborted = trial(Contract::Standard, &attempt_of(1, answer(404), ABORT));
    assert_eq!(aborted.advice, attempt(Contract::Standard, &attempt_of(1, answer(404), &[])).advice);
}

fn holds() -> [(Hold, &'static str); 10] {
    let at = Some(Timestamp(1_795_270_051_204));
    [
        (Hold::Disabled { reason: None }, "the webhook is disabled"),
        (
            Hold::Disabled { reason: Some(String::from("Every call failed for five days")) },
            "Postern disabled the webhook: every call failed for five days",
        ),
        (Hold::Paused, "the webhook is paused"),
        (
            Hold::Failing { failures: 7, next_call_at: at },
            "the webhook failed 7 times in a row, so it gets one call at a time, the next one at 2026-11-21T14:07:31.204Z",
        ),
        (
            Hold::Throttled { next_call_at: None },
            "the receiver is overloaded, so the webhook gets one call at a time",
        ),
        (
            Hold::RateLimited { limit: RateLimit { calls: 10, per_s: 60 } },
            "the webhook has had its 10 calls in 60 s",
        ),
        (
            Hold::ConcurrencyLimited { limit: 1 },
            "1 call to the webhook is under way, as many as it may get at once",
        ),
        (
            Hold::ConcurrencyLimited { limit: 2 },
            "2 calls to the webhook are under way, as many as it may get at once",
        ),
        (
            Hold::SlowStart { limit: 2, until: 50 },
            "Postern is starting slowly after an outage, with 2 calls to the webhook at once",
        ),
        (
            Hold::Ordered { behind: String::from("dlv_1") },
            "dlv_1, which has the same order key, has not ended",
        ),
    ]
}

#[test]
fn a_held_delivery_says_what_holds_it() {
    for (hold, headline) in holds() {
        let fresh = held(Contract::Standard, State::Pending, &[], &hold);
        assert_eq!(fresh.headline, format!("Not called yet. Held: {headline}"));
        let failed = held(Contract::Standard, State::Waiting, &[attempt_of(1, answer(503), &[])], &hold);
        assert_eq!(failed.headline, format!("Attempt 1 failed: 503 Service Unavailable. Held: {headline}"));
        assert!(
            failed.advice.starts_with(&fresh.advice) && failed.advice.len() > fresh.advice.len(),
            "{}",
            failed.advice
        );
    }
}

#[test]
fn nothing_holds_what_has_ended() {
    let attempts = [attempt_of(1, answer(200), &[])];
    for (hold, _) in holds() {
        for state in [State::Leased, State::Delivered, State::Dead, State::Cancelled] {
            assert_eq!(
                held(Contract::Standard, state, &attempts, &hold),
                delivery(Contract::Standard, state, &attempts)
            );
        }
    }
}

proptest! {
    #[test]
    fn foreign_text_is_cut_to_one_short_line(text in "(.|\n){0,400}") {
        let outcome = Outcome::PlatformFailed { message: text };
        let headline = attempt(Contract::Standard, &attempt_of(1, outcome, &[])).headline;
        prop_assert!(headline.chars().count() < 260 && !headline.contains('\n'));
    }
}
