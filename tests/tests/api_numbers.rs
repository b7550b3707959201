//! Numbers keep every digit between two people who write JSON, and what comparing an event may cost is
//! bounded, from outside.

use postern_tests::stack;
use reqwest::Method;
use serde_json::json;

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];
/// Digits that no float has, and spellings that no number type keeps.
const WRITTEN: &str = r#"{"id":12345678901234567890123,"price":1.10,"many":1e5,"none":-0,"large":1e309}"#;

#[tokio::test]
async fn what_people_write_into_definitions_comes_back_with_every_digit() {
    let project = stack::project("digits").await;
    let filter = r#"{"field":"id","in":[18446744073709551615,1e5,1.10]}"#;
    let schema = r#"{"properties":{"id":{"maximum":99999999999999999999999}}}"#;
    let kind = format!(r#"{{"name":"order.paid","example":{WRITTEN},"schema":{schema}}}"#);
    let made =
        project.api.send_raw(Method::POST, &project.path("event-types"), &JSON, kind).await.expect(201);
    let webhook = format!(r#"{{"name":"w","url":"https://example.com/","events":["*"],"filter":{filter}}}"#);
    let hook =
        project.api.send_raw(Method::POST, &project.path("webhooks"), &JSON, webhook).await.expect(201);
    let shown = [
        made,
        project.get("event-types/order.paid").await,
        project.get("event-types").await,
        project.get("config").await,
    ];
    for reply in shown {
        // Members come in the order of their names.
        for part in ["12345678901234567890123", "1.10", "1e5", ":-0", "1e309", "99999999999999999999999"] {
            assert!(reply.body.contains(part), "{part}: {}", reply.body);
        }
    }
    for reply in [hook, project.get("webhooks/w").await, project.get("config").await] {
        assert!(reply.body.contains("[18446744073709551615,1e5,1.10]"), "{}", reply.body);
    }
    // What was exported changes nothing, and a digit more does.
    let document = project.get("config").await.expect(200).body;
    let call = |document: &str| format!(r#"{{"document":{document}}}"#);
    let path = project.path("config/plan");
    let same = project.api.send_raw(Method::POST, &path, &JSON, call(&document)).await.expect(200);
    assert_eq!(same.json()["changes"], json!([]), "{}", same.body);
    let other = document.replace("18446744073709551615", "18446744073709551616");
    let plan = project.api.send_raw(Method::POST, &path, &JSON, call(&other)).await.expect(200);
    assert!(
        plan.body.contains("18446744073709551616") && plan.json()["changes"][0]["name"] == "w",
        "{}",
        plan.body
    );
}

#[tokio::test]
async fn an_event_is_matched_by_its_digits_and_its_lists() {
    let project = stack::project("matched").await;
    for (name, filter) in [
        ("exact", r#"{"field":"id","eq":18446744073709551615}"#),
        ("country", r#"{"field":"country","eq":"CH"}"#),
        ("listed", r#"{"field":"items.sku","eq":"x"}"#),
        ("unlisted", r#"{"not":{"field":"items.sku","eq":"x"}}"#),
    ] {
        let draft =
            format!(r#"{{"name":"{name}","url":"https://example.com/","events":["*"],"filter":{filter}}}"#);
        project.api.send_raw(Method::POST, &project.path("webhooks"), &JSON, draft).await.expect(201);
    }
    let wanting = async |data: &str| {
        let event = format!(r#"{{"type":"a","data":{data}}}"#);
        let answer = project
            .api
            .send_raw(Method::POST, &project.path("events/dry-run"), &JSON, event)
            .await
            .expect(200)
            .json();
        let webhooks = answer["webhooks"].as_array().cloned().unwrap_or_default();
        webhooks
            .into_iter()
            .filter(|webhook| webhook["matched"] == true)
            .map(|webhook| webhook["webhook"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(wanting(r#"{"id":18446744073709551615}"#).await, ["exact", "unlisted"]);
    assert_eq!(wanting(r#"{"id":18446744073709551616}"#).await, ["unlisted"]);
    assert_eq!(wanting(r#"{"country":"CH","x":1e309}"#).await, ["country", "unlisted"]);
    assert_eq!(wanting(r#"{"items":[{"sku":"y"},{"sku":"x"}]}"#).await, ["listed"]);
}

#[tokio::test]
async fn an_event_that_takes_too_many_steps_is_refused_with_its_field() {
    let project = stack::project("steps").await;
    let schema = json!({ "properties": { "a": { "allOf": vec![json!({ "maxLength": 1_000_000 }); 700] } } });
    project.post("event-types", &json!({ "name": "long", "schema": schema })).await.expect(201);
    let event = json!({ "type": "long", "data": { "a": "x".repeat(250_000) } });
    project.post("events", &event).await.faults(&["/data"]);
    project.post("events/dry-run", &event).await.faults(&["/data"]);
    project.post("events/batch", &json!({ "events": [event] })).await.faults(&["/events/0/data"]);
    project.post("events", &json!({ "type": "long", "data": { "a": "x" } })).await.expect(202);
    // A list is looked at as far as its first thousand elements, and a dry run says so.
    let filter = json!({ "field": "a", "eq": 1_000 });
    project
        .post(
            "webhooks",
            &json!({ "name": "w", "url": "https://example.com/", "events": ["*"], "filter": filter }),
        )
        .await
        .expect(201);
    let long = json!({ "type": "list", "data": { "a": (0..2_000).collect::<Vec<_>>() } });
    let answer = project.post("events/dry-run", &long).await.expect(200);
    assert!(
        answer.body.contains("the first 1,000 elements are looked at")
            && answer.json()["webhooks"][0]["matched"] == false,
        "{}",
        answer.body
    );
}
