//! What a restart leaves as it was, and what goes on by itself afterwards.

use postern_core::api::run::{CallbackView, RunDetail};
use postern_core::api::test::{TestStatus, TestView};
use postern_core::delivery::State;
use postern_core::run::{CallbackKind, CallbackState, RunState};
use postern_tests::client::Project;
use postern_tests::live::Feed;
use postern_tests::sink::{Behaviour, Sink};
use postern_tests::stack::Stack;
use postern_tests::wait::{SOON, eventually};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn everything_survives_a_restart_and_pending_work_goes_on() {
    let mut stack = Stack::start().await;
    let (project, sink) = (stack.project("restart").await, Sink::start().await);
    sink.script("/a", vec![Behaviour::status(500), Behaviour::status(200)]);
    sink.always("/far", Behaviour::with_header(503, "retry-after", "3600"));
    project
        .listen(
            "w",
            &sink.url("/a"),
            &json!({ "events": ["a"], "headers": [{ "key": "X-Key", "value": "hush", "protected": true }] }),
        )
        .await;
    project.listen("far", &sink.url("/far"), &json!({ "events": ["b"], "labels": { "x": "y" } })).await;
    project
        .post("event-types", &json!({ "name": "a", "description": "A.", "example": null }))
        .await
        .expect(201);
    let inbox = project.inbox("kept").await;
    let path = inbox.url.replace(&stack.base(), "");
    project.api.send_raw(Method::POST, &path, &[], "before").await.expect(200);
    let reader = project.token("read").await;
    let secret = project.secret("w").await;
    let (soon, far) = (project.event("a", json!({ "n": 1 })).await, project.event("b", json!(2)).await);
    project.attempted(&far.id, "far").await;
    let waiting = project.attempted(&soon.id, "w").await;
    assert_eq!(waiting.delivery.state, State::Waiting);

    // The second attempt falls due while nobody runs.
    stack.kill9().await;
    assert_eq!(sink.received("/a").len(), 1);
    stack.boot().await;
    let calls = sink.wait_for("/a", 2).await;
    assert_eq!(
        (calls[0].message_id(), calls[1].header("x-key")),
        (calls[1].message_id(), Some("hush")),
        "the alarm survives, and the sealed value is opened again"
    );
    project
        .delivery_when(&soon.id, "w", "is delivered", |detail| detail.delivery.state == State::Delivered)
        .await;

    let before = project.census().await;
    stack.restart().await;
    assert_eq!(project.census().await, before);
    assert_eq!(project.secret("w").await, secret);
    assert_eq!(project.inbox_requests(&inbox.id).await.items[0].body, "before");
    project.api.with_token(&reader).send(Method::GET, &project.path("webhooks"), None).await.expect(200);
    let far_now = project.attempted(&far.id, "far").await;
    assert_eq!(
        (far_now.delivery.state, far_now.attempts.len()),
        (State::Waiting, 1),
        "what is not due stays"
    );
    let listed = stack.admin().send(Method::GET, "/v1/projects", None).await.expect(200).json();
    assert!(
        listed["items"]
            .as_array()
            .is_some_and(|items| items.iter().any(|item| item["name"] == project.name.as_str())),
        "KV survives: {listed}"
    );
    Feed::open(&project).await.close().await;
    project.event("a", json!(3)).await;
    assert_eq!(sink.wait_for("/a", 3).await[2].json()["data"], 3);
}

#[tokio::test]
async fn deliveries_under_way_when_everything_dies_are_made_again_with_the_same_id() {
    let mut stack = Stack::start().await;
    let (project, sink) = (stack.project("dying").await, Sink::start().await);
    sink.script("/a", vec![Behaviour::Hang, Behaviour::status(200)]);
    project.listen("w", &sink.url("/a"), &json!({ "timeout_s": 1 })).await;
    let event = project.event("e", json!(1)).await;
    sink.wait_for("/a", 1).await;
    stack.kill9().await;
    stack.boot().await;
    // The lease of a call with a timeout of 1 s ends after 31 s.
    let calls = sink.wait_within("/a", 2, std::time::Duration::from_secs(90)).await;
    assert_eq!(calls[0].message_id(), calls[1].message_id());
    project
        .delivery_when(&event.id, "w", "is delivered", |detail| detail.delivery.state == State::Delivered)
        .await;
}

#[tokio::test]
async fn a_test_that_retries_goes_on_after_everything_died() {
    let (mut stack, mut sink) = (Stack::start().await, Sink::start().await);
    let project = stack.project("testsurvives").await;
    sink.go_down();
    let made: TestView =
        project.post("tests", &json!({ "url": sink.url("/a"), "retry": true })).await.expect(201).read();
    eventually("the first attempt has failed", SOON, async || {
        let test: TestView = project.get(&format!("tests/{}", made.id)).await.expect(200).read();
        Some(test).filter(|test| test.attempts > 0)
    })
    .await;
    stack.kill9().await;
    stack.boot().await;
    sink.come_back().await;
    let ended = project.ended_test(&made.id).await;
    assert_eq!(ended.status, TestStatus::Completed, "{:?}", ended.error_message);
    assert!(ended.attempts >= 2 && sink.count("/a") >= 1);
}

/// The run and the callback that tells its end, once `wanted` holds for them.
async fn end_when(
    project: &Project,
    id: &str,
    what: &str,
    wanted: impl Fn(&CallbackView) -> bool,
) -> (RunDetail, CallbackView) {
    eventually(&format!("the end of {id} {what}"), SOON, async || {
        let run: RunDetail = project.get(&format!("runs/{id}")).await.expect(200).read();
        let end = run
            .callbacks
            .iter()
            .find(|callback| callback.kind == CallbackKind::Finished)
            .filter(|end| wanted(end))
            .cloned();
        end.map(|end| (run, end))
    })
    .await
}

#[tokio::test]
async fn the_end_of_a_run_survives_a_restart_of_its_receiver_and_one_of_our_own() {
    let (mut stack, mut sink) = (Stack::start().await, Sink::start().await);
    let project = stack.project("endsurvives").await;
    let schedule =
        json!({ "retry_schedule_s": [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2] });
    project
        .api
        .send(Method::PATCH, &format!("/v1/projects/{}", project.name), Some(&schedule))
        .await
        .expect(200);
    let run = json!({ "chain": {}, "webhooks": { "finished": sink.url("/f") } });
    let id = project.post("runs", &run).await.expect(201).json()["id"]
        .as_str()
        .expect("a run has an id")
        .to_owned();
    eventually("the run is offered", SOON, async || {
        Some(project.post("runs/claim", &json!({})).await).filter(|reply| reply.status == 200)
    })
    .await;
    sink.go_down();
    project.post(&format!("runs/{id}/finish"), &json!({ "outcome": "finished" })).await.expect(202);
    let (run, end) = end_when(&project, &id, "was told twice in vain", |end| end.attempts.len() >= 2).await;
    assert!(end.state.is_open() && end.reason.headline.starts_with("Call "), "{end:?}");
    assert_eq!(run.state, RunState::Finished, "whoever asks sees the end at once");
    stack.kill9().await;
    stack.boot().await;
    sink.come_back().await;
    let (_run, end) = end_when(&project, &id, "was told", |end| !end.state.is_open()).await;
    assert_eq!(end.state, CallbackState::Delivered);
    assert_eq!(sink.received("/f").iter().filter(|received| received.method == "POST").count(), 1);
}
