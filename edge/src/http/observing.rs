//! Operations that only look: counts, metrics, and the ticket to the live feed.

use postern_core::operation::Observing;

use super::problem::{Answer, ApiError};
use super::{live, metrics, stats};
use crate::session::Session;

/// Answers an operation of this resource.
pub(crate) async fn answer(session: &mut Session<'_>, asked: Observing) -> Result<Answer, ApiError> {
    match asked {
        Observing::GetStats => stats::show(session).await,
        Observing::GetTotals => stats::totals(session).await,
        Observing::GetProjectMetrics => metrics::show(session).await,
        Observing::CreateLiveTicket => live::create_ticket(session).await,
    }
}
