//! `/v1/projects/{project}/event-types`: the catalogue.

use postern_core::api::event::EventTypeView;
use postern_core::event;
use postern_core::fault::{InputFault, parse_json};
use postern_core::operation::EventTypes;
use postern_core::query::PageQuery;

use super::problem::{Answer, ApiError};
use super::request::if_match;
use crate::project_do::event_types::{
    CreateEventType, DeleteEventType, ListEventTypes, ShowEventType, UpdateEventType,
};
use crate::session::Session;

/// Answers an operation of this resource.
pub(crate) async fn answer(session: &mut Session<'_>, asked: EventTypes) -> Result<Answer, ApiError> {
    match asked {
        EventTypes::ListEventTypes => list(session).await,
        EventTypes::CreateEventType => create(session).await,
        EventTypes::GetEventType { name } => show(session, name).await,
        EventTypes::UpdateEventType { name } => update(session, name).await,
        EventTypes::DeleteEventType { name } => delete(session, name).await,
    }
}

/// `POST`: 201 with the version as `ETag`; 409 where it is there already; 422.
async fn create(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let body = session.incoming.json_text().await?;
    session.once(&body);
    let draft = event::parse_event_type(&parse_json(&body)?).map_err(InputFault::from)?;
    shown(&session.ask(CreateEventType { draft }).await?, 201)
}

/// `GET`: 200; 422.
async fn list(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let page = PageQuery::parse_whole(session.query()).map_err(InputFault::from)?;
    Answer::json(200, &session.ask(ListEventTypes { page }).await?)
}

/// `GET {name}`: 200 with the version as `ETag`; 404.
async fn show(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    shown(&session.ask(ShowEventType { name }).await?, 200)
}

/// `PATCH {name}`: 200; only what was sent changes. 404, 412 where `If-Match` names another version, 422.
async fn update(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    let if_version = if_match(session.incoming.header("if-match").as_deref())?;
    let patch = session.incoming.json_text().await?;
    parse_json(&patch)?; // a body that is not JSON need not travel
    shown(&session.ask(UpdateEventType { name, patch, if_version }).await?, 200)
}

/// `DELETE {name}`: 204; 404, 412.
async fn delete(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    let if_version = if_match(session.incoming.header("if-match").as_deref())?;
    session.ask(DeleteEventType { name, if_version }).await?;
    Ok(Answer::no_content())
}

fn shown(view: &EventTypeView, status: u16) -> Result<Answer, ApiError> {
    Ok(Answer::json(status, view)?.with("etag", format!("\"{}\"", view.version)))
}
