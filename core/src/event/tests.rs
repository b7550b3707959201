use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::fault::{Faults, InputFault, pointers};
use crate::nearly::{is_read_or_explained, nearly};

#[test]
fn data_is_kept_byte_for_byte() -> Result<(), InputFault> {
    for data in
        ["null", "1E400", "12345678901234567890.10", r#"{ "b":1,"a" : 2, "a":3 }"#, r#""\u00e4ä""#, "[ ]"]
    {
        let event = parse_event(&format!(r#"{{"type":"order.paid","data":{data} }}"#))?;
        assert_eq!(event.data.get(), data);
    }
    Ok(())
}

#[test]
fn a_key_of_a_header_is_ascii_so_that_no_two_become_one() {
    assert_eq!(check_idempotency_header("order 7/a~"), Ok(()));
    for key in ["", "k\u{fffd}", "kö", "a\tb", "a\u{7f}", &"x".repeat(IDEMPOTENCY_KEY_CHARS_MAX + 1)] {
        assert!(check_idempotency_header(key).is_err(), "{key:?}");
    }
}

#[test]
fn every_field_is_taken() -> Result<(), InputFault> {
    let event = parse_event(
        r#"{"type":"a","data":{},"object":{"type":"deployment","name":"d1","version":"v1"},"idempotency_key":"k"}"#,
    )?;
    let object = ObjectRef {
        kind: String::from("deployment"),
        name: String::from("d1"),
        version: Some(String::from("v1")),
    };
    assert_eq!((event.object, event.idempotency_key.as_deref()), (Some(object), Some("k")));
    let event = parse_event(r#"{"type":"a","data":{},"order_key":"customer 7","labels":{"env":"prod"}}"#)?;
    assert_eq!(
        (event.order_key.as_deref(), event.labels.get("env").map(String::as_str)),
        (Some("customer 7"), Some("prod"))
    );
    let event = parse_event(
        r#"{"type":"a","data":{},"object":null,"idempotency_key":null,"order_key":null,"labels":null}"#,
    )?;
    assert_eq!(
        (event.object, event.idempotency_key, event.order_key, event.labels.len()),
        (None, None, None, 0)
    );
    Ok(())
}

#[test]
fn every_bad_field_is_named() {
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    for (body, pointer) in [
        (json!({"data": 1}).to_string(), "/type"),
        (json!({"type": "", "data": 1}).to_string(), "/type"),
        (json!({"type": "a..b", "data": 1}).to_string(), "/type"),
        (json!({"type": "order.*", "data": 1}).to_string(), "/type"),
        (json!({"type": "x".repeat(129), "data": 1}).to_string(), "/type"),
        (json!({"type": 1, "data": 1}).to_string(), "/type"),
        (json!({"type": "a"}).to_string(), "/data"),
        (format!(r#"{{"type":"a","data":{deep}}}"#), "/data"),
        (String::from(r#"{"type":"a","data":"\ud800"}"#), "/data"),
        (String::from(r#"{"type":"a","data":1,"data":2}"#), "/data"),
        (String::from(r#"{"type":"a","type":"b","data":1}"#), "/type"),
        (String::from(r#"{"type":"a","data":1,"idempotency_key":"\ud800"}"#), "/idempotency_key"),
        (String::from(r#"{"type":1e999,"data":1}"#), "/type"),
        (json!({"type": "a", "data": 1, "object": 1}).to_string(), "/object"),
        (json!({"type": "a", "data": 1, "object": {"type": "x"}}).to_string(), "/object/name"),
        (json!({"type": "a", "data": 1, "object": {"type": "x", "name": ""}}).to_string(), "/object/name"),
        (
            json!({"type": "a", "data": 1, "object": {"type": "x", "name": "y", "id": 1}}).to_string(),
            "/object/id",
        ),
        (
            json!({"type": "a", "data": 1, "object": {"type": "x", "name": "y".repeat(129)}}).to_string(),
            "/object/name",
        ),
        (json!({"type": "a", "data": 1, "idempotency_key": ""}).to_string(), "/idempotency_key"),
        (json!({"type": "a", "data": 1, "idempotency_key": "x".repeat(129)}).to_string(), "/idempotency_key"),
        (json!({"type": "postern.webhook.failing", "data": 1}).to_string(), "/type"),
        (json!({"type": "postern.x", "data": 1}).to_string(), "/type"),
        (json!({"type": "a", "data": 1, "order_key": ""}).to_string(), "/order_key"),
        (json!({"type": "a", "data": 1, "order_key": "x".repeat(129)}).to_string(), "/order_key"),
        (json!({"type": "a", "data": 1, "order_key": 7}).to_string(), "/order_key"),
        (json!({"type": "a", "data": 1, "labels": []}).to_string(), "/labels"),
        (json!({"type": "a", "data": 1, "labels": {"a:b": "x"}}).to_string(), "/labels/a:b"),
        (json!({"type": "a", "data": 1, "labels": {"a": 1}}).to_string(), "/labels/a"),
        (json!({"type": "a", "data": 1, "time": 1}).to_string(), "/time"),
        (String::from("[]"), ""),
        (String::from("null"), ""),
        (String::from("\"x\""), ""),
    ] {
        let found = pointers(parse_event(&body));
        assert_eq!(found.first().map(String::as_str), Some(pointer), "{body} {found:?}");
    }
    assert_eq!(pointers(parse_event("{}")), ["/type", "/data"]);
    assert!(matches!(parse_event("{\"type\":\"a\","), Err(InputFault::Malformed(_))));
    assert!(matches!(parse_event("{} x"), Err(InputFault::Malformed(_))));
}

#[test]
fn producers_can_not_post_what_postern_itself_tells() -> Result<(), InputFault> {
    for kind in Operational::ALL {
        let own = NewEvent::operational(kind, &json!({"webhook": "w"}));
        assert!(
            is_operational(&own.kind) && is_event_type(&own.kind) && own.data.get() == r#"{"webhook":"w"}"#
        );
        assert_eq!(pointers(parse_event(&json!({"type": own.kind, "data": 1}).to_string())), ["/type"]);
        assert_eq!(
            pointers(parse_batch(&json!({"events": [{"type": own.kind, "data": 1}]}).to_string())),
            ["/events/0/type"]
        );
    }
    for kind in ["postern", "posterns.x", "a.postern.b"] {
        assert_eq!(parse_event(&json!({"type": kind, "data": 1}).to_string())?.kind, kind);
    }
    Ok(())
}

#[test]
fn an_event_of_an_older_version_reads_back() {
    let event: Result<NewEvent, _> = serde_json::from_str(r#"{"type":"a","data":1}"#);
    assert!(event.is_ok_and(|event| event.order_key.is_none() && event.labels.is_empty()));
}

#[test]
fn a_batch_is_taken_whole_or_not_at_all() -> Result<(), InputFault> {
    let event = json!({"type": "a", "data": 1});
    assert_eq!(parse_batch(&json!({"events": [event, event]}).to_string())?.len(), 2);
    assert_eq!(parse_batch(&json!({"events": vec![&event; 100]}).to_string())?.len(), 100);
    for (body, expected) in [
        (
            json!({"events": [event, {"type": "a b", "data": 1}, 7, {"data": 1}]}),
            vec!["/events/1/type", "/events/2", "/events/3/type"],
        ),
        (json!({"events": []}), vec!["/events"]),
        (json!({"events": vec![&event; 101]}), vec!["/events"]),
        (json!({"events": {}}), vec!["/events"]),
        (json!({}), vec!["/events"]),
        (json!({"events": [event], "more": 1}), vec!["/more"]),
        (json!([event]), vec![""]),
    ] {
        assert_eq!(pointers(parse_batch(&body.to_string())), expected, "{body}");
    }
    Ok(())
}

#[test]
fn a_catalogue_entry_needs_a_name() {
    let entry = parse_event_type(
        &json!({"name": "order.paid", "description": "Money came in.", "example": {"n": 1}}),
    );
    assert!(entry.is_ok_and(|entry| entry.example == Some(json!({"n": 1}))));
    assert!(
        parse_event_type(&json!({"name": "order.paid", "example": null}))
            .is_ok_and(|entry| entry.example.is_none() && entry.description.is_empty())
    );
    for (body, pointer) in [
        (json!({}), "/name"),
        (json!({"name": "order.*"}), "/name"),
        (json!({"name": "a", "description": "x".repeat(401)}), "/description"),
        (json!({"name": "a", "schema": []}), "/schema"),
        (json!({"name": "a", "schema": {"pattern": "x"}}), "/schema/pattern"),
        (json!({"name": "a", "schema": {"type": "string"}, "example": 1}), "/example"),
        (json!({"name": "a", "schema": {"required": ["n"]}, "example": {}}), "/example/n"),
        (json!({"name": "a", "archived": 1}), "/archived"),
    ] {
        assert_eq!(pointers(parse_event_type(&body).map_err(InputFault::from)), [pointer], "{body}");
    }
}

#[test]
fn a_patch_of_a_catalogue_entry_changes_only_what_it_names() -> Result<(), Faults> {
    let current = parse_event_type(&json!({"name": "a", "description": "d", "example": {"n": 1}}))?;
    let patched = |patch: Value| update_event_type(current.clone(), &patch);
    assert_eq!(patched(json!({}))?, current);
    assert_eq!(patched(json!({"name": "a"}))?, current);
    let archived = patched(json!({"archived": true, "description": null}))?;
    assert_eq!(
        (archived.archived, archived.description.as_str(), &archived.example),
        (true, "", &current.example)
    );
    let schema = json!({"properties": {"n": {"type": "integer"}}});
    assert_eq!(patched(json!({"schema": schema}))?.schema, Some(schema));
    for (patch, pointer) in [
        (json!({"name": "b"}), "/name"),
        (json!({"schema": {"properties": {"n": {"type": "string"}}}}), "/example/n"),
        (json!({"more": 1}), "/more"),
    ] {
        assert_eq!(pointers(patched(patch.clone()).map_err(InputFault::from)), [pointer], "{patch}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(text in ".{0,60}") {
        let _event = parse_event(&text);
        let _event = parse_event(&format!(r#"{{"type":"a","data":{text}}}"#));
        let _batch = parse_batch(&format!(r#"{{"events":[{text}]}}"#));
    }

    #[test]
    fn an_event_that_is_nearly_valid_is_read_or_explained(
        event in nearly(json!({
            "type": "order.paid", "data": {"n": [1, "x"]}, "idempotency_key": "k", "order_key": "o",
            "object": {"type": "deployment", "name": "d1", "version": "v1"}, "labels": {"env": "prod"},
        })),
        batch in nearly(json!({"events": [{"type": "a", "data": 1}, {"type": "b", "data": null, "labels": {"a": "b"}}]})),
    ) {
        is_read_or_explained(&event, parse_event(&event.to_string()))?;
        is_read_or_explained(&batch, parse_batch(&batch.to_string()))?;
    }

    #[test]
    fn a_catalogue_entry_that_is_nearly_valid_is_read_or_explained(
        entry in nearly(json!({
            "name": "order.paid", "description": "Money came in.", "archived": false, "example": {"n": 1},
            "schema": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer", "minimum": 0}}},
        })),
    ) {
        is_read_or_explained(&entry, parse_event_type(&entry).map_err(InputFault::from))?;
    }
}

#[test]
fn keys_and_objects_show_all_that_they_hold() {
    for (field, pointer) in [
        (json!({"idempotency_key": "a\u{200b}"}), "/idempotency_key"),
        (json!({"order_key": "a\u{202e}"}), "/order_key"),
        (json!({"object": {"type": "a/b", "name": "c"}}), "/object/type"),
        (json!({"object": {"type": "a", "name": "b\u{feff}"}}), "/object/name"),
        (json!({"object": {"type": "a", "name": "b", "version": "\u{2066}"}}), "/object/version"),
        (json!({"labels": {"a": "\u{200b}"}}), "/labels/a"),
    ] {
        let mut body = json!({"type": "a", "data": 1});
        body.as_object_mut()
            .into_iter()
            .for_each(|map| map.extend(field.as_object().cloned().unwrap_or_default()));
        let Err(InputFault::Invalid(faults)) = parse_event(&body.to_string()) else { panic!("{body}") };
        let pointers: Vec<String> = faults.into_iter().map(|fault| fault.pointer).collect();
        assert_eq!(pointers, [pointer], "{body}");
    }
    let body = json!({"type": "a", "data": 1, "object": {"type": "a", "name": "b/c"}});
    assert!(parse_event(&body.to_string()).is_ok(), "a name may hold slashes");
}
