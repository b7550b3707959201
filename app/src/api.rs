//! The native API, one method per operation. Paths come from `postern_core::route`, shapes from `postern_core::api`.

use std::fmt;

use leptos::prelude::*;
use postern_core::api::delivery::{DeliveryDetail, DeliveryView};
use postern_core::api::event::{EventAccepted, EventTypeView, EventView};
use postern_core::api::inbox::{InboxRequestView, InboxView};
use postern_core::api::page::Page;
use postern_core::api::project::{ProjectCreated, ProjectDetail, ProjectView};
use postern_core::api::test::TestView;
use postern_core::api::token::{TokenCreated, TokenView};
use postern_core::api::webhook::{SecretView, WebhookView};
use postern_core::fault::Fault;
use postern_core::problem::{Problem, ProblemType};
use postern_core::route::{Resource, Route};
use postern_core::webhook::ProjectName;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::browser::http::{self, Call};
use crate::routes::Query;
use crate::session::{Session, use_session};

/// Why a call did not give what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ApiFailure {
    /// No answer came.
    Offline,
    /// The API said what is wrong.
    Problem(Box<Problem>),
    /// An answer came that is not the API's.
    Unexpected {
        /// Its HTTP status.
        status: u16,
    },
}

impl ApiFailure {
    /// What happened, in a few words.
    pub(crate) fn headline(&self) -> String {
        match self {
            Self::Offline => String::from("The server cannot be reached"),
            Self::Problem(problem) => problem.title.clone(),
            Self::Unexpected { status } => format!("The server gave an answer that this page does not understand (HTTP {status})"),
        }
    }

    /// What it means and what to do.
    pub(crate) fn advice(&self) -> String {
        match self {
            Self::Offline => String::from("Check your connection. Nothing is lost: the page tries again when you do."),
            Self::Problem(problem) => match &problem.request_id {
                Some(id) if problem.status >= 500 => format!("{} Request {id} is in the log.", problem.detail),
                _ => problem.detail.clone(),
            },
            Self::Unexpected { .. } => String::from("The page may be older than the server: reload it, then try again."),
        }
    }

    /// Whether it is this problem.
    pub(crate) fn is(&self, kind: ProblemType) -> bool {
        matches!(self, Self::Problem(problem) if problem.problem_type() == Some(kind))
    }

    /// Every bad field that the API named.
    pub(crate) fn faults(&self) -> &[Fault] {
        match self {
            Self::Problem(problem) => &problem.errors,
            Self::Offline | Self::Unexpected { .. } => &[],
        }
    }
}

impl fmt::Display for ApiFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}", self.headline(), self.advice())
    }
}

/// What a call gives.
pub(crate) type Answer<T> = Result<T, ApiFailure>;

/// The API, with the session's token.
#[derive(Clone, Copy)]
pub(crate) struct Api {
    session: Session,
}

/// What the deployment says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Health {
    /// Its version.
    #[serde(default)]
    pub(crate) version: String,
    /// Whether it calls private addresses; `None` where it does not say.
    #[serde(default)]
    pub(crate) allow_private_targets: Option<bool>,
}

impl Api {
    /// The API for the session of the page.
    pub(crate) fn new(session: Session) -> Self {
        Self { session }
    }

    /// `GET /healthz`
    pub(crate) async fn health(self) -> Answer<Health> {
        decode(&self.send("GET", &Route::Health.path(), None, None).await?)
    }

    /// Whether the server accepts `token`, before anybody is signed in with it.
    pub(crate) async fn accepts(token: &str) -> Answer<()> {
        transfer("GET", &Route::Projects.path(), Some(token), None, None).await.map(drop)
    }

    /// `GET /v1/projects`
    pub(crate) async fn projects(self) -> Answer<Page<ProjectView>> {
        decode(&self.send("GET", &Route::Projects.path(), None, None).await?)
    }

    /// `POST /v1/projects`
    pub(crate) async fn create_project(self, body: &Value) -> Answer<ProjectCreated> {
        decode(&self.send("POST", &Route::Projects.path(), Some(&body.to_string()), None).await?)
    }

    /// The operations of one project.
    pub(crate) fn project(self, name: ProjectName) -> ProjectApi {
        ProjectApi { api: self, name }
    }

    async fn send(self, method: &str, path: &str, body: Option<&str>, version: Option<u32>) -> Answer<String> {
        let token = self.session.token_now();
        let answer = transfer(method, path, token.as_deref(), body, version).await;
        if let (Err(failure), Some(token)) = (&answer, &token)
            && failure.is(ProblemType::Unauthorized)
        {
            self.session.refuse(token);
        }
        answer
    }
}

/// The operations of one project.
#[derive(Clone)]
pub(crate) struct ProjectApi {
    api: Api,
    name: ProjectName,
}

impl ProjectApi {
    /// The project.
    pub(crate) fn name(&self) -> &ProjectName {
        &self.name
    }

    /// `GET /v1/projects/{p}`
    pub(crate) async fn detail(&self) -> Answer<ProjectDetail> {
        decode(&self.get(Resource::Detail).await?)
    }

    /// `GET tokens`
    pub(crate) async fn tokens(&self) -> Answer<Page<TokenView>> {
        decode(&self.get(Resource::Tokens).await?)
    }

    /// `POST tokens`
    pub(crate) async fn create_token(&self, body: &Value) -> Answer<TokenCreated> {
        decode(&self.post(Resource::Tokens, body).await?)
    }

    /// `DELETE tokens/{id}`
    pub(crate) async fn revoke_token(&self, id: &str) -> Answer<()> {
        self.delete(Resource::Token(String::from(id))).await
    }

    /// `GET webhooks`
    pub(crate) async fn webhooks(&self, query: &Query) -> Answer<Page<WebhookView>> {
        decode(&self.list(Resource::Webhooks, query).await?)
    }

    /// `POST webhooks`
    pub(crate) async fn create_webhook(&self, body: &Value) -> Answer<WebhookView> {
        decode(&self.post(Resource::Webhooks, body).await?)
    }

    /// `GET webhooks/{name}`
    pub(crate) async fn webhook(&self, name: &str) -> Answer<WebhookView> {
        decode(&self.get(Resource::Webhook(String::from(name))).await?)
    }

    /// `PATCH webhooks/{name}`, if it still has `version`.
    pub(crate) async fn update_webhook(&self, name: &str, version: u32, patch: &Value) -> Answer<WebhookView> {
        let path = self.path(Resource::Webhook(String::from(name)));
        decode(&self.api.send("PATCH", &path, Some(&patch.to_string()), Some(version)).await?)
    }

    /// `DELETE webhooks/{name}`
    pub(crate) async fn delete_webhook(&self, name: &str) -> Answer<()> {
        self.delete(Resource::Webhook(String::from(name))).await
    }

    /// `GET webhooks/{name}/secret`
    pub(crate) async fn webhook_secret(&self, name: &str) -> Answer<SecretView> {
        decode(&self.get(Resource::WebhookSecret(String::from(name))).await?)
    }

    /// `POST webhooks/{name}/test`, with the body as it was typed.
    pub(crate) async fn test_webhook(&self, name: &str, body: &str) -> Answer<TestView> {
        decode(&self.post_text(Resource::WebhookTest(String::from(name)), body).await?)
    }

    /// `POST tests`
    pub(crate) async fn test_url(&self, body: &Value) -> Answer<TestView> {
        decode(&self.post(Resource::Tests, body).await?)
    }

    /// `GET tests/{id}`
    pub(crate) async fn test(&self, id: &str) -> Answer<TestView> {
        decode(&self.get(Resource::Test(String::from(id))).await?)
    }

    /// `GET event-types`
    pub(crate) async fn event_types(&self) -> Answer<Page<EventTypeView>> {
        decode(&self.list(Resource::EventTypes, &Query::default().with("limit", Some("200"))).await?)
    }

    /// `POST event-types`
    pub(crate) async fn add_event_type(&self, body: &Value) -> Answer<EventTypeView> {
        decode(&self.post(Resource::EventTypes, body).await?)
    }

    /// `DELETE event-types/{name}`
    pub(crate) async fn delete_event_type(&self, name: &str) -> Answer<()> {
        self.delete(Resource::EventType(String::from(name))).await
    }

    /// `POST events`, with the body as it was typed: a producer's numbers must not pass through ours.
    pub(crate) async fn post_event(&self, body: &str) -> Answer<EventAccepted> {
        decode(&self.post_text(Resource::Events, body).await?)
    }

    /// `GET events`
    pub(crate) async fn events(&self, query: &Query) -> Answer<Page<EventView>> {
        decode(&self.list(Resource::Events, query).await?)
    }

    /// `GET events/{id}`
    pub(crate) async fn event(&self, id: &str) -> Answer<EventView> {
        decode(&self.get(Resource::Event(String::from(id))).await?)
    }

    /// `GET deliveries`
    pub(crate) async fn deliveries(&self, query: &Query) -> Answer<Page<DeliveryView>> {
        decode(&self.list(Resource::Deliveries, query).await?)
    }

    /// `GET deliveries/{id}`
    pub(crate) async fn delivery(&self, id: &str) -> Answer<DeliveryDetail> {
        decode(&self.get(Resource::Delivery(String::from(id))).await?)
    }

    /// `POST deliveries/{id}/retry`
    pub(crate) async fn retry_delivery(&self, id: &str) -> Answer<DeliveryView> {
        decode(&self.act(Resource::DeliveryRetry(String::from(id))).await?)
    }

    /// `POST deliveries/{id}/cancel`
    pub(crate) async fn cancel_delivery(&self, id: &str) -> Answer<()> {
        self.act(Resource::DeliveryCancel(String::from(id))).await.map(drop)
    }

    /// `GET inboxes`
    pub(crate) async fn inboxes(&self) -> Answer<Page<InboxView>> {
        decode(&self.list(Resource::Inboxes, &Query::default().with("limit", Some("200"))).await?)
    }

    /// `POST inboxes`
    pub(crate) async fn create_inbox(&self, body: &Value) -> Answer<InboxView> {
        decode(&self.post(Resource::Inboxes, body).await?)
    }

    /// `GET inboxes/{id}`
    pub(crate) async fn inbox(&self, id: &str) -> Answer<InboxView> {
        decode(&self.get(Resource::Inbox(String::from(id))).await?)
    }

    /// `PATCH inboxes/{id}`
    pub(crate) async fn update_inbox(&self, id: &str, patch: &Value) -> Answer<InboxView> {
        let path = self.path(Resource::Inbox(String::from(id)));
        decode(&self.api.send("PATCH", &path, Some(&patch.to_string()), None).await?)
    }

    /// `DELETE inboxes/{id}`
    pub(crate) async fn delete_inbox(&self, id: &str) -> Answer<()> {
        self.delete(Resource::Inbox(String::from(id))).await
    }

    /// `GET inboxes/{id}/requests`
    pub(crate) async fn inbox_requests(&self, id: &str, query: &Query) -> Answer<Page<InboxRequestView>> {
        decode(&self.list(Resource::InboxRequests(String::from(id)), query).await?)
    }

    /// `DELETE inboxes/{id}/requests`
    pub(crate) async fn clear_inbox(&self, id: &str) -> Answer<()> {
        self.delete(Resource::InboxRequests(String::from(id))).await
    }

    /// The path of the live feed.
    pub(crate) fn live_path(&self) -> String {
        self.path(Resource::Live)
    }

    fn path(&self, resource: Resource) -> String {
        Route::Project(self.name.clone(), resource).path()
    }

    async fn get(&self, resource: Resource) -> Answer<String> {
        self.api.send("GET", &self.path(resource), None, None).await
    }

    async fn list(&self, resource: Resource, query: &Query) -> Answer<String> {
        self.api.send("GET", &format!("{}{}", self.path(resource), query.text()), None, None).await
    }

    async fn post(&self, resource: Resource, body: &Value) -> Answer<String> {
        self.post_text(resource, &body.to_string()).await
    }

    async fn post_text(&self, resource: Resource, body: &str) -> Answer<String> {
        self.api.send("POST", &self.path(resource), Some(body), None).await
    }

    async fn act(&self, resource: Resource) -> Answer<String> {
        self.api.send("POST", &self.path(resource), None, None).await
    }

    async fn delete(&self, resource: Resource) -> Answer<()> {
        self.api.send("DELETE", &self.path(resource), None, None).await.map(drop)
    }
}

/// The API of the page.
#[must_use]
pub(crate) fn use_api() -> Api {
    Api::new(use_session())
}

/// The API of the project that is shown.
#[must_use]
pub(crate) fn use_project() -> ProjectApi {
    expect_context()
}

/// One call: the body of a successful answer, or why there is none. Not generic, so that it exists once in the binary.
async fn transfer(method: &str, path: &str, token: Option<&str>, body: Option<&str>, version: Option<u32>) -> Answer<String> {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let if_match = version.map(|version| format!("\"{version}\""));
    let mut headers = vec![("accept", "application/json")];
    headers.extend(bearer.as_deref().map(|value| ("authorization", value)));
    headers.extend(if_match.as_deref().map(|value| ("if-match", value)));
    headers.extend(body.map(|_| ("content-type", "application/json")));
    // A deletion may be sent as the page is left (undo); it is small enough for the browser to finish it.
    let call = Call { method, path, headers: &headers, body, outlives_page: method == "DELETE" };
    let Some(answer) = http::call(&call).await else {
        return Err(ApiFailure::Offline);
    };
    if (200..300).contains(&answer.status) {
        return Ok(answer.body);
    }
    Err(match serde_json::from_str::<Problem>(&answer.body) {
        Ok(problem) => ApiFailure::Problem(Box::new(problem)),
        Err(_) => ApiFailure::Unexpected { status: answer.status },
    })
}

fn decode<T: DeserializeOwned>(body: &str) -> Answer<T> {
    serde_json::from_str(body).map_err(|_error| ApiFailure::Unexpected { status: 200 })
}
