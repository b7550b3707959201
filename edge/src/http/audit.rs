//! `/v1/projects/{project}/audit`: who did what.

use postern_core::fault::InputFault;
use postern_core::operation::AuditLog;
use postern_core::query::AuditQuery;

use super::problem::{Answer, ApiError};
use crate::project_do::audit::ListAudit;
use crate::session::Session;

/// Answers an operation of this resource.
pub(crate) async fn answer(session: &mut Session<'_>, asked: AuditLog) -> Result<Answer, ApiError> {
    match asked {
        AuditLog::ListAudit => list(session).await,
    }
}

/// `GET`: 200, newest first; 422.
async fn list(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let query = AuditQuery::parse(session.query()).map_err(InputFault::from)?;
    Answer::json(200, &session.ask(ListAudit { query }).await?)
}
