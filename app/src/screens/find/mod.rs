//! Finding deliveries and events: the query bar above their lists.
//!
//! What is asked stands in the address, by the API's own names (`since`, `status`, `label`, …), so that
//! links, a reload and Back show the same list. A length of time (`since=1h`) stays one there, and is counted
//! from the moment in which the list is asked for. `token` names what can be asked, `model` reads what is
//! typed, `complete` offers what may be meant, `moment` knows times; what may be asked, `core`'s parsers say.
//! Searches that are saved under a name (`saved`, `views`) stay in the browser.

mod bar;
mod complete;
mod model;
mod moment;
mod saved;
mod token;
mod views;

pub(crate) use self::bar::QueryBar;
pub(crate) use self::model::{asked, chips, is_filtered, needs_the_event, own_query, unfiltered};
pub(crate) use self::token::{Subject, Token, UNDER_WAY};
