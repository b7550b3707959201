//! Tokens from outside: expiry, last use, and what each role may do on every route.

use std::collections::BTreeMap;

use postern_core::api::page::Page;
use postern_core::api::token::TokenView;
use postern_core::problem::ProblemType;
use postern_core::route::{Resource, Route};
use postern_core::webhook::ProjectName;
use postern_tests::client::Project;
use postern_tests::stack;
use postern_tests::wait::{SOON, eventually, in_ms};
use reqwest::Method;
use serde_json::{Value, json};

async fn tokens(project: &Project) -> Vec<TokenView> {
    let page: Page<TokenView> = project.get("tokens").await.expect(200).read();
    page.items
}

#[tokio::test]
async fn a_token_opens_nothing_from_its_expiry_on() {
    let project = stack::project("expiry").await;
    for (expiry, pointer) in
        [(json!("yesterday"), "/expires_at"), (json!("2020-01-01T00:00:00Z"), "/expires_at"), (json!(7), "/expires_at")]
    {
        project.post("tokens", &json!({ "name": "x", "role": "read", "expires_at": expiry })).await.faults(&[pointer]);
    }
    let long = json!({ "name": "long", "role": "read", "expires_at": in_ms(86_400_000) });
    let created = project.post("tokens", &long).await.expect(201).json();
    assert_eq!(created["token"]["expires_at"], long["expires_at"]);
    let reader = project.api.with_token(created["secret"].as_str().expect("a new token is shown"));
    reader.send(Method::GET, &project.path("webhooks"), None).await.expect(200);

    let short = json!({ "name": "short", "role": "read", "expires_at": in_ms(4_000) });
    let created = project.post("tokens", &short).await.expect(201).json();
    let reader = project.api.with_token(created["secret"].as_str().expect("a new token is shown"));
    reader.send(Method::GET, &project.path("webhooks"), None).await.expect(200);
    let refused = eventually("the token expires", SOON, async || {
        let reply = reader.send(Method::GET, &project.path("webhooks"), None).await;
        (reply.status != 200).then_some(reply)
    })
    .await;
    let mut unknown = project.token.clone();
    unknown.replace_range(unknown.len() - 4.., "aaaa");
    let stranger = project.api.with_token(&unknown).send(Method::GET, &project.path("webhooks"), None).await;
    let (expired, unknown) = (refused.problem(ProblemType::Unauthorized), stranger.problem(ProblemType::Unauthorized));
    assert_eq!(expired.detail, unknown.detail, "an expired token is told the same as one that never was");
    assert!(tokens(&project).await.iter().any(|token| token.name == "short"), "it stays in the list until it is deleted");
}

#[tokio::test]
async fn the_last_use_is_shown() {
    let project = stack::project("use").await;
    let created = project.post("tokens", &json!({ "name": "ci", "role": "publish" })).await.expect(201).json();
    let of = |tokens: Vec<TokenView>| tokens.into_iter().find(|token| token.name == "ci").expect("the token is listed").last_used_at;
    assert_eq!(of(tokens(&project).await), None);
    let before = in_ms(-1_000);
    let publisher = project.api.with_token(created["secret"].as_str().expect("a new token is shown"));
    let event = json!({ "type": "a", "data": 1 });
    publisher.send(Method::POST, &project.path("events"), Some(&event)).await.expect(202);
    let used = of(tokens(&project).await).expect("it was used");
    assert!(used > before && used < in_ms(1_000));
    publisher.send(Method::POST, &project.path("events"), Some(&event)).await.expect(202);
    assert_eq!(of(tokens(&project).await), Some(used), "noted at most once a minute");
}

#[tokio::test]
async fn a_call_whose_answer_holds_a_secret_takes_no_idempotency_key() {
    let project = stack::project("nokey").await;
    let headers = [("content-type", "application/json"), ("idempotency-key", "k")];
    let body = json!({ "name": "ci", "role": "read" }).to_string();
    project.api.send_raw(Method::POST, &project.path("tokens"), &headers, body).await.faults(&[""]);
    assert_eq!(tokens(&project).await.len(), 1, "only the first one");
}

/// Each route with its methods, and the role beside `manage` that may use it.
fn routes() -> Vec<(Resource, Method, Option<&'static str>)> {
    let name = || String::from("nothing");
    let (get, post, patch, delete) = (Method::GET, Method::POST, Method::PATCH, Method::DELETE);
    vec![
        (Resource::Detail, get.clone(), Some("read")),
        (Resource::Detail, patch.clone(), None),
        (Resource::Tokens, get.clone(), None),
        (Resource::Tokens, post.clone(), None),
        (Resource::Token(name()), delete.clone(), None),
        (Resource::Webhooks, get.clone(), Some("read")),
        (Resource::Webhooks, post.clone(), None),
        (Resource::Webhook(name()), get.clone(), Some("read")),
        (Resource::Webhook(name()), patch.clone(), None),
        (Resource::Webhook(name()), delete.clone(), None),
        (Resource::WebhookSecret(name()), get.clone(), None),
        (Resource::WebhookSecretRotate(name()), post.clone(), None),
        (Resource::WebhookPause(name()), post.clone(), None),
        (Resource::WebhookResume(name()), post.clone(), None),
        (Resource::WebhookTest(name()), post.clone(), None),
        (Resource::Tests, post.clone(), None),
        (Resource::Test(name()), get.clone(), Some("read")),
        (Resource::EventTypes, get.clone(), Some("read")),
        (Resource::EventTypes, post.clone(), None),
        (Resource::EventType(name()), get.clone(), Some("read")),
        (Resource::EventType(name()), patch.clone(), None),
        (Resource::EventType(name()), delete.clone(), None),
        (Resource::Events, get.clone(), Some("read")),
        (Resource::Events, post.clone(), Some("publish")),
        (Resource::EventsBatch, post.clone(), Some("publish")),
        (Resource::EventsDryRun, post.clone(), None),
        (Resource::EventsExport, get.clone(), Some("read")),
        (Resource::Event(name()), get.clone(), Some("read")),
        (Resource::Deliveries, get.clone(), Some("read")),
        (Resource::DeliveriesExport, get.clone(), Some("read")),
        (Resource::Delivery(name()), get.clone(), Some("read")),
        (Resource::DeliveryRetry(name()), post.clone(), None),
        (Resource::DeliveryCancel(name()), post.clone(), None),
        (Resource::Inboxes, get.clone(), Some("read")),
        (Resource::Inboxes, post.clone(), None),
        (Resource::Inbox(name()), get.clone(), Some("read")),
        (Resource::Inbox(name()), patch, None),
        (Resource::Inbox(name()), delete.clone(), None),
        (Resource::InboxRequests(name()), get.clone(), Some("read")),
        (Resource::InboxRequests(name()), delete, None),
        (Resource::Replays, get.clone(), Some("read")),
        (Resource::Replays, post.clone(), None),
        (Resource::Replay(name()), get.clone(), Some("read")),
        (Resource::ReplayCancel(name()), post.clone(), None),
        (Resource::Runs, get.clone(), Some("read")),
        (Resource::Runs, post.clone(), Some("publish")),
        (Resource::RunClaim, post.clone(), Some("publish")),
        (Resource::Run(name()), get.clone(), Some("read")),
        (Resource::RunUpdates(name()), post.clone(), Some("publish")),
        (Resource::RunFinish(name()), post.clone(), Some("publish")),
        (Resource::RunTerminate(name()), post.clone(), Some("publish")),
        (Resource::RunCallbackRetry(name(), name()), post.clone(), Some("publish")),
        (Resource::Audit, get.clone(), None),
        (Resource::Config, get.clone(), Some("read")),
        (Resource::ConfigPlan, post.clone(), None),
        (Resource::ConfigApply, post.clone(), None),
        (Resource::ImportPreview, post, None),
        (Resource::Stats, get, Some("read")),
    ]
}

/// A body that reaches the question of who may: well-formed, whatever it names.
fn body(resource: &Resource) -> Value {
    match resource {
        Resource::Tokens => json!({ "name": "t", "role": "read" }),
        Resource::Webhooks => json!({ "name": "w", "url": "https://example.com/", "events": ["*"] }),
        Resource::Tests => json!({ "url": "https://example.com/" }),
        Resource::EventTypes => json!({ "name": "a" }),
        Resource::Events | Resource::EventsDryRun => json!({ "type": "a", "data": 1 }),
        Resource::EventsBatch => json!({ "events": [{ "type": "a", "data": 1 }] }),
        Resource::Runs => json!({ "chain": {} }),
        Resource::RunClaim => json!({ "lease_s": 60 }),
        Resource::RunUpdates(_) => json!({ "message": "half" }),
        Resource::RunFinish(_) => json!({ "outcome": "finished", "message": "done" }),
        Resource::Inboxes => json!({ "name": "i" }),
        Resource::ConfigPlan | Resource::ConfigApply => json!({ "document": {} }),
        Resource::ImportPreview => json!({ "from": "svix", "listing": [] }),
        _ => json!({}),
    }
}

/// The role that the description of the API asks for, beside `manage`, by path and method; only what a project's tokens may do.
fn described(document: &Value) -> BTreeMap<(String, String), Option<String>> {
    let mut roles = BTreeMap::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten().filter(|(key, _)| *key != "parameters") {
            match operation["security"][0]["bearer"][0].as_str() {
                Some("manage") => drop(roles.insert((path.clone(), method.to_uppercase()), None)),
                Some(role @ ("read" | "publish")) => drop(roles.insert((path.clone(), method.to_uppercase()), Some(String::from(role)))),
                _ => {}
            }
        }
    }
    roles
}

#[tokio::test]
async fn each_role_may_do_what_it_says_and_what_is_described_on_every_route() {
    let project = stack::project("matrix").await;
    let name = ProjectName::parse("nothing").expect("a project name");
    let mut expected: BTreeMap<(String, String), Option<String>> = routes()
        .into_iter()
        .map(|(resource, method, role)| ((Route::Project(name.clone(), resource).pattern(), method.to_string()), role.map(String::from)))
        .collect();
    // A WebSocket, which is tested with the live feed.
    expected.insert((Route::Project(name, Resource::Live).pattern(), String::from("GET")), Some(String::from("read")));
    assert_eq!(described(&project.api.send(Method::GET, "/openapi.json", None).await.expect(200).json()), expected);
    let name = ProjectName::parse(&project.name).expect("a project name");
    let (read, publish) = (project.token("read").await, project.token("publish").await);
    for (resource, method, allowed) in routes() {
        let body = body(&resource);
        let path = Route::Project(name.clone(), resource).path();
        let has_body = method == Method::POST || method == Method::PATCH;
        for (role, token) in [("read", &read), ("publish", &publish)] {
            let reply = project.api.with_token(token).send(method.clone(), &path, has_body.then_some(&body)).await;
            if allowed == Some(role) {
                assert!(!matches!(reply.status, 401 | 403), "{role} may {method} {path}: {} {}", reply.status, reply.body);
            } else {
                reply.problem(ProblemType::Forbidden);
            }
        }
        project.api.without_token().send(method.clone(), &path, has_body.then_some(&body)).await.problem(ProblemType::Unauthorized);
        let reply = project.api.send(method.clone(), &path, has_body.then_some(&body)).await;
        assert!(!matches!(reply.status, 401 | 403 | 405), "manage may {method} {path}: {} {}", reply.status, reply.body);
    }
}
