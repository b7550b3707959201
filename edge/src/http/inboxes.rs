//! `/v1/projects/{project}/inboxes`, and `/in/{project}.{key}` where their requests arrive.

use postern_core::fault::BODY_BYTES_MAX;
use postern_core::fault::InputFault;
use postern_core::inbox;
use postern_core::problem::ProblemType;
use postern_core::query::PageQuery;
use postern_core::token::base32_lower;
use worker::Env;

use super::problem::{Answer, ApiError};
use super::request::Incoming;
use super::{Session, unexpected};
use crate::body;
use crate::clock;
use crate::project_do::call;
use crate::project_do::command::{Command, Reply};
use crate::project_do::inbox_request;

/// Random bytes of an inbox's key. 12 of them are 20 characters of base32: 96 bits that nobody guesses.
const KEY_BYTES: usize = 12;

/// `POST`: 201 with the address; 409 where the name is taken; 422.
pub(super) async fn create(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let body = session.incoming.json_text().await?;
    session.once(&body);
    let draft = inbox::create(&body)?;
    let key = base32_lower(&clock::random::<KEY_BYTES>()?);
    answer(session, Command::CreateInbox { name: draft.name, key }, 201).await
}

/// `GET`: 200.
pub(super) async fn list(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let page = PageQuery::parse(session.query()).map_err(InputFault::from)?;
    match session.ask(Command::ListInboxes { page }).await? {
        Reply::Inboxes(page) => Answer::json(200, &page),
        other => Err(unexpected(&other)),
    }
}

/// `GET {id}`: 200; 404.
pub(super) async fn show(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    answer(session, Command::ShowInbox { id }, 200).await
}

/// `PATCH {id}`: 200; 404, 409, 422.
pub(super) async fn update(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    let patch = inbox::update(&session.incoming.json_text().await?)?;
    let change = patch.answer.unwrap_or_default();
    let command = Command::UpdateInbox {
        id,
        name: patch.name,
        status: change.status,
        delay_ms: change.delay_ms,
        body: change.body,
    };
    answer(session, command, 200).await
}

/// `DELETE {id}`: 204; 404.
pub(super) async fn delete(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    done(session, Command::DeleteInbox { id }).await
}

/// `GET {id}/requests`: 200, newest first; 404, 422.
pub(super) async fn requests(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    let page = PageQuery::parse(session.query()).map_err(InputFault::from)?;
    match session.ask(Command::ListRequests { id, page }).await? {
        Reply::Requests(mut page) => {
            for request in &mut page.items {
                request.body_text = inbox::text_of(request, body::decode);
            }
            Answer::json(200, &page)
        }
        other => Err(unexpected(&other)),
    }
}

/// `DELETE {id}/requests`: 204; 404.
pub(super) async fn clear(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    done(session, Command::ClearRequests { id }).await
}

async fn answer(session: &mut Session<'_>, command: Command, status: u16) -> Result<Answer, ApiError> {
    match session.ask(command).await? {
        Reply::Inbox(view) => Answer::json(status, &view),
        other => Err(unexpected(&other)),
    }
}

async fn done(session: &mut Session<'_>, command: Command) -> Result<Answer, ApiError> {
    match session.ask(command).await? {
        Reply::Done => Ok(Answer::no_content()),
        other => Err(unexpected(&other)),
    }
}

/// Any method at `/in/{project}.{key}[/…]`: recorded, then answered as the inbox is told. 404 where there is none.
///
/// Headers are recorded in the platform's order (by name), which has lost the order on the wire.
pub(super) async fn receive(env: &Env, incoming: &mut Incoming, path: &str) -> Result<Answer, ApiError> {
    let unknown = || ApiError::problem(ProblemType::NotFound, "there is no such inbox");
    let (project, key, rest) = inbox_request::parse_path(path).ok_or_else(unknown)?;
    let body = incoming.body_up_to(BODY_BYTES_MAX).await?;
    let query = incoming.parts().query;
    let below = if query.is_empty() { String::from(rest) } else { format!("{rest}?{query}") };
    let headers = incoming.headers.entries().collect();
    let request = inbox_request::arrived(incoming.method.clone(), below, headers, body, &incoming.id);
    let command = Command::Receive { key: String::from(key), request: Box::new(request) };
    match call::ask_as_postern(env, &incoming.id, &project, command).await? {
        Reply::Received(Some(received)) => {
            let told = received.answer;
            if told.delay_ms > 0 {
                clock::sleep(told.delay_ms).await;
            }
            // Plain text, whatever it is: it stands under the dashboard's own origin.
            let headers = vec![("content-type", String::from("text/plain; charset=utf-8"))];
            Ok(Answer { status: told.status, headers, body: Some(told.body) })
        }
        Reply::Received(None) => Err(unknown()),
        other => Err(unexpected(&other)),
    }
}
