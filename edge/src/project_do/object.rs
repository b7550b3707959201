//! The Durable Object itself: what the platform calls, and the ledger that it holds.

use std::cell::RefCell;
use std::rc::Rc;

use postern_core::api::audit::{Actor, AuditAction};
use postern_core::operation::Operation;
use postern_core::problem::{Problem, ProblemType};
use postern_core::time::Timestamp;
use postern_core::token::{Role, TokenDraft};
use postern_engine::Rest;
use postern_ledger::{Acting, Ledger, LedgerError};
use serde_json::value::RawValue;
use worker::{
    DurableObject, Env, Request, Response, Socket, State, WebSocket, WebSocketIncomingMessage, durable_object,
};

use super::access;
use super::answer::{self, Answered};
use super::armed::Alarm;
use super::call::CALL_HEADER;
use super::changes::Changes;
use super::erased::text_of;
use super::listening::Listening;
use super::projects::Founding;
use super::refusal::Refusal;
use super::socket;
use super::sql::ObjectSql;
use super::together;
use super::wire::{Call, NoReply};
use crate::caller::Caller;
use crate::clock;
use crate::config::Settings;
use crate::log::{self, RequestId};

/// What the token that a new project starts with is called.
const FIRST_TOKEN_NAME: &str = "first";

/// The Durable Object of one project, addressed by the project's name.
#[durable_object]
pub struct Project {
    pub(super) state: State,
    pub(super) env: Env,
    /// Shared with what runs beside the alarm, as the alarm is.
    pub(super) ledger: Rc<RefCell<Option<Ledger<ObjectSql>>>>,
    pub(super) alarm: Rc<Alarm>,
}

impl DurableObject for Project {
    fn new(state: State, env: Env) -> Self {
        socket::answer_pings(&state);
        Self { state, env, ledger: Rc::new(RefCell::new(None)), alarm: Rc::new(Alarm::default()) }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        if let Some(text) = request.headers().get(CALL_HEADER)? {
            return match serde_json::from_str::<Call<Listening>>(&text) {
                Ok(call) => self.listen(&call),
                Err(error) => Response::error(error.to_string(), 500),
            };
        }
        let text = request.text().await?;
        Response::ok(self.replies(&text).await)
    }

    async fn alarm(&self) -> worker::Result<Response> {
        self.ring().await;
        Response::empty()
    }

    /// Nothing is asked over the live feed; pings are answered by the platform.
    async fn websocket_message(
        &self,
        _socket: WebSocket,
        _message: WebSocketIncomingMessage,
    ) -> worker::Result<()> {
        Ok(())
    }

    /// Answers the close, which ends the handshake (docs/platform.md 1.9, trap 5).
    async fn websocket_close(
        &self,
        socket: WebSocket,
        code: usize,
        reason: String,
        _was_clean: bool,
    ) -> worker::Result<()> {
        socket::answer_close(&socket, code, &reason);
        Ok(())
    }

    async fn websocket_error(&self, socket: WebSocket, _error: worker::Error) -> worker::Result<()> {
        socket::answer_close(&socket, 1011, "");
        Ok(())
    }

    /// Nobody opens TCP connections to a project; the default would panic.
    async fn connect(&self, socket: Socket) -> worker::Result<()> {
        let mut socket = socket;
        socket.close().await
    }
}

impl Project {
    /// Answers a call, or a list of calls that travel together ([`super::together`]): as text, in their
    /// order.
    async fn replies(&self, text: &str) -> String {
        if !together::are_several(text) {
            let mut replies = self.answer_all(&[text]).await;
            return replies.pop().map_or_else(String::new, written);
        }
        match together::split(text) {
            Ok(calls) => together::join_texts(self.answer_all(&calls).await.into_iter().map(written)),
            Err(error) => written(Err(Refusal::Failed(format!("calls can't be read: {error}")))),
        }
    }

    /// Answers calls one after the other, each for itself, arms the alarm in the same turn, and tells the
    /// live feed. What they write is one commit, because nothing waits between them.
    async fn answer_all(&self, calls: &[&str]) -> Vec<Result<String, Refusal>> {
        if let Err(error) = self.alarm.learn(&self.state.storage()).await {
            let error = format!("the alarm could not be read: {}", log::chain(&error));
            return calls.iter().map(|_call| Err(Refusal::Failed(error.clone()))).collect();
        }
        let mut replies = Vec::with_capacity(calls.len());
        let mut told = Vec::new();
        let (mut wake_at, mut failed) = (None::<(Timestamp, RequestId)>, None);
        // From here to the alarm's setting nothing waits.
        for text in calls {
            let (id, answered) = match serde_json::from_str::<Call<&RawValue>>(text) {
                Ok(call) => (call.request_id.clone(), self.answer(&call)),
                Err(error) => {
                    (Self::new_id(), Err(Refusal::Failed(format!("a call can't be read: {error}"))))
                }
            };
            replies.push(match answered {
                Ok(Answered { reply, wake_at: wakes, changes }) => {
                    let is_earlier =
                        |at: &Timestamp| wake_at.as_ref().is_none_or(|(earliest, _id)| at < earliest);
                    if let Some(at) = wakes.filter(is_earlier) {
                        wake_at = Some((at, id.clone()));
                    }
                    told.push((id, changes));
                    Ok(reply)
                }
                Err(refusal) => {
                    if matches!(refusal, Refusal::Failed(_)) {
                        failed = Some(id);
                    }
                    Err(refusal)
                }
            });
        }
        if let Some(id) = failed {
            self.arm_after_a_failure(&id).await;
        }
        if let Some((wake_at, id)) = wake_at {
            self.alarm.arm(&self.state.storage(), wake_at, &id).await;
        }
        for (id, changes) in told {
            self.tell(&id, changes);
        }
        replies
    }

    /// What failed may have committed a part before, such as the reports that come with a claim: what that
    /// part made due needs its alarm all the same.
    async fn arm_after_a_failure(&self, id: &RequestId) {
        let now = clock::now();
        match self.with_ledger(|ledger| self.alarm.wake_at(ledger, Rest::Failed, now)) {
            Ok(Some(Some(wake_at))) => self.alarm.arm(&self.state.storage(), wake_at, id).await,
            Ok(_) => {}
            Err(error) => log::error(id, "the time of the next work could not be read", &[("error", &error)]),
        }
    }

    /// The project, if there is one, under the deployment's quotas.
    fn open(&self) -> Result<Option<Ledger<ObjectSql>>, LedgerError> {
        let mut ledger = Ledger::open(ObjectSql::new(&self.state.storage()))?;
        if let Some(ledger) = &mut ledger {
            self.limit(ledger);
        }
        Ok(ledger)
    }

    /// Sets the deployment's quotas. Settings that can't be read are told by every call that needs them.
    fn limit(&self, ledger: &mut Ledger<ObjectSql>) {
        if let Ok(settings) = Settings::of(&self.env) {
            ledger.set_quotas(settings.quotas);
        }
    }

    fn answer(&self, call: &Call<&RawValue>) -> Result<Answered, Refusal> {
        let mut slot = self.ledger.try_borrow_mut().map_err(|busy| Refusal::Failed(busy.to_string()))?;
        if slot.is_none() {
            *slot = self.open()?;
        }
        match serde_json::from_str(call.command.get()) {
            Ok(Founding::CreateProject { token_hash }) => return self.create(&mut slot, call, &token_hash),
            Ok(Founding::DeleteProject) => return self.end(&mut slot, call, clock::now()),
            Err(_is_a_question) => {}
        }
        if let Some(ledger) = slot.as_mut() {
            return answer::answer(ledger, &self.alarm, &self.env, call, clock::now());
        }
        let reply = answer::without_project(call)?;
        Ok(Answered { reply, wake_at: None, changes: Changes::default() })
    }

    fn create(
        &self,
        slot: &mut Option<Ledger<ObjectSql>>,
        call: &Call<&RawValue>,
        token_hash: &str,
    ) -> Result<Answered, Refusal> {
        if !call.caller.is_admin() {
            let operation = Operation::CreateProject;
            return Err(refuse_admin_only(slot.as_ref(), &call.caller, operation, clock::now()));
        }
        if slot.is_some() {
            let detail = format!("a project named {} exists already", call.project.as_str());
            return Err(Refusal::from(Problem::new(ProblemType::NameTaken, detail)));
        }
        let now = clock::now();
        let random = u64::from_be_bytes(clock::random()?);
        let mut ledger = Ledger::create(ObjectSql::new(&self.state.storage()), &call.project, random, now)?;
        self.limit(&mut ledger);
        // No await since the line above, so both are durable together or not at all.
        ledger.act_as(access::acting(call, call.caller.actor().unwrap_or_else(Actor::admin)));
        ledger.note(AuditAction::ProjectCreated, call.project.as_str(), now)?;
        let first = TokenDraft { name: String::from(FIRST_TOKEN_NAME), role: Role::Manage, expires_at: None };
        ledger.create_token(token_hash, first, now)?;
        let reply = text_of(&ledger.view())?;
        let wake_at = self.alarm.wake_at(&ledger, Rest::None, now)?;
        *slot = Some(ledger);
        Ok(Answered { reply, wake_at, changes: Changes::default() })
    }

    /// Runs `work` on the ledger as Postern itself, if there is a project.
    ///
    /// # Errors
    /// The ledger is in use, or `work` failed.
    pub(super) fn with_ledger<T>(
        &self,
        work: impl FnOnce(&mut Ledger<ObjectSql>) -> Result<T, LedgerError>,
    ) -> Result<Option<T>, String> {
        let mut slot = self.ledger.try_borrow_mut().map_err(|busy| busy.to_string())?;
        if slot.is_none() {
            *slot = self.open().map_err(|error| error.to_string())?;
        }
        if let Some(ledger) = slot.as_mut() {
            ledger.act_as(Acting::postern());
        }
        slot.as_mut().map(work).transpose().map_err(|error| error.to_string())
    }

    /// A request id for work that no request asked for.
    pub(super) fn new_id() -> RequestId {
        RequestId::new(clock::random().unwrap_or_default())
    }
}

/// A reply as the Worker reads it, or why there is none.
fn written(reply: Result<String, Refusal>) -> String {
    let none = match reply {
        Ok(reply) => return reply,
        Err(Refusal::Problem(problem)) => NoReply::Refused(problem),
        Err(Refusal::Failed(error)) => NoReply::Failed(error),
    };
    // Text under a name always serialises; no text at all is no reply to whoever asked.
    serde_json::to_string(&none).unwrap_or_default()
}

/// The refusal of a caller who is not an administrator: 401 for a token that does not verify, 403 for one
/// that does.
pub(super) fn refuse_admin_only(
    ledger: Option<&Ledger<ObjectSql>>,
    caller: &Caller,
    operation: Operation,
    now: Timestamp,
) -> Refusal {
    let Some(ledger) = ledger else { return access::unauthorized() };
    match access::authorize(ledger, caller, Some(operation), now) {
        Ok(_) => Refusal::Failed(String::from("an admin was refused")),
        Err(refusal) => refusal,
    }
}
