//! One inbox: what arrives, live, with the signature checked; and how it answers, so that failure can be
//! rehearsed.
//!
//! The feed carries each request whole but for a long body, so nothing is loaded for it. The server keeps
//! only the newest requests of an inbox, and the list is as long.

mod answer;
mod deletion;
mod model;
mod requests;
mod screen;
mod trial;

pub(crate) use self::screen::Inbox;
