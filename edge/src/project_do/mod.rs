//! The project object: the only writer of one project, its clock, and the source of its live feed.
//!
//! It connects; rules are the ledger's. [`question`] says what a question is, and the files that are named
//! for a resource hold the questions about it, each beside its answer; [`table`] lists them all. [`wire`] is
//! how they travel,
//! [`call`] the Worker's side of that, [`answer`] the object's. [`sql`] is its database, [`alarm`] its clock,
//! [`live`] its sockets, [`inbox_request`] what inboxes record.
//!
//! What is atomic, and why: a question is answered without an `.await` from its first read to its last write,
//! so no other event of the object comes between (one thread, and no gate opens without an await). Several
//! rows are written in one `transactionSync`. The alarm is set in the same turn as the write that needs it,
//! so both are durable together; and the platform holds a reply back until that is so (output gate).
//! Therefore a 202 means: stored, and going to be tried.
//!
//! The ledger is in a `RefCell` that is never borrowed across an `.await` (docs/platform.md 1.3).

mod access;
mod alarm;
mod answer;
mod armed;
pub(crate) mod attempts;
pub(crate) mod audit;
pub(crate) mod call;
mod changes;
pub(crate) mod config;
pub(crate) mod deliveries;
mod ending;
mod erased;
pub(crate) mod event_types;
pub(crate) mod events;
pub(crate) mod inbox_request;
pub(crate) mod inboxes;
pub(crate) mod listening;
mod live;
pub(crate) mod live_tickets;
mod object;
pub(crate) mod projects;
pub(crate) mod question;
mod refusal;
pub(crate) mod replays;
pub(crate) mod runs;
mod socket;
mod sql;
pub(crate) mod stats;
mod table;
pub(crate) mod together;
pub(crate) mod tokens;
pub(crate) mod trials;
mod turn;
pub(crate) mod up42;
pub(crate) mod watchdog;
pub(crate) mod webhooks;
pub(crate) mod wire;

pub use object::Project;
