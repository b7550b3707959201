//! What a person sees of runs in the dashboard: how to make a first one, a bar that moves, the end with its
//! callbacks, and how to stop one. And what actinia sends, readable in an inbox.

use postern_core::api::run::RunView;
use postern_core::run::RunState;
use postern_tests::browser::Browser;
use postern_tests::page::{Dashboard, Hand};
use postern_tests::sink::Sink;
use postern_tests::stack;
use postern_tests::wait::{SOON, until};
use serde_json::json;

#[tokio::test]
async fn a_run_is_watched_from_its_creation_to_its_end() {
    let (project, sink) = (stack::project("watchrun").await, Sink::start().await);
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    dashboard.visit("Runs").await;
    browser.sees("No run yet").await;
    browser.sees(&format!("/v1/projects/{}/runs", project.name)).await;

    let body = json!({ "chain": { "n": 1 }, "labels": { "name": "tiles" }, "webhooks": { "finished": sink.url("/f") } });
    let run: RunView = project.post("runs", &body).await.expect(201).read();
    browser.sees("tiles").await;
    until("the run is offered", SOON, async || {
        project.post("runs/claim", &json!({ "lease_s": 600 })).await.status == 200
    })
    .await;
    let path = format!("runs/{}", run.id);
    let update = json!({ "message": "rendering", "progress": { "step": 1, "of": 4 }, "log": ["first line"] });
    project.post(&format!("{path}/updates"), &update).await.expect(202);
    browser.sees("step 1 of 4, 25 %").await;

    dashboard.press("link", "tiles").await;
    dashboard.heading("tiles").await;
    browser.sees("first line").await;
    project
        .post(&format!("{path}/updates"), &json!({ "progress": { "step": 3, "of": 4 } }))
        .await
        .expect(202);
    browser.sees("step 3 of 4, 75 %").await;
    assert_eq!(browser.axe().await, [""; 0]);
    project
        .post(&format!("{path}/finish"), &json!({ "outcome": "finished", "message": "all tiles made" }))
        .await
        .expect(202);
    browser.sees("all tiles made").await;
    browser.sees("Delivered").await;
    browser.sees("200 OK").await;
    browser.gone("button", "Terminate").await;
    assert_eq!(browser.complaints(&[]).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn a_run_is_terminated_after_a_question() {
    let project = stack::project("stoprun").await;
    let run: RunView = project.post("runs", &json!({ "chain": {} })).await.expect(201).read();
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Keyboard, &base, &project.token).await;
    dashboard.open(&format!("/p/{}/runs/{}", project.name, run.id)).await;
    browser.sees("It waits for an executor").await;
    dashboard.press("button", "Terminate").await;
    dashboard.press("button", "Terminate it").await;
    browser.sees("Terminated").await;
    let stopped: RunView = project
        .get("runs?state=terminated")
        .await
        .expect(200)
        .read::<postern_core::api::page::Page<RunView>>()
        .items
        .remove(0);
    assert_eq!((stopped.id, stopped.state), (run.id, RunState::Terminated));
    browser.close().await;
}

#[tokio::test]
async fn json_inside_a_json_string_is_shown_decoded() {
    let project = stack::project("decoded").await;
    let inbox = project.inbox("i").await;
    let path = inbox.url.strip_prefix(&project.api.base).expect("an inbox is below the base");
    let typed = [("content-type", "application/json")];
    let body = json!(json!({ "status": "finished" }).to_string()).to_string();
    project.api.without_token().send_raw(reqwest::Method::POST, path, &typed, body).await.expect(200);
    let (browser, base) = (Browser::open().await, project.api.base.clone());
    let dashboard = Dashboard::sign_in_by_link(&browser, Hand::Mouse, &base, &project.token).await;
    dashboard.open(&format!("/p/{}/inboxes/{}", project.name, inbox.id)).await;
    browser.sees("POST").await;
    let opened = "document.querySelector('.request-line').click()";
    browser.script(opened, Vec::new()).await;
    browser.sees("it is JSON inside a JSON string").await;
    browser.sees("\"status\": \"finished\"").await;
    browser.close().await;
}
