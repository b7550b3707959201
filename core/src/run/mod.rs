//! Runs: long jobs that somebody outside of Postern does, and the callbacks that tell of them.
//!
//! Who wants work done creates a run with a *chain* (any JSON object: what to do is the executor's to know). An executor
//! claims the run, which gives it a lease; it posts updates, which renew the lease, and the end. A run may carry callbacks
//! of its own ([`Webhooks`]): both addresses are probed before the run is offered to anybody, `update` hears of updates,
//! `finished` of the end.
//!
//! The decisions are here as pure functions, so that the ledger only writes what they say. In scope: states, progress, log,
//! what follows a call, why a callback stands where it stands. Out of scope: storage (`ledger::runs`), the bytes of a callback (`contract::actinia`).

pub mod parse;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::credential::masked_url;
use crate::delivery::{BodyNote, Outcome, ReceivedResponse};
use crate::explain::{self, Reason};
use crate::retry::{self, RetryAfter};
use crate::time::Timestamp;

/// Seconds of a claim's lease: what an executor may ask for.
pub const LEASE_S_MIN: u32 = 10;
/// See [`LEASE_S_MIN`].
pub const LEASE_S_MAX: u32 = 3_600;
/// The lease of a claim that asks for none.
pub const LEASE_S_DEFAULT: u32 = 60;
/// Claims that may be lost before nobody is offered the run any more.
pub const CLAIMS_LOST_MAX: u32 = 5;
/// Bytes of a run's log at most; the oldest entries make room.
pub const LOG_BYTES_MAX: usize = 256 * 1024;
/// Characters of a message at most.
pub const MESSAGE_CHARS_MAX: usize = 4_000;
/// Steps of a run at most.
pub const STEPS_MAX: u32 = 1_000_000;
/// Seconds that one call of a run's callback may take (docs/wire.md C.5).
pub const CALL_TIMEOUT_S: u32 = 10;
/// Calls of a probe whose answer was lost on our side: the receiver is not to blame for that.
const PROBE_CALLS_MAX: u32 = 3;
/// Milliseconds before the second, third and fourth call of a probe that reached nobody: a receiver that is being restarted does
/// not end a run. After them actinia's rule holds: the run has failed.
pub const PROBE_PAUSES_MS: [i64; 3] = [1_000, 3_000, 6_000];
/// Characters of an answer's body that are kept with a call.
const ANSWER_CHARS_MAX: usize = 2_000;

/// Where a run stands: accepted → running → finished, error or terminated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// Its callbacks are being probed, or it waits for a claim.
    Accepted,
    /// An executor has claimed it.
    Running,
    /// Done.
    Finished,
    /// It failed, or nobody could do it.
    Error,
    /// Somebody stopped it.
    Terminated,
}

impl RunState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Accepted, Self::Running, Self::Finished, Self::Error, Self::Terminated];

    /// The wire spelling, which is actinia's, too.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Error => "error",
            Self::Terminated => "terminated",
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
        matches!(self, Self::Finished | Self::Error | Self::Terminated)
    }

    /// What a run says that ended so without a word.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::Running => "Running",
            Self::Finished => "Processing successfully finished",
            Self::Error => "Processing failed",
            Self::Terminated => "Processing was terminated",
        }
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Progress {
    /// The step at hand, 0 to `of`.
    pub step: u32,
    /// Steps in all, 1 to [`STEPS_MAX`].
    pub of: u32,
    /// Hundredths of the whole, 0 to 100.
    pub percent: u32,
}

impl Progress {
    /// `step` of `of`; where nobody says a `percent` it follows from the two.
    #[must_use]
    pub fn new(step: u32, of: u32, percent: Option<u32>) -> Self {
        let derived = u64::from(step) * 100 / u64::from(of.max(1));
        Self { step, of, percent: percent.unwrap_or_else(|| u32::try_from(derived).unwrap_or(100)).min(100) }
    }
}

/// What a run is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum RunMode {
    /// An executor does it.
    #[default]
    Work,
    /// Only its chain and its callbacks are looked at; nobody is offered it (actinia's validation).
    Validation,
}

/// One address that a run calls.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Checked by the egress policy, in its normalised form, without credentials.
    pub url: String,
    /// The `Authorization` header: plain straight after parsing, sealed in every store.
    pub authorization: Option<String>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("url", &self.url).finish_non_exhaustive()
    }
}

/// The callbacks that a run carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhooks {
    /// Hears of the end.
    pub finished: Target,
    /// Hears of updates.
    pub update: Option<Target>,
    /// The user name of `auth`; its password is in the targets' `authorization` only.
    pub user: Option<String>,
    /// Whether the targets had credentials that were deleted ([`Webhooks::forget_credentials`]).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forgotten: bool,
}

/// What stands where a password was (actinia's spelling, docs/wire.md C.3).
pub const MASKED_PASSWORD: &str = "XXX";

impl Webhooks {
    /// `auth` as it may be shown: `user:XXX`.
    #[must_use]
    pub fn shown_auth(&self) -> Option<String> {
        self.user.as_ref().map(|user| format!("{user}:{MASKED_PASSWORD}"))
    }

    /// Deletes the credentials; gives whether there were any.
    pub fn forget_credentials(&mut self) -> bool {
        let had_some = self.targets_mut().filter_map(|target| target.authorization.take()).count() > 0;
        self.forgotten |= had_some;
        had_some
    }

    /// Whether a call would have to go out without the credentials that it once had. (Builds before `forgotten` deleted them as
    /// well; what they left behind is the user's name.)
    #[must_use]
    pub const fn lack_credentials(&self) -> bool {
        self.forgotten || (self.user.is_some() && self.finished.authorization.is_none())
    }

    /// The targets, for sealing.
    pub fn targets_mut(&mut self) -> impl Iterator<Item = &mut Target> {
        std::iter::once(&mut self.finished).chain(self.update.as_mut())
    }
}

/// Where a run came in: what its status says of itself in actinia's words (`contract::actinia`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// `https://host` of the request that created the run; addresses in callbacks begin with it.
    pub origin: String,
    /// The path of that request.
    pub path: String,
    /// What actinia calls the resource behind that path.
    pub endpoint: String,
}

/// A new run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunDraft {
    /// What to do, as its creator wrote it.
    pub chain: Box<RawValue>,
    /// Whom to call.
    pub webhooks: Option<Webhooks>,
    /// For people and for executors.
    pub labels: std::collections::BTreeMap<String, String>,
    /// What it is for.
    pub mode: RunMode,
    /// Where it came in.
    pub entry: Entry,
    /// Why it can't be done at all: it ends in an error at once then, and nobody is called.
    pub refusal: Option<String>,
}

/// What an executor says while it works. What is `None` stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RunUpdate {
    /// The claim under which it works.
    pub claim: Option<u32>,
    /// In words.
    pub message: Option<String>,
    /// How far it is.
    pub progress: Option<Progress>,
    /// Entries that the log gains.
    pub log: Vec<Box<RawValue>>,
}

impl RunUpdate {
    /// Whether it says nothing, and only renews the lease.
    #[must_use]
    pub const fn is_heartbeat(&self) -> bool {
        self.message.is_none() && self.progress.is_none() && self.log.is_empty()
    }
}

/// What an executor says at the end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunEnd {
    /// The claim under which it worked.
    pub claim: Option<u32>,
    /// Never [`RunState::Accepted`] or [`RunState::Running`].
    pub outcome: RunState,
    /// In words.
    pub message: Option<String>,
    /// What came of it.
    pub results: Option<Box<RawValue>>,
    /// Entries that the log gains.
    pub log: Vec<Box<RawValue>>,
}

/// Why an executor is not heard (409).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotHeard {
    /// The run has ended.
    Ended,
    /// Somebody terminated it.
    Terminated,
    /// Nobody holds it: it was never claimed, or the claim's lease has ended.
    NotClaimed,
    /// Another claim holds it.
    OtherClaim,
}

impl NotHeard {
    /// In words for the executor.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::Ended => "the run has ended: stop working on it",
            Self::Terminated => "the run was terminated: stop working on it",
            Self::NotClaimed => {
                "nobody holds this run: claim it first (a claim whose lease has ended is lost)"
            }
            Self::OtherClaim => {
                "the run was given to another executor after this claim's lease had ended: stop working on it"
            }
        }
    }
}

/// Whether an executor that works under `sent` (or names no claim) is heard by a run in `state` whose latest claim is `claim`.
///
/// # Errors
/// Why not.
pub const fn hear(state: RunState, claim: u32, sent: Option<u32>) -> Result<(), NotHeard> {
    match state {
        RunState::Terminated => Err(NotHeard::Terminated),
        RunState::Finished | RunState::Error => Err(NotHeard::Ended),
        RunState::Accepted => Err(NotHeard::NotClaimed),
        RunState::Running => match sent {
            Some(sent) if sent != claim => Err(NotHeard::OtherClaim),
            _ => Ok(()),
        },
    }
}

/// Whether a run that has lost `lost` claims is offered once more.
#[must_use]
pub const fn is_offered_again(lost: u32) -> bool {
    lost < CLAIMS_LOST_MAX
}

/// What a run says whose executors were all lost.
pub const EXECUTOR_LOST: &str = "The executor was lost";

/// What a run is called about, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CallbackKind {
    /// A GET of `finished` before the run is offered to anybody.
    ProbeFinished,
    /// The same of `update`, once that of `finished` has passed.
    ProbeUpdate,
    /// A POST of how far the run is.
    Update,
    /// A POST of its end.
    Finished,
}

impl CallbackKind {
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [Self::ProbeFinished, Self::ProbeUpdate, Self::Update, Self::Finished];

    /// The wire spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProbeFinished => "probe_finished",
            Self::ProbeUpdate => "probe_update",
            Self::Update => "update",
            Self::Finished => "finished",
        }
    }

    /// Reads the wire spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether it only looks whether somebody is there.
    #[must_use]
    pub const fn is_probe(self) -> bool {
        matches!(self, Self::ProbeFinished | Self::ProbeUpdate)
    }

    /// The field of `webhooks` that holds its address.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::ProbeFinished | Self::Finished => "finished",
            Self::ProbeUpdate | Self::Update => "update",
        }
    }

    /// Its address.
    #[must_use]
    pub const fn target(self, webhooks: &Webhooks) -> Option<&Target> {
        match self {
            Self::ProbeFinished | Self::Finished => Some(&webhooks.finished),
            Self::ProbeUpdate | Self::Update => webhooks.update.as_ref(),
        }
    }
}

/// What a run says one of whose addresses did not answer its probe with 200 (docs/wire.md C.4). Credentials in the query are masked.
#[must_use]
pub fn not_accessible(field: &str, url: &str) -> String {
    format!("The {field} webhook URL {} can not be accessed.", masked_url(url))
}

/// Where a callback of a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum CallbackState {
    /// Due, or waiting for its time.
    Waiting,
    /// Being made.
    Leased,
    /// The receiver took it.
    Delivered,
    /// Given up.
    Failed,
    /// The run was terminated before it was made.
    Cancelled,
}

impl CallbackState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Leased, Self::Delivered, Self::Failed, Self::Cancelled];

    /// The wire spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Leased => "leased",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the wire spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether a call is to be made, or is being made.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Leased)
    }
}

/// One call of a run's callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CallbackAttempt {
    /// 1, 2, …
    pub number: u32,
    /// When the call began.
    pub started_at: Timestamp,
    /// Until the answer was read, or the failure known.
    pub duration_ms: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// The beginning of the answer's body.
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
    /// What the header says; a record of an older build holds none.
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
pub struct Standing<'a> {
    /// What it tells.
    pub kind: CallbackKind,
    /// Calls made so far that told the same, this one included. A resend starts anew.
    pub tries: u32,
    /// Seconds before call 2, 3, …: the project's; `None` is the default ([`retry::DEFAULT_WAITS_S`]).
    pub schedule_s: Option<&'a [u32]>,
    /// Seeds the jitter.
    pub seed: u64,
}

/// Decides what follows a call.
///
/// A probe passes with 200 and nothing else (docs/wire.md C.4). It is repeated where it reached nobody ([`PROBE_PAUSES_MS`]) or its call
/// was lost on our side. What is posted counts as taken with 200 and 204 (docs/wire.md C.5); it is repeated by the schedule that
/// deliveries have, never before the answer's `Retry-After`. Nothing is repeated after another 2xx (the receiver has it), after
/// 410, or at a URL that is not allowed.
#[must_use]
pub fn decide(standing: Standing<'_>, outcome: &Outcome, retry_after_s: Option<u32>) -> Next {
    let Standing { kind, tries, schedule_s, seed } = standing;
    if kind.is_probe() {
        return after_probe(tries, outcome);
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

fn after_probe(tries: u32, outcome: &Outcome) -> Next {
    match outcome {
        Outcome::Answered { status: 200 } => Next::Delivered,
        // Nobody was there, or a proxy says so.
        Outcome::TimedOut | Outcome::ConnectionFailed { .. } | Outcome::Answered { status: 502..=504 } => {
            let pause =
                usize::try_from(tries).ok().and_then(|tries| PROBE_PAUSES_MS.get(tries.checked_sub(1)?));
            pause.map_or(Next::Failed, |after_ms| Next::Again { after_ms: *after_ms })
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

/// Whether somebody may have a callback sent again, now: `kind` of a run in `run`, which stands at `callback` and is due at
/// `next_at`.
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
            Err("the credentials of its address were deleted after its last call: it can not be called again")
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

/// Adds `more` to a log of at most [`LOG_BYTES_MAX`] bytes; gives how many of the oldest entries had to go. An entry that is too
/// large for any log goes as well.
pub fn append_log(log: &mut Vec<Box<RawValue>>, more: Vec<Box<RawValue>>) -> u32 {
    log.extend(more);
    let mut room = LOG_BYTES_MAX;
    let kept = log
        .iter()
        .rev()
        .take_while(|entry| {
            // One byte for the comma after each.
            let fits = entry.get().len().checked_add(1).and_then(|bytes| room.checked_sub(bytes));
            room = fits.unwrap_or(0);
            fits.is_some()
        })
        .count();
    let dropped = log.len() - kept;
    log.drain(..dropped);
    u32::try_from(dropped).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
