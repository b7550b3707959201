//! What breaks in the real world, while events are accepted: the power of the machine that runs Postern
//! ([`crash`]), and the receiver ([`outage`]). Nothing accepted is lost, and whatever is sent again has the
//! same `webhook-id`.
//!
//! Both run at the same time, each with a stack of its own: they take minutes, most of which are waits.

mod account;
mod crash;
mod outage;
