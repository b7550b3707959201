//! The tokens of a project: who may do what. A secret is shown once, when it is made.
//!
//! A token can't be changed, only revoked, and that holds at once, also for connections that were opened with
//! it. So there is a question before it, where other deletions can be taken back.

mod model;
mod new;
mod revocation;
mod screen;

pub(crate) use self::screen::Tokens;
