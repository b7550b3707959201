//! Rows: the types, readers and writers of the tables, one file a table.
//!
//! Each function runs one statement, or the few that keep a row whole, and is called inside its caller's
//! transaction where it writes. Which rows are written when is for the operations to say. Nothing here knows
//! a [`crate::Ledger`], what is kept in memory, or the time: keys and times are arguments. Lists and joins
//! for people are the operations' own.

pub(crate) mod attempts;
pub(crate) mod audit;
pub(crate) mod delivery;
pub(crate) mod event;
pub(crate) mod event_type;
pub(crate) mod health;
pub(crate) mod idempotency;
pub(crate) mod inbox;
pub(crate) mod keys;
pub(crate) mod leftover;
pub(crate) mod live_ticket;
pub(crate) mod meta;
pub(crate) mod metric;
pub(crate) mod outbox;
pub(crate) mod rate_window;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod stat;
pub(crate) mod text;
pub(crate) mod token;
pub(crate) mod trial;
pub(crate) mod webhook;
