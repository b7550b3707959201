//! The project object: the only writer of one project, its clock, and the source of its live feed.
//!
//! It connects; rules are the ledger's. [`command`] is its language, [`call`] the Worker's side of it, [`run`] answers
//! commands, [`sql`] is its database, [`alarm`] its clock, [`live`] its sockets, [`inbox_request`] what inboxes record.
//!
//! What is atomic, and why: a command runs without an `.await` from its first read to its last write, so no other event
//! of the object comes between (one thread, and no gate opens without an await). Several rows are written in one
//! `transactionSync`. The alarm is set in the same turn as the write that needs it, so both are durable together; and
//! the platform holds a reply back until that is so (output gate). Therefore a 202 means: stored, and going to be tried.
//!
//! The [`Ledger`] is in a `RefCell` that is never borrowed across an `.await` (docs/platform.md 1.3).

mod alarm;
pub(crate) mod call;
pub(crate) mod command;
mod config;
pub(crate) mod inbox_request;
mod live;
mod run;
pub(crate) mod runs;
mod sql;
mod up42;

use std::cell::RefCell;
use std::rc::Rc;

use postern_core::api::audit::{Actor, AuditAction};
use postern_core::problem::{Problem, ProblemType};
use postern_core::token::{Role, TokenDraft};
use postern_engine::Rest;
use postern_ledger::{Acting, Ledger, LedgerError};
use worker::{
    DurableObject, Env, Request, Response, Socket, State, WebSocket, WebSocketIncomingMessage, durable_object,
};

use self::alarm::Alarm;
use self::command::{Call, Command, Reply};
use self::run::{Done, Refusal};
use self::sql::ObjectSql;
use crate::clock;
use crate::config::Settings;
use crate::log::{self, RequestId};

/// The Durable Object of one project, addressed by the project's name.
#[durable_object]
pub struct Project {
    state: State,
    env: Env,
    /// Shared with what runs beside the alarm, as the alarm is.
    ledger: Rc<RefCell<Option<Ledger<ObjectSql>>>>,
    alarm: Rc<Alarm>,
}

impl DurableObject for Project {
    fn new(state: State, env: Env) -> Self {
        live::answer_pings(&state);
        Self { state, env, ledger: Rc::new(RefCell::new(None)), alarm: Rc::new(Alarm::default()) }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        if let Some(text) = request.headers().get(call::CALL_HEADER)? {
            return match serde_json::from_str::<Call>(&text) {
                Ok(call) => self.listen(&call),
                Err(error) => Response::error(error.to_string(), 500),
            };
        }
        let text = request.text().await?;
        let reply = match serde_json::from_str::<Call>(&text) {
            Ok(call) => self.answer(call).await,
            Err(error) => Reply::Failed(format!("a call that does not read: {error}")),
        };
        Response::ok(serde_json::to_string(&reply)?)
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
        live::answer_close(&socket, code, &reason);
        Ok(())
    }

    async fn websocket_error(&self, socket: WebSocket, _error: worker::Error) -> worker::Result<()> {
        live::answer_close(&socket, 1011, "");
        Ok(())
    }

    /// Nobody opens TCP connections to a project; the default would panic.
    async fn connect(&self, socket: Socket) -> worker::Result<()> {
        let mut socket = socket;
        socket.close().await
    }
}

impl Project {
    /// Runs a command, arms the alarm in the same turn, and tells the live feed.
    async fn answer(&self, call: Call) -> Reply {
        let id = call.request_id.clone();
        if let Err(error) = self.alarm.learn(&self.state.storage()).await {
            return Reply::Failed(format!("the alarm could not be read: {}", log::chain(&error)));
        }
        if let Command::Claim { tickets, .. } = &call.command {
            self.alarm.claimed(tickets, clock::now());
        }
        // From here to the alarm's setting nothing waits.
        let outcome = self.perform(call);
        let (reply, done) = match outcome {
            Ok((reply, done)) => (reply, done),
            Err(Refusal::Problem(problem)) => return Reply::Refused(problem),
            Err(Refusal::Failed(error)) => return Reply::Failed(error),
        };
        if let Some(wake_at) = done.wake_at
            && let Err(error) = self.alarm.no_later_than(&self.state.storage(), wake_at, clock::now()).await
        {
            log::error(
                &id,
                "the alarm could not be set; the watchdog will",
                &[("error", &log::chain(&error))],
            );
        }
        self.tell(&id, done.changes);
        reply
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

    fn perform(&self, call: Call) -> Result<(Reply, Done), Refusal> {
        let mut slot = self.ledger.try_borrow_mut().map_err(|busy| Refusal::Failed(busy.to_string()))?;
        if slot.is_none() {
            *slot = self.open()?;
        }
        if let Command::CreateProject { token_hash } = &call.command {
            return self.create(&mut slot, &call, token_hash);
        }
        match slot.as_mut() {
            Some(ledger) => run::run(ledger, &self.alarm, &self.env, call, clock::now()),
            None => run::without_project(&call).map(|reply| (reply, Done::default())),
        }
    }

    fn create(
        &self,
        slot: &mut Option<Ledger<ObjectSql>>,
        call: &Call,
        token_hash: &str,
    ) -> Result<(Reply, Done), Refusal> {
        if !call.caller.is_admin() {
            return Err(run::refuse_admin_only(slot.as_ref(), &call.caller, clock::now()));
        }
        if slot.is_some() {
            let detail = format!("there is a project {} already", call.project.as_str());
            return Err(Refusal::from(Problem::new(ProblemType::NameTaken, detail)));
        }
        let now = clock::now();
        let random = u64::from_be_bytes(clock::random().map_err(|error| Refusal::Failed(error.to_string()))?);
        let mut ledger = Ledger::create(ObjectSql::new(&self.state.storage()), &call.project, random, now)?;
        self.limit(&mut ledger);
        // No await since the line above, so both are durable together or not at all.
        ledger.act_as(run::acting(call, call.caller.actor().unwrap_or_else(Actor::admin)));
        ledger.note(AuditAction::ProjectCreated, call.project.as_str(), now)?;
        let first =
            TokenDraft { name: String::from(run::FIRST_TOKEN_NAME), role: Role::Manage, expires_at: None };
        ledger.create_token(token_hash, first, now)?;
        let reply = Reply::Project(ledger.view());
        let done = Done { wake_at: self.alarm.wake_at(&ledger, Rest::None, now)?, ..Done::default() };
        *slot = Some(ledger);
        Ok((reply, done))
    }

    /// Runs `work` on the ledger as Postern itself, if there is a project.
    fn with_ledger<T>(
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

    fn new_id() -> RequestId {
        RequestId::new(clock::random().unwrap_or_default())
    }
}
