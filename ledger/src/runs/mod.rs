//! Runs: long jobs that executors claim, and the callbacks that runs carry.
//!
//! A run goes through three phases: its addresses are probed, it waits for a claim, it was claimed. A claim
//! has a lease; where it ends without a word of the executor the run is offered again, and after five of them
//! the run has failed. What may be said in which state, and what follows a call, `core::run` decides.
//!
//! Callbacks are rows of their own, one a run and kind, with leases as tests have them: what makes one due
//! leases it to its caller, which makes the call and reports it; what is left (a pause before the next call,
//! a call whose report never came) is the alarm's ([`Ledger::due_runs`]). A report counts only for the call
//! that is leased.
//!
//! A newer update replaces one that the receiver has not taken yet. The end of a run is told after an update
//! that is still under way, so that a receiver never hears "running" last; an update that waits to be
//! repeated gives way to it.
//!
//! The sealed credentials of the addresses stay until the receiver has taken the end, so that it can be told
//! again whenever somebody asks; where the receiver never takes it they go with the run, at the end of the
//! project's retention.

mod calls;
mod credentials;
#[cfg(test)]
mod tests;
mod views;
mod work;

pub use calls::{DueRuns, RunCall, RunTurn};
pub use work::Claimed;
