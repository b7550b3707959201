//! Runs: long jobs that somebody outside of Postern does, and the callbacks that tell of them.
//!
//! A client creates a run with a *chain* (any JSON object: what to do is the executor's to know).
//! An executor claims the run, which gives it a lease; it posts updates, which renew the lease, and the end.
//! A run may carry callbacks of its own ([`Webhooks`]): both addresses are probed before the run is offered
//! to anybody, `update` hears of updates, `finished` of the end.
//!
//! The decisions are here as pure functions, so that the ledger only writes what they say. In scope: states,
//! progress, log, what follows a call, why a callback stands where it stands. Out of scope: storage
//! (`ledger::runs`), the bytes of a callback (`facade::actinia`).

mod call;
mod callback;
mod draft;
mod log;
pub mod parse;
mod standing;
mod state;
mod target;

pub use self::call::{CALL_TIMEOUT_S, CallRecord, CallTerms, CallbackAttempt, Next, PROBE_PAUSES_MS, decide};
pub use self::callback::{CallbackKind, CallbackState, not_accessible};
pub use self::draft::{Entry, MESSAGE_CHARS_MAX, RunDraft, RunEnd, RunMode, RunUpdate};
pub use self::log::{LOG_BYTES_MAX, append_log};
pub use self::standing::{may_resend, reason};
pub use self::state::{
    CLAIMS_LOST_MAX, EXECUTOR_LOST, LEASE_S_DEFAULT, LEASE_S_MAX, LEASE_S_MIN, NotHeard, Progress, RunState,
    STEPS_MAX, check_claim, is_offered_again,
};
pub use self::target::{MASKED_PASSWORD, Target, Webhooks};

#[cfg(test)]
mod tests;
