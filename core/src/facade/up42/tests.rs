//! UP42's API.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::api::event::EventTypeView;
use crate::contract::up42::EVENTS;
use crate::egress::Policy;
use crate::facade::support::{view, with};
use crate::fault::InputFault;
use crate::fault::pointers;
use crate::filter::EventPattern;
use crate::nearly::{is_read_or_explained, nearly};
use crate::time::Timestamp;
use crate::webhook::{Contract, Definition, Header, ProjectName, RetiredSecret};

type Outcome = Result<(), InputFault>;

fn draft() -> Value {
    json!({"name": "w1", "url": "https://r.example/h", "events": ["job.status"], "secret": null, "active": false})
}

/// The body of a draft with `changes`.
fn sent(changes: Value) -> String {
    with(draft(), changes).to_string()
}

fn made(changes: Value) -> Result<Definition, InputFault> {
    create(&sent(changes), &Policy::default(), &EVENTS)
}

#[test]
fn a_new_webhook_is_inactive_unsigned_and_repeats_failed_calls() -> Outcome {
    let webhook = made(json!({}))?;
    assert_eq!(
        (webhook.contract, webhook.enabled, webhook.secret.as_deref(), webhook.retry),
        (Contract::Up42, false, None, true)
    );
    assert_eq!(made(json!({"secret": ""}))?, webhook);
    let silent = json!({"name": "w1", "url": "https://r.example/h", "events": ["job.status"]}).to_string();
    assert_eq!(create(&silent, &Policy::default(), &EVENTS)?, webhook);
    assert_eq!(made(json!({"secret": "hush", "active": true}))?.secret.as_deref(), Some("hush"));
    Ok(())
}

#[test]
fn a_webhook_reads_as_the_sdk_expects() -> Outcome {
    let webhook = view(&made(json!({"secret": "hush"}))?);
    let shown = |secret| serde_json::to_value(Webhook::from_view(&webhook, secret)).unwrap_or_default();
    let expected = json!({
        "id": "019a91c2-77f0-7b41-9d2e-5f6f1b0c8a11", "name": "w1", "url": "https://r.example/h", "events": ["job.status"],
        "active": false, "secret": "hush", "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z",
    });
    assert_eq!(shown(Secrecy::Open(Some(String::from("hush")))), expected);
    assert_eq!(shown(Secrecy::Open(None))["secret"], json!(""));
    assert_eq!(shown(Secrecy::Hidden)["secret"], Value::Null);
    assert!(!format!("{:?}", Secrecy::Open(Some(String::from("hush")))).contains("hush"));
    Ok(())
}

#[test]
fn every_bad_field_is_named() {
    for (changes, expected) in [
        (json!({"name": ""}), vec!["/name"]),
        (json!({"name": "x".repeat(65)}), vec!["/name"]),
        (json!({"name": null}), vec!["/name"]),
        (json!({"url": "http://r.example/"}), vec!["/url"]),
        (json!({"url": "https://10.0.0.1/"}), vec!["/url"]),
        (json!({"url": "https://169.254.169.254/latest"}), vec!["/url"]),
        (json!({"url": "ftp://r.example/"}), vec!["/url"]),
        (json!({"url": 5}), vec!["/url"]),
        (json!({"events": []}), vec!["/events"]),
        (json!({"events": "job.status"}), vec!["/events"]),
        (json!({"events": ["job.status, order.status"]}), vec!["/events/0"]),
        (json!({"events": ["job.status", "job.done"]}), vec!["/events/1"]),
        (json!({"events": ["job.status", "job.status"]}), vec!["/events/1"]),
        (json!({"events": ["*"]}), vec!["/events/0"]),
        (json!({"events": [1]}), vec!["/events/0"]),
        (json!({"events": vec!["job.status"; 51]}), vec!["/events"]),
        (json!({"secret": 5}), vec!["/secret"]),
        (json!({"secret": "x".repeat(76)}), vec!["/secret"]),
        (json!({"active": "yes"}), vec!["/active"]),
        (json!({"active": null}), vec!["/active"]),
        (json!({"id": "x"}), vec!["/id"]),
        (
            json!({"name": 1, "url": "", "events": {}, "active": 0}),
            vec!["/name", "/url", "/events", "/active"],
        ),
    ] {
        let mut found = pointers(made(changes.clone()));
        let mut expected: Vec<String> = expected.into_iter().map(String::from).collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{changes}");
    }
    assert_eq!(pointers(create("{}", &Policy::default(), &EVENTS)), ["/name", "/url", "/events"]);
    assert_eq!(pointers(create("[]", &Policy::default(), &EVENTS)), [""]);
    assert!(matches!(create("{", &Policy::default(), &EVENTS), Err(InputFault::Malformed(_))));
}

#[test]
fn one_text_with_two_events_is_told_to_be_two() {
    let sentence = made(json!({"events": ["job.status, order.status"]}))
        .err()
        .map(|fault| fault.sentence())
        .unwrap_or_default();
    assert!(
        sentence.contains("string of its own") && sentence.contains("known are job.status, order.status"),
        "{sentence}"
    );
}

#[test]
fn an_event_of_the_catalogue_is_known() -> Outcome {
    let body = sent(json!({"events": ["job.status", "tile.ready"]}));
    assert_eq!(create(&body, &Policy::default(), &["job.status", "tile.ready"])?.events.len(), 2);
    Ok(())
}

#[test]
fn an_update_replaces_what_up42_knows_and_keeps_the_rest() -> Outcome {
    let header = Header { key: String::from("X-A"), value: String::from("1"), protected: false };
    let stored = Definition {
        headers: vec![header],
        description: String::from("kept"),
        events: vec![EventPattern(String::from("job.*"))],
        previous_secrets: vec![RetiredSecret { secret: String::from("old"), expires_at: Timestamp(1) }],
        ..made(json!({"secret": "hush"}))?
    };
    let put = |changes| update(&stored, &sent(changes), &Policy::default(), &EVENTS);
    let changed = put(
        json!({"name": "w2", "url": "https://s.example/", "events": ["order.status"], "secret": "new", "active": true}),
    )?;
    assert_eq!(
        (changed.name.as_str(), changed.url.as_str(), changed.enabled),
        ("w2", "https://s.example/", true)
    );
    assert_eq!((changed.secret.as_deref(), changed.previous_secrets.len()), (Some("new"), 0));
    assert_eq!((&changed.headers, changed.description.as_str()), (&stored.headers, "kept"));
    for none in [json!({"secret": null}), json!({"secret": ""})] {
        assert_eq!(put(none)?.secret, None);
    }
    let silent = json!({"name": "w1", "url": "https://r.example/h", "events": ["job.*"]}).to_string();
    assert_eq!(
        update(&stored, &silent, &Policy::default(), &EVENTS)?,
        stored,
        "what it listens to already may be written back"
    );
    let read_back = sent(json!({"id": "1", "createdAt": "x", "updatedAt": "x"}));
    assert!(update(&stored, &read_back, &Policy::default(), &EVENTS).is_ok(), "what was read may be written");
    assert_eq!(pointers(put(json!({"events": ["order.*"]}))), ["/events/0"]);
    assert_eq!(pointers(update(&stored, "{}", &Policy::default(), &EVENTS)), ["/name", "/url", "/events"]);
    Ok(())
}

#[test]
fn credentials_in_a_url_become_a_protected_header() -> Outcome {
    let stored = made(json!({"url": "https://u:p@r.example/h"}))?;
    assert_eq!(stored.url, "https://r.example/h");
    assert!(
        matches!(stored.headers.as_slice(), [header] if header.protected && header.key == "authorization")
    );
    let again =
        update(&stored, &sent(json!({"url": "https://u:q@r.example/h"})), &Policy::default(), &EVENTS)?;
    assert_eq!(again.headers.len(), 1);
    assert_ne!(again.headers, stored.headers);
    Ok(())
}

#[test]
fn a_test_sends_each_event_once_and_a_pattern_stands_for_what_it_matches() -> Outcome {
    let known = ["job.status", "order.status", "tile.ready"];
    let kinds = |events: &[&str]| {
        let events = events.iter().map(|text| EventPattern(String::from(*text))).collect();
        let webhook = Definition { events, ..made(json!({}))? };
        let sent = test_events(&webhook, &known);
        assert!(sent.iter().all(|event| crate::filter::takes_type(&webhook, &event.kind)));
        Ok::<_, InputFault>(sent.into_iter().map(|event| event.kind).collect::<Vec<_>>())
    };
    assert_eq!(kinds(&["job.status"])?, ["job.status"]);
    assert_eq!(kinds(&["job.status", "order.status"])?, ["job.status", "order.status"]);
    assert_eq!(kinds(&["job.*", "job.status"])?, ["job.status"]);
    assert_eq!(kinds(&["*"])?, known);
    assert_eq!(kinds(&["moon.*"])?, ["moon.test"]);
    assert_eq!(
        crate::contract::sample_event(&made(json!({"events": ["order.status"]}))?).data.get(),
        r#"{"message":"This is a test from Postern.","status":"FULFILLED"}"#
    );
    Ok(())
}

#[test]
fn a_workspace_keeps_its_id_and_no_two_share_one() {
    let id = |name: &str| ProjectName::parse(name).map(|project| workspace_id(&project)).unwrap_or_default();
    assert_eq!(id("p1"), id("p1"));
    assert_ne!(id("p1"), id("p2"));
    let uuid = id("p1");
    assert_eq!((uuid.len(), uuid.split('-').map(str::len).collect::<Vec<_>>()), (36, vec![8, 4, 4, 4, 12]));
    assert_eq!(uuid.chars().nth(14), Some('8'), "version 8");
}

#[test]
fn up42_s_events_come_first_and_what_the_catalogue_offers_after_them() {
    let kind = |name: &str, archived: bool| EventTypeView {
        name: String::from(name),
        description: String::from("d"),
        example: None,
        schema: None,
        archived,
        version: 1,
        created_at: Timestamp(0),
    };
    let entries =
        event_entries(&[kind("job.status", false), kind("tile.gone", true), kind("tile.ready", false)]);
    assert_eq!(
        entries.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(),
        ["job.status", "order.status", "tile.ready"]
    );
    let last = EventEntry {
        name: String::from("tile.ready"),
        title: String::from("tile.ready"),
        category: String::from("TILE"),
        description: String::from("d"),
        documentation: String::new(),
    };
    assert_eq!(entries.last(), Some(&last));
}

#[test]
fn answers_have_their_envelope() {
    assert_eq!(answer(&json!([1])), json!({"data": [1], "error": null}));
    assert_eq!(error(404, "m"), json!({"data": null, "error": {"code": 404, "message": "m"}}));
}

proptest! {
    #[test]
    fn any_text_is_a_secret_up_to_its_length(text in "\\PC{1,75}") {
        prop_assert_eq!(made(json!({"secret": text})).ok().and_then(|webhook| webhook.secret), Some(text));
    }

    #[test]
    fn no_body_makes_it_panic(body in "\\PC{0,80}", name in ".{0,70}", url in ".{0,40}", event in ".{0,20}", secret in ".{0,80}") {
        let _fault = create(&body, &Policy::default(), &EVENTS);
        let _fault = made(json!({"name": name, "url": url, "events": [event], "secret": secret}));
        let _refused = login::parse(&body, Some(&body));
        let _refused = login::parse(&format!("grant_type=client_credentials&{body}"), Some(&format!("Basic {body}")));
    }

    #[test]
    fn no_fault_repeats_a_secret(secret in "[a-z]{76,90}") {
        let sentence = made(json!({"secret": secret})).err().map(|fault| fault.sentence()).unwrap_or_default();
        prop_assert!(!sentence.is_empty() && !sentence.contains(&secret));
    }

    #[test]
    fn a_webhook_that_is_nearly_valid_is_read_or_explained(body in nearly(draft())) {
        is_read_or_explained(&body, create(&body.to_string(), &Policy::default(), &EVENTS))?;
    }
}
