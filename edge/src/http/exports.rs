//! `/v1/projects/{project}/events/export` and `…/deliveries/export`: everything of a kind, one JSON value a
//! line, oldest first.
//!
//! The project gives one page at a time and holds nothing in between; the next is asked for when the client
//! has taken the one before. The first is there before the answer starts, so that a refusal is an answer and
//! not a broken stream.

use futures_util::stream::{self, Stream};
use postern_core::accept;
use postern_core::fault::InputFault;
use postern_core::id::Seq;
use postern_core::query::ExportQuery;
use postern_ledger::Exported;
use worker::{Env, Response};

use super::problem::{ApiError, respond_with_stream};
use crate::log;
use crate::project_do::call;
use crate::project_do::deliveries::ExportDeliveries;
use crate::project_do::events::ExportEvents;
use crate::project_do::question::{Asking, Question};
use crate::project_do::wire::Call;
use crate::session::Session;

/// Newline-delimited JSON.
const NDJSON: &str = "application/x-ndjson";
/// The same lines, for clients that ask for text.
const TEXT: &str = "text/plain";

/// `GET events/export`: 200; 422.
pub(crate) async fn events(session: &Session<'_>) -> Result<Response, ApiError> {
    let query = ExportQuery::parse_events(session.query()).map_err(InputFault::from)?;
    export(session, move |after| ExportEvents { query: query.clone(), after }).await
}

/// `GET deliveries/export`: 200; 422.
pub(crate) async fn deliveries(session: &Session<'_>) -> Result<Response, ApiError> {
    let query = ExportQuery::parse_deliveries(session.query()).map_err(InputFault::from)?;
    export(session, move |after| ExportDeliveries { query: query.clone(), after }).await
}

async fn export<Q: Question<Reply = Exported>>(
    session: &Session<'_>,
    page: impl Fn(Option<Seq>) -> Q + 'static,
) -> Result<Response, ApiError> {
    let first = session.ask(page(None)).await?;
    let rest = Rest { env: session.env.clone(), call: session.call(()), page };
    let wanted = session.incoming.header("accept");
    let is_text = accept::names(wanted.as_deref(), TEXT) && !accept::names(wanted.as_deref(), NDJSON);
    let content_type = if is_text { "text/plain; charset=utf-8" } else { NDJSON };
    Ok(respond_with_stream(content_type, lines(first, rest), &session.incoming.id)?)
}

/// How the pages after the first are asked for.
struct Rest<P> {
    env: Env,
    call: Call<()>,
    page: P,
}

/// The text of the first page, then that of each one that follows.
fn lines<Q: Question<Reply = Exported>>(
    first: Exported,
    rest: Rest<impl Fn(Option<Seq>) -> Q>,
) -> impl Stream<Item = Result<Vec<u8>, worker::Error>> {
    stream::try_unfold((Some(first), None, rest), |(page, after, rest)| async move {
        let page = match (page, after) {
            (Some(page), _) => page,
            (None, None) => return Ok(None),
            (None, after) => {
                let call = rest.call.asking(Asking((rest.page)(after)));
                call::ask(&rest.env, &call).await.map_err(|error| {
                    let problem = ApiError::from(error).into_problem(&rest.call.request_id);
                    log::warn(&rest.call.request_id, "an export broke off", &[("error", &problem.detail)]);
                    worker::Error::from(problem.detail)
                })?
            }
        };
        Ok(Some((page.lines.into_bytes(), (None, page.next, rest))))
    })
}
