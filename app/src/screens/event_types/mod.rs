//! The catalogue of event types: what producers may post, with examples that tests and previews use.
//!
//! It is there for people: events of a type that is not in it are accepted too. Only a schema makes a
//! difference to a producer, because data that does not fit it is refused.

mod card;
mod model;
mod new;
mod screen;

pub(crate) use self::screen::EventTypes;
