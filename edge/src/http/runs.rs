//! `/v1/projects/{project}/runs`: long jobs that executors claim, with their callbacks.

use postern_core::fault::InputFault;
use postern_core::operation::Runs;
use postern_core::run::Entry;
use postern_core::run::parse::{self, RunQuery};
use postern_ledger::{RunCall, RunTurn};

use super::problem::{Answer, ApiError};
use crate::project_do::runs::{
    ClaimRun, CreateRun, FinishRun, ListRuns, ResendRunCallback, ShowRun, TerminateRun, UpdateRun,
};
use crate::session::Session;

/// Answers an operation of this resource.
pub(crate) async fn answer(session: &mut Session<'_>, asked: Runs) -> Result<Answer, ApiError> {
    match asked {
        Runs::ListRuns => list(session).await,
        Runs::CreateRun => create(session).await,
        Runs::ClaimRun => claim(session).await,
        Runs::GetRun { id } => show(session, id).await,
        Runs::UpdateRun { id } => update(session, id).await,
        Runs::FinishRun { id } => finish(session, id).await,
        Runs::TerminateRun { id } => terminate(session, id).await,
        Runs::RetryRunCallback { id, kind } => resend(session, id, kind).await,
    }
}

/// What a run that was created here says of its entry.
const ENDPOINT: &str = "runs";

/// `POST`: 201; its callbacks are probed before it is offered. 409 for a key that was used with another body,
/// 422.
async fn create(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let body = session.incoming.json_text().await?;
    session.once(&body);
    let parts = session.incoming.parts();
    let entry = Entry {
        origin: String::from(parts.origin),
        path: String::from(parts.path),
        endpoint: String::from(ENDPOINT),
    };
    let draft = parse::create(&body, &session.policy(), entry)?;
    let turn = session.ask(CreateRun { draft: Box::new(draft) }).await?;
    shown(session, turn, 201)
}

/// `GET`: 200, newest first; 422.
async fn list(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let query = RunQuery::parse(session.query()).map_err(InputFault::from)?;
    Answer::json(200, &session.ask(ListRuns { query }).await?)
}

/// `GET {id}`: 200 with chain, log, results and callbacks; 404.
async fn show(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    Answer::json(200, &session.ask(ShowRun { id }).await?)
}

/// `POST claim`: 200 with what is to be done, 204 where nothing waits; 422.
async fn claim(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let lease_s = parse::claim(&session.incoming.optional_json_text().await?)?;
    match session.ask(ClaimRun { lease_s }).await? {
        Some(claim) => Answer::json(200, &claim),
        None => Ok(Answer::no_content()),
    }
}

/// `POST {id}/updates`: 202, and the lease starts anew; an empty object only renews it. 404, 409 once the run
/// has ended or is another executor's, 422.
async fn update(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    let update = parse::update(&session.incoming.optional_json_text().await?)?;
    let turn = session.ask(UpdateRun { id, update }).await?;
    shown(session, turn, 202)
}

/// `POST {id}/finish`: 202; 404, 409, 422.
async fn finish(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    let end = parse::finish(&session.incoming.json_text().await?)?;
    let turn = session.ask(FinishRun { id, end }).await?;
    shown(session, turn, 202)
}

/// `POST {id}/terminate`: 200; the executor learns it by a 409. 404, 409 once it has ended.
async fn terminate(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    let turn = session.ask(TerminateRun { id }).await?;
    shown(session, turn, 200)
}

/// `POST {id}/callbacks/{kind}/retry`: 202, and the call follows. 404 where the run has no such callback, 409
/// where it can not be called again.
async fn resend(session: &mut Session<'_>, id: String, kind: String) -> Result<Answer, ApiError> {
    let turn = session.ask(ResendRunCallback { id, kind }).await?;
    shown(session, turn, 202)
}

/// The run as it is now; its calls are made after the answer.
fn shown(session: &Session<'_>, turn: RunTurn, status: u16) -> Result<Answer, ApiError> {
    let answer = Answer::json(status, &turn.run)?;
    make_calls(session, turn.calls)?;
    Ok(answer)
}

/// Makes calls of runs after the answer.
///
/// # Errors
/// See [`Session::dispatcher`].
pub(crate) fn make_calls(session: &Session<'_>, calls: Vec<RunCall>) -> Result<(), ApiError> {
    if !calls.is_empty() {
        session.context.wait_until(session.dispatcher()?.run_calls(session.project.clone(), calls));
    }
    Ok(())
}
