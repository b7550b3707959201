//! `/v1/projects/{project}/webhooks`.

use postern_core::api::webhook::WebhookView;
use postern_core::fault::{InputFault, parse_json};
use postern_core::operation::Webhooks;
use postern_core::query::WebhookQuery;
use postern_core::signing::Secret;
use postern_core::webhook::parse::{self, SecretChoice};
use postern_core::webhook::rotation::Rotation;

use super::problem::{Answer, ApiError};
use super::request::if_match;
use crate::clock;
use crate::project_do::webhooks::{
    CreateWebhook, DeleteWebhook, Dialect, ListWebhooks, PauseWebhook, RotateSecret, ShowSecret, ShowWebhook,
    UpdateWebhook,
};
use crate::session::Session;

/// Answers an operation of this resource.
pub(crate) async fn answer(session: &mut Session<'_>, asked: Webhooks) -> Result<Answer, ApiError> {
    match asked {
        Webhooks::ListWebhooks => list(session).await,
        Webhooks::CreateWebhook => create(session).await,
        Webhooks::GetWebhook { name } => show(session, name).await,
        Webhooks::UpdateWebhook { name } => update(session, name).await,
        Webhooks::DeleteWebhook { name } => delete(session, name).await,
        Webhooks::GetWebhookSecret { name } => secret(session, name).await,
        Webhooks::RotateWebhookSecret { name } => rotate_secret(session, name).await,
        Webhooks::PauseWebhook { name } => pause(session, name).await,
        Webhooks::ResumeWebhook { name } => resume(session, name).await,
    }
}

/// `POST`: 201; 409 where the name is taken; 422 naming every bad field.
async fn create(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let body = session.incoming.json_text().await?;
    session.once(&body);
    let draft = parse_json(&body)?;
    let (mut definition, choice) = parse::create(&draft, &session.policy()).map_err(InputFault::from)?;
    if choice == SecretChoice::Generate {
        definition.secret = Some(Secret::from_random(&clock::random()?).reveal());
    }
    shown(&session.ask(CreateWebhook { definition: Box::new(definition) }).await?, 201)
}

/// `GET`: 200, by name; 422 for a bad query.
async fn list(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let query = WebhookQuery::parse(session.query()).map_err(InputFault::from)?;
    Answer::json(200, &session.ask(ListWebhooks { query, contract: None }).await?)
}

/// `GET {name}`: 200 with the version as `ETag`; 404.
async fn show(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    shown(&session.ask(ShowWebhook { name, contract: None }).await?, 200)
}

/// `PATCH {name}`: 200; only what was sent changes. 404, 409, 412 where `If-Match` names another version,
/// 422.
async fn update(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    let if_version = if_match(session.incoming.header("if-match").as_deref())?;
    let patch = session.incoming.json_text().await?;
    parse_json(&patch)?; // a body that is not JSON need not travel
    shown(&session.ask(UpdateWebhook { name, patch, dialect: Dialect::Native, if_version }).await?, 200)
}

/// `DELETE {name}`: 204; its open deliveries are cancelled. 404, 412.
async fn delete(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    let if_version = if_match(session.incoming.header("if-match").as_deref())?;
    session.ask(DeleteWebhook { name, contract: None, if_version }).await?;
    Ok(Answer::no_content())
}

/// `GET {name}/secret`: 200 with the secret in clear, its public key and how long secrets before it sign on;
/// 404.
async fn secret(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    Answer::json(200, &session.ask(ShowSecret { name }).await?)
}

/// `POST {name}/secret/rotate`: 200 with the new secret; the one before signs beside it for a while. 404,
/// 412, 422.
async fn rotate_secret(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    let if_version = if_match(session.incoming.header("if-match").as_deref())?;
    let rotation = Rotation::parse(&session.incoming.optional_json_text().await?)?;
    Answer::json(200, &session.ask(RotateSecret { name, rotation, if_version }).await?)
}

/// `POST {name}/pause`: 200, also if it is paused already. 404, 412.
async fn pause(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    let if_version = if_match(session.incoming.header("if-match").as_deref())?;
    shown(&session.ask(PauseWebhook { name, paused: true, if_version }).await?, 200)
}

/// `POST {name}/resume`: 200, also if it is not paused. 404, 412.
async fn resume(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    let if_version = if_match(session.incoming.header("if-match").as_deref())?;
    shown(&session.ask(PauseWebhook { name, paused: false, if_version }).await?, 200)
}

fn shown(view: &WebhookView, status: u16) -> Result<Answer, ApiError> {
    Ok(Answer::json(status, view)?.with("etag", format!("\"{}\"", view.version)))
}
