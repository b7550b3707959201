//! `/v1/projects` and `/v1/projects/{project}`.

use postern_core::api::page::Page;
use postern_core::api::project::ProjectCreated;
use postern_core::problem::ProblemType;
use postern_core::{project, query, token};
use worker::Env;

use super::problem::{Answer, ApiError};
use super::request::{Incoming, token_of};
use super::{Session, caller, unexpected};
use crate::clock;
use crate::config::Settings;
use crate::definition_kv;
use crate::log;
use crate::project_do::call;
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
    query::none(incoming.parts().query).map_err(postern_core::problem::Problem::invalid)?;
    let items = match admin_or_token(env, incoming)? {
        Caller::Admin => definition_kv::projects(env).await?,
        caller => match ask_own(env, incoming, caller, Command::ShowProject).await? {
            Reply::Project(view) => vec![view],
            other => return Err(unexpected(&other)),
        },
    };
    Answer::json(200, &Page::new(items, None))
}

/// 201 with the first token; 401, 403 for who is not admin; 409 where the name is taken; 422.
async fn create(env: &Env, incoming: &mut Incoming) -> Result<Answer, ApiError> {
    let caller = admin_or_token(env, incoming)?;
    if caller != Caller::Admin {
        // A token that verifies is told that it does not suffice; any other is told that it is none.
        ask_own(env, incoming, caller, Command::ShowProject).await?;
        return Err(ApiError::problem(ProblemType::Forbidden, "only ADMIN_TOKEN creates projects"));
    }
    let name = project::create(&incoming.json_text().await?)?;
    let token = token::mint(&name, &clock::random()?);
    let command = Command::CreateProject { token_hash: token::hash(&token) };
    match call::ask(env, &incoming.call(name, caller, command)).await? {
        Reply::Project(project) => {
            log::info(&incoming.id, "a project was created", &[("project", &project.name.as_str())]);
            Answer::json(201, &ProjectCreated { project, token })
        }
        other => Err(unexpected(&other)),
    }
}

/// The caller of a path that names no project: a token names its own.
pub(super) fn admin_or_token(env: &Env, incoming: &Incoming) -> Result<Caller, ApiError> {
    let settings = Settings::of(env)?;
    let token = token_of(incoming.authorization(), &["Bearer"]);
    match token.and_then(token::project_of) {
        Some(own) => caller(&settings, token, &own),
        None if token.is_some_and(|token| settings.is_admin(token)) => Ok(Caller::Admin),
        None => Err(ApiError::problem(ProblemType::Unauthorized, "send Authorization: Bearer <token>")),
    }
}

/// Asks the token's own project.
pub(super) async fn ask_own(env: &Env, incoming: &Incoming, caller: Caller, command: Command) -> Result<Reply, ApiError> {
    let project = token_of(incoming.authorization(), &["Bearer"])
        .and_then(token::project_of)
        .ok_or_else(|| ApiError::problem(ProblemType::Unauthorized, "this is no token of Postern"))?;
    Ok(call::ask(env, &incoming.call(project, caller, command)).await?)
}

/// `GET /v1/projects/{project}`: 200.
pub(super) async fn show(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    detail(session, Command::ShowProjectDetail).await
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
