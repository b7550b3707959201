//! Questions about inboxes, and what reaches them.

use postern_core::api::inbox::{Answer, InboxRequestView, InboxView};
use postern_core::api::page::Page;
use postern_core::inbox::AnswerPatch;
use postern_core::operation::Operation;
use postern_core::query::PageQuery;
use postern_ledger::InboxChange;
use serde::{Deserialize, Serialize};

use super::erased::questions;
use super::inbox_request;
use super::question::{Arms, Done, Need, Question, replies};
use super::refusal::Refusal;
use super::turn::Turn;

questions!(
    Receive,
    CreateInbox,
    ListInboxes,
    ShowInbox,
    UpdateInbox,
    DeleteInbox,
    ListRequests,
    ClearRequests
);

replies! {
    InboxView => "inbox",
    Page<InboxView> => "inboxes",
    Page<InboxRequestView> => "requests",
    Option<Received> => "received",
}

/// Add an inbox.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CreateInbox {
    /// Its name.
    pub(crate) name: String,
    /// The secret part of its address.
    pub(crate) key: String,
}

impl Question for CreateInbox {
    const NAME: &'static str = "create_inbox";
    const NEED: Need<Self> = Need::Of(Operation::CreateInbox);
    const ARMS: Arms = Arms::Nothing;
    type Reply = InboxView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<InboxView, Refusal> {
        Ok(turn.ledger.create_inbox(&self.name, &self.key, turn.origin, turn.now)?)
    }
}

/// One page of the inboxes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListInboxes {
    /// Which.
    pub(crate) page: PageQuery,
}

impl Question for ListInboxes {
    const NAME: &'static str = "list_inboxes";
    const NEED: Need<Self> = Need::Of(Operation::ListInboxes);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Page<InboxView>;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Page<InboxView>, Refusal> {
        Ok(turn.ledger.list_inboxes(self.page.limit, self.page.cursor.as_deref(), turn.origin)?)
    }
}

/// One inbox.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowInbox {
    /// `ibx_…`
    pub(crate) id: String,
}

impl Question for ShowInbox {
    const NAME: &'static str = "show_inbox";
    const NEED: Need<Self> = Need::Of(Operation::GetInbox);
    const ARMS: Arms = Arms::Nothing;
    type Reply = InboxView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<InboxView, Refusal> {
        Ok(turn.ledger.inbox(&self.id, turn.origin)?)
    }
}

/// Change an inbox; what is `None` stays.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UpdateInbox {
    /// `ibx_…`
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: Option<String>,
    /// The status it answers.
    pub(crate) status: Option<u16>,
    /// Milliseconds before the answer.
    pub(crate) delay_ms: Option<u32>,
    /// The answer's body.
    pub(crate) body: Option<String>,
}

impl Question for UpdateInbox {
    const NAME: &'static str = "update_inbox";
    const NEED: Need<Self> = Need::Of(Operation::UpdateInbox);
    const ARMS: Arms = Arms::Nothing;
    type Reply = InboxView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<InboxView, Refusal> {
        let Self { id, name, status, delay_ms, body } = self;
        let current = turn.ledger.inbox(&id, turn.origin)?.answer;
        let answer = AnswerPatch { status, delay_ms, body }.apply(current);
        let change = InboxChange { name, answer: Some(answer) };
        Ok(turn.ledger.update_inbox(&id, change, turn.origin, turn.now)?)
    }
}

/// Remove an inbox.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeleteInbox {
    /// `ibx_…`
    pub(crate) id: String,
}

impl Question for DeleteInbox {
    const NAME: &'static str = "delete_inbox";
    const NEED: Need<Self> = Need::Of(Operation::DeleteInbox);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Done;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Done, Refusal> {
        turn.ledger.delete_inbox(&self.id, turn.now)?;
        Ok(Done)
    }
}

/// One page of what an inbox recorded.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListRequests {
    /// `ibx_…`
    pub(crate) id: String,
    /// Which.
    pub(crate) page: PageQuery,
}

impl Question for ListRequests {
    const NAME: &'static str = "list_requests";
    const NEED: Need<Self> = Need::Of(Operation::ListInboxRequests);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Page<InboxRequestView>;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Page<InboxRequestView>, Refusal> {
        Ok(turn.ledger.list_requests(&self.id, self.page.limit, self.page.cursor.as_deref())?)
    }
}

/// Forget what an inbox recorded.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ClearRequests {
    /// `ibx_…`
    pub(crate) id: String,
}

impl Question for ClearRequests {
    const NAME: &'static str = "clear_requests";
    const NEED: Need<Self> = Need::Of(Operation::ClearInboxRequests);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Done;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Done, Refusal> {
        turn.ledger.clear_requests(&self.id)?;
        Ok(Done)
    }
}

/// A request was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Received {
    /// What to answer.
    pub(crate) answer: Answer,
}

/// A request reached an inbox; the reply is `None` if there is no such inbox.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Receive {
    /// The secret part of the address.
    pub(crate) key: String,
    /// What arrived; `id`, `received_at`, `signature` and `answered` are filled in by the object.
    pub(crate) request: Box<InboxRequestView>,
}

impl Question for Receive {
    const NAME: &'static str = "receive";
    const NEED: Need<Self> = Need::Postern(Option::default);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Option<Received>;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Option<Received>, Refusal> {
        let Self { key, mut request } = self;
        let Some(inbox) = turn.ledger.inbox_at(&key)? else { return Ok(None) };
        turn.ledger.admit_request(inbox.seq, request.body.len(), turn.now)?;
        let path = inbox_request::path(turn.project, &key);
        let callers = turn.ledger.webhooks_calling(&path, inbox_request::WEBHOOKS_MAX)?;
        request.signature =
            inbox_request::verdict(&turn.settings.keyring, turn.project, &callers, &request, turn.now);
        inbox_request::hide_credentials(|name| turn.ledger.callers_protect(&path, name), &mut request);
        request.answered = inbox.answer.status;
        let recorded = turn.ledger.record_request(inbox.seq, *request, turn.now)?;
        turn.changes.recorded = Some(inbox_request::live_event(&inbox.id, &recorded));
        Ok(Some(Received { answer: inbox.answer }))
    }
}
