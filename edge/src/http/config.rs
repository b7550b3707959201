//! `/v1/projects/{project}/config`: the configuration as one document, for people who keep it in git.

use postern_core::config::CONFIG_BYTES_MAX;

use super::problem::{Answer, ApiError};
use crate::project_do::config::{ApplyConfig, Configuration, PlanConfig, ShowConfig};
use crate::session::Session;

/// `GET`: 200 with the document; its digest, for `expect`, is the `ETag`.
pub(crate) async fn show(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let Configuration { document, base } = session.ask(ShowConfig).await?;
    Ok(Answer::json(200, &document)?.with("etag", format!("\"{base}\"")))
}

/// `POST plan`: 200 with what applying the document would change; 422. The project reads the body, once it knows the caller: a
/// document is large.
pub(crate) async fn plan(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let body = session.incoming.json_text_up_to(CONFIG_BYTES_MAX).await?;
    Answer::json(200, &session.ask(PlanConfig { body }).await?)
}

/// `POST apply`: 200 with what changed, all of it at once; 409 where the configuration is not the expected one, 422 with
/// every fault and nothing changed.
pub(crate) async fn apply(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let body = session.incoming.json_text_up_to(CONFIG_BYTES_MAX).await?;
    session.once(&body);
    Answer::json(200, &session.ask(ApplyConfig { body }).await?)
}
