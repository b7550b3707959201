//! UbiOps' API.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::api::test::{TestStatus, TestView};
use crate::egress::Policy;
use crate::facade::support::{view, with};
use crate::fault::InputFault;
use crate::fault::pointers;
use crate::filter;
use crate::nearly::{is_read_or_explained, nearly};
use crate::time::Timestamp;
use crate::webhook::{Contract, Definition, ObjectFilter};

type Outcome = Result<(), InputFault>;

fn draft() -> Value {
    json!({"name": "w1", "object_type": "deployment", "object_name": "d1", "url": "https://r.example/h", "event": "deployment_request_failed"})
}

fn made(changes: Value) -> Result<Definition, InputFault> {
    create(&with(draft(), changes).to_string(), &Policy::default())
}

#[test]
fn create_fills_in_the_defaults_of_ubiops() -> Outcome {
    let webhook = made(json!({}))?;
    assert_eq!(webhook.contract, Contract::Ubiops);
    assert_eq!(
        webhook.object,
        ObjectFilter {
            kind: Some(String::from("deployment")),
            name: Some(String::from("d1")),
            version: None
        }
    );
    assert_eq!(
        (webhook.timeout_s, webhook.enabled, webhook.retry, webhook.include_result),
        (10, true, false, false)
    );
    assert_eq!(
        (webhook.description.as_str(), webhook.labels.len(), webhook.headers.len(), webhook.secret),
        ("", 0, 0, None)
    );
    Ok(())
}

#[test]
fn null_means_the_default_wherever_a_field_is_optional() -> Outcome {
    let nulls = json!({"version": null, "headers": null, "description": null, "labels": null, "timeout": null, "enabled": null, "retry": null, "include_result": null});
    assert_eq!(made(nulls)?, made(json!({}))?);
    Ok(())
}

#[test]
fn a_webhook_reads_as_the_client_expects() -> Outcome {
    let headers = json!([{"key": "Authorization", "value": "Token 9", "protected": true}, {"key": "X-A", "value": "1", "protected": false}]);
    let webhook =
        made(json!({"labels": {"env": "prod"}, "headers": headers, "version": "v1", "timeout": 30}))?;
    let shown = serde_json::to_value(Detail::from_view(&view(&webhook))).unwrap_or_default();
    let expected = json!({
        "id": "019a91c2-77f0-7b41-9d2e-5f6f1b0c8a11", "name": "w1", "url": "https://r.example/h", "object_type": "deployment",
        "object_name": "d1", "version": "v1", "event": "deployment_request_failed", "description": "", "labels": {"env": "prod"},
        "timeout": 30, "enabled": true, "retry": false, "include_result": false,
        "creation_date": "2026-01-01T00:00:00.000Z", "last_updated": "2026-01-01T00:00:00.000Z",
        "headers": [{"key": "Authorization", "value": null, "protected": true}, {"key": "X-A", "value": "1", "protected": false}],
    });
    assert_eq!(shown, expected);
    Ok(())
}

#[test]
fn every_bad_field_of_create_is_named() {
    for (changes, pointer) in [
        (json!({"name": ""}), "/name"),
        (json!({"name": "x".repeat(65)}), "/name"),
        (json!({"name": 1}), "/name"),
        (json!({"name": null}), "/name"),
        (json!({"url": "nowhere"}), "/url"),
        (json!({"url": "https://10.0.0.1/"}), "/url"),
        (json!({"object_type": "experiment"}), "/object_type"),
        (json!({"object_name": ""}), "/object_name"),
        (json!({"version": ""}), "/version"),
        (json!({"event": "deployment_request_done"}), "/event"),
        (json!({"event": "pipeline_request_failed"}), "/event"),
        (json!({"event": "*"}), "/event"),
        (json!({"description": "x".repeat(401)}), "/description"),
        (json!({"labels": ["a"]}), "/labels"),
        (json!({"labels": {"a": 1}}), "/labels/a"),
        (json!({"timeout": 0}), "/timeout"),
        (json!({"timeout": 31}), "/timeout"),
        (json!({"timeout": 1.5}), "/timeout"),
        (json!({"timeout": "10"}), "/timeout"),
        (json!({"enabled": "yes"}), "/enabled"),
        (json!({"retry": 1}), "/retry"),
        (json!({"include_result": []}), "/include_result"),
        (json!({"headers": {}}), "/headers"),
        (json!({"headers": [1]}), "/headers/0"),
        (json!({"headers": [{"key": "A", "protected": false}]}), "/headers/0/value"),
        (json!({"headers": [{"key": "A", "value": "", "protected": false}]}), "/headers/0/value"),
        (json!({"headers": [{"key": "A", "value": "1"}]}), "/headers/0/protected"),
        (json!({"headers": [{"key": "", "value": "1", "protected": true}]}), "/headers/0/key"),
        (json!({"headers": [{"value": "1", "protected": true}]}), "/headers/0/key"),
        (json!({"id": "x"}), "/id"),
        (json!({"contract": "standard"}), "/contract"),
    ] {
        assert_eq!(pointers(made(changes.clone())), [pointer], "{changes}");
    }
    assert_eq!(
        pointers(create("{}", &Policy::default())),
        ["/name", "/url", "/object_type", "/object_name", "/event"]
    );
    assert_eq!(pointers(create("[]", &Policy::default())), [""]);
    assert!(matches!(create("{", &Policy::default()), Err(InputFault::Malformed(_))));
}

#[test]
fn update_changes_only_what_was_sent() -> Outcome {
    let stored = made(json!({"labels": {"a": "b"}, "description": "text", "timeout": 20, "retry": true}))?;
    let updated = update(&stored, r#"{"enabled":false}"#, &Policy::default())?;
    assert_eq!(updated, Definition { enabled: false, ..stored.clone() });
    assert_eq!(update(&stored, "{}", &Policy::default())?, stored);
    Ok(())
}

#[test]
fn update_clears_and_restores_defaults() -> Outcome {
    let stored = made(
        json!({"labels": {"a": "b"}, "description": "text", "timeout": 20, "retry": true, "include_result": true, "enabled": false,
        "headers": [{"key": "X-A", "value": "1", "protected": false}]}),
    )?;
    let empty = json!({"labels": {}, "headers": [], "description": "", "timeout": null, "retry": null, "include_result": null, "enabled": null});
    assert_eq!(update(&stored, &empty.to_string(), &Policy::default())?, made(json!({}))?);
    Ok(())
}

#[test]
fn a_header_without_a_value_keeps_the_stored_one() -> Outcome {
    let stored = made(
        json!({"headers": [{"key": "A", "value": "hush", "protected": true}, {"key": "B", "value": "2", "protected": false}]}),
    )?;
    for kept in
        [json!({"key": "a", "protected": true}), json!({"key": "A", "value": null, "protected": true})]
    {
        let updated = update(&stored, &json!({"headers": [kept]}).to_string(), &Policy::default())?;
        assert_eq!(updated.headers.len(), 1, "a header left out is removed");
        assert!(updated.headers.iter().all(|header| header.value == "hush"
            && header.protected
            && header.is_kept_from(&stored.headers)));
    }
    let unknown = json!({"headers": [{"key": "C", "protected": true}]}).to_string();
    assert_eq!(pointers(update(&stored, &unknown, &Policy::default())), ["/headers/0/value"]);
    let revealing = json!({"headers": [{"key": "A", "protected": false}]}).to_string();
    assert_eq!(pointers(update(&stored, &revealing, &Policy::default())), ["/headers/0/value"]);
    Ok(())
}

#[test]
fn update_refuses_what_ubiops_does_not_let_change() -> Outcome {
    let stored = made(json!({}))?;
    for (patch, pointer) in [
        (json!({"object_type": "pipeline"}), "/object_type"),
        (json!({"object_name": "d2"}), "/object_name"),
        (json!({"version": "v2"}), "/version"),
        (json!({"name": "x".repeat(65)}), "/name"),
        (json!({"name": null}), "/name"),
        (json!({"url": null}), "/url"),
        (json!({"event": "pipeline_request_failed"}), "/event"),
        (json!({"timeout": 31}), "/timeout"),
    ] {
        assert_eq!(pointers(update(&stored, &patch.to_string(), &Policy::default())), [pointer], "{patch}");
    }
    Ok(())
}

#[test]
fn a_test_sends_the_event_that_it_names() -> Outcome {
    let body = json!({"url": "https://u:p@r.example/h", "object_type": "pipeline", "object_name": "p1", "event": "pipeline_request_finished", "include_result": true});
    let trial = test_create(&body.to_string(), &Policy::default())?;
    assert_eq!(trial.event.kind, "pipeline_request_completed");
    assert!(filter::matches(&trial.definition, &filter::EventFacts::from_event(&trial.event)));
    assert_eq!(trial.definition.headers.iter().map(|header| header.protected).collect::<Vec<_>>(), [true]);
    let named = json!({"name": "w", "url": "https://r.example", "object_type": "pipeline", "object_name": "p1", "event": "pipeline_request_failed"});
    assert_eq!(pointers(test_create(&named.to_string(), &Policy::default())), ["/name"]);
    Ok(())
}

#[test]
fn a_test_reads_as_the_client_expects() {
    let test = TestView {
        id: String::from("tst_019a91c2-77f0-7b41-9d2e-5f6f1b0c8a11"),
        webhook: None,
        status: TestStatus::Failed,
        error_message: Some(String::from("Connection error")),
        retry: true,
        attempts: 6,
        next_attempt_at: None,
        attempt: None,
        variation: None,
        finding: None,
        created_at: Timestamp(0),
    };
    let shown = serde_json::to_value(TestDetail::from_view(&test)).unwrap_or_default();
    assert_eq!(
        shown,
        json!({"id": "019a91c2-77f0-7b41-9d2e-5f6f1b0c8a11", "status": "failed", "error_message": "Connection error"})
    );
}

#[test]
fn the_list_filter_asks_for_every_pair() -> Outcome {
    let labels = json!({"team": "geo", "env": "prod", "url": "http://x", "city": "Zug, Switzerland", "odd": ",a:b,", "none": ""});
    let webhook = view(&made(json!({ "labels": labels }))?);
    for (query, is_listed) in [
        ("", true),
        ("labels=", true),
        ("labels=team%3Ageo", true),
        ("labels=team%3Ageo%2Cenv%3Aprod", true),
        ("labels=team:geo,env:test", false),
        ("labels=other:geo", false),
        ("labels=url:http://x", true),
        ("labels=city%3AZug%2C%20Switzerland", true),
        ("labels=team:geo,city:Zug, Switzerland,env:prod", true),
        ("labels=city:Zug, Switzerland,env:test", false),
        ("labels=city:Zug", false),
        ("labels=city:Zug,", false),
        ("labels=odd:,a:b,", true),
        ("labels=odd:,a:b,,none:,env:prod", true),
        ("labels=none:", true),
        ("labels=team:geo,more", false),
        ("object_type=deployment&event=deployment_request_failed", true),
        ("object_type=pipeline", false),
        ("event=deployment_request_finished", false),
    ] {
        assert_eq!(ListFilter::parse(query)?.matches(&webhook), is_listed, "{query}");
    }
    for (query, pointer) in [
        ("labels=team", "?labels"),
        ("object_type=x", "?object_type"),
        ("event=x", "?event"),
        ("limit=1", "?limit"),
        ("labels=a:b&labels=c:d", "?labels"),
        (&format!("labels=a:{}", ",".repeat(128)), "?labels"),
    ] {
        assert_eq!(pointers(ListFilter::parse(query).map_err(InputFault::from)), [pointer], "{query}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_label_that_may_be_written_can_be_asked_for(
        labels in prop::collection::btree_map("[^:,\\p{C}]{1,8}", "[a-c:, é%&=+]{0,8}", 1..4),
        asked in prop::collection::vec(any::<bool>(), 4),
    ) {
        let webhook = view(&made(json!({ "labels": labels })).unwrap_or_else(|fault| panic!("{fault:?}")));
        let asked: Vec<String> =
            labels.iter().zip(asked).filter(|(_, asked)| *asked).map(|((key, value), _)| format!("{key}:{value}")).collect();
        let encoded: String = asked.join(",").bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02x}"));
        let filter = ListFilter::parse(&format!("labels={encoded}")).unwrap_or_else(|faults| panic!("{faults:?}"));
        prop_assert!(filter.matches(&webhook), "{asked:?}");
        if let Some((key, value)) = filter.only_label() {
            prop_assert_eq!(labels.get(&key), Some(&value), "what the store may be asked for is right");
        }
    }

    #[test]
    fn a_webhook_that_is_nearly_valid_is_read_or_explained(
        body in nearly(with(draft(), json!({
            "version": "v1", "headers": [{"key": "A", "value": "1", "protected": true}], "timeout": 10,
            "labels": {"a": "b"}, "enabled": true, "retry": false, "include_result": true, "description": "d",
        }))),
    ) {
        is_read_or_explained(&body, create(&body.to_string(), &Policy::default()))?;
    }
}
