//! `/v1/projects/{project}/deliveries`.

use postern_core::fault::InputFault;
use postern_core::operation::Deliveries;
use postern_core::query::{DeliveryQuery, HistogramQuery};

use super::exports;
use super::problem::{Answer, ApiError, Outcome};
use crate::clock;
use crate::project_do::deliveries::{
    CancelDelivery, CountDeliveries, ListDeliveries, ResendDelivery, ShowDelivery, ShowHistogram,
};
use crate::session::Session;

/// Answers an operation of this resource.
pub(crate) async fn answer(session: &mut Session<'_>, asked: Deliveries) -> Result<Outcome, ApiError> {
    let answer = match asked {
        Deliveries::ListDeliveries => list(session).await,
        Deliveries::CountDeliveries => count(session).await,
        Deliveries::GetDeliveryHistogram => histogram(session).await,
        Deliveries::ExportDeliveries => return exports::deliveries(session).await.map(Outcome::Response),
        Deliveries::GetDelivery { id } => show(session, id).await,
        Deliveries::RetryDelivery { id } => resend(session, id).await,
        Deliveries::CancelDelivery { id } => cancel(session, id).await,
    };
    answer.map(Outcome::Answer)
}

/// `GET`: 200, newest first; 422.
async fn list(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let query = DeliveryQuery::parse(session.query()).map_err(InputFault::from)?;
    Answer::json(200, &session.ask(ListDeliveries { query }).await?)
}

/// `GET count`: 200, exact or at least so many; 422.
async fn count(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let filter = DeliveryQuery::parse_count(session.query()).map_err(InputFault::from)?;
    Answer::json(200, &session.ask(CountDeliveries { filter }).await?)
}

/// `GET histogram`: 200, of all or of the newest; 422.
async fn histogram(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let query = HistogramQuery::parse(session.query(), clock::now()).map_err(InputFault::from)?;
    Answer::json(200, &session.ask(ShowHistogram { query }).await?)
}

/// `GET {id}`: 200 with attempts, event and reason; 404.
async fn show(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    Answer::json(200, &session.ask(ShowDelivery { id }).await?)
}

/// `POST {id}/retry`: 202; it is due now. 404, 409 while it is being called.
async fn resend(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    Answer::json(202, &session.ask(ResendDelivery { id }).await?)
}

/// `POST {id}/cancel`: 200; no more attempts. 404, 409 once it has ended.
async fn cancel(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    Answer::json(200, &session.ask(CancelDelivery { id }).await?)
}
