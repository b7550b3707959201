//! `/v1/projects/{project}/audit`: who did what.

use postern_core::fault::InputFault;
use postern_core::query::AuditQuery;

use super::problem::{Answer, ApiError};
use crate::project_do::audit::ListAudit;
use crate::session::Session;

/// `GET`: 200, newest first; 422.
pub(crate) async fn list(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let query = AuditQuery::parse(session.query()).map_err(InputFault::from)?;
    Answer::json(200, &session.ask(ListAudit { query }).await?)
}
