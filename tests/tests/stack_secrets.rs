//! Secrets at rest: what is stored never holds a secret as it is, and a deployment's log does not either.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postern_core::api::test::TestStatus;
use postern_tests::sink::Sink;
use postern_tests::stack::Stack;
use postern_tests::wait::{SOON, until};
use serde_json::json;

#[tokio::test]
async fn nothing_that_is_stored_or_logged_holds_a_secret() {
    let mut stack = Stack::start().await;
    let (project, sink) = (stack.project("sealed").await, Sink::start().await);
    let headers = json!([{ "key": "X-Key", "value": "hush-hush-value", "protected": true }, { "key": "X-Open", "value": "open-open-value", "protected": false }]);
    project.listen("w", &sink.url("/a"), &json!({ "headers": headers, "description": "a-readable-description" })).await;
    let ubiops = json!({ "contract": "ubiops", "events": ["deployment_request_failed"], "headers": [{ "key": "Authorization", "value": "Token hush-hush-token", "protected": true }] });
    project.listen("u", &sink.url("/u"), &ubiops).await;
    project.listen("p", &sink.url("/p"), &json!({ "contract": "up42", "events": ["job.status"], "secret": "hush-hush-up42" })).await;
    let webhooks = json!({ "finished": sink.url("/f"), "update": sink.url("/g"), "auth": "user:hush-hush-run" });
    project.post("runs", &json!({ "chain": { "list": [] }, "webhooks": webhooks })).await.expect(201);
    let retired = project.secret("w").await.expect("a standard webhook signs");
    project.post("webhooks/w/secret/rotate", &json!({})).await.expect(200);
    let secret = project.secret("w").await.expect("a standard webhook signs");
    let event = project.event("deployment_request_failed", json!({ "request_id": "r" })).await;
    for webhook in ["w", "u"] {
        project.attempted(&event.id, webhook).await;
    }
    let test = project.post("webhooks/w/test", &json!({})).await.expect(201).json();
    assert_eq!(project.ended_test(test["id"].as_str().expect("a test has an id")).await.status, TestStatus::Completed);
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
    for hidden in ["hush-hush-value", "hush-hush-token", "hush-hush-up42", "hush-hush-run", &credentials, bare, retired, token] {
        assert!(!stack.state_holds(hidden), "{hidden} is stored as it is");
        assert!(!stack.log().contains(hidden), "{hidden} is in the log");
    }
    stack.boot().await;
    assert_eq!(project.secret("w").await.as_deref(), Some(secret.as_str()), "and it is all there");
}
