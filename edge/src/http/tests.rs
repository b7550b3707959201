//! Tests (trial calls): `/v1/projects/{project}/webhooks/{name}/test` and `/v1/projects/{project}/tests`.

use postern_core::webhook::parse;

use super::problem::{Answer, ApiError};
use super::{Session, unexpected};
use crate::project_do::command::{Command, Reply};

/// `POST webhooks/{name}/test`: 201 with the pending test; the call follows, and with `retry` those after it. 404, 422.
pub(super) async fn of_webhook(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    let draft = parse::test(&session.incoming.optional_json_text().await?)?;
    start(session, Command::test_webhook(name, draft)).await
}

/// `POST tests`: the same for a definition that is not stored. 201, 422.
pub(super) async fn create(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let trial = parse::trial(&session.incoming.json_text().await?, &session.policy())?;
    start(session, Command::test_definition(trial)).await
}

/// `GET tests/{id}`: 200; 404.
pub(super) async fn show(session: &mut Session<'_>, id: String) -> Result<Answer, ApiError> {
    match session.ask(Command::ShowTest { id }).await? {
        Reply::Test(test) => Answer::json(200, &test),
        other => Err(unexpected(&other)),
    }
}

async fn start(session: &mut Session<'_>, command: Command) -> Result<Answer, ApiError> {
    match session.ask(command).await? {
        Reply::TestStarted { test, work } => {
            session.context.wait_until(session.dispatcher()?.run_tests(session.project.clone(), vec![*work]));
            Answer::json(201, &test)
        }
        other => Err(unexpected(&other)),
    }
}
