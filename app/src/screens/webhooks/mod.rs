//! The webhooks of a project: one row says everything.
//!
//! Search and filters stand in the address and are the server's work: the page does not hold all webhooks.
//! Two things change the list. A change of a webhook has it loaded anew, because it may have another name,
//! and so another place. A delivery only changes how its webhook does: rows are written where they are, and
//! not too often.

mod codes;
mod filters;
mod list;
pub(crate) mod model;
mod screen;

pub(crate) use self::codes::event_codes;
pub(crate) use self::screen::Webhooks;
