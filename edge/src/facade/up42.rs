//! UP42's webhook API (docs/wire.md B) below `/up42`, for its unmodified SDK: the paths of both of its hosts, `api.`
//! and `auth.`.
//!
//! A user is a project and its password a token of that project, which is also what a login gives out; the workspace is the
//! project again, under a UUID. It knows the webhooks of the contract `up42` and no others. Answers are
//! `{"data": …, "error": null}`, errors `{"data": null, "error": {"code", "message"}}`; a login speaks OAuth 2.0.
//!
//! The SDK up to 1.0.3 sends the body `{}` with every GET, DELETE and test, so nothing reads a body there.

use std::future::Future;

use futures_util::FutureExt as _;
use futures_util::future;
use postern_core::api::page::{LIMIT_MAX, LIMIT_NONE};
use postern_core::api::test::{TestStatus, TestView};
use postern_core::facade::up42::login::{self, Refused};
use postern_core::facade::up42::{self, TestsRun};
use postern_core::fault::{self, InputFault};
use postern_core::media;
use postern_core::problem::ProblemType;
use postern_core::query::{self, PageQuery};
use postern_core::route::decode_segment;
use postern_core::token;
use postern_core::webhook::ProjectName;
use serde::Serialize;
use worker::{Context, Env};

use super::status_of;
use crate::clock;
use crate::config::Settings;
use crate::http::problem::{Answer, ApiError};
use crate::http::request::{Incoming, token_of};
use crate::http::{Session, caller, unexpected};
use crate::log::RequestId;
use crate::project_do::command::{Command, Reply, StartedTest, Up42Command};

/// Milliseconds that a test may take longer than its call's timeout before it is counted as failed.
const TEST_SLACK_MS: u32 = 1_000;

/// A path of the facade, after `/up42/`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Path {
    /// `oauth/token` and `realms/public/protocol/openid-connect/token`
    Token,
    /// `realms/public/protocol/openid-connect/userinfo`
    UserInfo,
    /// `users/me`
    Me,
    /// `projects/{id}`
    Project(String),
    /// `webhooks/events`
    Events,
    /// Below `workspaces/{workspace}/webhooks`.
    Workspace(String, Below),
}

/// What a workspace holds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Below {
    /// `webhooks`
    Webhooks,
    /// `webhooks/{id}`
    Webhook(String),
    /// `webhooks/{id}/tests`
    Tests(String),
}

impl Path {
    /// Reads a raw path.
    fn parse(path: &str) -> Option<Self> {
        let segments: Vec<String> =
            path.strip_prefix("/up42/")?.split('/').map(decode_segment).collect::<Option<_>>()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let own = |text: &str| String::from(text);
        Some(match *segments.as_slice() {
            ["oauth", "token"] | ["realms", "public", "protocol", "openid-connect", "token"] => Self::Token,
            ["realms", "public", "protocol", "openid-connect", "userinfo"] => Self::UserInfo,
            ["users", "me"] => Self::Me,
            ["projects", id] if !id.is_empty() => Self::Project(own(id)),
            ["webhooks", "events"] => Self::Events,
            ["workspaces", workspace, "webhooks"] => Self::Workspace(own(workspace), Below::Webhooks),
            ["workspaces", workspace, "webhooks", id] if !id.is_empty() => {
                Self::Workspace(own(workspace), Below::Webhook(own(id)))
            }
            ["workspaces", workspace, "webhooks", id, "tests"] if !id.is_empty() => {
                Self::Workspace(own(workspace), Below::Tests(own(id)))
            }
            _ => return None,
        })
    }

    const fn allowed(&self) -> &'static str {
        match self {
            Self::Token | Self::Workspace(_, Below::Tests(_)) => "POST",
            Self::UserInfo | Self::Me | Self::Project(_) | Self::Events => "GET",
            Self::Workspace(_, Below::Webhooks) => "GET, POST",
            Self::Workspace(_, Below::Webhook(_)) => "GET, PUT, DELETE",
        }
    }
}

/// Answers a request of an UP42 client.
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
    let path =
        Path::parse(path).ok_or_else(|| ApiError::problem(ProblemType::NotFound, "there is no such path"))?;
    let method = incoming.method_of(path.allowed())?;
    if path == Path::Token {
        return log_in(env, context, incoming).await;
    }
    let settings = Settings::of(env)?;
    let unauthorized = |detail| ApiError::problem(ProblemType::Unauthorized, detail);
    let sent = token_of(incoming.authorization(), &["Bearer"])
        .ok_or_else(|| unauthorized("log in and send Authorization: Bearer <token>"))?;
    // The workspace is only a digest of a name, so here a token must say its project itself.
    let project = token::project_of(sent).ok_or_else(|| unauthorized(token::WRONG))?;
    let caller = caller(&settings, Some(sent), &project)?;
    let session = Session::new(env, context, settings, project, caller, incoming);
    query::none(session.query()).map_err(InputFault::from)?;
    match path {
        Path::Token => Err(ApiError::Method { allow: "POST" }),
        Path::UserInfo => user_info(&session).await,
        Path::Me => me(&session).await,
        Path::Project(id) => show_project(&session, &id).await,
        Path::Events => events(&session).await,
        Path::Workspace(workspace, below) => {
            if workspace != up42::workspace_id(&session.project) {
                return Err(ApiError::problem(
                    ProblemType::NotFound,
                    "there is no such workspace for this token",
                ));
            }
            match (below, method.as_str()) {
                (Below::Webhooks, "POST") => {
                    let body = session.incoming.json_text().await?;
                    webhook(&session, Up42Command::Create { body: checked(body)? }, 201).await
                }
                (Below::Webhooks, _) => list(&session).await,
                (Below::Webhook(id), "PUT") => {
                    let body = checked(session.incoming.json_text().await?)?;
                    webhook(&session, Up42Command::Update { id: up42::webhook_id(&id), body }, 200).await
                }
                (Below::Webhook(id), "DELETE") => delete(&session, &id).await,
                (Below::Webhook(id), _) => {
                    webhook(&session, Up42Command::Show { id: up42::webhook_id(&id) }, 200).await
                }
                (Below::Tests(id), _) => test(&session, &id).await,
            }
        }
    }
}

/// What is no JSON need not travel.
fn checked(body: String) -> Result<String, ApiError> {
    fault::parse_json(&body)?;
    Ok(body)
}

fn enveloped<T: Serialize>(status: u16, data: &T) -> Answer {
    Answer::json_text(status, up42::answer(data).to_string())
}

/// `POST …/token`: 200, 400 for a request that is none, 401 for credentials that are none.
async fn log_in(env: &Env, context: &Context, incoming: &mut Incoming) -> Result<Answer, ApiError> {
    incoming.refuse_encoded()?;
    let body = incoming.body_up_to(login::FORM_BYTES_MAX).await?;
    if body.is_cut() {
        let detail = format!("a request for a token holds at most {} KiB", login::FORM_BYTES_MAX / 1024);
        return Err(ApiError::problem(ProblemType::BodyTooLarge, detail));
    }
    let form = String::from_utf8_lossy(media::without_bom(&body.kept));
    Ok(match granted(env, context, incoming, &form).await? {
        Ok(token) => Answer::json_text(200, login::granted(&token).to_string()),
        Err(refused) => {
            let answer = Answer::json_text(refused.status, refused.body().to_string());
            if refused.status == 401 {
                answer.with("www-authenticate", "Basic realm=\"Postern\"")
            } else {
                answer
            }
        }
    })
}

/// The token that the form asks for, if the project knows it.
async fn granted(
    env: &Env,
    context: &Context,
    incoming: &mut Incoming,
    form: &str,
) -> Result<Result<String, Refused>, ApiError> {
    let found = match login::parse(form, incoming.authorization()) {
        Ok(found) => found,
        Err(refused) => return Ok(Err(refused)),
    };
    let settings = Settings::of(env)?;
    let caller = match caller(&settings, Some(&found.token), &found.project) {
        // An administrator's token names no project, so it can't be used here. Whoever guessed it need not learn so.
        Ok(caller) if caller.is_admin() => return Ok(Err(Refused::wrong())),
        Ok(caller) => caller,
        Err(ApiError::Problem(_)) => return Ok(Err(Refused::wrong())),
        Err(error) => return Err(error),
    };
    let session = Session::new(env, context, settings, found.project, caller, incoming);
    match session.ask(Command::ShowProject).await {
        Ok(_) => Ok(Ok(found.token)),
        Err(ApiError::Problem(problem)) if matches!(problem.status, 401 | 403 | 404) => {
            Ok(Err(Refused::wrong()))
        }
        Err(error) => Err(error),
    }
}

/// Makes sure that the project knows the token.
async fn verify(session: &Session<'_>) -> Result<(), ApiError> {
    match session.ask(Command::ShowProject).await? {
        Reply::Project(_) => Ok(()),
        other => Err(unexpected(&other)),
    }
}

/// `GET userinfo`: 200, without an envelope: it is one of `OpenID` Connect.
async fn user_info(session: &Session<'_>) -> Result<Answer, ApiError> {
    verify(session).await?;
    let workspace = up42::workspace_id(&session.project);
    Answer::json(
        200,
        &serde_json::json!({ "sub": workspace, "preferred_username": session.project.as_str() }),
    )
}

/// `GET users/me`: 200.
async fn me(session: &Session<'_>) -> Result<Answer, ApiError> {
    verify(session).await?;
    Ok(enveloped(
        200,
        &serde_json::json!({ "id": up42::workspace_id(&session.project), "name": session.project.as_str() }),
    ))
}

/// `GET projects/{id}`: 200; 404 for another project.
async fn show_project(session: &Session<'_>, id: &str) -> Result<Answer, ApiError> {
    if ProjectName::parse(id).as_ref() != Some(&session.project) {
        return Err(ApiError::problem(
            ProblemType::ProjectNotFound,
            "there is no such project for this token",
        ));
    }
    verify(session).await?;
    let name = session.project.as_str();
    Ok(enveloped(
        200,
        &serde_json::json!({ "id": name, "name": name, "workspaceId": up42::workspace_id(&session.project) }),
    ))
}

/// `GET webhooks/events`: 200.
async fn events(session: &Session<'_>) -> Result<Answer, ApiError> {
    match session.ask(Command::ListEventTypes { page: PageQuery { limit: LIMIT_NONE, cursor: None } }).await?
    {
        Reply::EventTypes(catalogue) => Ok(enveloped(200, &up42::event_entries(&catalogue.items))),
        other => Err(unexpected(&other)),
    }
}

/// `GET webhooks`: 200; UP42 does not page, so all pages are read.
async fn list(session: &Session<'_>) -> Result<Answer, ApiError> {
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let page = PageQuery { limit: LIMIT_MAX, cursor };
        match session.ask(Command::Up42(Up42Command::List { page })).await? {
            Reply::Up42Webhooks(page) => {
                found.extend(page.items);
                cursor = page.next;
            }
            other => return Err(unexpected(&other)),
        }
        if cursor.is_none() {
            return Ok(enveloped(200, &found));
        }
    }
}

/// Creates (201), shows or updates (200) a webhook.
async fn webhook(session: &Session<'_>, command: Up42Command, status: u16) -> Result<Answer, ApiError> {
    match session.ask(Command::Up42(command)).await? {
        Reply::Up42Webhook(shown) => Ok(enveloped(status, &shown)),
        other => Err(unexpected(&other)),
    }
}

/// `DELETE webhooks/{id}`: 204.
async fn delete(session: &Session<'_>, id: &str) -> Result<Answer, ApiError> {
    match session.ask(Command::Up42(Up42Command::Delete { id: up42::webhook_id(id) })).await? {
        Reply::Done => Ok(Answer::no_content()),
        other => Err(unexpected(&other)),
    }
}

/// `POST webhooks/{id}/tests`: 200 once every call has ended, or ought to have.
async fn test(session: &Session<'_>, id: &str) -> Result<Answer, ApiError> {
    let started = match session.ask(Command::Up42(Up42Command::Test { id: up42::webhook_id(id) })).await? {
        Reply::TestsStarted(started) => started,
        other => return Err(unexpected(&other)),
    };
    let started_at = started.first().map_or_else(clock::now, |first| first.test.created_at);
    let timeout_s = started.iter().map(|started| started.work.definition.timeout_s).max().unwrap_or_default();
    let (tests, works): (Vec<TestView>, Vec<_>) =
        started.into_iter().map(|StartedTest { test, work }| (test, work)).unzip();
    // A client that hangs up does not end the calls.
    let calls = session.dispatcher()?.run_tests(session.project.clone(), works).boxed_local().shared();
    session.context.wait_until(calls.clone());
    at_most(timeout_s.saturating_mul(1_000).saturating_add(TEST_SLACK_MS), calls).await;
    let mut tests_succeeded = 0;
    for test in &tests {
        match session.ask(Command::ShowTest { id: test.id.clone() }).await? {
            Reply::Test(ended) => tests_succeeded += usize::from(ended.status == TestStatus::Completed),
            other => return Err(unexpected(&other)),
        }
    }
    Ok(enveloped(200, &TestsRun { started_at, tests_run: tests.len(), tests_succeeded }))
}

/// Waits for `work`, but not longer than that.
async fn at_most(ms: u32, work: impl Future<Output = ()> + Unpin) {
    future::select(work, clock::sleep(ms)).await;
}

/// A failure in UP42's shape.
pub(crate) fn error_answer(error: ApiError, id: &RequestId) -> Answer {
    let allow = error.allow();
    let problem = error.into_problem(id);
    let status = status_of(&problem);
    let answer = Answer::json_text(status, up42::error(status, &problem.sentence()).to_string());
    match (allow, status) {
        (Some(allow), _) => answer.with("allow", allow),
        (None, 401) => answer.with("www-authenticate", "Bearer"),
        (None, _) => answer.that_waits(&problem),
    }
}

#[cfg(test)]
mod tests {
    use postern_core::fault::Fault;
    use postern_core::problem::Problem;

    use super::*;

    #[test]
    fn the_paths_of_both_hosts_are_known() {
        let own = |text: &str| String::from(text);
        for (path, found) in [
            ("/up42/oauth/token", Some(Path::Token)),
            ("/up42/realms/public/protocol/openid-connect/token", Some(Path::Token)),
            ("/up42/realms/public/protocol/openid-connect/userinfo", Some(Path::UserInfo)),
            ("/up42/users/me", Some(Path::Me)),
            ("/up42/projects/p1", Some(Path::Project(own("p1")))),
            ("/up42/webhooks/events", Some(Path::Events)),
            ("/up42/workspaces/w/webhooks", Some(Path::Workspace(own("w"), Below::Webhooks))),
            (
                "/up42/workspaces/w/webhooks/a%2Fb",
                Some(Path::Workspace(own("w"), Below::Webhook(own("a/b")))),
            ),
            ("/up42/workspaces/w/webhooks/i/tests", Some(Path::Workspace(own("w"), Below::Tests(own("i"))))),
            ("/up42", None),
            ("/up42/", None),
            ("/up42/users", None),
            ("/up42/projects/", None),
            ("/up42/workspaces/w/webhooks/", None),
            ("/up42/workspaces/w/webhooks/i/tests/1", None),
            ("/up42/workspaces/w/webhooks/%ff", None),
        ] {
            assert_eq!(Path::parse(path), found, "{path}");
        }
    }

    #[test]
    fn an_error_is_in_the_envelope_and_names_every_bad_field() {
        let id = RequestId::new([0; 8]);
        let faults = vec![Fault::new("/url", "is required"), Fault::new("/events/0", "is no event")];
        let answer = error_answer(ApiError::from(Problem::invalid(faults)), &id);
        assert_eq!(answer.status, 400);
        assert_eq!(
            answer.body.as_deref(),
            Some(r#"{"data":null,"error":{"code":400,"message":"url: is required; events.0: is no event"}}"#)
        );
        let answer = error_answer(ApiError::Method { allow: "GET" }, &id);
        assert_eq!((answer.status, answer.headers.last()), (405, Some(&("allow", String::from("GET")))));
        let answer = error_answer(ApiError::problem(ProblemType::NameTaken, "taken"), &id);
        assert_eq!(
            (answer.status, answer.body.as_deref()),
            (400, Some(r#"{"data":null,"error":{"code":400,"message":"taken"}}"#))
        );
    }
}
