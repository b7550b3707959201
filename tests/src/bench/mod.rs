//! The benchmark: how fast events are accepted and callbacks arrive, at which rate that holds, what becomes
//! of it when receivers hang or are away, what it costs, and what the dashboard takes of a browser
//! ([`page`]).
//!
//! Open loop: the schedule does not wait for answers, and every latency counts from the *scheduled* time, so
//! a system that stalls pays for each event it held up. Every event and every expected callback has its slot
//! in the [`account`]; if the account does not add up the run proves nothing and is void.
//!
//! [`parts`] says what is measured, [`run`] measures, [`report`] shows. Figures depend on the machine and on
//! what else it does: nothing here is asserted by a test.

pub mod account;
pub mod cost;
pub mod floor;
pub mod options;
pub mod page;
pub mod parts;
pub mod report;
pub mod run;
pub mod yardstick;
