//! `/v1/projects/{project}/event-types`: the catalogue.

use postern_core::api::page::Page;
use postern_core::event;
use postern_core::fault::{InputFault, parse_json};

use super::problem::{Answer, ApiError};
use super::{Session, unexpected};
use crate::project_do::command::{Command, Reply};

/// `POST`: 201; 409 where it is there already; 422.
pub(super) async fn create(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let body = parse_json(&session.incoming.json_text().await?)?;
    let draft = event::parse_event_type(&body).map_err(InputFault::from)?;
    match session.ask(Command::CreateEventType { draft }).await? {
        Reply::EventType(view) => Answer::json(201, &view),
        other => Err(unexpected(&other)),
    }
}

/// `GET`: 200.
pub(super) async fn list(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    match session.ask(Command::ListEventTypes).await? {
        Reply::EventTypes(items) => Answer::json(200, &Page { items, next: None }),
        other => Err(unexpected(&other)),
    }
}

/// `DELETE {name}`: 204; 404.
pub(super) async fn delete(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    match session.ask(Command::DeleteEventType { name }).await? {
        Reply::Done => Ok(Answer::no_content()),
        other => Err(unexpected(&other)),
    }
}
