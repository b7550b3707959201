//! Tests (trial calls): `/v1/projects/{project}/webhooks/{name}/test` and `/v1/projects/{project}/tests`.

use postern_core::operation::Tests;
use postern_core::webhook::parse;

use super::problem::{Answer, ApiError};
use crate::project_do::trials::{ShowTrial, TrialStarted, TryDefinition, TryWebhook};
use crate::session::Session;

/// Answers an operation of this resource.
pub(crate) async fn answer(session: &mut Session<'_>, asked: Tests) -> Result<Answer, ApiError> {
    match asked {
        Tests::TestWebhook { name } => of_webhook(session, name).await,
        Tests::CreateTest => create(session).await,
        Tests::GetTest { id } => show(session, id).await,
    }
}

/// `POST webhooks/{name}/test`: 201 with the pending test; the call follows, and with `retry` those after it.
/// 404, 422.
async fn of_webhook(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    let draft = parse::test(&session.incoming.optional_json_text().await?)?;
    let started = session.ask(TryWebhook::new(name, draft)).await?;
    shown(session, started)
}

/// `POST tests`: the same for a definition that is not stored. 201, 422.
async fn create(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let trial = parse::trial(&session.incoming.json_text().await?, &session.policy())?;
    let started = session.ask(TryDefinition::from(trial)).await?;
    shown(session, started)
}

/// `GET tests/{id}`: 200; 404.
async fn show(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    Answer::json(200, &session.ask(ShowTrial { id }).await?)
}

/// 201; the call is made after the answer.
fn shown(session: &Session<'_>, started: TrialStarted) -> Result<Answer, ApiError> {
    let TrialStarted { test, work } = started;
    session.context.wait_until(session.dispatcher()?.run_tests(session.project.clone(), vec![work]));
    Answer::json(201, &test)
}
