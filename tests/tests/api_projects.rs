//! Projects and tokens, from outside.
//!
//! Covered: creation by the administrator only, names, the one showing of a token, roles, revocation, what
//! tokens of other projects and missing projects get, the list, the health check.

use postern_core::api::project::{ProjectCreated, ProjectDetail};
use postern_core::api::token::TokenView;
use postern_core::problem::ProblemType;
use postern_tests::client::{Api, Project};
use postern_tests::stack;
use postern_tests::wait::{SOON, eventually, until};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn the_health_check_needs_no_token_and_names_the_version() {
    let health =
        stack::shared().await.anonymous().send(Method::GET, "/healthz", None).await.expect(200).json();
    assert_eq!(health["status"], "ok");
    assert!(health["version"].as_str().is_some_and(|version| !version.is_empty()), "{health}");
}

#[tokio::test]
async fn a_new_project_comes_with_a_token_that_manages_it() {
    let stack = stack::shared().await;
    let created: ProjectCreated = stack
        .admin()
        .send(Method::POST, "/v1/projects", Some(&json!({ "name": "fresh_one-1" })))
        .await
        .expect(201)
        .read();
    assert_eq!(created.project.name.as_str(), "fresh_one-1");
    assert!(created.token.starts_with("pst_fresh_one-1_"), "a token names its project");
    let project = Project::new(&stack.base(), "fresh_one-1", &created.token);
    let detail: ProjectDetail =
        project.api.send(Method::GET, "/v1/projects/fresh_one-1", None).await.expect(200).read();
    assert_eq!(
        (detail.created_at, detail.counts.webhooks, detail.counts.open),
        (created.project.created_at, 0, 0)
    );
    project.webhook(&json!({ "name": "w", "url": "http://127.0.0.1:1024/", "events": ["*"] })).await;
    let detail: ProjectDetail =
        project.api.send(Method::GET, "/v1/projects/fresh_one-1", None).await.expect(200).read();
    assert_eq!(detail.counts.webhooks, 1);
}

#[tokio::test]
async fn a_project_name_is_checked_and_unique() {
    let admin = stack::shared().await.admin();
    let create = async |body| admin.send(Method::POST, "/v1/projects", Some(&body)).await;
    for name in ["", "Upper", "-dash", "a b", "a/b", "ä", "a.b", &"a".repeat(64)] {
        create(json!({ "name": name })).await.faults(&["/name"]);
    }
    create(json!({ "name": 7 })).await.faults(&["/name"]);
    create(json!({})).await.faults(&["/name"]);
    create(json!({ "name": "ok", "colour": "red" })).await.faults(&["/colour"]);
    create(json!({ "name": "a".repeat(63) })).await.expect(201);
    create(json!({ "name": "taken" })).await.expect(201);
    create(json!({ "name": "taken" })).await.problem(ProblemType::NameTaken);
}

#[tokio::test]
async fn only_the_administrator_creates_and_lists_projects() {
    let stack = stack::shared().await;
    let (mine, other) = (stack.project("mine").await, stack.project("other").await);
    let body = json!({ "name": "by-nobody" });
    stack
        .anonymous()
        .send(Method::POST, "/v1/projects", Some(&body))
        .await
        .problem(ProblemType::Unauthorized);
    stack.anonymous().send(Method::GET, "/v1/projects", None).await.problem(ProblemType::Unauthorized);
    mine.api.send(Method::POST, "/v1/projects", Some(&body)).await.problem(ProblemType::Forbidden);
    let own = mine.api.send(Method::GET, "/v1/projects", None).await.expect(200).json();
    assert_eq!(
        own["items"].as_array().map(Vec::len),
        Some(1),
        "a project's token sees its own project: {own}"
    );
    assert_eq!(own["items"][0]["name"], mine.name.as_str());
    until("the administrator's list names both projects", SOON, async || {
        let list = stack.admin().send(Method::GET, "/v1/projects", None).await.expect(200).json();
        let has = |name: &str| {
            list["items"].as_array().is_some_and(|items| items.iter().any(|item| item["name"] == name))
        };
        has(&mine.name) && has(&other.name)
    })
    .await;
}

#[tokio::test]
async fn a_token_is_shown_once_and_does_what_its_role_says() {
    let project = stack::project("roles").await;
    let created = project.post("tokens", &json!({ "name": "ci", "role": "publish" })).await.expect(201);
    let secret = String::from(created.json()["secret"].as_str().expect("a new token is shown"));
    let list = project.get("tokens").await.expect(200);
    assert!(!list.body.contains(&secret), "the list must not show a token");
    assert!(
        !list.body.contains(secret.rsplit('_').next().expect("a token has parts")),
        "nor its secret part"
    );
    let tokens: Vec<TokenView> =
        serde_json::from_value(list.json()["items"].clone()).expect("a list of tokens");
    assert!(tokens.iter().any(|token| token.name == "ci" && token.role.as_str() == "publish"));

    let event = json!({ "type": "order.paid", "data": {} });
    let publisher = Project { api: project.api.with_token(&secret), ..project.clone() };
    publisher.post("events", &event).await.expect(202);
    publisher.post("events/batch", &json!({ "events": [event] })).await.expect(202);
    for path in ["webhooks", "events", "deliveries", "inboxes", "tokens", "event-types"] {
        publisher.get(path).await.problem(ProblemType::Forbidden);
    }
    let reader = Project { api: project.api.with_token(&project.token("read").await), ..project.clone() };
    for path in ["webhooks", "events", "deliveries", "inboxes", "event-types"] {
        reader.get(path).await.expect(200);
    }
    project.listen("w", "http://127.0.0.1:1024/", &json!({})).await;
    reader.post("events", &event).await.problem(ProblemType::Forbidden);
    reader
        .post("webhooks", &json!({ "name": "x", "url": "http://127.0.0.1:1024/", "events": ["*"] }))
        .await
        .problem(ProblemType::Forbidden);
    reader.patch("webhooks/w", &json!({ "enabled": false })).await.problem(ProblemType::Forbidden);
    reader.delete("webhooks/w").await.problem(ProblemType::Forbidden);
    reader.get("webhooks/w/secret").await.problem(ProblemType::Forbidden);
    reader.post("tokens", &json!({ "name": "more", "role": "manage" })).await.problem(ProblemType::Forbidden);
}

#[tokio::test]
async fn a_revoked_token_stops_at_once() {
    let project = stack::project("revoke").await;
    let created =
        project.post("tokens", &json!({ "name": "short", "role": "read" })).await.expect(201).json();
    let id = created["token"]["id"].as_str().expect("a token has an id");
    let reader = project.api.with_token(created["secret"].as_str().expect("a new token is shown"));
    reader.send(Method::GET, &project.path("webhooks"), None).await.expect(200);
    project.delete(&format!("tokens/{id}")).await.expect(204);
    reader.send(Method::GET, &project.path("webhooks"), None).await.problem(ProblemType::Unauthorized);
    project.delete(&format!("tokens/{id}")).await.problem(ProblemType::NotFound);
}

#[tokio::test]
async fn a_token_draft_names_every_bad_field() {
    let project = stack::project("tokens").await;
    project.post("tokens", &json!({})).await.faults(&["/name", "/role"]);
    project
        .post("tokens", &json!({ "name": "", "role": "king", "x": 1 }))
        .await
        .faults(&["/name", "/role", "/x"]);
    project.post("tokens", &json!({ "name": 1, "role": null })).await.faults(&["/name", "/role"]);
}

#[tokio::test]
async fn what_a_caller_may_not_know_of_is_not_found() {
    let stack = stack::shared().await;
    let (mine, other) = (stack.project("mine").await, stack.project("other").await);
    let path = mine.path("webhooks");
    other.api.send(Method::GET, &path, None).await.problem(ProblemType::ProjectNotFound);
    stack
        .admin()
        .send(Method::GET, "/v1/projects/no-such-project/webhooks", None)
        .await
        .problem(ProblemType::ProjectNotFound);
    stack
        .admin()
        .send(Method::GET, "/v1/projects/no-such-project", None)
        .await
        .problem(ProblemType::ProjectNotFound);
    mine.api
        .send(Method::GET, "/v1/projects/no-such-project/webhooks", None)
        .await
        .problem(ProblemType::ProjectNotFound);
    let last = if mine.token.ends_with('a') { 'b' } else { 'a' };
    let forged = format!("{}{last}", &mine.token[..mine.token.len() - 1]);
    for token in [forged.as_str(), "pst_", "nonsense", ""] {
        mine.api.with_token(token).send(Method::GET, &path, None).await.problem(ProblemType::Unauthorized);
    }
    let missing = format!("pst_no-such-project_{}", &mine.token[mine.token.len() - 52..]);
    mine.api
        .with_token(&missing)
        .send(Method::GET, "/v1/projects/no-such-project/webhooks", None)
        .await
        .problem(ProblemType::Unauthorized);
    mine.api
        .with_authorization(&format!("Basic {}", mine.token))
        .send(Method::GET, &path, None)
        .await
        .problem(ProblemType::Unauthorized);
    mine.api.without_token().send(Method::GET, &path, None).await.problem(ProblemType::Unauthorized);
    stack.admin().send(Method::GET, &path, None).await.expect(200);
}

#[tokio::test]
async fn a_refused_call_does_not_make_a_project() {
    let stack = stack::shared().await;
    let event = json!({ "type": "a", "data": 1 });
    stack
        .admin()
        .send(Method::POST, "/v1/projects/never-made/events", Some(&event))
        .await
        .problem(ProblemType::ProjectNotFound);
    stack
        .admin()
        .send(Method::GET, "/v1/projects/never-made", None)
        .await
        .problem(ProblemType::ProjectNotFound);
    stack
        .admin()
        .send(Method::POST, "/v1/projects", Some(&json!({ "name": "never-made" })))
        .await
        .expect(201);
}

#[tokio::test]
async fn a_deleted_project_is_gone_with_all_that_was_in_it_and_its_name_is_free_again() {
    let stack = stack::shared().await;
    let admin = stack.admin();
    let created: ProjectCreated = admin
        .send(Method::POST, "/v1/projects", Some(&json!({ "name": "short-lived" })))
        .await
        .expect(201)
        .read();
    let project = Project::new(&stack.base(), "short-lived", &created.token);
    let inbox = project.inbox("receiver").await;
    project.webhook(&json!({ "name": "w", "url": inbox.url, "events": ["*"] })).await;
    let event = json!({ "type": "order.paid", "data": { "n": 1 } });
    project.api.send(Method::POST, "/v1/projects/short-lived/events", Some(&event)).await.expect(202);

    let path = "/v1/projects/short-lived";
    let delete =
        async |api: &Api, query: &str| api.send(Method::DELETE, &format!("{path}{query}"), None).await;
    for query in ["", "?confirm=", "?confirm=other", "?confirm=Short-lived"] {
        delete(&admin, query).await.faults(&["?confirm"]);
    }
    delete(&admin, "?confirm=short-lived&force=1").await.faults(&["?force"]);
    delete(&project.api, "?confirm=short-lived").await.problem(ProblemType::Forbidden);
    delete(&stack.anonymous(), "?confirm=short-lived").await.problem(ProblemType::Unauthorized);
    admin.send(Method::GET, path, None).await.expect(200);

    delete(&admin, "?confirm=short-lived").await.expect(204);
    admin.send(Method::GET, path, None).await.problem(ProblemType::ProjectNotFound);
    project.api.send(Method::GET, path, None).await.problem(ProblemType::Unauthorized);
    project
        .api
        .send(Method::POST, &format!("{path}/events"), Some(&event))
        .await
        .problem(ProblemType::Unauthorized);
    let listed = admin.send(Method::GET, "/v1/projects", None).await.expect(200).json();
    assert!(!listed.to_string().contains("short-lived"), "{listed}");

    let again: ProjectCreated = eventually("its copies are removed", SOON, async || {
        let answer = admin.send(Method::POST, "/v1/projects", Some(&json!({ "name": "short-lived" }))).await;
        (answer.status == 201).then(|| answer.read())
    })
    .await;
    delete(&admin, "?confirm=other").await.faults(&["?confirm"]);
    let anew = Project::new(&stack.base(), "short-lived", &again.token);
    for list in ["webhooks", "events", "deliveries", "inboxes"] {
        let items = anew.api.send(Method::GET, &format!("{path}/{list}"), None).await.expect(200).json();
        assert_eq!(items["items"], json!([]), "{list}");
    }
    project.api.send(Method::GET, path, None).await.problem(ProblemType::Unauthorized);
    let address = inbox.url.strip_prefix(&stack.base()).expect("it is on this stack");
    let inbox = stack.anonymous().send(Method::POST, address, Some(&json!({}))).await;
    assert_eq!(inbox.status, 404, "an inbox of the deleted project");
}
