//! `/v1/projects/{project}/config`: the configuration as one document, for people who keep it in git.

use postern_core::config::CONFIG_BYTES_MAX;
use postern_core::operation::Configuration;

use super::import;
use super::problem::{Answer, ApiError};
use crate::project_do::config::{ApplyConfig, PlanConfig, ShowConfig};
use crate::session::Session;

/// Answers an operation of this resource.
pub(crate) async fn answer(session: &mut Session<'_>, asked: Configuration) -> Result<Answer, ApiError> {
    match asked {
        Configuration::GetConfiguration => show(session).await,
        Configuration::PlanConfiguration => plan(session).await,
        Configuration::ApplyConfiguration => apply(session).await,
        Configuration::PreviewImport => import::preview(session).await,
    }
}

/// `GET`: 200 with the document; its digest, for `expect`, is the `ETag`.
async fn show(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let shown = session.ask(ShowConfig).await?;
    Ok(Answer::json(200, &shown.document)?.with("etag", format!("\"{}\"", shown.base)))
}

/// `POST plan`: 200 with what applying the document would change; 422. The project reads the body, once it
/// knows the caller: a document is large.
async fn plan(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let body = session.incoming.json_text_up_to(CONFIG_BYTES_MAX).await?;
    Answer::json(200, &session.ask(PlanConfig { body }).await?)
}

/// `POST apply`: 200 with what changed, all of it at once; 409 where the configuration is not the expected
/// one, 422 with every fault and nothing changed.
async fn apply(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let body = session.incoming.json_text_up_to(CONFIG_BYTES_MAX).await?;
    session.once(&body);
    Answer::json(200, &session.ask(ApplyConfig { body }).await?)
}
