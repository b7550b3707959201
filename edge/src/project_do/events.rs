//! Questions about events.

use postern_core::api::event::{EventAccepted, EventDecisions, EventView};
use postern_core::api::page::Page;
use postern_core::event::NewEvent;
use postern_core::id::Seq;
use postern_core::operation::Operation;
use postern_core::query::{EventQuery, ExportQuery};
use postern_ledger::{DryRun, ExportFilter, Exported, InlineLimit, WorkSet};
use serde::{Deserialize, Serialize};

use super::erased::questions;
use super::question::{Arms, Need, Question, Reply, replies};
use super::refusal::Refusal;
use super::turn::Turn;

questions!(Ingest, ListEvents, ShowEvent, ExportEvents, DryRunEvent, ListEventDecisions);

replies! {
    EventView => "event",
    Page<EventView> => "events",
    EventDecisions => "event_decisions",
    Exported => "exported",
    DryRun => "dry_run",
}

/// Attempts that one request makes itself after its answer: twice as many as may be open at once
/// (docs/platform.md 2.4), since all their webhooks have answered within a second lately.
const INLINE: InlineLimit = InlineLimit(12);

/// Events were accepted.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Accepted {
    /// One per event.
    pub(crate) items: Vec<EventAccepted>,
    /// Attempts that the Worker makes itself after its answer (the inline lane).
    pub(crate) work: WorkSet,
}

impl Reply for Accepted {
    const NAME: &'static str = "accepted";

    fn without_calls(&self) -> Option<Self> {
        Some(Self { items: self.items.clone(), work: WorkSet::default() })
    }
}

/// Accept events, all or none.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ingest {
    /// As parsed.
    pub(crate) events: Vec<NewEvent>,
}

impl Question for Ingest {
    const NAME: &'static str = "ingest";
    const NEED: Need<Self> = Need::Of(Operation::CreateEvent);
    const ARMS: Arms = Arms::Alarm;
    type Reply = Accepted;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Accepted, Refusal> {
        let ingested = turn.ledger.ingest(self.events, INLINE, turn.now)?;
        turn.changes.deliveries = ingested.changed;
        Ok(Accepted { items: ingested.accepted, work: ingested.works })
    }
}

/// What an event would do; nothing is stored.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DryRunEvent {
    /// As parsed.
    pub(crate) event: NewEvent,
    /// Only to the webhook of this name.
    pub(crate) webhook: Option<String>,
}

impl Question for DryRunEvent {
    const NAME: &'static str = "dry_run";
    const NEED: Need<Self> = Need::Of(Operation::DryRunEvent);
    const ARMS: Arms = Arms::Nothing;
    type Reply = DryRun;

    fn answer(self, turn: &mut Turn<'_>) -> Result<DryRun, Refusal> {
        Ok(turn.ledger.dry_run(self.event, self.webhook.as_deref(), turn.now)?)
    }
}

/// One page of the events.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListEvents {
    /// Which.
    pub(crate) query: EventQuery,
}

impl Question for ListEvents {
    const NAME: &'static str = "list_events";
    const NEED: Need<Self> = Need::Of(Operation::ListEvents);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Page<EventView>;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Page<EventView>, Refusal> {
        let EventQuery { filter, page } = self.query;
        Ok(turn.ledger.list_events(&filter, page.limit, page.cursor.as_deref())?)
    }
}

/// One event with its data.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowEvent {
    /// `evt_…`
    pub(crate) id: String,
}

impl Question for ShowEvent {
    const NAME: &'static str = "show_event";
    const NEED: Need<Self> = Need::Of(Operation::GetEvent);
    const ARMS: Arms = Arms::Nothing;
    type Reply = EventView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<EventView, Refusal> {
        Ok(turn.ledger.event(&self.id)?)
    }
}

/// What webhooks make of one event.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListEventDecisions {
    /// `evt_…`
    pub(crate) event: String,
    /// Only the webhook of this name.
    pub(crate) webhook: Option<String>,
}

impl Question for ListEventDecisions {
    const NAME: &'static str = "list_event_decisions";
    const NEED: Need<Self> = Need::Of(Operation::ListEventDecisions);
    const ARMS: Arms = Arms::Nothing;
    type Reply = EventDecisions;

    fn answer(self, turn: &mut Turn<'_>) -> Result<EventDecisions, Refusal> {
        Ok(turn.ledger.decisions(&self.event, self.webhook.as_deref())?)
    }
}

/// A page of events, oldest first, as text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ExportEvents {
    /// Which.
    pub(crate) query: ExportQuery,
    /// Where the page before ended.
    pub(crate) after: Option<Seq>,
}

impl Question for ExportEvents {
    const NAME: &'static str = "export_events";
    const NEED: Need<Self> = Need::Of(Operation::ExportEvents);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Exported;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Exported, Refusal> {
        Ok(turn.ledger.export_events(&export_filter(self.query), self.after)?)
    }
}

/// Which events or deliveries an export holds.
pub(super) fn export_filter(query: ExportQuery) -> ExportFilter {
    let ExportQuery { since, until, kind, state, webhook, data } = query;
    ExportFilter { since, until, kind, state, webhook, data }
}
