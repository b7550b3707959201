//! HTTP: from a request to a handler, and from what it gives to an answer.
//!
//! The router is a `match` over `core::route`, not a framework: an inbox must take any method, header and
//! path, the page builds the same paths from the same enum, and the way of an event should be short. One
//! file per resource; each function reads a request, asks the project one command and shows the reply.
//!
//! Order of refusals: 404 for a path that is none, 405, 401 or 404 by the form of the token, 401 for a
//! token that the project does not know, 415, 413, 400, 422, and then what the project says. The project is
//! asked once: where a request is refused before that, it is asked who calls, and only somebody it knows is
//! told more ([`vouched`]).

mod audit;
mod config;
mod deliveries;
mod dry_run;
mod event_types;
mod events;
mod exports;
mod guard;
mod import;
mod inboxes;
mod live;
mod metrics;
pub(crate) mod problem;
mod projects;
mod replays;
pub(crate) mod request;
pub(crate) mod runs;
mod standing;
mod stats;
mod tests;
mod tokens;
mod webhooks;

use std::future::Future;
use std::rc::Rc;

use futures_channel::oneshot;
use postern_core::egress::Policy;
use postern_core::event;
use postern_core::fault::{self, Fault, InputFault};
use postern_core::operation::Operation;
use postern_core::problem::ProblemType;
use postern_core::query;
use postern_core::route::{Resource, Route};
use postern_core::token;
use postern_core::webhook::ProjectName;
use worker::{Context, Env};

use self::guard::{Guard, TooMany};
use self::problem::{Answer, ApiError, problem_answer, respond};
use self::request::{Incoming, if_match, token_of};
use self::standing::{Shown, Standing};
use crate::clock;
use crate::config::{ConfigFault, Settings};
use crate::dispatch::Dispatcher;
use crate::facade;
use crate::log::{self, RequestId};
use crate::project_do::call::{self, CallError};
use crate::project_do::command::{Call, Caller, Command, Once, Reply};

/// The header that names a call which its caller may repeat, and an event's own key.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Answers any request, within the limits of its address, and writes its line in the log.
pub(crate) async fn handle(
    request: web_sys::Request,
    env: &Env,
    context: &Context,
    id: RequestId,
) -> web_sys::Response {
    let begun = clock::now();
    let incoming = Incoming::new(id.clone(), request);
    let (path, method) = (String::from(incoming.parts().path), incoming.method.clone());
    let api = Api::of(&path);
    let settings = Settings::of(env).ok();
    let guard = settings.as_ref().map(|settings| Guard::of(&incoming, settings.limits));
    let is_public = api.is_public(&path);
    let checked = guard.as_ref().map_or(Ok(()), |guard| guard.check(is_public, begun));
    let (standing, address) = (incoming.standing.clone(), incoming.address().map(String::from));
    let refused = match checked {
        Ok(()) => precluded(api, is_public, settings.as_deref(), guard.as_ref(), &incoming)
            .map(|error| api.failed(error, &id)),
        Err(too_many) => Some(api.refused(&too_many, &id)),
    };
    let mut response = match refused {
        Some(answer) => respond(&answer, &id),
        None => api.answer(env, context, incoming, &path).await,
    };
    // What needs no token says nothing of one.
    if let Some(guard) = guard.as_ref().filter(|_guard| !is_public) {
        let is_refused = (400..500).contains(&response.status()) && !matches!(response.status(), 401 | 429);
        if is_refused && !standing.is_verified() {
            let shown = settings.as_deref().zip(guard.shown().one());
            if let Err(error) = vouched(env, &id, address, &standing, shown).await {
                response = respond(&api.failed(error, &id), &id);
            }
        }
        guard.note(response.status(), clock::now());
    }
    let now = clock::now();
    if settings.is_none_or(|settings| settings.logs_requests) {
        let (route, project) = api.route_of(&path);
        log::request(
            &id,
            &method,
            &route,
            project.as_ref().map(ProjectName::as_str),
            response.status(),
            now.ms_since(begun),
        );
    }
    response
}

/// Why a request is not even looked at.
fn precluded(
    api: Api,
    is_public: bool,
    settings: Option<&Settings>,
    guard: Option<&Guard>,
    incoming: &Incoming,
) -> Option<ApiError> {
    let fault = settings.and_then(|settings| settings.admins.as_ref().err());
    match fault.filter(|_fault| api.needs_credentials()) {
        Some(fault) => Some(ConfigFault::from(fault.clone()).into()),
        None if is_public => None,
        None if guard.is_some_and(|guard| *guard.shown() == Shown::Several) => Some(several()),
        None if is_callback(incoming) => Some(loop_cut()),
        None => None,
    }
}

/// Asks the project about a caller whose request was refused before the project was asked anything: who is
/// not known to it is told that, and nothing about the request.
///
/// Where nobody has looked at the credential either (a path that is none), only what is `shown` says whose
/// it is. The refusal then stays what it is, and the answer is for the guard alone.
///
/// # Errors
/// The project does not know the caller, or could not be asked.
async fn vouched(
    env: &Env,
    id: &RequestId,
    address: Option<String>,
    standing: &Standing,
    shown: Option<(&Settings, &str)>,
) -> Result<(), ApiError> {
    let claimed = standing.claimed().map(|(project, caller)| (Some(project), caller));
    let was_looked_at = claimed.is_some();
    let (project, caller) =
        match claimed.or_else(|| shown.and_then(|(settings, shown)| claim_of(settings, shown))) {
            Some((_, caller)) if caller.is_admin() => {
                standing.verify();
                return Ok(());
            }
            Some((Some(project), caller)) => (project, caller),
            Some((None, _)) | None => return Ok(()),
        };
    let command = Command::ShowProject;
    let call =
        Call { project, caller, request_id: id.clone(), origin: String::new(), address, once: None, command };
    match call::ask(env, &call).await {
        Ok(_) => {
            standing.verify();
            Ok(())
        }
        Err(error) if was_looked_at => Err(error.into()),
        Err(_) => Ok(()),
    }
}

/// Whose credential a header shows, by its form, and of which project; an administrator is of none.
fn claim_of(settings: &Settings, shown: &str) -> Option<(Option<ProjectName>, Caller)> {
    let token = match facade::actinia::credentials(Some(shown)) {
        Some((_user, password)) => password,
        None => String::from(token_of(Some(shown), &["Bearer", "Token"])?),
    };
    if let Some(admin) = settings.admin(&token) {
        return Some((None, admin));
    }
    token::project_of(&token).map(|project| (Some(project), Caller::Token(token::hash(&token))))
}

/// Two credentials in one request: one of them could be a guess that the other covers.
fn several() -> ApiError {
    ApiError::problem(ProblemType::Unauthorized, "the request carries more than one credential: send one")
}

/// Whether the request is a callback, of this deployment or of any other sender: all of ours carry their
/// id, tests included.
fn is_callback(incoming: &Incoming) -> bool {
    !matches!(incoming.method.as_str(), "GET" | "HEAD") && incoming.header("webhook-id").is_some()
}

/// A webhook whose URL is a call of an API of ours could go round for ever, and not every name of a
/// deployment is known to it.
fn loop_cut() -> ApiError {
    ApiError::problem(
        ProblemType::Forbidden,
        "a callback can't call Postern's API: the request carries webhook-id",
    )
}

/// Which API a path belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Api {
    Inbox,
    Actinia,
    Ubiops,
    Up42,
    Native,
    Asset,
}

impl Api {
    fn of(path: &str) -> Self {
        let is_below =
            |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        match path {
            _ if path.starts_with("/in/") => Self::Inbox,
            _ if is_below("/actinia") => Self::Actinia,
            _ if is_below("/ubiops") => Self::Ubiops,
            _ if is_below("/up42") => Self::Up42,
            _ if is_below("/v1") || matches!(path, "/healthz" | "/metrics") => Self::Native,
            _ => Self::Asset,
        }
    }

    /// Whether it is of no use while nobody can be told from an administrator. What was accepted before
    /// goes on.
    const fn needs_credentials(self) -> bool {
        !matches!(self, Self::Inbox | Self::Asset)
    }

    /// Whether the path needs no token.
    fn is_public(self, path: &str) -> bool {
        matches!(self, Self::Inbox | Self::Asset)
            || path == "/healthz"
            || path == facade::actinia::VERSION_PATH
    }

    async fn answer(
        self,
        env: &Env,
        context: &Context,
        mut incoming: Incoming,
        path: &str,
    ) -> web_sys::Response {
        let id = incoming.id.clone();
        let answer = match self {
            Self::Inbox => inboxes::receive(env, &mut incoming, path)
                .await
                .unwrap_or_else(|error| problem_answer(error, &id)),
            Self::Actinia => facade::actinia::handle(env, context, &mut incoming, path).await,
            Self::Ubiops => facade::ubiops::handle(env, context, &mut incoming, path).await,
            Self::Up42 => facade::up42::handle(env, context, &mut incoming, path).await,
            Self::Native => match native(env, context, &mut incoming, path).await {
                Ok(Outcome::Answer(answer)) => answer,
                Ok(Outcome::Response(response)) => return response.into(),
                Err(error) => problem_answer(error, &id),
            },
            Self::Asset => return asset(env, incoming).await,
        };
        // What would be taken (RFC 9110 15.5.16). An inbox answers what it is told.
        let answer = if answer.status == 415 && self != Self::Inbox {
            answer.with("accept-encoding", "identity")
        } else {
            answer
        };
        respond(&answer, &id)
    }

    /// What one is told who asked too often.
    fn refused(self, too_many: &TooMany, id: &RequestId) -> Answer {
        let seconds = too_many.0.to_string();
        let answer = self.failed(too_many.error(), id).with("retry-after", seconds.clone());
        // What the client of UbiOps waits for; without it, it waits a minute (docs/wire.md A.6).
        if self == Self::Ubiops { answer.with("x-ratelimit-reset", seconds) } else { answer }
    }

    /// A failure in the words of the API.
    fn failed(self, error: ApiError, id: &RequestId) -> Answer {
        match self {
            Self::Actinia => facade::actinia::error_answer(error, id),
            Self::Ubiops => facade::ubiops::error_answer(error, id),
            Self::Up42 => facade::up42::error_answer(error, id),
            Self::Inbox | Self::Native | Self::Asset => problem_answer(error, id),
        }
    }

    /// The path without names and keys, and the project that it names.
    fn route_of(self, path: &str) -> (String, Option<ProjectName>) {
        let fixed = |text: &str| (String::from(text), None);
        match self {
            Self::Inbox => fixed("/in/{inbox}"),
            Self::Actinia => fixed("/actinia"),
            Self::Ubiops => fixed("/ubiops"),
            Self::Up42 => fixed("/up42"),
            Self::Asset => fixed("dashboard"),
            Self::Native => match Route::parse(path) {
                Some(route) => {
                    let pattern = route.pattern();
                    let project = if let Route::Project(project, _) = route { Some(project) } else { None };
                    (pattern, project)
                }
                None => fixed("unknown"),
            },
        }
    }
}

/// What a native route gives.
enum Outcome {
    /// As a value.
    Answer(Answer),
    /// The platform's own: an upgrade, or a stream.
    Response(worker::Response),
}

async fn native(
    env: &Env,
    context: &Context,
    incoming: &mut Incoming,
    path: &str,
) -> Result<Outcome, ApiError> {
    let route = Route::parse(path)
        .ok_or_else(|| ApiError::problem(ProblemType::NotFound, "there is no such path"))?;
    let method = incoming.method_of(route.methods())?;
    let answer = match route {
        Route::Health => health(env),
        Route::Metrics => metrics::all(env, incoming).await,
        Route::Token => tokens::whose(env, incoming).await,
        Route::Projects => projects::all(env, incoming, &method).await,
        Route::Project(project, Resource::Live) => {
            return live::listen(env, incoming, project).await.map(Outcome::Response);
        }
        Route::Project(project, resource) => {
            let settings = Settings::of(env)?;
            let caller = caller(&settings, token_of(incoming.authorization(), &["Bearer"]), &project)?;
            let mut session = Session::new(env, context, settings, project, caller, incoming);
            match resource {
                Resource::EventsExport => return exports::events(&session).await.map(Outcome::Response),
                Resource::DeliveriesExport => {
                    return exports::deliveries(&session).await.map(Outcome::Response);
                }
                resource => resource_answer(&mut session, resource, &method).await,
            }
        }
    };
    answer.map(Outcome::Answer)
}

/// [`Incoming::method_of`] has let only the methods of [`Resource::methods`] through, so each last arm
/// below stands for one of them.
async fn resource_answer(
    session: &mut Session<'_>,
    resource: Resource,
    method: &str,
) -> Result<Answer, ApiError> {
    session.check_headers(&resource, method)?;
    if !resource.reads_query(method) {
        query::none(session.query()).map_err(InputFault::from)?;
    }
    if resource.takes_no_body(method) {
        fault::no_fields(&session.incoming.optional_json_text().await?)?;
    }
    match (resource, method) {
        (Resource::Detail, "PATCH") => projects::update(session).await,
        (Resource::Detail, _) => projects::show(session).await,
        (Resource::Tokens, "POST") => tokens::create(session).await,
        (Resource::Tokens, _) => tokens::list(session).await,
        (Resource::Token(id), _) => tokens::delete(session, id).await,
        (Resource::Webhooks, "POST") => webhooks::create(session).await,
        (Resource::Webhooks, _) => webhooks::list(session).await,
        (Resource::Webhook(name), "PATCH") => webhooks::update(session, name).await,
        (Resource::Webhook(name), "DELETE") => webhooks::delete(session, name).await,
        (Resource::Webhook(name), _) => webhooks::show(session, name).await,
        (Resource::WebhookSecret(name), _) => webhooks::secret(session, name).await,
        (Resource::WebhookSecretRotate(name), _) => webhooks::rotate_secret(session, name).await,
        (Resource::WebhookPause(name), _) => webhooks::pause(session, name, true).await,
        (Resource::WebhookResume(name), _) => webhooks::pause(session, name, false).await,
        (Resource::WebhookTest(name), _) => tests::of_webhook(session, name).await,
        (Resource::Tests, _) => tests::create(session).await,
        (Resource::Test(id), _) => tests::show(session, id).await,
        (Resource::EventTypes, "POST") => event_types::create(session).await,
        (Resource::EventTypes, _) => event_types::list(session).await,
        (Resource::EventType(name), "PATCH") => event_types::update(session, name).await,
        (Resource::EventType(name), "DELETE") => event_types::delete(session, name).await,
        (Resource::EventType(name), _) => event_types::show(session, name).await,
        (Resource::Audit, _) => audit::list(session).await,
        (Resource::Config, _) => config::show(session).await,
        (Resource::ConfigPlan, _) => config::plan(session).await,
        (Resource::ConfigApply, _) => config::apply(session).await,
        (Resource::ImportPreview, _) => import::preview(session).await,
        (Resource::Events, "POST") => events::create(session).await,
        (Resource::Events, _) => events::list(session).await,
        (Resource::EventsBatch, _) => events::create_batch(session).await,
        (Resource::EventsDryRun, _) => dry_run::run(session).await,
        (Resource::Event(id), _) => events::show(session, id).await,
        (Resource::Deliveries, _) => deliveries::list(session).await,
        (Resource::Delivery(id), _) => deliveries::show(session, id).await,
        (Resource::DeliveryRetry(id), _) => deliveries::resend(session, id).await,
        (Resource::DeliveryCancel(id), _) => deliveries::cancel(session, id).await,
        (Resource::Inboxes, "POST") => inboxes::create(session).await,
        (Resource::Inboxes, _) => inboxes::list(session).await,
        (Resource::Inbox(id), "PATCH") => inboxes::update(session, id).await,
        (Resource::Inbox(id), "DELETE") => inboxes::delete(session, id).await,
        (Resource::Inbox(id), _) => inboxes::show(session, id).await,
        (Resource::InboxRequests(id), "DELETE") => inboxes::clear(session, id).await,
        (Resource::InboxRequests(id), _) => inboxes::requests(session, id).await,
        (Resource::Replays, "POST") => replays::create(session).await,
        (Resource::Replays, _) => replays::list(session).await,
        (Resource::Replay(id), _) => replays::show(session, id).await,
        (Resource::ReplayCancel(id), _) => replays::cancel(session, id).await,
        (Resource::Runs, "POST") => runs::create(session).await,
        (Resource::Runs, _) => runs::list(session).await,
        (Resource::RunClaim, _) => runs::claim(session).await,
        (Resource::Run(id), _) => runs::show(session, id).await,
        (Resource::RunUpdates(id), _) => runs::update(session, id).await,
        (Resource::RunFinish(id), _) => runs::finish(session, id).await,
        (Resource::RunTerminate(id), _) => runs::terminate(session, id).await,
        (Resource::RunCallbackRetry(id, kind), _) => runs::resend(session, id, kind).await,
        (Resource::Stats, _) => stats::show(session).await,
        (Resource::LiveTickets, _) => live::create_ticket(session).await,
        (Resource::Metrics, _) => metrics::show(session).await,
        // These give no value but the platform's own answer; `native` has taken them.
        (Resource::Live | Resource::EventsExport | Resource::DeliveriesExport, _) => {
            Err(ApiError::Method { allow: "GET" })
        }
    }
}

/// One request to one project, its caller known by the form of the token.
pub(crate) struct Session<'a> {
    pub(crate) env: &'a Env,
    pub(crate) context: &'a Context,
    pub(crate) settings: Rc<Settings>,
    pub(crate) project: ProjectName,
    pub(crate) caller: Caller,
    /// Where the request may be repeated and is then answered as the first time: see [`Session::once`].
    pub(crate) once: Option<Once>,
    pub(crate) incoming: &'a mut Incoming,
}

impl<'a> Session<'a> {
    /// A request of `caller` to `project`.
    pub(crate) fn new(
        env: &'a Env,
        context: &'a Context,
        settings: Rc<Settings>,
        project: ProjectName,
        caller: Caller,
        incoming: &'a mut Incoming,
    ) -> Self {
        incoming.standing.claim(&project, &caller);
        Self { env, context, settings, project, caller, once: None, incoming }
    }

    /// Asks the project.
    ///
    /// # Errors
    /// See [`call::ask`].
    pub(crate) async fn ask(&self, command: Command) -> Result<Reply, ApiError> {
        ask(self.env, self.incoming, &self.call(command)).await
    }

    /// Has `asked` done to its end even where the client hangs up, and waits for what the project said.
    ///
    /// # Errors
    /// See [`call::ask`].
    pub(crate) async fn told<T>(
        &self,
        told: oneshot::Receiver<Result<T, CallError>>,
        asked: impl Future<Output = ()> + 'static,
    ) -> Result<T, ApiError> {
        self.context.wait_until(asked);
        let gone = |_canceled| ApiError::Internal(String::from("the call of the project was dropped"));
        settle(self.incoming, told.await.map_err(gone)?)
    }

    /// Asks only whether the caller may do this, before the Worker does what the project has no part in.
    ///
    /// # Errors
    /// See [`Session::ask`]; 401 and 403 where the caller may not.
    pub(crate) async fn may(&self, operation: Operation) -> Result<(), ApiError> {
        match self.ask(Command::May { operation }).await? {
            Reply::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// The call that asks `command`.
    pub(crate) fn call(&self, command: Command) -> Call {
        Call {
            once: self.once.clone(),
            ..self.incoming.call(self.project.clone(), self.caller.clone(), command)
        }
    }

    /// Checks the headers that the API's description promises for every call of this kind, before the body
    /// says whether this call needs them.
    ///
    /// # Errors 422 where an `Idempotency-Key` is too long, empty or not ASCII; 412 where an `If-Match` is
    /// not one of our versions.
    fn check_headers(&self, resource: &Resource, method: &str) -> Result<(), ApiError> {
        if resource.takes_idempotency_key(method)
            && let Some(key) = self.incoming.header(IDEMPOTENCY_KEY)
            && let Err(detail) = event::check_idempotency_header(&key)
        {
            // Of a single event it is the event's own key.
            let pointer = if matches!(resource, Resource::Events) { "/idempotency_key" } else { "" };
            return Err(InputFault::from(Fault::new(
                pointer,
                format!("the Idempotency-Key header {detail}"),
            ))
            .into());
        }
        if resource.takes_if_match(method) {
            if_match(self.incoming.header("if-match").as_deref())?;
        }
        Ok(())
    }

    /// Takes the `Idempotency-Key` of a request whose answer holds no secret: the call that follows is done
    /// once, whoever repeats it. `body` is the request's. The router has checked the key
    /// ([`Session::check_headers`]).
    pub(crate) fn once(&mut self, body: &str) {
        let Some(key) = self.incoming.header(IDEMPOTENCY_KEY) else { return };
        let digest = token::hash(&format!("{} {}\n{body}", self.incoming.method, self.incoming.parts().path));
        self.once = Some(Once { key, digest });
    }

    /// Refuses an `Idempotency-Key` where the answer holds a secret and is therefore not kept.
    ///
    /// # Errors
    /// 422 where the request has one.
    pub(crate) fn never_once(&self) -> Result<(), ApiError> {
        if self.incoming.header(IDEMPOTENCY_KEY).is_none() {
            return Ok(());
        }
        let detail = "this call takes no Idempotency-Key header: its answer holds a secret and is not kept";
        Err(InputFault::from(Fault::new("", detail)).into())
    }

    /// The raw query.
    pub(crate) fn query(&self) -> &str {
        self.incoming.parts().query
    }

    /// What may be called, with the host of this request as one of our own.
    pub(crate) fn policy(&self) -> Policy {
        self.settings.policy(Some(self.incoming.parts().host))
    }

    /// A dispatcher for what goes on after the answer.
    ///
    /// # Errors
    /// The deployment's secrets are missing.
    pub(crate) fn dispatcher(&self) -> Result<Dispatcher, ApiError> {
        Ok(Dispatcher::new(self.env, &self.incoming.id, Some(self.incoming.parts().host))?)
    }
}

/// Asks a project for the caller of `incoming`, and remembers whether it knew the caller.
///
/// # Errors
/// See [`call::ask`].
async fn ask(env: &Env, incoming: &Incoming, call: &Call) -> Result<Reply, ApiError> {
    settle(incoming, call::ask(env, call).await)
}

/// What a project said to the caller of `incoming`; remembers whether it knew the caller.
fn settle<T>(incoming: &Incoming, outcome: Result<T, CallError>) -> Result<T, ApiError> {
    if outcome.as_ref().map_or_else(CallError::is_of_a_known_caller, |_reply| true) {
        incoming.standing.verify();
    }
    Ok(outcome?)
}

/// For a reply that does not fit the command: a bug, told as an internal error.
pub(crate) fn unexpected(reply: &Reply) -> ApiError {
    ApiError::from(CallError::unexpected(reply))
}

/// Who calls, as far as the token's form says it.
///
/// # Errors 401 without a well-formed token; 404 where it names another project, which is answered like one
/// that does not exist.
pub(crate) fn caller(
    settings: &Settings,
    token: Option<&str>,
    project: &ProjectName,
) -> Result<Caller, ApiError> {
    let unauthorized = |detail| ApiError::problem(ProblemType::Unauthorized, detail);
    let token = token.ok_or_else(|| unauthorized("send Authorization: Bearer <token>"))?;
    if let Some(admin) = settings.admin(token) {
        return Ok(admin);
    }
    let named = token::project_of(token).ok_or_else(|| unauthorized(token::WRONG))?;
    if named == *project {
        Ok(Caller::Token(token::hash(token)))
    } else {
        Err(ApiError::problem(
            ProblemType::ProjectNotFound,
            format!("there is no project {} for this token", project.as_str()),
        ))
    }
}

/// `allow_private_targets` lets the page say before anybody tries whether a URL of the own network is taken.
fn health(env: &Env) -> Result<Answer, ApiError> {
    let settings = Settings::of(env)?;
    let allow_private_targets = settings.policy(None).allow_private_targets;
    let version = env!("CARGO_PKG_VERSION");
    Answer::json(
        200,
        &serde_json::json!({ "status": "ok", "version": version, "allow_private_targets": allow_private_targets }),
    )
}

/// Everything else is the dashboard's.
async fn asset(env: &Env, incoming: Incoming) -> web_sys::Response {
    let Incoming { id, request, .. } = incoming;
    let found = match env.assets(crate::config::ASSETS) {
        Ok(assets) => assets.fetch_request(request).await,
        Err(error) => Err(error),
    };
    match found {
        Ok(found) => found.into(),
        Err(error) => {
            log::warn(&id, "no asset could be served", &[("error", &log::chain(&error))]);
            respond(
                &problem_answer(ApiError::problem(ProblemType::NotFound, "there is no such path"), &id),
                &id,
            )
        }
    }
}

#[cfg(test)]
mod routing {
    use super::*;

    const ADMIN: &str = "admin-token-0123456789abcdef-0123456789";

    fn project() -> ProjectName {
        ProjectName::parse("p1").unwrap()
    }

    fn status(outcome: Result<Caller, ApiError>) -> Option<u16> {
        match outcome {
            Err(ApiError::Problem(problem)) => Some(problem.status),
            _ => None,
        }
    }

    fn settings() -> Settings {
        Settings::for_tests(ADMIN)
    }

    #[test]
    fn a_token_is_told_by_its_form() {
        let token = token::mint(&project(), &[7; 32]);
        let mine = caller(&settings(), Some(&token), &project()).unwrap();
        assert_eq!(mine, Caller::Token(token::hash(&token)));
        assert_eq!(caller(&settings(), Some(ADMIN), &project()).unwrap(), Caller::Admin);
        assert_eq!(status(caller(&settings(), None, &project())), Some(401));
        assert_eq!(
            caller(&settings(), Some("ada-0123456789abcdef0123456789abcdef"), &project()).unwrap(),
            Caller::admin("ada")
        );
        assert_eq!(status(caller(&settings(), Some("abc"), &project())), Some(401));
        let other = token::mint(&ProjectName::parse("p2").unwrap(), &[7; 32]);
        assert_eq!(status(caller(&settings(), Some(&other), &project())), Some(404));
    }
}
