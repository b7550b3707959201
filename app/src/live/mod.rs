//! The live feed of the project that is shown: one WebSocket, opened again whenever it is lost. A browser can
//! set no header on a WebSocket, so each is opened with a ticket that the token was shown for
//! (`postern_core::live_ticket`).
//!
//! Screens say what they do with a change ([`Live::on_change`]) and show how the feed stands
//! ([`Live::status`]). After a gap they are told that many changed, because nobody knows what was missed.
//!
//! A message costs a push: what came is told together, the last state of a thing only ([`batch`]), within the
//! next frame or, while more and more comes, five times a second. So the page works and paints so often,
//! however many messages come.

mod batch;
mod calm;
mod feed;

pub(crate) use self::calm::{at_most_every, calmly};
pub(crate) use self::feed::{Live, Status, use_live};
