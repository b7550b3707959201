//! `/v1/projects/{project}/replays`: sending again what was sent before, or what never was.

use postern_core::fault::InputFault;
use postern_core::operation::Replays;
use postern_core::query::PageQuery;
use postern_core::replay;

use super::problem::{Answer, ApiError};
use crate::project_do::replays::{CancelReplay, CountReplay, CreateReplay, ListReplays, ShowReplay};
use crate::session::Session;

/// Answers an operation of this resource.
pub(crate) async fn answer(session: &mut Session<'_>, asked: Replays) -> Result<Answer, ApiError> {
    match asked {
        Replays::ListReplays => list(session).await,
        Replays::CreateReplay => create(session).await,
        Replays::GetReplay { id } => show(session, id).await,
        Replays::CancelReplay { id } => cancel(session, id).await,
    }
}

/// `POST`: 202 with the replay, which goes on in the background; with `dry_run` 200 with how many deliveries
/// it would make due. 404 for an unknown webhook, 409 where ten are running, 422.
async fn create(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let body = session.incoming.json_text().await?;
    let request = replay::parse(&body)?;
    if !request.dry_run {
        session.once(&body);
        return Answer::json(202, &session.ask(CreateReplay { query: request.query }).await?);
    }
    Answer::json(200, &session.ask(CountReplay { query: request.query }).await?)
}

/// `GET`: 200, newest first; 422.
async fn list(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let page = PageQuery::parse(session.query()).map_err(InputFault::from)?;
    Answer::json(200, &session.ask(ListReplays { page }).await?)
}

/// `GET {id}`: 200; 404.
async fn show(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    Answer::json(200, &session.ask(ShowReplay { id }).await?)
}

/// `POST {id}/cancel`: 200; what it made due stays due. 404, 409 once it has ended.
async fn cancel(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    Answer::json(200, &session.ask(CancelReplay { id }).await?)
}
