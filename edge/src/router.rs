//! HTTP: from a request to a handler, and from what it gives to an answer.
//!
//! It is a `match` over the table of `core::operation`, not a framework: an inbox must take any method,
//! header and path, the page builds the same paths from the same table, and the way of an event should be
//! short. One file per resource; each function reads a request, asks the project one question and shows the
//! reply.
//!
//! Order of refusals: 404 for an unknown path, 405, 401 or 404 by the form of the token, 401 for a token that
//! the project does not know, 415, 413, 400, 422, and then what the project says. The project is asked once:
//! where a request is refused before that, it is asked who calls, and only somebody it knows is told more
//! ([`vouched`]).

use postern_core::operation::{LiveFeed, Request};
use postern_core::problem::ProblemType;
use postern_core::route::{Path, Route};
use postern_core::token;
use postern_core::webhook::ProjectName;
use worker::{Context, Env};

use crate::caller::Caller;
use crate::clock;
use crate::config::{ConfigFault, Settings};
use crate::facade;
use crate::http::credential::token_of;
use crate::http::guard::{Guard, TooMany};
use crate::http::problem::{Answer, ApiError, Outcome, problem_answer, respond};
use crate::http::request::Incoming;
use crate::http::standing::{Shown, Standing};
use crate::http::{
    audit, config, deliveries, deployment, event_types, events, inboxes, live, observing, projects, replays,
    runs, tokens, trials, webhooks,
};
use crate::log::{self, RequestId};
use crate::project_do::call;
use crate::project_do::projects::ShowProject;
use crate::project_do::question::Asking;
use crate::project_do::wire::Call;
use crate::session::SessionStart;

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
    let checked = guard
        .as_ref()
        .map_or(Ok(()), |guard| if is_public { guard.check_public(begun) } else { guard.check(begun) });
    let (standing, address) = (incoming.standing.clone(), incoming.address().map(String::from));
    let refused = match checked {
        Ok(()) => precluded(api, &path, settings.as_deref(), guard.as_ref(), &incoming)
            .map(|error| api.failed(error, &id)),
        Err(too_many) => Some(api.refused(&too_many, &id)),
    };
    let mut response = match refused {
        Some(answer) => respond(&answer, &id),
        None => api.answer(env, context, incoming, &path).await,
    };
    // Public paths do not count as sign-in attempts.
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
    path: &str,
    settings: Option<&Settings>,
    guard: Option<&Guard>,
    incoming: &Incoming,
) -> Option<ApiError> {
    let fault = settings.and_then(|settings| settings.admins.as_ref().err());
    match fault.filter(|_fault| api.needs_credentials()) {
        Some(fault) => Some(ConfigFault::from(fault.clone()).into()),
        None if api.is_public(path) => None,
        None if guard.is_some_and(|guard| *guard.shown() == Shown::Several) => Some(several()),
        None if is_callback(incoming) => Some(loop_cut()),
        None => None,
    }
}

/// Asks the project about a caller whose request was refused before the project was asked anything: a caller
/// that it does not know is told that, and nothing about the request.
///
/// Where nobody has looked at the credential either (an unknown path), only what is `shown` says whose it is.
/// The refusal then stays what it is, and the answer is for the guard alone.
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
    let call = Call {
        project,
        caller,
        request_id: id.clone(),
        origin: String::new(),
        address,
        once: None,
        command: Asking(ShowProject),
    };
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

/// Whether the request is a callback, of this deployment or of any other sender: all of ours carry their id,
/// tests included.
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

    /// Whether it is of no use while nobody can be told from an administrator. What was accepted before goes
    /// on.
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

    /// The answer to a caller over its limit.
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
            Self::Native => match Path::parse(path) {
                Some(path) => (path.pattern(), path.project().cloned()),
                None => fixed("unknown"),
            },
        }
    }
}

async fn native(
    env: &Env,
    context: &Context,
    incoming: &mut Incoming,
    path: &str,
) -> Result<Outcome, ApiError> {
    let path =
        Path::parse(path).ok_or_else(|| ApiError::problem(ProblemType::NotFound, "there is no such path"))?;
    match path.route(&incoming.method).map_err(|allow| ApiError::Method { allow })? {
        Route::Deployment(asked) => Ok(deployment::answer(env, incoming, asked).await?.into()),
        Route::Project(project, request) => {
            let operation = request.operation();
            let start = SessionStart { env, context, incoming, project, operation };
            resource(start, request).await
        }
    }
}

async fn resource(start: SessionStart<'_>, request: Request) -> Result<Outcome, ApiError> {
    let answer = match request {
        Request::LiveFeed(LiveFeed::Listen) => {
            return live::listen(start.env, start.incoming, start.project).await.map(Outcome::Response);
        }
        Request::Events(asked) => return events::answer(&mut start.open().await?, asked).await,
        Request::Deliveries(asked) => return deliveries::answer(&mut start.open().await?, asked).await,
        Request::Projects(asked) => projects::answer(&mut start.open().await?, asked).await,
        Request::Tokens(asked) => tokens::answer(&mut start.open().await?, asked).await,
        Request::Webhooks(asked) => webhooks::answer(&mut start.open().await?, asked).await,
        Request::Tests(asked) => trials::answer(&mut start.open().await?, asked).await,
        Request::EventTypes(asked) => event_types::answer(&mut start.open().await?, asked).await,
        Request::Inboxes(asked) => inboxes::answer(&mut start.open().await?, asked).await,
        Request::Replays(asked) => replays::answer(&mut start.open().await?, asked).await,
        Request::Runs(asked) => runs::answer(&mut start.open().await?, asked).await,
        Request::AuditLog(asked) => audit::answer(&mut start.open().await?, asked).await,
        Request::Configuration(asked) => config::answer(&mut start.open().await?, asked).await,
        Request::Observing(asked) => observing::answer(&mut start.open().await?, asked).await,
    };
    answer.map(Outcome::Answer)
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
