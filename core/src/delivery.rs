//! Deliveries and attempts: what happened, and what happens next.

use serde::{Deserialize, Serialize};

use crate::contract::{Rendering, counts_as_delivered};
use crate::retry;
use crate::time::Timestamp;
use crate::webhook::Contract;

/// Where a delivery stands: pending → (leased → waiting)* → delivered, dead or cancelled (DESIGN 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Accepted; the first attempt has not begun.
    Pending,
    /// Somebody holds it and is calling, until the lease ends.
    Leased,
    /// An attempt failed; the next is due at `next_at`.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// Given up.
    Dead,
    /// Stopped by a person, or its webhook was deleted.
    Cancelled,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Pending, Self::Leased, Self::Waiting, Self::Delivered, Self::Dead, Self::Cancelled];

    /// The wire spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Leased => "leased",
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the wire spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether there is nothing left to do.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Dead | Self::Cancelled)
    }
}

/// How one HTTP call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// An answer with this status arrived (whether it counts as delivered is the contract's word).
    Answered {
        /// HTTP status.
        status: u16,
    },
    /// The timeout ended before headers and body were read.
    TimedOut,
    /// The connection was refused, reset or lost.
    ConnectionFailed {
        /// What the platform said.
        message: String,
    },
    /// The name does not resolve.
    NameNotResolved,
    /// The egress policy refuses the URL.
    Blocked {
        /// Why.
        message: String,
    },
    /// The request could not be made, or the platform failed.
    PlatformFailed {
        /// What the platform said.
        message: String,
    },
    /// The lease ended without a report: the attempt may or may not have reached the receiver.
    Lost,
}

/// Why an attempt was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// The schedule (the first attempt included).
    Schedule,
    /// A person asked for it.
    Resend,
}

/// The request as it was sent, without its body, which [`Rendering`] makes again from the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentRequest {
    /// The URL called.
    pub url: String,
    /// Headers in the order they were set; protected values are `••••••••`.
    pub headers: Vec<(String, String)>,
    /// From what the body was rendered.
    pub rendering: Rendering,
    /// Bytes of the body.
    pub body_bytes: u32,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers, at most 8 KiB of them.
    pub headers: Vec<(String, String)>,
    /// The body as text (invalid UTF-8 replaced), cut at 64 KiB.
    pub body: String,
    /// Whether the body was cut.
    pub truncated: bool,
}

/// Bytes of an answer's body that are read at most; the rest is cancelled (DESIGN 4).
pub const RESPONSE_BYTES_MAX: usize = 64 * 1024;
/// Bytes of an answer's headers that are kept at most.
pub const RESPONSE_HEADER_BYTES_MAX: usize = 8 * 1024;

/// One HTTP call of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1, 2, …
    pub number: u32,
    /// Why it was made.
    pub trigger: Trigger,
    /// When the call began.
    pub started_at: Timestamp,
    /// Until the answer was read, or the failure known.
    pub duration_ms: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// What was sent; `None` for [`Outcome::Lost`] and [`Outcome::Blocked`].
    pub request: Option<SentRequest>,
    /// What came back.
    pub response: Option<ReceivedResponse>,
}

/// What follows an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The receiver took it.
    Delivered,
    /// Try again at `next_at`.
    Wait {
        /// When the next attempt is due.
        next_at: Timestamp,
    },
    /// Give up.
    Dead,
    /// The receiver answered 410 Gone: this delivery is dead and the webhook is to be disabled.
    DisableWebhook,
}

/// What the decision needs to know of the delivery and its webhook.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// The webhook's contract.
    pub contract: Contract,
    /// Whether it retries.
    pub retry: bool,
    /// Scheduled attempts made so far, this one included (resends do not count).
    pub scheduled_attempts: u32,
    /// Seeds the jitter.
    pub seed: u64,
}

/// Decides what follows an attempt that ended at `now`.
#[must_use]
pub fn decide(standing: Standing, outcome: &Outcome, response: Option<&ReceivedResponse>, now: Timestamp) -> Decision {
    match outcome {
        Outcome::Answered { status } if counts_as_delivered(standing.contract, *status) => Decision::Delivered,
        Outcome::Answered { status: 410 } => Decision::DisableWebhook,
        // No attempt will fare better until somebody edits the webhook; a person can resend then.
        Outcome::Blocked { .. } => Decision::Dead,
        _ => {
            let next_attempt = standing.scheduled_attempts.saturating_add(1);
            if next_attempt > 1 && !standing.retry {
                return Decision::Dead;
            }
            let retry_after_s = response.and_then(|response| retry_after_s(response, now));
            match retry::wait_ms(next_attempt, standing.seed, retry_after_s) {
                Some(wait_ms) => Decision::Wait { next_at: now.plus_ms(wait_ms) },
                None => Decision::Dead,
            }
        }
    }
}

/// What the answer's `Retry-After` asks for, in seconds from `now`.
#[must_use]
pub fn retry_after_s(response: &ReceivedResponse, now: Timestamp) -> Option<u32> {
    let (_, value) = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
    retry::parse_retry_after(value, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_270_051_204);
    const STANDING: Standing = Standing { contract: Contract::Standard, retry: true, scheduled_attempts: 1, seed: 7 };

    fn after(standing: Standing, status: u16) -> Decision {
        decide(standing, &Outcome::Answered { status }, None, NOW)
    }

    fn failures() -> Vec<Outcome> {
        let message = || String::from("x");
        vec![
            Outcome::Answered { status: 500 },
            Outcome::Answered { status: 404 },
            Outcome::TimedOut,
            Outcome::ConnectionFailed { message: message() },
            Outcome::NameNotResolved,
            Outcome::PlatformFailed { message: message() },
            Outcome::Lost,
        ]
    }

    #[test]
    fn the_contract_says_what_counts_as_delivered() {
        for (contract, status, is_delivered) in [
            (Contract::Standard, 200, true),
            (Contract::Standard, 204, true),
            (Contract::Standard, 299, true),
            (Contract::Standard, 302, false),
            (Contract::Standard, 199, false),
            (Contract::Ubiops, 200, true),
            (Contract::Ubiops, 302, true),
            (Contract::Ubiops, 399, true),
            (Contract::Ubiops, 400, false),
        ] {
            let decision = after(Standing { contract, ..STANDING }, status);
            assert_eq!(decision == Decision::Delivered, is_delivered, "{contract:?} {status}");
        }
    }

    #[test]
    fn every_failure_is_repeated_until_the_schedule_ends() {
        for outcome in failures() {
            for scheduled_attempts in 1..=9 {
                let decision = decide(Standing { scheduled_attempts, ..STANDING }, &outcome, None, NOW);
                assert!(matches!(decision, Decision::Wait { next_at } if next_at > NOW), "{outcome:?} {scheduled_attempts}");
            }
            assert_eq!(decide(Standing { scheduled_attempts: 10, ..STANDING }, &outcome, None, NOW), Decision::Dead, "{outcome:?}");
        }
    }

    #[test]
    fn without_retry_one_attempt_is_all() {
        for outcome in failures() {
            assert_eq!(decide(Standing { retry: false, ..STANDING }, &outcome, None, NOW), Decision::Dead, "{outcome:?}");
        }
    }

    #[test]
    fn a_failed_resend_before_the_first_scheduled_attempt_leaves_that_attempt_due() {
        for retry in [false, true] {
            let standing = Standing { retry, scheduled_attempts: 0, ..STANDING };
            assert_eq!(after(standing, 500), Decision::Wait { next_at: NOW });
        }
    }

    #[test]
    fn a_receiver_that_is_gone_disables_its_webhook() {
        for contract in Contract::ALL {
            for retry in [false, true] {
                assert_eq!(after(Standing { contract, retry, ..STANDING }, 410), Decision::DisableWebhook);
            }
        }
    }

    #[test]
    fn a_blocked_url_is_not_tried_again() {
        assert_eq!(decide(STANDING, &Outcome::Blocked { message: String::from("x") }, None, NOW), Decision::Dead);
    }

    #[test]
    fn retry_after_lengthens_the_wait_whatever_the_case_of_its_name() {
        for (value, wait_ms) in [("3600", 3_600_000), ("999999999", 86_400_000), ("Sat, 21 Nov 2026 15:07:32 GMT", 3_601_000)] {
            let response = ReceivedResponse {
                status: 503,
                headers: vec![(String::from("Retry-After"), String::from(value))],
                body: String::new(),
                truncated: false,
            };
            let decision = decide(STANDING, &Outcome::Answered { status: 503 }, Some(&response), NOW);
            assert_eq!(decision, Decision::Wait { next_at: NOW.plus_ms(wait_ms) }, "{value}");
        }
    }

    #[test]
    fn a_state_reads_back_as_it_is_spelt() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(state));
            assert_eq!(serde_json::to_string(&state).ok(), Some(format!("\"{}\"", state.as_str())));
        }
    }
}
