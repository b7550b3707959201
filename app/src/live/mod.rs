//! The live feed of the project that is shown: one WebSocket, opened again whenever it is lost. A browser can
//! set no header on a WebSocket, so each is opened with a ticket that the token was shown for
//! (`postern_core::live_ticket`).
//!
//! Screens say what they do with a change ([`Live::on_change`]) and show how the feed stands
//! ([`Live::status`]). After a gap they are told that many changed, because nobody knows what was missed.
//!
//! A message costs a push: what came since the last frame is told within the next one, the last state of a
//! thing only ([`batch`]). So the page works once a frame, however many messages come, and paints what it
//! did.

mod batch;
mod calm;
mod feed;

pub(crate) use self::calm::{at_most_every, calmly};
pub(crate) use self::feed::{Live, Status, use_live};
