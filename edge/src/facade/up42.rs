//! UP42's webhook API (docs/wire.md B) below `/up42`, for its unmodified SDK: the paths of both of its hosts,
//! `api.` and `auth.`.
//!
//! A user is a project and its password a token of that project, which is also what a login gives out; the
//! workspace is the project again, under a UUID. It knows the webhooks of the contract `up42` and no others.
//! Answers are `{"data": …, "error": null}`, errors `{"data": null, "error": {"code", "message"}}`; a login
//! speaks OAuth 2.0.
//!
//! The SDK up to 1.0.3 sends the body `{}` with every GET, DELETE and test, so nothing reads a body there.

use std::future::Future;

use futures_util::FutureExt as _;
use futures_util::future;
use postern_core::api::page::{LIMIT_MAX, LIMIT_NONE};
use postern_core::api::test::{TestStatus, TestView};
use postern_core::facade::up42::login::{self, Refused};
use postern_core::facade::up42::{self as api, TestsRun};
use postern_core::fault::{self, InputFault};
use postern_core::media;
use postern_core::operation::Method;
use postern_core::problem::ProblemType;
use postern_core::query::{self, PageQuery};
use postern_core::route::decode_segment;
use postern_core::token;
use postern_core::webhook::ProjectName;
use serde::Serialize;
use worker::{Context, Env};

use super::status::status_of;
use crate::clock;
use crate::config::Settings;
use crate::http::credential::token_of;
use crate::http::problem::{Answer, ApiError};
use crate::http::request::Incoming;
use crate::log::RequestId;
use crate::project_do::event_types::ListEventTypes;
use crate::project_do::projects::ShowProject;
use crate::project_do::trials::{ShowTrial, TrialStarted};
use crate::project_do::up42::{
    CreateUp42Webhook, DeleteUp42Webhook, ListUp42Webhooks, ShowUp42Webhook, TrialsStarted, TryUp42Webhook,
    UpdateUp42Webhook,
};
use crate::session::{Session, caller};

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

    const fn allowed(&self) -> &'static [Method] {
        match self {
            Self::Token | Self::Workspace(_, Below::Tests(_)) => &[Method::Post],
            Self::UserInfo | Self::Me | Self::Project(_) | Self::Events => &[Method::Get],
            Self::Workspace(_, Below::Webhooks) => &[Method::Get, Method::Post],
            Self::Workspace(_, Below::Webhook(_)) => &[Method::Get, Method::Put, Method::Delete],
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
        Path::Token => Err(ApiError::Method { allow: vec![Method::Post] }),
        Path::UserInfo => user_info(&session).await,
        Path::Me => me(&session).await,
        Path::Project(id) => show_project(&session, &id).await,
        Path::Events => events(&session).await,
        Path::Workspace(workspace, below) => {
            if workspace != api::workspace_id(&session.project) {
                return Err(ApiError::problem(
                    ProblemType::NotFound,
                    "there is no such workspace for this token",
                ));
            }
            match (below, method) {
                (Below::Webhooks, Method::Post) => {
                    let body = session.incoming.json_text().await?;
                    let question = CreateUp42Webhook { body: checked(body)? };
                    Ok(enveloped(201, &session.ask(question).await?))
                }
                (Below::Webhooks, _) => list(&session).await,
                (Below::Webhook(id), Method::Put) => {
                    let body = checked(session.incoming.json_text().await?)?;
                    let question = UpdateUp42Webhook { id: api::webhook_id(&id), body };
                    Ok(enveloped(200, &session.ask(question).await?))
                }
                (Below::Webhook(id), Method::Delete) => delete(&session, &id).await,
                (Below::Webhook(id), _) => {
                    let question = ShowUp42Webhook { id: api::webhook_id(&id) };
                    Ok(enveloped(200, &session.ask(question).await?))
                }
                (Below::Tests(id), _) => test(&session, &id).await,
            }
        }
    }
}

/// A body that is not JSON need not travel.
fn checked(body: String) -> Result<String, ApiError> {
    fault::parse_json(&body)?;
    Ok(body)
}

fn enveloped<T: Serialize>(status: u16, data: &T) -> Answer {
    Answer::json_text(status, api::answer(data).to_string())
}

/// `POST …/token`: 200, 400 for a malformed request, 401 for invalid credentials.
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
    if query::none(incoming.parts().query).is_err() {
        return Ok(Err(Refused::form("a request for a token has no query: send a form")));
    }
    let found = match login::parse(form, incoming.authorization()) {
        Ok(found) => found,
        Err(refused) => return Ok(Err(refused)),
    };
    let settings = Settings::of(env)?;
    let caller = match caller(&settings, Some(&found.token), &found.project) {
        // An administrator's token names no project, so it can't be used here. Somebody who guessed it need
        // not learn that.
        Ok(caller) if caller.is_admin() => return Ok(Err(Refused::wrong())),
        Ok(caller) => caller,
        Err(ApiError::Problem(_)) => return Ok(Err(Refused::wrong())),
        Err(error) => return Err(error),
    };
    let session = Session::new(env, context, settings, found.project, caller, incoming);
    match session.ask(ShowProject).await {
        Ok(_) => Ok(Ok(found.token)),
        Err(ApiError::Problem(problem)) if matches!(problem.status, 401 | 403 | 404) => {
            Ok(Err(Refused::wrong()))
        }
        Err(error) => Err(error),
    }
}

/// Makes sure that the project knows the token.
async fn verify(session: &Session<'_>) -> Result<(), ApiError> {
    session.ask(ShowProject).await?;
    Ok(())
}

/// `GET userinfo`: 200, without an envelope: it is one of `OpenID` Connect.
async fn user_info(session: &Session<'_>) -> Result<Answer, ApiError> {
    verify(session).await?;
    let workspace = api::workspace_id(&session.project);
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
        &serde_json::json!({ "id": api::workspace_id(&session.project), "name": session.project.as_str() }),
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
        &serde_json::json!({ "id": name, "name": name, "workspaceId": api::workspace_id(&session.project) }),
    ))
}

/// `GET webhooks/events`: 200.
async fn events(session: &Session<'_>) -> Result<Answer, ApiError> {
    let page = PageQuery { limit: LIMIT_NONE, cursor: None };
    let catalogue = session.ask(ListEventTypes { page }).await?;
    Ok(enveloped(200, &api::event_entries(&catalogue.items)))
}

/// `GET webhooks`: 200; UP42 does not page, so all pages are read.
async fn list(session: &Session<'_>) -> Result<Answer, ApiError> {
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let page = PageQuery { limit: LIMIT_MAX, cursor };
        let page = session.ask(ListUp42Webhooks { page }).await?;
        found.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(enveloped(200, &found));
        }
    }
}

/// `DELETE webhooks/{id}`: 204.
async fn delete(session: &Session<'_>, id: &str) -> Result<Answer, ApiError> {
    session.ask(DeleteUp42Webhook { id: api::webhook_id(id) }).await?;
    Ok(Answer::no_content())
}

/// `POST webhooks/{id}/tests`: 200 once every call has ended, or ought to have.
async fn test(session: &Session<'_>, id: &str) -> Result<Answer, ApiError> {
    let TrialsStarted(started) = session.ask(TryUp42Webhook { id: api::webhook_id(id) }).await?;
    let started_at = started.first().map_or_else(clock::now, |first| first.test.created_at);
    let timeout_s = started.iter().map(|started| started.work.definition.timeout_s).max().unwrap_or_default();
    let (tests, works): (Vec<TestView>, Vec<_>) =
        started.into_iter().map(|TrialStarted { test, work }| (test, work)).unzip();
    // A client that hangs up does not end the calls.
    let calls = session.dispatcher()?.run_tests(session.project.clone(), works).boxed_local().shared();
    session.context.wait_until(calls.clone());
    at_most(timeout_s.saturating_mul(1_000).saturating_add(TEST_SLACK_MS), calls).await;
    let mut tests_succeeded = 0;
    for test in &tests {
        let ended = session.ask(ShowTrial { id: test.id.clone() }).await?;
        tests_succeeded += usize::from(ended.status == TestStatus::Completed);
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
    let answer = Answer::json_text(status, api::error(status, &problem.sentence()).to_string());
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
        let answer = error_answer(ApiError::Method { allow: vec![Method::Get] }, &id);
        assert_eq!((answer.status, answer.headers.last()), (405, Some(&("allow", String::from("GET")))));
        let answer = error_answer(ApiError::problem(ProblemType::NameTaken, "taken"), &id);
        assert_eq!(
            (answer.status, answer.body.as_deref()),
            (400, Some(r#"{"data":null,"error":{"code":400,"message":"taken"}}"#))
        );
    }
}
