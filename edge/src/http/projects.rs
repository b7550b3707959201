//! `/v1/projects` and `/v1/projects/{project}`.

use postern_core::api::project::{ProjectCreated, ProjectView};
use postern_core::fault::InputFault;
use postern_core::operation::{Operation, Projects};
use postern_core::problem::ProblemType;
use postern_core::query::{self, PageQuery};
use postern_core::{project, token};
use worker::Env;

use super::credential::token_of;
use super::problem::{Answer, ApiError};
use super::request::Incoming;
use crate::caller::Caller;
use crate::clock;
use crate::config::Settings;
use crate::definition_kv;
use crate::log;
use crate::presence;
use crate::project_do::call;
use crate::project_do::projects::{Founding, ShowProject, ShowProjectDetail, UpdateSettings};
use crate::project_do::question::{Asking, Done, Question};
use crate::session::{Session, ask, caller};

/// Answers an operation of this resource.
pub(crate) async fn answer(session: &mut Session<'_>, asked: Projects) -> Result<Answer, ApiError> {
    match asked {
        Projects::GetProject => show(session).await,
        Projects::UpdateProject => update(session).await,
        Projects::DeleteProject => delete(session).await,
    }
}

/// `GET /v1/projects`: 200 with every project for the admin, the token's own for anybody else. 401.
pub(crate) async fn list(env: &Env, incoming: &Incoming) -> Result<Answer, ApiError> {
    let caller = admin_or_token(env, incoming)?;
    let page =
        PageQuery::parse_whole(incoming.parts().query).map_err(postern_core::problem::Problem::invalid)?;
    let items = if caller.is_admin() {
        definition_kv::projects(env).await?
    } else {
        vec![ask_own(env, incoming, caller, ShowProject).await?]
    };
    Answer::json(200, &page.page_of(items, |project| project.name.as_str()))
}

/// `POST /v1/projects`: 201 with the first token; 401, 403 for a caller who is not an administrator; 409 if
/// the name is taken; 422.
pub(crate) async fn create(env: &Env, incoming: &mut Incoming) -> Result<Answer, ApiError> {
    let caller = admin_or_token(env, incoming)?;
    if !caller.is_admin() {
        // A token that verifies is told that it does not suffice; any other that it is wrong.
        ask_own(env, incoming, caller, ShowProject).await?;
        return Err(ApiError::problem(
            ProblemType::Forbidden,
            "only an admin token (ADMIN_TOKEN or one of \
                                                              ADMIN_TOKENS) can create projects",
        ));
    }
    incoming.check_headers(Operation::CreateProject)?;
    query::none(incoming.parts().query).map_err(InputFault::from)?;
    let name = project::create(&incoming.json_text().await?)?;
    let token = token::mint(&name, &clock::random()?);
    let founding = Founding::CreateProject { token_hash: token::hash(&token) };
    let founded = call::found::<ProjectView>(env, &incoming.call(name, caller, founding)).await;
    let project = incoming.standing.learn_from(founded)?;
    log::info(&incoming.id, "a project was created", &[("project", &project.name.as_str())]);
    // Before the answer: the token may be used at once.
    presence::publish(env, &incoming.id, &project).await;
    Answer::json(201, &ProjectCreated { project, token })
}

/// The caller of a path that names no project: a token names its own.
pub(crate) fn admin_or_token(env: &Env, incoming: &Incoming) -> Result<Caller, ApiError> {
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
pub(crate) async fn ask_own<Q: Question>(
    env: &Env,
    incoming: &Incoming,
    caller: Caller,
    question: Q,
) -> Result<Q::Reply, ApiError> {
    let project = token_of(incoming.authorization(), &["Bearer"])
        .and_then(token::project_of)
        .ok_or_else(|| ApiError::problem(ProblemType::Unauthorized, token::WRONG))?;
    ask(env, incoming, &incoming.call(project, caller, Asking(question))).await
}

/// `GET /v1/projects/{project}`: 200. Where an administrator asks for one that the list does not hold, it is
/// listed again.
async fn show(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let answer = Answer::json(200, &session.ask(ShowProjectDetail).await?)?;
    if session.caller.is_admin()
        && !presence::may_exist(session.env, &session.incoming.id, &session.project).await
    {
        let view = session.ask(ShowProject).await?;
        presence::publish(session.env, &session.incoming.id, &view).await;
    }
    Ok(answer)
}

/// `DELETE /v1/projects/{project}?confirm={project}`: 204; 403 for a caller who is not an administrator, 404,
/// 422.
async fn delete(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let confirmed = query::confirmed(session.query(), &session.project);
    if confirmed.is_err() {
        session.may(Operation::DeleteProject).await?;
    }
    confirmed.map_err(InputFault::from)?;
    let (env, id, project) = (session.env, &session.incoming.id, &session.project);
    let ended = call::found::<Done>(env, &session.call(Founding::DeleteProject)).await;
    session.incoming.standing.learn_from(ended)?;
    let by = session.caller.actor().map_or_else(String::new, |actor| actor.name);
    log::info(id, "a project was deleted", &[("project", &project.as_str()), ("by", &by)]);
    presence::unpublish(env, id, project).await;
    Ok(Answer::no_content())
}

/// `PATCH /v1/projects/{project}`: 200; only the settings that were sent change. 422.
async fn update(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let patch = project::update(&session.incoming.json_text().await?)?;
    Answer::json(200, &session.ask(UpdateSettings { patch }).await?)
}
