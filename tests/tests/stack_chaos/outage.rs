//! A receiver that is switched off for a minute under 100 events a second, and comes back.
//!
//! Every event is accepted and reaches the receiver, under one `webhook-id`; repeats are counted. While the
//! receiver is away it is probed, not flooded: far fewer calls fail than events wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use futures_util::future::join_all;
use postern_core::api::delivery::DeliveryView;
use postern_core::api::page::Page;
use postern_tests::client::Project;
use postern_tests::sink::Sink;
use postern_tests::stack::Stack;
use postern_tests::wait::until;
use reqwest::Method;
use serde_json::json;
use tokio::time::Instant;

use crate::account::{messages_by_number, missing_or_foreign, no_delivery_is_open, stored_events};

const EVENTS_PER_S: u32 = 100;
/// Events before the receiver goes down, and after it has come back: five seconds of each.
const EVENTS_AROUND: usize = 500;
/// A minute without a receiver.
const EVENTS_DOWN: usize = 6_000;
const EVENTS: usize = EVENTS_DOWN + 2 * EVENTS_AROUND;
const AWAY: Duration = Duration::from_mins(1);
/// Events that are posted at once, where the machine is too busy for the rate.
const PRODUCERS: usize = 32;
/// All events are accepted within, on a busy machine; 70 s on an idle one.
const PUBLISHED: Duration = Duration::from_mins(8);
/// From the return to the last delivery: the longest pause between two probes is a minute, then 6,000 wait.
const DRAIN: Duration = Duration::from_mins(6);
/// Calls that may fail: those that were under way when the receiver went, the five that make it a failing
/// one, and the probes of a minute, none closer than a second to the next.
const FAILED_CALLS_MAX: usize = 200;

#[tokio::test]
async fn nothing_is_lost_while_the_receiver_is_away() {
    let stack = Stack::start().await;
    let (project, mut sink) = (stack.project("outage").await, Sink::start().await);
    // A delivery that was a probe waits as the schedule says, however well the receiver does meanwhile.
    project
        .listen(
            "w",
            &sink.url("/a"),
            &json!({ "timeout_s": 5, "retry_schedule_s": [2, 5, 10, 20, 20, 20, 20, 20] }),
        )
        .await;

    let (next, accepted, started) = (AtomicUsize::new(0), AtomicUsize::new(0), Instant::now());
    let producers = join_all((0..PRODUCERS).map(|_| async {
        loop {
            let number = next.fetch_add(1, SeqCst);
            if number >= EVENTS {
                return;
            }
            let after =
                Duration::from_secs(1) * u32::try_from(number).expect("a small number") / EVENTS_PER_S;
            tokio::time::sleep_until(started + after).await;
            post(&project, number).await;
            accepted.fetch_add(1, SeqCst);
        }
    }));
    let outage = async {
        until("events are accepted before the outage", PUBLISHED, async || {
            accepted.load(SeqCst) >= EVENTS_AROUND
        })
        .await;
        sink.go_down();
        let away = Instant::now();
        until("events are accepted for a minute without a receiver", PUBLISHED, async || {
            accepted.load(SeqCst) >= EVENTS - EVENTS_AROUND && away.elapsed() >= AWAY
        })
        .await;
        sink.come_back().await;
    };
    tokio::join!(producers, outage);

    until("as many callbacks arrive as events were accepted", DRAIN, async || sink.count("/a") >= EVENTS)
        .await;
    no_delivery_is_open(&project, DRAIN).await;

    let by_number = messages_by_number(&sink, "/a");
    assert_eq!(missing_or_foreign(&by_number, EVENTS), [0; 0], "nothing lost, nothing foreign");
    assert!(by_number.values().all(|messages| messages.len() == 1), "each event has one webhook-id");
    let messages: BTreeSet<&String> = by_number.values().flat_map(BTreeMap::keys).collect();
    assert_eq!(messages.len(), EVENTS, "no webhook-id names two events");
    let stored = stored_events(&project).await;
    assert_eq!(stored.ids.len(), EVENTS);
    let told: Vec<&str> = stored.operational.iter().map(String::as_str).collect();
    assert_eq!(
        told,
        ["postern.webhook.failing", "postern.webhook.recovered"],
        "Postern says that it fails, and that it is back"
    );

    let attempts = attempts(&project).await;
    let (repeats, failed) = (sink.count("/a") - EVENTS, attempts - sink.count("/a").min(attempts));
    #[expect(clippy::print_stdout, reason = "what `--nocapture` is for")]
    {
        println!(
            "a minute without a receiver: {EVENTS} events, {repeats} repeats under the same webhook-id, {failed} calls failed"
        );
    }
    assert!(
        failed <= FAILED_CALLS_MAX,
        "{failed} calls failed: a receiver that is away is probed, not flooded"
    );
}

/// Posts an event until it is accepted, as any careful producer does; but an answer that comes must be 202.
async fn post(project: &Project, number: usize) {
    let body =
        json!({ "type": "order.paid", "data": { "n": number }, "idempotency_key": format!("k{number}") })
            .to_string();
    until(&format!("event {number} is accepted"), PUBLISHED, async || {
        let json = [("content-type", "application/json")];
        let sent = project.api.try_send(Method::POST, &project.path("events"), &json, body.clone()).await;
        sent.is_ok_and(|reply| reply.expect(202).status == 202)
    })
    .await;
}

/// Attempts of all deliveries. Each delivery must have been delivered.
async fn attempts(project: &Project) -> usize {
    let (mut attempts, mut cursor) = (0, String::new());
    loop {
        let page: Page<DeliveryView> =
            project.get(&format!("deliveries?limit=200{cursor}")).await.expect(200).read();
        for delivery in page.items {
            assert_eq!(delivery.state.as_str(), "delivered", "{delivery:?}");
            attempts += delivery.attempts as usize;
        }
        match page.next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return attempts,
        }
    }
}
