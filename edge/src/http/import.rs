//! `/v1/projects/{project}/import/preview`: what another system's listing of webhooks would become here.
//! Nothing is stored.

use postern_core::import::{self, LISTING_BYTES_MAX, Request};
use postern_core::operation::Operation;

use super::problem::{Answer, ApiError};
use crate::session::Session;

/// `POST`: 200 with a document for `config/apply` and a note for everything that could not be taken over;
/// 422.
pub(crate) async fn preview(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let body = session.incoming.json_text_up_to(LISTING_BYTES_MAX).await?;
    let request = Request::parse(&body)?;
    session.may(Operation::PreviewImport).await?;
    Answer::json(200, &import::preview(&request, &session.policy()))
}
