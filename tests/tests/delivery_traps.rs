//! Every trap of docs/platform.md 1.9 as it would show from outside.
//!
//! Covered: 1 maps through a queue · 2 maps through KV · 3 reads of nothing · 4 an error leaves no
//! half-written rows · 5 a closing WebSocket · 6 one bad request does not fail its neighbours · 7 a queue
//! handler never fails its batch · 8 an alarm is a point in time, not an offset · 9 waiting deliveries do not
//! stop the queues (hundreds of them: the 10,000 delayed messages at which the platform stops are out of
//! reach, because `edge` delays no message in a queue).

use postern_core::api::webhook::{HealthStatus, WebhookView};
use postern_core::delivery::State;
use postern_core::problem::ProblemType;
use postern_tests::client::Project;
use postern_tests::live::Feed;
use postern_tests::sink::{Behaviour, Received, Sink};
use postern_tests::stack::{self, Stack};
use postern_tests::wait::{SOON, eventually, until};
use reqwest::Method;
use serde_json::{Value, json};

/// Maps inside maps, inside lists, an empty map, big numbers, text that looks like code.
fn nested() -> Value {
    json!({
        "map": { "a": { "b": { "c": [1, { "d": {} }] } } },
        "empty": {},
        "list": [{}, { "x": null }],
        "n": 9_007_199_254_740_993_i64,
        "f": 0.1,
        "s": "</script>\u{2028}\u{0}"
    })
}

/// More webhooks than the inline lane takes (6), so that deliveries go through the queue.
const WIDE: usize = 9;

async fn wide(project: &Project, sink: &Sink, more: &Value) {
    for n in 0..WIDE {
        project.listen(&format!("w{n}"), &sink.url(&format!("/w{n}")), more).await;
    }
}

async fn one_of_each(sink: &Sink) -> Vec<Received> {
    let mut calls = Vec::new();
    for n in 0..WIDE {
        calls.push(sink.wait_for(&format!("/w{n}"), 1).await.remove(0));
    }
    calls
}

#[tokio::test]
async fn maps_survive_the_queue() {
    let (project, sink) = (stack::project("queuemaps").await, Sink::start().await);
    let headers = json!([
        { "key": "X-Open", "value": "1", "protected": false },
        { "key": "X-Key", "value": "hush", "protected": true }
    ]);
    wide(&project, &sink, &json!({ "headers": headers })).await;
    assert_eq!(project.event("e", nested()).await.deliveries, u32::try_from(WIDE).expect("a few"));
    for call in one_of_each(&sink).await {
        assert_eq!(call.json()["data"], nested());
        assert_eq!(
            (call.header("x-open"), call.header("x-key")),
            (Some("1"), Some("hush")),
            "headers survive too"
        );
        assert!(call.header("webhook-signature").is_some());
    }
}

#[tokio::test]
async fn maps_survive_the_copies_in_kv() {
    let mut stack = Stack::start().await;
    let (project, sink) = (stack.project("kvmaps").await, Sink::start().await);
    let maps = json!({
        "headers": [{ "key": "X-Key", "value": "hush", "protected": true }],
        "labels": { "a": "b" },
        "object": { "type": "t", "name": null, "version": null }
    });
    wide(&project, &sink, &maps).await;
    // A new process has an empty memory cache: what it sends comes from KV, or from the object where KV is
    // behind.
    stack.restart().await;
    let event = json!({ "type": "e", "data": nested(), "object": { "type": "t", "name": "n" } });
    project.post("events", &event).await.expect(202);
    for call in one_of_each(&sink).await {
        assert_eq!((call.json()["data"].clone(), call.header("x-key")), (nested(), Some("hush")));
    }
}

#[tokio::test]
async fn a_changed_definition_is_used_by_the_next_event() {
    let (project, sink) = (stack::project("stale").await, Sink::start().await);
    wide(&project, &sink, &json!({})).await;
    project.event("e", json!(0)).await;
    one_of_each(&sink).await;
    for round in 1..4 {
        for n in 0..WIDE {
            let url = sink.url(&format!("/round{round}/w{n}"));
            project
                .patch(
                    &format!("webhooks/w{n}"),
                    &json!({ "url": url, "headers": [{ "key": "X-Round", "value": round.to_string(), "protected": false }] }),
                )
                .await
                .expect(200);
        }
        project.event("e", json!(round)).await;
        for n in 0..WIDE {
            let call = sink.wait_for(&format!("/round{round}/w{n}"), 1).await.remove(0);
            assert_eq!(call.header("x-round"), Some(round.to_string().as_str()));
        }
    }
    assert!(
        (0..WIDE).all(|n| sink.received(&format!("/w{n}")).len() == 1),
        "no call goes to an older definition's address"
    );
}

#[tokio::test]
async fn reading_what_is_not_there_harms_nobody() {
    let project = stack::project("nothing").await;
    let nobody = "00000000-0000-7000-8000-000000000000";
    let reads = [
        format!("events/evt_{nobody}"),
        format!("deliveries/dlv_{nobody}"),
        format!("tests/tst_{nobody}"),
        format!("inboxes/ibx_{nobody}"),
        String::from("webhooks/x"),
        String::from("webhooks/x/secret"),
    ];
    let held = futures_util::future::join_all((0..10).map(|n| project.event("held", json!(n))));
    let missing = futures_util::future::join_all(reads.iter().map(|path| project.get(path)));
    let (held, missing) = tokio::join!(held, missing);
    assert_eq!(held.len(), 10);
    for reply in missing {
        reply.problem(ProblemType::NotFound);
    }
}

#[tokio::test]
async fn an_error_leaves_no_half_written_rows() {
    let (project, sink) = (stack::project("half").await, Sink::start().await);
    project.listen("w", &sink.url("/a"), &json!({})).await;
    project.post("events", &json!({ "type": "e", "data": 1, "idempotency_key": "used" })).await.expect(202);
    sink.wait_for("/a", 1).await;
    // The last event conflicts with a stored key: those before it must not stay.
    let mut events: Vec<Value> =
        (0..20).map(|n| json!({ "type": "e", "data": n, "idempotency_key": format!("k{n}") })).collect();
    events.push(json!({ "type": "e", "data": 2, "idempotency_key": "used" }));
    project
        .post("events/batch", &json!({ "events": events }))
        .await
        .problem(ProblemType::IdempotencyConflict);
    let stored = project.get("events?limit=200").await.expect(200).json();
    assert_eq!(stored["items"].as_array().map(Vec::len), Some(1), "all or nothing");
    let again = project
        .post("events", &json!({ "type": "e", "data": 0, "idempotency_key": "k0" }))
        .await
        .expect(202)
        .json();
    assert_eq!(again["duplicate"], false, "a key of the refused batch is free");
    sink.wait_for("/a", 2).await;
    assert_eq!(project.deliveries("limit=200").await.items.len(), 2);
    project.listen("v", "http://127.0.0.1:1024/", &json!({})).await;
    project
        .patch("webhooks/v", &json!({ "name": "w", "description": "half" }))
        .await
        .problem(ProblemType::NameTaken);
    assert_eq!(project.get("webhooks/v").await.expect(200).json()["description"], "");
}

#[tokio::test]
async fn a_closing_websocket_does_not_fail_requests_in_flight() {
    let (project, sink) = (stack::project("socket").await, Sink::start().await);
    sink.always("/a", Behaviour::after(std::time::Duration::from_millis(300), 200));
    project.listen("w", &sink.url("/a"), &json!({})).await;
    let mut feeds = Vec::new();
    for _ in 0..5 {
        feeds.push(Feed::open(&project).await);
    }
    let event = project.event("e", json!(1)).await;
    for (n, feed) in feeds.into_iter().enumerate() {
        if n % 2 == 0 {
            assert!(feed.close().await.is_some(), "the close frame is answered");
        } else {
            drop(feed);
        }
        project.event("e", json!(n)).await;
    }
    let detail = project
        .delivery_when(&event.id, "w", "is delivered", |detail| detail.delivery.state == State::Delivered)
        .await;
    assert_eq!(detail.attempts.len(), 1, "nothing was lost with a socket");
}

#[tokio::test]
async fn one_bad_request_does_not_fail_its_neighbours() {
    let (project, sink) = (stack::project("neighbours").await, Sink::start().await);
    let inbox = project.inbox("slow").await;
    project
        .patch(
            &format!("inboxes/{}", inbox.id),
            &json!({ "answer": { "status": 200, "delay_ms": 1500, "body": "held" } }),
        )
        .await
        .expect(200);
    let path = inbox.url.replace(&project.api.base, "");
    let held = project.api.send_raw(Method::POST, &path, &[], "x");
    let odd = async {
        for target in [
            "/v1/projects/%00",
            "/v1/projects/%FF/events",
            "/in/%FF.%00",
            "/ubiops/v2.1/projects/%zz/webhooks",
            "/v1/projects/a%2Fb",
        ] {
            let reply = project.api.send(Method::POST, target, Some(&json!({}))).await;
            assert!((400..500).contains(&reply.status), "{target}: {}", reply.status);
        }
        let strange = [("content-type", "application/json"), ("idempotency-key", "ü"), ("x-odd", "\u{e9}")];
        let events = project.path("events");
        let reply =
            project.api.send_raw(Method::POST, &events, &strange, "{\"type\":\"a\",\"data\":1}").await;
        assert!(reply.status < 500, "{}", reply.body);
    };
    let (held, ()) = tokio::join!(held, odd);
    assert_eq!((held.status, held.body.as_str()), (200, "held"));
    assert!(sink.all().is_empty());
}

#[tokio::test]
async fn one_webhook_that_fails_does_not_fail_its_batch() {
    let (project, sink) = (stack::project("poison").await, Sink::start().await);
    wide(&project, &sink, &json!({})).await;
    sink.always("/w0", Behaviour::Reset);
    project
        .patch("webhooks/w1", &json!({ "url": format!("http://127.0.0.1:{}/", stack::free_port()) }))
        .await
        .expect(200);
    project.patch("webhooks/w2", &json!({ "url": "http://no-such-host.example/" })).await.expect(200);
    sink.always("/w3", Behaviour::Endless);
    for n in 0..3 {
        project.event("e", json!(n)).await;
    }
    // A webhook that is deleted while its message is under way is a message about nothing.
    project.delete("webhooks/w8").await.expect(204);
    for n in 4..8 {
        let calls = sink.wait_for(&format!("/w{n}"), 3).await;
        let mut ids: Vec<&str> = calls.iter().map(Received::message_id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 3, "w{n}");
    }
}

#[tokio::test]
async fn the_alarm_fires_when_it_is_due() {
    let (project, sink) = (stack::project("alarm").await, Sink::start().await);
    sink.script("/a", vec![Behaviour::status(500), Behaviour::status(200)]);
    project.listen("w", &sink.url("/a"), &json!({})).await;
    let event = project.event("e", json!(1)).await;
    // Nothing else is called meanwhile: only the object's own alarm can make the second attempt.
    sink.wait_for("/a", 2).await;
    let detail = project
        .delivery_when(&event.id, "w", "is delivered", |detail| detail.delivery.state == State::Delivered)
        .await;
    assert_eq!(detail.attempts.len(), 2);
}

#[tokio::test]
async fn hundreds_of_waiting_deliveries_do_not_stop_the_queues() {
    let (project, sink) = (stack::project("many").await, Sink::start().await);
    sink.always("/bad", Behaviour::with_header(503, "retry-after", "3600"));
    project.listen("bad", &sink.url("/bad"), &json!({ "events": ["bad"] })).await;
    for _ in 0..6 {
        let events: Vec<Value> = (0..100).map(|n| json!({ "type": "bad", "data": n })).collect();
        project.post("events/batch", &json!({ "events": events })).await.expect(202);
    }
    // The first answers ask for an hour: what was not called by then is held, and the calls under way end.
    let all_wait = async || {
        let webhook: WebhookView = project.get("webhooks/bad").await.expect(200).read();
        let leased = project.deliveries("webhook=bad&state=leased").await.items;
        webhook.health.status == HealthStatus::Throttled && webhook.health.held >= 400 && leased.is_empty()
    };
    until("hundreds of deliveries wait", 2 * SOON, all_wait).await;
    let called = sink.count("/bad");
    wide(&project, &sink, &json!({ "events": ["good"] })).await;
    project.event("good", nested()).await;
    assert!(one_of_each(&sink).await.iter().all(|call| call.json()["data"] == nested()));
    assert_eq!(sink.count("/bad"), called, "none of them was sent before its time");
}

#[tokio::test]
async fn the_watchdog_finds_nothing_to_complain_of() {
    let (project, sink) = (stack::project("watchdog").await, Sink::start().await);
    project.listen("w", &sink.url("/a"), &json!({})).await;
    stack::shared().await.fire_cron().await;
    project.event("e", json!(1)).await;
    assert_eq!(sink.wait_for("/a", 1).await.len(), 1);
}

#[tokio::test]
async fn no_handler_of_a_fresh_stack_panics() {
    let stack = Stack::start().await;
    let (project, sink) = (stack.project("clean").await, Sink::start().await);
    wide(&project, &sink, &json!({})).await;
    project.event("e", nested()).await;
    one_of_each(&sink).await;
    Feed::open(&project).await.close().await;
    project.post("webhooks/w0/test", &json!({})).await.expect(201);
    stack.fire_cron().await;
    let told =
        eventually("the log can be read", SOON, async || Some(stack.log()).filter(|log| !log.is_empty()))
            .await;
    for word in ["panicked", "Uncaught", "unreachable", "hung and would never generate"] {
        assert!(!told.contains(word), "the log says {word:?}:\n{told}");
    }
}
