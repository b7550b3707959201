//! Tests: trial calls to a webhook or a bare URL.

use std::time::Duration;

use postern_core::api::live::LiveEvent;
use postern_core::api::test::{TestStatus, TestView};
use postern_core::delivery::Outcome;
use postern_core::examination::{Variation, Verdict};
use postern_core::problem::ProblemType;
use postern_tests::client::Project;
use postern_tests::live::Feed;
use postern_tests::sink::{Behaviour, Sink};
use postern_tests::stack;
use postern_tests::wait::{SOON, eventually};
use serde_json::json;

#[tokio::test]
async fn a_test_of_a_webhook_is_a_real_signed_call() {
    let (project, sink) = (stack::project("trial").await, Sink::start().await);
    project
        .listen(
            "w",
            &sink.url("/a"),
            &json!({ "headers": [{ "key": "X-Key", "value": "hush", "protected": true }] }),
        )
        .await;
    let made: TestView = project
        .post("webhooks/w/test", &json!({ "type": "order.paid", "data": { "n": 7 } }))
        .await
        .expect(201)
        .read();
    assert_eq!(
        (made.status, made.webhook.as_deref(), made.error_message, made.attempt),
        (TestStatus::Pending, Some("w"), None, None)
    );
    let ended = project.ended_test(&made.id).await;
    assert_eq!((ended.status, ended.error_message), (TestStatus::Completed, None));
    let call = sink.wait_for("/a", 1).await.remove(0);
    assert_eq!(
        (call.json()["type"].as_str(), &call.json()["data"]),
        (Some("order.paid"), &json!({ "n": 7 }))
    );
    assert!(call.header("webhook-signature").is_some_and(|signature| signature.starts_with("v1,")));
    assert_eq!((call.header("x-key"), call.header("accept")), (Some("hush"), Some("*/*")));
    let attempt = ended.attempt.expect("a call that was made is shown");
    assert_eq!(attempt.request_body.as_deref(), Some(call.text()));
    assert_eq!(attempt.attempt.response.map(|response| response.status), Some(200));
    assert!(!project.get(&format!("tests/{}", made.id)).await.body.contains("hush"));
    assert_eq!(project.deliveries("limit=200").await.items.len(), 0, "a test is not a delivery");
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
    assert!(
        calls.iter().all(|call| call.json()["type"].is_string() && call.json().get("data").is_some()),
        "{:?}",
        calls[0].text()
    );
    assert_eq!(calls[1].json()["type"], "order.paid");
}

#[tokio::test]
async fn a_failed_test_says_why() {
    let (project, sink) = (stack::project("why").await, Sink::start().await);
    sink.always("/500", Behaviour::status(500));
    sink.always("/302", Behaviour::with_header(302, "location", "/x"));
    sink.always("/hang", Behaviour::Hang);
    let nowhere = format!("http://127.0.0.1:{}/", stack::free_port());
    for (url, word) in
        [(sink.url("/500"), "500"), (sink.url("/302"), "302"), (sink.url("/hang"), ""), (nowhere, "")]
    {
        let made: TestView =
            project.post("tests", &json!({ "url": url, "timeout_s": 1 })).await.expect(201).read();
        let ended = project.ended_test(&made.id).await;
        assert_eq!((ended.status, ended.webhook), (TestStatus::Failed, None), "{url}");
        let message = ended.error_message.unwrap_or_default();
        assert!(!message.is_empty() && message.contains(word), "{url}: {message:?}");
    }
}

/// The test with its second attempt still to come, or made.
async fn failed_once(project: &Project, id: &str) -> TestView {
    eventually("the first attempt is recorded", SOON, async || {
        let test: TestView = project.get(&format!("tests/{id}")).await.expect(200).read();
        (test.attempts > 0).then_some(test)
    })
    .await
}

#[tokio::test]
async fn a_test_that_retries_is_pending_until_the_receiver_takes_it() {
    let (project, sink) = (stack::project("again").await, Sink::start().await);
    sink.script("/a", [503, 500, 204].map(Behaviour::status).to_vec());
    sink.script("/b", [503, 204].map(Behaviour::status).to_vec());
    sink.always("/once", Behaviour::status(500));
    let mut feed = Feed::open(&project).await;
    let made: TestView =
        project.post("tests", &json!({ "url": sink.url("/a"), "retry": true })).await.expect(201).read();
    assert_eq!(
        (made.status, made.retry, made.attempts, made.next_attempt_at),
        (TestStatus::Pending, true, 0, None)
    );
    let waiting = failed_once(&project, &made.id).await;
    assert_eq!((waiting.status, waiting.error_message), (TestStatus::Pending, None));
    assert!(
        waiting.attempt.is_some_and(|attempt| attempt.reason.headline.contains("50")),
        "the latest attempt tells why"
    );
    let ended = project.ended_test(&made.id).await;
    assert_eq!((ended.status, ended.attempts, ended.next_attempt_at), (TestStatus::Completed, 3, None));
    let calls = sink.wait_for("/a", 3).await;
    assert!(
        calls.iter().all(|call| call.message_id() == calls[0].message_id()),
        "the same webhook-id each time"
    );
    assert!(calls[1].at.duration_since(calls[0].at) >= Duration::from_secs(1), "with a pause");
    let mut states = Vec::new();
    feed.next("the test has ended", |change| {
        if let LiveEvent::Test { test } = change {
            states.push((test.status, test.attempts));
        }
        (states.last() == Some(&(TestStatus::Completed, 3))).then_some(())
    })
    .await;
    assert!(states.contains(&(TestStatus::Pending, 1)), "the feed keeps saying pending: {states:?}");

    project.listen("w", &sink.url("/b"), &json!({})).await;
    let made: TestView = project.post("webhooks/w/test", &json!({ "retry": true })).await.expect(201).read();
    assert_eq!(project.ended_test(&made.id).await.status, TestStatus::Completed);
    // A standard webhook retries by default; a test only where somebody asks.
    let once: TestView = project.post("tests", &json!({ "url": sink.url("/once") })).await.expect(201).read();
    let once = project.ended_test(&once.id).await;
    assert_eq!(
        (once.status, once.attempts, once.retry, sink.count("/once")),
        (TestStatus::Failed, 1, false, 1)
    );
    project.post("webhooks/w/test", &json!({ "retry": "yes" })).await.faults(&["/retry"]);
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
    project.post("tests", &json!({ "url": "nonsense", "timeout_s": 99, "x": 1 })).await.faults(&[
        "/url",
        "/timeout_s",
        "/x",
    ]);
    let unused = json!({ "url": sink.url("/a"), "filter": null, "labels": {}, "include_result": true });
    project.post("tests", &unused).await.faults(&["/include_result", "/labels", "/filter"]);
    project.post("webhooks/w/test", &json!({ "type": "not ok", "x": 1 })).await.faults(&["/type", "/x"]);
    project.post("webhooks/nobody/test", &json!({})).await.problem(ProblemType::NotFound);
    project.get("tests/tst_nonsense").await.problem(ProblemType::NotFound);
    assert!(sink.all().is_empty());
}

#[tokio::test]
async fn the_status_of_a_test_decides_whatever_becomes_of_the_body() {
    let (project, sink) = (stack::project("bodies").await, Sink::start().await);
    let gzip = |status| Behaviour::with_headers(status, &[("content-encoding", "gzip")], "");
    let not_gzip = ", with a body that is not valid gzip";
    for (name, behaviour, status, words) in [
        ("gzip", gzip(200), 200, format!("200 OK{not_gzip}")),
        ("gzip503", gzip(503), 503, format!("503 Service Unavailable{not_gzip}")),
        ("half", Behaviour::ResetInBody, 200, String::from("200 OK, with a body that broke off")),
        ("slow", Behaviour::HangInBody(204), 204, String::from("204 No Content")),
        (
            "slow404",
            Behaviour::HangInBody(404),
            404,
            String::from("404 Not Found, with a body that did not end in time"),
        ),
    ] {
        sink.always(&format!("/{name}"), behaviour);
        let made: TestView = project
            .post("tests", &json!({ "url": sink.url(&format!("/{name}")), "timeout_s": 1 }))
            .await
            .expect(201)
            .read();
        let ended = project.ended_test(&made.id).await;
        let is_taken = status < 300;
        assert_eq!(ended.status, if is_taken { TestStatus::Completed } else { TestStatus::Failed }, "{name}");
        let attempt = ended.attempt.expect("a call that was made is shown");
        assert_eq!(attempt.attempt.outcome, Outcome::Answered { status }, "{name}");
        assert_eq!(attempt.reason.headline, words, "{name}");
        assert_eq!(ended.error_message, (!is_taken).then_some(words), "{name}");
    }
}

#[tokio::test]
async fn a_receiver_that_takes_everything_is_told_what_it_should_refuse() {
    let (project, sink) = (stack::project("examined").await, Sink::start().await);
    project.listen("w", &sink.url("/a"), &json!({})).await;
    let mut calls = 0;
    for variation in Variation::ALL {
        let asked = json!({ "variation": variation });
        let made: TestView = project.post("webhooks/w/test", &asked).await.expect(201).read();
        let ended = project.ended_test(&made.id).await;
        let finding = ended.finding.expect("it has ended");
        let expected = if variation.is_to_be_refused() { Verdict::Failed } else { Verdict::Passed };
        assert_eq!((finding.verdict, ended.variation), (expected, Some(variation)), "{}", finding.advice);
        calls += if matches!(variation, Variation::Repeated | Variation::AtOnce) { 2 } else { 1 };
        let seen = sink.wait_for("/a", calls).await;
        let (last, before) = (&seen[calls - 1], &seen[calls.saturating_sub(2)]);
        let shown = ended.attempt.as_ref().and_then(|attempt| attempt.request_body.as_deref());
        assert_eq!(shown, Some(last.text()), "{variation:?} shows what was sent");
        match variation {
            Variation::NoSignature => assert_eq!(last.header("webhook-signature"), None),
            Variation::Repeated | Variation::AtOnce => {
                assert_eq!(last.header("webhook-id"), before.header("webhook-id"));
                assert_eq!(last.text(), before.text());
            }
            Variation::Large => assert!(last.text().len() > 150_000),
            Variation::Slow => {
                assert_eq!(last.header("content-length"), Some(last.text().len().to_string().as_str()));
            }
            Variation::WrongSignature | Variation::OtherBody | Variation::OldTimestamp => {
                assert!(last.header("webhook-signature").is_some());
            }
        }
    }
    let sent = sink.wait_for("/a", calls).await.len();
    assert_eq!(sent, calls, "nothing is repeated");
}

#[tokio::test]
async fn a_variation_that_can_t_be_made_is_refused_with_its_field() {
    let project = stack::project("variations").await;
    project.listen("plain", "https://r.example/", &json!({ "contract": "ubiops" })).await;
    project.listen("w", "https://r.example/", &json!({ "timeout_s": 1 })).await;
    let plain = "webhooks/plain/test";
    for (door, body, field) in [
        (plain, json!({ "variation": "nonsense" }), "/variation"),
        (plain, json!({ "variation": 7 }), "/variation"),
        (plain, json!({ "variation": "no_signature" }), "/variation"),
        (plain, json!({ "variation": "large" }), "/variation"),
        ("webhooks/w/test", json!({ "variation": "slow" }), "/variation"),
        ("webhooks/w/test", json!({ "variation": "at_once", "retry": true }), "/variation"),
        ("webhooks/w/test", json!({ "variation": "large", "data": 1 }), "/data"),
        ("tests", json!({ "variation": "other_body", "url": "https://r.example/" }), "/variation"),
    ] {
        let refused = project.post(door, &body).await.problem(ProblemType::InvalidInput);
        let pointers: Vec<&str> = refused.errors.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, [field], "{door} {body}");
    }
}
