//! Works in, reports out: what all lanes share (inline after a 202, both queues, tests, runs).
//!
//! What an invocation does next is decided by [`Desk`], what becomes of its reports by [`Mailbox`]; here
//! both are driven: each thing to be done becomes a future, and its end is told to the machine. What fails
//! here fails towards the ledger: a lease that ends without a report makes the attempt due again.

mod attempt;
mod dispatcher;
mod project;
mod run_callback;

pub(crate) use self::dispatcher::Dispatcher;
