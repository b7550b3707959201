//! Wire types of the native API: what the edge writes and the page reads. One file per resource.
//!
//! Requests are not here: they are parsed field by field (`webhook::parse`, `event`), so that every fault is
//! named.

pub mod audit;
pub mod delivery;
pub mod dry_run;
pub mod event;
pub mod inbox;
pub mod live;
pub mod operational;
pub mod page;
pub mod project;
pub mod replay;
pub mod run;
pub mod stats;
pub mod test;
pub mod token;
pub mod totals;
pub mod webhook;
