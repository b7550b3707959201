//! One attempt in full: request, response, the difference to the one before, and the event. Deliveries and
//! tests show it.
//!
//! Everything here came from outside, and is shown as text. Tabs are made when they are opened.

mod event;
pub(crate) mod model;
mod tabs;

pub(crate) use self::event::event_facts;
pub(crate) use self::tabs::attempt_tabs;
