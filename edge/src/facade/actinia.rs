//! actinia's processing API (docs/wire.md C) at `/actinia/api/v3`, for its unmodified clients: a process chain becomes a run, and an
//! executor does it (`core::run`).
//!
//! The user is the project, the password one of its tokens (role `execute`, or `manage`; `read` only looks at resources), or
//! `ADMIN_TOKEN`. A location's name means nothing here: any is taken,
//! and the project's settings say which are listed.
//! Every answer about a resource has the HTTP status that its `http_code` says; errors are `{"status":"error","message":…}`,
//! with 400 for whatever is wrong with an input and for a resource that is none (docs/wire.md C.2), 401 for a wrong login.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postern_core::facade::actinia::{self, BASE_PATH, RESOURCE_PREFIX, chain};
use postern_core::fault::InputFault;
use postern_core::id::Kind;
use postern_core::operation::Operation;
use postern_core::problem::{Problem, ProblemType};
use postern_core::query;
use postern_core::route::decode_segment;
use postern_core::run;
use postern_core::run::{Entry, RunMode};
use postern_core::webhook::ProjectName;
use serde_json::json;
use serde_json::value::RawValue;
use worker::{Context, Env};

use crate::config::Settings;
use crate::http::problem::{Answer, ApiError};
use crate::http::request::{Incoming, token_of};
use crate::http::runs::ask;
use crate::http::{Session, caller, unexpected};
use crate::log::RequestId;
use crate::project_do::command::{Command, Reply};
use crate::project_do::runs::{RunCommand, RunReply};

/// What needs no login.
pub(crate) const VERSION_PATH: &str = "/actinia/api/v3/version";
/// Resources that a list shows at most, the newest: actinia does not page.
const LISTED_MAX: u32 = 500;

/// What everybody is told who is not let in.
const LOG_IN: &str = "log in with the project's name and one of its tokens as the password";

/// A path of the facade.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Path {
    /// `version`
    Version,
    /// `locations`, `projects`
    Locations,
    /// `locations/{l}/…`, `projects/{l}/…`
    Process(Process),
    /// `resources/{user}`
    Resources(String),
    /// `resources/{user}/{resource_id}`
    Resource(String, String),
}

/// What a process chain is posted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Process {
    /// `processing_async_export`
    Export,
    /// `processing_async`
    Ephemeral,
    /// `mapsets/{m}/processing_async`
    Persistent,
    /// `process_chain_validation_async`
    Validation,
    /// `process_chain_validation_sync`
    SyncValidation,
}

impl Process {
    /// What actinia calls the resource behind the path.
    const fn endpoint(self) -> &'static str {
        match self {
            Self::Export => "asyncephemeralexportresource",
            Self::Ephemeral => "asyncephemeralresource",
            Self::Persistent => "asyncpersistentresource",
            Self::Validation => "asyncprocessvalidationresource",
            Self::SyncValidation => "syncprocessvalidationresource",
        }
    }

    const fn mode(self) -> RunMode {
        match self {
            Self::Export | Self::Ephemeral | Self::Persistent => RunMode::Work,
            Self::Validation | Self::SyncValidation => RunMode::Validation,
        }
    }
}

impl Path {
    /// Reads a raw path.
    fn parse(path: &str) -> Option<Self> {
        let below = path.strip_prefix(BASE_PATH)?.strip_prefix('/')?;
        let segments: Vec<String> =
            below.trim_end_matches('/').split('/').map(decode_segment).collect::<Option<_>>()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        if segments.iter().any(|segment| segment.is_empty()) {
            return None;
        }
        Some(match *segments.as_slice() {
            ["version"] => Self::Version,
            ["locations" | "projects"] => Self::Locations,
            ["locations" | "projects", _, "processing_async_export"] => Self::Process(Process::Export),
            ["locations" | "projects", _, "processing_async"] => Self::Process(Process::Ephemeral),
            ["locations" | "projects", _, "mapsets", _, "processing_async"] => {
                Self::Process(Process::Persistent)
            }
            ["locations" | "projects", _, "process_chain_validation_async"] => {
                Self::Process(Process::Validation)
            }
            ["locations" | "projects", _, "process_chain_validation_sync"] => {
                Self::Process(Process::SyncValidation)
            }
            ["resources", user] => Self::Resources(String::from(user)),
            ["resources", user, id] => Self::Resource(String::from(user), String::from(id)),
            _ => return None,
        })
    }

    const fn allowed(&self) -> &'static str {
        match self {
            Self::Version | Self::Locations | Self::Resources(_) => "GET",
            Self::Process(_) => "POST",
            Self::Resource(..) => "GET, DELETE",
        }
    }
}

/// Answers a request of an actinia client.
pub(crate) async fn handle(env: &Env, context: &Context, incoming: &mut Incoming, path: &str) -> Answer {
    let id = incoming.id.clone();
    route(env, context, incoming, path).await.unwrap_or_else(|error| error_answer(error, &id))
}

async fn route(
    env: &Env,
    context: &Context,
    incoming: &mut Incoming,
    path: &str,
) -> Result<Answer, ApiError> {
    let path =
        Path::parse(path).ok_or_else(|| ApiError::problem(ProblemType::NotFound, "there is no such path"))?;
    let method = incoming.method_of(path.allowed())?;
    if path == Path::Version {
        return version();
    }
    let settings = Settings::of(env)?;
    let (project, token) = credentials(incoming.authorization()).ok_or_else(wrong_login)?;
    // A token of another project is a wrong password.
    let caller = caller(&settings, Some(&token), &project).map_err(|_refused| wrong_login())?;
    let mut session = Session::new(env, context, settings, project, caller, incoming);
    query::none(session.query()).map_err(InputFault::from)?;
    match path {
        Path::Version => version(),
        Path::Locations => locations(&mut session).await,
        Path::Process(Process::SyncValidation) => validate(&mut session).await,
        Path::Process(process) => submit(&mut session, process).await,
        Path::Resources(user) => list(&mut session, &user).await,
        Path::Resource(user, id) if method == "DELETE" => terminate(&mut session, &user, &id).await,
        Path::Resource(user, id) => show(&mut session, &user, &id).await,
    }
}

/// The project and the token of a Basic login, split at the first colon (RFC 7617).
pub(crate) fn credentials(authorization: Option<&str>) -> Option<(ProjectName, String)> {
    let bytes = STANDARD.decode(token_of(authorization, &["Basic"])?).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((ProjectName::parse(user)?, String::from(password)))
}

fn wrong_login() -> ApiError {
    ApiError::problem(ProblemType::Unauthorized, LOG_IN)
}

/// `GET version`, without a login. The clients look for more than two keys (docs/wire.md C.2).
fn version() -> Result<Answer, ApiError> {
    let version = env!("CARGO_PKG_VERSION");
    Answer::json(200, &json!({ "version": version, "api_version": 3, "server": "postern", "plugins": [] }))
}

/// `GET locations`: those of the project's settings, or one that is called as the project. Any other name is taken as well.
async fn locations(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    match session.ask(Command::ListLocations).await? {
        Reply::Locations(names) => {
            Answer::json(200, &json!({ "status": "success", "locations": names, "projects": names }))
        }
        other => Err(unexpected(&other)),
    }
}

/// The run that the request's process chain asks for.
async fn draft(session: &mut Session<'_>, process: Process) -> Result<run::RunDraft, ApiError> {
    let body = session.incoming.json_text().await?;
    let parts = session.incoming.parts();
    let entry = Entry {
        origin: String::from(parts.origin),
        path: String::from(parts.path),
        endpoint: String::from(process.endpoint()),
    };
    Ok(chain::submit(&body, &session.policy(), entry, process.mode())?)
}

/// A `POST` whose job goes on in the background: 200 with the status `accepted`, whatever will become of it.
async fn submit(session: &mut Session<'_>, process: Process) -> Result<Answer, ApiError> {
    let draft = draft(session, process).await?;
    match ask(session, RunCommand::Submit { draft: Box::new(draft) }).await? {
        RunReply::Submitted { turn, text, .. } => {
            if !turn.calls.is_empty() {
                session
                    .context
                    .wait_until(session.dispatcher()?.run_calls(session.project.clone(), turn.calls));
            }
            Ok(Answer::json_text(200, accepted(text)?))
        }
        other => Err(unexpected(&Reply::Runs(other))),
    }
}

/// What the job said when it was accepted: a chain that can't be done is told by the job itself.
fn accepted(status: String) -> Result<String, ApiError> {
    let serde_json::Value::Object(mut read) = postern_core::json::read(&status)? else { return Ok(status) };
    if read.get("status").is_some_and(|state| *state == "accepted") {
        return Ok(status);
    }
    read.insert(String::from("status"), json!("accepted"));
    read.insert(String::from("message"), json!("Resource accepted"));
    read.insert(String::from("http_code"), json!(200));
    read.remove("exception");
    Ok(serde_json::Value::Object(read).to_string())
}

/// `POST process_chain_validation_sync`: 200 finished, or 400 error. The addresses are probed meanwhile.
async fn validate(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let mut draft = draft(session, Process::SyncValidation).await?;
    if let Some(webhooks) = draft.webhooks.take() {
        // Before anything is called: whoever may not submit a job may not have us call an address either.
        session.may(Operation::CreateRun).await?;
        draft.refusal = session.dispatcher()?.probe(&webhooks).await;
    }
    match ask(session, RunCommand::Submit { draft: Box::new(draft) }).await? {
        RunReply::Submitted { code, text, .. } => Ok(Answer::json_text(code, text)),
        other => Err(unexpected(&Reply::Runs(other))),
    }
}

/// `GET resources/{user}`: the newest resources.
async fn list(session: &mut Session<'_>, user: &str) -> Result<Answer, ApiError> {
    check_user(session, user)?;
    match ask(session, RunCommand::Statuses { limit: LISTED_MAX }).await? {
        RunReply::Statuses(texts) => {
            let list = texts.into_iter().map(RawValue::from_string).collect::<Result<Vec<_>, _>>()?;
            Answer::json(200, &std::collections::BTreeMap::from([("resource_list", list)]))
        }
        other => Err(unexpected(&Reply::Runs(other))),
    }
}

/// `GET resources/{user}/{id}`: the HTTP status is the job's `http_code`.
async fn show(session: &mut Session<'_>, user: &str, resource: &str) -> Result<Answer, ApiError> {
    check_user(session, user)?;
    let (code, status) = status(session, run_id(resource)?).await?;
    Ok(Answer::json_text(code, status))
}

/// `DELETE resources/{user}/{id}`: 200, also for a job that has ended, which stays as it is.
async fn terminate(session: &mut Session<'_>, user: &str, resource: &str) -> Result<Answer, ApiError> {
    check_user(session, user)?;
    let accepted = || {
        Answer::json(
            200,
            &json!({ "status": "accepted", "resource_id": resource, "message": "Termination request committed" }),
        )
    };
    match ask(session, RunCommand::Terminate { id: run_id(resource)? }).await {
        Ok(RunReply::Turn(turn)) => {
            if !turn.calls.is_empty() {
                session
                    .context
                    .wait_until(session.dispatcher()?.run_calls(session.project.clone(), turn.calls));
            }
            accepted()
        }
        Ok(other) => Err(unexpected(&Reply::Runs(other))),
        Err(ApiError::Problem(problem)) if problem.problem_type() == Some(ProblemType::StateConflict) => {
            accepted()
        }
        Err(error) => Err(no_resource(error)),
    }
}

/// What actinia says of a run, and with which HTTP status.
async fn status(session: &Session<'_>, id: String) -> Result<(u16, String), ApiError> {
    match ask(session, RunCommand::Status { id }).await.map_err(no_resource)? {
        RunReply::Status { code, text } => Ok((code, text)),
        other => Err(unexpected(&Reply::Runs(other))),
    }
}

/// One user sees nothing of another.
fn check_user(session: &Session<'_>, user: &str) -> Result<(), ApiError> {
    if user == session.project.as_str() { Ok(()) } else { Err(wrong_login()) }
}

fn run_id(resource: &str) -> Result<String, ApiError> {
    let uuid = resource.strip_prefix(RESOURCE_PREFIX).ok_or_else(resource_is_none)?;
    Ok(format!("{}{uuid}", Kind::Run.prefix()))
}

fn resource_is_none() -> ApiError {
    // 400 and these words (docs/wire.md C.2).
    ApiError::problem(ProblemType::MalformedJson, "Resource does not exist")
}

fn no_resource(error: ApiError) -> ApiError {
    match error {
        ApiError::Problem(problem) if problem.problem_type() == Some(ProblemType::NotFound) => {
            resource_is_none()
        }
        other => other,
    }
}

/// A failure in actinia's words.
pub(crate) fn error_answer(error: ApiError, id: &RequestId) -> Answer {
    let allow = error.allow();
    let problem = error.into_problem(id);
    let status = status_of(&problem);
    // Whoever is not let in gets the same words, whatever was wrong.
    let message =
        if status == 401 && problem.errors.is_empty() { String::from(LOG_IN) } else { problem.sentence() };
    let mut answer = Answer::json_text(status, actinia::error(&message));
    if let Some(allow) = allow {
        answer = answer.with("allow", allow);
    }
    if status == 401 {
        answer = answer.with("www-authenticate", "Basic realm=\"actinia\"");
    }
    answer.that_waits(&problem)
}

/// actinia has 400 for everything that is wrong with an input, and a project that does not exist is a wrong login.
fn status_of(problem: &Problem) -> u16 {
    match (problem.problem_type(), problem.status) {
        (Some(ProblemType::ProjectNotFound), _) => 401,
        (_, 409 | 413 | 415 | 422) => 400,
        (_, status) => status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_and_projects_have_the_same_paths() {
        let parse = |below: &str| Path::parse(&format!("{BASE_PATH}/{below}"));
        for root in ["locations", "projects"] {
            assert_eq!(parse(root), Some(Path::Locations));
            for (rest, process) in [
                ("nc_spm_08/processing_async_export", Process::Export),
                ("any%20name/processing_async", Process::Ephemeral),
                ("l/mapsets/m/processing_async", Process::Persistent),
                ("l/process_chain_validation_sync", Process::SyncValidation),
                ("l/process_chain_validation_async", Process::Validation),
            ] {
                assert_eq!(parse(&format!("{root}/{rest}")), Some(Path::Process(process)), "{rest}");
            }
        }
        assert_eq!(parse("version"), Some(Path::Version));
        assert_eq!(
            parse("resources/u/resource_id-1"),
            Some(Path::Resource(String::from("u"), String::from("resource_id-1")))
        );
        assert_eq!(parse("resources/u"), Some(Path::Resources(String::from("u"))));
        for below in [
            "",
            "resources",
            "locations/l",
            "locations/l/mapsets/m",
            "locations//processing_async",
            "resources/u/i/more",
        ] {
            assert_eq!(parse(below), None, "{below}");
        }
        assert_eq!(Path::parse("/actinia/api/v2/version"), None);
    }

    #[test]
    fn a_login_is_split_at_its_first_colon() {
        let login = |text: &str| credentials(Some(&format!("Basic {}", STANDARD.encode(text))));
        let found = login("p1:a:b").map(|(project, token)| (String::from(project.as_str()), token));
        assert_eq!(found, Some((String::from("p1"), String::from("a:b"))));
        for text in ["p1", "Not A Project:x", ":x"] {
            assert_eq!(login(text), None, "{text}");
        }
        assert_eq!(credentials(Some("Bearer abc")), None);
        assert_eq!(credentials(Some("Basic !!")), None);
        assert_eq!(credentials(None), None);
    }

    #[test]
    fn errors_have_the_shape_of_actinia() {
        let id = RequestId::new([0; 8]);
        let answer = error_answer(wrong_login(), &id);
        assert_eq!(
            (answer.status, answer.headers.last().map(|(name, _)| *name)),
            (401, Some("www-authenticate"))
        );
        let answer_of_a_wrong_login = answer.body;
        let answer = error_answer(resource_is_none(), &id);
        assert_eq!(
            (answer.status, answer.body.as_deref()),
            (400, Some(r#"{"message":"Resource does not exist","status":"error"}"#))
        );
        let refused = |kind| error_answer(ApiError::problem(kind, "x"), &id);
        let unknown = refused(ProblemType::ProjectNotFound);
        assert_eq!((unknown.status, &unknown.body), (401, &answer_of_a_wrong_login));
        assert_eq!(refused(ProblemType::Unauthorized).body, answer_of_a_wrong_login, "the same words");
        assert_eq!(error_answer(ApiError::problem(ProblemType::BodyTooLarge, "x"), &id).status, 400);
        assert_eq!(error_answer(ApiError::Method { allow: "GET" }, &id).status, 405);
    }
}
