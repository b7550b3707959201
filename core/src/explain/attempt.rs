//! Why an attempt ended as it did.

use super::body::of_body;
use super::brief::{asked_for, is_name_or_tls, is_refusal};
use super::reason::{Reason, named, shorten};
use super::status::{status_advice, with_phrase};
use crate::contract::counts_as_delivered;
use crate::delivery::{Attempt, Outcome, ReceivedResponse, Wish, speaks_of_tls};
use crate::webhook::Contract;

/// What a 410 to a test means.
const GONE_TRIAL_ADVICE: &str = "The receiver says that it is gone for good. This was a test, so nothing is \
                                 disabled; the same answer to a delivery would disable the webhook.";
/// The same where the webhook asks for a second 410 (`confirm_gone`).
const GONE_TRIAL_ONCE_ADVICE: &str = "The receiver says that it is gone for good. This was a test, so nothing \
                                      is disabled; the same answer to a delivery would disable the webhook \
                                      if it came again ten minutes later, without a success in between.";

/// Explains one attempt of a test, after which nothing is disabled.
#[must_use]
pub fn trial(contract: Contract, attempt: &Attempt) -> Reason {
    trial_with(contract, attempt, GONE_TRIAL_ADVICE)
}

/// The same where the webhook asks for a second 410 (`confirm_gone`).
#[must_use]
pub fn trial_where_gone_is_confirmed(contract: Contract, attempt: &Attempt) -> Reason {
    trial_with(contract, attempt, GONE_TRIAL_ONCE_ADVICE)
}

fn trial_with(contract: Contract, attempt: &Attempt, gone_advice: &str) -> Reason {
    let Reason { headline, advice } = self::attempt(contract, attempt);
    let wish = attempt.response.as_ref().and_then(|response| Wish::from_response(contract, response));
    let advice = match (&attempt.outcome, wish) {
        (Outcome::Answered { status }, _) if counts_as_delivered(contract, *status) => {
            return Reason { headline, advice };
        }
        (Outcome::Answered { status: 410 }, _) => String::from(gone_advice),
        (_, Some(Wish::Disable)) => String::from(
            "The receiver asks for no more calls. This was a test, so nothing is disabled; the same answer to a delivery would \
             disable the webhook.",
        ),
        (_, Some(Wish::Abort)) => String::from(status_advice_of(&attempt.outcome)),
        (_, None) => return Reason { headline, advice },
    };
    let body = attempt.response.as_ref().and_then(|response| response.body_note.as_ref()).map(of_body);
    let advice = body.map_or_else(|| advice.clone(), |body| format!("{advice} {}", body.advice));
    Reason { headline, advice }
}

/// Explains one attempt of a delivery, such as `503 Service Unavailable with Retry-After 60 s`.
#[must_use]
pub fn attempt(contract: Contract, attempt: &Attempt) -> Reason {
    let reason = |headline: String, advice: &str| Reason { headline, advice: String::from(advice) };
    match &attempt.outcome {
        Outcome::Answered { status } => answered(contract, *status, attempt),
        Outcome::TimedOut => reason(
            format!(
                "No answer within {} s",
                attempt.duration_ms.saturating_add(500).div_euclid(1_000).max(1)
            ),
            "The receiver took the connection but did not answer in time. It should store the callback and answer at once, then \
             work; or give the webhook a longer timeout (30 s at most).",
        ),
        Outcome::ConnectionFailed { message } | Outcome::PlatformFailed { message }
            if speaks_of_tls(message) =>
        {
            tls_failed(message)
        }
        Outcome::ConnectionFailed { message } if is_name_or_tls(message) => reason(
            String::from("The host name does not resolve, or no secure connection could be made"),
            "The platform does not say which of the two. Check the host of the URL for a typing error. If \
             it is right and the URL starts with https, ask the receiver's operator to check its \
             certificate, which may be expired, for another name or self-signed.",
        ),
        Outcome::ConnectionFailed { message } => reason(
            String::from(if is_refusal(message) {
                "The receiver refused the connection"
            } else {
                "The connection failed or was lost"
            }),
            "Nothing answered at this host and port, or the connection broke on the way. Check that the receiver runs, listens on \
             this port and that its firewall lets callbacks in.",
        ),
        Outcome::NameNotResolved => reason(
            String::from("The host name does not resolve"),
            "DNS knows no address for the host of the URL. Check it for a typing error; if the host is new \
             or has moved, ask the operator of its DNS.",
        ),
        Outcome::Blocked { message } => reason(
            format!("Not called, because the URL is not allowed: it {message}"),
            "Postern calls public hosts only. Change the webhook's URL, then resend. The receiver got nothing.",
        ),
        Outcome::PlatformFailed { message } => reason(
            format!("The call could not be made: {}", shorten(message)),
            "This is on Postern's side or on the network in between, not the receiver's answer. If it \
             repeats, give the delivery's id to the operator of this Postern.",
        ),
        Outcome::Lost => reason(
            String::from("The result of the call was lost"),
            "Postern stopped before it could record the answer, so the receiver may or may not have got this attempt. The next one \
             carries the same webhook-id: a receiver that remembers ids sees it only once.",
        ),
    }
}

/// An answer arrived.
fn answered(contract: Contract, status: u16, attempt: &Attempt) -> Reason {
    let response = attempt.response.as_ref();
    let body = response.and_then(|response| response.body_note.as_ref()).map(of_body);
    let mut headline = with_phrase(status);
    if counts_as_delivered(contract, status) {
        let advice = body.map(|body| body.add_to(&mut headline)).unwrap_or_default();
        return Reason { headline, advice };
    }
    let arrived_at = attempt.started_at.plus_ms(i64::from(attempt.duration_ms));
    let asks = response.map(|response| response.asks(arrived_at)).unwrap_or_default();
    if let Some(asked) = &asks.retry_after {
        headline.push_str(&asked_for(asked));
    }
    if let Some(location) =
        response.and_then(|response| header(response, "location")).filter(|_| matches!(status, 300..=399))
    {
        headline = format!("{headline}, redirect to {}", shorten(location));
    }
    let advice = match wish(contract, attempt) {
        _ if status == 410 => status_advice(status),
        Some(Wish::Disable) => {
            headline.push_str(", and asks for no more calls");
            "The answer's header webhook-delivery says disable, so Postern disabled the webhook. If that is \
             wrong, ask the receiver's operator, then enable the webhook and resend."
        }
        Some(Wish::Abort) => {
            headline.push_str(", and asks for no further attempt");
            "The answer's header webhook-delivery says abort: the receiver does not want this delivery again. Its answer may say why."
        }
        None => {
            // The header means nothing under another contract, so it can't be misunderstood there.
            if let Some(value) = asks.unknown_wish.as_ref().filter(|_| contract == Contract::Standard) {
                headline = format!("{headline}, webhook-delivery was not understood: {}", named(value));
            }
            status_advice(status)
        }
    };
    let mut advice = String::from(advice);
    if let Some(body) = body {
        let about_body = body.add_to(&mut headline);
        advice = format!("{advice} {about_body}");
    }
    Reason { headline, advice }
}

/// What the answer of a failed attempt wishes.
pub(super) fn wish(contract: Contract, attempt: &Attempt) -> Option<Wish> {
    let is_success =
        matches!(attempt.outcome, Outcome::Answered { status } if counts_as_delivered(contract, status));
    attempt
        .response
        .as_ref()
        .filter(|_| !is_success)
        .and_then(|response| Wish::from_response(contract, response))
}

/// [`status_advice`] of an answer; empty if no answer came.
const fn status_advice_of(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Answered { status } => status_advice(*status),
        _ => "",
    }
}

fn tls_failed(message: &str) -> Reason {
    Reason {
        headline: format!("No secure connection: {}", shorten(message)),
        advice: String::from(
            "TLS with the receiver failed. Its certificate may be expired, for another name, self-signed or \
             sent without its intermediate certificates. Ask the receiver's operator to check it.",
        ),
    }
}

pub(super) fn header<'a>(response: &'a ReceivedResponse, name: &str) -> Option<&'a str> {
    response
        .headers
        .iter()
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}
