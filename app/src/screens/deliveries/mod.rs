//! Everything that was sent, is waiting, or was given up; and, in a drawer, why.
//!
//! The address holds the filters (see `find`), which delivery the drawer shows (`open`) and whether the form
//! of a replay is open (`replay`): so other screens lead here with any of them, and Back closes what was
//! opened.
//!
//! The feed tells of each delivery that changed. One that is shown changes where it stands, also if it does
//! not fit the filters any more, because nothing vanishes under somebody's eyes; a new one is inserted if it
//! fits, and only counted where the feed does not tell enough to say so (`unjudged`). After a gap in the feed
//! the newest part of the list is loaded again, in place. A list that is paused does none of this: it counts
//! what it misses, and is brought up to date when it is resumed.

mod count;
mod drawer;
mod filters;
mod fit;
mod histogram;
mod list;
pub(crate) mod model;
mod pause;
mod screen;
mod unjudged;

pub(crate) use self::list::{list_of, rows, take_in};
pub(crate) use self::screen::Deliveries;
