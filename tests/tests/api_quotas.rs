//! Quotas at every door: what is over one is refused whole, in the shape of the API that was asked.

use postern_core::api::project::ProjectDetail;
use postern_core::problem::{Problem, ProblemType};
use postern_core::quota::Quota;
use postern_tests::client::{Project, Reply};
use postern_tests::live::{Credential, Feed};
use postern_tests::sink::{Behaviour, Sink};
use postern_tests::stack::Stack;
use postern_tests::wait::{SOON, until};
use reqwest::Method;
use serde_json::{Value, json};

/// The answer is 429 `quota`, of stored bytes 507 `storage-full`, and says which and how far.
#[track_caller]
fn over(reply: &Reply, quota: Quota, limit: u64) -> Problem {
    let kind = if quota == Quota::StoredBytes { ProblemType::StorageFull } else { ProblemType::Quota };
    let problem = reply.problem(kind);
    assert_eq!(
        (reply.status, problem.quota, problem.limit),
        (kind.status(), Some(quota), Some(limit)),
        "{}",
        reply.body
    );
    assert!(problem.used.is_some() && !problem.detail.is_empty());
    assert_eq!(
        reply.header("retry-after").map(String::from),
        problem.retry_after_s.map(|seconds| seconds.to_string())
    );
    problem
}

async fn detail(project: &Project) -> ProjectDetail {
    project.api.send(Method::GET, &format!("/v1/projects/{}", project.name), None).await.expect(200).read()
}

fn basic(user: &str, password: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
}

#[tokio::test]
async fn webhooks_are_limited_at_every_door() {
    let stack = Stack::start_with_variables("QUOTA_WEBHOOKS=\"3\"\nQUOTA_ORIGIN_WEBHOOKS=\"2\"\n").await;
    let (project, sink) = (stack.project("doors").await, Sink::start().await);
    project.listen("a", &sink.url("/a"), &json!({})).await;
    project.listen("b", &sink.url("/b"), &json!({})).await;
    let draft = |name: &str, url: String| json!({ "name": name, "url": url, "events": ["*"] });
    over(&project.post("webhooks", &draft("c", sink.url("/c"))).await, Quota::OriginWebhooks, 2);
    let other = Sink::start().await;
    project.listen("c", &other.url("/c"), &json!({})).await;
    over(&project.patch("webhooks/c", &json!({ "url": sink.url("/c") })).await, Quota::OriginWebhooks, 2);
    over(&project.post("webhooks", &draft("d", other.url("/d"))).await, Quota::Webhooks, 3);
    let document = json!({ "document": { "webhooks": [draft("d", other.url("/d"))] } });
    over(&project.post("config/apply", &document).await, Quota::Webhooks, 3);

    let ubiops = project.api.with_authorization(&format!("Token {}", project.token));
    let path = format!("/ubiops/v2.1/projects/{}/webhooks", project.name);
    let body = json!({ "name": "d", "url": other.url("/d"), "object_type": "deployment", "object_name": "d1", "event": "deployment_request_completed" });
    // Its client would repeat a 429 for ever.
    let reply = ubiops.send(Method::POST, &path, Some(&body)).await.expect(400);
    assert!(
        reply.json()["error"].as_str().is_some_and(|error| error.contains("webhooks of this project is 3")),
        "{}",
        reply.body
    );

    let form = format!("grant_type=password&username={}&password={}", project.name, project.token);
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let login = stack
        .anonymous()
        .send_raw(Method::POST, "/up42/oauth/token", &headers, form)
        .await
        .expect(200)
        .json();
    let up42 = project.api.with_token(login["access_token"].as_str().expect("a login gives a token"));
    let me = up42.send(Method::GET, "/up42/users/me", None).await.expect(200).json();
    let path = format!("/up42/workspaces/{}/webhooks", me["data"]["id"].as_str().expect("a user has an id"));
    let body = json!({ "name": "d", "url": other.url("/d"), "events": ["job.status"], "secret": "", "active": true });
    let reply = up42.send(Method::POST, &path, Some(&body)).await.expect(429);
    assert_eq!(reply.json()["error"]["code"], 429, "{}", reply.body);

    assert_eq!(project.get("webhooks").await.expect(200).json()["items"].as_array().map(Vec::len), Some(3));
    let uses = detail(&project).await.quotas;
    let webhooks =
        uses.iter().find(|found| found.quota == Quota::Webhooks).map(|found| (found.limit, found.used));
    assert_eq!(webhooks, Some((Some(3), Some(3))));
    project.delete("webhooks/a").await.expect(204);
    project.listen("d", &sink.url("/d"), &json!({})).await;
}

#[tokio::test]
async fn events_deliveries_inboxes_runs_and_feeds_are_limited() {
    let stack = Stack::start_with_variables(concat!(
        "QUOTA_EVENTS_PER_MINUTE=\"20\"\nQUOTA_REQUEST_DELIVERIES=\"3\"\nQUOTA_OPEN_DELIVERIES=\"5\"\nQUOTA_INBOXES=\"1\"\n",
        "QUOTA_INBOX_REQUESTS_PER_MINUTE=\"3\"\nQUOTA_OPEN_RUNS=\"1\"\nQUOTA_LIVE_SOCKETS=\"2\"\nPUBLIC_REQUESTS_PER_MINUTE=\"0\"\n"
    ))
    .await;
    let (project, sink) = (stack.project("bounds").await, Sink::start().await);
    let event = |kind: &str| json!({ "type": kind, "data": {} });

    project.listen("held", &sink.url("/held"), &json!({ "events": ["held"], "paused": true })).await;
    let batch = |number: usize| json!({ "events": vec![event("held"); number] });
    over(&project.post("events/batch", &batch(4)).await, Quota::RequestDeliveries, 3);
    project.post("events/batch", &batch(3)).await.expect(202);
    let problem = over(&project.post("events/batch", &batch(3)).await, Quota::OpenDeliveries, 5);
    assert_eq!((problem.used, problem.retry_after_s.is_some()), (Some(3), true));
    assert_eq!(
        project.get("events").await.expect(200).json()["items"].as_array().map(Vec::len),
        Some(3),
        "nothing is half-written"
    );
    project.delete("webhooks/held").await.expect(204);

    // Those that were refused count in the minute too: 10 so far.
    for number in 10..20 {
        let reply = project.post("events", &event("free")).await;
        assert_eq!(reply.status, 202, "event {number}: {}", reply.body);
    }
    let problem = over(&project.post("events", &event("free")).await, Quota::EventsPerMinute, 20);
    assert!(problem.retry_after_s.is_some_and(|seconds| (1..=60).contains(&seconds)));
    let other = project.api.with_token(&project.token("publish").await);
    other.send(Method::POST, &project.path("events"), Some(&event("free"))).await.expect(202);

    let inbox = project.inbox("only").await;
    over(&project.post("inboxes", &json!({ "name": "another" })).await, Quota::Inboxes, 1);
    let path = inbox.url.trim_start_matches(&stack.base()).to_owned();
    for _ in 0..3 {
        stack.anonymous().send(Method::POST, &path, Some(&json!(1))).await.expect(200);
    }
    over(
        &stack.anonymous().send(Method::POST, &path, Some(&json!(1))).await,
        Quota::InboxRequestsPerMinute,
        3,
    );
    assert_eq!(project.inbox_requests(&inbox.id).await.items.len(), 3);

    project.post("runs", &json!({ "chain": {} })).await.expect(201);
    over(&project.post("runs", &json!({ "chain": {} })).await, Quota::OpenRuns, 1);
    let actinia = project.api.with_authorization(&basic(&project.name, &project.token));
    let chain = json!({ "version": "1", "list": [{ "id": "1", "exe": "/bin/true" }] });
    let reply = actinia
        .send(Method::POST, "/actinia/api/v3/locations/l/processing_async_export", Some(&chain))
        .await
        .expect(429);
    assert_eq!(reply.json()["status"], "error", "{}", reply.body);

    let _open = [Feed::open(&project).await, Feed::open(&project).await];
    let refused = Feed::connect(&project, Credential::Header(&project.token)).await.map(drop);
    assert_eq!(refused, Err(429), "one token does not take the feeds of all");
    let reader = project.token("read").await;
    Feed::connect(&project, Credential::Header(&reader)).await.expect("another token has its own");
}

#[tokio::test]
async fn a_full_project_says_so_and_goes_on() {
    let stack = Stack::start_with_variables("QUOTA_STORED_BYTES=\"4000000\"\n").await;
    let (project, sink) = (stack.project("full").await, Sink::start().await);
    project.listen("ops", &sink.url("/ops"), &json!({ "events": ["postern.project.full"] })).await;
    sink.always("/slow", Behaviour::status(500));
    project.listen("slow", &sink.url("/slow"), &json!({ "events": ["large"] })).await;
    let large = json!({ "type": "large", "data": "x".repeat(200_000) });
    let mut refused = None;
    for _ in 0..60 {
        let reply = project.post("events", &large).await;
        if reply.status != 202 {
            refused = Some(reply);
            break;
        }
    }
    over(&refused.expect("a project of 4 MB takes no 12 MB"), Quota::StoredBytes, 4_000_000);
    assert!(detail(&project).await.full);
    let body: Value = sink.wait_for("/ops", 1).await[0].json();
    assert_eq!((&body["type"], &body["data"]["limit"]), (&json!("postern.project.full"), &json!(4_000_000)));
    // What is small still fits, until that is too much as well.
    let mut refused = None;
    for number in 0..500 {
        let draft = json!({ "name": format!("more{number}"), "url": sink.url("/m"), "events": ["none.such"], "enabled": false });
        let reply = project.post("webhooks", &draft).await;
        if reply.status != 201 {
            refused = Some(reply);
            break;
        }
    }
    over(&refused.expect("200 KB hold fewer webhooks"), Quota::StoredBytes, 4_000_000);
    let open = project.deliveries("webhook=slow").await.items;
    assert!(!open.is_empty(), "it lists");
    sink.always("/slow", Behaviour::status(200));
    project.post_nothing(&format!("deliveries/{}/retry", open[0].id)).await.expect(202);
    until("it delivers", SOON, async || {
        project.delivery(&open[0].id).await.delivery.last_status == Some(200)
    })
    .await;
    project.delete("webhooks/slow").await.expect(204);
    assert_eq!(sink.count("/ops"), 1, "it is told once");
}
