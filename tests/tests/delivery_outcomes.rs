//! What becomes of a delivery, by what the receiver does: answers of every class, silence, resets, endless
//! bodies; and what follows: retries, resends, cancellation.
//!
//! When a retry is due is read (`next_at`), not waited for, but for one real second attempt.

use std::time::Duration;

use postern_core::api::delivery::DeliveryDetail;
use postern_core::api::webhook::WebhookView;
use postern_core::delivery::{Outcome, RESPONSE_BYTES_MAX, State, Trigger};
use postern_core::problem::ProblemType;
use postern_core::retry::{JITTER_PERCENT, SCHEDULE_S};
use postern_tests::client::Project;
use postern_tests::sink::{Answer, Behaviour, Sink};
use postern_tests::stack;
use postern_tests::wait::{SOON, eventually};
use serde_json::json;

/// Sends one event to a webhook at `url` and returns its delivery after the first attempt.
async fn one_attempt(project: &Project, name: &str, url: &str, more: serde_json::Value) -> DeliveryDetail {
    project.listen(name, url, &more).await;
    project
        .patch(&format!("webhooks/{name}"), &json!({ "events": [format!("only.{name}")] }))
        .await
        .expect(200);
    let event = project.event(&format!("only.{name}"), json!({ "n": 1 })).await;
    project.attempted(&event.id, name).await
}

#[tokio::test]
async fn the_status_decides_by_the_contract() {
    /// The status, and how a delivery ends under `standard` and under `ubiops`.
    const ENDS: [(u16, State, State); 11] = [
        (200, State::Delivered, State::Delivered),
        (201, State::Delivered, State::Delivered),
        (204, State::Delivered, State::Delivered),
        (299, State::Delivered, State::Delivered),
        (302, State::Dead, State::Delivered),
        (304, State::Dead, State::Delivered),
        (400, State::Dead, State::Dead),
        (404, State::Dead, State::Dead),
        (429, State::Dead, State::Dead),
        (500, State::Dead, State::Dead),
        (599, State::Dead, State::Dead),
    ];
    let (project, sink) = (stack::project("status").await, Sink::start().await);
    for (status, ..) in ENDS {
        let url = sink.url(&format!("/{status}"));
        sink.always(&format!("/{status}"), Behaviour::status(status));
        project
            .listen(&format!("standard{status}"), &url, &json!({ "retry": false, "events": ["plain"] }))
            .await;
        project
            .listen(
                &format!("ubiops{status}"),
                &url,
                &json!({ "contract": "ubiops", "retry": false, "events": ["deployment_request_started"] }),
            )
            .await;
    }
    let plain = project.event("plain", json!({})).await;
    let ubiops = project.event("deployment_request_started", json!({})).await;
    assert_eq!((plain.deliveries, ubiops.deliveries), (11, 11));
    for (status, standard_end, ubiops_end) in ENDS {
        for (event, name, end) in [
            (&plain.id, format!("standard{status}"), standard_end),
            (&ubiops.id, format!("ubiops{status}"), ubiops_end),
        ] {
            let detail =
                project.delivery_when(event, &name, "ends", |detail| detail.delivery.state.is_final()).await;
            assert_eq!((detail.delivery.state, detail.delivery.last_status), (end, Some(status)), "{name}");
            assert!(!detail.reason.headline.is_empty(), "{name}");
        }
    }
}

#[tokio::test]
async fn a_redirect_is_recorded_and_not_followed() {
    let (project, sink) = (stack::project("redirect").await, Sink::start().await);
    sink.always("/a", Behaviour::with_header(307, "location", &sink.url("/b")));
    let detail = one_attempt(&project, "w", &sink.url("/a"), json!({ "retry": false })).await;
    let response = detail.attempts[0].attempt.response.clone().expect("an answer is recorded");
    assert_eq!((detail.delivery.state, response.status), (State::Dead, 307));
    assert!(
        response
            .headers
            .iter()
            .any(|(name, value)| name.eq_ignore_ascii_case("location") && value == &sink.url("/b"))
    );
    assert!(sink.received("/b").is_empty());
}

#[tokio::test]
async fn request_and_response_are_recorded_as_they_were() {
    let (project, sink) = (stack::project("record").await, Sink::start().await);
    let headers = vec![
        (String::from("x-reply"), String::from("yes")),
        (String::from("content-type"), String::from("text/plain; charset=utf-8")),
    ];
    sink.always(
        "/a",
        Behaviour::Answer(Answer { status: 202, headers, body: "größe".into(), delay: Duration::ZERO }),
    );
    let detail = one_attempt(
        &project,
        "w",
        &sink.url("/a"),
        json!({ "headers": [{ "key": "X-Mine", "value": "1", "protected": false }] }),
    )
    .await;
    let call = sink.wait_for("/a", 1).await.remove(0);
    let attempt = &detail.attempts[0];
    let (request, response) = (
        attempt.attempt.request.clone().expect("recorded"),
        attempt.attempt.response.clone().expect("recorded"),
    );
    assert_eq!(
        attempt.request_body.as_deref(),
        Some(call.text()),
        "the recorded body is the sent one, byte for byte"
    );
    assert_eq!(usize::try_from(request.body_bytes), Ok(call.body.len()));
    assert_eq!(request.url, sink.url("/a"));
    for (name, value) in &request.headers {
        assert_eq!(call.header(name), Some(value.as_str()), "the recorded header {name} is the sent one");
    }
    assert!(request.headers.iter().any(|(name, value)| name == "x-mine" && value == "1"));
    assert_eq!((response.status, response.body.as_str(), response.truncated), (202, "größe", false));
    assert!(response.headers.iter().any(|(name, value)| name == "x-reply" && value == "yes"));
    assert_eq!(
        (attempt.attempt.number, attempt.attempt.trigger, detail.delivery.message_id.as_str()),
        (1, Trigger::Schedule, call.message_id())
    );
}

#[tokio::test]
async fn silence_resets_and_closed_ports_are_told_apart() {
    let (project, sink) = (stack::project("silence").await, Sink::start().await);
    sink.always("/hang", Behaviour::Hang);
    sink.always("/half", Behaviour::HangInBody(200));
    sink.always("/reset", Behaviour::Reset);
    let nowhere = format!("http://127.0.0.1:{}/", stack::free_port());
    let short = json!({ "retry": false, "timeout_s": 1 });
    for (name, what, state, outcome) in [
        ("hang", "no answer", State::Dead, Outcome::TimedOut),
        ("half", "half an answer", State::Delivered, Outcome::Answered { status: 200 }),
    ] {
        let detail = one_attempt(&project, name, &sink.url(&format!("/{name}")), short.clone()).await;
        assert_eq!((detail.delivery.state, &detail.attempts[0].attempt.outcome), (state, &outcome), "{what}");
        assert!(
            detail.attempts[0].attempt.duration_ms >= 900,
            "{what} lasts until the timeout: {}",
            detail.attempts[0].attempt.duration_ms
        );
    }
    for (name, url) in [("reset", sink.url("/reset")), ("refused", nowhere)] {
        let detail = one_attempt(&project, name, &url, json!({ "retry": false })).await;
        assert!(
            matches!(detail.attempts[0].attempt.outcome, Outcome::ConnectionFailed { .. }),
            "{name}: {:?}",
            detail.attempts[0].attempt.outcome
        );
        assert_eq!((detail.delivery.state, detail.delivery.last_status), (State::Dead, None));
    }
    let unknown =
        one_attempt(&project, "unknown", "http://no-such-host.example/", json!({ "retry": false })).await;
    let outcome = &unknown.attempts[0].attempt.outcome;
    assert!(matches!(outcome, Outcome::NameNotResolved | Outcome::ConnectionFailed { .. }), "{outcome:?}");
}

#[tokio::test]
async fn an_answer_is_read_in_the_charset_that_it_declares() {
    let (project, sink) = (stack::project("charset").await, Sink::start().await);
    let text = |charset: &str| format!("text/plain; charset={charset}");
    let utf16: Vec<u8> = "größe".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: [(&str, String, Vec<u8>, &str, bool); 8] = [
        ("latin1", text("iso-8859-1"), b"gr\xf6\xdfe".to_vec(), "größe", false),
        ("cp1252", text("Windows-1252"), b"12 \x80".to_vec(), "12 €", false),
        ("sjis", text("shift_jis"), b"\x93\xfa\x96\x7b".to_vec(), "日本", false),
        ("utf16", text("utf-16"), utf16, "größe", false),
        ("bom", String::from("text/plain"), b"\xfe\xff\0a\0\xfc".to_vec(), "aü", false),
        ("utf8", text("utf-8"), "größe".into(), "größe", false),
        ("unknown", text("x-klingon"), vec![0xff, 0xfd], "//0=", true),
        ("bytes", String::from("image/png"), b"\x89PNG".to_vec(), "iVBORw==", true),
    ];
    for (name, content_type, body, shown, is_base64) in cases {
        sink.always(
            &format!("/{name}"),
            Behaviour::with_headers(200, &[("content-type", &content_type)], body),
        );
        let detail =
            one_attempt(&project, name, &sink.url(&format!("/{name}")), json!({ "retry": false })).await;
        assert_eq!(detail.delivery.state, State::Delivered, "{name}");
        let response = detail.attempts[0].attempt.response.clone().expect("an answer is recorded");
        assert_eq!((response.body.as_str(), response.body_is_base64), (shown, is_base64), "{name}");
        assert_eq!(response.body_note.is_some(), is_base64, "{name}");
    }
}

#[tokio::test]
async fn a_long_answer_is_cut_and_an_endless_one_ends() {
    let (project, sink) = (stack::project("long").await, Sink::start().await);
    sink.always("/long", Behaviour::with_body(200, vec![b'a'; 3 * RESPONSE_BYTES_MAX]));
    sink.always("/full", Behaviour::with_body(200, vec![b'b'; RESPONSE_BYTES_MAX]));
    sink.always("/endless", Behaviour::Endless);
    for (name, truncated) in [("long", true), ("full", false), ("endless", true)] {
        let detail =
            one_attempt(&project, name, &sink.url(&format!("/{name}")), json!({ "retry": false })).await;
        assert_eq!(
            (detail.delivery.state, detail.delivery.last_status),
            (State::Delivered, Some(200)),
            "{name}"
        );
        let response = detail.attempts[0].attempt.response.clone().expect("an answer is recorded");
        assert_eq!((response.truncated, response.body.len()), (truncated, RESPONSE_BYTES_MAX), "{name}");
    }
}

#[tokio::test]
async fn a_410_disables_the_webhook_at_once() {
    let (project, sink) = (stack::project("gone").await, Sink::start().await);
    sink.always("/a", Behaviour::status(410));
    let detail = one_attempt(&project, "w", &sink.url("/a"), json!({})).await;
    assert_eq!((detail.delivery.state, detail.attempts.len()), (State::Dead, 1));
    let webhook: WebhookView = project.get("webhooks/w").await.expect(200).read();
    assert!(!webhook.enabled);
    assert!(
        webhook.disabled_reason.is_some_and(|reason| reason.contains("410")),
        "the reason names the answer"
    );
    assert_eq!(project.event("only.w", json!(2)).await.deliveries, 0);
    project.patch("webhooks/w", &json!({ "enabled": true })).await.expect(200);
    let webhook: WebhookView = project.get("webhooks/w").await.expect(200).read();
    assert_eq!((webhook.enabled, webhook.disabled_reason), (true, None));
}

#[tokio::test]
async fn a_410_is_confirmed_where_the_webhook_asks_for_it() {
    let (project, sink) = (stack::project("goneonce").await, Sink::start().await);
    sink.script("/a", [410, 204].map(Behaviour::status).to_vec());
    let detail =
        one_attempt(&project, "w", &sink.url("/a"), json!({ "confirm_gone": true, "retry_schedule_s": [2] }))
            .await;
    assert_eq!(detail.delivery.state, State::Waiting);
    assert!(detail.reason.advice.contains("says so again ten minutes"), "{:?}", detail.reason);
    let webhook: WebhookView = project.get("webhooks/w").await.expect(200).read();
    assert!(webhook.enabled && webhook.confirm_gone && webhook.health.gone_from.is_some());
    project
        .delivery_when(&detail.delivery.event_id, "w", "is delivered", |detail| {
            detail.delivery.state == State::Delivered
        })
        .await;
    let webhook: WebhookView = project.get("webhooks/w").await.expect(200).read();
    assert_eq!(webhook.health.gone_from, None, "a success clears it");
}

#[tokio::test]
async fn what_a_receiver_of_another_contract_says_in_webhook_delivery_is_not_meant_for_us() {
    let (project, sink) = (stack::project("notmeant").await, Sink::start().await);
    sink.always("/a", Behaviour::with_header(500, "webhook-delivery", "disable"));
    project
        .listen(
            "w",
            &sink.url("/a"),
            &json!({ "contract": "ubiops", "retry": true, "events": ["deployment_request_started"] }),
        )
        .await;
    let event = project.event("deployment_request_started", json!({})).await;
    let detail = project.attempted(&event.id, "w").await;
    assert_eq!(detail.delivery.state, State::Waiting);
    let webhook: WebhookView = project.get("webhooks/w").await.expect(200).read();
    assert!(webhook.enabled);
}

#[tokio::test]
async fn a_failed_attempt_waits_as_long_as_the_schedule_says() {
    let (project, sink) = (stack::project("schedule").await, Sink::start().await);
    sink.always("/a", Behaviour::status(503));
    // One delivery each: a webhook that fails again and again is probed, and its deliveries wait for that
    // instead.
    for n in 0..12 {
        project.listen(&format!("w{n}"), &sink.url("/a"), &json!({})).await;
    }
    project.event("e", json!(1)).await;
    let (first, spread) = (f64::from(SCHEDULE_S[1]), f64::from(JITTER_PERCENT) / 100.0);
    let waits = eventually("twelve deliveries wait after their first attempt", SOON, async || {
        let page = project.deliveries("limit=200").await;
        let mut waits = Vec::new();
        for delivery in page.items {
            let detail = project.delivery(&delivery.id).await;
            let attempt = &detail.attempts.first()?.attempt;
            if detail.attempts.len() == 1 && detail.delivery.state == State::Waiting {
                let ended = attempt.started_at.plus_ms(i64::from(attempt.duration_ms));
                waits.push(detail.delivery.next_at?.ms_since(ended));
            }
        }
        (waits.len() >= 6).then_some(waits)
    })
    .await;
    for wait in &waits {
        // The wait counts from the report, which comes a little after the answer.
        let seconds = f64::from(i32::try_from(*wait).expect("a short wait")) / 1000.0;
        assert!(
            seconds >= first * (1.0 - spread) - 0.01 && seconds <= first * (1.0 + spread) + 5.0,
            "{seconds} s"
        );
    }
    assert!(waits.iter().any(|wait| *wait != waits[0]), "jitter spreads them: {waits:?}");
}

#[tokio::test]
async fn a_retry_comes_not_before_its_time_with_the_same_id_and_a_new_timestamp() {
    let (project, sink) = (stack::project("retry").await, Sink::start().await);
    sink.script("/a", vec![Behaviour::status(500), Behaviour::status(200)]);
    let detail = one_attempt(&project, "w", &sink.url("/a"), json!({})).await;
    let due = detail.delivery.next_at.expect("a waiting delivery says when");
    let calls = sink.wait_for("/a", 2).await;
    let arrived_ms = calls[1].at_wall.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis();
    assert!(
        i64::try_from(arrived_ms).expect("a time") >= due.0,
        "the second attempt came {} ms early",
        due.0 - i64::try_from(arrived_ms).expect("a time")
    );
    assert_eq!(calls[0].message_id(), calls[1].message_id());
    assert_eq!(calls[0].body, calls[1].body, "a retry sends the same bytes");
    assert_ne!(
        calls[0].header("webhook-timestamp"),
        calls[1].header("webhook-timestamp"),
        "the timestamp is the attempt's"
    );
    assert_ne!(calls[0].header("webhook-signature"), calls[1].header("webhook-signature"));
    let done = project
        .delivery_when(&detail.delivery.event_id, "w", "is delivered", |detail| {
            detail.delivery.state == State::Delivered
        })
        .await;
    assert_eq!((done.delivery.attempts, done.attempts.len(), done.delivery.next_at), (2, 2, None));
    assert_eq!(done.attempts.iter().map(|attempt| attempt.attempt.number).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn retry_after_only_lengthens_the_wait() {
    let (project, sink) = (stack::project("after").await, Sink::start().await);
    sink.always("/long", Behaviour::with_header(503, "retry-after", "600"));
    sink.always("/short", Behaviour::with_header(503, "retry-after", "0"));
    sink.always("/week", Behaviour::with_header(429, "retry-after", "604800"));
    for (name, at_least_s, at_most_s) in
        [("long", 600, 1_300), ("short", 3, 60), ("week", 80_000, 86_400 * 2)]
    {
        let detail = one_attempt(&project, name, &sink.url(&format!("/{name}")), json!({})).await;
        let wait_s = detail
            .delivery
            .next_at
            .expect("a waiting delivery says when")
            .ms_since(detail.attempts[0].attempt.started_at)
            / 1000;
        assert!((at_least_s..=at_most_s).contains(&wait_s), "{name}: {wait_s} s");
    }
}

#[tokio::test]
async fn one_attempt_is_all_without_retry_and_a_resend_is_one_more() {
    let (project, sink) = (stack::project("resend").await, Sink::start().await);
    sink.script("/a", vec![Behaviour::status(500), Behaviour::status(500), Behaviour::status(200)]);
    let first = one_attempt(&project, "w", &sink.url("/a"), json!({ "retry": false })).await;
    assert_eq!((first.delivery.state, first.delivery.next_at), (State::Dead, None));
    let id = &first.delivery.id;
    for (attempts, state) in [(2, State::Dead), (3, State::Delivered), (4, State::Delivered)] {
        project.post_nothing(&format!("deliveries/{id}/retry")).await.expect(202);
        let detail = eventually(&format!("attempt {attempts} ends"), SOON, async || {
            Some(project.delivery(id).await)
                .filter(|detail| detail.attempts.len() == attempts && detail.delivery.state.is_final())
        })
        .await;
        assert_eq!(detail.delivery.state, state, "after attempt {attempts}");
        assert_eq!(detail.attempts[attempts - 1].attempt.trigger, Trigger::Resend);
    }
    let calls = sink.wait_for("/a", 4).await;
    assert!(
        calls.iter().all(|call| call.message_id() == calls[0].message_id()),
        "every attempt has one webhook-id"
    );
}

#[tokio::test]
async fn a_resend_of_a_waiting_delivery_comes_now() {
    let (project, sink) = (stack::project("now").await, Sink::start().await);
    sink.script("/a", vec![Behaviour::status(500), Behaviour::status(200)]);
    let first = one_attempt(&project, "w", &sink.url("/a"), json!({ "retry_schedule_s": [3_600] })).await;
    assert_eq!(first.delivery.state, State::Waiting);
    project.post_nothing(&format!("deliveries/{}/retry", first.delivery.id)).await.expect(202);
    let done = project
        .delivery_when(&first.delivery.event_id, "w", "is delivered", |detail| {
            detail.delivery.state == State::Delivered
        })
        .await;
    assert_eq!(done.delivery.attempts, 2);
}

#[tokio::test]
async fn a_cancelled_delivery_stays_cancelled_until_it_is_resent() {
    let (project, sink) = (stack::project("cancel").await, Sink::start().await);
    sink.script("/a", vec![Behaviour::status(500), Behaviour::status(200)]);
    let waiting = one_attempt(&project, "w", &sink.url("/a"), json!({})).await;
    let path = format!("deliveries/{}", waiting.delivery.id);
    let cancelled = project.post_nothing(&format!("{path}/cancel")).await;
    assert!((200..300).contains(&cancelled.status), "{}", cancelled.body);
    let now = project.delivery(&waiting.delivery.id).await;
    assert_eq!((now.delivery.state, now.delivery.next_at), (State::Cancelled, None));
    project.post_nothing(&format!("{path}/cancel")).await.problem(ProblemType::StateConflict);
    project.post_nothing(&format!("{path}/retry")).await.expect(202);
    project
        .delivery_when(&waiting.delivery.event_id, "w", "is delivered", |detail| {
            detail.delivery.state == State::Delivered
        })
        .await;
    project.post_nothing(&format!("{path}/cancel")).await.problem(ProblemType::StateConflict);
}

#[tokio::test]
async fn deliveries_are_listed_newest_first_by_state_webhook_type_and_page() {
    let (project, sink) = (stack::project("lists").await, Sink::start().await);
    sink.always("/bad", Behaviour::status(500));
    project.listen("good", &sink.url("/good"), &json!({ "events": ["a", "b"] })).await;
    project.listen("bad", &sink.url("/bad"), &json!({ "events": ["a"], "retry": false })).await;
    for kind in ["a", "b", "a"] {
        project.event(kind, json!(1)).await;
    }
    eventually("all five deliveries end", SOON, async || {
        let page = project.deliveries("limit=200").await;
        (page.items.len() == 5 && page.items.iter().all(|delivery| delivery.state.is_final())).then_some(())
    })
    .await;
    let count = async |query: &str| project.deliveries(query).await.items.len();
    assert_eq!(
        (count("state=delivered").await, count("state=dead").await, count("state=waiting").await),
        (3, 2, 0)
    );
    assert_eq!(
        (count("webhook=good").await, count("webhook=bad").await, count("webhook=nobody").await),
        (3, 2, 0)
    );
    assert_eq!(
        (count("type=b").await, count("type=a").await, count("type=a&webhook=good&state=delivered").await),
        (1, 4, 2)
    );
    let first = project.deliveries("limit=3").await;
    let rest = project.deliveries(&format!("limit=3&cursor={}", first.next.expect("there is more"))).await;
    let all: Vec<_> = first.items.into_iter().chain(rest.items).collect();
    assert_eq!(all.len(), 5);
    assert!(all.windows(2).all(|pair| pair[0].created_at >= pair[1].created_at));
}

#[tokio::test]
async fn a_webhook_that_is_switched_off_keeps_its_waiting_deliveries() {
    let (project, sink) = (stack::project("pause").await, Sink::start().await);
    sink.script("/a", vec![Behaviour::status(500), Behaviour::status(200)]);
    let waiting = one_attempt(&project, "w", &sink.url("/a"), json!({})).await;
    project.patch("webhooks/w", &json!({ "enabled": false })).await.expect(200);
    // The other webhook's retry is due about when this one's would be: when it has come, this one has been
    // passed over.
    sink.script("/b", vec![Behaviour::status(500), Behaviour::status(500), Behaviour::status(200)]);
    let other = one_attempt(&project, "v", &sink.url("/b"), json!({})).await;
    sink.wait_for("/b", 2).await;
    assert_eq!(other.delivery.webhook.as_deref(), Some("v"));
    let now = project.delivery(&waiting.delivery.id).await;
    assert_eq!((now.delivery.state, now.attempts.len(), sink.received("/a").len()), (State::Waiting, 1, 1));
    project.patch("webhooks/w", &json!({ "enabled": true })).await.expect(200);
    project
        .delivery_when(&waiting.delivery.event_id, "w", "is delivered", |detail| {
            detail.delivery.state == State::Delivered
        })
        .await;
}
