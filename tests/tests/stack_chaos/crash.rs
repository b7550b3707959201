//! `kill -9` of the whole process group at random moments, 50 times, while 2,000 events are accepted.
//!
//! A producer posts each event under an idempotency key until it is accepted, as any careful producer does.
//! At the end no accepted event is lost, each reached the receiver, and each under exactly one `webhook-id`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use futures_util::future::join_all;
use postern_tests::client::Project;
use postern_tests::random::{self, Random};
use postern_tests::sink::Sink;
use postern_tests::stack::Stack;
use postern_tests::wait::until;
use reqwest::Method;
use serde_json::json;

use crate::account::{messages_by_number, missing_or_foreign, no_delivery_is_open, stored_events};

const EVENTS: usize = 2_000;
const KILLS: usize = 50;
/// Events of one life of the stack: producers wait for the next life before they go on.
const PER_LIFE: usize = EVENTS / KILLS;
const PRODUCERS: usize = 8;
/// A lease that a kill left behind ends after the timeout and half a minute; then its attempt is made again.
const DRAIN: Duration = Duration::from_mins(4);

#[derive(Default)]
struct Progress {
    next: AtomicUsize,
    accepted: AtomicUsize,
    kills: AtomicUsize,
    /// Event ids by number, as the 202s said.
    ids: Mutex<BTreeMap<usize, String>>,
}

#[tokio::test]
async fn no_accepted_event_is_lost_or_sent_under_two_ids_by_fifty_kills() {
    let seed = random::seed();
    #[expect(clippy::print_stdout, reason = "the seed repeats a run that failed")]
    {
        println!("{}={seed}", random::SEED_VARIABLE);
    }
    let mut random = Random::seeded(seed);
    let mut stack = Stack::start().await;
    let (project, sink) = (stack.project("crash").await, Sink::start().await);
    project.listen("w", &sink.url("/a"), &json!({ "timeout_s": 5 })).await;

    let progress = Progress::default();
    let kill = async {
        for kill in 0..KILLS {
            let moment = kill * PER_LIFE
                + usize::try_from(random.between(1, PER_LIFE as u64 - PRODUCERS as u64))
                    .expect("a small number");
            until(&format!("{moment} events are accepted"), Duration::from_mins(2), async || {
                progress.accepted.load(SeqCst) >= moment
            })
            .await;
            tokio::time::sleep(Duration::from_micros(random.between(0, 60_000))).await;
            stack.kill9().await;
            stack.boot().await;
            progress.kills.fetch_add(1, SeqCst);
        }
    };
    tokio::join!(kill, join_all((0..PRODUCERS).map(|_| produce(&project, &progress))));
    let ids = progress.ids.lock().expect("no producer panicked").clone();
    assert_eq!(ids.len(), EVENTS);

    until("every event has reached the receiver", DRAIN, async || {
        messages_by_number(&sink, "/a").len() >= EVENTS
    })
    .await;
    no_delivery_is_open(&project, DRAIN).await;

    let by_number = messages_by_number(&sink, "/a");
    assert_eq!(missing_or_foreign(&by_number, EVENTS), [0; 0], "nothing lost, nothing foreign (seed {seed})");
    for (number, messages) in &by_number {
        assert_eq!(messages.len(), 1, "event {number} went out under {messages:?} (seed {seed})");
    }
    let messages: BTreeSet<&String> = by_number.values().flat_map(BTreeMap::keys).collect();
    assert_eq!(messages.len(), EVENTS, "no webhook-id names two events (seed {seed})");
    #[expect(clippy::print_stdout, reason = "what `--nocapture` is for")]
    {
        println!(
            "{KILLS} kills: {EVENTS} events, {} repeats under the same webhook-id",
            sink.count("/a") - EVENTS
        );
    }
    let stored = stored_events(&project).await.ids;
    let is_the_same = stored.values().collect::<BTreeSet<_>>() == ids.values().collect::<BTreeSet<_>>();
    assert!(is_the_same, "the ledger holds exactly the accepted events (seed {seed})");
}

/// Posts events under their keys until each is accepted.
async fn produce(project: &Project, progress: &Progress) {
    loop {
        let number = progress.next.fetch_add(1, SeqCst);
        if number >= EVENTS {
            return;
        }
        until("the next life begins", Duration::from_mins(5), async || {
            let lives = progress.kills.load(SeqCst) + 1;
            lives > KILLS || number < lives * PER_LIFE
        })
        .await;
        let body =
            json!({ "type": "order.paid", "data": { "n": number }, "idempotency_key": format!("k{number}") })
                .to_string();
        until(&format!("event {number} is accepted"), Duration::from_mins(5), async || {
            let sent = project
                .api
                .try_send(
                    Method::POST,
                    &project.path("events"),
                    &[("content-type", "application/json")],
                    body.clone(),
                )
                .await;
            let Ok(reply) = sent else { return false };
            // A dying server may say that it is; any other refusal is a defect.
            assert!(
                reply.status == 202 || reply.status >= 500,
                "event {number}: {} {}",
                reply.status,
                reply.body
            );
            if reply.status == 202 {
                let id = String::from(reply.json()["id"].as_str().expect("an accepted event has an id"));
                progress.ids.lock().expect("no producer panicked").insert(number, id);
                progress.accepted.fetch_add(1, SeqCst);
            }
            reply.status == 202
        })
        .await;
    }
}
