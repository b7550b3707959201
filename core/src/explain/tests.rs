//! The sentences themselves, because people read them at 3 am.

use proptest::prelude::*;

use super::*;
use crate::delivery::Trigger;
use crate::time::Timestamp;

fn attempt_of(number: u32, outcome: Outcome, headers: &[(&str, &str)]) -> Attempt {
    let status = if let Outcome::Answered { status } = outcome { Some(status) } else { None };
    let headers = headers.iter().map(|(name, value)| (String::from(*name), String::from(*value))).collect();
    let response = status.map(|status| ReceivedResponse { status, headers, body: String::new(), truncated: false });
    Attempt { number, trigger: Trigger::Schedule, started_at: Timestamp(0), duration_ms: 10_004, outcome, request: None, response }
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
        (answer(429), vec![("retry-after", "Thu, 01 Jan 1970 00:01:10 GMT")], "429 Too Many Requests with Retry-After 60 s"),
        (answer(302), vec![("Location", "https://r.example/new")], "302 Found, redirect to https://r.example/new"),
        (answer(299), vec![], "HTTP status 299"),
        (answer(799), vec![], "HTTP status 799"),
        (Outcome::TimedOut, vec![], "No answer within 10 s"),
        (Outcome::ConnectionFailed { message: message("Network connection lost.") }, vec![], "The connection failed or was lost"),
        (Outcome::ConnectionFailed { message: message("connect: Connection refused") }, vec![], "The receiver refused the connection"),
        (Outcome::PlatformFailed { message: message("SSL routines:\nhandshake failure") }, vec![], "No secure connection: SSL routines:"),
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
            let is_success = matches!(outcome, Outcome::Answered { status } if counts_as_delivered(contract, status));
            let reason = attempt(contract, &attempt_of(1, outcome.clone(), &[]));
            assert_eq!(reason.advice.is_empty(), is_success, "{outcome:?}");
            assert!(!reason.headline.is_empty() && !brief(&outcome).is_empty(), "{outcome:?}");
            assert!(!reason.advice.contains("  ") && !reason.advice.contains('\n'), "{outcome:?}");
        }
    }
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
        (State::Waiting, vec![answer(503); 3], "Attempt 3 failed: 503 Service Unavailable (all 3 attempts ended this way)"),
        (
            State::Waiting,
            vec![answer(500), answer(503), answer(503)],
            "Attempt 3 failed: 503 Service Unavailable (the last 2 attempts ended this way)",
        ),
        (State::Leased, vec![Outcome::TimedOut], "Attempt 2 is under way; the one before failed: No answer within 10 s"),
        (State::Delivered, vec![answer(204)], "Delivered at the first attempt: 204 No Content"),
        (State::Delivered, vec![answer(500), answer(500), answer(200)], "Delivered at attempt 3 after 2 failed attempts: 200 OK"),
        (State::Delivered, vec![answer(500), answer(200), answer(500)], "Delivered at attempt 2 after 1 failed attempt: 200 OK"),
        (State::Dead, vec![answer(404)], "Given up after 1 attempt: 404 Not Found"),
        (State::Dead, vec![answer(404); 10], "Given up after 10 attempts: 404 Not Found (all 10 attempts ended this way)"),
        (State::Cancelled, vec![], "Cancelled before the first attempt"),
        (State::Cancelled, vec![answer(500)], "Cancelled after 1 attempt: 500 Internal Server Error"),
    ] {
        assert_eq!(delivery(Contract::Standard, state, &failing(outcomes)).headline, headline);
    }
}

#[test]
fn a_dead_delivery_says_what_to_do_and_that_it_can_be_resent() {
    let reason = delivery(Contract::Standard, State::Dead, &[attempt_of(1, answer(410), &[])]);
    assert!(reason.advice.contains("disabled the webhook") && reason.advice.ends_with("resend this delivery."), "{}", reason.advice);
}

proptest! {
    #[test]
    fn foreign_text_is_cut_to_one_short_line(text in "(.|\n){0,400}") {
        let outcome = Outcome::PlatformFailed { message: text };
        let headline = attempt(Contract::Standard, &attempt_of(1, outcome, &[])).headline;
        prop_assert!(headline.chars().count() < 260 && !headline.contains('\n'));
    }
}
