//! Why a delivery as a whole stands where it stands.

use super::attempt::{attempt, wish};
use super::brief::brief;
use super::hold::Hold;
use super::reason::{Reason, counted};
use crate::contract::counts_as_delivered;
use crate::delivery::{Attempt, Outcome, State, Wish};
use crate::webhook::Contract;

/// [`delivery`] of one that is due and not sent.
#[must_use]
pub fn held(contract: Contract, state: State, attempts: &[Attempt], hold: &Hold) -> Reason {
    let so_far = delivery(contract, state, attempts);
    let hold = hold.reason();
    let advice = match state {
        State::Pending | State::Waiting => format!("{} {}", hold.advice, so_far.advice),
        // Nothing holds what is under way or has ended.
        State::Leased | State::Delivered | State::Dead | State::Cancelled => return so_far,
    };
    let headline = if attempts.is_empty() { String::from("Not called yet") } else { so_far.headline };
    Reason { headline: format!("{headline}. Held: {}", hold.headline), advice: String::from(advice.trim()) }
}

/// Explains the delivery as a whole from its state and attempts (oldest first).
#[must_use]
pub fn delivery(contract: Contract, state: State, attempts: &[Attempt]) -> Reason {
    let plain = |headline: &str, advice: &str| Reason {
        headline: String::from(headline),
        advice: String::from(advice),
    };
    let Some(last) = attempts.last() else {
        return match state {
            State::Pending => plain("Accepted, not called yet", ""),
            State::Leased => plain("The first attempt is under way", ""),
            State::Waiting => plain("Waiting for the first attempt", ""),
            State::Delivered => plain("Delivered", ""),
            State::Dead => plain("Given up before the first attempt", "Look at the webhook, then resend."),
            State::Cancelled => plain("Cancelled before the first attempt", CANCELLED_ADVICE),
        };
    };
    let last_reason = attempt(contract, last);
    let so_far = format!("{}{}", last_reason.headline, repetition(attempts));
    let headline = match state {
        State::Delivered => return delivered(contract, attempts),
        State::Pending | State::Waiting => format!("Attempt {} failed: {so_far}", last.number),
        State::Leased => {
            format!("Attempt {} is under way; the one before failed: {so_far}", last.number.saturating_add(1))
        }
        State::Dead => {
            let asked =
                if wish(contract, last) == Some(Wish::Abort) { ", as the receiver asked" } else { "" };
            format!("Given up after {}{asked}: {so_far}", counted(attempts.len(), "attempt"))
        }
        State::Cancelled => format!("Cancelled after {}: {so_far}", counted(attempts.len(), "attempt")),
    };
    let advice = match state {
        State::Cancelled => String::from(CANCELLED_ADVICE),
        State::Dead => format!("{} When it is fixed, resend this delivery.", last_reason.advice),
        _ => last_reason.advice,
    };
    Reason { headline, advice: String::from(advice.trim()) }
}

const CANCELLED_ADVICE: &str =
    "Somebody cancelled it, or its webhook was deleted. Nothing more will be sent unless it is resent.";

/// A delivered delivery: the attempt that did it, and how many failed before.
fn delivered(contract: Contract, attempts: &[Attempt]) -> Reason {
    let is_success = |attempt: &Attempt| matches!(attempt.outcome, Outcome::Answered { status } if counts_as_delivered(contract, status));
    let Some((failed, success)) =
        attempts.iter().position(is_success).and_then(|failed| Some((failed, attempts.get(failed)?)))
    else {
        return Reason { headline: String::from("Delivered"), advice: String::new() };
    };
    let Reason { headline, advice } = attempt(contract, success);
    let headline = match failed {
        0 => format!("Delivered at the first attempt: {headline}"),
        failed => format!(
            "Delivered at attempt {} after {}: {headline}",
            success.number,
            counted(failed, "failed attempt")
        ),
    };
    Reason { headline, advice }
}

/// ` (the last 3 attempts ended this way)`, where more than one did.
fn repetition(attempts: &[Attempt]) -> String {
    let same = attempts
        .iter()
        .rev()
        .take_while(|attempt| {
            Some(brief(&attempt.outcome)) == attempts.last().map(|last| brief(&last.outcome))
        })
        .count();
    match same {
        0 | 1 => String::new(),
        same if same == attempts.len() => format!(" (all {same} attempts ended this way)"),
        same => format!(" (the last {same} attempts ended this way)"),
    }
}
