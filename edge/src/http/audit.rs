//! `/v1/projects/{project}/audit`: who did what.

use postern_core::fault::InputFault;
use postern_core::query::AuditQuery;

use super::problem::{Answer, ApiError};
use super::{Session, unexpected};
use crate::project_do::command::{Command, Reply};

/// `GET`: 200, newest first; 422.
pub(super) async fn list(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let query = AuditQuery::parse(session.query()).map_err(InputFault::from)?;
    match session.ask(Command::ListAudit { query }).await? {
        Reply::Audit(page) => Answer::json(200, &page),
        other => Err(unexpected(&other)),
    }
}
