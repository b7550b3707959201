//! Inboxes: what they record, what they answer, what they say of signatures.

use postern_core::api::inbox::{InboxRequestView, InboxView, REQUESTS_KEPT, SignatureVerdict};
use postern_core::api::page::Page;
use postern_core::credential::HIDDEN;
use postern_core::problem::ProblemType;
use postern_tests::client::{Project, Reply};
use postern_tests::stack;
use postern_tests::wait::{SOON, eventually};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn any_method_is_recorded_with_headers_in_order_and_body() {
    let project = stack::project("methods").await;
    let inbox = project.inbox("first").await;
    assert!(inbox.url.starts_with(&format!("{}/in/{}.", project.api.base, project.name)), "{}", inbox.url);
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"] {
        knock(
            &project,
            method,
            &format!("{}/deep/path?q=1&r=%20", inbox.url),
            &[("x-one", "1"), ("x-two", "2")],
            b"h\xc3\xa4llo",
        )
        .await
        .expect(200);
    }
    let requests = recorded(&project, &inbox, 7).await;
    let methods: Vec<&str> = requests.iter().rev().map(|request| request.method.as_str()).collect();
    assert_eq!(methods, ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]);
    let post = &requests[5];
    assert_eq!(
        (post.path.as_str(), post.body.as_str(), post.body_bytes, post.truncated, post.body_is_base64),
        ("/deep/path?q=1&r=%20", "hällo", 6, false, false)
    );
    let own: Vec<&str> = post
        .headers
        .iter()
        .filter(|(name, _)| name.to_lowercase().starts_with("x-"))
        .map(|(_, value)| value.as_str())
        .collect();
    assert!(
        own.ends_with(&["1", "2"]) || own.starts_with(&["1", "2"]),
        "headers keep their order: {:?}",
        post.headers
    );
    assert_eq!((post.answered, &post.signature), (200, &SignatureVerdict::Unsigned));
}

async fn knock(project: &Project, method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let path = url.strip_prefix(&project.api.base).expect("an inbox lies on the stack");
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    project.api.without_token().send_raw(method, path, headers, body.to_vec()).await
}

/// The inbox's requests once there are `count`, newest first.
async fn recorded(project: &Project, inbox: &InboxView, count: usize) -> Vec<InboxRequestView> {
    eventually(&format!("the inbox holds {count} requests"), SOON, async || {
        Some(project.inbox_requests(&inbox.id).await.items).filter(|items| items.len() >= count)
    })
    .await
}

#[tokio::test]
async fn an_inbox_answers_as_it_was_told() {
    let project = stack::project("answers").await;
    let inbox = project.inbox("told").await;
    let answer = json!({ "status": 503, "delay_ms": 20, "body": "come back later" });
    let changed: InboxView = project
        .patch(&format!("inboxes/{}", inbox.id), &json!({ "answer": answer }))
        .await
        .expect(200)
        .read();
    assert_eq!((changed.answer.status, changed.answer.delay_ms), (503, 20));
    let reply = knock(&project, "POST", &inbox.url, &[], b"x").await.expect(503);
    assert_eq!(reply.body, "come back later");
    let head = knock(&project, "HEAD", &inbox.url, &[], b"").await.expect(503);
    assert_eq!(head.body, "");
    assert_eq!(recorded(&project, &inbox, 2).await[1].answered, 503);
    let path = format!("inboxes/{}", inbox.id);
    project
        .patch(&path, &json!({ "answer": { "status": 199, "delay_ms": 0, "body": "" } }))
        .await
        .faults(&["/answer/status"]);
    project
        .patch(
            &path,
            &json!({ "answer": { "status": 600, "delay_ms": 60_001, "body": "x".repeat(16 * 1024 + 1) } }),
        )
        .await
        .faults(&["/answer/status", "/answer/delay_ms", "/answer/body"]);
    project
        .patch(&path, &json!({ "answer": 5, "name": "", "x": 1 }))
        .await
        .faults(&["/answer", "/name", "/x"]);
    project.post("inboxes", &json!({ "name": "told" })).await.problem(ProblemType::NameTaken);
    project.post("inboxes", &json!({})).await.faults(&["/name"]);
}

#[tokio::test]
async fn an_inbox_keeps_the_latest_200_requests() {
    let project = stack::project("latest").await;
    let inbox = project.inbox("busy").await;
    for n in 0..REQUESTS_KEPT + 5 {
        knock(&project, "POST", &inbox.url, &[], n.to_string().as_bytes()).await.expect(200);
    }
    let page: Page<InboxRequestView> =
        project.get(&format!("inboxes/{}/requests?limit=200", inbox.id)).await.expect(200).read();
    assert_eq!(page.items.len(), 200);
    assert_eq!((page.items[0].body.as_str(), page.items[199].body.as_str()), ("204", "5"));
    let view: InboxView = project.get(&format!("inboxes/{}", inbox.id)).await.expect(200).read();
    assert_eq!(view.received, 200);
    let paged: Page<InboxRequestView> =
        project.get(&format!("inboxes/{}/requests?limit=150", inbox.id)).await.expect(200).read();
    let rest: Page<InboxRequestView> = project
        .get(&format!(
            "inboxes/{}/requests?limit=150&cursor={}",
            inbox.id,
            paged.next.expect("there is more")
        ))
        .await
        .expect(200)
        .read();
    assert_eq!(rest.items.len(), 50);
    project.delete(&format!("inboxes/{}/requests", inbox.id)).await.expect(204);
    assert_eq!(project.inbox_requests(&inbox.id).await.items, []);
}

#[tokio::test]
async fn bytes_that_are_no_text_and_bodies_over_the_limit_are_told_apart() {
    let project = stack::project("bytes").await;
    let inbox = project.inbox("raw").await;
    knock(&project, "POST", &inbox.url, &[], &[0xff, 0x00, 0xfe]).await.expect(200);
    knock(&project, "POST", &inbox.url, &[], &vec![b'a'; 300 * 1024]).await.expect(200);
    let requests = recorded(&project, &inbox, 2).await;
    assert_eq!(
        (requests[1].body_is_base64, requests[1].body.as_str(), requests[1].body_bytes),
        (true, "/wD+", 3)
    );
    assert!(requests[0].truncated);
    assert_eq!(requests[0].body.len(), 256 * 1024);
}

#[tokio::test]
async fn a_body_in_another_charset_is_kept_as_it_came_and_read_beside_it() {
    let project = stack::project("charset").await;
    let inbox = project.inbox("i").await;
    knock(&project, "POST", &inbox.url, &[("content-type", "text/plain; charset=iso-8859-1")], b"gr\xfc")
        .await
        .expect(200);
    let request = recorded(&project, &inbox, 1).await.remove(0);
    assert_eq!(
        (request.body.as_str(), request.body_is_base64, request.body_text.as_deref()),
        ("Z3L8", true, Some("grü"))
    );
    let marked = b"\xef\xbb\xbf{}";
    knock(
        &project,
        "POST",
        &inbox.url,
        &[("content-type", "application/json"), ("content-encoding", "x-none")],
        marked,
    )
    .await
    .expect(200);
    let request = recorded(&project, &inbox, 2).await.remove(0);
    assert_eq!(
        (request.body.as_str(), request.body_bytes, request.body_text),
        ("\u{feff}{}", 5, None),
        "as it came"
    );
}

#[tokio::test]
async fn a_protected_header_is_not_shown_by_the_inbox_that_it_was_sent_to() {
    let project = stack::project("hidden").await;
    let inbox = project.inbox("i").await;
    let headers = json!([{ "key": "Authorization", "value": "Bearer hush-hush", "protected": true }, { "key": "X-Open", "value": "open", "protected": false }]);
    project.listen("w", &inbox.url, &json!({ "headers": headers })).await;
    project.event("a", json!(1)).await;
    let request = recorded(&project, &inbox, 1).await.remove(0);
    let value = |name: &str| {
        request
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    };
    assert_eq!((value("authorization"), value("x-open")), (Some(HIDDEN), Some("open")));
    assert!(matches!(request.signature, SignatureVerdict::Valid { .. }), "and it was checked as it came");
}

#[tokio::test]
async fn an_inbox_says_whether_a_signature_is_that_of_a_webhook_that_calls_it() {
    let project = stack::project("verdict").await;
    let inbox = project.inbox("judge").await;
    project.listen("signed", &inbox.url, &json!({ "events": ["a"] })).await;
    project.listen("bare", &inbox.url, &json!({ "events": ["b"], "secret": null })).await;
    project.event("a", json!({ "ä": 1 })).await;
    let valid = recorded(&project, &inbox, 1).await.remove(0);
    assert_eq!(valid.signature, SignatureVerdict::Valid { webhook: String::from("signed") });
    project.event("b", json!(1)).await;
    assert_eq!(recorded(&project, &inbox, 2).await[0].signature, SignatureVerdict::Unsigned);
    let value = |name: &str| {
        valid
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.clone())
            .expect("a signed callback has all three")
    };
    let (id, at, signature) = (value("webhook-id"), value("webhook-timestamp"), value("webhook-signature"));
    let headers = [
        ("webhook-id", id.as_str()),
        ("webhook-timestamp", at.as_str()),
        ("webhook-signature", signature.as_str()),
    ];
    knock(&project, "POST", &inbox.url, &headers, valid.body.replace('1', "2").as_bytes()).await.expect(200);
    let forged = recorded(&project, &inbox, 3).await.remove(0);
    assert!(matches!(forged.signature, SignatureVerdict::Invalid { .. }), "{:?}", forged.signature);
    knock(&project, "POST", &inbox.url, &headers, valid.body.as_bytes()).await.expect(200);
    assert!(
        matches!(recorded(&project, &inbox, 4).await[0].signature, SignatureVerdict::Valid { .. }),
        "the same bytes verify again"
    );
}

#[tokio::test]
async fn an_address_that_names_no_inbox_is_not_found() {
    let project = stack::project("nowhere").await;
    let inbox = project.inbox("real").await;
    let base = &project.api.base;
    for path in [
        "/in/",
        "/in/nothing",
        "/in/no-such-project.aaaaaaaaaaaaaaaaaaaa",
        &format!("/in/{}.aaaaaaaaaaaaaaaaaaaa", project.name),
        &format!("/in/{}.", project.name),
    ] {
        let reply = knock(&project, "POST", &format!("{base}{path}"), &[], b"x").await;
        assert_eq!(reply.status, 404, "{path}: {}", reply.body);
    }
    project.delete(&format!("inboxes/{}", inbox.id)).await.expect(204);
    assert_eq!(knock(&project, "POST", &inbox.url, &[], b"x").await.status, 404);
    project.get(&format!("inboxes/{}", inbox.id)).await.problem(ProblemType::NotFound);
    project.get(&format!("inboxes/{}/requests", inbox.id)).await.problem(ProblemType::NotFound);
}
