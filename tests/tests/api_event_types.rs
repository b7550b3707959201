//! The catalogue from outside: schemas that hold on ingest, examples that fit them, versions, archiving.

use postern_core::api::event::EventTypeView;
use postern_core::problem::ProblemType;
use postern_tests::stack;
use reqwest::Method;
use serde_json::{Value, json};

fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": { "type": "string", "format": "uuid" },
            "lines": { "type": "array", "items": { "$ref": "#/$defs/line" }, "minItems": 1 },
        },
        "additionalProperties": false,
        "$defs": { "line": { "type": "object", "required": ["sku"], "properties": { "sku": { "type": "string" }, "count": { "type": "integer", "minimum": 1 } } } },
    })
}

const ID: &str = "019a91c2-77f0-7b41-9d2e-5f6f1b0c8a11";

#[tokio::test]
async fn data_that_does_not_fit_the_schema_is_refused_with_every_place() {
    let project = stack::project("schemas").await;
    project.post("event-types", &json!({ "name": "order.paid", "schema": schema() })).await.expect(201);
    let good = json!({ "type": "order.paid", "data": { "id": ID, "lines": [{ "sku": "a", "count": 2 }] } });
    let bad = json!({ "type": "order.paid", "data": { "id": "7", "lines": [{ "count": 0 }], "more": 1 } });
    project.post("events", &good).await.expect(202);
    let places = ["/data/id", "/data/lines/0/sku", "/data/lines/0/count", "/data/more"];
    project.post("events", &bad).await.faults(&places);
    project.post("events/dry-run", &bad).await.faults(&places);
    let batch = json!({ "events": [good, { "type": "other", "data": {} }, bad] });
    let places: Vec<String> = places.iter().map(|place| format!("/events/2{place}")).collect();
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    project.post("events/batch", &batch).await.faults(&places);
    let stored = project.get("events").await.expect(200).json();
    assert_eq!(stored["items"].as_array().map(Vec::len), Some(1), "nothing of what was refused: {stored}");

    project.patch("event-types/order.paid", &json!({ "schema": null })).await.expect(200);
    project.post("events", &bad).await.expect(202);
}

#[tokio::test]
async fn a_schema_that_would_not_be_checked_is_refused_and_an_example_must_fit() {
    let project = stack::project("refused").await;
    let draft = |schema: Value, example: Value| json!({ "name": "a", "schema": schema, "example": example });
    project
        .post("event-types", &draft(json!({ "pattern": "x", "if": {}, "items": { "typo": 1 } }), Value::Null))
        .await
        .faults(&["/schema/pattern", "/schema/if", "/schema/items/typo"]);
    project
        .post("event-types", &draft(json!({ "$ref": "https://a.example/" }), Value::Null))
        .await
        .faults(&["/schema/$ref"]);
    project
        .post("event-types", &draft(json!({ "description": "x".repeat(40_000) }), Value::Null))
        .await
        .faults(&["/schema"]);
    project.post("event-types", &draft(schema(), json!({ "id": 1 }))).await.faults(&["/example/id"]);
    let view: EventTypeView =
        project.post("event-types", &draft(schema(), json!({ "id": ID }))).await.expect(201).read();
    assert_eq!((view.schema, view.version, view.archived), (Some(schema()), 1, false));
    project.patch("event-types/a", &json!({ "example": {} })).await.faults(&["/example/id"]);
}

#[tokio::test]
async fn an_entry_is_changed_by_those_who_saw_it_as_it_is() {
    let project = stack::project("versions").await;
    let created =
        project.post("event-types", &json!({ "name": "order.paid", "description": "One" })).await.expect(201);
    assert_eq!(created.header("etag"), Some("\"1\""));
    let path = project.path("event-types/order.paid");
    let patch = async |version: &str, body: Value| {
        let headers = [("content-type", "application/json"), ("if-match", version)];
        project.api.send_raw(Method::PATCH, &path, &headers, body.to_string()).await
    };
    let updated = patch("\"1\"", json!({ "description": "Two", "archived": true })).await.expect(200);
    assert_eq!(updated.header("etag"), Some("\"2\""));
    let problem =
        patch("\"1\"", json!({ "description": "Three" })).await.problem(ProblemType::VersionMismatch);
    assert!(problem.detail.contains("version is 2"), "{}", problem.detail);
    let shown = project.get("event-types/order.paid").await.expect(200);
    assert_eq!(
        (shown.header("etag"), &shown.json()["description"], &shown.json()["archived"]),
        (Some("\"2\""), &json!("Two"), &json!(true))
    );
    project.post("events", &json!({ "type": "order.paid", "data": 1 })).await.expect(202);
    project
        .api
        .send_raw(Method::DELETE, &path, &[("if-match", "\"1\"")], "")
        .await
        .problem(ProblemType::VersionMismatch);
    project.api.send_raw(Method::DELETE, &path, &[("if-match", "\"2\"")], "").await.expect(204);
    project.get("event-types/order.paid").await.problem(ProblemType::NotFound);
    project.patch("event-types/order.paid", &json!({})).await.problem(ProblemType::NotFound);
}

#[tokio::test]
async fn a_webhook_is_changed_by_those_who_saw_it_as_it_is() {
    let project = stack::project("ifmatch").await;
    project.listen("w", "http://127.0.0.1:1024/", &json!({})).await;
    let stale = [("if-match", "\"7\"")];
    for (method, below) in [(Method::POST, "pause"), (Method::POST, "secret/rotate"), (Method::DELETE, "")] {
        let path = project.path(format!("webhooks/w/{below}").trim_end_matches('/'));
        let problem =
            project.api.send_raw(method, &path, &stale, "").await.problem(ProblemType::VersionMismatch);
        assert!(problem.detail.contains("version is 1"), "{}", problem.detail);
    }
    let path = project.path("webhooks/w/pause");
    let paused = project.api.send_raw(Method::POST, &path, &[("if-match", "\"1\"")], "").await.expect(200);
    assert_eq!((paused.header("etag"), &paused.json()["paused"]), (Some("\"2\""), &json!(true)));
}

#[tokio::test]
async fn a_repeated_call_is_answered_as_the_first_time() {
    let project = stack::project("once").await;
    let post = async |path: &str, key: &str, body: &Value| {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        project.api.send_raw(Method::POST, &project.path(path), &headers, body.to_string()).await
    };
    let webhook = json!({ "name": "w", "url": "http://127.0.0.1:1024/", "events": ["*"] });
    for (path, body, other) in [
        ("webhooks", webhook, json!({ "name": "v", "url": "http://127.0.0.1:1024/", "events": ["*"] })),
        ("inboxes", json!({ "name": "i" }), json!({ "name": "j" })),
        ("event-types", json!({ "name": "a" }), json!({ "name": "b" })),
        ("replays", json!({}), json!({ "types": ["a"] })),
        (
            "events/batch",
            json!({ "events": [{ "type": "a", "data": 1 }, { "type": "a", "data": 2 }] }),
            json!({ "events": [{ "type": "b", "data": 1 }] }),
        ),
    ] {
        let key = format!("key of {path}");
        let first = post(path, &key, &body).await;
        assert!(matches!(first.status, 201 | 202), "{path}: {} {}", first.status, first.body);
        let again = post(path, &key, &body).await;
        assert_eq!((again.status, again.body), (first.status, first.body), "{path}");
        post(path, &key, &other).await.problem(ProblemType::IdempotencyConflict);
        post("inboxes", &key, &json!({ "name": "another call" }))
            .await
            .problem(ProblemType::IdempotencyConflict);
        post(path, &"k".repeat(129), &other).await.faults(&[""]);
    }
    let census = project.census().await;
    let count = |list: &str| census[list].as_array().map(Vec::len);
    assert_eq!(
        (count("webhooks"), count("inboxes"), count("events"), count("deliveries")),
        (Some(1), Some(1), Some(2), Some(2))
    );
    let stranger = project.api.with_token(&project.token("publish").await);
    let headers = [("content-type", "application/json"), ("idempotency-key", "key of inboxes")];
    let body = json!({ "name": "i" }).to_string();
    stranger
        .send_raw(Method::POST, &project.path("inboxes"), &headers, body)
        .await
        .problem(ProblemType::Forbidden);
}
