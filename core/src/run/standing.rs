//! Why a callback stands where it stands, and whether it may be sent again.

use super::call::CallRecord;
use super::callback::{CallbackKind, CallbackState};
use super::state::RunState;
use super::target::Webhooks;
use crate::delivery::Outcome;
use crate::explain::{self, Reason};
use crate::time::Timestamp;

/// Whether somebody may have a callback sent again, now: `kind` of a run in `run`, which stands at `callback`
/// and is due at `next_at`.
///
/// # Errors
/// Why not, in words.
pub fn may_resend(
    kind: CallbackKind,
    run: RunState,
    callback: CallbackState,
    next_at: Option<Timestamp>,
    webhooks: &Webhooks,
) -> Result<(), &'static str> {
    match (kind, callback) {
        (CallbackKind::ProbeFinished | CallbackKind::ProbeUpdate, _) => {
            Err("a probe is not sent again: create the run again")
        }
        (_, CallbackState::Leased) => Err("it is being called right now"),
        (CallbackKind::Update, _) if run.is_final() => {
            Err("the run has ended, and its end says more than an update: send finished again")
        }
        (_, CallbackState::Waiting) if next_at.is_none() => {
            Err("it is sent as soon as the update before it is through")
        }
        _ if webhooks.lack_credentials() => {
            Err("the credentials of its address were deleted after its last call: it can't be called again")
        }
        _ => Ok(()),
    }
}

/// Why a callback stands where it stands, and what to do: the latest calls, oldest first, tell.
#[must_use]
pub fn reason(
    kind: CallbackKind,
    state: CallbackState,
    next_at: Option<Timestamp>,
    calls: &[CallRecord],
) -> Reason {
    let plain = |headline: &str, advice: &str| Reason {
        headline: String::from(headline),
        advice: String::from(advice),
    };
    let last = calls.last().map(|last| {
        (last.attempt.number, explain::brief_of_call(&last.attempt.outcome, last.retry_after.as_ref(), None))
    });
    let (number, ended) = match (state, last) {
        (CallbackState::Waiting, None) if next_at.is_none() => {
            return plain("Waits for the update before it", "");
        }
        (CallbackState::Waiting, None) => return plain("Not called yet", ""),
        (CallbackState::Leased, None) => return plain("The first call is under way", ""),
        (CallbackState::Delivered, None) => return plain("Delivered", ""),
        (CallbackState::Failed | CallbackState::Cancelled, None) => return plain("Never called", ""),
        (_, Some(last)) => last,
    };
    let headline = match state {
        CallbackState::Waiting => format!("Call {number} failed: {ended}"),
        CallbackState::Leased => {
            format!("Call {} is under way; the one before ended: {ended}", number.saturating_add(1))
        }
        CallbackState::Delivered => format!("Taken at call {number}: {ended}"),
        CallbackState::Failed => format!("Given up after call {number}: {ended}"),
        CallbackState::Cancelled => format!("Replaced by the end of the run after call {number}: {ended}"),
    };
    let advice = match (state, kind.is_probe(), calls.last().map(|last| &last.attempt.outcome)) {
        (CallbackState::Waiting, true, _) => "The run is offered once its address answers a GET with 200.",
        (CallbackState::Waiting, false, _) => {
            "It is called again by the project's retry schedule. When the receiver works again, send it again instead of waiting."
        }
        (CallbackState::Failed, true, _) => {
            "The address must answer a GET with 200. Create the run again once it does."
        }
        (CallbackState::Failed, false, Some(Outcome::Answered { status: 200..=299 })) => {
            "The receiver has it, but only 200 and 204 count as taken, so nothing calls it again by itself."
        }
        (CallbackState::Failed, false, Some(Outcome::Answered { status: 410 })) => {
            "The receiver says that it is gone for good, so nothing calls it again by itself. If that is wrong, send it again."
        }
        (CallbackState::Failed, false, Some(Outcome::Blocked { .. })) => {
            "Postern calls public hosts only. The receiver got nothing."
        }
        (CallbackState::Failed, false, _) => {
            "Nothing calls it any more by itself. When the receiver works again, send it again."
        }
        (CallbackState::Leased | CallbackState::Delivered | CallbackState::Cancelled, ..) => "",
    };
    Reason { headline, advice: String::from(advice) }
}
