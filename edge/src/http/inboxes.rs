//! `/v1/projects/{project}/inboxes`, and `/in/{project}.{key}` where their requests arrive.

use postern_core::fault::BODY_BYTES_MAX;
use postern_core::fault::InputFault;
use postern_core::inbox;
use postern_core::operation::Inboxes;
use postern_core::problem::ProblemType;
use postern_core::query::PageQuery;
use postern_core::token::base32_lower;
use worker::Env;

use super::problem::{Answer, ApiError};
use super::request::Incoming;
use crate::body;
use crate::clock;
use crate::project_do::call;
use crate::project_do::inbox_request;
use crate::project_do::inboxes::{
    ClearRequests, CreateInbox, DeleteInbox, ListInboxes, ListRequests, Receive, Received, ShowInbox,
    UpdateInbox,
};
use crate::session::Session;

/// Answers an operation of this resource.
pub(crate) async fn answer(session: &mut Session<'_>, asked: Inboxes) -> Result<Answer, ApiError> {
    match asked {
        Inboxes::ListInboxes => list(session).await,
        Inboxes::CreateInbox => create(session).await,
        Inboxes::GetInbox { id } => show(session, id).await,
        Inboxes::UpdateInbox { id } => update(session, id).await,
        Inboxes::DeleteInbox { id } => delete(session, id).await,
        Inboxes::ListInboxRequests { id } => requests(session, id).await,
        Inboxes::ClearInboxRequests { id } => clear(session, id).await,
    }
}

/// Random bytes of an inbox's key. 12 of them are 20 characters of base32: 96 bits that nobody guesses.
const KEY_BYTES: usize = 12;

/// `POST`: 201 with the address; 409 where the name is taken; 422.
async fn create(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let body = session.incoming.json_text().await?;
    session.once(&body);
    let draft = inbox::create(&body)?;
    let key = base32_lower(&clock::random::<KEY_BYTES>()?);
    Answer::json(201, &session.ask(CreateInbox { name: draft.name, key }).await?)
}

/// `GET`: 200.
async fn list(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let page = PageQuery::parse(session.query()).map_err(InputFault::from)?;
    Answer::json(200, &session.ask(ListInboxes { page }).await?)
}

/// `GET {id}`: 200; 404.
async fn show(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    Answer::json(200, &session.ask(ShowInbox { id }).await?)
}

/// `PATCH {id}`: 200; 404, 409, 422.
async fn update(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    let patch = inbox::update(&session.incoming.json_text().await?)?;
    let change = patch.answer.unwrap_or_default();
    let question = UpdateInbox {
        id,
        name: patch.name,
        status: change.status,
        delay_ms: change.delay_ms,
        body: change.body,
    };
    Answer::json(200, &session.ask(question).await?)
}

/// `DELETE {id}`: 204; 404.
async fn delete(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    session.ask(DeleteInbox { id }).await?;
    Ok(Answer::no_content())
}

/// `GET {id}/requests`: 200, newest first; 404, 422.
async fn requests(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    let page = PageQuery::parse(session.query()).map_err(InputFault::from)?;
    let mut page = session.ask(ListRequests { id, page }).await?;
    for request in &mut page.items {
        request.body_text = inbox::text_of(request, body::decode);
    }
    Answer::json(200, &page)
}

/// `DELETE {id}/requests`: 204; 404.
async fn clear(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    session.ask(ClearRequests { id }).await?;
    Ok(Answer::no_content())
}

/// Any method at `/in/{project}.{key}[/…]`: recorded, then answered as the inbox is told. 404 for an unknown
/// inbox.
///
/// Headers are recorded in the platform's order (by name), which has lost the order on the wire.
pub(crate) async fn receive(env: &Env, incoming: &mut Incoming, path: &str) -> Result<Answer, ApiError> {
    let unknown = || ApiError::problem(ProblemType::NotFound, "there is no such inbox");
    let (project, key, rest) = inbox_request::parse_path(path).ok_or_else(unknown)?;
    let body = incoming.body_up_to(BODY_BYTES_MAX).await?;
    let query = incoming.parts().query;
    let below = if query.is_empty() { String::from(rest) } else { format!("{rest}?{query}") };
    let headers = incoming.headers.entries().collect();
    let request = inbox_request::arrived(incoming.method.clone(), below, headers, body, &incoming.id);
    let question = Receive { key: String::from(key), request: Box::new(request) };
    let received = call::ask_as_postern(env, &incoming.id, &project, question).await?;
    let Received { answer } = received.ok_or_else(unknown)?;
    if answer.delay_ms > 0 {
        clock::sleep(answer.delay_ms).await;
    }
    // Plain text, whatever it is: it stands under the dashboard's own origin.
    let headers = vec![("content-type", String::from("text/plain; charset=utf-8"))];
    Ok(Answer { status: answer.status, headers, body: Some(answer.body) })
}
