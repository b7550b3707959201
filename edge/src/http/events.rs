//! `/v1/projects/{project}/events`: where producers post.
//!
//! A 202 means that the event and its deliveries are stored (see `project_do`). Attempts that the project
//! handed back with it are made after the answer, in `wait_until`: the inline lane.

use futures_channel::oneshot;
use futures_util::future::{self, OptionFuture};
use postern_core::api::event::{BatchAccepted, EventAccepted};
use postern_core::event::{self, NewEvent};
use postern_core::fault::{Fault, InputFault};
use postern_core::operation::Events;
use postern_core::query::{DryRunQuery, EventQuery, PageQuery};
use postern_ledger::WorkSet;

use super::dry_run;
use super::exports;
use super::problem::{Answer, ApiError, Outcome};
use super::request::IDEMPOTENCY_KEY;
use crate::clock;
use crate::meter;
use crate::project_do::call::{self, Joined};
use crate::project_do::deliveries::ListEventDeliveries;
use crate::project_do::events::{Accepted, Ingest, ListEventDecisions, ListEvents, ShowEvent};
use crate::project_do::question::Asking;
use crate::session::Session;

/// Answers an operation of this resource.
pub(crate) async fn answer(session: &mut Session<'_>, asked: Events) -> Result<Outcome, ApiError> {
    let answer = match asked {
        Events::ListEvents => list(session).await,
        Events::CreateEvent => create(session).await,
        Events::CreateEvents => create_batch(session).await,
        Events::DryRunEvent => dry_run::show(session).await,
        Events::ExportEvents => return exports::events(session).await.map(Outcome::Response),
        Events::GetEvent { id } => show(session, id).await,
        Events::ListEventDeliveries { id } => list_deliveries(session, id).await,
        Events::ListEventDecisions { id } => list_decisions(session, id).await,
    };
    answer.map(Outcome::Answer)
}

/// `POST`: 202; 409 where the idempotency key was used with other content; 422.
async fn create(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let body = session.incoming.json_text().await?;
    let event = with_key(event::parse_event(&body)?, session.incoming.header(IDEMPOTENCY_KEY))?;
    let accepted = ingest(session, vec![event]).await.map_err(of_the_only_event)?;
    match accepted.into_iter().next() {
        Some(accepted) => Answer::json(202, &accepted),
        None => Err(ApiError::Internal(String::from("an accepted event is missing from the reply"))),
    }
}

/// `POST batch`: 202 for all of them or none; 409, 422.
async fn create_batch(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let body = session.incoming.json_text().await?;
    session.once(&body);
    let events = event::parse_batch(&body)?;
    let items = ingest(session, events).await?;
    Answer::json(202, &BatchAccepted { items })
}

/// `GET`: 200, newest first and without data; 422.
async fn list(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let query = EventQuery::parse(session.query()).map_err(InputFault::from)?;
    Answer::json(200, &session.ask(ListEvents { query }).await?)
}

/// `GET {id}`: 200 with data; 404.
async fn show(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    Answer::json(200, &session.ask(ShowEvent { id }).await?)
}

/// `GET {id}/deliveries`: 200, newest first; 404, 422.
async fn list_deliveries(session: &mut Session<'_>, event: String) -> Result<Answer, ApiError> {
    let page = PageQuery::parse_whole(session.query()).map_err(InputFault::from)?;
    Answer::json(200, &session.ask(ListEventDeliveries { event, page }).await?)
}

/// `GET {id}/decisions`: 200, by name; 404, 422.
async fn list_decisions(session: &mut Session<'_>, event: String) -> Result<Answer, ApiError> {
    let query = DryRunQuery::parse(session.query()).map_err(InputFault::from)?;
    Answer::json(200, &session.ask(ListEventDecisions { event, webhook: query.webhook }).await?)
}

/// The whole of it goes on if the client hangs up: the project may have leased deliveries to this invocation
/// by then, and other requests may wait for the call that it makes.
async fn ingest(session: &mut Session<'_>, events: Vec<NewEvent>) -> Result<Vec<EventAccepted>, ApiError> {
    let started_at = clock::now();
    let (env, project) = (session.env.clone(), session.project.clone());
    let (dispatcher, call) = (session.dispatcher()?, session.call(Asking(Ingest { events })));
    let (tell, told) = oneshot::channel();
    let asked = async move {
        let Joined { ticket, carry } = match call::join(&env, &call).await {
            Ok(joined) => joined,
            Err(error) => return drop(tell.send(Err(error))),
        };
        let own = async move {
            let (outcome, work) = match call::reply_to::<Ingest>(ticket).await {
                Ok(Accepted { items, work }) => (Ok(items), work),
                Err(error) => (Err(error), WorkSet::default()),
            };
            // The receiver is gone if the client is.
            let _client_left = tell.send(outcome);
            if !work.works.is_empty() {
                dispatcher.run_works(project, work, started_at).await;
            }
        };
        future::join(own, OptionFuture::from(carry)).await;
    };
    let items = session.ask_to_the_end(told, asked).await?;
    meter::accepted(items.iter().filter(|item| !item.duplicate).count() as u64);
    Ok(items)
}

/// The project knows events by their place among those of the call; one that was posted alone is the body
/// itself.
fn of_the_only_event(error: ApiError) -> ApiError {
    match error {
        ApiError::Problem(problem) => ApiError::from(problem.below("/events/0")),
        other => other,
    }
}

/// The event with the key of the header, which must not contradict the body's.
fn with_key(event: NewEvent, header: Option<String>) -> Result<NewEvent, ApiError> {
    let Some(key) = header else {
        return Ok(event);
    };
    if event.idempotency_key.as_ref().is_some_and(|body| *body != key) {
        let detail = "is not that of the Idempotency-Key header: send one of them";
        return Err(InputFault::from(Fault::new("/idempotency_key", detail)).into());
    }
    Ok(NewEvent { idempotency_key: Some(key), ..event })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(key: Option<&str>) -> NewEvent {
        let mut event = event::parse_event(r#"{"type":"a","data":1}"#).unwrap();
        event.idempotency_key = key.map(String::from);
        event
    }

    #[test]
    fn the_header_names_the_key_unless_the_body_says_another() {
        let key = |body: Option<&str>, header: Option<&str>| {
            with_key(event(body), header.map(String::from)).ok().map(|event| event.idempotency_key)
        };
        assert_eq!(key(None, None), Some(None));
        assert_eq!(key(Some("a"), None), Some(Some(String::from("a"))));
        assert_eq!(key(None, Some("b")), Some(Some(String::from("b"))));
        assert_eq!(key(Some("a"), Some("a")), Some(Some(String::from("a"))));
        assert_eq!(key(Some("a"), Some("b")), None);
    }
}
