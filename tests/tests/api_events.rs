//! Events: acceptance, matching, idempotency, batches, the catalogue.

use postern_core::api::event::{BatchAccepted, EventAccepted, EventTypeView, EventView};
use postern_core::api::page::Page;
use postern_core::problem::ProblemType;
use postern_tests::client::{Project, Reply};
use postern_tests::sink::Sink;
use postern_tests::stack;
use postern_tests::wait::{SOON, until};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn an_accepted_event_reads_back_as_the_producer_wrote_it() {
    let project = stack::project("event").await;
    // Key order, a number that no double holds, and an escape must survive.
    let data = r#"{"z":1,"a":{"n":12345678901234567890.10,"deep":[[{}]]},"s":"\u00e9"}"#;
    let body = format!(
        r#"{{"type":"order.paid","data":{data},"object":{{"type":"deployment","name":"d1","version":"v1"}}}}"#
    );
    let accepted: EventAccepted = post_raw(&project, &body).await.expect(202).read();
    assert!(accepted.id.starts_with("evt_"));
    assert_eq!((accepted.deliveries, accepted.duplicate), (0, false));
    let view: EventView = project.get(&format!("events/{}", accepted.id)).await.expect(200).read();
    assert_eq!(view.data.as_deref().map(serde_json::value::RawValue::get), Some(data));
    let object = view.object.expect("the event has an object");
    assert_eq!(
        (view.kind.as_str(), object.kind.as_str(), object.name.as_str(), object.version.as_deref()),
        ("order.paid", "deployment", "d1", Some("v1"))
    );
}

#[tokio::test]
async fn a_byte_order_mark_is_taken_and_a_content_coding_refused_by_name() {
    let project = stack::project("border").await;
    let marked = [b"\xef\xbb\xbf".as_slice(), br#"{"type":"order.paid","data":{"n":1}}"#].concat();
    let json = ("content-type", "application/json");
    for path in ["events", "events/dry-run"] {
        let status = if path == "events" { 202 } else { 200 };
        project.api.send_raw(Method::POST, &project.path(path), &[json], marked.clone()).await.expect(status);
    }
    let utf16: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let refused = project
        .api
        .send_raw(Method::POST, &project.path("events"), &[json], utf16)
        .await
        .problem(ProblemType::MalformedJson);
    assert!(refused.detail.contains("UTF-16"), "{}", refused.detail);
    for path in ["events", "events/batch", "webhooks", "config/plan"] {
        for coding in ["gzip", "br", "zstd", "deflate", "x-gzip"] {
            let sent = project
                .api
                .send_raw(Method::POST, &project.path(path), &[json, ("content-encoding", coding)], "{}")
                .await;
            let problem = sent.problem(ProblemType::UnsupportedMediaType);
            assert!(
                problem.detail.contains("content-encoding") && problem.detail.contains("identity"),
                "{path} {coding}: {}",
                problem.detail
            );
            assert_eq!(sent.header("accept-encoding"), Some("identity"), "{path} {coding}");
        }
    }
    let plain = [json, ("content-encoding", "identity")];
    project
        .api
        .send_raw(Method::POST, &project.path("events"), &plain, r#"{"type":"order.paid","data":1}"#)
        .await
        .expect(202);
}

#[tokio::test]
async fn a_fault_of_a_single_event_is_told_where_it_stands_in_the_body() {
    let project = stack::project("single").await;
    let schema =
        json!({ "type": "object", "properties": { "n": { "type": "integer" }, "m": { "type": "integer" } } });
    project.post("event-types", &json!({ "name": "order.paid", "schema": schema })).await.expect(201);
    let wrong = json!({ "type": "order.paid", "data": { "n": "x" } });
    for path in ["events", "events/dry-run"] {
        let problem = project.post(path, &wrong).await.problem(ProblemType::InvalidInput);
        assert_eq!(
            problem.errors.iter().map(|fault| fault.pointer.as_str()).collect::<Vec<_>>(),
            ["/data/n"],
            "{path}"
        );
        assert!(problem.detail.starts_with("/data/n: "), "{path}: {}", problem.detail);
        let both = project
            .post(path, &json!({ "type": "order.paid", "data": { "n": "x", "m": "y" } }))
            .await
            .problem(ProblemType::InvalidInput);
        assert!(
            !both.detail.contains("/events")
                && both.errors.iter().all(|fault| fault.pointer.starts_with("/data/")),
            "{path}: {both:?}"
        );
    }
    let batch =
        project.post("events/batch", &json!({ "events": [wrong] })).await.problem(ProblemType::InvalidInput);
    assert!(batch.detail.starts_with("/events/0/data/n: "), "{}", batch.detail);
}

async fn post_raw(project: &Project, body: &str) -> Reply {
    project
        .api
        .send_raw(
            Method::POST,
            &project.path("events"),
            &[("content-type", "application/json")],
            String::from(body),
        )
        .await
}

#[tokio::test]
async fn an_event_goes_to_the_webhooks_that_want_it() {
    let (project, sink) = (stack::project("match").await, Sink::start().await);
    let wants = [
        ("exact", json!({ "events": ["order.paid"] })),
        ("prefix", json!({ "events": ["order.*"] })),
        ("all", json!({ "events": ["*"] })),
        ("several", json!({ "events": ["a", "order.shipped", "order.paid"] })),
        ("other", json!({ "events": ["invoice.*"] })),
        (
            "object",
            json!({ "events": ["*"], "object": { "type": "deployment", "name": null, "version": null } }),
        ),
        (
            "named",
            json!({ "events": ["*"], "object": { "type": "deployment", "name": "d1", "version": "v2" } }),
        ),
    ];
    for (name, more) in &wants {
        project.listen(name, &sink.url(&format!("/{name}")), more).await;
    }
    let object =
        |name: &str, version: &str| json!({ "type": "deployment", "name": name, "version": version });
    for (body, expected) in [
        (json!({ "type": "order.paid", "data": 0 }), vec!["exact", "prefix", "all", "several"]),
        (json!({ "type": "order.shipped.late", "data": 1 }), vec!["prefix", "all"]),
        (json!({ "type": "orders", "data": 2 }), vec!["all"]),
        (
            json!({ "type": "invoice.created", "data": 3, "object": object("d1", "v2") }),
            vec!["all", "other", "object", "named"],
        ),
        (json!({ "type": "x", "data": 4, "object": object("d1", "v1") }), vec!["all", "object"]),
    ] {
        let accepted: EventAccepted = project.post("events", &body).await.expect(202).read();
        assert_eq!(usize::try_from(accepted.deliveries), Ok(expected.len()), "{body}");
        for name in &expected {
            sink_has(&sink, name, &body["data"]).await;
        }
    }
    assert_eq!(sink.received("/other").len(), 1, "an event reaches nobody who does not want it");
    assert_eq!(sink.received("/exact").len(), 1);
}

async fn sink_has(sink: &Sink, name: &str, data: &Value) {
    let path = format!("/{name}");
    until(&format!("{data} reaches {name}"), SOON, async || {
        sink.received(&path).iter().any(|call| &call.json()["data"] == data)
    })
    .await;
}

#[tokio::test]
async fn a_known_idempotency_key_stores_and_sends_nothing_new() {
    let (project, sink) = (stack::project("idem").await, Sink::start().await);
    project.listen("w", &sink.url("/a"), &json!({})).await;
    let body = json!({ "type": "order.paid", "data": { "n": 1 }, "idempotency_key": "k1" });
    let first: EventAccepted = project.post("events", &body).await.expect(202).read();
    let second: EventAccepted = project.post("events", &body).await.expect(202).read();
    assert_eq!(
        (second.id.as_str(), second.duplicate, second.deliveries),
        (first.id.as_str(), true, first.deliveries)
    );
    let by_header = |key: &'static str, data: Value| {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        let (project, body) = (project.clone(), json!({ "type": "order.paid", "data": data }).to_string());
        async move { project.api.send_raw(Method::POST, &project.path("events"), &headers, body).await }
    };
    let third: EventAccepted = by_header("k1", json!({ "n": 1 })).await.expect(202).read();
    assert_eq!((third.id, third.duplicate), (first.id, true));
    by_header("k1", json!({ "n": 2 })).await.problem(ProblemType::IdempotencyConflict);
    let other: EventAccepted = by_header("k2", json!({ "n": 2 })).await.expect(202).read();
    assert!(!other.duplicate);
    by_header("kö", json!({ "n": 3 })).await.faults(&["/idempotency_key"]);
    sink.wait_for("/a", 2).await;
    let events: Page<EventView> = project.get("events").await.expect(200).read();
    assert_eq!(events.items.len(), 2);
    assert_eq!(sink.received("/a").len(), 2, "a duplicate makes no second callback");
}

#[tokio::test]
async fn one_key_posted_at_once_from_many_places_is_one_event() {
    let project = stack::project("idemrace").await;
    let body = json!({ "type": "a", "data": 1, "idempotency_key": "same" });
    let replies = futures_util::future::join_all((0..12).map(|_| project.post("events", &body))).await;
    let accepted: Vec<EventAccepted> = replies.into_iter().map(|reply| reply.expect(202).read()).collect();
    assert!(accepted.iter().all(|one| one.id == accepted[0].id));
    assert_eq!(accepted.iter().filter(|one| !one.duplicate).count(), 1);
}

/// They travel to the project together; a refused one takes nobody along, and nobody gets another's answer.
#[tokio::test]
async fn events_that_are_posted_at_once_have_their_own_answers() {
    let project = stack::project("together").await;
    let first: EventAccepted = project
        .post("events", &json!({"type": "order.paid", "data": "first", "idempotency_key": "taken"}))
        .await
        .expect(202)
        .read();
    let reader = project.api.with_token(&project.token("read").await);
    let post = async |number: usize| {
        let event = |data: Value| json!({"type": "order.paid", "data": data});
        match number % 6 {
            0 => {
                let body = json!({"type": "order.paid", "data": number, "idempotency_key": "taken"});
                project.post("events", &body).await.problem(ProblemType::IdempotencyConflict);
            }
            1 => {
                let body = json!({"type": "order.paid", "data": "first", "idempotency_key": "taken"});
                let known: EventAccepted = project.post("events", &body).await.expect(202).read();
                assert_eq!((known.id, known.duplicate), (first.id.clone(), true));
            }
            2 => {
                let refused =
                    reader.send(Method::POST, &project.path("events"), Some(&event(json!(number)))).await;
                refused.problem(ProblemType::Forbidden);
            }
            3 => {
                let body = json!({"events": [event(json!([number, 1])), event(json!([number, 2]))]});
                let batch: BatchAccepted = project.post("events/batch", &body).await.expect(202).read();
                for (place, accepted) in (1..).zip(batch.items) {
                    let view: EventView =
                        project.get(&format!("events/{}", accepted.id)).await.expect(200).read();
                    let data = view.data.expect("it has data");
                    assert_eq!(data.get(), format!("[{number},{place}]"));
                }
            }
            _ => {
                let accepted = project.event("order.paid", json!(number)).await;
                let view: EventView =
                    project.get(&format!("events/{}", accepted.id)).await.expect(200).read();
                assert_eq!(view.data.expect("it has data").get(), number.to_string());
            }
        }
    };
    futures_util::future::join_all((0..90).map(post)).await;
    let page: Page<EventView> = project.get("events?limit=100").await.expect(200).read();
    assert_eq!(page.items.len(), 1 + 15 * 2 + 15 * 2, "what was refused is not stored");
}

#[tokio::test]
async fn a_batch_is_accepted_whole_or_not_at_all() {
    let (project, sink) = (stack::project("batch").await, Sink::start().await);
    project.listen("w", &sink.url("/a"), &json!({ "events": ["order.*"] })).await;
    let events: Vec<Value> = (0..100)
        .map(|n| json!({ "type": if n % 2 == 0 { "order.paid" } else { "other" }, "data": { "n": n } }))
        .collect();
    let accepted: BatchAccepted =
        project.post("events/batch", &json!({ "events": events })).await.expect(202).read();
    assert_eq!(accepted.items.len(), 100);
    assert!(
        accepted.items.iter().enumerate().all(|(n, item)| item.deliveries == u32::from(n % 2 == 0)),
        "in the batch's order"
    );
    let calls = sink.wait_for("/a", 50).await;
    let mut numbers: Vec<i64> = calls.iter().filter_map(|call| call.json()["data"]["n"].as_i64()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..100).step_by(2).collect::<Vec<_>>());

    // What is called is reported a little later, and the census would see that.
    until("all are recorded as delivered", SOON, async || {
        project.deliveries("state=delivered&limit=200").await.items.len() == 50
    })
    .await;
    let before = project.census().await;
    let one_bad =
        json!({ "events": [{ "type": "a", "data": 1 }, { "type": "not ok", "data": 1 }, { "type": "b" }] });
    project.post("events/batch", &one_bad).await.faults(&["/events/1/type", "/events/2/data"]);
    project.post("events/batch", &json!({ "events": [] })).await.faults(&["/events"]);
    project
        .post("events/batch", &json!({ "events": vec![json!({ "type": "a", "data": 1 }); 101] }))
        .await
        .faults(&["/events"]);
    assert_eq!(project.census().await, before);
}

#[tokio::test]
async fn a_key_used_twice_in_one_batch_is_one_event() {
    let project = stack::project("batchidem").await;
    let event = json!({ "type": "a", "data": 1, "idempotency_key": "k" });
    let accepted: BatchAccepted =
        project.post("events/batch", &json!({ "events": [event, event] })).await.expect(202).read();
    assert_eq!(accepted.items[0].id, accepted.items[1].id);
    assert_eq!((accepted.items[0].duplicate, accepted.items[1].duplicate), (false, true));
}

#[tokio::test]
async fn a_bad_event_names_every_bad_field_and_stores_nothing() {
    let project = stack::project("badevent").await;
    let deep = format!("{}1{}", "[".repeat(65), "]".repeat(65));
    let cases = [
        (String::from("{}"), vec!["/type", "/data"]),
        (String::from("[]"), vec![""]),
        (String::from("7"), vec![""]),
        (String::from("\u{feff}{}"), vec!["/type", "/data"]),
        (json!({ "type": 1, "data": 1 }).to_string(), vec!["/type"]),
        (json!({ "type": "", "data": 1 }).to_string(), vec!["/type"]),
        (json!({ "type": "a b", "data": 1 }).to_string(), vec!["/type"]),
        (json!({ "type": "a..b", "data": 1 }).to_string(), vec!["/type"]),
        (json!({ "type": "order.*", "data": 1 }).to_string(), vec!["/type"]),
        (json!({ "type": "a".repeat(129), "data": 1 }).to_string(), vec!["/type"]),
        (json!({ "type": "a", "data": 1, "typo": 1, "more": 2 }).to_string(), vec!["/typo", "/more"]),
        (
            json!({ "type": "a", "data": 1, "object": { "type": 1 } }).to_string(),
            vec!["/object/type", "/object/name"],
        ),
        (
            json!({ "type": "a", "data": 1, "object": { "type": "d", "name": "n", "x": 1 } }).to_string(),
            vec!["/object/x"],
        ),
        (
            json!({ "type": "a", "data": 1, "idempotency_key": "k".repeat(129) }).to_string(),
            vec!["/idempotency_key"],
        ),
        (json!({ "type": "a", "data": 1, "idempotency_key": 5 }).to_string(), vec!["/idempotency_key"]),
        (format!(r#"{{"type":"a","data":{deep}}}"#), vec!["/data"]),
    ];
    for (body, pointers) in cases {
        post_raw(&project, &body).await.faults(&pointers);
    }
    for body in ["", "{", "{\"type\":\"a\",\"data\":1}}", "\u{feff}{", "{'type':1}", "nul"] {
        post_raw(&project, body).await.problem(ProblemType::MalformedJson);
    }
    let events: Page<EventView> = project.get("events").await.expect(200).read();
    assert_eq!(events.items.len(), 0);
}

#[tokio::test]
async fn events_are_listed_newest_first_by_type_and_page() {
    let project = stack::project("eventlist").await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(project.event(if n == 2 { "b" } else { "a" }, json!(n)).await.id);
    }
    let listed = async |query: &str| -> Page<EventView> {
        project.get(&format!("events?{query}")).await.expect(200).read()
    };
    let all = listed("").await;
    assert_eq!(
        all.items.iter().map(|event| &event.id).collect::<Vec<_>>(),
        ids.iter().rev().collect::<Vec<_>>()
    );
    assert!(all.items.iter().all(|event| event.data.is_none()), "a list leaves the data out");
    assert_eq!(listed("type=b").await.items.len(), 1);
    let first = listed("limit=3").await;
    let rest = listed(&format!("limit=3&cursor={}", first.next.expect("there is more"))).await;
    assert_eq!((first.items.len(), rest.items.len(), rest.next), (3, 2, None));
    project.get("events/evt_00000000-0000-7000-8000-000000000000").await.problem(ProblemType::NotFound);
    let foreign = stack::project("eventlist").await.event("a", json!(1)).await.id;
    project.get(&format!("events/{foreign}")).await.problem(ProblemType::NotFound);
}

#[tokio::test]
async fn the_catalogue_takes_shows_and_forgets_event_types() {
    let project = stack::project("types").await;
    let draft = json!({ "name": "order.paid", "description": "An order was paid.", "example": { "id": 1 } });
    project.post("event-types", &draft).await.expect(201);
    project.post("event-types", &draft).await.problem(ProblemType::NameTaken);
    let page: Page<EventTypeView> = project.get("event-types").await.expect(200).read();
    assert_eq!(
        (page.items[0].name.as_str(), page.items[0].example.as_ref()),
        ("order.paid", Some(&json!({ "id": 1 })))
    );
    project
        .post("event-types", &json!({ "name": "a b", "description": "x".repeat(401), "z": 1 }))
        .await
        .faults(&["/name", "/description", "/z"]);
    project.delete("event-types/order.paid").await.expect(204);
    project.delete("event-types/order.paid").await.problem(ProblemType::NotFound);
    let page: Page<EventTypeView> = project.get("event-types").await.expect(200).read();
    assert_eq!(page.items, []);
}
