//! Finding deliveries and events: by time, answer, event and content; how many there are.

use postern_core::api::delivery::{DeliveryCount, DeliveryView};
use postern_core::api::event::{EventAccepted, EventDecisions, EventView};
use postern_core::api::page::Page;
use postern_core::problem::ProblemType;
use postern_tests::client::Project;
use postern_tests::stack;
use serde_json::{Value, json};

async fn post(project: &Project, body: Value) -> EventAccepted {
    project.post("events", &body).await.expect(202).read()
}

/// The ids of the events of the deliveries that a query gives, newest first, and what the count says of it.
async fn found(project: &Project, query: &str) -> Vec<String> {
    let page: Page<DeliveryView> = project.get(&format!("deliveries?{query}")).await.expect(200).read();
    assert_eq!((page.next, page.searched_to), (None, None), "{query}");
    let counted: DeliveryCount = project.get(&format!("deliveries/count?{query}")).await.expect(200).read();
    assert_eq!((counted.count as usize, counted.exact), (page.items.len(), true), "{query}");
    page.items.into_iter().map(|delivery| delivery.event_id).collect()
}

#[tokio::test]
async fn deliveries_and_events_are_found_by_what_is_known_of_them() {
    let project = stack::project("find").await;
    // Nothing listens at the one; the other has no events of its own until it is asked for them.
    project.listen("w", "http://127.0.0.1:1024/", &json!({ "retry": false })).await;
    let label = json!({ "customer": "acme" });
    let object = json!({ "type": "order", "name": "o-1" });
    let first = post(
        &project,
        json!({ "type": "order.paid", "data": { "note": "50% off: ä" }, "labels": label, "object": object }),
    )
    .await;
    let second = post(&project, json!({ "type": "order.sent", "data": { "note": "full price" } })).await;
    for event in [&first, &second] {
        project.attempted(&event.id, "w").await;
    }
    let (first, second) = (first.id, second.id);
    for (query, expected) in [
        (String::from("webhook=w"), vec![&second, &first]),
        (format!("event={first}"), vec![&first]),
        (String::from("event=evt_unknown"), vec![]),
        (String::from("label=customer:acme"), vec![&first]),
        (String::from("label=customer:acme&label=other:x"), vec![]),
        (String::from("object=order"), vec![&first]),
        (String::from("object=order/o-2"), vec![]),
        (String::from("text=50%25+off:+%C3%A4"), vec![&first]),
        (String::from("text=note&type=order.sent"), vec![&second]),
        (String::from("attempts_min=1"), vec![&second, &first]),
        (String::from("attempts_min=2"), vec![]),
        (String::from("status=5xx"), vec![]),
        (String::from("state=dead&since=2026-01-01T00:00:00Z"), vec![&second, &first]),
        (String::from("until=2026-01-01T00:00:00Z"), vec![]),
    ] {
        assert_eq!(found(&project, &query).await.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    for (query, expected) in [
        ("label=customer:acme", vec![&first]),
        ("text=price", vec![&second]),
        ("object=order/o-1&type=order.paid", vec![&first]),
        ("until=2026-01-01T00:00:00Z", vec![]),
    ] {
        let page: Page<EventView> = project.get(&format!("events?{query}")).await.expect(200).read();
        assert_eq!(page.items.iter().map(|event| &event.id).collect::<Vec<_>>(), expected, "{query}");
    }
}

#[tokio::test]
async fn an_event_gives_each_webhooks_delivery_and_those_that_came_later() {
    let project = stack::project("outcome").await;
    for name in ["a", "b"] {
        project.listen(name, "http://127.0.0.1:1024/", &json!({ "retry": false })).await;
    }
    let event = project.event("order.paid", json!({})).await;
    let path = format!("events/{}/deliveries", event.id);
    let page: Page<DeliveryView> = project.get(&path).await.expect(200).read();
    let names: Vec<_> = page.items.iter().filter_map(|delivery| delivery.webhook.as_deref()).collect();
    assert_eq!((names, page.next), (vec!["b", "a"], None));
    let page: Page<DeliveryView> = project.get(&format!("{path}?limit=1")).await.expect(200).read();
    assert!(page.items.len() == 1 && page.next.is_some());
    project.get("events/evt_unknown/deliveries").await.problem(ProblemType::NotFound);
    project.get(&format!("{path}?state=dead")).await.faults(&["?state"]);
}

#[tokio::test]
async fn an_event_says_of_each_webhook_why_it_got_it_or_did_not() {
    let project = stack::project("decide").await;
    project.listen("got", "http://127.0.0.1:1024/", &json!({})).await;
    let picky = json!({ "filter": { "field": "total", "gte": 100 } });
    project.listen("picky", "http://127.0.0.1:1024/", &picky).await;
    let event = project.event("order.paid", json!({ "total": 42 })).await;
    let path = format!("events/{}/decisions", event.id);
    let decisions: EventDecisions = project.get(&path).await.expect(200).read();
    let says: Vec<_> = decisions
        .webhooks
        .iter()
        .map(|of| (of.webhook.as_str(), of.delivery_id.is_some(), of.matched))
        .collect();
    assert_eq!(says, [("got", true, true), ("picky", false, false)]);
    let decisive = decisions.webhooks[1].reasons.iter().find(|reason| !reason.holds);
    assert_eq!(decisive.and_then(|reason| reason.found.as_deref()), Some("42"));
    let one: EventDecisions = project.get(&format!("{path}?webhook=got")).await.expect(200).read();
    assert_eq!(one.webhooks.len(), 1);
    project.get(&format!("{path}?webhook=nobody")).await.problem(ProblemType::NotFound);
    project.get("events/evt_unknown/decisions").await.problem(ProblemType::NotFound);
    project.get(&format!("{path}?limit=1")).await.faults(&["?limit"]);
}

#[tokio::test]
async fn what_can_not_be_searched_by_is_named() {
    let project = stack::project("unfit").await;
    for path in ["deliveries", "deliveries/count", "deliveries/histogram"] {
        for (query, fault) in [
            ("status=6xx", "?status"),
            ("event=dlv_1", "?event"),
            ("attempts_min=-1", "?attempts_min"),
            ("label=acme", "?label"),
            ("object=/o-1", "?object"),
            ("text=ab", "?text"),
            ("since=yesterday", "?since"),
            ("request_id=r", "?request_id"),
        ] {
            project.get(&format!("{path}?{query}")).await.faults(&[fault]);
        }
    }
    project.get("deliveries/count?limit=5").await.faults(&["?limit"]);
    project.get("events?status=503&text=ab").await.faults(&["?text", "?status"]);
}
