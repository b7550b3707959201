//! Runs: long jobs that executors do, with a bar that moves while they work. The list, and one run in full.
//!
//! The filter by state stands in the address. A run that changes its state leaves the list of the one before:
//! such a list is read as "what is running now", unlike a list of deliveries, which is read as a record.

mod list;
mod model;
mod parts;
mod run;

pub(crate) use self::list::Runs;
pub(crate) use self::run::Run;
