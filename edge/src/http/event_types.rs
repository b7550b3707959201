//! `/v1/projects/{project}/event-types`: the catalogue.

use postern_core::api::event::EventTypeView;
use postern_core::event;
use postern_core::fault::{InputFault, parse_json};
use postern_core::query::PageQuery;

use super::problem::{Answer, ApiError};
use super::request::if_match;
use super::{Session, unexpected};
use crate::project_do::command::{Command, Reply};

/// `POST`: 201 with the version as `ETag`; 409 where it is there already; 422.
pub(super) async fn create(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let body = session.incoming.json_text().await?;
    session.once(&body);
    let draft = event::parse_event_type(&parse_json(&body)?).map_err(InputFault::from)?;
    event_type(session, Command::CreateEventType { draft }, 201).await
}

/// `GET`: 200; 422.
pub(super) async fn list(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let page = PageQuery::parse_whole(session.query()).map_err(InputFault::from)?;
    match session.ask(Command::ListEventTypes { page }).await? {
        Reply::EventTypes(page) => Answer::json(200, &page),
        other => Err(unexpected(&other)),
    }
}

/// `GET {name}`: 200 with the version as `ETag`; 404.
pub(super) async fn show(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    event_type(session, Command::ShowEventType { name }, 200).await
}

/// `PATCH {name}`: 200; only what was sent changes. 404, 412 where `If-Match` names another version, 422.
pub(super) async fn update(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    let if_version = if_match(session.incoming.header("if-match").as_deref())?;
    let patch = session.incoming.json_text().await?;
    parse_json(&patch)?; // what is no JSON need not travel
    event_type(session, Command::UpdateEventType { name, patch, if_version }, 200).await
}

/// `DELETE {name}`: 204; 404, 412.
pub(super) async fn delete(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    let if_version = if_match(session.incoming.header("if-match").as_deref())?;
    match session.ask(Command::DeleteEventType { name, if_version }).await? {
        Reply::Done => Ok(Answer::no_content()),
        other => Err(unexpected(&other)),
    }
}

async fn event_type(session: &mut Session<'_>, command: Command, status: u16) -> Result<Answer, ApiError> {
    match session.ask(command).await? {
        Reply::EventType(view) => shown(&view, status),
        other => Err(unexpected(&other)),
    }
}

fn shown(view: &EventTypeView, status: u16) -> Result<Answer, ApiError> {
    Ok(Answer::json(status, view)?.with("etag", format!("\"{}\"", view.version)))
}
