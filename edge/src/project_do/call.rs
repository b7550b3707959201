//! Asking a project object from the Worker: one `fetch` of its stub with a [`Call`] as JSON text.

use js_sys::Promise;
use postern_core::problem::{Problem, ProblemType};
use postern_core::token;
use postern_core::webhook::ProjectName;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::{Env, Headers, Request, RequestInit, Response};

use super::command::{Call, Caller, Command, Reply};
use super::run::{self, Refusal};
use crate::config;
use crate::http::problem::ApiError;
use crate::log::{self, RequestId};
use crate::meter::{self, Billed};
use crate::presence;

/// The object needs some URL; nothing is routed by it.
const OBJECT_URL: &str = "https://project.internal/";
/// Carries the call of a WebSocket upgrade, whose body can't. It says who asks, and the platform's logs keep headers, but those
/// whose names hold `auth` only as REDACTED (docs/platform.md 12).
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

    /// For a reply of the wrong kind: a bug.
    pub(crate) fn unexpected(reply: &Reply) -> Self {
        Self::Unexpected(String::from(reply.name()))
    }
}

impl From<CallError> for ApiError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(problem) => Self::Problem(problem),
            CallError::Unreachable(_) => Self::problem(
                ProblemType::Unavailable,
                "the project is busy or being moved; the call is safe to repeat with the same Idempotency-Key",
            ),
            CallError::Failed(_) | CallError::Unexpected(_) => Self::internal(&error),
        }
    }
}

/// Asks the project of `call`.
///
/// # Errors
/// The object could not be reached, failed or refused: [`Reply::Refused`] and [`Reply::Failed`] come back as errors.
pub(crate) async fn ask(env: &Env, call: &Call) -> Result<Reply, CallError> {
    if !has_object(env, call).await {
        return match run::without_project(call) {
            Ok(reply) => Ok(reply),
            Err(Refusal::Problem(problem)) => Err(CallError::Refused(problem)),
            Err(Refusal::Failed(error)) => Err(CallError::Failed(error)),
        };
    }
    let text = serde_json::to_string(call).map_err(|error| CallError::Unexpected(error.to_string()))?;
    let unreachable = |error: worker::Error| {
        let error = log::chain(&error);
        log::warn(
            &call.request_id,
            "a project could not be reached",
            &[("project", &call.project.as_str()), ("error", &error)],
        );
        CallError::Unreachable(error)
    };
    let text = exchange(env, call.project.as_str(), text).await.map_err(unreachable)?;
    match serde_json::from_str(&text) {
        Ok(Reply::Refused(problem)) => Err(CallError::Refused(problem)),
        Ok(Reply::Failed(error)) => Err(CallError::Failed(error)),
        Ok(reply) => Ok(reply),
        Err(error) => Err(CallError::Unexpected(error.to_string())),
    }
}

/// Whether the object of `call` may be asked: a stranger names only projects that there are, since an object is made by being
/// asked. A token is a stranger's until its project has confirmed it; anybody may call an inbox.
async fn has_object(env: &Env, call: &Call) -> bool {
    let is_open = matches!(call.command, Command::Receive { .. } | Command::ListenWithTicket { .. });
    let is_stranger = is_open || matches!(call.caller, Caller::Token(_));
    !is_stranger || presence::may_exist(env, &call.request_id, &call.project).await
}

#[wasm_bindgen]
extern "C" {
    /// The stub as JavaScript has it.
    type RawStub;

    #[wasm_bindgen(method, catch, structural)]
    fn fetch(this: &RawStub, url: &str, init: &web_sys::RequestInit) -> Result<Promise, JsValue>;
}

/// Two platform calls and no stream: `worker`'s stub would make a `Request` and read the answer chunk by chunk, and this
/// is done twice for every event.
async fn exchange(env: &Env, project: &str, text: String) -> worker::Result<String> {
    meter::count(Billed::ObjectRequests, 1);
    let stub: RawStub = env.durable_object(config::PROJECT)?.get_by_name(project)?.into_rpc();
    let init = web_sys::RequestInit::new();
    init.set_method("POST");
    init.set_body(&JsValue::from(text));
    let response: web_sys::Response = JsFuture::from(stub.fetch(OBJECT_URL, &init)?).await?.unchecked_into();
    let text = JsFuture::from(response.text()?).await?;
    text.as_string().ok_or_else(|| worker::Error::from("the answer is no text"))
}

/// Asks on Postern's own behalf: dispatcher, consumers, cron.
///
/// # Errors
/// See [`ask`].
pub(crate) async fn ask_as_postern(
    env: &Env,
    id: &RequestId,
    project: &ProjectName,
    command: Command,
) -> Result<Reply, CallError> {
    let call = Call {
        project: project.clone(),
        caller: Caller::Postern,
        request_id: id.clone(),
        origin: String::new(),
        address: None,
        once: None,
        command,
    };
    ask(env, &call).await
}

/// Hands a WebSocket upgrade to the project: its answer is the client's, a 101 with the socket or a problem.
///
/// # Errors
/// There is no such project, or the object could not be reached.
pub(crate) async fn upgrade(env: &Env, call: &Call) -> Result<Response, ApiError> {
    if !has_object(env, call).await {
        return Err(ApiError::problem(ProblemType::Unauthorized, token::WRONG));
    }
    let headers = Headers::new();
    headers.set("upgrade", "websocket")?;
    headers.set(CALL_HEADER, &serde_json::to_string(call)?)?;
    meter::count(Billed::ObjectRequests, 1);
    let mut init = RequestInit::new();
    init.with_headers(headers);
    let stub = env.durable_object(config::PROJECT)?.get_by_name(call.project.as_str())?;
    Ok(stub.fetch_with_request(Request::new_with_init(OBJECT_URL, &init)?).await?)
}
