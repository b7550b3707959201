//! `/v1/projects/{project}/stats`: how many attempts were made, and how they ended.

use postern_core::fault::InputFault;
use postern_core::query::StatsQuery;

use super::problem::{Answer, ApiError};
use super::{Session, unexpected};
use crate::clock;
use crate::project_do::command::{Command, Reply};

/// `GET`: 200; 404 for an unknown webhook, 409 where too much would have to be added up, 422.
pub(super) async fn show(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let query = StatsQuery::parse(session.query(), clock::now()).map_err(InputFault::from)?;
    match session.ask(Command::ShowStats { query }).await? {
        Reply::Stats(view) => Answer::json(200, &view),
        other => Err(unexpected(&other)),
    }
}
