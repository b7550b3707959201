//! The delivery engine from outside: rotation, pause, filters, order, limits, replays, dry runs, statistics,
//! exports and settings.
//!
//! Covered:
//!
//! 1. A rotated secret signs with the one before until that expires; `v1a` verifies with the public key's
//!    secret.
//! 2. A paused webhook takes events and calls nobody until it is resumed.
//! 3. Conditions and labels choose events; deliveries with one order key go one after the other; limits hold.
//! 4. A replay sends again what is dead, and what a webhook never got, once.
//! 5. A dry run shows the request that is then made, and stores nothing.
//! 6. Statistics count what was attempted; exports hold everything; settings hold for webhooks without their
//!    own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use postern_core::api::dry_run::DryRunView;
use postern_core::api::inbox::SignatureVerdict;
use postern_core::api::live::LiveEvent;
use postern_core::api::page::Page;
use postern_core::api::project::ProjectDetail;
use postern_core::api::replay::{ReplayCount, ReplayState, ReplayView};
use postern_core::api::stats::StatsView;
use postern_core::api::webhook::{HealthStatus, SecretView, WebhookView};
use postern_core::delivery::{State, Trigger};
use postern_core::problem::ProblemType;
use postern_core::signing::{self, Secret};
use postern_tests::client::{Project, Reply};
use postern_tests::live::Feed;
use postern_tests::sink::{Answer, Behaviour, Received, Sink};
use postern_tests::stack;
use postern_tests::wait::{SOON, eventually};
use reqwest::Method;
use serde_json::{Value, json};

fn now_s() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    i64::try_from(elapsed.as_secs()).expect("seconds fit")
}

/// Whether a receiver that knows only `secret` accepts the call.
fn verifies(call: &Received, secret: &str) -> bool {
    let secret = Secret::parse(secret).expect("a secret");
    let header = |name| call.header(name);
    let (id, timestamp, signature) =
        (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
    signing::verify(&[secret], id, timestamp, signature, &call.body, now_s()).is_ok()
}

fn schemes(call: &Received) -> Vec<&str> {
    let signatures = call.header("webhook-signature").expect("the call is signed");
    signatures.split(' ').filter_map(|signature| Some(signature.split_once(',')?.0)).collect()
}

async fn rotate(project: &Project, webhook: &str, body: Value) -> SecretView {
    project.post(&format!("webhooks/{webhook}/secret/rotate"), &body).await.expect(200).read()
}

async fn detail(project: &Project) -> ProjectDetail {
    project.api.send(Method::GET, &format!("/v1/projects/{}", project.name), None).await.expect(200).read()
}

async fn change_settings(project: &Project, patch: Value) -> Reply {
    project.api.send(Method::PATCH, &format!("/v1/projects/{}", project.name), Some(&patch)).await
}

async fn webhook(project: &Project, name: &str) -> WebhookView {
    project.get(&format!("webhooks/{name}")).await.expect(200).read()
}

/// The replay once it has ended.
async fn ended(project: &Project, id: &str) -> ReplayView {
    eventually(&format!("the replay {id} ends"), SOON, async || {
        let replay: ReplayView = project.get(&format!("replays/{id}")).await.expect(200).read();
        (replay.state != ReplayState::Running).then_some(replay)
    })
    .await
}

/// Posts one event and waits until its delivery to `webhook` has ended.
async fn end(project: &Project, webhook: &str, kind: &str) -> State {
    let event = project.event(kind, json!({})).await;
    let detail =
        project.delivery_when(&event.id, webhook, "ends", |detail| detail.delivery.state.is_final()).await;
    detail.delivery.state
}

#[tokio::test]
async fn a_rotated_secret_signs_beside_the_one_before_it() {
    let (project, sink) = (stack::project("rotate").await, Sink::start().await);
    project.listen("w", &sink.url("/a"), &json!({})).await;
    let first = project.secret("w").await.expect("a standard webhook signs");
    let view = rotate(&project, "w", json!({})).await;
    let second = view.secret.clone().expect("the new secret is shown");
    assert_ne!(first, second);
    assert!(second.starts_with("whsec_") && view.public_key.is_none() && view.previous.len() == 1);
    assert_eq!(project.get("webhooks/w/secret").await.expect(200).read::<SecretView>(), view);
    project.event("order.paid", json!({})).await;
    let call = sink.wait_for("/a", 1).await.remove(0);
    assert_eq!(schemes(&call), ["v1", "v1"], "the current one first");
    assert!(verifies(&call, &first) && verifies(&call, &second));

    let given = Secret::from_random(&[9; 32]).reveal();
    let view = rotate(&project, "w", json!({ "secret": given, "overlap_s": 0 })).await;
    assert_eq!(view.secret.as_deref(), Some(given.as_str()));
    project.event("order.paid", json!({})).await;
    let call = sink.wait_for("/a", 2).await.remove(1);
    assert!(verifies(&call, &given) && verifies(&call, &first), "the first one has its day still");
    assert!(!verifies(&call, &second), "an overlap of 0 ends it at once");
    project.post("webhooks/w/secret/rotate", &json!({ "secret": given })).await.faults(&["/secret"]);
}

#[tokio::test]
async fn an_asymmetric_secret_signs_v1a_and_an_inbox_verifies_it() {
    let project = stack::project("v1a").await;
    let inbox = project.inbox("receiver").await;
    project.listen("w", &inbox.url, &json!({})).await;
    let view = rotate(&project, "w", json!({ "kind": "v1a", "overlap_s": 0 })).await;
    assert!(view.secret.as_deref().is_some_and(|secret| secret.starts_with("whsk_")));
    assert!(view.public_key.as_deref().is_some_and(|key| key.starts_with("whpk_")));
    assert_eq!(end(&project, "w", "order.paid").await, State::Delivered);
    let request = project.inbox_requests(&inbox.id).await.items.remove(0);
    let signature =
        request.headers.iter().find(|(name, _)| name == "webhook-signature").map(|(_, value)| value.clone());
    assert!(signature.is_some_and(|signature| signature.starts_with("v1a,")));
    assert_eq!(request.signature, SignatureVerdict::Valid { webhook: String::from("w") });
    let again = rotate(&project, "w", json!({})).await;
    assert!(again.secret.is_some_and(|secret| secret.starts_with("whsk_")), "the kind stays if absent");
}

#[tokio::test]
async fn a_paused_webhook_takes_events_and_calls_nobody_until_it_is_resumed() {
    let (project, sink) = (stack::project("pause").await, Sink::start().await);
    project.listen("w", &sink.url("/a"), &json!({})).await;
    project.listen("other", &sink.url("/b"), &json!({})).await;
    let paused: WebhookView = project.post_nothing("webhooks/w/pause").await.expect(200).read();
    assert!(paused.paused && paused.enabled && paused.health.status == HealthStatus::Paused);
    let again: WebhookView = project.post_nothing("webhooks/w/pause").await.expect(200).read();
    assert_eq!(again.version, paused.version, "pausing what is paused changes nothing");
    let event = project.event("order.paid", json!({})).await;
    assert_eq!(event.deliveries, 2);
    sink.wait_for("/b", 1).await;
    let waiting = project
        .delivery_when(&event.id, "w", "waits", |detail| detail.delivery.state == State::Pending)
        .await;
    assert_eq!((waiting.attempts.len(), waiting.delivery.next_at), (0, None));
    assert_eq!(webhook(&project, "w").await.health.held, 1);
    assert_eq!(sink.count("/a"), 0);
    let resumed: WebhookView = project.post_nothing("webhooks/w/resume").await.expect(200).read();
    assert!(!resumed.paused);
    sink.wait_for("/a", 1).await;
    project
        .delivery_when(&event.id, "w", "is delivered", |detail| detail.delivery.state == State::Delivered)
        .await;
    assert_eq!(webhook(&project, "w").await.health.status, HealthStatus::Healthy);
}

#[tokio::test]
async fn conditions_and_labels_choose_what_a_webhook_gets() {
    let (project, sink) = (stack::project("filter").await, Sink::start().await);
    let large = json!({ "and": [{ "field": "amount", "gt": 100 }, { "field": "customer.country", "in": ["NL", "BE"] }] });
    let made = project.listen("large", &sink.url("/large"), &json!({ "filter": large })).await;
    assert_eq!(made.filter, Some(large), "a condition is shown as it was written");
    project.listen("labelled", &sink.url("/labelled"), &json!({ "event_labels": { "env": "prod" } })).await;
    let post = async |data: Value, labels: Value| {
        let reply =
            project.post("events", &json!({ "type": "order.paid", "data": data, "labels": labels })).await;
        reply.expect(202).json()["deliveries"].as_u64()
    };
    assert_eq!(post(json!({ "amount": 200, "customer": { "country": "NL" } }), json!({})).await, Some(1));
    assert_eq!(post(json!({ "amount": 100, "customer": { "country": "NL" } }), json!({})).await, Some(0));
    assert_eq!(post(json!({ "amount": 200 }), json!({ "env": "test" })).await, Some(0));
    assert_eq!(post(json!(null), json!({ "env": "prod", "more": "x" })).await, Some(1));
    sink.wait_for("/large", 1).await;
    sink.wait_for("/labelled", 1).await;
    assert_eq!((sink.count("/large"), sink.count("/labelled")), (1, 1));
    project.patch("webhooks/large", &json!({ "filter": null })).await.expect(200);
    assert_eq!(post(json!({}), json!({})).await, Some(1));
}

#[tokio::test]
async fn deliveries_with_one_order_key_go_one_after_the_other() {
    let (project, sink) = (stack::project("order").await, Sink::start().await);
    let failing = [503, 200].map(Behaviour::status).to_vec();
    sink.script("/a", failing);
    project.listen("w", &sink.url("/a"), &json!({ "ordered": true, "retry_schedule_s": [1] })).await;
    let events: Vec<Value> =
        (0..4).map(|number| json!({ "type": "step", "data": number, "order_key": if number == 3 { "other" } else { "one" } })).collect();
    project.post("events/batch", &json!({ "events": events })).await.expect(202);
    let calls = sink.wait_for("/a", 5).await;
    let of_one: Vec<i64> =
        calls.iter().filter_map(|call| call.json()["data"].as_i64()).filter(|number| *number < 3).collect();
    assert!(
        of_one == [0, 0, 1, 2] || of_one == [0, 1, 2],
        "{of_one:?}: the second waits for the first, however that goes"
    );
    let event = project.get("events?limit=4").await.expect(200).json();
    assert!(
        event["items"].as_array().is_some_and(|items| items.iter().all(|item| item["order_key"].is_string()))
    );
}

#[tokio::test]
async fn limits_of_a_webhook_hold() {
    let (project, sink) = (stack::project("limits").await, Sink::start().await);
    let slow = Behaviour::Answer(Answer {
        status: 200,
        headers: Vec::new(),
        body: Vec::new(),
        delay: Duration::from_millis(300),
    });
    sink.always("/one", slow);
    project.listen("one", &sink.url("/one"), &json!({ "concurrency_limit": 1, "events": ["one"] })).await;
    project
        .listen(
            "rate",
            &sink.url("/rate"),
            &json!({ "rate_limit": { "calls": 2, "per_s": 3 }, "events": ["rate"] }),
        )
        .await;
    let events: Vec<Value> = (0..8)
        .map(|number| json!({ "type": if number % 2 == 0 { "one" } else { "rate" }, "data": number }))
        .collect();
    project.post("events/batch", &json!({ "events": events })).await.expect(202);
    let (one, rate) = tokio::join!(sink.wait_for("/one", 4), sink.wait_for("/rate", 4));
    for pair in one.windows(2) {
        assert!(pair[1].at.duration_since(pair[0].at) >= Duration::from_millis(280), "one call at a time");
    }
    // The window is that of the start of the calls; what the receiver sees differs by the way there.
    assert!(
        rate[2].at.duration_since(rate[0].at) >= Duration::from_millis(2_500),
        "two calls in any three seconds"
    );
    assert_eq!((sink.count("/one"), sink.count("/rate")), (4, 4));
}

#[tokio::test]
async fn a_replay_sends_again_what_is_dead_and_nothing_else() {
    let (project, sink) = (stack::project("replay").await, Sink::start().await);
    sink.script("/a", [500, 500, 500, 200].map(Behaviour::status).to_vec());
    project.listen("w", &sink.url("/a"), &json!({ "retry": false })).await;
    for state in [State::Dead, State::Dead, State::Dead, State::Delivered] {
        assert_eq!(end(&project, "w", "order.paid").await, state);
    }
    let query = json!({ "webhook": "w", "types": ["order.*"] });
    let mut dry_run = query.clone();
    dry_run["dry_run"] = json!(true);
    let count: ReplayCount = project.post("replays", &dry_run).await.expect(200).read();
    assert_eq!((count.dry_run, count.count, count.capped), (true, 3, false));
    assert_eq!(sink.count("/a"), 4);
    let mut feed = Feed::open(&project).await;
    let replay: ReplayView = project.post("replays", &query).await.expect(202).read();
    assert_eq!((replay.total, replay.query.webhook.as_deref()), (4, Some("w")));
    let done = ended(&project, &replay.id).await;
    assert_eq!((done.state, done.scanned, done.replayed), (ReplayState::Done, 4, 3));
    let told = |change| match change {
        LiveEvent::Replay { replay } if replay.state == ReplayState::Done => Some(*replay),
        _ => None,
    };
    assert_eq!(feed.next("the replay ended", told).await, done);
    sink.wait_for("/a", 7).await;
    eventually("all are delivered", SOON, async || {
        let page = project.deliveries("state=delivered").await;
        (page.items.len() == 4).then_some(())
    })
    .await;
    let replayed = project.deliveries("limit=200").await.items.pop().expect("the first delivery");
    let attempts = project.delivery(&replayed.id).await.attempts;
    assert_eq!(
        attempts.iter().map(|attempt| attempt.attempt.trigger).collect::<Vec<_>>(),
        [Trigger::Schedule, Trigger::Resend]
    );
    let listed: Page<ReplayView> = project.get("replays").await.expect(200).read();
    assert_eq!(listed.items, [done]);
    project.post_nothing(&format!("replays/{}/cancel", replay.id)).await.problem(ProblemType::StateConflict);
    assert_eq!(sink.count("/a"), 7);
}

#[tokio::test]
async fn a_replay_sends_a_new_webhook_what_it_missed_once() {
    let (project, sink) = (stack::project("missing").await, Sink::start().await);
    for number in 0..5 {
        project.event(if number < 3 { "order.paid" } else { "user.created" }, json!({ "n": number })).await;
    }
    project.listen("late", &sink.url("/late"), &json!({ "events": ["order.*"] })).await;
    let query = json!({ "webhook": "late", "missing": true });
    for expected in [3, 0] {
        let replay: ReplayView = project.post("replays", &query).await.expect(202).read();
        assert_eq!(ended(&project, &replay.id).await.replayed, expected);
    }
    let calls = sink.wait_for("/late", 3).await;
    let mut numbers: Vec<i64> = calls.iter().filter_map(|call| call.json()["data"]["n"].as_i64()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 2]);
    assert_eq!(sink.count("/late"), 3);
}

#[tokio::test]
async fn a_dry_run_shows_the_request_that_is_then_made_and_stores_nothing() {
    let (project, sink) = (stack::project("dryrun").await, Sink::start().await);
    let headers = json!([{ "key": "X-Key", "value": "hidden", "protected": true }, { "key": "X-Open", "value": "1", "protected": false }]);
    let wants = json!({ "headers": headers, "filter": { "field": "amount", "gt": 100 }, "retry_schedule_s": [10, 20] });
    project.listen("wants", &sink.url("/wants"), &wants).await;
    project.listen("not", "http://127.0.0.1:1024/", &json!({ "events": ["user.created"] })).await;
    project.listen("off", "http://127.0.0.1:1024/", &json!({ "enabled": false })).await;
    let event = json!({ "type": "order.paid", "data": { "amount": 200 } });
    let before = project.census().await;
    let run: DryRunView = project.post("events/dry-run", &event).await.expect(200).read();
    assert_eq!(project.census().await, before);
    let says: Vec<(&str, bool, bool, usize)> = run
        .webhooks
        .iter()
        .map(|of| (of.webhook.as_str(), of.matched, of.delivers, of.timeline.len()))
        .collect();
    assert_eq!(says, [("not", false, false, 0), ("off", true, false, 0), ("wants", true, true, 3)]);
    assert!(run.webhooks[0].request.is_none());
    let wants = &run.webhooks[2];
    let clause =
        wants.reasons.iter().find(|clause| clause.pointer == "/filter").expect("the condition is explained");
    assert!(clause.holds && clause.found.as_deref() == Some("200"), "{clause:?}");
    assert!(
        wants
            .timeline
            .windows(2)
            .all(|pair| pair[0].at < pair[1].at && pair[0].attempt + 1 == pair[1].attempt)
    );

    let shown = wants.request.as_ref().expect("the request is shown");
    project.post("events", &event).await.expect(202);
    let call = sink.wait_for("/wants", 1).await.remove(0);
    assert_eq!((shown.method.as_str(), shown.url.as_str()), ("POST", sink.url("/wants").as_str()));
    let names = |headers: &[(String, String)]| {
        headers.iter().map(|(name, _)| name.to_lowercase()).collect::<Vec<_>>()
    };
    let sent = names(&call.headers);
    assert!(names(&shown.headers).iter().all(|name| sent.contains(name)), "{:?} {sent:?}", shown.headers);
    let header =
        |name: &str| shown.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!((header("x-key"), header("x-open")), (Some("••••••••"), Some("1")));
    let (body, called): (Value, Value) = (serde_json::from_str(&shown.body).expect("JSON"), call.json());
    assert_eq!((&body["type"], &body["data"]), (&called["type"], &called["data"]));

    let one: DryRunView = project.post("events/dry-run?webhook=off", &event).await.expect(200).read();
    assert_eq!(one.webhooks.iter().map(|of| of.webhook.as_str()).collect::<Vec<_>>(), ["off"]);
    let read = project.api.with_token(&project.token("read").await);
    read.send(Method::POST, &project.path("events/dry-run"), Some(&event))
        .await
        .problem(ProblemType::Forbidden);
}

#[tokio::test]
async fn statistics_count_what_was_attempted() {
    let (project, sink) = (stack::project("stats").await, Sink::start().await);
    sink.script("/a", [200, 200, 404].map(Behaviour::status).to_vec());
    project.listen("w", &sink.url("/a"), &json!({ "retry": false })).await;
    for state in [State::Delivered, State::Delivered, State::Dead] {
        assert_eq!(end(&project, "w", "order.paid").await, state);
    }
    let view: StatsView = project.get("stats").await.expect(200).read();
    let totals = &view.totals.counts;
    assert_eq!((totals.attempts, totals.delivered, totals.failed, totals.at_once), (3, 2, 1, 2));
    assert_eq!(
        totals.outcomes.clone().into_iter().collect::<Vec<_>>(),
        [(String::from("2xx"), 2), (String::from("4xx"), 1)]
    );
    assert!(
        totals.p50_ms.is_some() && totals.success_rate.is_some_and(|rate| (rate - 2.0 / 3.0).abs() < 1e-9)
    );
    assert!((24..=26).contains(&view.buckets.len()), "{}", view.buckets.len());
    assert_eq!(view.buckets.iter().map(|bucket| bucket.counts.attempts).sum::<u64>(), 3);
    assert_eq!(view.webhooks.iter().map(|of| of.webhook.as_deref()).collect::<Vec<_>>(), [Some("w")]);
    let of = async |query: &str| {
        project.get(&format!("stats?{query}")).await.expect(200).read::<StatsView>().totals.counts.attempts
    };
    assert_eq!((of("webhook=w").await, of("type=order.paid").await, of("type=other").await), (3, 3, 0));
    assert_eq!(of("bucket=day").await, 3);
}

#[tokio::test]
async fn exports_hold_everything_oldest_first() {
    let (project, sink) = (stack::project("export").await, Sink::start().await);
    project.listen("w", &sink.url("/a"), &json!({ "events": ["last"] })).await;
    for batch in 0..5 {
        let events: Vec<Value> =
            (0..100).map(|at| json!({ "type": "many", "data": batch * 100 + at })).collect();
        project.post("events/batch", &json!({ "events": events })).await.expect(202);
    }
    assert_eq!(end(&project, "w", "last").await, State::Delivered);
    let lines = |reply: Reply| -> Vec<Value> {
        let reply = reply.expect(200);
        assert_eq!(reply.header("content-type"), Some("application/x-ndjson"));
        assert!(reply.header("x-request-id").is_some() && reply.header("cache-control") == Some("no-store"));
        reply.body.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    };
    let events = lines(project.get("events/export").await);
    assert_eq!(events.len(), 501);
    assert!(
        events.iter().take(500).enumerate().all(|(at, event)| event["data"] == json!(at)),
        "in their order"
    );
    assert_eq!(lines(project.get("events/export?type=last").await).len(), 1);
    assert_eq!(lines(project.get("events/export?until=2026-01-02T00:00:00Z").await).len(), 0);
    let deliveries = lines(project.get("deliveries/export?webhook=w&state=delivered").await);
    assert_eq!(deliveries.len(), 1);
    assert_eq!(deliveries[0]["attempts"][0]["outcome"], json!({ "kind": "answered", "status": 200 }));
    assert_eq!(lines(project.get("deliveries/export?state=dead").await).len(), 0);
    project
        .api
        .without_token()
        .send(Method::GET, &project.path("events/export"), None)
        .await
        .problem(ProblemType::Unauthorized);
}

#[tokio::test]
async fn settings_hold_for_webhooks_without_their_own() {
    let (project, sink) = (stack::project("settings").await, Sink::start().await);
    sink.always("/a", Behaviour::status(500));
    assert_eq!(
        (detail(&project).await.settings.retry_schedule_s, detail(&project).await.settings.retention_days),
        (None, 30)
    );
    let changed: ProjectDetail =
        change_settings(&project, json!({ "retry_schedule_s": [], "retention_days": 7 }))
            .await
            .expect(200)
            .read();
    assert_eq!((changed.settings.retry_schedule_s, changed.settings.retention_days), (Some(Vec::new()), 7));
    project.listen("w", &sink.url("/a"), &json!({ "events": ["a"] })).await;
    project.listen("own", &sink.url("/a"), &json!({ "events": ["b"], "retry_schedule_s": [3_600] })).await;
    assert_eq!(end(&project, "w", "a").await, State::Dead, "one attempt and no more");
    let event = project.event("b", json!({})).await;
    let waiting = project.attempted(&event.id, "own").await;
    assert_eq!(waiting.delivery.state, State::Waiting);
    let restored: ProjectDetail =
        change_settings(&project, json!({ "retry_schedule_s": null })).await.expect(200).read();
    assert_eq!((&restored.settings.retry_schedule_s, restored.settings.retention_days), (&None, 7));
    assert_eq!(detail(&project).await.settings, restored.settings);
}

#[tokio::test]
async fn health_tells_of_private_targets() {
    let health =
        stack::shared().await.anonymous().send(Method::GET, "/healthz", None).await.expect(200).json();
    assert_eq!((&health["status"], &health["allow_private_targets"]), (&json!("ok"), &json!(true)));
}
