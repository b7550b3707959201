//! `/v1/projects/{project}/runs`: long jobs that executors claim, with their callbacks.

use postern_core::fault::InputFault;
use postern_core::run::Entry;
use postern_core::run::parse::{self, RunQuery};

use super::problem::{Answer, ApiError};
use super::{Session, unexpected};
use crate::project_do::command::{Command, Reply};
use crate::project_do::runs::{RunCommand, RunReply};

/// What a run that was created here says of its entry.
const ENDPOINT: &str = "runs";

/// `POST`: 201; its callbacks are probed before it is offered. 409 for a key that was used with another body, 422.
pub(super) async fn create(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let body = session.incoming.json_text().await?;
    session.once(&body);
    let parts = session.incoming.parts();
    let entry = Entry {
        origin: String::from(parts.origin),
        path: String::from(parts.path),
        endpoint: String::from(ENDPOINT),
    };
    let draft = parse::create(&body, &session.policy(), entry)?;
    turn(session, RunCommand::Create { draft: Box::new(draft) }, 201).await
}

/// `GET`: 200, newest first; 422.
pub(super) async fn list(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let query = RunQuery::parse(session.query()).map_err(InputFault::from)?;
    match ask(session, RunCommand::List { query }).await? {
        RunReply::Page(page) => Answer::json(200, &page),
        other => Err(unexpected(&Reply::Runs(other))),
    }
}

/// `GET {id}`: 200 with chain, log, results and callbacks; 404.
pub(super) async fn show(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    match ask(session, RunCommand::Show { id }).await? {
        RunReply::Detail(detail) => Answer::json(200, &detail),
        other => Err(unexpected(&Reply::Runs(other))),
    }
}

/// `POST claim`: 200 with what is to be done, 204 where nothing waits; 422.
pub(super) async fn claim(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let lease_s = parse::claim(&session.incoming.optional_json_text().await?)?;
    match ask(session, RunCommand::Claim { lease_s }).await? {
        RunReply::Claim(Some(claim)) => Answer::json(200, &claim),
        RunReply::Claim(None) => Ok(Answer::no_content()),
        other => Err(unexpected(&Reply::Runs(other))),
    }
}

/// `POST {id}/updates`: 202, and the lease begins anew; an empty object only renews it. 404, 409 once the run has ended or is
/// another executor's, 422.
pub(super) async fn update(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    let update = parse::update(&session.incoming.optional_json_text().await?)?;
    turn(session, RunCommand::Update { id, update }, 202).await
}

/// `POST {id}/finish`: 202; 404, 409, 422.
pub(super) async fn finish(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    let end = parse::finish(&session.incoming.json_text().await?)?;
    turn(session, RunCommand::Finish { id, end }, 202).await
}

/// `POST {id}/terminate`: 200; the executor learns it by a 409. 404, 409 once it has ended.
pub(super) async fn terminate(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    turn(session, RunCommand::Terminate { id }, 200).await
}

/// `POST {id}/callbacks/{kind}/retry`: 202, and the call follows. 404 where the run has no such callback, 409 where it can not be
/// called again.
pub(super) async fn resend(session: &mut Session<'_>, id: String, kind: String) -> Result<Answer, ApiError> {
    turn(session, RunCommand::Resend { id, kind }, 202).await
}

async fn turn(session: &mut Session<'_>, command: RunCommand, status: u16) -> Result<Answer, ApiError> {
    match ask(session, command).await? {
        RunReply::Turn(turn) => {
            let answer = Answer::json(status, &turn.run)?;
            if !turn.calls.is_empty() {
                session
                    .context
                    .wait_until(session.dispatcher()?.run_calls(session.project.clone(), turn.calls));
            }
            Ok(answer)
        }
        other => Err(unexpected(&Reply::Runs(other))),
    }
}

/// Asks the project about its runs.
///
/// # Errors
/// See [`Session::ask`].
pub(crate) async fn ask(session: &Session<'_>, command: RunCommand) -> Result<RunReply, ApiError> {
    match session.ask(Command::Runs(command)).await? {
        Reply::Runs(reply) => Ok(reply),
        other => Err(unexpected(&other)),
    }
}
