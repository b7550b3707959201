//! Asking a project object from the Worker: one `fetch` of its stub with a [`Call`] as JSON text.

use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use js_sys::Promise;
use postern_core::problem::{Problem, ProblemType};
use postern_core::token;
use postern_core::webhook::ProjectName;
use serde::Serialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::{Env, Headers, Request, RequestInit, Response};

use super::inboxes::Receive;
use super::listening::Listening;
use super::projects::Founding;
use super::question::{self, Asking, Question, Reply};
use super::refusal::Refusal;
use super::together::{self, Ticket};
use super::wire::{self, Call, Entry, NoReply};
use crate::caller::Caller;
use crate::config;
use crate::log::{self, RequestId};
use crate::meter::{self, Billed};
use crate::presence;

/// The object needs some URL; nothing is routed by it.
const OBJECT_URL: &str = "https://project.internal/";
/// Carries the call of a WebSocket upgrade, whose body can't. It says who asks, and the platform's logs keep
/// headers, but those whose names hold `auth` only as REDACTED (docs/platform.md 12).
pub(crate) const CALL_HEADER: &str = "x-postern-call-auth";

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The object could not be reached, or broke off. Whether it did what it was asked is not known.
    #[error("the project could not be reached: {0}")]
    Unreachable(String),
    /// The object failed.
    #[error("the project failed: {0}")]
    Failed(String),
    /// The object refused.
    #[error("refused: {}", .0.detail)]
    Refused(Box<Problem>),
    /// What came back fits no question.
    #[error("the project gave an unexpected reply: {0}")]
    Unexpected(String),
}

impl CallError {
    /// Whether the project knew who asked, and refused something else.
    pub(crate) fn is_of_a_known_caller(&self) -> bool {
        matches!(self, Self::Refused(problem) if problem.status != 401)
    }
}

impl From<Refusal> for CallError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Problem(problem) => Self::Refused(problem),
            Refusal::Failed(error) => Self::Failed(error),
        }
    }
}

/// Asks the project of `call`.
///
/// # Errors
/// The object could not be reached, failed or refused.
pub(crate) async fn ask<Q: Question>(env: &Env, call: &Call<Asking<Q>>) -> Result<Q::Reply, CallError> {
    // Anybody may call an inbox, so what Postern asks for them is a stranger's question.
    let reach = if Q::NAME == Receive::NAME { Reach::IfListed } else { Reach::of(&call.caller) };
    let sent = Sent { id: &call.request_id, project: &call.project, text: written(call)? };
    match exchange(env, sent, reach).await? {
        Some(reply) => read(&reply),
        None => Ok(question::without_project::<Q>(&call.caller, &call.project)?),
    }
}

/// A call that travels with others, and the duty to send them if nobody does already.
pub(crate) struct Joined {
    /// For [`reply_to`].
    pub(crate) ticket: Ticket,
    /// Sends this call and those that came with it and after it. It must be driven to its end, also when the
    /// client has gone: others wait for it.
    pub(crate) carry: Option<LocalBoxFuture<'static, ()>>,
}

/// Lets `call` travel to its project together with others of this isolate ([`postern_engine::Intake`]).
///
/// # Errors
/// There is no such project: what it is answered then.
pub(crate) async fn join<Q: Question>(env: &Env, call: &Call<Asking<Q>>) -> Result<Joined, CallError> {
    let text = written(call)?;
    if !Reach::of(&call.caller).includes(env, &call.request_id, &call.project).await {
        question::without_project::<Q>(&call.caller, &call.project)?;
        return Err(CallError::Unexpected(String::from("a reply without a project")));
    }
    let (env, id, project) = (env.clone(), call.request_id.clone(), call.project.clone());
    let sends = move |text| {
        let (env, id, project) = (env.clone(), id.clone(), project.clone());
        async move { send(&env, &id, &project, text).await }.boxed_local()
    };
    let (ticket, carry) = together::join(&call.project, text, Box::new(sends));
    Ok(Joined { ticket, carry })
}

/// Waits for the reply to a call that travels with others.
///
/// # Errors
/// See [`ask`].
pub(crate) async fn reply_to<Q: Question>(ticket: Ticket) -> Result<Q::Reply, CallError> {
    read(&ticket.reply().await.map_err(CallError::Unreachable)?)
}

/// Makes the project of `call`, or ends it.
///
/// # Errors
/// See [`ask`]; there is one already, or none.
pub(crate) async fn found<R: Reply>(env: &Env, call: &Call<Founding>) -> Result<R, CallError> {
    let sent = Sent { id: &call.request_id, project: &call.project, text: written(call)? };
    let reply = exchange(env, sent, Reach::Anyway).await?;
    read(&reply.unwrap_or_default())
}

/// Asks on Postern's own behalf: dispatcher, consumers, cron.
///
/// # Errors
/// See [`ask`].
pub(crate) async fn ask_as_postern<Q: Question>(
    env: &Env,
    id: &RequestId,
    project: &ProjectName,
    question: Q,
) -> Result<Q::Reply, CallError> {
    let call = Call {
        project: project.clone(),
        caller: Caller::Postern,
        request_id: id.clone(),
        origin: String::new(),
        address: None,
        once: None,
        command: Asking(question),
    };
    ask(env, &call).await
}

/// Which objects a call may reach: an object is made by being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Any.
    Anyway,
    /// Only those of projects that there are.
    IfListed,
}

impl Reach {
    /// A stranger names only projects that there are. A token is a stranger's until its project has confirmed
    /// it.
    const fn of(caller: &Caller) -> Self {
        if matches!(caller, Caller::Token(_)) { Self::IfListed } else { Self::Anyway }
    }

    async fn includes(self, env: &Env, id: &RequestId, project: &ProjectName) -> bool {
        self == Self::Anyway || presence::may_exist(env, id, project).await
    }
}

/// A call as text. Not generic, so that what sends it exists once in the Worker.
struct Sent<'a> {
    id: &'a RequestId,
    project: &'a ProjectName,
    text: String,
}

fn written<C: Serialize>(call: &Call<C>) -> Result<String, CallError> {
    serde_json::to_string(call).map_err(|error| CallError::Unexpected(error.to_string()))
}

/// Sends a call as it is; gives the text of the reply, or `None` if there is no such project.
async fn exchange(env: &Env, sent: Sent<'_>, reach: Reach) -> Result<Option<String>, CallError> {
    let Sent { id, project, text } = sent;
    if !reach.includes(env, id, project).await {
        return Ok(None);
    }
    send(env, id, project, text).await.map(Some).map_err(CallError::Unreachable)
}

/// Sends the text of a call, or of several; gives that of the reply. What went wrong is logged, too.
async fn send(env: &Env, id: &RequestId, project: &ProjectName, text: String) -> Result<String, String> {
    fetched(env, project.as_str(), text).await.map_err(|error| {
        let error = log::chain(&error);
        let fields: [(&str, &dyn std::fmt::Display); 2] = [("project", &project.as_str()), ("error", &error)];
        log::warn(id, "a project could not be reached", &fields);
        error
    })
}

/// Reads a reply.
fn read<R: Reply>(text: &str) -> Result<R, CallError> {
    if let Ok(value) = wire::value_of(text, R::NAME)
        && let Ok(reply) = serde_json::from_str(value.get())
    {
        return Ok(reply);
    }
    match serde_json::from_str(text) {
        Ok(NoReply::Refused(problem)) => Err(CallError::Refused(problem)),
        Ok(NoReply::Failed(error)) => Err(CallError::Failed(error)),
        Err(_) => {
            let name = serde_json::from_str::<Entry<'_>>(text).map_or("no reply at all", |entry| entry.name);
            Err(CallError::Unexpected(format!("{name}, not {}", R::NAME)))
        }
    }
}

#[wasm_bindgen]
extern "C" {
    /// The stub as JavaScript has it.
    type RawStub;

    #[wasm_bindgen(method, catch, structural)]
    fn fetch(this: &RawStub, url: &str, init: &web_sys::RequestInit) -> Result<Promise, JsValue>;
}

/// Two platform calls and no stream: `worker`'s stub would make a `Request` and read the answer chunk by
/// chunk, and this is done twice for every event.
async fn fetched(env: &Env, project: &str, text: String) -> worker::Result<String> {
    meter::count(Billed::ObjectRequests, 1);
    let stub: RawStub = env.durable_object(config::PROJECT)?.get_by_name(project)?.into_rpc();
    let init = web_sys::RequestInit::new();
    init.set_method("POST");
    init.set_body(&JsValue::from(text));
    let response: web_sys::Response = JsFuture::from(stub.fetch(OBJECT_URL, &init)?).await?.unchecked_into();
    let text = JsFuture::from(response.text()?).await?;
    text.as_string().ok_or_else(|| worker::Error::from("the answer is not text"))
}

/// Hands a WebSocket upgrade to the project; gives its answer, a 101 with the socket.
///
/// # Errors
/// There is no such project, it refused, or its object could not be reached.
pub(crate) async fn upgrade(env: &Env, call: &Call<Listening>) -> Result<Response, CallError> {
    let reach = match call.command {
        // Who shows a ticket is a stranger until the project has confirmed it.
        Listening::ListenWithTicket { .. } => Reach::IfListed,
        Listening::Listen => Reach::of(&call.caller),
    };
    if !reach.includes(env, &call.request_id, &call.project).await {
        return Err(CallError::Refused(Box::new(Problem::new(ProblemType::Unauthorized, token::WRONG))));
    }
    let unreachable = |error: worker::Error| CallError::Unreachable(log::chain(&error));
    let text = written(call)?;
    let mut response = upgraded(env, call.project.as_str(), &text).await.map_err(unreachable)?;
    if response.status_code() == 101 {
        return Ok(response);
    }
    let text = response.text().await.map_err(unreachable)?;
    match serde_json::from_str(&text) {
        Ok(problem) => Err(CallError::Refused(Box::new(problem))),
        Err(_) => Err(CallError::Failed(text)),
    }
}

async fn upgraded(env: &Env, project: &str, call: &str) -> worker::Result<Response> {
    let headers = Headers::new();
    headers.set("upgrade", "websocket")?;
    headers.set(CALL_HEADER, call)?;
    meter::count(Billed::ObjectRequests, 1);
    let mut init = RequestInit::new();
    init.with_headers(headers);
    let stub = env.durable_object(config::PROJECT)?.get_by_name(project)?;
    stub.fetch_with_request(Request::new_with_init(OBJECT_URL, &init)?).await
}
