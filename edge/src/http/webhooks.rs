//! `/v1/projects/{project}/webhooks`.

use postern_core::api::webhook::WebhookView;
use postern_core::fault::{InputFault, parse_json};
use postern_core::query::WebhookQuery;
use postern_core::signing::Secret;
use postern_core::webhook::parse::{self, SecretChoice};
use postern_core::webhook::rotation::Rotation;

use super::problem::{Answer, ApiError};
use super::request::if_match;
use super::{Session, unexpected};
use crate::clock;
use crate::project_do::command::{Command, Dialect, Reply};

/// `POST`: 201; 409 where the name is taken; 422 naming every bad field.
pub(super) async fn create(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let body = session.incoming.json_text().await?;
    session.once(&body);
    let draft = parse_json(&body)?;
    let (mut definition, choice) = parse::create(&draft, &session.policy()).map_err(InputFault::from)?;
    if choice == SecretChoice::Generate {
        definition.secret = Some(Secret::from_random(&clock::random()?).reveal());
    }
    webhook(session, Command::CreateWebhook { definition: Box::new(definition) }, 201).await
}

/// `GET`: 200, by name; 422 for a bad query.
pub(super) async fn list(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let query = WebhookQuery::parse(session.query()).map_err(InputFault::from)?;
    match session.ask(Command::ListWebhooks { query, contract: None }).await? {
        Reply::Webhooks(page) => Answer::json(200, &page),
        other => Err(unexpected(&other)),
    }
}

/// `GET {name}`: 200 with the version as `ETag`; 404.
pub(super) async fn show(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    webhook(session, Command::ShowWebhook { name, contract: None }, 200).await
}

/// `PATCH {name}`: 200; only what was sent changes. 404, 409, 412 where `If-Match` names another version, 422.
pub(super) async fn update(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    let if_version = if_match(session.incoming.header("if-match").as_deref())?;
    let patch = session.incoming.json_text().await?;
    parse_json(&patch)?; // what is no JSON need not travel
    webhook(session, Command::UpdateWebhook { name, patch, dialect: Dialect::Native, if_version }, 200).await
}

/// `DELETE {name}`: 204; its open deliveries are cancelled. 404, 412.
pub(super) async fn delete(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    let if_version = if_match(session.incoming.header("if-match").as_deref())?;
    match session.ask(Command::DeleteWebhook { name, contract: None, if_version }).await? {
        Reply::Done => Ok(Answer::no_content()),
        other => Err(unexpected(&other)),
    }
}

/// `GET {name}/secret`: 200 with the secret in clear, its public key and how long secrets before it sign on; 404.
pub(super) async fn secret(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    match session.ask(Command::ShowSecret { name }).await? {
        Reply::Secret(view) => Answer::json(200, &view),
        other => Err(unexpected(&other)),
    }
}

/// `POST {name}/secret/rotate`: 200 with the new secret; the one before signs beside it for a while. 404, 412, 422.
pub(super) async fn rotate_secret(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    session.never_once()?;
    let if_version = if_match(session.incoming.header("if-match").as_deref())?;
    let rotation = Rotation::parse(&session.incoming.optional_json_text().await?)?;
    match session.ask(Command::RotateSecret { name, rotation, if_version }).await? {
        Reply::Secret(view) => Answer::json(200, &view),
        other => Err(unexpected(&other)),
    }
}

/// `POST {name}/pause` and `POST {name}/resume`: 200, also where nothing changes. 404, 412.
pub(super) async fn pause(session: &mut Session<'_>, name: String, paused: bool) -> Result<Answer, ApiError> {
    let if_version = if_match(session.incoming.header("if-match").as_deref())?;
    webhook(session, Command::PauseWebhook { name, paused, if_version }, 200).await
}

async fn webhook(session: &mut Session<'_>, command: Command, status: u16) -> Result<Answer, ApiError> {
    match session.ask(command).await? {
        Reply::Webhook(view) => shown(&view, status),
        other => Err(unexpected(&other)),
    }
}

fn shown(view: &WebhookView, status: u16) -> Result<Answer, ApiError> {
    Ok(Answer::json(status, view)?.with("etag", format!("\"{}\"", view.version)))
}
