//! `/v1/projects/{project}/config`: the configuration as one document, for people who keep it in git.

use postern_core::config::CONFIG_BYTES_MAX;

use super::problem::{Answer, ApiError};
use super::{Session, unexpected};
use crate::project_do::command::{Command, ConfigCommand, Reply};

/// `GET`: 200 with the document; its digest, for `expect`, is the `ETag`.
pub(super) async fn show(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    match session.ask(Command::Config(ConfigCommand::Show)).await? {
        Reply::Config { document, base } => {
            Ok(Answer::json(200, &document)?.with("etag", format!("\"{base}\"")))
        }
        other => Err(unexpected(&other)),
    }
}

/// `POST plan`: 200 with what applying the document would change; 422. The project reads the body, once it knows the caller: a
/// document is large.
pub(super) async fn plan(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let body = session.incoming.json_text_up_to(CONFIG_BYTES_MAX).await?;
    planned(session, ConfigCommand::Plan { body }).await
}

/// `POST apply`: 200 with what changed, all of it at once; 409 where the configuration is not the expected one, 422 with
/// every fault and nothing changed.
pub(super) async fn apply(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let body = session.incoming.json_text_up_to(CONFIG_BYTES_MAX).await?;
    session.once(&body);
    planned(session, ConfigCommand::Apply { body }).await
}

async fn planned(session: &mut Session<'_>, command: ConfigCommand) -> Result<Answer, ApiError> {
    match session.ask(Command::Config(command)).await? {
        Reply::Plan(plan) => Answer::json(200, &plan),
        other => Err(unexpected(&other)),
    }
}
