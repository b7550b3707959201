//! A project's configuration as one JSON document, for people who keep it in git: settings, event types and
//! webhooks.
//!
//! [`document()`] writes it, [`Request::parse`] reads a call that brings one, [`plan`] says what applying it
//! would change. A document says what shall be: a field that it leaves out has its default. A section that it
//! leaves out is not touched, and a thing that it does not name is only deleted where the call says `prune`.
//!
//! No secret stands in a document that Postern writes: a webhook's `secret` is `{"keep": true}`, a protected
//! header has no value, and both keep what is stored where the document is applied. Where there is no secret
//! to keep one is made, and the plan says so; a protected header without a value can't be made, and is a
//! fault.

mod declare;
mod document;
mod plan;
mod request;
mod state;
mod view;

pub use self::document::document;
pub use self::plan::Plan;
pub use self::plan::Step;
pub use self::plan::plan;
pub use self::request::{CONFIG_BYTES_MAX, PROJECT_VALUES_MAX, Request, values_of};
pub use self::state::{PROJECT_BYTES_MAX, State};
pub use self::view::{Action, Kind, PlanView, PlannedChange};

#[cfg(test)]
mod tests;
