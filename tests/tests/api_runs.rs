//! Runs over HTTP: from a chain to its end, with the callbacks that a run carries, and the example executor.

use std::time::Duration;

use postern_core::api::live::LiveEvent;
use postern_core::api::page::Page;
use postern_core::api::run::{CallbackView, RunClaim, RunDetail, RunView};
use postern_core::problem::ProblemType;
use postern_core::run::{CallbackKind, CallbackState, RunState};
use postern_tests::client::Project;
use postern_tests::executor::Executor;
use postern_tests::live::Feed;
use postern_tests::sink::{Behaviour, Received, Sink};
use postern_tests::stack;
use postern_tests::wait::{SOON, eventually};
use reqwest::Method;
use serde_json::{Value, json};

/// Longer than a lease of ten seconds and the alarm behind it.
const LEASE_ENDS: Duration = Duration::from_secs(40);

async fn create(project: &Project, body: &Value) -> RunView {
    project.post("runs", body).await.expect(201).read()
}

async fn run(project: &Project, id: &str) -> RunDetail {
    project.get(&format!("runs/{id}")).await.expect(200).read()
}

/// The run once `wanted` holds for it.
async fn run_when(project: &Project, id: &str, what: &str, wanted: impl Fn(&RunDetail) -> bool) -> RunDetail {
    eventually(&format!("the run {id} {what}"), SOON, async || Some(run(project, id).await).filter(&wanted))
        .await
}

/// Claims until a run is offered: its addresses may still be probed.
async fn claim(project: &Project, lease_s: u32) -> RunClaim {
    claim_within(project, lease_s, SOON).await
}

async fn claim_within(project: &Project, lease_s: u32, deadline: Duration) -> RunClaim {
    eventually("a run is offered", deadline, async || {
        let reply = project.post("runs/claim", &json!({ "lease_s": lease_s })).await;
        if reply.status == 204 {
            assert_eq!(reply.body, "");
            return None;
        }
        Some(reply.expect(200).read())
    })
    .await
}

/// What a POST of a run carries: JSON inside a JSON string.
fn told(received: &Received) -> Value {
    assert_eq!(
        (received.method.as_str(), received.header("content-type")),
        ("POST", Some("application/json"))
    );
    let inner: String = serde_json::from_slice(&received.body).expect("a JSON string");
    serde_json::from_str(&inner).expect("JSON inside it")
}

fn posts(sink: &Sink, path: &str) -> Vec<Value> {
    sink.received(path).iter().filter(|received| received.method == "POST").map(told).collect()
}

#[tokio::test]
async fn a_run_goes_from_its_chain_to_its_results() {
    let project = stack::project("runlife").await;
    project.post("runs/claim", &json!({})).await.expect(204);
    let made = project
        .post("runs", &json!({ "chain": { "z": [1, { "a": null }], "b": 2 }, "labels": { "team": "geo" } }))
        .await
        .expect(201);
    let made: RunView = made.read();
    assert!(made.id.starts_with("run_"));
    assert_eq!((made.state, made.claim, made.progress, made.webhooks), (RunState::Accepted, 0, None, None));
    let second = create(&project, &json!({ "chain": {} })).await;

    let claimed = project.post("runs/claim", &json!({ "lease_s": 60 })).await.expect(200);
    assert!(
        claimed.body.contains(r#""chain":{"z":[1,{"a":null}],"b":2}"#),
        "as it was written: {}",
        claimed.body
    );
    let claimed: RunClaim = claimed.read();
    assert_eq!(
        (claimed.id.as_str(), claimed.claim, claimed.lease_s),
        (made.id.as_str(), 1, 60),
        "the oldest first"
    );
    let path = format!("runs/{}", made.id);
    let update = json!({ "claim": 1, "message": "half", "progress": { "step": 1, "of": 2 }, "log": ["a", { "b": 1 }] });
    let updated = project.post(&format!("{path}/updates"), &update).await.expect(202).json();
    assert_eq!(
        (&updated["state"], &updated["progress"]),
        (&json!("running"), &json!({ "step": 1, "of": 2, "percent": 50 }))
    );
    project.post(&format!("{path}/updates"), &json!({})).await.expect(202);
    let end = json!({ "outcome": "finished", "message": "done", "results": { "area": 1.5 }, "log": ["c"] });
    project.post(&format!("{path}/finish"), &end).await.expect(202);
    let shown = project.get(&path).await.expect(200).json();
    assert_eq!(
        (&shown["state"], &shown["message"], &shown["results"]),
        (&json!("finished"), &json!("done"), &json!({ "area": 1.5 }))
    );
    assert_eq!(shown["log"], json!(["a", { "b": 1 }, "c"]));
    assert_eq!(shown["chain"], json!({ "z": [1, { "a": null }], "b": 2 }));
    for (what, body) in [("updates", json!({})), ("finish", end), ("terminate", json!({}))] {
        project.post(&format!("{path}/{what}"), &body).await.problem(ProblemType::StateConflict);
    }

    let list: Page<RunView> = project.get("runs?limit=1").await.expect(200).read();
    assert_eq!((list.items[0].id.as_str(), list.items.len()), (second.id.as_str(), 1), "the newest first");
    let next = list.next.expect("there is one more");
    let rest: Page<RunView> = project.get(&format!("runs?limit=1&cursor={next}")).await.expect(200).read();
    assert_eq!((rest.items[0].id.as_str(), rest.next), (made.id.as_str(), None));
    let finished: Page<RunView> = project.get("runs?state=finished").await.expect(200).read();
    assert_eq!(finished.items.iter().map(|run| run.id.as_str()).collect::<Vec<_>>(), [made.id.as_str()]);
}

#[tokio::test]
async fn callbacks_are_probed_told_and_shown() {
    let (project, sink) = (stack::project("runcalls").await, Sink::start().await);
    let webhooks =
        json!({ "finished": sink.url("/f"), "update": sink.url("/u"), "auth": "user:pass:word-hush" });
    let made =
        create(&project, &json!({ "chain": { "version": "1", "list": [] }, "webhooks": webhooks })).await;
    assert_eq!(made.webhooks.expect("they were given").auth.as_deref(), Some("user:XXX"));
    let claimed = claim(&project, 60).await;
    let probes = sink.all();
    assert_eq!(
        probes.iter().map(|probe| (probe.method.as_str(), probe.path())).collect::<Vec<_>>(),
        [("GET", "/f"), ("GET", "/u")]
    );
    // "user:pass:word-hush"
    let login = Some("Basic dXNlcjpwYXNzOndvcmQtaHVzaA==");
    assert!(probes.iter().all(|probe| probe.header("authorization") == login && probe.body.is_empty()));
    assert!(probes.iter().all(|probe| probe.header("accept") == Some("*/*")));

    let path = format!("runs/{}", claimed.id);
    project
        .post(&format!("{path}/updates"), &json!({ "message": "one", "progress": { "step": 1, "of": 2 } }))
        .await
        .expect(202);
    let update = &sink.wait_for("/u", 2).await[1];
    let body = told(update);
    assert_eq!(
        (&body["status"], &body["message"], &body["progress"]),
        (&json!("running"), &json!("one"), &json!({ "step": 1, "num_of_steps": 2 }))
    );
    assert_eq!((&body["process_chain_list"], body.get("process_log")), (&json!([]), None));
    assert_eq!((update.header("authorization"), update.header("webhook-id").is_some()), (login, true));
    assert_eq!(update.header("accept"), Some("*/*"));

    project
        .post(
            &format!("{path}/finish"),
            &json!({ "outcome": "finished", "message": "all done", "log": ["x"] }),
        )
        .await
        .expect(202);
    let finished = &sink.wait_for("/f", 2).await[1];
    let body = told(finished);
    assert_eq!(
        (&body["status"], &body["http_code"], &body["message"]),
        (&json!("finished"), &json!(200), &json!("all done"))
    );
    assert_eq!(body["process_chain_list"], json!([{ "version": "1", "list": [] }]));
    assert_eq!(body["resource_id"], json!(format!("resource_id-{}", claimed.id.trim_start_matches("run_"))));

    let shown = run_when(&project, &claimed.id, "was told", |run| {
        run.callbacks.iter().all(|callback| callback.state == CallbackState::Delivered)
    })
    .await;
    assert_eq!(shown.callbacks.iter().map(|callback| callback.kind).collect::<Vec<_>>(), CallbackKind::ALL);
    assert!(
        shown
            .callbacks
            .iter()
            .all(|callback| callback.attempts.len() == 1 && callback.attempts[0].result == "200 OK")
    );
    let text = serde_json::to_string(&shown).expect("it was read from JSON");
    assert!(!text.contains("word-hush") && !text.contains("dXNlcjpwYXNz"), "{text}");
    let stack = stack::shared().await;
    assert!(
        !stack.state_holds("word-hush") && !stack.state_holds("dXNlcjpwYXNzOndvcmQtaHVzaA"),
        "a password lies in the open"
    );
    assert!(!stack.log().contains("word-hush"));
}

#[tokio::test]
async fn the_status_of_a_probe_and_of_a_callback_decides_whatever_becomes_of_the_body() {
    let (project, sink) = (stack::project("runbody").await, Sink::start().await);
    let gzip = Behaviour::with_headers(200, &[("content-encoding", "gzip")], "");
    sink.always("/f", gzip);
    let made = create(&project, &json!({ "chain": {}, "webhooks": { "finished": sink.url("/f") } })).await;
    let claimed = claim(&project, 60).await;
    assert_eq!(claimed.id, made.id, "its probe passed");
    project.post(&format!("runs/{}/finish", claimed.id), &json!({ "outcome": "finished" })).await.expect(202);
    let shown = run_when(&project, &claimed.id, "was told", |run| {
        run.callbacks.iter().all(|callback| callback.state == CallbackState::Delivered)
    })
    .await;
    assert!(
        shown
            .callbacks
            .iter()
            .all(|callback| callback.attempts[0].result == "200 OK, with a body that is not valid gzip")
    );
}

#[tokio::test]
async fn an_address_that_does_not_answer_its_probe_ends_the_run_and_gets_no_post() {
    let (project, sink) = (stack::project("runprobe").await, Sink::start().await);
    sink.always("/created", Behaviour::status(201));
    sink.always("/moved", Behaviour::with_header(302, "location", &sink.url("/good")));
    sink.always("/broken", Behaviour::Reset);
    for (finished, update, field) in [
        ("/created", None, "finished"),
        ("/good", Some("/moved"), "update"),
        ("/broken", Some("/good2"), "finished"),
    ] {
        let mut webhooks = json!({ "finished": sink.url(finished) });
        if let Some(update) = update {
            webhooks["update"] = json!(sink.url(update));
        }
        let made = create(&project, &json!({ "chain": {}, "webhooks": webhooks })).await;
        let run = run_when(&project, &made.id, "has ended", |run| run.state.is_final()).await;
        let url =
            if field == "finished" { sink.url(finished) } else { sink.url(update.expect("it is the one")) };
        assert_eq!(
            (run.state, run.message),
            (RunState::Error, format!("The {field} webhook URL {url} can not be accessed."))
        );
    }
    project.post("runs/claim", &json!({})).await.expect(204);
    assert!(sink.all().iter().all(|received| received.method == "GET"), "nothing was posted");
    assert_eq!(sink.count("/good2"), 0, "finished comes first");
}

/// Sets the project's retry schedule.
async fn schedule(project: &Project, waits_s: &[u32]) {
    let path = format!("/v1/projects/{}", project.name);
    project.api.send(Method::PATCH, &path, Some(&json!({ "retry_schedule_s": waits_s }))).await.expect(200);
}

/// A run of this project that ended, and whose end is told to `url` by the schedule of the project.
async fn ended(project: &Project, url: &str) -> RunView {
    let made =
        create(project, &json!({ "chain": {}, "webhooks": { "finished": url, "auth": "user:end-hush" } }))
            .await;
    let claimed = claim(project, 60).await;
    assert_eq!(claimed.id, made.id);
    project
        .post(&format!("runs/{}/finish", made.id), &json!({ "outcome": "error", "message": "it broke" }))
        .await
        .expect(202)
        .read()
}

fn end_of(run: &RunDetail) -> CallbackView {
    run.callbacks
        .iter()
        .find(|callback| callback.kind == CallbackKind::Finished)
        .expect("the run has ended")
        .clone()
}

#[tokio::test]
async fn the_end_is_told_again_after_a_failure_and_not_after_a_refusal() {
    let (project, sink) = (stack::project("runretry").await, Sink::start().await);
    schedule(&project, &[1, 1]).await;
    let answers = |statuses: &[u16]| {
        std::iter::once(200).chain(statuses.iter().copied()).map(Behaviour::status).collect::<Vec<_>>()
    };
    sink.script("/busy", answers(&[503, 404, 204]));
    sink.script("/gone", answers(&[410, 200]));
    sink.script("/never", answers(&[500, 500, 500, 200]));
    for (path, calls, state) in [
        ("/busy", 3, CallbackState::Delivered),
        ("/gone", 1, CallbackState::Failed),
        ("/never", 3, CallbackState::Failed),
    ] {
        let made = ended(&project, &sink.url(path)).await;
        let run = run_when(&project, &made.id, "was told", |run| {
            run.callbacks.iter().all(|callback| !callback.state.is_open())
        })
        .await;
        let finished = end_of(&run);
        assert_eq!((finished.attempts.len(), finished.state), (calls, state), "{path}");
        assert_eq!(
            (run.state, run.message.as_str()),
            (RunState::Error, "it broke"),
            "a callback changes nothing of the run"
        );
        let bodies = posts(&sink, path);
        assert_eq!((bodies.len(), &bodies[0]["message"]), (calls, &json!("AsyncProcessError:  it broke")));
        let told: Vec<_> =
            sink.received(path).into_iter().filter(|received| received.method == "POST").collect();
        assert!(
            told.iter().all(|received| received.message_id() == told[0].message_id()),
            "the same webhook-id each time"
        );
        assert!(
            told.windows(2).all(|pair| pair[1].at.duration_since(pair[0].at) >= Duration::from_millis(700)),
            "with a pause: {path}"
        );
    }
}

#[tokio::test]
async fn a_retry_after_that_is_not_understood_is_named_where_a_run_is_told() {
    let (project, sink) = (stack::project("runasked").await, Sink::start().await);
    schedule(&project, &[3_600]).await;
    for (path, value, words) in [
        ("/odd", "soon", "503 Service Unavailable, Retry-After was not understood: soon"),
        ("/known", "7200", "503 Service Unavailable with Retry-After 7200 s"),
    ] {
        sink.script(path, vec![Behaviour::status(200), Behaviour::with_header(503, "retry-after", value)]);
        let made = ended(&project, &sink.url(path)).await;
        let has_failed = |run: &RunDetail| {
            run.callbacks
                .iter()
                .any(|callback| callback.kind == CallbackKind::Finished && !callback.attempts.is_empty())
        };
        let told = end_of(&run_when(&project, &made.id, "was told in vain", has_failed).await);
        assert_eq!((told.state, told.attempts[0].result.as_str()), (CallbackState::Waiting, words));
        assert_eq!(told.reason.headline, format!("Call 1 failed: {words}"));
    }
}

#[tokio::test]
async fn an_end_that_was_given_up_is_sent_again_on_request() {
    let (project, sink) = (stack::project("runagain").await, Sink::start().await);
    schedule(&project, &[]).await;
    sink.script("/f", [200, 503, 200].map(Behaviour::status).to_vec());
    let made = ended(&project, &sink.url("/f")).await;
    let is_told = |run: &RunDetail| run.callbacks.iter().all(|callback| !callback.state.is_open());
    let failed = end_of(&run_when(&project, &made.id, "was given up", is_told).await);
    assert_eq!((failed.state, failed.next_at), (CallbackState::Failed, None));
    assert!(
        failed.reason.headline.contains("503") && failed.reason.advice.contains("send it again"),
        "{:?}",
        failed.reason
    );

    let again = |kind: &str| format!("runs/{}/callbacks/{kind}/retry", made.id);
    for kind in ["update", "nonsense", "x%2Fy"] {
        project.post_nothing(&again(kind)).await.problem(ProblemType::NotFound);
    }
    project
        .post_nothing("runs/run_00000000-0000-7000-8000-000000000000/callbacks/finished/retry")
        .await
        .problem(ProblemType::NotFound);
    let probe = project.post_nothing(&again("probe_finished")).await.problem(ProblemType::StateConflict);
    assert!(probe.detail.contains("create the run again"), "{}", probe.detail);

    project.post_nothing(&again("finished")).await.expect(202);
    let told = end_of(&run_when(&project, &made.id, "was told", is_told).await);
    assert_eq!((told.state, told.attempts.len()), (CallbackState::Delivered, 2));
    let calls: Vec<_> =
        sink.received("/f").into_iter().filter(|received| received.method == "POST").collect();
    assert_eq!((calls.len(), calls[0].message_id()), (2, calls[1].message_id()));
    // "user:end-hush"
    assert!(
        calls.iter().all(|call| call.header("authorization") == Some("Basic dXNlcjplbmQtaHVzaA==")),
        "with its credentials"
    );
    let refused = project.post_nothing(&again("finished")).await.problem(ProblemType::StateConflict);
    assert!(refused.detail.contains("credentials"), "{}", refused.detail);
}

#[tokio::test]
async fn a_run_whose_receiver_is_being_restarted_is_offered_a_little_later() {
    let (project, mut sink) = (stack::project("runprobed").await, Sink::start().await);
    sink.go_down();
    let made = create(&project, &json!({ "chain": {}, "webhooks": { "finished": sink.url("/f") } })).await;
    run_when(&project, &made.id, "was probed in vain", |run| {
        run.callbacks.iter().any(|callback| !callback.attempts.is_empty())
    })
    .await;
    sink.come_back().await;
    assert_eq!(claim(&project, 60).await.id, made.id);
}

#[tokio::test]
async fn a_terminated_run_stops_its_executor_and_is_told() {
    let (project, sink) = (stack::project("runstop").await, Sink::start().await);
    let made = create(&project, &json!({ "chain": {}, "webhooks": { "finished": sink.url("/f") } })).await;
    claim(&project, 60).await;
    let executor = Project::new(&project.api.base, &project.name, &project.token("execute").await);
    let stopped: RunView =
        executor.post_nothing(&format!("runs/{}/terminate", made.id)).await.expect(200).read();
    assert_eq!(stopped.state, RunState::Terminated);
    let refused =
        executor.post(&format!("runs/{}/updates", made.id), &json!({ "message": "still here" })).await;
    assert!(refused.problem(ProblemType::StateConflict).detail.contains("terminated"));
    let told = told(&sink.wait_for("/f", 2).await[1]);
    assert_eq!((&told["status"], &told["http_code"]), (&json!("terminated"), &json!(200)));
}

#[tokio::test]
async fn a_claim_whose_lease_ends_is_offered_again() {
    let project = stack::project("runlease").await;
    let made = create(&project, &json!({ "chain": { "n": 1 } })).await;
    let first = claim(&project, 10).await;
    project.post("runs/claim", &json!({ "lease_s": 10 })).await.expect(204);
    let second = claim_within(&project, 60, LEASE_ENDS).await;
    assert_eq!((second.id.as_str(), first.claim, second.claim), (made.id.as_str(), 1, 2));
    let path = format!("runs/{}", made.id);
    for what in ["updates", "finish"] {
        let stale = json!({ "claim": 1, "outcome": "finished" });
        let stale = if what == "updates" { json!({ "claim": 1 }) } else { stale };
        project.post(&format!("{path}/{what}"), &stale).await.problem(ProblemType::StateConflict);
    }
    project.post(&format!("{path}/finish"), &json!({ "claim": 2, "outcome": "finished" })).await.expect(202);
}

#[tokio::test]
async fn the_alarm_ends_a_lease_without_being_asked() {
    let project = stack::project("runalarm").await;
    let made = create(&project, &json!({ "chain": {} })).await;
    claim(&project, 10).await;
    let lost = eventually("the run is offered again", LEASE_ENDS, async || {
        Some(run(&project, &made.id).await).filter(|run| run.state == RunState::Accepted)
    })
    .await;
    assert!(lost.message.contains("executor was lost"), "{}", lost.message);
}

#[tokio::test]
async fn bad_input_is_refused_by_name_of_field_and_nothing_is_stored() {
    let project = stack::project("runbad").await;
    let own = project.api.base.clone();
    let made = create(&project, &json!({ "chain": {} })).await;
    for (body, pointers) in [
        (json!({}), vec!["/chain"]),
        (json!({ "chain": [1] }), vec!["/chain"]),
        (
            json!({ "chain": {}, "webhooks": { "update": "nonsense", "auth": 5 } }),
            vec!["/webhooks/finished", "/webhooks/update", "/webhooks/auth"],
        ),
        (
            json!({ "chain": {}, "webhooks": { "finished": format!("{own}/v1/projects") } }),
            vec!["/webhooks/finished"],
        ),
        (json!({ "chain": {}, "labels": { "a": 1 }, "more": 1 }), vec!["/labels/a", "/more"]),
    ] {
        project.post("runs", &body).await.faults(&pointers);
    }
    project.post("runs/claim", &json!({ "lease_s": 5 })).await.faults(&["/lease_s"]);
    project.post("runs/claim", &json!({ "lease_s": 60, "x": 1 })).await.faults(&["/x"]);
    let path = format!("runs/{}", made.id);
    project
        .post(&format!("{path}/updates"), &json!({ "progress": { "step": 2, "of": 1 }, "log": 5 }))
        .await
        .faults(&["/progress/step", "/log"]);
    project.post(&format!("{path}/finish"), &json!({ "outcome": "done" })).await.faults(&["/outcome"]);
    project.get("runs?state=waiting").await.faults(&["?state"]);
    project.get("runs?cursor=x").await.faults(&["?cursor"]);
    let list: Page<RunView> = project.get("runs").await.expect(200).read();
    assert_eq!(list.items, [made]);
}

#[tokio::test]
async fn strangers_and_readers_can_not_do_runs() {
    let (project, other) = (stack::project("runroles").await, stack::project("stranger").await);
    let made = create(&project, &json!({ "chain": {} })).await;
    let id = &made.id;
    let routes = [
        (Method::POST, String::from("runs"), json!({ "chain": {} })),
        (Method::POST, String::from("runs/claim"), json!({})),
        (Method::POST, format!("runs/{id}/updates"), json!({})),
        (Method::POST, format!("runs/{id}/finish"), json!({ "outcome": "finished" })),
        (Method::POST, format!("runs/{id}/terminate"), json!({})),
        (Method::GET, String::from("runs"), Value::Null),
        (Method::GET, format!("runs/{id}"), Value::Null),
    ];
    let role = async |role: &str| project.api.with_token(&project.token(role).await);
    let (reader, publisher, executor) = (role("read").await, role("publish").await, role("execute").await);
    for (method, rest, body) in &routes {
        let (path, body) = (project.path(rest), Some(body).filter(|body| !body.is_null()));
        project
            .api
            .without_token()
            .send(method.clone(), &path, body)
            .await
            .problem(ProblemType::Unauthorized);
        project
            .api
            .with_token(&other.token)
            .send(method.clone(), &path, body)
            .await
            .problem(ProblemType::ProjectNotFound);
        publisher.send(method.clone(), &path, body).await.problem(ProblemType::Forbidden);
        if *method != Method::GET {
            reader.send(method.clone(), &path, body).await.problem(ProblemType::Forbidden);
        }
        project.api.send(Method::PUT, &path, Some(&json!({}))).await.problem(ProblemType::MethodNotAllowed);
    }
    for rest in ["runs/run_nonsense", "runs/run_00000000-0000-7000-8000-000000000000"] {
        project.get(rest).await.problem(ProblemType::NotFound);
        project.post(&format!("{rest}/updates"), &json!({})).await.problem(ProblemType::NotFound);
    }
    assert_eq!(run(&project, id).await.state, RunState::Accepted);
    reader.send(Method::GET, &project.path("runs"), None).await.expect(200);
    executor.send(Method::GET, &project.path("runs"), None).await.expect(200);
    executor.send(Method::POST, &project.path("runs/claim"), Some(&json!({}))).await.expect(200);
}

#[tokio::test]
async fn a_run_that_is_asked_for_again_with_its_key_is_the_same_one() {
    let (project, sink) = (stack::project("runonce").await, Sink::start().await);
    let body = json!({ "chain": { "n": 1 }, "webhooks": { "finished": sink.url("/f") } });
    let keyed = [("content-type", "application/json"), ("idempotency-key", "k1")];
    let path = project.path("runs");
    let first: RunView =
        project.api.send_raw(Method::POST, &path, &keyed, body.to_string()).await.expect(201).read();
    let again: RunView =
        project.api.send_raw(Method::POST, &path, &keyed, body.to_string()).await.expect(201).read();
    assert_eq!(again.id, first.id);
    let other = json!({ "chain": { "n": 2 } }).to_string();
    project.api.send_raw(Method::POST, &path, &keyed, other).await.problem(ProblemType::IdempotencyConflict);
    claim(&project, 60).await;
    assert_eq!(sink.count("/f"), 1, "it was probed once");
}

#[tokio::test]
async fn the_feed_tells_every_step_of_a_run() {
    let project = stack::project("runfeed").await;
    let mut feed = Feed::open(&project).await;
    let made = create(&project, &json!({ "chain": {} })).await;
    claim(&project, 60).await;
    project
        .post(&format!("runs/{}/updates", made.id), &json!({ "progress": { "step": 1, "of": 4 } }))
        .await
        .expect(202);
    project.post(&format!("runs/{}/finish", made.id), &json!({ "outcome": "finished" })).await.expect(202);
    let mut seen = Vec::new();
    feed.next("the run has ended", |change| {
        if let LiveEvent::Run { run } = change {
            assert_eq!(run.id, made.id);
            seen.push((run.state, run.progress.map(|progress| progress.percent)));
        }
        seen.last().is_some_and(|(state, _)| state.is_final()).then_some(())
    })
    .await;
    let expected = [
        (RunState::Accepted, None),
        (RunState::Running, None),
        (RunState::Running, Some(25)),
        (RunState::Finished, Some(25)),
    ];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn an_inbox_answers_the_probe_and_takes_the_end() {
    let project = stack::project("runinbox").await;
    let inbox = project.inbox("i").await;
    let made = create(&project, &json!({ "chain": {}, "webhooks": { "finished": inbox.url } })).await;
    claim(&project, 60).await;
    project.post(&format!("runs/{}/finish", made.id), &json!({ "outcome": "finished" })).await.expect(202);
    let requests = eventually("the inbox has both", SOON, async || {
        Some(project.inbox_requests(&inbox.id).await.items).filter(|items| items.len() == 2)
    })
    .await;
    assert_eq!(requests.iter().map(|request| request.method.as_str()).collect::<Vec<_>>(), ["POST", "GET"]);
    let inner: String = serde_json::from_str(&requests[0].body).expect("JSON in a string");
    assert!(inner.starts_with('{'));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_executor_does_what_a_chain_says_and_nothing_else() {
    let (project, sink) = (stack::project("runexec").await, Sink::start().await);
    let _executor = Executor::start(&project).await;
    let step = |exe: &str, params: Value| json!({ "id": exe, "exe": exe, "params": params });
    let webhooks = json!({ "finished": sink.url("/f"), "update": sink.url("/u") });
    let good =
        json!({ "version": "1", "list": [step("/bin/sleep", json!(["0.2"])), step("/bin/true", json!([]))] });
    let good = create(&project, &json!({ "chain": good, "webhooks": webhooks })).await;
    let done = run_when(&project, &good.id, "has ended", |run| run.state.is_final()).await;
    assert_eq!(
        (done.state, done.progress.map(|progress| progress.percent), done.log.len()),
        (RunState::Finished, Some(100), 2)
    );
    sink.wait_for("/f", 2).await;
    assert_eq!(posts(&sink, "/f")[0]["process_log"][0]["executable"], "/bin/sleep");
    assert!(!posts(&sink, "/u").is_empty(), "it was told how far it is");

    let failing = create(
        &project,
        &json!({ "chain": { "list": [step("/bin/false", json!([])), step("/bin/true", json!([]))] } }),
    )
    .await;
    let failed = run_when(&project, &failing.id, "has ended", |run| run.state.is_final()).await;
    assert_eq!((failed.state, failed.log.len()), (RunState::Error, 1));
    let other =
        create(&project, &json!({ "chain": { "list": [step("/bin/sh", json!(["-c", "true"]))] } })).await;
    let refused = run_when(&project, &other.id, "has ended", |run| run.state.is_final()).await;
    assert!(
        refused.state == RunState::Error && refused.message.contains("/bin/sh is not run here"),
        "{}",
        refused.message
    );

    let long = create(&project, &json!({ "chain": { "list": [step("/bin/sleep", json!([60]))] } })).await;
    run_when(&project, &long.id, "is at work", |run| run.state == RunState::Running).await;
    project.post_nothing(&format!("runs/{}/terminate", long.id)).await.expect(200);
    let next = create(&project, &json!({ "chain": { "list": [] } })).await;
    let next = run_when(&project, &next.id, "has ended", |run| run.state.is_final()).await;
    assert_eq!(next.state, RunState::Finished, "the executor stopped working on the one before");
}
