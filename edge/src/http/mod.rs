//! HTTP: from a request to a handler, and from what it gives to an answer.
//!
//! The router is a `match` over `core::route`, not a framework: an inbox must take any method, header and path, the page
//! builds the same paths from the same enum, and the way of an event should be short. One file per resource; each
//! function reads a request, asks the project one command and shows the reply.
//!
//! Order of refusals: 404 for a path that is none, 405, 401 or 404 by the form of the token, 415, 413, 400, 422, and then
//! what the project says.

mod deliveries;
mod dry_run;
mod event_types;
mod events;
mod exports;
mod inboxes;
mod live;
pub(crate) mod problem;
mod projects;
mod replays;
pub(crate) mod request;
mod stats;
mod tests;
mod tokens;
mod webhooks;

use std::rc::Rc;

use postern_core::egress::Policy;
use postern_core::problem::ProblemType;
use postern_core::route::{Resource, Route};
use postern_core::token;
use postern_core::webhook::ProjectName;
use worker::{Context, Env};

use self::problem::{Answer, ApiError, problem_answer, respond};
use self::request::{Incoming, token_of};
use crate::config::{self, Settings};
use crate::dispatch::Dispatcher;
use crate::facade;
use crate::log::{self, RequestId};
use crate::meter;
use crate::project_do::call::{self, CallError};
use crate::project_do::command::{Call, Caller, Command, Reply};

/// Answers any request.
pub(crate) async fn handle(request: web_sys::Request, env: &Env, context: &Context, id: RequestId) -> web_sys::Response {
    let mut incoming = Incoming::new(id.clone(), request);
    let path = String::from(incoming.parts().path);
    let is_below = |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if path.starts_with("/in/") {
        respond(inboxes::receive(env, &mut incoming, &path).await.unwrap_or_else(|error| problem_answer(error, &id)), &id)
    } else if is_below("/ubiops") {
        respond(facade::ubiops::handle(env, context, &mut incoming, &path).await, &id)
    } else if path == "/metrics" {
        respond(metrics(env, &incoming).unwrap_or_else(|error| problem_answer(error, &id)), &id)
    } else if is_below("/v1") || path == "/healthz" {
        match native(env, context, &mut incoming, &path).await {
            Ok(Outcome::Answer(answer)) => respond(answer, &id),
            Ok(Outcome::Response(response)) => response.into(),
            Err(error) => respond(problem_answer(error, &id), &id),
        }
    } else {
        asset(env, incoming).await
    }
}

/// What a native route gives.
enum Outcome {
    /// As a value.
    Answer(Answer),
    /// The platform's own: an upgrade, or a stream.
    Response(worker::Response),
}

async fn native(env: &Env, context: &Context, incoming: &mut Incoming, path: &str) -> Result<Outcome, ApiError> {
    let route = Route::parse(path).ok_or_else(|| ApiError::problem(ProblemType::NotFound, "there is no such path"))?;
    // A HEAD is a GET whose body the platform leaves out.
    let method = if incoming.method == "HEAD" { String::from("GET") } else { incoming.method.clone() };
    let answer = match route {
        Route::Health => match method.as_str() {
            "GET" => health(env),
            _ => Err(ApiError::Method { allow: "GET" }),
        },
        Route::Projects => projects::all(env, incoming, &method).await,
        Route::Project(project, Resource::Live) => {
            return match method.as_str() {
                "GET" => live::listen(env, incoming, project).await.map(Outcome::Response),
                _ => Err(ApiError::Method { allow: "GET" }),
            };
        }
        Route::Project(project, resource) => {
            check_method(&resource, &method)?;
            let settings = Settings::of(env)?;
            let caller = caller(&settings, token_of(incoming.header("authorization").as_deref(), &["Bearer"]), &project)?;
            let mut session = Session { env, context, settings, project, caller, incoming };
            match resource {
                Resource::EventsExport => return exports::events(&session).await.map(Outcome::Response),
                Resource::DeliveriesExport => return exports::deliveries(&session).await.map(Outcome::Response),
                resource => resource_answer(&mut session, resource, &method).await,
            }
        }
    };
    answer.map(Outcome::Answer)
}

/// The methods of each resource, once: for the `Allow` header, and so that a wrong method is told before a wrong token.
const fn allowed(resource: &Resource) -> &'static str {
    match resource {
        Resource::Detail => "GET, PATCH",
        Resource::WebhookSecret(_)
        | Resource::Test(_)
        | Resource::Event(_)
        | Resource::EventsExport
        | Resource::Deliveries
        | Resource::DeliveriesExport
        | Resource::Delivery(_)
        | Resource::Replay(_)
        | Resource::Stats
        | Resource::Live => "GET",
        Resource::Replays | Resource::Events | Resource::Tokens | Resource::Webhooks | Resource::EventTypes | Resource::Inboxes => {
            "GET, POST"
        }
        Resource::Token(_) | Resource::EventType(_) => "DELETE",
        Resource::Webhook(_) | Resource::Inbox(_) => "GET, PATCH, DELETE",
        Resource::WebhookTest(_)
        | Resource::WebhookSecretRotate(_)
        | Resource::WebhookPause(_)
        | Resource::WebhookResume(_)
        | Resource::Tests
        | Resource::EventsBatch
        | Resource::EventsDryRun
        | Resource::DeliveryRetry(_)
        | Resource::DeliveryCancel(_)
        | Resource::ReplayCancel(_) => "POST",
        Resource::InboxRequests(_) => "GET, DELETE",
    }
}

fn check_method(resource: &Resource, method: &str) -> Result<(), ApiError> {
    let allow = allowed(resource);
    if allow.split(", ").any(|known| known == method) { Ok(()) } else { Err(ApiError::Method { allow }) }
}

/// [`check_method`] has let only the methods of [`allowed`] through, so each last arm below stands for one of them.
async fn resource_answer(session: &mut Session<'_>, resource: Resource, method: &str) -> Result<Answer, ApiError> {
    match (resource, method) {
        (Resource::Detail, "PATCH") => projects::update(session).await,
        (Resource::Detail, _) => projects::show(session).await,
        (Resource::Tokens, "POST") => tokens::create(session).await,
        (Resource::Tokens, _) => tokens::list(session).await,
        (Resource::Token(id), _) => tokens::delete(session, id).await,
        (Resource::Webhooks, "POST") => webhooks::create(session).await,
        (Resource::Webhooks, _) => webhooks::list(session).await,
        (Resource::Webhook(name), "PATCH") => webhooks::update(session, name).await,
        (Resource::Webhook(name), "DELETE") => webhooks::delete(session, name).await,
        (Resource::Webhook(name), _) => webhooks::show(session, name).await,
        (Resource::WebhookSecret(name), _) => webhooks::secret(session, name).await,
        (Resource::WebhookSecretRotate(name), _) => webhooks::rotate_secret(session, name).await,
        (Resource::WebhookPause(name), _) => webhooks::pause(session, name, true).await,
        (Resource::WebhookResume(name), _) => webhooks::pause(session, name, false).await,
        (Resource::WebhookTest(name), _) => tests::of_webhook(session, name).await,
        (Resource::Tests, _) => tests::create(session).await,
        (Resource::Test(id), _) => tests::show(session, id).await,
        (Resource::EventTypes, "POST") => event_types::create(session).await,
        (Resource::EventTypes, _) => event_types::list(session).await,
        (Resource::EventType(name), _) => event_types::delete(session, name).await,
        (Resource::Events, "POST") => events::create(session).await,
        (Resource::Events, _) => events::list(session).await,
        (Resource::EventsBatch, _) => events::create_batch(session).await,
        (Resource::EventsDryRun, _) => dry_run::run(session).await,
        (Resource::Event(id), _) => events::show(session, id).await,
        (Resource::Deliveries, _) => deliveries::list(session).await,
        (Resource::Delivery(id), _) => deliveries::show(session, id).await,
        (Resource::DeliveryRetry(id), _) => deliveries::resend(session, id).await,
        (Resource::DeliveryCancel(id), _) => deliveries::cancel(session, id).await,
        (Resource::Inboxes, "POST") => inboxes::create(session).await,
        (Resource::Inboxes, _) => inboxes::list(session).await,
        (Resource::Inbox(id), "PATCH") => inboxes::update(session, id).await,
        (Resource::Inbox(id), "DELETE") => inboxes::delete(session, id).await,
        (Resource::Inbox(id), _) => inboxes::show(session, id).await,
        (Resource::InboxRequests(id), "DELETE") => inboxes::clear(session, id).await,
        (Resource::InboxRequests(id), _) => inboxes::requests(session, id).await,
        (Resource::Replays, "POST") => replays::create(session).await,
        (Resource::Replays, _) => replays::list(session).await,
        (Resource::Replay(id), _) => replays::show(session, id).await,
        (Resource::ReplayCancel(id), _) => replays::cancel(session, id).await,
        (Resource::Stats, _) => stats::show(session).await,
        // These give no value but the platform's own answer; `native` has taken them.
        (Resource::Live | Resource::EventsExport | Resource::DeliveriesExport, _) => Err(ApiError::Method { allow: "GET" }),
    }
}

/// One request to one project, its caller known by the form of the token.
pub(crate) struct Session<'a> {
    pub(crate) env: &'a Env,
    pub(crate) context: &'a Context,
    pub(crate) settings: Rc<Settings>,
    pub(crate) project: ProjectName,
    pub(crate) caller: Caller,
    pub(crate) incoming: &'a mut Incoming,
}

impl Session<'_> {
    /// Asks the project.
    ///
    /// # Errors
    /// See [`call::ask`].
    pub(crate) async fn ask(&self, command: Command) -> Result<Reply, ApiError> {
        Ok(call::ask(self.env, &self.call(command)).await?)
    }

    /// The call that asks `command`.
    pub(crate) fn call(&self, command: Command) -> Call {
        Call {
            project: self.project.clone(),
            caller: self.caller.clone(),
            request_id: self.incoming.id.clone(),
            origin: String::from(self.incoming.parts().origin),
            command,
        }
    }

    /// The raw query.
    pub(crate) fn query(&self) -> &str {
        self.incoming.parts().query
    }

    /// What may be called, with the host of this request as one of our own.
    pub(crate) fn policy(&self) -> Policy {
        self.settings.policy(Some(self.incoming.parts().host))
    }

    /// A dispatcher for what goes on after the answer.
    ///
    /// # Errors
    /// The deployment's secrets are missing.
    pub(crate) fn dispatcher(&self) -> Result<Dispatcher, ApiError> {
        Ok(Dispatcher::new(self.env, &self.incoming.id, Some(self.incoming.parts().host))?)
    }
}

/// For a reply that does not fit the command: a bug, told as an internal error.
pub(crate) fn unexpected(reply: &Reply) -> ApiError {
    ApiError::from(CallError::unexpected(reply))
}

/// Who calls, as far as the token's form says it.
///
/// # Errors
/// 401 without a well-formed token; 404 where it names another project, which is answered like one that does not exist.
pub(crate) fn caller(settings: &Settings, token: Option<&str>, project: &ProjectName) -> Result<Caller, ApiError> {
    let unauthorized = |detail| ApiError::problem(ProblemType::Unauthorized, detail);
    let token = token.ok_or_else(|| unauthorized("send Authorization: Bearer <token>"))?;
    if settings.is_admin(token) {
        return Ok(Caller::Admin);
    }
    let named = token::project_of(token).ok_or_else(|| unauthorized("this is no token of Postern"))?;
    if named == *project {
        Ok(Caller::Token(token::hash(token)))
    } else {
        Err(ApiError::problem(ProblemType::ProjectNotFound, format!("there is no project {} for this token", project.as_str())))
    }
}

/// `allow_private_targets` lets the page say before anybody tries whether a URL of the own network is taken.
fn health(env: &Env) -> Result<Answer, ApiError> {
    let settings = Settings::of(env)?;
    let allow_private_targets = settings.policy(None).allow_private_targets;
    let version = env!("CARGO_PKG_VERSION");
    Answer::json(200, &serde_json::json!({ "status": "ok", "version": version, "allow_private_targets": allow_private_targets }))
}

/// What this isolate has used, for `ADMIN_TOKEN` only. It is no operation of the API: the page has no use for it, so its path
/// is not one of `core::route`.
fn metrics(env: &Env, incoming: &Incoming) -> Result<Answer, ApiError> {
    if incoming.method != "GET" {
        return Err(ApiError::Method { allow: "GET" });
    }
    let settings = Settings::of(env)?;
    let authorization = incoming.header("authorization");
    let is_admin = token_of(authorization.as_deref(), &["Bearer"]).is_some_and(|token| settings.is_admin(token));
    if !is_admin {
        return Err(ApiError::problem(ProblemType::Unauthorized, "only ADMIN_TOKEN reads the metrics"));
    }
    let text = [("content-type", String::from("text/plain; version=0.0.4; charset=utf-8"))];
    Ok(Answer { status: 200, headers: text.to_vec(), body: Some(meter::exposition()) })
}

/// Everything else is the dashboard's.
async fn asset(env: &Env, incoming: Incoming) -> web_sys::Response {
    let Incoming { id, request, .. } = incoming;
    let found = match env.assets(config::ASSETS) {
        Ok(assets) => assets.fetch_request(request).await,
        Err(error) => Err(error),
    };
    found.map(web_sys::Response::from).unwrap_or_else(|error| {
        log::warn(&id, "no asset could be served", &[("error", &log::chain(&error))]);
        respond(problem_answer(ApiError::problem(ProblemType::NotFound, "there is no such path"), &id), &id)
    })
}

#[cfg(test)]
mod routing {
    use super::*;

    fn project() -> ProjectName {
        ProjectName::parse("p1").unwrap()
    }

    fn status(outcome: Result<Caller, ApiError>) -> Option<u16> {
        match outcome {
            Err(ApiError::Problem(problem)) => Some(problem.status),
            _ => None,
        }
    }

    fn settings() -> Settings {
        Settings::for_tests("admin-token")
    }

    #[test]
    fn a_wrong_method_is_told_with_the_right_ones() {
        assert!(check_method(&Resource::Webhooks, "POST").is_ok());
        assert!(check_method(&Resource::Webhooks, "GET").is_ok());
        for method in ["PUT", "DELETE", "PURGE", "", "get", "GET, POST"] {
            assert!(matches!(check_method(&Resource::Webhooks, method), Err(ApiError::Method { allow: "GET, POST" })), "{method}");
        }
    }

    #[test]
    fn a_token_is_told_by_its_form() {
        let token = token::mint(&project(), &[7; 32]);
        let mine = caller(&settings(), Some(&token), &project()).unwrap();
        assert_eq!(mine, Caller::Token(token::hash(&token)));
        assert_eq!(caller(&settings(), Some("admin-token"), &project()).unwrap(), Caller::Admin);
        assert_eq!(status(caller(&settings(), None, &project())), Some(401));
        assert_eq!(status(caller(&settings(), Some("abc"), &project())), Some(401));
        let other = token::mint(&ProjectName::parse("p2").unwrap(), &[7; 32]);
        assert_eq!(status(caller(&settings(), Some(&other), &project())), Some(404));
    }
}
