//! `/v1/projects/{project}/replays`: sending again what was sent before, or what never was.

use postern_core::fault::InputFault;
use postern_core::query::PageQuery;
use postern_core::replay;

use super::problem::{Answer, ApiError};
use super::{Session, unexpected};
use crate::project_do::command::{Command, Reply};

/// `POST`: 202 with the replay, which goes on in the background; with `dry_run` 200 with how many deliveries it would make
/// due. 404 for an unknown webhook, 409 where ten are running, 422.
pub(super) async fn create(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let body = session.incoming.json_text().await?;
    let request = replay::parse(&body)?;
    if !request.dry_run {
        session.once(&body);
        return one(session, Command::CreateReplay { query: request.query }, 202).await;
    }
    match session.ask(Command::CountReplay { query: request.query }).await? {
        Reply::ReplayCount(count) => Answer::json(200, &count),
        other => Err(unexpected(&other)),
    }
}

/// `GET`: 200, newest first; 422.
pub(super) async fn list(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let page = PageQuery::parse(session.query()).map_err(InputFault::from)?;
    match session.ask(Command::ListReplays { page }).await? {
        Reply::Replays(page) => Answer::json(200, &page),
        other => Err(unexpected(&other)),
    }
}

/// `GET {id}`: 200; 404.
pub(super) async fn show(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    one(session, Command::ShowReplay { id }, 200).await
}

/// `POST {id}/cancel`: 200; what it made due stays due. 404, 409 once it has ended.
pub(super) async fn cancel(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    one(session, Command::CancelReplay { id }, 200).await
}

async fn one(session: &mut Session<'_>, command: Command, status: u16) -> Result<Answer, ApiError> {
    match session.ask(command).await? {
        Reply::Replay(view) => Answer::json(status, &view),
        other => Err(unexpected(&other)),
    }
}
