//! One webhook: its facts, a test that is watched live, and its latest deliveries.
//!
//! It is loaded again whenever a webhook of the project changes and, not too often, when one of its
//! deliveries does: they decide how it does. What is typed in the test panel stays meanwhile.

mod actions;
mod examination;
mod facts;
mod latest;
mod missed;
pub(crate) mod model;
mod receiver;
mod screen;
mod secret;
mod test_panel;

pub(crate) use self::screen::Webhook;
pub(crate) use self::test_panel::watch;
