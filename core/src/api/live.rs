//! The live feed: what the project tells open pages over its WebSocket, as JSON text frames.

use serde::{Deserialize, Serialize};

use super::delivery::DeliveryView;
use super::inbox::InboxRequestView;
use super::replay::ReplayView;
use super::run::RunView;
use super::test::TestView;
use crate::time::Timestamp;

/// The WebSocket subprotocol that the server answers with. A browser also offers a ticket ([`crate::live_ticket`]).
pub const SUBPROTOCOL: &str = "postern.v1";

/// What opens the live feed once in the place of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LiveTicket {
    /// The ticket; shown only now.
    pub ticket: String,
    /// From then on it opens nothing.
    pub expires_at: Timestamp,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum LiveEvent {
    /// A delivery is new or changed.
    Delivery {
        /// As it is now.
        delivery: DeliveryView,
    },
    /// A test changed.
    Test {
        /// As it is now.
        test: Box<TestView>,
    },
    /// An inbox recorded a request.
    InboxRequest {
        /// `ibx_…`
        inbox_id: String,
        /// The request; its body is cut at 4 KiB here, the list has it in full.
        request: Box<InboxRequestView>,
    },
    /// A replay began, went on or ended.
    Replay {
        /// As it is now.
        replay: Box<ReplayView>,
    },
    /// A run is new or changed.
    Run {
        /// As it is now.
        run: Box<RunView>,
    },
    /// Webhooks were created, changed or deleted: fetch the list again.
    Webhooks,
    /// More changed than is worth telling one by one: fetch again what is shown.
    Many,
}
