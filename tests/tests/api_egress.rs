//! A deployment as it comes: private targets are refused at every door through which a URL comes in, in all
//! four APIs.
//!
//! The policy's table is in `core`; here is shown that it is asked everywhere, and that the answer names the
//! field.

use futures_util::{StreamExt as _, stream};
use postern_core::api::run::{RunClaim, RunDetail};
use postern_core::api::test::TestStatus;
use postern_core::delivery::{Outcome, State};
use postern_core::run::CallbackKind;
use postern_tests::client::{Api, Project, Reply};
use postern_tests::hostile;
use postern_tests::sink::{Behaviour, Sink};
use postern_tests::stack::{self, Stack};
use postern_tests::wait::{SOON, eventually};
use reqwest::Method;
use serde_json::{Value, json};

/// Requests at once: what is shown here does not depend on speed.
const AT_ONCE: usize = 8;
/// Jobs of actinia that are made only to fail: each is a row.
const JOBS: usize = 40;

/// A project as its four kinds of clients see it.
struct Doors {
    project: Project,
    ubiops: Api,
    up42: Api,
    actinia: Api,
    workspace: String,
    up42_webhook: String,
}

impl Doors {
    async fn new(project: Project) -> Self {
        let ubiops = project.api.with_authorization(&format!("Token {}", project.token));
        let actinia = project.api.with_authorization(&basic(&project.name, &project.token));
        let up42 = project.api.clone();
        let me = up42.send(Method::GET, "/up42/users/me", None).await.expect(200).json();
        let workspace = String::from(me["data"]["id"].as_str().expect("a user has an id"));
        project.webhook(&json!({ "name": "public", "url": "https://example.com/hooks", "events": ["*"], "enabled": false })).await;
        let named = json!({ "name": "u", "url": "https://example.com/u", "object_type": "deployment", "object_name": "d", "event": "deployment_request_failed" });
        ubiops
            .send(Method::POST, &format!("/ubiops/v2.1/projects/{}/webhooks", project.name), Some(&named))
            .await
            .expect(201);
        let draft = json!({ "name": "p", "url": "https://example.com/p", "events": ["job.status"], "secret": null, "active": false });
        let made =
            up42.send(Method::POST, &format!("/up42/workspaces/{workspace}/webhooks"), Some(&draft)).await;
        assert!(matches!(made.status, 200 | 201), "{}", made.body);
        let up42_webhook = String::from(made.json()["data"]["id"].as_str().expect("a webhook has an id"));
        Self { project, ubiops, up42, actinia, workspace, up42_webhook }
    }

    /// Offers `url` at every door; says which of them took it, or refused something else.
    async fn try_all(&self, url: &str) -> Vec<String> {
        let project = &self.project;
        let mut open = Vec::new();
        let mut closed = |door: &str, reply: &Reply, status: u16, words: &[&str]| {
            if reply.status != status || !words.iter().any(|word| reply.body.contains(word)) {
                open.push(format!("{door} and {url}: {} {}", reply.status, reply.body));
            }
        };
        let native = [
            ("create", project.post("webhooks", &json!({ "name": "w", "url": url, "events": ["*"] })).await),
            ("update", project.patch("webhooks/public", &json!({ "url": url })).await),
            ("test", project.post("tests", &json!({ "url": url })).await),
        ];
        for (door, reply) in native {
            closed(door, &reply, 422, &["\"pointer\":\"/url\""]);
        }
        for call in ["plan", "apply"] {
            let document = json!({ "webhooks": [{ "name": "w", "url": url, "events": ["*"] }] });
            let reply = project.post(&format!("config/{call}"), &json!({ "document": document })).await;
            closed(call, &reply, 422, &["/document/webhooks/0/url"]);
        }
        let listing = json!({ "data": [{ "id": "e", "url": url }] });
        let imported = project.post("import/preview", &json!({ "from": "svix", "listing": listing })).await;
        closed("import", &imported, 200, &["\"taken\":false"]);
        for field in ["finished", "update"] {
            let mut webhooks = json!({ "finished": "https://example.com/f" });
            webhooks[field] = json!(url);
            let reply = project.post("runs", &json!({ "chain": {}, "webhooks": webhooks })).await;
            closed("run", &reply, 422, &["/webhooks/finished", "/webhooks/update"]);
        }
        let event = json!({ "name": "w", "url": url, "object_type": "deployment", "object_name": "d", "event": "deployment_request_failed" });
        let below = format!("/ubiops/v2.1/projects/{}", project.name);
        for (door, method, rest, body) in [
            ("ubiops create", Method::POST, "webhooks", event.clone()),
            ("ubiops update", Method::PATCH, "webhooks/u", json!({ "url": url })),
            ("ubiops test", Method::POST, "webhooks-tests", without(&event, "name")),
        ] {
            closed(
                door,
                &self.ubiops.send(method, &format!("{below}/{rest}"), Some(&body)).await,
                400,
                &["url"],
            );
        }
        let draft =
            json!({ "name": "n", "url": url, "events": ["job.status"], "secret": null, "active": false });
        let webhooks = format!("/up42/workspaces/{}/webhooks", self.workspace);
        for (door, method, path) in [
            ("up42 create", Method::POST, webhooks.clone()),
            ("up42 update", Method::PUT, format!("{webhooks}/{}", self.up42_webhook)),
        ] {
            closed(door, &self.up42.send(method, &path, Some(&draft)).await, 400, &["url"]);
        }
        let chain = json!({ "version": "1", "list": [], "webhooks": { "finished": url } });
        let path = "/actinia/api/v3/locations/l/process_chain_validation_sync";
        closed(
            "actinia",
            &self.actinia.send(Method::POST, path, Some(&chain)).await,
            400,
            &["AsyncProcessError"],
        );
        open
    }

    /// How many doors [`Self::try_all`] knocks at.
    const COUNT: usize = 14;
}

fn basic(user: &str, password: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
}

/// What a refused URL could have changed. (A chain that is only validated is a resource too, in actinia and
/// here.)
async fn stored(project: &Project) -> Value {
    project.get("webhooks").await.expect(200).json()
}

fn without(value: &Value, field: &str) -> Value {
    let mut value = value.clone();
    value.as_object_mut().expect("an object").remove(field);
    value
}

#[tokio::test]
async fn a_hostile_url_is_refused_at_every_door() {
    let stack = Stack::start_strict().await;
    let doors = Doors::new(stack.project("egress").await).await;
    let before = stored(&doors.project).await;
    let urls = hostile::urls();
    let open: Vec<String> = stream::iter(&urls)
        .map(|url| doors.try_all(url))
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .flatten()
        .collect();
    assert!(
        open.is_empty(),
        "{} of {} tries: {:#?}",
        open.len(),
        urls.len() * Doors::COUNT,
        &open[..open.len().min(20)]
    );
    assert_eq!(stored(&doors.project).await, before, "nothing was stored");
    // A job is taken whatever its chain says, and fails by it without a call to anybody.
    for url in urls.iter().take(JOBS) {
        let chain = json!({ "version": "1", "list": [], "webhooks": { "finished": url } });
        let path = "/actinia/api/v3/locations/l/processing_async_export";
        let made = doors.actinia.send(Method::POST, path, Some(&chain)).await.expect(200).json();
        let resource = format!(
            "/actinia/api/v3/resources/{}/{}",
            doors.project.name,
            made["resource_id"].as_str().expect("an id")
        );
        let failed = doors.actinia.send(Method::GET, &resource, None).await.expect(400).json();
        assert_eq!(failed["status"], "error", "{url}: {failed}");
    }
}

#[tokio::test]
async fn our_own_address_is_refused_unless_it_is_an_inbox() {
    let stack = Stack::start().await;
    let project = stack.project("own").await;
    let own = format!("{}/v1/projects/{}/events", stack.base(), project.name);
    project.post("webhooks", &json!({ "name": "loop", "url": own, "events": ["*"] })).await.faults(&["/url"]);
    project.post("tests", &json!({ "url": own })).await.faults(&["/url"]);
    let inbox = project.inbox("ok").await;
    project.listen("ok", &inbox.url, &json!({})).await;
    let event = project.event("e", json!(1)).await;
    assert_eq!(project.attempted(&event.id, "ok").await.delivery.last_status, Some(200));
}

#[tokio::test]
async fn a_callback_calls_no_api_of_ours_under_whatever_name() {
    let project = stack::project("loops").await;
    let headers = [("content-type", "application/json"), ("webhook-id", "msg_1")];
    let native = project.path("events");
    let ubiops = format!("/ubiops/v2.1/projects/{}/webhooks", project.name);
    let before = project.census().await;
    for path in [
        native.as_str(),
        &ubiops,
        "/up42/workspaces/x/webhooks/y/tests",
        "/actinia/api/v3/locations/l/processing_async_export",
    ] {
        let reply =
            project.api.send_raw(Method::POST, path, &headers, r#"{"type":"a","data":1}"#).await.expect(403);
        assert!(reply.body.contains("webhook-id"), "{path}: {}", reply.body);
    }
    assert_eq!(project.census().await, before, "nothing was stored");
}

/// What was taken while private targets were allowed is not called once they are not: each attempt asks the
/// policy as it is.
#[tokio::test]
async fn every_attempt_asks_the_policy_again() {
    let mut stack = Stack::start().await;
    let (project, sink) = (stack.project("later").await, Sink::start().await);
    project.listen("w", &sink.url("/w"), &json!({ "events": ["e"] })).await;
    sink.always("/again", Behaviour::status(503));
    project
        .listen("again", &sink.url("/again"), &json!({ "events": ["again"], "retry_schedule_s": [10] }))
        .await;
    project
        .post(
            "runs",
            &json!({ "chain": {}, "webhooks": { "finished": sink.url("/f"), "update": sink.url("/u") } }),
        )
        .await
        .expect(201);
    let run: RunClaim = eventually("the run is offered", SOON, async || {
        Some(project.post("runs/claim", &json!({})).await).filter(|reply| reply.status == 200)
    })
    .await
    .read();
    let allowed = project.event("e", json!(1)).await;
    assert_eq!(project.attempted(&allowed.id, "w").await.delivery.last_status, Some(200));
    let waiting = project.event("again", json!(1)).await;
    assert_eq!(project.attempted(&waiting.id, "again").await.delivery.state, State::Waiting);
    let calls = sink.all().len();

    stack.stop().await;
    stack.set_variable("ALLOW_PRIVATE_TARGETS", "false");
    stack.boot().await;
    let event = project.event("e", json!(2)).await;
    let detail = project.attempted(&event.id, "w").await;
    assert_eq!(detail.delivery.state, State::Dead, "trying again would not help");
    let is_blocked = |outcome: &Outcome| matches!(outcome, Outcome::Blocked { .. });
    assert!(is_blocked(&detail.attempts[0].attempt.outcome), "{:?}", detail.attempts);
    let test = project.post("webhooks/w/test", &json!({})).await.expect(201).json();
    let test = project.ended_test(test["id"].as_str().expect("a test has an id")).await;
    assert_eq!(test.status, TestStatus::Failed);
    project.post(&format!("deliveries/{}/retry", detail.delivery.id), &json!({})).await.expect(202);
    let resent =
        project.delivery_when(&event.id, "w", "was resent", |detail| detail.delivery.attempts == 2).await;
    assert!(is_blocked(&resent.attempts[1].attempt.outcome), "{:?}", resent.attempts);
    let retried = project
        .delivery_when(&waiting.id, "again", "was tried again", |detail| detail.delivery.attempts == 2)
        .await;
    assert!(is_blocked(&retried.attempts[1].attempt.outcome), "{:?}", retried.attempts);
    project.post(&format!("runs/{}/updates", run.id), &json!({ "message": "half" })).await.expect(202);
    project.post(&format!("runs/{}/finish", run.id), &json!({ "outcome": "finished" })).await.expect(202);
    let refused = eventually("every callback of the run was refused", SOON, async || {
        let run: RunDetail = project.get(&format!("runs/{}", run.id)).await.expect(200).read();
        let posts: Vec<_> = run
            .callbacks
            .into_iter()
            .filter(|call| matches!(call.kind, CallbackKind::Update | CallbackKind::Finished))
            .collect();
        (posts.len() == 2 && posts.iter().all(|call| !call.attempts.is_empty())).then_some(posts)
    })
    .await;
    assert!(
        refused.iter().all(|callback| callback.attempts.iter().all(|call| is_blocked(&call.attempt.outcome))),
        "{refused:?}"
    );
    assert_eq!(sink.all().len(), calls, "nothing was called");
}
