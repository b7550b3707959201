//! The API reference: every operation of `/openapi.json`, to read and to try with the token of the page.
//!
//! What the document says is shown as text, like everything from outside. An operation is made when it is
//! opened: sixty of them at once would be slow.

mod model;
mod operation;
mod screen;
mod try_it;

pub(crate) use self::screen::Reference;
