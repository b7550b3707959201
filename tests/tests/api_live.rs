//! The live feed: who may read it and what it tells.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use postern_core::api::live::{LiveEvent, LiveTicket, SUBPROTOCOL};
use postern_core::api::test::TestStatus;
use postern_core::delivery::State;
use postern_core::problem::ProblemType;
use postern_tests::client::Project;
use postern_tests::live::{Credential, Feed, ticket};
use postern_tests::sink::{Behaviour, Sink};
use postern_tests::stack;
use postern_tests::wait::{SOON, in_ms, until};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn the_feed_tells_a_delivery_from_acceptance_to_its_end() {
    let (project, sink) = (stack::project("feed").await, Sink::start().await);
    project.listen("w", &sink.url("/a"), &json!({})).await;
    let mut feed = Feed::open(&project).await;
    assert_eq!(feed.subprotocol.as_deref(), Some(SUBPROTOCOL));
    let event = project.event("order.paid", json!({ "n": 1 })).await;
    let done = feed
        .next("the delivery was made", |change| match change {
            LiveEvent::Delivery { delivery }
                if delivery.event_id == event.id && delivery.state == State::Delivered =>
            {
                Some(delivery)
            }
            _ => None,
        })
        .await;
    assert_eq!((done.attempts, done.last_status, done.webhook.as_deref()), (1, Some(200), Some("w")));
    assert_eq!(project.delivery(&done.id).await.delivery, done, "the feed tells what a read tells");
}

#[tokio::test]
async fn the_feed_tells_tests_inbox_requests_and_changed_webhooks() {
    let project = stack::project("feedall").await;
    let inbox = project.inbox("first").await;
    let mut feed = Feed::connect(&project, Credential::Header(&project.token))
        .await
        .expect("a header is a credential too");
    project.listen("w", &inbox.url, &json!({})).await;
    feed.next("webhooks changed", |change| matches!(change, LiveEvent::Webhooks).then_some(())).await;
    let test = project.post("webhooks/w/test", &json!({})).await.expect(201).json();
    let (mut arrived, mut completed) = (false, false);
    feed.next("the inbox got the test and the test completed", |change| {
        match change {
            LiveEvent::InboxRequest { inbox_id, request } => {
                arrived |= inbox_id == inbox.id && request.method == "POST";
            }
            LiveEvent::Test { test: told } => {
                completed |= told.id == test["id"] && told.status == TestStatus::Completed;
            }
            LiveEvent::Delivery { .. }
            | LiveEvent::Replay { .. }
            | LiveEvent::Run { .. }
            | LiveEvent::Webhooks
            | LiveEvent::Many => {}
        }
        (arrived && completed).then_some(())
    })
    .await;
    assert!(arrived && completed);
}

#[tokio::test]
async fn every_open_page_is_told_and_only_of_its_own_project() {
    let (mine, other) = (stack::project("mine").await, stack::project("other").await);
    let (mut first, mut second, mut foreign) =
        (Feed::open(&mine).await, Feed::open(&mine).await, Feed::open(&other).await);
    mine.listen("w", "http://127.0.0.1:1024/", &json!({ "enabled": false })).await;
    for feed in [&mut first, &mut second] {
        feed.next("webhooks changed", |change| matches!(change, LiveEvent::Webhooks).then_some(())).await;
    }
    let inbox = other.inbox("i").await;
    other.listen("o", &inbox.url, &json!({})).await;
    let told = foreign.next("any change", Some).await;
    assert_eq!(told, LiveEvent::Webhooks, "the first change the other project hears of is its own");
}

#[tokio::test]
async fn a_reader_without_a_right_token_is_refused() {
    let (project, other) = (stack::project("refused").await, stack::project("other").await);
    let publish = project.token("publish").await;
    let read = project.token("read").await;
    for (credential, status) in [
        (Credential::None, 401),
        (Credential::Offered("ticket.nonsense"), 401),
        (Credential::Offered(&format!("ticket.{}", "a".repeat(52))), 401),
        (Credential::Header(&publish), 403),
        (Credential::Ticket(&publish), 403),
        (Credential::Ticket(&other.token), 404),
    ] {
        assert_eq!(Feed::connect(&project, credential).await.err(), Some(status), "{credential:?}");
    }
    assert!(Feed::connect(&project, Credential::Ticket(&read)).await.is_ok());
    let plain = project.get("live").await;
    assert!((400..500).contains(&plain.status), "a plain GET is not a WebSocket: {}", plain.status);
}

#[tokio::test]
async fn a_ticket_opens_its_own_project_once() {
    let (project, other) = (stack::project("once").await, stack::project("other").await);
    let asked = project.post_nothing("live/tickets").await.expect(201);
    assert_eq!(asked.header("cache-control"), Some("no-store"));
    let LiveTicket { ticket, expires_at } = asked.read();
    assert!(in_ms(0) < expires_at && expires_at <= in_ms(31_000), "{expires_at:?}");
    let offer = format!("ticket.{ticket}");
    assert_eq!(
        Feed::connect(&other, Credential::Offered(&offer)).await.err(),
        Some(401),
        "another project's"
    );
    let feed = Feed::connect(&project, Credential::Offered(&offer)).await.expect("it was not used yet");
    assert_eq!(feed.subprotocol.as_deref(), Some(SUBPROTOCOL));
    assert_eq!(Feed::connect(&project, Credential::Offered(&offer)).await.err(), Some(401), "it was used");
    let twice = ticket_of(&project).await;
    assert_eq!(
        Feed::connect(&project, Credential::Offered(&format!("{twice}, {twice}"))).await.err(),
        Some(401),
        "one, and no more"
    );
    assert!(
        Feed::connect(&project, Credential::Offered(&twice)).await.is_ok(),
        "what was refused by its form is not spent"
    );

    let headers = [("idempotency-key", "k")];
    project.api.send_raw(Method::POST, &project.path("live/tickets"), &headers, "").await.faults(&[""]);
    project
        .api
        .without_token()
        .send(Method::POST, &project.path("live/tickets"), None)
        .await
        .problem(ProblemType::Unauthorized);
    project.get("live/tickets").await.problem(ProblemType::MethodNotAllowed);
}

/// A ticket of the project's own token, as a subprotocol.
async fn ticket_of(project: &Project) -> String {
    format!("ticket.{}", ticket(project, &project.token).await.expect("its owner may listen"))
}

#[tokio::test]
async fn a_ticket_is_worth_as_much_as_its_token() {
    let project = stack::project("worth").await;
    let read = project.post("tokens", &json!({ "name": "r", "role": "read" })).await.expect(201).json();
    let (secret, id) =
        (read["secret"].as_str().expect("a secret"), read["token"]["id"].as_str().expect("an id"));
    let unused = format!("ticket.{}", ticket(&project, secret).await.expect("it may listen"));
    let listening = Feed::connect(&project, Credential::Ticket(secret)).await.expect("it may listen");
    let mut administrator = Feed::connect(&project, Credential::Ticket(stack::ADMIN_TOKEN))
        .await
        .expect("the administrator may listen");
    project.delete(&format!("tokens/{id}")).await.expect(204);
    assert_eq!(listening.closed().await, Some(4401), "who came in with a ticket is sent away with its token");
    assert_eq!(
        Feed::connect(&project, Credential::Offered(&unused)).await.err(),
        Some(401),
        "a ticket of a revoked token"
    );
    assert_eq!(ticket(&project, secret).await.err(), Some(401));
    project.listen("w", "http://127.0.0.1:1024/", &json!({ "enabled": false })).await;
    administrator
        .next("webhooks changed", |change| matches!(change, LiveEvent::Webhooks).then_some(()))
        .await;
}

#[tokio::test]
async fn a_token_among_the_subprotocols_is_refused_and_told_of_tickets() {
    let project = stack::project("bearer").await;
    let encoded = URL_SAFE_NO_PAD.encode(&project.token);
    for offer in [format!("bearer.{}", project.token), format!("bearer64.{encoded}")] {
        assert_eq!(Feed::connect(&project, Credential::Offered(&offer)).await.err(), Some(401), "{offer}");
        // Beside an Authorization it is a second credential, whatever it is.
        for (api, told) in
            [(project.api.clone(), "more than one credential"), (project.api.without_token(), "live/tickets")]
        {
            let headers = [("sec-websocket-protocol", offer.as_str())];
            let refused = api
                .send_raw(Method::GET, &project.path("live"), &headers, "")
                .await
                .problem(ProblemType::Unauthorized);
            assert!(refused.detail.contains(told), "{}", refused.detail);
        }
    }
    let both = [("sec-websocket-protocol", ticket_of(&project).await)];
    let both = both.each_ref().map(|(name, value)| (*name, value.as_str()));
    let refused = project
        .api
        .send_raw(Method::GET, &project.path("live"), &both, "")
        .await
        .problem(ProblemType::Unauthorized);
    assert!(refused.detail.contains("more than one credential"), "{}", refused.detail);
}

#[tokio::test]
async fn whoever_listens_with_a_token_that_is_revoked_or_expired_hears_nothing_more() {
    let project = stack::project("revoked").await;
    let admin = Project { api: stack::shared().await.admin(), ..project.clone() };
    let mut staying = Feed::connect(&project, Credential::Header(stack::ADMIN_TOKEN))
        .await
        .expect("the administrator may listen");
    let revoked = project.post("tokens", &json!({ "name": "r", "role": "read" })).await.expect(201).json();
    let leaving = Feed::connect(&project, Credential::Header(revoked["secret"].as_str().expect("a secret")))
        .await
        .expect("it may read");
    admin.delete(&format!("tokens/{}", revoked["token"]["id"].as_str().expect("an id"))).await.expect(204);
    assert_eq!(leaving.closed().await, Some(4401), "at once");

    let soon = json!({ "name": "e", "role": "read", "expires_at": in_ms(3_000).to_rfc3339() });
    let expiring = project.post("tokens", &soon).await.expect(201).json();
    let secret = expiring["secret"].as_str().expect("a secret");
    let expiring = Feed::connect(&project, Credential::Header(secret)).await.expect("not yet");
    let reader = project.api.with_token(secret);
    until("the token has expired", SOON, async || {
        reader.send(Method::GET, &project.path("webhooks"), None).await.status == 401
    })
    .await;
    project.listen("w", "http://127.0.0.1:1024/", &json!({ "enabled": false })).await;
    assert_eq!(expiring.closed().await, Some(4401), "with the first change after it");
    staying.next("webhooks changed", |change| matches!(change, LiveEvent::Webhooks).then_some(())).await;
}

#[tokio::test]
async fn a_reader_that_leaves_is_answered_and_harms_nobody() {
    let (project, sink) = (stack::project("leaves").await, Sink::start().await);
    project.listen("w", &sink.url("/a"), &json!({})).await;
    let leaving = Feed::open(&project).await;
    let mut staying = Feed::open(&project).await;
    assert!(leaving.close().await.is_some(), "the close frame is answered (docs/platform.md 1.9, trap 5)");
    drop(Feed::open(&project).await);
    sink.always("/a", Behaviour::status(200));
    let event = project.event("e", json!(1)).await;
    staying
        .next("the delivery", |change| {
            matches!(change, LiveEvent::Delivery { delivery } if delivery.event_id == event.id).then_some(())
        })
        .await;
    assert_eq!(project.attempted(&event.id, "w").await.delivery.attempts, 1);
}

#[tokio::test]
async fn a_ping_is_answered() {
    let project = stack::project("ping").await;
    let mut feed = Feed::open(&project).await;
    assert_eq!(feed.ask("ping").await, "pong");
}
