//! What the platform tells of each invocation: a tail worker beside the stack sees everything that a log
//! could keep, and finds no token, no signing secret and no inbox's key in it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use postern_core::api::live::LiveEvent;
use postern_tests::client::Project;
use postern_tests::live::{Credential, Feed, ticket};
use postern_tests::sink::Sink;
use postern_tests::stack::{ADMIN_TOKEN, Stack};
use postern_tests::wait::{SOON, eventually};
use reqwest::Method;
use serde_json::{Value, json};

/// Every event that the tail worker was told of so far.
fn told(sink: &Sink) -> Vec<Value> {
    sink.received("/told")
        .iter()
        .flat_map(|received| received.json().as_array().cloned().unwrap_or_default())
        .collect()
}

/// The path of the request that an event is about, if it is about one.
fn path_of(event: &Value) -> Option<&str> {
    let url = event["event"]["request"]["url"].as_str()?;
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').and_then(|at| rest.get(at..))
}

/// Takes out of an event what the platform itself puts there: the URL of a request to an inbox, and the
/// subprotocols of a WebSocket, of which the ticket is spent. docs/operations.md says so. Headers with
/// `auth`, `key`, `token` or `secret` in their names come as REDACTED and need no exception.
fn without_the_platforms_own(mut event: Value) -> Value {
    let path = path_of(&event).map(String::from).unwrap_or_default();
    let request = &mut event["event"]["request"];
    if path.starts_with("/in/") {
        request["url"] = Value::Null;
    }
    if path.ends_with("/live") && !request["headers"]["sec-websocket-protocol"].is_null() {
        request["headers"]["sec-websocket-protocol"] = Value::Null;
    }
    event
}

#[tokio::test]
async fn a_tail_worker_sees_no_token_no_secret_and_no_key_of_an_inbox() {
    let sink = Sink::start().await;
    let stack = Stack::start_with_tail(&sink.url("/told")).await;
    let project = stack.project("tailed").await;
    let inbox = project.inbox("in").await;
    project.listen("w", &inbox.url, &json!({})).await;
    let secret = project.secret("w").await.expect("a standard webhook signs");
    let (reader, executor) = (project.token("read").await, project.token("execute").await);

    // The page's way: a ticket, a socket, an event, a request at the inbox.
    let spent = ticket(&project, &reader).await.expect("a reader may listen");
    let offer = format!("ticket.{spent}");
    let mut feed = Feed::connect(&project, Credential::Offered(&offer)).await.expect("the ticket opens");
    let administrators = ticket(&project, ADMIN_TOKEN).await.expect("the administrator may listen");
    drop(
        Feed::connect(&project, Credential::Offered(&format!("ticket.{administrators}")))
            .await
            .expect("the ticket opens"),
    );
    let event = project.event("order.paid", json!({ "n": 1 })).await;
    feed.next("the inbox got it", |change| matches!(change, LiveEvent::InboxRequest { .. }).then_some(()))
        .await;
    project.attempted(&event.id, "w").await;
    assert_eq!(
        Feed::connect(&project, Credential::Offered(&offer)).await.err(),
        Some(401),
        "what a log may hold of it opens nothing"
    );

    // The other ways in: programs, both kinds of logins, a stranger's request to the inbox, a refused one.
    drop(Feed::connect(&project, Credential::Header(&project.token)).await.expect("a program may listen"));
    let basic = |password: &str| STANDARD.encode(format!("{}:{password}", project.name));
    let actinia = project.api.with_authorization(&format!("Basic {}", basic(&executor)));
    actinia.send(Method::GET, "/actinia/api/v3/locations", None).await.expect(200);
    let ubiops = project.api.with_authorization(&format!("Token {}", project.token));
    ubiops
        .send(Method::GET, &format!("/ubiops/v2.1/projects/{}/webhooks", project.name), None)
        .await
        .expect(200);
    let to_inbox = inbox.url.trim_start_matches(&stack.base()).to_owned();
    stack.anonymous().send(Method::POST, &to_inbox, Some(&json!({ "from": "a stranger" }))).await.expect(200);
    let failing = project.api.with_authorization(&format!("Bearer {}x", project.token));
    failing.send(Method::GET, &project.path("webhooks"), None).await.expect(401);
    let last = Project { api: stack.admin(), ..project.clone() };
    last.get("stats").await.expect(200);

    let events = eventually("the tail worker was told of it all", SOON, async || {
        let events = told(&sink);
        let has = |wanted: &str| {
            events.iter().any(|event| path_of(event).is_some_and(|path| path.contains(wanted)))
        };
        let wanted = ["/live/tickets", "/in/", "/actinia/", "/ubiops/", "/stats"];
        let is_of_an_object = |event: &Value| event["executionModel"] == "durableObject";
        (wanted.iter().all(|path| has(path)) && events.iter().any(is_of_an_object)).then_some(events)
    })
    .await;
    // The object's own invocation: the header that says who asks is one of those that the platform hides.
    let says_who_asks =
        |event: &&Value| !event["event"]["request"]["headers"]["x-postern-call-auth"].is_null();
    let asked: Vec<&Value> = events.iter().filter(says_who_asks).collect();
    assert!(
        asked.iter().all(|event| event["event"]["request"]["headers"]["x-postern-call-auth"] == "REDACTED"),
        "{asked:?}"
    );
    let texts: Vec<String> =
        events.iter().cloned().map(|event| without_the_platforms_own(event).to_string()).collect();
    assert!(
        texts.iter().any(|text| text.contains("\\\"message\\\":\\\"request\\\"")),
        "our own lines are among it: {texts:?}"
    );
    let key =
        to_inbox.trim_start_matches("/in/").rsplit('.').next().expect("an inbox's URL has a key").to_owned();
    let bare = |token: &str| token.rsplit('_').next().map(String::from).unwrap_or_default();
    let mut hidden = vec![
        key,
        spent,
        administrators,
        ADMIN_TOKEN.to_owned(),
        URL_SAFE_NO_PAD.encode(ADMIN_TOKEN),
        basic(&executor),
    ];
    hidden.extend([&project.token, &reader, &executor].map(|token| bare(token)));
    hidden.extend([&project.token, &reader].map(|token| URL_SAFE_NO_PAD.encode(token)));
    hidden.push(secret.trim_start_matches("whsec_").to_owned());
    for hidden in &hidden {
        assert!(hidden.len() >= 8, "a secret is long enough to be found: {hidden}");
        for text in &texts {
            assert!(!text.contains(hidden.as_str()), "{hidden} is in {text}");
        }
    }
    // The exceptions are needed: where they are not, the page of operations has to change.
    assert!(
        events.iter().any(|event| path_of(event).is_some_and(|path| path.contains(&hidden[0]))),
        "the platform tells the URL of an inbox"
    );
}
