//! Webhooks: create, read, list, change, delete.
//!
//! Covered: defaults and the shape of a read, secrets and protected headers never shown, names in paths,
//! every bad field at once, partial updates with versions, filters and pages, deletion.

use postern_core::api::page::Page;
use postern_core::api::webhook::WebhookView;
use postern_core::credential::HIDDEN;
use postern_core::delivery::State;
use postern_core::problem::ProblemType;
use postern_core::webhook::Contract;
use postern_tests::client::Project;
use postern_tests::sink::{Behaviour, Sink};
use postern_tests::stack;
use reqwest::Method;
use serde_json::{Value, json};

const URL: &str = "http://127.0.0.1:1024/hook";
/// The vector's secret with its prefix (docs/wire.md D.5).
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[tokio::test]
async fn a_new_webhook_has_the_documented_defaults() {
    let project = stack::project("defaults").await;
    let made = project.webhook(&json!({ "name": "w", "url": URL, "events": ["order.*"] })).await;
    assert_eq!(
        (made.contract, made.timeout_s, made.enabled, made.retry, made.include_result),
        (Contract::Standard, 10, true, true, false)
    );
    assert_eq!((made.signed, made.version, made.description.as_str()), (true, 1, ""));
    assert!(made.id.starts_with("whk_") && made.headers.is_empty() && made.labels.is_empty());
    assert_eq!(made.object.kind, None);
    let read: WebhookView = project.get("webhooks/w").await.expect(200).read();
    assert_eq!(read, made);
    let ubiops = project.webhook(&json!({ "name": "u", "url": URL, "events": ["deployment_request_failed"], "contract": "ubiops" })).await;
    assert_eq!((ubiops.retry, ubiops.signed), (false, false));
}

#[tokio::test]
async fn every_field_reads_back_as_it_was_written() {
    let project = stack::project("fields").await;
    let draft = json!({
        "name": "w", "url": URL, "contract": "standard", "events": ["order.paid", "invoice.*"],
        "object": { "type": "deployment", "name": "d1", "version": "v1" },
        "headers": [{ "key": "X-Open", "value": "1", "protected": false }, { "key": "X-Hidden", "value": "hush-hush", "protected": true }],
        "description": "Größe – 日本", "labels": { "team": "geo", "env": "prod" },
        "timeout_s": 30, "enabled": false, "retry": false, "include_result": false, "secret": SECRET
    });
    let made = project.post("webhooks", &draft).await.expect(201);
    assert!(!made.body.contains("hush-hush") && !made.body.contains(SECRET), "{}", made.body);
    let view = made.json();
    for field in [
        "name",
        "url",
        "contract",
        "events",
        "object",
        "description",
        "labels",
        "timeout_s",
        "enabled",
        "retry",
        "include_result",
    ] {
        assert_eq!(view[field], draft[field], "{field}");
    }
    assert_eq!(
        view["headers"],
        json!([{ "key": "X-Open", "value": "1", "protected": false }, { "key": "X-Hidden", "value": null, "protected": true }])
    );
    assert_eq!(project.secret("w").await.as_deref(), Some(SECRET));
}

#[tokio::test]
async fn a_secret_is_made_unless_it_is_given_or_declined() {
    let project = stack::project("secrets").await;
    for (name, secret) in [("made", None), ("given", Some(json!(SECRET))), ("declined", Some(Value::Null))] {
        let mut draft = json!({ "name": name, "url": URL, "events": ["*"] });
        if let Some(secret) = secret {
            draft["secret"] = secret;
        }
        project.webhook(&draft).await;
    }
    let made = project.secret("made").await.expect("a standard webhook signs");
    assert!(made.starts_with("whsec_") && made.len() > 40, "{} characters", made.len());
    assert_eq!(project.secret("given").await.as_deref(), Some(SECRET));
    assert_eq!(project.secret("declined").await, None);
    let list = project.get("webhooks").await.expect(200).body;
    assert!(!list.contains(&made) && !list.contains(SECRET), "a list never shows a secret");
}

#[tokio::test]
async fn a_name_may_hold_anything_that_a_path_can_escape() {
    let project = stack::project("names").await;
    for (name, segment) in [
        ("a b/c", "a%20b%2Fc"),
        ("日本 ü", "%E6%97%A5%E6%9C%AC%20%C3%BC"),
        ("100%", "100%25"),
        ("a?b#c", "a%3Fb%23c"),
    ] {
        project.webhook(&json!({ "name": name, "url": URL, "events": ["*"] })).await;
        let read: WebhookView = project.get(&format!("webhooks/{segment}")).await.expect(200).read();
        assert_eq!(read.name, name);
    }
    // Clients fold these away even when they are escaped.
    for name in [".", ".."] {
        project
            .post("webhooks", &json!({ "name": name, "url": URL, "events": ["*"] }))
            .await
            .faults(&["/name"]);
    }
    project.get("webhooks/%FF").await.problem(ProblemType::NotFound);
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let project = stack::project("unique").await;
    let draft = json!({ "name": "w", "url": URL, "events": ["*"] });
    project.webhook(&draft).await;
    project.post("webhooks", &draft).await.problem(ProblemType::NameTaken);
    project.webhook(&json!({ "name": "v", "url": URL, "events": ["*"] })).await;
    project.patch("webhooks/v", &json!({ "name": "w" })).await.problem(ProblemType::NameTaken);
    stack::project("unique").await.webhook(&draft).await;
    let names: Page<WebhookView> = project.get("webhooks").await.expect(200).read();
    assert_eq!(names.items.len(), 2);
}

#[tokio::test]
async fn two_creations_of_one_name_at_once_make_one() {
    let project = stack::project("race").await;
    let draft = json!({ "name": "w", "url": URL, "events": ["*"] });
    let (a, b, c) = tokio::join!(
        project.post("webhooks", &draft),
        project.post("webhooks", &draft),
        project.post("webhooks", &draft)
    );
    let mut statuses = [a.status, b.status, c.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409]);
}

#[tokio::test]
async fn a_bad_draft_names_every_bad_field() {
    let project = stack::project("bad").await;
    let before = project.census().await;
    let cases: Vec<(Value, &[&str])> = vec![
        (json!({}), &["/name", "/url", "/events"]),
        (json!([]), &[""]),
        (json!("text"), &[""]),
        (
            json!({
                "name": 1, "url": 2, "events": 3, "headers": 4, "labels": 5, "timeout_s": "6", "enabled": 7,
                "retry": "8", "include_result": 9, "description": 10, "secret": 11, "contract": 12, "object": 13
            }),
            &[
                "/name",
                "/url",
                "/events",
                "/headers",
                "/labels",
                "/timeout_s",
                "/enabled",
                "/retry",
                "/include_result",
                "/description",
                "/secret",
                "/contract",
                "/object",
            ],
        ),
        (good(json!({ "unknown": 1, "also": 2 })), &["/unknown", "/also"]),
        (good(json!({ "id": "whk_1", "version": 3 })), &["/id", "/version"]),
        (good(json!({ "name": "" })), &["/name"]),
        (good(json!({ "name": "x".repeat(65) })), &["/name"]),
        (good(json!({ "name": "line\nbreak" })), &["/name"]),
        (good(json!({ "url": "not a url" })), &["/url"]),
        (good(json!({ "url": "ftp://example.com/" })), &["/url"]),
        (good(json!({ "url": format!("https://example.com/{}", "x".repeat(2048)) })), &["/url"]),
        (good(json!({ "events": [] })), &["/events"]),
        (good(json!({ "events": ["ok", "not ok", 7] })), &["/events/1", "/events/2"]),
        (good(json!({ "events": vec!["a"; 51] })), &["/events"]),
        (good(json!({ "description": "x".repeat(401) })), &["/description"]),
        (good(json!({ "timeout_s": 0 })), &["/timeout_s"]),
        (good(json!({ "timeout_s": 31 })), &["/timeout_s"]),
        (good(json!({ "timeout_s": 1.5 })), &["/timeout_s"]),
        (good(json!({ "contract": "pigeon" })), &["/contract"]),
        (good(json!({ "secret": "hunter2" })), &["/secret"]),
        (good(json!({ "secret": "whsec_c2hvcnQ=" })), &["/secret"]),
        (
            good(json!({ "headers": [{ "key": "webhook-id", "value": "x", "protected": false }] })),
            &["/headers/0/key"],
        ),
        (
            good(json!({ "headers": [{ "key": "content-length", "value": "1", "protected": false }] })),
            &["/headers/0/key"],
        ),
        (
            good(json!({ "headers": [{ "key": "bad name", "value": "x", "protected": false }] })),
            &["/headers/0/key"],
        ),
        (
            good(json!({ "headers": [{ "key": "a", "value": "new\r\nline", "protected": false }] })),
            &["/headers/0/value"],
        ),
        (
            good(json!({ "headers": [{ "key": "a", "value": "Zürich", "protected": false }] })),
            &["/headers/0/value"],
        ),
        (
            good(json!({ "headers": [{ "key": "a", "value": "12 €", "protected": true }] })),
            &["/headers/0/value"],
        ),
        (
            good(json!({ "headers": [{ "key": "a", "value": "x".repeat(4097), "protected": false }] })),
            &["/headers/0/value"],
        ),
        (
            good(json!({
                "headers": (0..21)
                    .map(|n| json!({ "key": format!("a{n}"), "value": "x", "protected": false }))
                    .collect::<Vec<_>>()
            })),
            &["/headers"],
        ),
        (
            good(
                json!({ "labels": (0..33).map(|n| (format!("l{n}"), json!("x"))).collect::<serde_json::Map<_, _>>() }),
            ),
            &["/labels"],
        ),
        (good(json!({ "labels": { "a": 1 } })), &["/labels/a"]),
        (good(json!({ "object": { "type": "deployment", "colour": "red" } })), &["/object/colour"]),
    ];
    for (draft, pointers) in cases {
        project.post("webhooks", &draft).await.faults(pointers);
    }
    assert_eq!(project.census().await, before, "a refused draft stores nothing");
}

/// A draft that is right but for what `more` sets.
fn good(more: Value) -> Value {
    let mut draft = json!({ "name": "w", "url": URL, "events": ["*"] });
    if let (Some(draft), Value::Object(more)) = (draft.as_object_mut(), more) {
        draft.extend(more);
    }
    draft
}

#[tokio::test]
async fn a_secret_never_comes_back_in_a_fault() {
    let project = stack::project("leak").await;
    let reply = project.post("webhooks", &good(json!({ "secret": "hunter2-very-secret" }))).await;
    reply.faults(&["/secret"]);
    assert!(!reply.body.contains("hunter2"), "{}", reply.body);
}

#[tokio::test]
async fn an_update_changes_only_what_was_sent() {
    let project = stack::project("update").await;
    let made = project
        .webhook(&good(json!({ "labels": { "a": "b" }, "description": "before", "secret": SECRET })))
        .await;
    let changed: WebhookView =
        project.patch("webhooks/w", &json!({ "description": "after" })).await.expect(200).read();
    assert_eq!(
        changed,
        WebhookView {
            description: String::from("after"),
            version: 2,
            updated_at: changed.updated_at,
            ..made.clone()
        }
    );
    let renamed: WebhookView =
        project.patch("webhooks/w", &json!({ "name": "v", "events": ["a", "b.*"] })).await.expect(200).read();
    assert_eq!((renamed.id, renamed.name.as_str(), renamed.version), (made.id, "v", 3));
    project.get("webhooks/w").await.problem(ProblemType::NotFound);
    assert_eq!(project.secret("v").await.as_deref(), Some(SECRET), "an update keeps the secret");
    project.patch("webhooks/v", &json!({ "secret": null })).await.expect(200);
    assert_eq!(project.secret("v").await, None);
}

#[tokio::test]
async fn a_bad_update_changes_nothing() {
    let project = stack::project("badupdate").await;
    project.webhook(&good(json!({}))).await;
    let before = project.get("webhooks/w").await.expect(200).body;
    project
        .patch("webhooks/w", &json!({ "description": "after", "timeout_s": 99, "x": 1 }))
        .await
        .faults(&["/timeout_s", "/x"]);
    project
        .patch("webhooks/w", &json!({ "headers": [{ "key": "X-New", "protected": true }] }))
        .await
        .faults(&["/headers/0/value"]);
    project.patch("webhooks/w", &json!({ "name": null })).await.faults(&["/name"]);
    assert_eq!(project.get("webhooks/w").await.expect(200).body, before);
}

#[tokio::test]
async fn an_update_of_a_version_that_is_gone_is_refused() {
    let project = stack::project("etag").await;
    project.webhook(&good(json!({}))).await;
    let read = project.get("webhooks/w").await.expect(200);
    assert_eq!(read.header("etag"), Some("\"1\""));
    let patch = async |if_match: &str, timeout_s: u32| {
        let headers = [("content-type", "application/json"), ("if-match", if_match)];
        project
            .api
            .send_raw(
                Method::PATCH,
                &project.path("webhooks/w"),
                &headers,
                json!({ "timeout_s": timeout_s }).to_string(),
            )
            .await
    };
    let changed = patch("\"1\"", 20).await.expect(200);
    assert_eq!(changed.header("etag"), Some("\"2\""));
    patch("\"1\"", 21).await.problem(ProblemType::VersionMismatch);
    patch("\"2\"", 22).await.expect(200);
    assert_eq!(project.get("webhooks/w").await.expect(200).json()["version"], 3);
}

#[tokio::test]
async fn a_protected_header_is_sent_kept_and_never_shown() {
    let (project, sink) = (stack::project("protected").await, Sink::start().await);
    let hidden = json!({ "key": "X-Key", "value": "hush-hush", "protected": true });
    project
        .listen(
            "w",
            &sink.url("/a"),
            &json!({ "headers": [hidden, { "key": "X-Open", "value": "1", "protected": false }] }),
        )
        .await;
    project.event("first", json!(1)).await;
    assert_eq!(sink.wait_for("/a", 1).await[0].header("x-key"), Some("hush-hush"));

    let kept = json!({ "headers": [{ "key": "X-Open", "value": "2", "protected": false }, { "key": "X-Key", "protected": true }] });
    project.patch("webhooks/w", &kept).await.expect(200);
    let event = project.event("second", json!(2)).await;
    let calls = sink.wait_for("/a", 2).await;
    assert_eq!((calls[1].header("x-key"), calls[1].header("x-open")), (Some("hush-hush"), Some("2")));

    let detail = project.attempted(&event.id, "w").await;
    let sent = detail.attempts[0].attempt.request.clone().expect("a call that was made is recorded");
    assert!(
        sent.headers.iter().any(|(name, value)| name.eq_ignore_ascii_case("x-key") && value == HIDDEN),
        "{:?}",
        sent.headers
    );
    let raw = project.get(&format!("deliveries/{}", detail.delivery.id)).await.body;
    assert!(!raw.contains("hush-hush"), "a stored attempt hides protected values");

    project
        .patch("webhooks/w", &json!({ "headers": [{ "key": "X-Open", "value": "3", "protected": false }] }))
        .await
        .expect(200);
    project.event("third", json!(3)).await;
    assert_eq!(sink.wait_for("/a", 3).await[2].header("x-key"), None, "a header that is left out is removed");
}

#[tokio::test]
async fn credentials_in_the_url_become_a_protected_authorization() {
    let (project, sink) = (stack::project("userinfo").await, Sink::start().await);
    let url = sink.url("/a").replace("http://", "http://user:pa%3Ass@");
    let made = project.listen("w", &url, &json!({})).await;
    assert_eq!(made.url, sink.url("/a"));
    assert!(
        made.headers.iter().any(|header| header.key.eq_ignore_ascii_case("authorization")
            && header.protected
            && header.value.is_none()),
        "{:?}",
        made.headers
    );
    project.event("e", json!(null)).await;
    assert_eq!(sink.wait_for("/a", 1).await[0].header("authorization"), Some("Basic dXNlcjpwYTpzcw=="));
}

#[tokio::test]
async fn the_list_is_filtered_and_paged() {
    let project = stack::project("list").await;
    let webhooks = [
        json!({ "name": "alpha", "events": ["order.paid"], "labels": { "team": "geo", "env": "prod" }, "description": "ships maps" }),
        json!({ "name": "beta", "events": ["order.*"], "labels": { "team": "geo" }, "enabled": false }),
        json!({ "name": "gamma", "events": ["invoice.created"], "object": { "type": "pipeline", "name": "p1", "version": null } }),
    ];
    for webhook in &webhooks {
        project.listen(webhook["name"].as_str().expect("a name"), URL, webhook).await;
    }
    for (query, expected) in [
        ("", vec!["alpha", "beta", "gamma"]),
        ("label=team:geo", vec!["alpha", "beta"]),
        ("label=team:geo&label=env:prod", vec!["alpha"]),
        ("label=team%3Amoon", vec![]),
        ("state=disabled", vec!["beta"]),
        ("state=enabled", vec!["alpha", "gamma"]),
        ("object_type=pipeline", vec!["gamma"]),
        ("object_name=p1", vec!["gamma"]),
        ("search=ALPH", vec!["alpha"]),
        ("search=zzz", vec![]),
    ] {
        assert_eq!(names(&project, query).await, expected, "?{query}");
    }
    let first: Page<WebhookView> = project.get("webhooks?limit=2").await.expect(200).read();
    assert_eq!(first.items.len(), 2);
    let cursor = first.next.expect("there is more");
    assert_eq!(names(&project, &format!("limit=2&cursor={cursor}")).await, ["gamma"]);
    assert!(names(&project, "event=order.paid").await.contains(&String::from("alpha")));
    assert!(!names(&project, "event=order.paid").await.contains(&String::from("gamma")));
    for (query, pointer) in
        [("limit=0", "?limit"), ("limit=201", "?limit"), ("limit=x", "?limit"), ("state=asleep", "?state")]
    {
        project.get(&format!("webhooks?{query}")).await.faults(&[pointer]);
    }
}

async fn names(project: &Project, query: &str) -> Vec<String> {
    let page: Page<WebhookView> = project.get(&format!("webhooks?{query}")).await.expect(200).read();
    page.items.into_iter().map(|webhook| webhook.name).collect()
}

#[tokio::test]
async fn a_deleted_webhook_is_gone_and_its_open_deliveries_are_cancelled() {
    let (project, sink) = (stack::project("delete").await, Sink::start().await);
    sink.always("/a", Behaviour::status(500));
    project.listen("w", &sink.url("/a"), &json!({})).await;
    let event = project.event("e", json!(1)).await;
    let waiting = project
        .delivery_when(&event.id, "w", "waits", |detail| detail.delivery.state == State::Waiting)
        .await;
    project.delete("webhooks/w").await.expect(204);
    project.get("webhooks/w").await.problem(ProblemType::NotFound);
    project.delete("webhooks/w").await.problem(ProblemType::NotFound);
    let left = project.delivery(&waiting.delivery.id).await;
    assert_eq!((left.delivery.state, left.delivery.webhook), (State::Cancelled, None));
    let again = project.listen("w", &sink.url("/b"), &json!({})).await;
    assert_ne!(again.id, waiting.delivery.webhook_id, "a name that is free again names a new webhook");
    assert_eq!(project.event("e", json!(2)).await.deliveries, 1);
}

#[tokio::test]
async fn a_disabled_webhook_takes_no_events_until_it_is_enabled() {
    let (project, sink) = (stack::project("disable").await, Sink::start().await);
    project.listen("w", &sink.url("/a"), &json!({ "enabled": false })).await;
    assert_eq!(project.event("e", json!(1)).await.deliveries, 0);
    project.patch("webhooks/w", &json!({ "enabled": true })).await.expect(200);
    assert_eq!(project.event("e", json!(2)).await.deliveries, 1);
    let calls = sink.wait_for("/a", 1).await;
    assert_eq!(calls[0].json()["data"], 2);
}
