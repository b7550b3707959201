//! The native API, one method per operation. Methods and paths come from
//! `postern_core::operation`, shapes from `postern_core::api`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use leptos::prelude::*;
use postern_core::api::audit::AuditEntry;
use postern_core::api::delivery::{DeliveryCount, DeliveryDetail, DeliveryHistogram, DeliveryView};
use postern_core::api::dry_run::DryRunView;
use postern_core::api::event::{EventAccepted, EventDecisions, EventTypeView, EventView};
use postern_core::api::inbox::{InboxRequestView, InboxView};
use postern_core::api::live::LiveTicket;
use postern_core::api::page::Page;
use postern_core::api::project::{ProjectCreated, ProjectDetail, ProjectView};
use postern_core::api::replay::{ReplayCount, ReplayView};
use postern_core::api::run::{RunDetail, RunView};
use postern_core::api::stats::StatsView;
use postern_core::api::test::TestView;
use postern_core::api::token::{TokenCreated, TokenIdentity, TokenView};
use postern_core::api::totals::TotalsView;
use postern_core::api::webhook::{SecretView, WebhookView};
use postern_core::fault::Fault;
use postern_core::operation::{
    AuditLog, Deliveries, Deployment, EventTypes, Events, Inboxes, LiveFeed, Observing, Projects, Replays,
    Request, Runs, Tests, Tokens, Webhooks,
};
use postern_core::problem::{Problem, ProblemType};
use postern_core::route::{DESCRIPTION_PATH, Route};
use postern_core::run::CallbackKind;
use postern_core::webhook::ProjectName;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::browser::http::{self, Call, File, Whole};
use crate::quota;
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
    /// A part of the page itself did not come (`lazy`): no network, or another version is served by now.
    PartMissing,
}

impl ApiFailure {
    /// What happened, in a few words.
    pub(crate) fn headline(&self) -> String {
        match self {
            Self::Offline => String::from("The server cannot be reached"),
            Self::Problem(problem) => {
                quota::refusal(problem).map_or_else(|| problem.title.clone(), |refusal| refusal.headline)
            }
            Self::Unexpected { status } => {
                format!("The server gave an answer that this page does not understand (HTTP {status})")
            }
            Self::PartMissing => String::from("This part of the dashboard could not be loaded"),
        }
    }

    /// What it means and what to do.
    pub(crate) fn advice(&self) -> String {
        match self {
            Self::Offline => {
                String::from("Check your connection. Nothing is lost: the page tries again when you do.")
            }
            Self::Problem(problem) => match &problem.request_id {
                Some(id) if problem.status >= 500 => {
                    format!("{} Request {id} is in the log.", problem.detail)
                }
                _ => quota::refusal(problem).map_or_else(|| problem.detail.clone(), |refusal| refusal.advice),
            },
            Self::Unexpected { .. } => {
                String::from("The page may be older than the server: reload it, then try again.")
            }
            Self::PartMissing => String::from(
                "Check the connection and try again. If Postern was updated since you opened this page, reload it.",
            ),
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
            Self::Offline | Self::Unexpected { .. } | Self::PartMissing => &[],
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

/// A call under way. Boxed, so that what waits for it exists once.
pub(crate) type Load<T> = Pin<Box<dyn Future<Output = Answer<T>>>>;

/// The API, with the session's token.
#[derive(Clone, Copy)]
pub(crate) struct Api {
    /// Whose token calls carry. It is read when a call is sent, not when it is made.
    session: Session,
}

/// What the deployment says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Health {
    /// Whether it calls private addresses; `None` where it does not say.
    pub(crate) allow_private_targets: Option<bool>,
}

impl Api {
    /// The API for the session of the page.
    pub(crate) fn new(session: Session) -> Self {
        Self { session }
    }

    /// `GET /healthz`
    pub(crate) fn health(self) -> Load<Health> {
        self.ask(Deployment::GetHealth, None)
    }

    /// The description of the API, as text.
    pub(crate) fn description(self) -> Load<String> {
        self.text("GET", String::from(DESCRIPTION_PATH), None, None)
    }

    /// Sends any request with the session's token, as somebody wrote it, and gives the whole answer whatever
    /// its status; `None` where none came.
    pub(crate) async fn send_as_written(
        self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: Option<&str>,
    ) -> Option<Whole> {
        let bearer = self.session.token_now().map(|token| format!("Bearer {token}"));
        let mut all: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        all.extend(bearer.as_deref().map(|value| ("authorization", value)));
        all.extend(body.map(|_| ("content-type", "application/json")));
        http::call_in_full(&Call { method, path, headers: &all, body, outlives_page: false }).await
    }

    /// `GET /v1/token`: whose `token` is, before anybody is signed in with it.
    pub(crate) fn whose(token: String) -> Load<TokenIdentity> {
        let (method, path) = call_of(&Route::Deployment(Deployment::GetToken));
        Box::pin(async move { decode(&transfer(method, &path, Some(&token), None, None).await?) })
    }

    /// `GET /v1/projects`
    pub(crate) fn projects(self) -> Load<Page<ProjectView>> {
        self.ask(Deployment::ListProjects, None)
    }

    /// `POST /v1/projects`
    pub(crate) fn create_project(self, body: &Value) -> Load<ProjectCreated> {
        self.ask(Deployment::CreateProject, Some(body.to_string()))
    }

    /// The operations of one project.
    pub(crate) fn project(self, name: ProjectName) -> ProjectApi {
        ProjectApi { api: self, name }
    }

    /// An answer of this type. `version` goes out as `if-match`: the call changes nothing if somebody else
    /// was quicker.
    /// Asks for something of the deployment.
    fn ask<T: DeserializeOwned + 'static>(self, asked: Deployment, body: Option<String>) -> Load<T> {
        let (method, path) = call_of(&Route::Deployment(asked));
        self.send(method, path, body, None)
    }

    fn send<T: DeserializeOwned + 'static>(
        self,
        method: &'static str,
        path: String,
        body: Option<String>,
        version: Option<u32>,
    ) -> Load<T> {
        let text = self.text(method, path, body, version);
        Box::pin(async move { text.await.and_then(|text| decode(&text)) })
    }

    /// A call whose answer has nothing to read.
    fn send_only(self, method: &'static str, path: String) -> Load<()> {
        let text = self.text(method, path, None, None);
        Box::pin(async move { text.await.map(drop) })
    }

    /// The body of the answer. Not generic, so that a call exists once in the binary.
    fn text(
        self,
        method: &'static str,
        path: String,
        body: Option<String>,
        version: Option<u32>,
    ) -> Load<String> {
        Box::pin(async move {
            let token = self.session.token_now();
            let answer = transfer(method, &path, token.as_deref(), body.as_deref(), version).await;
            if let (Err(failure), Some(token)) = (&answer, &token)
                && failure.is(ProblemType::Unauthorized)
            {
                self.session.refuse(token);
            }
            answer
        })
    }
}

/// Pages of a list that are searched at once before a person is asked whether to go on: 200,000 rows.
const PAGES_SEARCHED: usize = 10;

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
    pub(crate) fn detail(&self) -> Load<ProjectDetail> {
        self.ask(Projects::GetProject)
    }

    /// `PATCH /v1/projects/{p}`
    pub(crate) fn update_settings(&self, patch: &Value) -> Load<ProjectDetail> {
        self.send(Projects::UpdateProject, patch)
    }

    /// `DELETE /v1/projects/{p}`, confirmed.
    pub(crate) fn delete(&self) -> Load<()> {
        let (method, path) = self.call_of(Projects::DeleteProject);
        self.api.send_only(method, format!("{path}?confirm={}", self.name.as_str()))
    }

    /// `GET stats`
    pub(crate) fn stats(&self, query: &Query) -> Load<StatsView> {
        self.list(Observing::GetStats, query)
    }

    /// `GET totals`
    pub(crate) fn totals(&self, query: &Query) -> Load<TotalsView> {
        self.list(Observing::GetTotals, query)
    }

    /// `GET events/export`
    pub(crate) fn export_events(&self, query: &Query) -> Load<File> {
        self.export(Events::ExportEvents, query)
    }

    /// `GET deliveries/export`
    pub(crate) fn export_deliveries(&self, query: &Query) -> Load<File> {
        self.export(Deliveries::ExportDeliveries, query)
    }

    /// A file, which may be large.
    fn export(&self, request: impl Into<Request>, query: &Query) -> Load<File> {
        let path = format!("{}{}", self.call_of(request).1, query.text());
        let session = self.api.session;
        Box::pin(async move {
            let bearer = session.token_now().map(|token| format!("Bearer {token}")).unwrap_or_default();
            match http::download(&path, &[("authorization", &bearer)]).await {
                None => Err(ApiFailure::Offline),
                Some(Ok(file)) => Ok(file),
                Some(Err(answer)) => Err(failure_of(&answer)),
            }
        })
    }

    /// `GET tokens`
    pub(crate) fn tokens(&self) -> Load<Page<TokenView>> {
        self.ask(Tokens::ListTokens)
    }

    /// `POST tokens`
    pub(crate) fn create_token(&self, body: &Value) -> Load<TokenCreated> {
        self.send(Tokens::CreateToken, body)
    }

    /// `DELETE tokens/{id}`
    pub(crate) fn revoke_token(&self, id: &str) -> Load<()> {
        self.ask_only(Tokens::DeleteToken { id: String::from(id) })
    }

    /// `GET webhooks`
    pub(crate) fn webhooks(&self, query: &Query) -> Load<Page<WebhookView>> {
        self.list(Webhooks::ListWebhooks, query)
    }

    /// `POST webhooks`
    pub(crate) fn create_webhook(&self, body: &Value) -> Load<WebhookView> {
        self.send(Webhooks::CreateWebhook, body)
    }

    /// `GET webhooks/{name}`
    pub(crate) fn webhook(&self, name: &str) -> Load<WebhookView> {
        self.ask(Webhooks::GetWebhook { name: String::from(name) })
    }

    /// `PATCH webhooks/{name}`, if it still has `version`.
    pub(crate) fn update_webhook(&self, name: &str, version: u32, patch: &Value) -> Load<WebhookView> {
        self.send_if_version(Webhooks::UpdateWebhook { name: String::from(name) }, patch, version)
    }

    /// `DELETE webhooks/{name}`
    pub(crate) fn delete_webhook(&self, name: &str) -> Load<()> {
        self.ask_only(Webhooks::DeleteWebhook { name: String::from(name) })
    }

    /// `GET webhooks/{name}/secret`
    pub(crate) fn webhook_secret(&self, name: &str) -> Load<SecretView> {
        self.ask(Webhooks::GetWebhookSecret { name: String::from(name) })
    }

    /// `POST webhooks/{name}/secret/rotate`
    pub(crate) fn rotate_secret(&self, name: &str, body: &Value) -> Load<SecretView> {
        self.send(Webhooks::RotateWebhookSecret { name: String::from(name) }, body)
    }

    /// `POST webhooks/{name}/pause`
    pub(crate) fn pause_webhook(&self, name: &str) -> Load<WebhookView> {
        self.ask(Webhooks::PauseWebhook { name: String::from(name) })
    }

    /// `POST webhooks/{name}/resume`
    pub(crate) fn resume_webhook(&self, name: &str) -> Load<WebhookView> {
        self.ask(Webhooks::ResumeWebhook { name: String::from(name) })
    }

    /// `POST webhooks/{name}/test`, with the body as it was typed.
    pub(crate) fn test_webhook(&self, name: &str, body: &str) -> Load<TestView> {
        self.send_text(Tests::TestWebhook { name: String::from(name) }, body)
    }

    /// `POST tests`
    pub(crate) fn test_url(&self, body: &Value) -> Load<TestView> {
        self.send(Tests::CreateTest, body)
    }

    /// `GET tests/{id}`
    pub(crate) fn test(&self, id: &str) -> Load<TestView> {
        self.ask(Tests::GetTest { id: String::from(id) })
    }

    /// `GET audit`
    pub(crate) fn audit(&self, query: &Query) -> Load<Page<AuditEntry>> {
        self.search(AuditLog::ListAudit, query)
    }

    /// `GET event-types`: those that are offered to people.
    pub(crate) fn event_types(&self) -> Load<Page<EventTypeView>> {
        let all = self.catalogue();
        Box::pin(async move {
            let mut page = all.await?;
            page.items.retain(|item| !item.archived);
            Ok(page)
        })
    }

    /// `GET event-types`, archived ones too.
    pub(crate) fn catalogue(&self) -> Load<Page<EventTypeView>> {
        self.ask(EventTypes::ListEventTypes)
    }

    /// `PATCH event-types/{name}`, if it still has `version`.
    pub(crate) fn update_event_type(&self, name: &str, version: u32, patch: &Value) -> Load<EventTypeView> {
        self.send_if_version(EventTypes::UpdateEventType { name: String::from(name) }, patch, version)
    }

    /// `POST event-types`
    pub(crate) fn add_event_type(&self, body: &Value) -> Load<EventTypeView> {
        self.send(EventTypes::CreateEventType, body)
    }

    /// `DELETE event-types/{name}`
    pub(crate) fn delete_event_type(&self, name: &str) -> Load<()> {
        self.ask_only(EventTypes::DeleteEventType { name: String::from(name) })
    }

    /// `POST events`, with the body as it was typed: a producer's numbers must not pass through ours.
    pub(crate) fn post_event(&self, body: &str) -> Load<EventAccepted> {
        self.send_text(Events::CreateEvent, body)
    }

    /// `POST events/dry-run`, with the body as it was typed.
    pub(crate) fn dry_run(&self, body: &str) -> Load<DryRunView> {
        self.send_text(Events::DryRunEvent, body)
    }

    /// `GET events`
    pub(crate) fn events(&self, query: &Query) -> Load<Page<EventView>> {
        self.search(Events::ListEvents, query)
    }

    /// `GET events/{id}`
    pub(crate) fn event(&self, id: &str) -> Load<EventView> {
        self.ask(Events::GetEvent { id: String::from(id) })
    }

    /// `GET events/{id}/deliveries`
    pub(crate) fn event_deliveries(&self, id: &str) -> Load<Page<DeliveryView>> {
        self.list(
            Events::ListEventDeliveries { id: String::from(id) },
            &Query::default().with("limit", Some("200")),
        )
    }

    /// `GET events/{id}/decisions`
    pub(crate) fn event_decisions(&self, id: &str) -> Load<EventDecisions> {
        self.ask(Events::ListEventDecisions { id: String::from(id) })
    }

    /// `GET deliveries`
    pub(crate) fn deliveries(&self, query: &Query) -> Load<Page<DeliveryView>> {
        self.search(Deliveries::ListDeliveries, query)
    }

    /// `GET deliveries/count`
    pub(crate) fn count_deliveries(&self, query: &Query) -> Load<DeliveryCount> {
        self.list(Deliveries::CountDeliveries, query)
    }

    /// `GET deliveries/histogram`
    pub(crate) fn delivery_histogram(&self, query: &Query) -> Load<DeliveryHistogram> {
        self.list(Deliveries::GetDeliveryHistogram, query)
    }

    /// `GET deliveries/{id}`
    pub(crate) fn delivery(&self, id: &str) -> Load<DeliveryDetail> {
        self.ask(Deliveries::GetDelivery { id: String::from(id) })
    }

    /// `POST deliveries/{id}/retry`
    pub(crate) fn retry_delivery(&self, id: &str) -> Load<DeliveryView> {
        self.ask(Deliveries::RetryDelivery { id: String::from(id) })
    }

    /// `POST deliveries/{id}/cancel`
    pub(crate) fn cancel_delivery(&self, id: &str) -> Load<()> {
        self.ask_only(Deliveries::CancelDelivery { id: String::from(id) })
    }

    /// `GET replays`
    pub(crate) fn replays(&self, query: &Query) -> Load<Page<ReplayView>> {
        self.list(Replays::ListReplays, query)
    }

    /// `GET replays/{id}`
    pub(crate) fn replay(&self, id: &str) -> Load<ReplayView> {
        self.ask(Replays::GetReplay { id: String::from(id) })
    }

    /// `POST replays`
    pub(crate) fn create_replay(&self, body: &Value) -> Load<ReplayView> {
        self.send(Replays::CreateReplay, body)
    }

    /// `POST replays` with `dry_run`: how many there are.
    pub(crate) fn count_replay(&self, body: &Value) -> Load<ReplayCount> {
        self.send(Replays::CreateReplay, body)
    }

    /// `POST replays/{id}/cancel`
    pub(crate) fn cancel_replay(&self, id: &str) -> Load<ReplayView> {
        self.ask(Replays::CancelReplay { id: String::from(id) })
    }

    /// `GET runs`
    pub(crate) fn runs(&self, query: &Query) -> Load<Page<RunView>> {
        self.list(Runs::ListRuns, query)
    }

    /// `GET runs/{id}`
    pub(crate) fn run(&self, id: &str) -> Load<RunDetail> {
        self.ask(Runs::GetRun { id: String::from(id) })
    }

    /// `POST runs/{id}/terminate`
    pub(crate) fn terminate_run(&self, id: &str) -> Load<RunView> {
        self.ask(Runs::TerminateRun { id: String::from(id) })
    }

    /// `POST runs/{id}/callbacks/{kind}/retry`
    pub(crate) fn retry_run_callback(&self, id: &str, kind: CallbackKind) -> Load<RunView> {
        self.ask(Runs::RetryRunCallback { id: String::from(id), kind: String::from(kind.as_str()) })
    }

    /// `GET inboxes`
    pub(crate) fn inboxes(&self) -> Load<Page<InboxView>> {
        self.list(Inboxes::ListInboxes, &Query::default().with("limit", Some("200")))
    }

    /// `POST inboxes`
    pub(crate) fn create_inbox(&self, body: &Value) -> Load<InboxView> {
        self.send(Inboxes::CreateInbox, body)
    }

    /// `GET inboxes/{id}`
    pub(crate) fn inbox(&self, id: &str) -> Load<InboxView> {
        self.ask(Inboxes::GetInbox { id: String::from(id) })
    }

    /// `PATCH inboxes/{id}`
    pub(crate) fn update_inbox(&self, id: &str, patch: &Value) -> Load<InboxView> {
        self.send(Inboxes::UpdateInbox { id: String::from(id) }, patch)
    }

    /// `DELETE inboxes/{id}`
    pub(crate) fn delete_inbox(&self, id: &str) -> Load<()> {
        self.ask_only(Inboxes::DeleteInbox { id: String::from(id) })
    }

    /// `GET inboxes/{id}/requests`
    pub(crate) fn inbox_requests(&self, id: &str, query: &Query) -> Load<Page<InboxRequestView>> {
        self.list(Inboxes::ListInboxRequests { id: String::from(id) }, query)
    }

    /// `DELETE inboxes/{id}/requests`
    pub(crate) fn clear_inbox(&self, id: &str) -> Load<()> {
        self.ask_only(Inboxes::ClearInboxRequests { id: String::from(id) })
    }

    /// `POST live/tickets`
    pub(crate) fn live_ticket(&self) -> Load<LiveTicket> {
        self.ask(Observing::CreateLiveTicket)
    }

    /// The path of the live feed.
    pub(crate) fn live_path(&self) -> String {
        self.call_of(LiveFeed::Listen).1
    }

    /// Where a thing of the project stands.
    /// The method and the path of a request, as the table of operations has them.
    fn call_of(&self, request: impl Into<Request>) -> (&'static str, String) {
        call_of(&Route::Project(self.name.clone(), request.into()))
    }

    /// Asks for something without a body.
    fn ask<T: DeserializeOwned + 'static>(&self, request: impl Into<Request>) -> Load<T> {
        let (method, path) = self.call_of(request);
        self.api.send(method, path, None, None)
    }

    /// Reads a page.
    fn list<T: DeserializeOwned + 'static>(&self, request: impl Into<Request>, query: &Query) -> Load<T> {
        let (method, path) = self.call_of(request);
        self.api.send(method, format!("{path}{}", query.text()), None, None)
    }

    /// A list that may be long: where a page ended before it was full, the search goes on from there, for
    /// some pages.
    fn search<T: DeserializeOwned + 'static>(
        &self,
        request: impl Into<Request>,
        query: &Query,
    ) -> Load<Page<T>> {
        let (api, (method, path), query) = (self.api, self.call_of(request), query.clone());
        Box::pin(async move {
            let mut page: Page<T> = api.send(method, format!("{path}{}", query.text()), None, None).await?;
            for _more in 1..PAGES_SEARCHED {
                let Some(next) = page.next.take_if(|_next| page.searched_to.is_some()) else { break };
                let on = query.clone().with("cursor", Some(&next));
                page.extend(api.send(method, format!("{path}{}", on.text()), None, None).await?);
            }
            Ok(page)
        })
    }

    /// Asks for something with a body.
    fn send<T: DeserializeOwned + 'static>(&self, request: impl Into<Request>, body: &Value) -> Load<T> {
        self.send_text(request, &body.to_string())
    }

    /// The same with a body as it was typed: a number must not pass through a number type of ours, which
    /// would round it.
    fn send_text<T: DeserializeOwned + 'static>(&self, request: impl Into<Request>, body: &str) -> Load<T> {
        let (method, path) = self.call_of(request);
        self.api.send(method, path, Some(String::from(body)), None)
    }

    /// The same, refused if the thing has another version by now.
    fn send_if_version<T: DeserializeOwned + 'static>(
        &self,
        request: impl Into<Request>,
        body: &Value,
        version: u32,
    ) -> Load<T> {
        let (method, path) = self.call_of(request);
        self.api.send(method, path, Some(body.to_string()), Some(version))
    }

    /// Asks for something whose answer has nothing to read. The browser finishes a deletion even if the page
    /// is left meanwhile.
    fn ask_only(&self, request: impl Into<Request>) -> Load<()> {
        let (method, path) = self.call_of(request);
        self.api.send_only(method, path)
    }
}

/// The method and the path of a route.
fn call_of(route: &Route) -> (&'static str, String) {
    (route.operation().method().as_str(), route.path())
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

/// One call: the body of a successful answer, or why it failed. Not generic, so that it exists once in
/// the binary.
async fn transfer(
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Option<&str>,
    version: Option<u32>,
) -> Answer<String> {
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
    Err(failure_of(&answer))
}

/// What an unsuccessful answer says.
fn failure_of(answer: &http::Answer) -> ApiFailure {
    match serde_json::from_str(&answer.body).ok() {
        Some(problem) => ApiFailure::Problem(problem),
        None => ApiFailure::Unexpected { status: answer.status },
    }
}

/// Not inlined, so that a type is read in one place.
#[inline(never)]
fn decode<T: DeserializeOwned>(body: &str) -> Answer<T> {
    serde_json::from_str(body).map_err(|_unfit| ApiFailure::Unexpected { status: 200 })
}

#[cfg(test)]
mod tests {
    use postern_core::quota::{Exceeded, Quota};

    use super::*;

    const AT: &str = "2026-11-21T14:07:31.204Z";

    #[test]
    fn an_answer_of_another_shape_is_unexpected() {
        for text in
            ["", "[]", "{}", "{\"items\":{},\"next\":null}", "{\"items\":[1],\"next\":null}", "<html>"]
        {
            assert_eq!(
                decode::<Page<DeliveryView>>(text),
                Err(ApiFailure::Unexpected { status: 200 }),
                "{text}"
            );
        }
    }

    #[test]
    fn data_of_an_event_is_kept_as_it_was_written() {
        let text = format!(
            "{{\"id\":\"e\",\"type\":\"t\",\"data\":{{ \"n\" : 1e400 }},\"object\":null,\"labels\":{{}},\"accepted_at\":\"{AT}\",\"deliveries\":0}}"
        );
        let event: EventView = decode(&text).expect("an event");
        assert_eq!(event.data.map(|data| String::from(data.get())), Some(String::from("{ \"n\" : 1e400 }")));
    }

    #[test]
    fn numbers_of_an_event_type_keep_every_digit() {
        let text = format!(
            "{{\"name\":\"a\",\"description\":\"\",\"example\":{{\"x\":12345678901234567890123.10}},\"schema\":null,\"archived\":false,\"version\":1,\"created_at\":\"{AT}\"}}"
        );
        let known: EventTypeView = decode(&text).expect("an event type");
        assert_eq!(
            known.example.map(|example| example.to_string()).as_deref(),
            Some("{\"x\":12345678901234567890123.10}")
        );
    }

    #[test]
    fn a_refusal_is_read_with_its_fields() {
        let body = String::from(
            r#"{"type":"t","title":"T","status":422,"detail":"d","errors":[{"pointer":"/a","detail":"b"}],"more_errors":7}"#,
        );
        let failure = failure_of(&http::Answer { status: 422, body });
        assert_eq!(failure.faults(), [Fault::new("/a", "b")]);
        let over = Exceeded { quota: Quota::Webhooks, limit: 3, used: 3, more: 1, retry_after_s: None };
        let body = serde_json::to_string(&Problem::over_quota(over)).expect("JSON");
        assert_eq!(
            failure_of(&http::Answer { status: 429, body }).to_string(),
            "The limit is 3 webhooks of this project. 3 are used. Delete one that is not needed."
        );
        assert_eq!(
            failure_of(&http::Answer { status: 502, body: String::from("<html>") }),
            ApiFailure::Unexpected { status: 502 }
        );
    }
}
