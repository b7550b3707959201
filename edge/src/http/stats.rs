//! `/v1/projects/{project}/stats`: how many attempts were made, and how they ended; `/totals`: where
//! deliveries stand.

use postern_core::fault::InputFault;
use postern_core::query::{StatsQuery, TotalsQuery};

use super::problem::{Answer, ApiError};
use crate::clock;
use crate::project_do::stats::{ShowStats, ShowTotals};
use crate::session::Session;

/// `GET`: 200; 404 for an unknown webhook, 409 where too much would have to be added up, 422.
pub(crate) async fn show(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let query = StatsQuery::parse(session.query(), clock::now()).map_err(InputFault::from)?;
    Answer::json(200, &session.ask(ShowStats { query }).await?)
}

/// `GET totals`: 200; 422.
pub(crate) async fn totals(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let query = TotalsQuery::parse(session.query(), clock::now()).map_err(InputFault::from)?;
    Answer::json(200, &session.ask(ShowTotals { query }).await?)
}
