//! A receiver that hangs delays nobody else, in the lane of the request and in the queues, where `wrangler
//! dev` runs one batch at a time (docs/platform.md 3.1).
//!
//! Nothing here measures time: the hanging receiver never answers while the test runs, so whatever else
//! arrives has not waited for it.

use postern_core::delivery::State;
use postern_tests::sink::{Behaviour, Sink};
use postern_tests::stack;
use postern_tests::wait::SOON;
use serde_json::json;

#[tokio::test]
async fn a_hanging_webhook_does_not_delay_another() {
    let (project, sink) = (stack::project("hang").await, Sink::start().await);
    sink.always("/hang", Behaviour::Hang);
    project.listen("hang", &sink.url("/hang"), &json!({ "timeout_s": 30 })).await;
    project.listen("good", &sink.url("/good"), &json!({})).await;
    for n in 0..20 {
        project.event("e", json!(n)).await;
    }
    sink.wait_within("/good", 20, SOON).await;
    let page = project.deliveries("webhook=hang&limit=200").await;
    assert!(page.items.iter().all(|delivery| delivery.state != State::Delivered));
    assert_eq!(page.items.len(), 20);
}

#[tokio::test]
async fn a_hanging_webhook_does_not_block_the_queue_of_first_attempts() {
    let (project, sink) = (stack::project("hangqueue").await, Sink::start().await);
    sink.always("/hang", Behaviour::Hang);
    // More webhooks than the inline lane takes: these events go through the queue.
    for n in 0..4 {
        project.listen(&format!("hang{n}"), &sink.url("/hang"), &json!({ "timeout_s": 30 })).await;
    }
    for n in 0..8 {
        project.listen(&format!("good{n}"), &sink.url(&format!("/good{n}")), &json!({})).await;
    }
    for n in 0..5 {
        assert_eq!(project.event("e", json!(n)).await.deliveries, 12);
    }
    for n in 0..8 {
        sink.wait_within(&format!("/good{n}"), 5, SOON).await;
    }
    let page = project.deliveries("webhook=hang0&limit=200").await;
    assert!(page.items.iter().all(|delivery| delivery.state != State::Delivered));
}

#[tokio::test]
async fn a_hanging_webhook_does_not_block_retries_of_others() {
    let (project, sink) = (stack::project("hangretry").await, Sink::start().await);
    // Both fail once; then one hangs in its retries, the other is well again.
    sink.script(
        "/hang",
        vec![Behaviour::status(500), Behaviour::status(500), Behaviour::status(500), Behaviour::Hang],
    );
    sink.script(
        "/good",
        vec![Behaviour::status(500), Behaviour::status(500), Behaviour::status(500), Behaviour::status(200)],
    );
    project.listen("hang", &sink.url("/hang"), &json!({ "timeout_s": 30 })).await;
    project.listen("good", &sink.url("/good"), &json!({})).await;
    for n in 0..3 {
        project.event("e", json!(n)).await;
    }
    sink.wait_within("/good", 6, SOON).await;
    assert!(sink.received("/hang").len() >= 3);
}
