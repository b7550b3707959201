//! `/healthz`.

use worker::Env;

use super::problem::{Answer, ApiError};
use crate::config::Settings;

/// Whether Postern answers. `allow_private_targets` says whether a URL of the own network is accepted, so
/// that the page warns before anybody tries.
pub(crate) fn show(env: &Env) -> Result<Answer, ApiError> {
    let settings = Settings::of(env)?;
    let allow_private_targets = settings.policy(None).allow_private_targets;
    let version = env!("CARGO_PKG_VERSION");
    Answer::json(
        200,
        &serde_json::json!({ "status": "ok", "version": version, "allow_private_targets": allow_private_targets }),
    )
}
