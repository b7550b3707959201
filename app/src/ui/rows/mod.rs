//! Lists that change while they are looked at: a signal for each row, only the rows near what is visible in
//! the document, and new rows that come too fast to be read behind a bar.
//!
//! [`List`] joins a list of the API with the live feed: pages come from a [`Fetched`], changes through
//! [`List::offer`]. What depends on the type of its rows is thin; the work is done by [`intake`] and
//! [`view`], which exist once.

mod core;
pub(crate) mod gate;
pub(crate) mod intake;
mod list;
pub(crate) mod news;
mod one_by_one;
mod owners;
pub(crate) mod store;
pub(crate) mod view;
pub(crate) mod window;

pub(crate) use self::core::Extent;
pub(crate) use self::list::{List, Reloads, as_many_as};
