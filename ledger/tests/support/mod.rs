//! What unit tests and the simulation share: a native back end that is as strict as a Durable Object, and
//! builders.
//!
//! Compiled into both (the unit tests include it by path), so that `ledger` needs no feature for its own
//! tests.

pub(crate) mod build;
#[cfg(test)]
pub(crate) mod history;
pub(crate) mod native;
