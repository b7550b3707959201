//! UP42's API (docs/wire.md B.3): its bodies in, its objects out, both in their envelope `{"data": …,
//! "error": null}`.
//!
//! Definitions are the same as everywhere; this module only knows UP42's names for their fields. The edge
//! adds routes, tokens and status codes.

mod answer;
mod body;
mod catalogue;
pub mod login;
mod test;
mod webhook;

pub use self::answer::{TestsRun, answer, error};
pub use self::body::{create, update};
pub use self::catalogue::{EventEntry, event_entries};
pub use self::test::test_events;
pub use self::webhook::{Secrecy, Webhook, webhook_id, workspace_id};

#[cfg(test)]
mod tests;
