//! Questions about the catalogue of event types.

use postern_core::api::event::EventTypeView;
use postern_core::api::page::Page;
use postern_core::event::{self, EventTypeDraft};
use postern_core::fault;
use postern_core::operation::Operation;
use postern_core::query::PageQuery;
use serde::{Deserialize, Serialize};

use super::erased::questions;
use super::question::{Arms, Done, Need, Question, replies};
use super::refusal::Refusal;
use super::turn::Turn;

questions!(CreateEventType, ListEventTypes, ShowEventType, UpdateEventType, DeleteEventType);

replies! {
    EventTypeView => "event_type",
    Page<EventTypeView> => "event_types",
}

/// Add to the catalogue.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CreateEventType {
    /// As parsed.
    pub(crate) draft: EventTypeDraft,
}

impl Question for CreateEventType {
    const NAME: &'static str = "create_event_type";
    const NEED: Need<Self> = Need::Of(Operation::CreateEventType);
    const ARMS: Arms = Arms::Nothing;
    type Reply = EventTypeView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<EventTypeView, Refusal> {
        Ok(turn.ledger.create_event_type(self.draft, turn.now)?)
    }
}

/// The catalogue.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListEventTypes {
    /// Which.
    pub(crate) page: PageQuery,
}

impl Question for ListEventTypes {
    const NAME: &'static str = "list_event_types";
    const NEED: Need<Self> = Need::Of(Operation::ListEventTypes);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Page<EventTypeView>;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Page<EventTypeView>, Refusal> {
        Ok(turn.ledger.list_event_types(self.page.limit, self.page.cursor.as_deref())?)
    }
}

/// One entry of the catalogue.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowEventType {
    /// The event type.
    pub(crate) name: String,
}

impl Question for ShowEventType {
    const NAME: &'static str = "show_event_type";
    const NEED: Need<Self> = Need::Of(Operation::GetEventType);
    const ARMS: Arms = Arms::Nothing;
    type Reply = EventTypeView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<EventTypeView, Refusal> {
        Ok(turn.ledger.event_type(&self.name)?)
    }
}

/// Change an entry of the catalogue. The patch is applied in the object, to the entry as it is then.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UpdateEventType {
    /// The event type.
    pub(crate) name: String,
    /// The request's body.
    pub(crate) patch: String,
    /// Refuse if the version is another.
    pub(crate) if_version: Option<u32>,
}

impl Question for UpdateEventType {
    const NAME: &'static str = "update_event_type";
    const NEED: Need<Self> = Need::Of(Operation::UpdateEventType);
    const ARMS: Arms = Arms::Nothing;
    type Reply = EventTypeView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<EventTypeView, Refusal> {
        let Self { name, patch, if_version } = self;
        // An edit of what was changed meanwhile is told first: its faults may come from that change.
        let current = turn.ledger.expect_type(&name, if_version)?;
        let EventTypeView { name: own, description, example, schema, archived, .. } = current;
        let current = EventTypeDraft { name: own, description, example, schema, archived };
        let updated = event::update_event_type(current, &fault::parse_json(&patch)?)?;
        Ok(turn.ledger.update_event_type(&name, updated, if_version, turn.now)?)
    }
}

/// Remove from the catalogue.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeleteEventType {
    /// The event type.
    pub(crate) name: String,
    /// Refuse if the version is another.
    #[serde(default)]
    pub(crate) if_version: Option<u32>,
}

impl Question for DeleteEventType {
    const NAME: &'static str = "delete_event_type";
    const NEED: Need<Self> = Need::Of(Operation::DeleteEventType);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Done;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Done, Refusal> {
        turn.ledger.delete_event_type(&self.name, self.if_version, turn.now)?;
        Ok(Done)
    }
}
