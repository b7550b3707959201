//! The benchmark: how fast events are accepted and callbacks arrive, and at which rate that holds.
//!
//! Open loop: the schedule does not wait for answers, and every latency counts from the *scheduled* time, so a system
//! that stalls pays for each event it held up. Every event and every expected callback has its slot in the [`account`];
//! if the account does not add up the run proves nothing and is void.

pub mod account;
pub mod options;
pub mod report;
pub mod run;
