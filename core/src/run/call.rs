//! One call of a run's callback, and what follows it.

use serde::{Deserialize, Serialize};

use super::callback::CallbackKind;
use crate::delivery::{BodyNote, Outcome, ReceivedResponse};
use crate::explain;
use crate::retry::{self, RetryAfter};
use crate::time::Timestamp;

/// Seconds that one call of a run's callback may take (docs/wire.md C.5).
pub const CALL_TIMEOUT_S: u32 = 10;

/// Calls of a probe whose answer was lost on our side: the receiver is not to blame for that.
const PROBE_CALLS_MAX: u32 = 3;

/// Milliseconds before the second, third and fourth call of a probe that reached nobody: a receiver that is
/// being restarted does not end a run. After them actinia's rule holds: the run has failed.
pub const PROBE_PAUSES_MS: [i64; 3] = [1_000, 3_000, 6_000];

/// Milliseconds that a probe waits at most because its answer asks for it: the run is not offered meanwhile.
const PROBE_WAIT_MAX_MS: i64 = 60_000;

/// Characters of an answer's body that are kept with a call.
const ANSWER_CHARS_MAX: usize = 2_000;

/// One call of a run's callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CallbackAttempt {
    /// 1, 2, …
    pub number: u32,
    /// When the call started.
    pub started_at: Timestamp,
    /// Until the answer was read, or the failure known.
    pub duration_ms: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// The start of the answer's body.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub answer: String,
    /// Seconds that the answer's `Retry-After` asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
    /// What is to be said of the answer's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_note: Option<BodyNote>,
    /// The invocation that made it, for the logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// A call as it is kept and decided on: with what the answer's `Retry-After` says, in whatever form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The call. Its `retry_after_s` is what `retry_after` comes to, where it is understood.
    #[serde(flatten)]
    pub attempt: CallbackAttempt,
    /// What the header says; absent in records of older builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<RetryAfter>,
}

impl CallRecord {
    /// A call with what its answer's header says.
    #[must_use]
    pub fn new(attempt: CallbackAttempt, retry_after: Option<RetryAfter>) -> Self {
        let retry_after_s = retry_after.as_ref().and_then(RetryAfter::wait_s);
        Self { attempt: CallbackAttempt { retry_after_s, ..attempt }, retry_after }
    }

    /// How it ended in a few words, with what the answer asks for and what was wrong with its body.
    #[must_use]
    pub fn result(&self) -> String {
        explain::brief_of_call(
            &self.attempt.outcome,
            self.retry_after.as_ref(),
            self.attempt.body_note.as_ref(),
        )
    }
}

impl CallbackAttempt {
    /// The part of an answer that is kept.
    #[must_use]
    pub fn kept(response: Option<&ReceivedResponse>) -> String {
        response.map(|response| response.body.chars().take(ANSWER_CHARS_MAX).collect()).unwrap_or_default()
    }
}

/// What follows a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The receiver took it.
    Delivered,
    /// Call again.
    Again {
        /// Milliseconds from now.
        after_ms: i64,
    },
    /// Give up.
    Failed,
}

/// What the decision needs to know of a callback.
#[derive(Clone, Copy, Debug)]
pub struct CallTerms<'a> {
    /// What it tells.
    pub kind: CallbackKind,
    /// Calls made so far that told the same, this one included. A resend starts again.
    pub tries: u32,
    /// Seconds before call 2, 3, …: the project's; `None` is the default ([`retry::DEFAULT_WAITS_S`]).
    pub schedule_s: Option<&'a [u32]>,
    /// Seeds the jitter.
    pub seed: u64,
}

/// Decides what follows a call.
///
/// A probe passes with 200 and nothing else (docs/wire.md C.4). It is repeated where it reached nobody or is
/// asked to come later ([`PROBE_PAUSES_MS`], or the answer's `Retry-After` up to a minute), or its call was
/// lost on our side. What is posted counts as taken with 200 and 204
/// (docs/wire.md C.5); it is repeated by the schedule that deliveries have, never before the answer's
/// `Retry-After`. Nothing is repeated after another 2xx (the receiver has it), after 410, or at a URL that is
/// not allowed.
#[must_use]
pub fn decide(standing: CallTerms<'_>, outcome: &Outcome, retry_after_s: Option<u32>) -> Next {
    let CallTerms { kind, tries, schedule_s, seed } = standing;
    if kind.is_probe() {
        return after_probe(tries, outcome, retry_after_s);
    }
    match outcome {
        Outcome::Answered { status: 200 | 204 } => Next::Delivered,
        Outcome::Answered { status: 200..=299 | 410 } | Outcome::Blocked { .. } => Next::Failed,
        Outcome::Answered { .. }
        | Outcome::TimedOut
        | Outcome::ConnectionFailed { .. }
        | Outcome::NameNotResolved
        | Outcome::PlatformFailed { .. }
        | Outcome::Lost => retry::wait_ms(tries.saturating_add(1), schedule_s, seed, retry_after_s)
            .map_or(Next::Failed, |after_ms| Next::Again { after_ms }),
    }
}

fn after_probe(tries: u32, outcome: &Outcome, retry_after_s: Option<u32>) -> Next {
    match outcome {
        Outcome::Answered { status: 200 } => Next::Delivered,
        // Nobody was there, or a proxy says so; or there is one who asks to be called later.
        Outcome::TimedOut
        | Outcome::ConnectionFailed { .. }
        | Outcome::Answered { status: 429 | 502..=504 } => {
            let asked_ms = i64::from(retry_after_s.unwrap_or(0)) * 1_000;
            let pause =
                usize::try_from(tries).ok().and_then(|tries| PROBE_PAUSES_MS.get(tries.checked_sub(1)?));
            let after_ms = |pause_ms: &i64| asked_ms.min(PROBE_WAIT_MAX_MS).max(*pause_ms);
            pause.map_or(Next::Failed, |pause_ms| Next::Again { after_ms: after_ms(pause_ms) })
        }
        Outcome::Lost | Outcome::PlatformFailed { .. } if tries < PROBE_CALLS_MAX => {
            Next::Again { after_ms: 0 }
        }
        Outcome::Answered { .. }
        | Outcome::NameNotResolved
        | Outcome::Blocked { .. }
        | Outcome::Lost
        | Outcome::PlatformFailed { .. } => Next::Failed,
    }
}
