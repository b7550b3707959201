//! The orchestration around a ledger as machines without I/O: what a dispatcher, the reports of an isolate,
//! a project's alarm and a queue's consumer do next.
//!
//! Each machine has the same shape: `next(now)` says what to do, `heard(what, now)` tells what came of it.
//! Time and randomness are arguments. `edge` drives the machines on the platform, the simulation
//! (`engine/tests/simulation`) drives the same code in a world that fails.
//!
//! * [`Desk`]: one invocation's claims, calls, reports and what it gives back.
//! * [`Intake`]: the calls of an isolate for one project that travel together.
//! * [`Mailbox`]: the reports of an isolate that travel together, until their project has taken them.
//! * [`Alarm`] and [`Ring`]: the order of what a project's alarm does, and how much it hands to the queues.
//!
//! [`asked`] says which projects the watchdog asks in a minute.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable
    )
)]

mod alarm;
mod backoff;
mod desk;
mod intake;
mod mailbox;
mod message;
mod pace;
mod pressure;
mod size;
mod watch;

pub use alarm::{Alarm, Rest, Ring, Task, Told};
pub use backoff::{Jitter, backoff_ms};
pub use desk::{Bounds, CallId, Desk, Do, Fault, Heard, Parcel, Ready, Shift};
pub use intake::{Intake, Load, Round};
pub use mailbox::{Carried, Carry, Mailbox, Turn};
pub use message::{Message, Queued, TICKETS_MAX, pack, put_back};
pub use pace::{Pace, Paces};
pub use watch::asked;
