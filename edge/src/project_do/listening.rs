//! How somebody asks to listen to the live feed: not a question, because its answer is a WebSocket.

use serde::{Deserialize, Serialize};

/// Who wants to listen.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Listening {
    /// The caller, if it may.
    Listen,
    /// The holder of a ticket; the Worker asks it, because a ticket says who its holder is.
    ListenWithTicket {
        /// SHA-256 of the ticket.
        hash: String,
    },
}
