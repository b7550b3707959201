//! `/v1/projects/{project}/deliveries`.

use postern_core::fault::InputFault;
use postern_core::query::DeliveryQuery;

use super::problem::{Answer, ApiError};
use super::{Session, unexpected};
use crate::project_do::command::{Command, Reply};

/// `GET`: 200, newest first; 422.
pub(super) async fn list(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let query = DeliveryQuery::parse(session.query()).map_err(InputFault::from)?;
    match session.ask(Command::ListDeliveries { query }).await? {
        Reply::Deliveries(page) => Answer::json(200, &page),
        other => Err(unexpected(&other)),
    }
}

/// `GET {id}`: 200 with attempts, event and reason; 404.
pub(super) async fn show(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    match session.ask(Command::ShowDelivery { id }).await? {
        Reply::DeliveryDetail(detail) => Answer::json(200, &detail),
        other => Err(unexpected(&other)),
    }
}

/// `POST {id}/retry`: 202; it is due now. 404, 409 while it is being called.
pub(super) async fn resend(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    delivery(session, Command::Resend { id }, 202).await
}

/// `POST {id}/cancel`: 200; no more attempts. 404, 409 once it has ended.
pub(super) async fn cancel(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    delivery(session, Command::Cancel { id }, 200).await
}

async fn delivery(session: &mut Session<'_>, command: Command, status: u16) -> Result<Answer, ApiError> {
    match session.ask(command).await? {
        Reply::Delivery(view) => Answer::json(status, &view),
        other => Err(unexpected(&other)),
    }
}
