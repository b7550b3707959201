//! Signatures, judged by others: the official `standardwebhooks` packages (Python, npm) and the crate verify
//! the exact bytes that reached a receiver.

use std::fmt::Write as _;
use std::fs;

use postern_tests::client::Project;
use postern_tests::python;
use postern_tests::sink::{Received, Sink};
use postern_tests::stack;
use serde_json::{Value, json};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Callbacks of a webhook with a made secret, of one with a given secret, and of a `ubiops` webhook that
/// signs; with data that a careless sender would write differently than it signs.
async fn signed_calls(label: &str) -> Vec<(String, Received)> {
    let (project, sink) = (stack::project(label).await, Sink::start().await);
    project.listen("made", &sink.url("/made"), &json!({})).await;
    project.listen("given", &sink.url("/given"), &json!({ "secret": SECRET })).await;
    project
        .listen(
            "ubiops",
            &sink.url("/ubiops"),
            &json!({ "contract": "ubiops", "secret": SECRET, "events": ["deployment_request_failed"] }),
        )
        .await;
    let made = project.secret("made").await.expect("a standard webhook signs");
    let odd = r#"{"z":1.10,"a":"größe 日本 \u0001 \ud83d\ude00 </script>","n":12345678901234567890,"e":1e2}"#;
    for data in [odd, "null", "\"\"", "[]", "{}", &format!("\"{}\"", "ä".repeat(20_000))] {
        post(&project, "order.paid", data).await;
    }
    post(&project, "deployment_request_failed", r#"{"request_id":"r","status":"failed","text":"ü"}"#).await;
    let mut calls = Vec::new();
    for (path, count, secret) in [("/made", 7, made.as_str()), ("/given", 7, SECRET), ("/ubiops", 1, SECRET)]
    {
        calls.extend(sink.wait_for(path, count).await.into_iter().map(|call| (String::from(secret), call)));
    }
    calls
}

async fn post(project: &Project, kind: &str, data: &str) {
    let body = format!(r#"{{"type":"{kind}","data":{data}}}"#);
    project
        .api
        .send_raw(
            reqwest::Method::POST,
            &project.path("events"),
            &[("content-type", "application/json")],
            body,
        )
        .await
        .expect(202);
}

/// The calls as the receivers' scripts read them.
fn recorded(calls: &[(String, Received)]) -> Value {
    let entry = |(secret, call): &(String, Received)| {
        let headers: serde_json::Map<String, Value> =
            call.headers.iter().map(|(name, value)| (name.to_lowercase(), json!(value))).collect();
        json!({ "secret": secret, "headers": headers, "body_base64": base64(&call.body) })
    };
    calls.iter().map(entry).collect()
}

/// Base64 of RFC 4648 with padding; written here so that the check shares nothing with what it checks.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let index = (bits >> (18 - 6 * place)) & 63;
            text.push(if place <= chunk.len() { char::from(ALPHABET[index as usize]) } else { '=' });
        }
    }
    text
}

async fn judged(label: &str, judge: impl AsyncFn(&str) -> Value) {
    let calls = signed_calls(label).await;
    let file = std::env::temp_dir().join(format!("postern-{label}-{}.json", std::process::id()));
    fs::write(&file, recorded(&calls).to_string()).expect("a file can be written");
    let summary = judge(file.to_str().expect("a plain path")).await;
    drop(fs::remove_file(&file));
    assert_eq!(summary, json!({ "verified": calls.len(), "refused": 4 * calls.len() }));
}

#[tokio::test]
async fn the_official_python_package_verifies_our_callbacks_and_refuses_forgeries() {
    judged("python", async |file| {
        python::run("standardwebhooks/requirements", "tests/clients/standardwebhooks/verify.py", &[file])
            .await
    })
    .await;
}

#[tokio::test]
async fn the_official_npm_package_verifies_our_callbacks_and_refuses_forgeries() {
    judged("npm", async |file| python::run_node("tests/clients/standardwebhooks/verify.mjs", &[file]).await)
        .await;
}

#[tokio::test]
async fn the_official_crate_verifies_our_callbacks() {
    let calls = signed_calls("crate").await;
    for (secret, call) in &calls {
        let judge = standardwebhooks::Webhook::new(secret).expect("a secret of ours is one for the crate");
        let mut headers = reqwest::header::HeaderMap::new();
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            headers.insert(
                name,
                call.header(name).expect("a signed callback has all three").parse().expect("a plain value"),
            );
        }
        judge.verify(&call.body, &headers).unwrap_or_else(|fault| panic!("{fault}: {:?}", call.headers));
    }
    assert_eq!(calls.len(), 15);
}

#[tokio::test]
async fn a_standard_callback_is_what_the_specification_asks_for() {
    let (project, sink) = (stack::project("spec").await, Sink::start().await);
    project.listen("w", &sink.url("/a?x=1&y=%20"), &json!({})).await;
    let data = r#"{"b":1,"a":[1.50,{"k":"é"}]}"#;
    post(&project, "order.paid", data).await;
    let call = sink.wait_for("/a", 1).await.remove(0);
    assert_eq!((call.method.as_str(), call.target.as_str()), ("POST", "/a?x=1&y=%20"));
    let at = call.json()["timestamp"].as_str().map(String::from).expect("the event's time");
    assert_eq!(
        call.text(),
        format!(r#"{{"type":"order.paid","timestamp":"{at}","data":{data}}}"#),
        "data is sent as it was written"
    );
    assert!(at.len() == 24 && at.ends_with('Z'), "RFC 3339 in UTC with milliseconds: {at}");
    assert_eq!(call.header("content-type"), Some("application/json"));
    assert_eq!(call.header("content-length"), Some(call.body.len().to_string().as_str()));
    assert!(
        call.header("user-agent").is_some_and(|agent| agent.starts_with("Postern/")),
        "{:?}",
        call.headers
    );
    assert_eq!(call.header("accept"), Some("*/*"), "firewalls refuse requests without it");
    assert!(call.message_id().starts_with("msg_") && !call.message_id().contains('.'));
    let seconds: u64 =
        call.header("webhook-timestamp").and_then(|value| value.parse().ok()).expect("whole seconds");
    let arrived = call.at_wall.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    assert!(arrived.abs_diff(seconds) <= 60, "the time of the attempt: {seconds}, arrived {arrived}");
}

#[tokio::test]
async fn the_object_of_an_event_is_part_of_its_callback() {
    let (project, sink) = (stack::project("object").await, Sink::start().await);
    project.listen("w", &sink.url("/a"), &json!({})).await;
    project
        .post("events", &json!({ "type": "e", "data": 1, "object": { "type": "deployment", "name": "d1", "version": "v1" } }))
        .await
        .expect(202);
    let call = sink.wait_for("/a", 1).await.remove(0);
    assert_eq!(call.json()["object"], json!({ "type": "deployment", "name": "d1", "version": "v1" }));
}

#[tokio::test]
async fn a_webhook_without_a_secret_is_called_unsigned_and_an_override_stands() {
    let (project, sink) = (stack::project("bare").await, Sink::start().await);
    let headers = json!([
        { "key": "User-Agent", "value": "mine/1", "protected": false },
        { "key": "Content-Type", "value": "application/cloudevents+json", "protected": false },
        { "key": "ACCEPT", "value": "application/json", "protected": false }
    ]);
    project.listen("w", &sink.url("/a"), &json!({ "secret": null, "headers": headers })).await;
    project.event("e", json!(1)).await;
    let call = sink.wait_for("/a", 1).await.remove(0);
    assert_eq!(call.header("webhook-signature"), None);
    assert_eq!(
        (call.header("user-agent"), call.header("content-type")),
        (Some("mine/1"), Some("application/cloudevents+json"))
    );
    assert_eq!(call.header("accept"), Some("application/json"));
    let mut names = String::new();
    for (name, _) in &call.headers {
        let _ = write!(names, " {}", name.to_lowercase());
    }
    assert_eq!(names.matches(" user-agent").count(), 1, "an override replaces: {names}");
    assert_eq!(
        call.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("accept")).count(),
        1,
        "an override replaces: {names}"
    );
}

#[test]
fn the_base64_of_this_file_is_that_of_the_rfc() {
    assert_eq!(
        (base64(b"foobar"), base64(b"fooba"), base64(b"f"), base64(b"")),
        ("Zm9vYmFy".into(), "Zm9vYmE=".into(), "Zg==".into(), String::new())
    );
}
