//! Why a delivery that is due is not sent.

use super::reason::{Reason, counted, lower_first};
use crate::time::Timestamp;
use crate::webhook::RateLimit;

/// Why a delivery that is due is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Its webhook is disabled.
    Disabled {
        /// Why, where Postern did it ([`crate::delivery::DisableCause::reason`]).
        reason: Option<String>,
    },
    /// Its webhook is paused.
    Paused,
    /// Its webhook fails, and is probed.
    Failing {
        /// Failures in a row.
        failures: u32,
        /// When it is called next.
        next_call_at: Option<Timestamp>,
    },
    /// Its webhook is throttled.
    Throttled {
        /// When it is called next.
        next_call_at: Option<Timestamp>,
    },
    /// As many calls as the webhook may get in a time have started.
    RateLimited {
        /// The limit.
        limit: RateLimit,
    },
    /// As many calls as the webhook may get at once are under way.
    ConcurrencyLimited {
        /// The limit.
        limit: u32,
    },
    /// An outage of the receiver has just ended, and the webhook gets more calls at once step by step
    /// ([`crate::health`]).
    SlowStart {
        /// Calls at once for now.
        limit: u32,
        /// Calls at once in the end.
        until: u32,
    },
    /// An older delivery with the same order key has not ended.
    Ordered {
        /// Its id, `dlv_…`.
        behind: String,
    },
}

impl Hold {
    /// The reason and what to do.
    pub(super) fn reason(&self) -> Reason {
        let next_call = |at: &Option<Timestamp>| {
            at.map(|at| format!(", the next one at {}", at.to_rfc3339())).unwrap_or_default()
        };
        let (headline, advice) = match self {
            Self::Disabled { reason: None } => (
                String::from("the webhook is disabled"),
                "Nothing is sent until somebody enables it. This delivery goes out then, unless it is cancelled.",
            ),
            Self::Disabled { reason: Some(why) } => (
                format!("Postern disabled the webhook: {}", lower_first(why)),
                "Ask the receiver's operator, then enable the webhook, and this delivery goes out. Events \
                 that came meanwhile can be replayed.",
            ),
            Self::Paused => (
                String::from("the webhook is paused"),
                "It takes events, and sends them once somebody resumes it.",
            ),
            Self::Failing { failures, next_call_at } => (
                format!(
                    "the webhook failed {failures} times in a row, so it gets one call at a time{}",
                    next_call(next_call_at)
                ),
                "The first call that succeeds lets the others go out. Look at its latest attempts.",
            ),
            Self::Throttled { next_call_at } => (
                format!(
                    "the receiver is overloaded, so the webhook gets one call at a time{}",
                    next_call(next_call_at)
                ),
                "The wait between calls gets shorter with each one that succeeds. If this happens often, \
                 set a rate limit that the receiver can take.",
            ),
            Self::RateLimited { limit: RateLimit { calls, per_s } } => (
                format!("the webhook has had its {} in {per_s} s", counted(*calls as usize, "call")),
                "It goes out as soon as its rate limit allows. Raise the limit if the receiver can take more.",
            ),
            Self::ConcurrencyLimited { limit } => (
                format!(
                    "{} under way, as many as it may get at once",
                    match limit {
                        1 => String::from("1 call to the webhook is"),
                        more => format!("{more} calls to the webhook are"),
                    }
                ),
                "It goes out when one of them ends. Raise the webhook's concurrency limit if the receiver can take more.",
            ),
            Self::SlowStart { limit, until } => {
                let calls = counted(*limit as usize, "call");
                let headline = format!(
                    "Postern is starting slowly after an outage, with {calls} to the webhook at once"
                );
                return Reason { headline, advice: slow_start_advice(*until) };
            }
            Self::Ordered { behind } => (
                format!("{behind}, which has the same order key, has not ended"),
                "The webhook keeps the order of events. To let this one go out, fix or cancel the one before it.",
            ),
        };
        Reason { headline, advice: String::from(advice) }
    }
}

/// Why a slow start needs no help, and when it is over.
fn slow_start_advice(until: u32) -> String {
    let calls = counted(until as usize, "call");
    format!(
        "While calls succeed, Postern doubles their number every third of a second until {calls} at once are \
         allowed. Nothing has to be done."
    )
}
