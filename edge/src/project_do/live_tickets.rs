//! Tickets for the live feed.

use postern_core::operation::Operation;
use postern_core::problem::{Problem, ProblemType};
use postern_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::erased::questions;
use super::question::{Arms, Need, Question, replies};
use super::refusal::Refusal;
use super::turn::Turn;

questions!(CreateLiveTicket);

replies! {
    LiveTicketMade => "live_ticket",
}

/// A ticket for the live feed was made.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LiveTicketMade {
    /// From then on it opens nothing.
    pub(crate) expires_at: Timestamp,
}

/// Make a ticket for the live feed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CreateLiveTicket {
    /// SHA-256 of it.
    pub(crate) hash: String,
}

impl Question for CreateLiveTicket {
    const NAME: &'static str = "create_live_ticket";
    const NEED: Need<Self> = Need::Of(Operation::CreateLiveTicket);
    const ARMS: Arms = Arms::Nothing;
    type Reply = LiveTicketMade;

    fn answer(self, turn: &mut Turn<'_>) -> Result<LiveTicketMade, Refusal> {
        let expires_at = turn.ledger.create_live_ticket(&self.hash, turn.token.as_ref(), turn.now)?;
        let too_many = || {
            Problem::new(
                ProblemType::TooManyRequests,
                "too many tickets wait to be used: each expires after 30 s",
            )
        };
        Ok(LiveTicketMade { expires_at: expires_at.ok_or_else(too_many)? })
    }
}
