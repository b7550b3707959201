//! What holds for all of a project: the schedule of webhooks without one of their own, how long things are
//! kept, how much there may be; files of everything that is there; and the end of it.
//!
//! Both forms are judged while they are typed, by the parsers of the edge, and sent only if nothing is wrong.

mod export;
mod form;
mod limits;
mod model;
mod removal;
mod screen;

pub(crate) use self::screen::Settings;
