//! `/v1/projects` and `/v1/projects/{project}`.

use postern_core::api::project::ProjectCreated;
use postern_core::problem::ProblemType;
use postern_core::query::PageQuery;
use postern_core::{project, token};
use worker::Env;

use super::problem::{Answer, ApiError};
use super::request::{Incoming, token_of};
use super::{Session, ask, caller, unexpected};
use crate::clock;
use crate::config::Settings;
use crate::definition_kv;
use crate::log;
use crate::presence;
use crate::project_do::command::{Caller, Command, Reply};

/// `GET` and `POST /v1/projects`.
pub(super) async fn all(env: &Env, incoming: &mut Incoming, method: &str) -> Result<Answer, ApiError> {
    match method {
        "POST" => create(env, incoming).await,
        _ => list(env, incoming).await,
    }
}

/// 200: every project for the admin, the token's own for anybody else. 401.
async fn list(env: &Env, incoming: &Incoming) -> Result<Answer, ApiError> {
    let caller = admin_or_token(env, incoming)?;
    let page =
        PageQuery::parse_whole(incoming.parts().query).map_err(postern_core::problem::Problem::invalid)?;
    let items = if caller.is_admin() {
        definition_kv::projects(env).await?
    } else {
        match ask_own(env, incoming, caller, Command::ShowProject).await? {
            Reply::Project(view) => vec![view],
            other => return Err(unexpected(&other)),
        }
    };
    Answer::json(200, &page.page_of(items, |project| project.name.as_str()))
}

/// 201 with the first token; 401, 403 for who is not admin; 409 where the name is taken; 422.
async fn create(env: &Env, incoming: &mut Incoming) -> Result<Answer, ApiError> {
    let caller = admin_or_token(env, incoming)?;
    if !caller.is_admin() {
        // A token that verifies is told that it does not suffice; any other is told that it is none.
        ask_own(env, incoming, caller, Command::ShowProject).await?;
        return Err(ApiError::problem(ProblemType::Forbidden, "only ADMIN_TOKEN creates projects"));
    }
    let name = project::create(&incoming.json_text().await?)?;
    let token = token::mint(&name, &clock::random()?);
    let command = Command::CreateProject { token_hash: token::hash(&token) };
    match ask(env, incoming, &incoming.call(name, caller, command)).await? {
        Reply::Project(project) => {
            log::info(&incoming.id, "a project was created", &[("project", &project.name.as_str())]);
            // Before the answer: whoever has the token may use it at once.
            presence::publish(env, &incoming.id, &project).await;
            Answer::json(201, &ProjectCreated { project, token })
        }
        other => Err(unexpected(&other)),
    }
}

/// The caller of a path that names no project: a token names its own.
pub(super) fn admin_or_token(env: &Env, incoming: &Incoming) -> Result<Caller, ApiError> {
    let settings = Settings::of(env)?;
    let token = token_of(incoming.authorization(), &["Bearer"]);
    let unauthorized = |detail| ApiError::problem(ProblemType::Unauthorized, detail);
    let token = token.ok_or_else(|| unauthorized("send Authorization: Bearer <token>"))?;
    if let Some(admin) = settings.admin(token) {
        incoming.standing.verify();
        return Ok(admin);
    }
    let own = token::project_of(token).ok_or_else(|| unauthorized(token::WRONG))?;
    let caller = caller(&settings, Some(token), &own)?;
    incoming.standing.claim(&own, &caller);
    Ok(caller)
}

/// Asks the token's own project.
pub(super) async fn ask_own(
    env: &Env,
    incoming: &Incoming,
    caller: Caller,
    command: Command,
) -> Result<Reply, ApiError> {
    let project = token_of(incoming.authorization(), &["Bearer"])
        .and_then(token::project_of)
        .ok_or_else(|| ApiError::problem(ProblemType::Unauthorized, token::WRONG))?;
    ask(env, incoming, &incoming.call(project, caller, command)).await
}

/// `GET /v1/projects/{project}`: 200. Where an administrator asks for one that the list does not hold, it is listed again.
pub(super) async fn show(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let answer = detail(session, Command::ShowProjectDetail).await?;
    if session.caller.is_admin()
        && !presence::may_exist(session.env, &session.incoming.id, &session.project).await
        && let Reply::Project(view) = session.ask(Command::ShowProject).await?
    {
        presence::publish(session.env, &session.incoming.id, &view).await;
    }
    Ok(answer)
}

/// `PATCH /v1/projects/{project}`: 200; only the settings that were sent change. 422.
pub(super) async fn update(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let patch = project::update(&session.incoming.json_text().await?)?;
    detail(session, Command::UpdateSettings { patch }).await
}

async fn detail(session: &mut Session<'_>, command: Command) -> Result<Answer, ApiError> {
    match session.ask(command).await? {
        Reply::ProjectDetail(detail) => Answer::json(200, &detail),
        other => Err(unexpected(&other)),
    }
}
