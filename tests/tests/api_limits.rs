//! Limits of one address, request ids and the log's line of each request.

use postern_core::problem::ProblemType;
use postern_tests::live::{Credential, Feed};
use postern_tests::sink::Sink;
use postern_tests::stack::{self, Stack};
use postern_tests::wait::{SOON, until};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn an_address_that_guesses_is_stopped_and_right_tokens_go_on() {
    let stack =
        Stack::start_with_variables("AUTH_FAILURES_PER_MINUTE=\"5\"\nPUBLIC_REQUESTS_PER_MINUTE=\"0\"\n")
            .await;
    let project = stack.project("guessed").await;
    let mut wrong = project.token.clone();
    wrong.replace_range(wrong.len() - 4.., "aaaa");
    let guess = project.api.with_token(&wrong);
    let path = project.path("webhooks");
    guess.send(Method::GET, &path, None).await.problem(ProblemType::Unauthorized);
    project.get("webhooks").await.expect(200);
    // What needs no token says nothing of one, whatever it answers.
    let inbox = project.inbox("strict").await;
    project
        .patch(&format!("inboxes/{}", inbox.id), &json!({ "answer": { "status": 401 } }))
        .await
        .expect(200);
    for _ in 0..10 {
        let path = inbox.url.trim_start_matches(&stack.base()).to_owned();
        guess.send(Method::POST, &path, Some(&json!(1))).await.expect(401);
    }
    for n in 0..20 {
        project.api.with_token(&format!("made-up-{n}")).send(Method::GET, "/healthz", None).await.expect(200);
    }
    for _ in 0..4 {
        guess.send(Method::GET, &path, None).await.problem(ProblemType::Unauthorized);
    }
    let refused = guess.send(Method::GET, &path, None).await;
    refused.problem(ProblemType::TooManyRequests);
    let wait: u64 =
        refused.header("retry-after").and_then(|text| text.parse().ok()).expect("how long to wait");
    assert!((1..=61).contains(&wait), "{wait}");
    project.get("webhooks").await.expect(200);
    project.api.without_token().send(Method::GET, &path, None).await.problem(ProblemType::TooManyRequests);

    let ubiops = format!("/ubiops/v2.1/projects/{}/webhooks", project.name);
    let reply = guess
        .with_authorization(&format!("Token {wrong}"))
        .send(Method::GET, &ubiops, None)
        .await
        .expect(429);
    assert_eq!(
        reply.header("x-ratelimit-reset"),
        reply.header("retry-after"),
        "what its client waits for (docs/wire.md A.6)"
    );
    assert!(
        reply.json()["error"].is_string() && reply.header("retry-after").is_some(),
        "in the facade's own words: {}",
        reply.body
    );
    stack.anonymous().send(Method::GET, "/healthz", None).await.expect(200);
}

#[tokio::test]
async fn a_guessed_ticket_counts_and_a_right_one_goes_on() {
    let stack =
        Stack::start_with_variables("AUTH_FAILURES_PER_MINUTE=\"3\"\nPUBLIC_REQUESTS_PER_MINUTE=\"0\"\n")
            .await;
    let project = stack.project("tickets").await;
    for letter in ["a", "b", "c"] {
        let guess = format!("ticket.{}", letter.repeat(52));
        assert_eq!(Feed::connect(&project, Credential::Offered(&guess)).await.err(), Some(401), "{guess}");
        project.get("webhooks").await.expect(200);
    }
    let guess = format!("ticket.{}", "d".repeat(52));
    assert_eq!(
        Feed::connect(&project, Credential::Offered(&guess)).await.err(),
        Some(429),
        "that was enough"
    );
    assert!(
        Feed::connect(&project, Credential::Ticket(&project.token)).await.is_ok(),
        "a ticket that was given to this address is none"
    );
}

#[tokio::test]
async fn what_needs_no_token_is_limited_too() {
    let stack =
        Stack::start_with_variables("AUTH_FAILURES_PER_MINUTE=\"0\"\nPUBLIC_REQUESTS_PER_MINUTE=\"300\"\n")
            .await;
    let project = stack.project("flooded").await;
    let inbox = project.inbox("i").await;
    let path = inbox.url.trim_start_matches(&stack.base()).to_owned();
    let anonymous = stack.anonymous();
    until("the inbox says that it is enough", SOON, async || {
        anonymous.send(Method::POST, &path, Some(&json!({ "n": 1 }))).await.status == 429
    })
    .await;
    let refused = anonymous.send(Method::GET, "/healthz", None).await;
    refused.problem(ProblemType::TooManyRequests);
    assert!(refused.header("retry-after").is_some());
    project.get("inboxes").await.expect(200);
}

#[tokio::test]
async fn the_counters_are_prometheus_text_for_the_administrator() {
    let stack = stack::shared().await;
    let project = stack.project("counted").await;
    project.event("a", json!(1)).await;
    let told = stack.admin().send(Method::GET, "/metrics", None).await.expect(200);
    assert_eq!(told.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let is_sample = |line: &str| {
        line.rsplit_once(' ').is_some_and(|(name, value)| !name.is_empty() && value.parse::<f64>().is_ok())
    };
    let (comments, samples): (Vec<&str>, Vec<&str>) =
        told.body.lines().partition(|line| line.starts_with('#'));
    assert!(
        !comments.is_empty() && !samples.is_empty() && samples.iter().all(|line| is_sample(line)),
        "{}",
        told.body
    );
    project.api.send(Method::GET, "/metrics", None).await.problem(ProblemType::Unauthorized);
    stack.anonymous().send(Method::GET, "/metrics", None).await.problem(ProblemType::Unauthorized);
    stack.admin().send(Method::POST, "/metrics", None).await.problem(ProblemType::MethodNotAllowed);
}

/// The lines of the log that are about requests.
fn request_lines(log: &str) -> Vec<Value> {
    let json = |line: &str| serde_json::from_str::<Value>(line.get(line.find('{')?..)?).ok();
    log.lines().filter_map(json).filter(|line| line["message"] == "request").collect()
}

#[tokio::test]
async fn each_request_has_an_id_that_is_in_its_log_line_its_error_and_its_attempts() {
    let stack = Stack::start().await;
    let (project, sink) = (stack.project("logged").await, Sink::start().await);
    project.listen("name-not-for-logs", &sink.url("/"), &json!({})).await;
    let posted = project.post("events", &json!({ "type": "a", "data": 1 })).await.expect(202);
    let event = String::from(posted.json()["id"].as_str().expect("an event has an id"));
    let attempt = project.attempted(&event, "name-not-for-logs").await.attempts.remove(0);
    assert!(attempt.attempt.request_id.as_deref().is_some_and(|id| id.len() == 16), "{attempt:?}");
    let failed = project.get("webhooks/nobody-by-this-name").await;
    let id = failed.problem(ProblemType::NotFound).request_id.expect("an error names its request");
    assert_eq!(failed.header("x-request-id"), Some(id.as_str()));
    until("the log has the line of the request", SOON, async || {
        request_lines(&stack.log()).iter().any(|line| {
            line["request_id"] == id.as_str()
                && line["method"] == "GET"
                && line["route"] == "/v1/projects/{project}/webhooks/{name}"
                && line["status"] == 404
                && line["duration_ms"].is_i64()
                && line["project"] == project.name.as_str()
        })
    })
    .await;
    let lines = request_lines(&stack.log());
    assert!(
        lines.iter().all(|line| !line.to_string().contains("nobody-by-this-name")),
        "names are not for logs"
    );
    let of_attempt = attempt.attempt.request_id.expect("seen above");
    let is_of_post = posted.header("x-request-id") == Some(of_attempt.as_str());
    assert!(
        is_of_post || !lines.iter().any(|line| line["request_id"] == of_attempt.as_str()),
        "the request that made the call, or a background run"
    );
}
