//! A client of the native API, as a producer or an operator would write one.
//!
//! [`Api`] sends anything, [`Project`] knows the paths and types of one project. Replies keep status, headers
//! and body as they came, so that a test may look at every byte.

use std::time::Duration;

use postern_core::api::delivery::{DeliveryDetail, DeliveryView};
use postern_core::api::event::EventAccepted;
use postern_core::api::inbox::{InboxRequestView, InboxView};
use postern_core::api::page::Page;
use postern_core::api::test::{TestStatus, TestView};
use postern_core::api::webhook::WebhookView;
use postern_core::problem::{Problem, ProblemType};
use reqwest::header::HeaderValue;
use reqwest::{Method, redirect};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::wait::{SOON, eventually};

/// Longer than any answer takes; a hang fails the test with a sentence.
const TIMEOUT: Duration = Duration::from_secs(90);

/// A base URL and the token to use there.
#[derive(Clone, Debug)]
pub struct Api {
    http: reqwest::Client,
    /// `http://127.0.0.1:PORT`
    pub base: String,
    /// What goes into `Authorization`.
    pub authorization: Option<String>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// `METHOD path`, for messages.
    pub call: String,
    /// HTTP status.
    pub status: u16,
    /// Headers in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
}

impl Api {
    /// A client for `base` that sends `token` as a bearer.
    #[must_use]
    pub fn new(base: &str, token: Option<&str>) -> Self {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("an HTTP client can be made");
        Self { http, base: String::from(base), authorization: token.map(|token| format!("Bearer {token}")) }
    }

    /// The same client with another `Authorization`.
    #[must_use]
    pub fn with_authorization(&self, value: &str) -> Self {
        Self { authorization: Some(String::from(value)), ..self.clone() }
    }

    /// The same client with another bearer token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        self.with_authorization(&format!("Bearer {token}"))
    }

    /// The same client without a token.
    #[must_use]
    pub fn without_token(&self) -> Self {
        Self { authorization: None, ..self.clone() }
    }

    /// Sends a request with a JSON body, or none.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        match body {
            Some(body) => {
                self.send_raw(method, path, &[("content-type", "application/json")], body.to_string()).await
            }
            None => self.send_raw(method, path, &[], String::new()).await,
        }
    }

    /// Sends a request with these headers and this body.
    pub async fn send_raw(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Reply {
        let call = format!("{method} {path}");
        self.try_send(method, path, headers, body)
            .await
            .unwrap_or_else(|fault| panic!("{call} got no answer: {fault}"))
    }

    /// Sends a GET; `None` where no answer came.
    pub async fn try_get(&self, path: &str) -> Option<Reply> {
        self.try_send(Method::GET, path, &[], String::new()).await.ok()
    }

    /// Sends a request; a connection that fails is a value.
    ///
    /// # Errors
    /// No answer came: refused, reset, timed out.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Result<Reply, reqwest::Error> {
        let call = format!("{method} {path}");
        let mut request = self.http.request(method, format!("{}{path}", self.base)).body(body);
        if let Some(value) = &self.authorization {
            request = request.header("authorization", value);
        }
        for (name, value) in headers {
            let value = HeaderValue::from_bytes(value.as_bytes())
                .unwrap_or_else(|fault| panic!("{name}: {value}: {fault}"));
            request = request.header(*name, value);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        Ok(Reply { call, status, headers, body: response.text().await? })
    }
}

impl Reply {
    /// This reply, if its status is `status`.
    #[track_caller]
    #[expect(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "often the status is all that a test wants to know"
    )]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} answered {}: {}", self.call, self.status, self.body);
        self
    }

    /// The body as JSON.
    #[track_caller]
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|fault| panic!("{} did not answer JSON ({fault}): {}", self.call, self.body))
    }

    /// The body as `T`.
    #[track_caller]
    #[must_use]
    pub fn read<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|fault| panic!("{} answered something else ({fault}): {}", self.call, self.body))
    }

    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The problem document, which must be complete and be of `kind`.
    #[track_caller]
    #[expect(clippy::must_use_candidate, reason = "often the kind is all that a test wants to know")]
    pub fn problem(&self, kind: ProblemType) -> Problem {
        assert_eq!(
            self.status,
            kind.status(),
            "{} answered {}, not {}: {}",
            self.call,
            self.status,
            kind.id(),
            self.body
        );
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{}: {}",
            self.call,
            self.body
        );
        let problem: Problem = self.read();
        assert_eq!(
            (problem.kind.as_str(), problem.title.as_str(), problem.status),
            (kind.uri().as_str(), kind.title(), kind.status()),
            "{}",
            self.call
        );
        assert!(!problem.detail.is_empty(), "{}: a problem says what happened: {}", self.call, self.body);
        problem
    }

    /// [`ProblemType::InvalidInput`] that names exactly these fields, in any order.
    #[track_caller]
    pub fn faults(&self, pointers: &[&str]) {
        let problem = self.problem(ProblemType::InvalidInput);
        let mut named: Vec<&str> = problem.errors.iter().map(|fault| fault.pointer.as_str()).collect();
        let mut wanted = pointers.to_vec();
        named.sort_unstable();
        named.dedup();
        wanted.sort_unstable();
        assert_eq!(named, wanted, "{}: {}", self.call, self.body);
    }
}

/// One project, with its `manage` token.
#[derive(Clone, Debug)]
pub struct Project {
    /// Sends as the project's owner.
    pub api: Api,
    /// Its name.
    pub name: String,
    /// Its `manage` token.
    pub token: String,
}

impl Project {
    /// The project `name` at `base`.
    #[must_use]
    pub fn new(base: &str, name: &str, token: &str) -> Self {
        Self { api: Api::new(base, Some(token)), name: String::from(name), token: String::from(token) }
    }

    /// The path of something below the project.
    #[must_use]
    pub fn path(&self, rest: &str) -> String {
        format!("/v1/projects/{}/{rest}", self.name)
    }

    /// Sends a GET to something below the project.
    pub async fn get(&self, rest: &str) -> Reply {
        self.api.send(Method::GET, &self.path(rest), None).await
    }

    /// Sends a POST to something below the project.
    pub async fn post(&self, rest: &str, body: &Value) -> Reply {
        self.api.send(Method::POST, &self.path(rest), Some(body)).await
    }

    /// Sends a POST without a body.
    pub async fn post_nothing(&self, rest: &str) -> Reply {
        self.api.send(Method::POST, &self.path(rest), None).await
    }

    /// Sends a PATCH to something below the project.
    pub async fn patch(&self, rest: &str, body: &Value) -> Reply {
        self.api.send(Method::PATCH, &self.path(rest), Some(body)).await
    }

    /// Sends a DELETE to something below the project.
    pub async fn delete(&self, rest: &str) -> Reply {
        self.api.send(Method::DELETE, &self.path(rest), None).await
    }

    /// Creates a webhook from its create body.
    pub async fn webhook(&self, draft: &Value) -> WebhookView {
        self.post("webhooks", draft).await.expect(201).read()
    }

    /// Creates a `standard` webhook named `name` for every event, calling `url`, changed by the fields of
    /// `more`.
    pub async fn listen(&self, name: &str, url: &str, more: &Value) -> WebhookView {
        let mut draft = json!({ "name": name, "url": url, "events": ["*"] });
        merge(&mut draft, more);
        self.webhook(&draft).await
    }

    /// Posts an event.
    pub async fn event(&self, kind: &str, data: Value) -> EventAccepted {
        self.post("events", &json!({ "type": kind, "data": data })).await.expect(202).read()
    }

    /// The signing secret of a webhook.
    pub async fn secret(&self, webhook: &str) -> Option<String> {
        let reply = self.get(&format!("webhooks/{webhook}/secret")).await.expect(200).json();
        reply["secret"].as_str().map(String::from)
    }

    /// A token of `role`.
    pub async fn token(&self, role: &str) -> String {
        let reply = self
            .post("tokens", &json!({ "name": format!("for {role}"), "role": role }))
            .await
            .expect(201)
            .json();
        String::from(reply["secret"].as_str().expect("a new token is shown once"))
    }

    /// One page of deliveries; `query` is what follows the `?`.
    pub async fn deliveries(&self, query: &str) -> Page<DeliveryView> {
        self.get(&format!("deliveries?{query}")).await.expect(200).read()
    }

    /// A delivery in full.
    pub async fn delivery(&self, id: &str) -> DeliveryDetail {
        self.get(&format!("deliveries/{id}")).await.expect(200).read()
    }

    /// The delivery of `event` to the webhook named `webhook`, once it is one for which `wanted` holds.
    pub async fn delivery_when(
        &self,
        event: &str,
        webhook: &str,
        what: &str,
        wanted: impl Fn(&DeliveryDetail) -> bool,
    ) -> DeliveryDetail {
        eventually(&format!("the delivery of {event} to {webhook} {what}"), SOON, async || {
            let page = self.deliveries(&format!("webhook={webhook}&limit=200")).await;
            let found = page.items.into_iter().find(|delivery| delivery.event_id == event)?;
            Some(self.delivery(&found.id).await).filter(&wanted)
        })
        .await
    }

    /// The delivery of `event` to `webhook` once its first attempt has ended.
    pub async fn attempted(&self, event: &str, webhook: &str) -> DeliveryDetail {
        self.delivery_when(event, webhook, "has an attempt", |detail| !detail.attempts.is_empty()).await
    }

    /// A new inbox.
    pub async fn inbox(&self, name: &str) -> InboxView {
        self.post("inboxes", &json!({ "name": name })).await.expect(201).read()
    }

    /// What an inbox recorded, newest first.
    pub async fn inbox_requests(&self, inbox: &str) -> Page<InboxRequestView> {
        self.get(&format!("inboxes/{inbox}/requests")).await.expect(200).read()
    }

    /// A test once it has ended.
    pub async fn ended_test(&self, id: &str) -> TestView {
        eventually(&format!("the test {id} ends"), SOON, async || {
            let test: TestView = self.get(&format!("tests/{id}")).await.expect(200).read();
            (test.status != TestStatus::Pending).then_some(test)
        })
        .await
    }

    /// How much of everything the project holds: what a refused request must leave as it is.
    pub async fn census(&self) -> Value {
        let mut census = json!({});
        for (list, limit) in [
            ("webhooks", "?limit=200"),
            ("events", "?limit=200"),
            ("deliveries", "?limit=200"),
            ("inboxes", "?limit=200"),
            ("tokens", ""),
            ("event-types", ""),
        ] {
            let page = self.get(&format!("{list}{limit}")).await.expect(200).json();
            census[list] = page["items"].clone();
            // Asking is a use of the token that asks.
            for item in census[list].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
                item.remove("last_used_at");
            }
        }
        census
    }
}

/// Sets the fields of `more` in `draft`.
fn merge(draft: &mut Value, more: &Value) {
    for (key, value) in more.as_object().into_iter().flatten() {
        draft[key] = value.clone();
    }
}
