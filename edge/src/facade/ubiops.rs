//! UbiOps' webhook API (docs/wire.md A) at `/ubiops/v2.1` and `/ubiops/v2`, for its unmodified clients.
//!
//! It knows the webhooks of the contract `ubiops` and no others. Errors are `{"error": "…"}`
//! (docs/wire.md A.6): 400 names every bad field in one sentence, 401 is for a missing or wrong token, 404
//! for what is not there.

use postern_core::api::webhook::WebhookView;
use postern_core::facade::ubiops::{self, Detail, ListFilter, TestDetail};
use postern_core::fault::{self, InputFault};
use postern_core::operation::Method;
use postern_core::problem::{Problem, ProblemType};
use postern_core::query::{self, PageQuery, WebhookQuery};
use postern_core::route::decode_segment;
use postern_core::webhook::{Contract, ProjectName};
use worker::{Context, Env};

use super::status::status_of;
use crate::config::Settings;
use crate::http::credential::token_of;
use crate::http::problem::{Answer, ApiError};
use crate::http::request::Incoming;
use crate::log::RequestId;
use crate::project_do::trials::{ShowTrial, TrialStarted, TryDefinition};
use crate::project_do::webhooks::{
    CreateWebhook, DeleteWebhook, Dialect, ListWebhooks, ShowWebhook, UpdateWebhook,
};
use crate::session::{Session, caller};

/// A path of the facade below its version.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Path {
    /// `projects/{project}/webhooks`
    Webhooks,
    /// `projects/{project}/webhooks/{name}`
    Webhook(String),
    /// `projects/{project}/webhooks-tests`
    Tests,
    /// `projects/{project}/webhooks-tests/{id}`
    Test(String),
}

impl Path {
    /// Reads a raw path, `/ubiops/v2.1/…` or `/ubiops/v2/…`.
    fn parse(path: &str) -> Option<(ProjectName, Self)> {
        let below = path.strip_prefix("/ubiops/v2.1/").or_else(|| path.strip_prefix("/ubiops/v2/"))?;
        let segments: Vec<String> = below.split('/').map(decode_segment).collect::<Option<_>>()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (project, found) = match *segments.as_slice() {
            ["projects", project, "webhooks"] => (project, Self::Webhooks),
            ["projects", project, "webhooks", name] if !name.is_empty() => {
                (project, Self::Webhook(String::from(name)))
            }
            ["projects", project, "webhooks-tests"] => (project, Self::Tests),
            ["projects", project, "webhooks-tests", id] if !id.is_empty() => {
                (project, Self::Test(String::from(id)))
            }
            _ => return None,
        };
        Some((ProjectName::parse(project)?, found))
    }

    const fn allowed(&self) -> &'static [Method] {
        match self {
            Self::Webhooks => &[Method::Get, Method::Post],
            Self::Webhook(_) => &[Method::Get, Method::Patch, Method::Delete],
            Self::Tests => &[Method::Post],
            Self::Test(_) => &[Method::Get],
        }
    }
}

/// Answers a request of a UbiOps client.
pub(crate) async fn handle(env: &Env, context: &Context, incoming: &mut Incoming, path: &str) -> Answer {
    let id = incoming.id.clone();
    route(env, context, incoming, path).await.unwrap_or_else(|error| error_answer(error, &id))
}

async fn route(
    env: &Env,
    context: &Context,
    incoming: &mut Incoming,
    path: &str,
) -> Result<Answer, ApiError> {
    let (project, path) =
        Path::parse(path).ok_or_else(|| ApiError::problem(ProblemType::NotFound, "not found"))?;
    let method = incoming.method_of(path.allowed())?;
    let settings = Settings::of(env)?;
    let token = token_of(incoming.authorization(), &["Token", "Bearer"])
        .ok_or_else(|| ApiError::problem(ProblemType::Unauthorized, "send Authorization: Token <token>"))?;
    let caller = caller(&settings, Some(token), &project)?;
    let mut session = Session::new(env, context, settings, project, caller, incoming);
    // Only the list reads a query.
    if path != Path::Webhooks || method == Method::Post {
        query::none(session.query()).map_err(InputFault::from)?;
    }
    match (path, method) {
        (Path::Webhooks, Method::Post) => create(&mut session).await,
        (Path::Webhooks, _) => list(&mut session).await,
        (Path::Webhook(name), Method::Patch) => update(&mut session, name).await,
        (Path::Webhook(name), Method::Delete) => delete(&mut session, name).await,
        (Path::Webhook(name), _) => show(&mut session, name).await,
        (Path::Tests, _) => test(&mut session).await,
        (Path::Test(id), _) => show_test(&mut session, &id).await,
    }
}

const UBIOPS: Option<Contract> = Some(Contract::Ubiops);

/// The status of an error. Where waiting does not help, no 429: the client would sleep and repeat for ever
/// (docs/wire.md A.6).
const fn status_of_error(problem: &Problem) -> u16 {
    if problem.quota.is_some() && problem.retry_after_s.is_none() { 400 } else { status_of(problem) }
}

/// `webhooks_create`: 201.
async fn create(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let definition = ubiops::create(&session.incoming.json_text().await?, &session.policy())?;
    shown(&session.ask(CreateWebhook { definition: Box::new(definition) }).await?, 201)
}

/// `webhooks_list`: 200 with a bare array; UbiOps does not page, so all pages are read.
async fn list(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let filter = ListFilter::parse(session.query()).map_err(InputFault::from)?;
    let mut found: Vec<Detail> = Vec::new();
    let mut cursor = None;
    loop {
        let page = PageQuery { limit: postern_core::api::page::LIMIT_MAX, cursor };
        let query = WebhookQuery {
            page,
            labels: filter.only_label().into_iter().collect(),
            object_type: filter.object_type.clone(),
            ..WebhookQuery::default()
        };
        let page = session.ask(ListWebhooks { query, contract: UBIOPS }).await?;
        found.extend(page.items.iter().filter(|view| filter.matches(view)).map(Detail::from_view));
        cursor = page.next;
        if cursor.is_none() {
            return Answer::json(200, &found);
        }
    }
}

/// `webhooks_get`: 200.
async fn show(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    shown(&session.ask(ShowWebhook { name, contract: UBIOPS }).await?, 200)
}

/// `webhooks_update`: 200.
async fn update(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    let patch = session.incoming.json_text().await?;
    fault::parse_json(&patch)?;
    let question = UpdateWebhook { name, patch, dialect: Dialect::Ubiops, if_version: None };
    shown(&session.ask(question).await?, 200)
}

/// `webhooks_delete`: 204.
async fn delete(session: &mut Session<'_>, name: String) -> Result<Answer, ApiError> {
    session.ask(DeleteWebhook { name, contract: UBIOPS, if_version: None }).await?;
    Ok(Answer::no_content())
}

/// `webhook_tests_create`: 201; pending, and the call follows. With `retry` it stays pending while it is
/// called again.
async fn test(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let trial = ubiops::test_create(&session.incoming.json_text().await?, &session.policy())?;
    let TrialStarted { test, work } = session.ask(TryDefinition::from(trial)).await?;
    session.context.wait_until(session.dispatcher()?.run_tests(session.project.clone(), vec![work]));
    Answer::json(201, &TestDetail::from_view(&test))
}

/// `webhook_tests_get`: 200.
async fn show_test(session: &mut Session<'_>, id: &str) -> Result<Answer, ApiError> {
    let id = format!("{}{id}", postern_core::id::Kind::Test.prefix());
    let test = session.ask(ShowTrial { id }).await?;
    Answer::json(200, &TestDetail::from_view(&test))
}

fn shown(view: &WebhookView, status: u16) -> Result<Answer, ApiError> {
    Answer::json(status, &Detail::from_view(view))
}

/// A failure in UbiOps' words.
pub(crate) fn error_answer(error: ApiError, id: &RequestId) -> Answer {
    let allow = error.allow();
    let problem = error.into_problem(id);
    let answer = Answer::json_text(
        status_of_error(&problem),
        serde_json::json!({ "error": problem.sentence() }).to_string(),
    );
    match allow {
        Some(allow) => answer.with("allow", allow),
        // What the client of UbiOps waits for; without it, it waits a minute (docs/wire.md A.6).
        None => match problem.retry_after_s {
            Some(seconds) => answer.that_waits(&problem).with("x-ratelimit-reset", seconds.to_string()),
            None => answer,
        },
    }
}

#[cfg(test)]
mod tests {
    use postern_core::fault::Fault;
    use postern_core::quota::{Exceeded, Quota};

    use super::*;

    #[test]
    fn a_quota_is_429_only_where_waiting_helps() {
        let over = |retry_after_s| {
            let exceeded = Exceeded { quota: Quota::Webhooks, limit: 1, used: 1, more: 1, retry_after_s };
            status_of_error(&Problem::over_quota(exceeded))
        };
        assert_eq!((over(None), over(Some(9))), (400, 429));
        let guesses = Problem::new(ProblemType::TooManyRequests, "wait 60 seconds");
        assert_eq!(status_of_error(&guesses), 429);
    }

    #[test]
    fn both_versions_have_the_same_paths() {
        for version in ["v2", "v2.1"] {
            let parse = |below: &str| {
                Path::parse(&format!("/ubiops/{version}/{below}"))
                    .map(|(project, path)| (String::from(project.as_str()), path))
            };
            let p1 = String::from("p1");
            assert_eq!(parse("projects/p1/webhooks"), Some((p1.clone(), Path::Webhooks)));
            assert_eq!(
                parse("projects/p1/webhooks/a%2Fb%20c"),
                Some((p1.clone(), Path::Webhook(String::from("a/b c"))))
            );
            assert_eq!(parse("projects/p1/webhooks-tests"), Some((p1.clone(), Path::Tests)));
            assert_eq!(parse("projects/p1/webhooks-tests/x"), Some((p1, Path::Test(String::from("x")))));
            for below in [
                "",
                "projects",
                "projects/p1",
                "projects/P1/webhooks",
                "projects/p1/webhooks/",
                "projects/p1/webhooks/a/b",
            ] {
                assert_eq!(parse(below), None, "{below}");
            }
        }
        assert_eq!(Path::parse("/ubiops/v3/projects/p1/webhooks"), None);
        assert_eq!(Path::parse("/ubiops"), None);
    }

    #[test]
    fn an_error_is_one_sentence_that_names_every_bad_field() {
        let faults = vec![Fault::new("/url", "is required"), Fault::new("/headers/0/key", "is required")];
        let answer = error_answer(ApiError::from(Problem::invalid(faults)), &RequestId::new([0; 8]));
        assert_eq!(answer.status, 400);
        assert_eq!(
            answer.body.as_deref(),
            Some(r#"{"error":"url: is required; headers.0.key: is required"}"#)
        );
        let answer =
            error_answer(ApiError::problem(ProblemType::NotFound, "not found"), &RequestId::new([0; 8]));
        assert_eq!((answer.status, answer.body.as_deref()), (404, Some(r#"{"error":"not found"}"#)));
        let answer = error_answer(ApiError::Method { allow: vec![Method::Get] }, &RequestId::new([0; 8]));
        assert_eq!((answer.status, answer.headers.last()), (405, Some(&("allow", String::from("GET")))));
    }
}
