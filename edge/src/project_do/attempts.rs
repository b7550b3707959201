//! What the dispatcher asks: which attempts it may make, and what came of them.

use postern_core::id::Seq;
use postern_ledger::{GivenBack, LeaseTicket, Report, StoredWebhook, WorkSet};
use serde::{Deserialize, Serialize};

use super::erased::questions;
use super::question::{Arms, Done, Need, Question, replies};
use super::refusal::Refusal;
use super::turn::Turn;

questions!(ClaimAttempts, UnclaimAttempts, ReportAttempts, ShowDefinition);

replies! {
    WorkSet => "work",
    Option<StoredWebhook> => "definition",
}

/// The dispatcher takes attempts; it reports finished ones in the same call.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ClaimAttempts {
    /// What was done since the last claim.
    pub(crate) reports: Vec<Report>,
    /// What to take.
    pub(crate) tickets: Vec<LeaseTicket>,
}

impl Question for ClaimAttempts {
    const NAME: &'static str = "claim";
    const NEED: Need<Self> = Need::Postern(WorkSet::default);
    const ARMS: Arms = Arms::Alarm;
    type Reply = WorkSet;

    fn answer(self, turn: &mut Turn<'_>) -> Result<WorkSet, Refusal> {
        turn.alarm.claimed(&self.tickets, turn.now);
        report(turn, self.reports)?;
        Ok(turn.ledger.claim(&self.tickets, turn.now)?)
    }
}

/// The dispatcher gives back attempts that it has claimed and not started: their numbers are not used up.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UnclaimAttempts {
    /// Which.
    pub(crate) claims: Vec<GivenBack>,
}

impl Question for UnclaimAttempts {
    const NAME: &'static str = "unclaim";
    const NEED: Need<Self> = Need::Postern(Done::default);
    const ARMS: Arms = Arms::Alarm;
    type Reply = Done;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Done, Refusal> {
        turn.changes.deliveries.extend(turn.ledger.unclaim(&self.claims, turn.now)?);
        Ok(Done)
    }
}

/// The dispatcher is done with attempts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReportAttempts {
    /// What came of them.
    pub(crate) reports: Vec<Report>,
}

impl Question for ReportAttempts {
    const NAME: &'static str = "report";
    const NEED: Need<Self> = Need::Postern(Done::default);
    const ARMS: Arms = Arms::Alarm;
    type Reply = Done;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Done, Refusal> {
        report(turn, self.reports)?;
        Ok(Done)
    }
}

fn report(turn: &mut Turn<'_>, reports: Vec<Report>) -> Result<(), Refusal> {
    if reports.is_empty() {
        return Ok(());
    }
    let reported = turn.ledger.report(reports, turn.now)?;
    turn.changes.deliveries.extend(reported.changed);
    turn.changes.webhooks |= reported.webhooks_changed;
    Ok(())
}

/// The dispatcher's copy of a definition is missing or too old. The reply is sealed, and `None` if the
/// webhook is gone.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowDefinition {
    /// Which webhook.
    pub(crate) webhook: Seq,
    /// The version the delivery needs.
    pub(crate) at_least_version: u32,
}

impl Question for ShowDefinition {
    const NAME: &'static str = "show_definition";
    const NEED: Need<Self> = Need::Postern(Option::default);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Option<StoredWebhook>;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Option<StoredWebhook>, Refusal> {
        Ok(turn.ledger.definition(self.webhook, self.at_least_version)?)
    }
}
