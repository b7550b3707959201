//! One invocation of the dispatcher: claims, calls, reports, and what it gives back.
//!
//! An invocation may have six connections open (docs/platform.md 2.4). One stays free for the project
//! objects, queues and KV, so at most five calls run at once. Webhooks that hang must not keep the others
//! waiting. So the webhooks take turns, and where there are several, none gets more than
//! [`Bounds::calls_per_webhook`] connections. Of a webhook no more is claimed than may start; only of one
//! that is known to be quick more is taken. Once half of the connections hang, the tickets that are left go
//! back to their queue, where another invocation takes them, and what is claimed and has not started is
//! unclaimed: the ledger offers it anew under the same number. So is a call whose definition was not found,
//! after a rest.
//!
//! An invocation ends, whatever it is doing ([`Shift`]). So no call starts that could not end and be
//! reported before.
//!
//! A claim that fails may have been made or not. Its reports go another way (`mailbox`), its tickets are
//! claimed again after a wait and then put back; a doubled claim yields nothing. What was claimed by a call
//! that told nobody waits for the end of its lease.

mod invocation;

pub use self::invocation::{Bounds, CallId, Desk, Do, Fault, Heard, Parcel, Ready, Shift};

#[cfg(test)]
mod tests;
