//! Tests: trial calls to a webhook or a bare URL.

use postern_core::api::test::{TestStatus, TestView};
use postern_core::problem::ProblemType;
use postern_tests::sink::{Behaviour, Sink};
use postern_tests::stack;
use serde_json::json;

#[tokio::test]
async fn a_test_of_a_webhook_is_a_real_signed_call() {
    let (project, sink) = (stack::project("trial").await, Sink::start().await);
    project.listen("w", &sink.url("/a"), &json!({ "headers": [{ "key": "X-Key", "value": "hush", "protected": true }] })).await;
    let made: TestView = project.post("webhooks/w/test", &json!({ "type": "order.paid", "data": { "n": 7 } })).await.expect(201).read();
    assert_eq!((made.status, made.webhook.as_deref(), made.error_message, made.attempt), (TestStatus::Pending, Some("w"), None, None));
    let ended = project.ended_test(&made.id).await;
    assert_eq!((ended.status, ended.error_message), (TestStatus::Completed, None));
    let call = sink.wait_for("/a", 1).await.remove(0);
    assert_eq!((call.json()["type"].as_str(), &call.json()["data"]), (Some("order.paid"), &json!({ "n": 7 })));
    assert!(call.header("webhook-signature").is_some_and(|signature| signature.starts_with("v1,")));
    assert_eq!(call.header("x-key"), Some("hush"));
    let attempt = ended.attempt.expect("a call that was made is shown");
    assert_eq!(attempt.request_body.as_deref(), Some(call.text()));
    assert_eq!(attempt.attempt.response.map(|response| response.status), Some(200));
    assert!(!project.get(&format!("tests/{}", made.id)).await.body.contains("hush"));
    assert_eq!(project.deliveries("limit=200").await.items.len(), 0, "a test is no delivery");
}

#[tokio::test]
async fn a_test_without_a_body_makes_an_example_of_its_own() {
    let (project, sink) = (stack::project("example").await, Sink::start().await);
    project.listen("w", &sink.url("/a"), &json!({ "events": ["order.*"] })).await;
    for body in [json!({}), json!({ "type": "order.paid" })] {
        let made: TestView = project.post("webhooks/w/test", &body).await.expect(201).read();
        assert_eq!(project.ended_test(&made.id).await.status, TestStatus::Completed);
    }
    let calls = sink.wait_for("/a", 2).await;
    assert!(calls.iter().all(|call| call.json()["type"].is_string() && call.json().get("data").is_some()), "{:?}", calls[0].text());
    assert_eq!(calls[1].json()["type"], "order.paid");
}

#[tokio::test]
async fn a_failed_test_says_why() {
    let (project, sink) = (stack::project("why").await, Sink::start().await);
    sink.always("/500", Behaviour::status(500));
    sink.always("/302", Behaviour::with_header(302, "location", "/x"));
    sink.always("/hang", Behaviour::Hang);
    let nowhere = format!("http://127.0.0.1:{}/", stack::free_port());
    for (url, word) in [(sink.url("/500"), "500"), (sink.url("/302"), "302"), (sink.url("/hang"), ""), (nowhere, "")] {
        let made: TestView = project.post("tests", &json!({ "url": url, "timeout_s": 1 })).await.expect(201).read();
        let ended = project.ended_test(&made.id).await;
        assert_eq!((ended.status, ended.webhook), (TestStatus::Failed, None), "{url}");
        let message = ended.error_message.unwrap_or_default();
        assert!(!message.is_empty() && message.contains(word), "{url}: {message:?}");
    }
}

#[tokio::test]
async fn a_test_of_a_disabled_webhook_is_sent() {
    let (project, sink) = (stack::project("off").await, Sink::start().await);
    project.listen("w", &sink.url("/a"), &json!({ "enabled": false })).await;
    let made: TestView = project.post("webhooks/w/test", &json!({})).await.expect(201).read();
    assert_eq!(project.ended_test(&made.id).await.status, TestStatus::Completed);
    assert_eq!(sink.received("/a").len(), 1);
}

#[tokio::test]
async fn a_bad_test_is_refused_and_calls_nobody() {
    let (project, sink) = (stack::project("badtrial").await, Sink::start().await);
    project.listen("w", &sink.url("/a"), &json!({})).await;
    project.post("tests", &json!({})).await.faults(&["/url"]);
    project.post("tests", &json!({ "url": "nonsense", "timeout_s": 99, "x": 1 })).await.faults(&["/url", "/timeout_s", "/x"]);
    project.post("webhooks/w/test", &json!({ "type": "not ok", "x": 1 })).await.faults(&["/type", "/x"]);
    project.post("webhooks/nobody/test", &json!({})).await.problem(ProblemType::NotFound);
    project.get("tests/tst_nonsense").await.problem(ProblemType::NotFound);
    assert!(sink.all().is_empty());
}
