//! A deployment as it comes: private targets are refused when a webhook is saved, changed and tested, in both APIs.
//!
//! The policy's table is in `core`; here is shown that it is asked everywhere, and that the answer names the field.

use postern_tests::stack::Stack;
use reqwest::Method;
use serde_json::json;

const REFUSED: [&str; 9] = [
    "http://example.com/",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://[::ffff:127.0.0.1]/",
    "https://localhost/",
    "https://printer/",
    "https://metadata.internal/",
    "https://10.1.2.3/",
];

#[tokio::test]
async fn a_private_target_is_refused_wherever_a_url_comes_in() {
    let stack = Stack::start_strict().await;
    let project = stack.project("egress").await;
    project.webhook(&json!({ "name": "public", "url": "https://example.com/hooks", "events": ["*"], "enabled": false })).await;
    let ubiops = project.api.with_authorization(&format!("Token {}", project.token));
    for url in REFUSED {
        project.post("webhooks", &json!({ "name": "w", "url": url, "events": ["*"] })).await.faults(&["/url"]);
        project.patch("webhooks/public", &json!({ "url": url })).await.faults(&["/url"]);
        project.post("tests", &json!({ "url": url })).await.faults(&["/url"]);
        for rest in ["webhooks", "webhooks-tests"] {
            let mut body = json!({ "url": url, "object_type": "deployment", "object_name": "d", "event": "deployment_request_failed" });
            if rest == "webhooks" {
                body["name"] = json!("w");
            }
            let path = format!("/ubiops/v2.1/projects/{}/{rest}", project.name);
            let refused = ubiops.send(Method::POST, &path, Some(&body)).await.expect(400).json();
            assert!(refused["error"].as_str().is_some_and(|error| error.contains("url")), "{url}: {refused}");
        }
    }
    let stored = project.get("webhooks").await.expect(200).json();
    assert_eq!(stored["items"].as_array().map(Vec::len), Some(1), "nothing was stored");
    assert_eq!(stored["items"][0]["url"], "https://example.com/hooks");
}

#[tokio::test]
async fn our_own_address_is_refused_unless_it_is_an_inbox() {
    let stack = Stack::start().await;
    let project = stack.project("own").await;
    let own = format!("{}/v1/projects/{}/events", stack.base(), project.name);
    project.post("webhooks", &json!({ "name": "loop", "url": own, "events": ["*"] })).await.faults(&["/url"]);
    project.post("tests", &json!({ "url": own })).await.faults(&["/url"]);
    let inbox = project.inbox("ok").await;
    project.listen("ok", &inbox.url, &json!({})).await;
    let event = project.event("e", json!(1)).await;
    assert_eq!(project.attempted(&event.id, "ok").await.delivery.last_status, Some(200));
}
