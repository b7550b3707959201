//! Memory: what is kept of the database so that the hot path costs no query.
//!
//! Nothing here is a second truth: all of it is read again after a start, or may be forgotten. Each file is
//! one thing that is remembered, with what can be told from it. Nothing here runs a statement, reads a clock
//! or knows a [`crate::Ledger`]; the operations change it after their commit.

pub(crate) mod acting;
pub(crate) mod ageing;
pub(crate) mod clock;
pub(crate) mod gate;
pub(crate) mod meters;
pub(crate) mod roster;
pub(crate) mod schemas;
pub(crate) mod tokens;
pub(crate) mod window;
