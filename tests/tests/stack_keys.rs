//! The sealing key is replaced while everything goes on, and the old one can be taken out.

use postern_core::api::project::ProjectDetail;
use postern_core::api::run::RunClaim;
use postern_core::delivery::State;
use postern_tests::client::Project;
use postern_tests::sink::Sink;
use postern_tests::stack::Stack;
use postern_tests::wait::{SOON, eventually, until};
use reqwest::Method;
use serde_json::json;

const OLD: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEW: &str = "k2:Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";

async fn sealed_under(project: &Project) -> Option<String> {
    let path = format!("/v1/projects/{}", project.name);
    project.api.send(Method::GET, &path, None).await.expect(200).read::<ProjectDetail>().sealed_under
}

async fn is_moved_to(stack: &Stack, project: &Project, key: &str) {
    until("every secret is under the new key", SOON, async || {
        stack.fire_cron().await;
        sealed_under(project).await.as_deref() == Some(key)
    })
    .await;
}

#[tokio::test]
async fn a_sealing_key_is_replaced_without_losing_a_secret() {
    let mut stack = Stack::start().await;
    let (project, sink) = (stack.project("keys").await, Sink::start().await);
    let headers = json!([{ "key": "Authorization", "value": "Bearer hush-hush", "protected": true }]);
    let version = project.listen("w", &sink.url("/w"), &json!({ "headers": headers })).await.version;
    let secret = project.secret("w").await.expect("a secret");
    let webhooks = json!({ "finished": sink.url("/f"), "auth": "user:hush-hush" });
    project.post("runs", &json!({ "chain": {}, "webhooks": webhooks })).await.expect(201);
    let run: RunClaim = eventually("the run is offered", SOON, async || {
        Some(project.post("runs/claim", &json!({})).await).filter(|reply| reply.status == 200)
    })
    .await
    .read();
    is_moved_to(&stack, &project, "k1").await;

    stack.stop().await;
    stack.set_variable("SEALING_KEYS", &format!("{NEW},{OLD}"));
    stack.boot().await;
    assert_eq!(project.secret("w").await.as_deref(), Some(secret.as_str()), "the old key still opens");
    is_moved_to(&stack, &project, "k2").await;
    let shown = project.get("webhooks/w").await.expect(200).json();
    assert_eq!(shown["version"], version, "nothing changed for people");

    stack.stop().await;
    stack.set_variable("SEALING_KEYS", NEW);
    stack.boot().await;
    assert_eq!(project.secret("w").await.as_deref(), Some(secret.as_str()), "the new key alone is enough");
    let event = project.event("a", json!(1)).await;
    project
        .delivery_when(&event.id, "w", "is delivered", |detail| detail.delivery.state == State::Delivered)
        .await;
    let calls = sink.received("/w");
    assert_eq!(calls.last().and_then(|call| call.header("authorization")), Some("Bearer hush-hush"));
    project.post(&format!("runs/{}/finish", run.id), &json!({ "outcome": "finished" })).await.expect(202);
    let told = &sink.wait_for("/f", 2).await[1];
    assert_eq!(
        (told.method.as_str(), told.header("authorization")),
        ("POST", Some("Basic dXNlcjpodXNoLWh1c2g=")),
        "a run under way goes on"
    );
}
