//! What an attempt says of its webhook.

use crate::contract::counts_as_delivered;
use crate::delivery::{Outcome, ReceivedResponse, retry_after};
use crate::time::Timestamp;
use crate::webhook::Contract;

/// What an attempt says of its webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// It was delivered.
    Success,
    /// It failed.
    Failed,
    /// It failed: the receiver says that it is gone for good.
    Gone,
    /// It failed: the receiver does not accept the credentials (401, 403).
    Refused,
    /// It failed, and calling less would help.
    Throttled {
        /// Seconds that the receiver asked for.
        retry_after_s: Option<u32>,
    },
}

impl Signal {
    /// What an attempt that ended at `now` says; `None` where it says nothing about the receiver: our own
    /// crash ([`Outcome::Lost`]), a call that we could not make ([`Outcome::is_our_fault`]), and a URL that
    /// we refuse to call.
    #[must_use]
    pub fn from_outcome(
        contract: Contract,
        outcome: &Outcome,
        response: Option<&ReceivedResponse>,
        now: Timestamp,
    ) -> Option<Self> {
        let asked = || response.and_then(|response| retry_after(response, now));
        Some(match outcome {
            Outcome::Answered { status } if counts_as_delivered(contract, *status) => Self::Success,
            Outcome::Answered { status: 410 } => Self::Gone,
            Outcome::Answered { status: 401 | 403 } => Self::Refused,
            outcome if outcome.is_our_fault() => return None,
            Outcome::Lost | Outcome::Blocked { .. } => return None,
            Outcome::Answered { status: 429 | 502 | 504 } => {
                Self::Throttled { retry_after_s: asked().and_then(|asked| asked.wait_s()) }
            }
            // A receiver that sends the header asks for fewer calls, even if its value is not understood.
            Outcome::Answered { status: 503 } => match asked() {
                Some(asked) => Self::Throttled { retry_after_s: asked.wait_s() },
                None => Self::Failed,
            },
            Outcome::Answered { .. }
            | Outcome::TimedOut
            | Outcome::ConnectionFailed { .. }
            | Outcome::NameNotResolved
            | Outcome::PlatformFailed { .. } => Self::Failed,
        })
    }
}
