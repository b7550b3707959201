//! Events: what was accepted, and a form that posts one.
//!
//! The feed has no message for an event, only for its deliveries: they tell that there is something new, and
//! the newest part of the list is loaded again, not too often. An event that nobody wants has no delivery and
//! so no message; it is seen with the next one, or after a reload.

mod attempts;
mod drawer;
mod fates;
mod list;
pub(crate) mod model;
mod post;
mod screen;
mod story;
mod timeline;

pub(crate) use self::screen::Events;
