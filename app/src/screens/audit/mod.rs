//! The audit log: who did what to which thing, when, from where, with the difference field by field.
//!
//! The filter stands in the address, so that other screens can lead here with one thing's history. Secrets
//! are in no entry: a difference says only that one was set or changed.

mod entry;
mod model;
mod screen;

pub(crate) use self::screen::Audit;
