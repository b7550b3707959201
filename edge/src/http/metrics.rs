//! `/metrics`, for the operator, and `/v1/projects/{project}/metrics`: what Prometheus reads.
//!
//! The first is what this isolate has counted, and what the first projects by name say of themselves: so many
//! that one reading stays small. The second is one project.

use futures_util::StreamExt as _;
use postern_core::metrics::{Exposition, Form, ProjectMetrics};
use postern_core::problem::{Problem, ProblemType};
use postern_core::query::{self, MetricsQuery};
use worker::Env;

use super::credential::token_of;
use super::problem::{Answer, ApiError};
use super::request::Incoming;
use crate::caller::Caller;
use crate::config::Settings;
use crate::project_do::call;
use crate::project_do::question::Asking;
use crate::project_do::stats::ShowMetrics;
use crate::session::Session;
use crate::{definition_kv, log, meter};

/// Projects that are asked at once.
const AT_ONCE: usize = 6;

/// `GET /metrics`: 200; 401 for all but `ADMIN_TOKEN`; 422.
pub(crate) async fn all(env: &Env, incoming: &Incoming) -> Result<Answer, ApiError> {
    let settings = Settings::of(env)?;
    let is_admin =
        token_of(incoming.authorization(), &["Bearer"]).is_some_and(|token| settings.admin(token).is_some());
    if !is_admin {
        return Err(ApiError::problem(
            ProblemType::Unauthorized,
            "only an admin token (ADMIN_TOKEN or one of \
                                                                 ADMIN_TOKENS) can read the metrics",
        ));
    }
    incoming.standing.verify();
    let query = MetricsQuery::parse(incoming.parts().query).map_err(Problem::invalid)?;
    let mut exposition = Exposition::new(form_of(incoming));
    meter::expose(&mut exposition);
    if query.projects == 0 {
        return Ok(answer(incoming, exposition));
    }
    // Without the list there is still what this isolate knows.
    let mut projects = match definition_kv::projects(env).await {
        Ok(projects) => projects,
        Err(error) => {
            log::warn(
                &incoming.id,
                "the metrics could not list the projects",
                &[("error", &log::chain(&error))],
            );
            Vec::new()
        }
    };
    projects.sort_by(|one, other| one.name.as_str().cmp(other.name.as_str()));
    let number = u32::try_from(projects.len()).unwrap_or(u32::MAX);
    exposition.gauge("postern_projects", "Projects of the deployment.", [(String::new(), number.into())]);
    projects.truncate(query.projects);
    let asked = projects.into_iter().map(|project| async move {
        let call = incoming.call(project.name.clone(), Caller::Admin, Asking(ShowMetrics));
        let found = call::ask(env, &call).await.map_err(|error| {
            log::warn(
                &incoming.id,
                "a project did not report its metrics",
                &[("project", &project.name.as_str()), ("error", &error)],
            );
        });
        let found = found.ok();
        (String::from(project.name.as_str()), found)
    });
    let found: Vec<(String, Option<ProjectMetrics>)> =
        futures_util::stream::iter(asked).buffered(AT_ONCE).collect().await;
    exposition.projects(&found);
    Ok(answer(incoming, exposition))
}

/// `GET /v1/projects/{project}/metrics`: 200; 409 where too much would have to be added up; 422.
pub(crate) async fn show(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    query::none(session.query()).map_err(Problem::invalid)?;
    let found = session.ask(ShowMetrics).await?;
    let mut exposition = Exposition::new(form_of(session.incoming));
    exposition.projects(&[(String::from(session.project.as_str()), Some(found))]);
    Ok(answer(session.incoming, exposition))
}

fn form_of(incoming: &Incoming) -> Form {
    Form::of_accept(incoming.header("accept").as_deref())
}

fn answer(incoming: &Incoming, exposition: Exposition) -> Answer {
    let headers = vec![
        ("content-type", String::from(form_of(incoming).content_type())),
        ("vary", String::from("accept")),
    ];
    Answer { status: 200, headers, body: Some(exposition.finish()) }
}
