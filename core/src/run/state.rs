//! Where a run stands, and which executor it listens to.

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumString, IntoStaticStr, VariantArray};

use crate::variants::spelled;

/// Seconds of a claim's lease: what an executor may ask for.
pub const LEASE_S_MIN: u32 = 10;

/// See [`LEASE_S_MIN`].
pub const LEASE_S_MAX: u32 = 3_600;

/// The lease of a claim that does not ask for one.
pub const LEASE_S_DEFAULT: u32 = 60;

/// Claims that may be lost before the run is no longer offered.
pub const CLAIMS_LOST_MAX: u32 = 5;

/// Steps of a run at most.
pub const STEPS_MAX: u32 = 1_000_000;

/// Where a run stands: accepted → running → finished, error or terminated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[derive(EnumCount, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum RunState {
    /// Its callbacks are being probed, or it waits for a claim.
    Accepted,
    /// An executor has claimed it.
    Running,
    /// Done.
    Finished,
    /// It failed, or no executor could do it.
    Error,
    /// Somebody stopped it.
    Terminated,
}

spelled!(pub RunState, "The wire spelling, which is actinia's, too.");

impl RunState {
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
    /// `step` of `of`; an absent `percent` follows from the two.
    #[must_use]
    pub fn new(step: u32, of: u32, percent: Option<u32>) -> Self {
        let derived = u64::from(step) * 100 / u64::from(of.max(1));
        Self { step, of, percent: percent.unwrap_or_else(|| u32::try_from(derived).unwrap_or(100)).min(100) }
    }
}

/// Why an executor's message is refused (409).
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

/// Whether an executor that works under `sent` (or names no claim) is heard by a run in `state` whose latest
/// claim is `claim`.
///
/// # Errors
/// Why not.
pub const fn check_claim(state: RunState, claim: u32, sent: Option<u32>) -> Result<(), NotHeard> {
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
