//! `/v1/projects/{project}/tokens` and `/v1/token`.

use postern_core::api::token::{TokenCreated, TokenIdentity};
use postern_core::fault::InputFault;
use postern_core::operation::Tokens;
use postern_core::problem::Problem;
use postern_core::query::{self, PageQuery};
use postern_core::token::{self, Role};
use worker::Env;

use super::problem::{Answer, ApiError};
use super::projects::{admin_or_token, ask_own};
use super::request::Incoming;
use crate::clock;
use crate::project_do::tokens::{CreateToken, DeleteToken, ListTokens, ShowToken};
use crate::session::Session;

/// Answers an operation of this resource.
pub(crate) async fn answer(session: &mut Session<'_>, asked: Tokens) -> Result<Answer, ApiError> {
    match asked {
        Tokens::ListTokens => list(session).await,
        Tokens::CreateToken => create(session).await,
        Tokens::DeleteToken { id } => delete(session, id).await,
    }
}

/// `GET /v1/token`: 200 with what the token of the call is called, what it is for and what it may do. 401.
pub(crate) async fn whose(env: &Env, incoming: &Incoming) -> Result<Answer, ApiError> {
    let caller = admin_or_token(env, incoming)?;
    query::none(incoming.parts().query).map_err(Problem::invalid)?;
    let identity = match caller.actor() {
        Some(admin) => {
            TokenIdentity { project: None, id: None, name: admin.name, role: Role::Manage, expires_at: None }
        }
        None => ask_own(env, incoming, caller, ShowToken).await?,
    };
    Answer::json(200, &identity)
}

/// `POST`: 201 with the secret, the only time that it is shown; 422.
async fn create(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let draft = token::create(&session.incoming.json_text().await?, clock::now())?;
    let secret = token::mint(&session.project, &clock::random()?);
    let question = CreateToken {
        hash: token::hash(&secret),
        name: draft.name,
        role: draft.role,
        expires_at: draft.expires_at,
    };
    let token = session.ask(question).await?;
    Answer::json(201, &TokenCreated { token, secret })
}

/// `GET`: 200; 422.
async fn list(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let page = PageQuery::parse_whole(session.query()).map_err(InputFault::from)?;
    Answer::json(200, &session.ask(ListTokens { page }).await?)
}

/// `DELETE {id}`: 204; the token stops at once. 404.
async fn delete(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    session.ask(DeleteToken { id }).await?;
    Ok(Answer::no_content())
}
