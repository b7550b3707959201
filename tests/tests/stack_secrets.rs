//! Secrets at rest: what is stored never holds a secret as it is, and a deployment's log does not either.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postern_core::api::test::TestStatus;
use postern_core::api::webhook::WebhookView;
use postern_tests::sink::{Behaviour, Sink};
use postern_tests::stack::Stack;
use postern_tests::wait::{SOON, until};
use reqwest::Method;
use serde_json::json;

/// Unmarked credentials, through every door that takes some.
#[tokio::test]
async fn credentials_that_nobody_marked_are_not_stored_or_logged_either() {
    let mut stack = Stack::start().await;
    let (project, sink) = (stack.project("unmarked").await, Sink::start().await);
    let unmarked = |word: &str| {
        json!([
            { "key": "Authorization", "value": format!("Bearer hush-{word}-1") },
            { "key": "x-api-key", "value": format!("hush-{word}-2") },
            { "key": "Cookie", "value": format!("sid=hush-{word}-3") },
            { "key": "X-Open", "value": format!("open-{word}") }
        ])
    };
    // Webhooks: created, changed, with credentials in the address, tested.
    project.listen("w", &sink.url("/w"), &json!({ "events": ["a"], "headers": unmarked("webhook") })).await;
    project.listen("p", &sink.url("/p"), &json!({ "events": ["a"] })).await;
    let patched: WebhookView =
        project.patch("webhooks/p", &json!({ "headers": unmarked("patch") })).await.expect(200).read();
    assert_eq!(
        patched.headers.iter().map(|header| header.value.is_some()).collect::<Vec<_>>(),
        [false, false, false, true]
    );
    let address = sink.url("/u").replacen("://", "://user:hush-address@", 1);
    project.listen("u", &address, &json!({ "events": ["a"] })).await;
    let test = project
        .post("tests", &json!({ "url": sink.url("/t"), "headers": unmarked("test") }))
        .await
        .expect(201)
        .json();
    let ended = project.ended_test(test["id"].as_str().expect("a test has an id")).await;
    assert_eq!(ended.status, TestStatus::Completed);
    // A run, natively and as a process chain.
    let webhooks = json!({ "finished": sink.url("/f").replacen("://", "://user:hush-run-address@", 1), "update": sink.url("/g") });
    project.post("runs", &json!({ "chain": { "list": [] }, "webhooks": webhooks })).await.expect(201);
    let chain = json!({ "version": "1", "list": [], "webhooks": { "finished": sink.url("/c"), "auth": "user:hush-chain" } });
    let login = STANDARD.encode(format!("{}:{}", project.name, project.token));
    let actinia = project.api.with_authorization(&format!("Basic {login}"));
    actinia
        .send(Method::POST, "/actinia/api/v3/locations/l/processing_async", Some(&chain))
        .await
        .expect(200);
    // The configuration, planned and applied, and a listing that becomes one.
    let document = json!({ "webhooks": [{ "name": "c", "url": sink.url("/c"), "events": ["a"], "headers": unmarked("config") }] });
    let planned = project.post("config/plan", &json!({ "document": document })).await.expect(200);
    assert!(!planned.body.contains("hush"), "{}", planned.body);
    project.post("config/apply", &json!({ "document": document })).await.expect(200);
    let listing = json!([{ "name": "i", "url": sink.url("/i"), "event": "deployment_request_failed", "object_type": "deployment", "object_name": "d", "headers": unmarked("import") }]);
    let preview = project
        .post("import/preview", &json!({ "from": "ubiops", "listing": listing }))
        .await
        .expect(200)
        .json();
    project.post("config/apply", &json!({ "document": preview["document"] })).await.expect(200);
    // UbiOps' client always says whether a header is protected.
    let ubiops = project.api.with_authorization(&format!("Token {}", project.token));
    let draft = json!({
        "name": "o", "url": sink.url("/o"), "event": "deployment_request_failed",
        "object_type": "deployment", "object_name": "d",
        "headers": [{ "key": "Authorization", "value": "Token hush-ubiops", "protected": true }]
    });
    ubiops
        .send(Method::POST, &format!("/ubiops/v2.1/projects/{}/webhooks", project.name), Some(&draft))
        .await
        .expect(201);
    // An inbox, from a stranger.
    let inbox = project.inbox("i").await;
    let path = inbox.url.strip_prefix(&stack.base()).expect("an inbox is below the stack");
    let sent = [
        ("authorization", "Bearer hush-inbox-1"),
        ("cookie", "hush-inbox-2"),
        ("x-auth-token", "hush-inbox-3"),
        ("x-open", "open-inbox"),
    ];
    stack
        .anonymous()
        .send_raw(Method::POST, &format!("{path}/a?token=hush-inbox-4&b=open-query"), &sent, "{}")
        .await
        .expect(200);
    // A receiver that sets a cookie.
    sink.always("/w", Behaviour::with_header(200, "set-cookie", "hush-answer"));
    let event = project.event("a", json!({})).await;
    let attempted = project.attempted(&event.id, "w").await;
    let call = sink.wait_for("/w", 1).await.remove(0);
    assert_eq!(
        (call.header("authorization"), call.header("x-api-key")),
        (Some("Bearer hush-webhook-1"), Some("hush-webhook-2")),
        "the receiver gets them"
    );
    assert!(!serde_json::to_string(&attempted).expect("JSON").contains("hush"), "{attempted:?}");
    for read in [
        "webhooks",
        "config",
        "audit",
        "deliveries/export",
        "inboxes",
        &format!("inboxes/{}/requests", inbox.id),
    ] {
        let reply = project.get(read).await.expect(200);
        assert!(!reply.body.contains("hush-"), "{read}: {}", reply.body);
    }
    until("copies of the definitions are in KV", SOON, async || {
        ["open-webhook", "open-patch", "open-config", "open-import"]
            .iter()
            .all(|open| stack.state_holds(open))
    })
    .await;
    stack.stop().await;
    assert!(
        stack.state_holds("open-inbox") && stack.state_holds("open-query"),
        "what is not a credential is kept"
    );
    let encoded =
        ["user:hush-address", "user:hush-run-address", "user:hush-chain"].map(|text| STANDARD.encode(text));
    for hidden in encoded.iter().map(String::as_str).chain(["hush-"]) {
        assert!(!stack.state_holds(hidden), "{hidden} is stored as it is");
        assert!(!stack.log().contains(hidden), "{hidden} is in the log");
    }
    stack.boot().await;
}

#[tokio::test]
async fn nothing_that_is_stored_or_logged_holds_a_secret() {
    let mut stack = Stack::start().await;
    let (project, sink) = (stack.project("sealed").await, Sink::start().await);
    let headers = json!([{ "key": "X-Key", "value": "hush-hush-value", "protected": true }, { "key": "X-Open", "value": "open-open-value", "protected": false }]);
    project
        .listen("w", &sink.url("/a"), &json!({ "headers": headers, "description": "a-readable-description" }))
        .await;
    let ubiops = json!({ "contract": "ubiops", "events": ["deployment_request_failed"], "headers": [{ "key": "Authorization", "value": "Token hush-hush-token", "protected": true }] });
    project.listen("u", &sink.url("/u"), &ubiops).await;
    project
        .listen(
            "p",
            &sink.url("/p"),
            &json!({ "contract": "up42", "events": ["job.status"], "secret": "hush-hush-up42" }),
        )
        .await;
    let webhooks =
        json!({ "finished": sink.url("/f"), "update": sink.url("/g"), "auth": "user:hush-hush-run" });
    project.post("runs", &json!({ "chain": { "list": [] }, "webhooks": webhooks })).await.expect(201);
    let retired = project.secret("w").await.expect("a standard webhook signs");
    project.post("webhooks/w/secret/rotate", &json!({})).await.expect(200);
    let secret = project.secret("w").await.expect("a standard webhook signs");
    let event = project.event("deployment_request_failed", json!({ "request_id": "r" })).await;
    for webhook in ["w", "u"] {
        project.attempted(&event.id, webhook).await;
    }
    let test = project.post("webhooks/w/test", &json!({})).await.expect(201).json();
    assert_eq!(
        project.ended_test(test["id"].as_str().expect("a test has an id")).await.status,
        TestStatus::Completed
    );
    // The copies in KV are written by the object's alarm.
    until("a copy of the definition is in KV", SOON, async || {
        stack.state_holds("a-readable-description") && stack.state_holds("open-open-value")
    })
    .await;
    stack.stop().await;
    let bare = secret.trim_start_matches("whsec_");
    let retired = retired.trim_start_matches("whsec_");
    let token = project.token.rsplit('_').next().expect("a token has parts");
    let credentials = STANDARD.encode("user:hush-hush-run");
    for hidden in [
        "hush-hush-value",
        "hush-hush-token",
        "hush-hush-up42",
        "hush-hush-run",
        &credentials,
        bare,
        retired,
        token,
    ] {
        assert!(!stack.state_holds(hidden), "{hidden} is stored as it is");
        assert!(!stack.log().contains(hidden), "{hidden} is in the log");
    }
    stack.boot().await;
    assert_eq!(project.secret("w").await.as_deref(), Some(secret.as_str()), "and it is all there");
}
