//! Operations of the deployment: nobody's project.

use postern_core::operation::Deployment;
use worker::Env;

use super::problem::{Answer, ApiError};
use super::request::Incoming;
use super::{health, metrics, projects, tokens};

/// Answers an operation of the deployment.
pub(crate) async fn answer(
    env: &Env,
    incoming: &mut Incoming,
    asked: Deployment,
) -> Result<Answer, ApiError> {
    match asked {
        Deployment::GetHealth => health::show(env),
        Deployment::GetMetrics => metrics::all(env, incoming).await,
        Deployment::GetToken => tokens::whose(env, incoming).await,
        Deployment::ListProjects => projects::list(env, incoming).await,
        Deployment::CreateProject => projects::create(env, incoming).await,
    }
}
