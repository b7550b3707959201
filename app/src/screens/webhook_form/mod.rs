//! The form of a webhook, for a new one and for a change. While typing it says what the edge would say: what
//! is wrong with each field, whether the URL may be called, and the exact callback that would go out.
//!
//! What is typed is one value, a [`model::WebhookDraft`] in a store; each control is bound to its field
//! there, so that a letter typed in one redraws nothing else. It is parsed once for each change, and
//! everything that the page says follows from that verdict: faults beside their fields ([`said`]), the
//! preview, and whether the form can be sent.
//!
//! The parts of the form are files of their own, named for what a person reads above them. `model` has the
//! rules, without a page.

mod flow;
mod form;
mod how;
mod model;
mod preview;
mod said;
mod screen;
mod what_and_where;
mod which_events;

pub(crate) use self::screen::{WebhookEdit, WebhookNew};
