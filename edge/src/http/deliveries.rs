//! `/v1/projects/{project}/deliveries`.

use postern_core::fault::InputFault;
use postern_core::query::DeliveryQuery;

use super::problem::{Answer, ApiError};
use crate::project_do::deliveries::{CancelDelivery, ListDeliveries, ResendDelivery, ShowDelivery};
use crate::session::Session;

/// `GET`: 200, newest first; 422.
pub(crate) async fn list(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let query = DeliveryQuery::parse(session.query()).map_err(InputFault::from)?;
    Answer::json(200, &session.ask(ListDeliveries { query }).await?)
}

/// `GET {id}`: 200 with attempts, event and reason; 404.
pub(crate) async fn show(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    Answer::json(200, &session.ask(ShowDelivery { id }).await?)
}

/// `POST {id}/retry`: 202; it is due now. 404, 409 while it is being called.
pub(crate) async fn resend(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    Answer::json(202, &session.ask(ResendDelivery { id }).await?)
}

/// `POST {id}/cancel`: 200; no more attempts. 404, 409 once it has ended.
pub(crate) async fn cancel(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    Answer::json(200, &session.ask(CancelDelivery { id }).await?)
}
