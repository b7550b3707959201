//! Runs: long jobs that somebody outside of Postern does, and the callbacks that tell of them.
//!
//! Who wants work done creates a run with a *chain* (any JSON object: what to do is the executor's to know). An executor
//! claims the run, which gives it a lease; it posts updates, which renew the lease, and the end. A run may carry callbacks
//! of its own ([`Webhooks`]): both addresses are probed before the run is offered to anybody, `update` hears of updates,
//! `finished` of the end.
//!
//! The decisions are here as pure functions, so that the ledger only writes what they say. In scope: states, progress, log,
//! what follows a call. Out of scope: storage (`ledger::runs`), the bytes of a callback (`contract::actinia`).

pub mod parse;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::delivery::{Outcome, ReceivedResponse};
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
/// Seconds that one call of a run's callback may take (WIRE C.5).
pub const CALL_TIMEOUT_S: u32 = 10;
/// Calls of a `finished` callback at most (actinia's `WEBHOOK_RETRIES`, WIRE C.5).
pub const FINISHED_CALLS_MAX: u32 = 6;
/// Calls of a probe whose answer was lost on our side: the receiver is not to blame for that.
const PROBE_CALLS_MAX: u32 = 3;
/// Milliseconds between two calls after one that did not come through (actinia's `WEBHOOK_SLEEP`, WIRE C.5).
pub const CALL_PAUSE_MS: i64 = 10_000;
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
}

/// What stands where a password was (actinia's spelling, WIRE C.3).
pub const MASKED_PASSWORD: &str = "XXX";

impl Webhooks {
    /// `auth` as it may be shown: `user:XXX`.
    #[must_use]
    pub fn shown_auth(&self) -> Option<String> {
        self.user.as_ref().map(|user| format!("{user}:{MASKED_PASSWORD}"))
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
            Self::NotClaimed => "nobody holds this run: claim it first (a claim whose lease has ended is lost)",
            Self::OtherClaim => "the run was given to another executor after this claim's lease had ended: stop working on it",
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

/// What a run says one of whose addresses did not answer its probe with 200 (WIRE C.4).
#[must_use]
pub fn not_accessible(field: &str, url: &str) -> String {
    format!("The {field} webhook URL {url} can not be accessed.")
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
    /// The invocation that made it, for the logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
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

/// Decides what follows call `number` (from 1) of a callback (WIRE C.4, C.5).
///
/// A probe passes with 200 and nothing else, and is repeated only where its call was lost on our side. An update is called
/// once. `finished` counts as delivered with 200 and 204; a 5xx is repeated at once, what did not come through after ten
/// seconds, everything else ends the calls.
#[must_use]
pub const fn decide(kind: CallbackKind, number: u32, outcome: &Outcome) -> Next {
    let (is_taken, calls_max) = match (kind, outcome) {
        (CallbackKind::ProbeFinished | CallbackKind::ProbeUpdate, Outcome::Answered { status }) => (*status == 200, 1),
        (CallbackKind::ProbeFinished | CallbackKind::ProbeUpdate, Outcome::Lost | Outcome::PlatformFailed { .. }) => {
            (false, PROBE_CALLS_MAX)
        }
        (CallbackKind::Update, Outcome::Answered { status }) => (matches!(*status, 200 | 204), 1),
        (CallbackKind::ProbeFinished | CallbackKind::ProbeUpdate | CallbackKind::Update, _) => (false, 1),
        (CallbackKind::Finished, Outcome::Answered { status }) => (matches!(*status, 200 | 204), FINISHED_CALLS_MAX),
        (CallbackKind::Finished, _) => (false, FINISHED_CALLS_MAX),
    };
    if is_taken {
        return Next::Delivered;
    }
    if number >= calls_max {
        return Next::Failed;
    }
    match outcome {
        Outcome::Answered { status: 500..=599 } => Next::Again { after_ms: 0 },
        Outcome::Answered { .. } | Outcome::Blocked { .. } => Next::Failed,
        Outcome::Lost | Outcome::PlatformFailed { .. } if kind.is_probe() => Next::Again { after_ms: 0 },
        Outcome::TimedOut
        | Outcome::ConnectionFailed { .. }
        | Outcome::NameNotResolved
        | Outcome::PlatformFailed { .. }
        | Outcome::Lost => Next::Again { after_ms: CALL_PAUSE_MS },
    }
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
