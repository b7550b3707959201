//! A document that is read back changes nothing; everything else is said before it is done.

use serde_json::{Value, json};

use super::*;
use crate::egress::Policy;
use crate::fault::Fault;
use crate::time::Timestamp;
use crate::webhook::parse::{self, SecretChoice};

fn policy() -> Policy {
    Policy { allow_private_targets: false, own_hosts: Vec::new() }
}

fn webhook(draft: &Value) -> Definition {
    let (mut webhook, choice) = parse::create(draft, &policy()).unwrap_or_else(|faults| panic!("{faults:?}"));
    if choice == SecretChoice::Generate {
        webhook.secret = Some(String::from("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
    }
    webhook
}

fn state() -> State {
    let full = json!({
        "name": "full", "url": "https://full.example/", "events": ["order.*", "ping"], "object": {"type": "deployment"},
        "headers": [{"key": "Authorization", "value": "Bearer hidden", "protected": true}, {"key": "X-A", "value": "1"}],
        "description": "All of it", "labels": {"team": "a"}, "timeout_s": 20, "retry_schedule_s": [1, 2], "paused": true,
        "rate_limit": {"calls": 5, "per_s": 1}, "concurrency_limit": 2, "ordered": true, "filter": {"field": "amount", "gt": 5},
        "event_labels": {"env": "prod"}, "enabled": false,
    });
    let quiet = json!({"name": "quiet", "url": "https://quiet.example/", "contract": "ubiops", "events": ["*"]});
    let kind = EventTypeView {
        name: String::from("order.paid"),
        description: String::from("Money came in."),
        example: Some(json!({"n": 1})),
        schema: Some(json!({"type": "object"})),
        archived: false,
        version: 3,
        created_at: Timestamp(0),
    };
    let settings = ProjectSettings { retry_schedule_s: Some(vec![5]), retention_days: 7 };
    State { settings, event_types: vec![kind], webhooks: vec![(2, webhook(&full)), (1, webhook(&quiet))] }
}

fn planned(state: &State, document: Value, prune: bool) -> Result<Plan, Vec<Fault>> {
    plan(state, &Request { document, prune, expect: None }, &policy())
}

fn text(state: &State, document: Value, prune: bool) -> String {
    planned(state, document, prune).unwrap_or_else(|faults| panic!("{faults:?}")).view(String::new()).text
}

#[test]
fn a_document_holds_no_secret_and_reads_back_as_no_change() {
    let state = state();
    let written = document(&state);
    let shown = written.to_string();
    assert!(!shown.contains("whsec_") && !shown.contains("hidden"), "{shown}");
    assert_eq!(written["webhooks"][0]["secret"], json!({"keep": true}));
    assert_eq!(written["webhooks"][0]["headers"][0], json!({"key": "Authorization", "protected": true}));
    assert_eq!(
        written["webhooks"][1],
        json!({"name": "quiet", "url": "https://quiet.example/", "contract": "ubiops", "events": ["*"], "secret": null})
    );
    assert_eq!(text(&state, written, true), "Nothing changes.\n");
}

#[test]
fn a_field_that_is_left_out_has_its_default() -> Result<(), Vec<Fault>> {
    let state = state();
    let mut written = document(&state);
    if let Some(full) = written["webhooks"][0].as_object_mut() {
        full.retain(|key, _value| matches!(key.as_str(), "name" | "url" | "events"));
    }
    let plan = planned(&state, written, false)?;
    let [Step::UpdateWebhook(after)] = plan.steps.as_slice() else { panic!("{:?}", plan.changes) };
    let before = &state.webhooks[0].1;
    let wanted = Definition {
        secret: before.secret.clone(),
        ..Definition::new(before.name.clone(), before.url.clone(), before.contract, before.events.clone())
    };
    assert_eq!(**after, wanted, "but for the secret, which is kept");
    assert!(plan.changes[0].fields.0.contains_key("headers") && !plan.changes[0].fields.0.contains_key("secret"));
    Ok(())
}

#[test]
fn what_is_not_named_goes_only_where_the_call_says_prune_and_its_section_is_there() {
    let state = state();
    let empty = || json!({"webhooks": [], "event_types": []});
    assert_eq!(text(&state, empty(), false), "Nothing changes.\n");
    assert_eq!(text(&state, empty(), true), "- event type order.paid\n- webhook full\n- webhook quiet\n");
    assert_eq!(text(&state, json!({"webhooks": []}), true), "- webhook full\n- webhook quiet\n");
    assert_eq!(text(&state, json!({}), true), "Nothing changes.\n");
}

#[test]
fn a_plan_is_readable() {
    let state = state();
    let mut written = document(&state);
    written["settings"] = json!({"retention_days": 9});
    written["event_types"] = json!([{"name": "order.paid", "archived": true}]);
    written["webhooks"][1]["timeout_s"] = json!(5);
    written["webhooks"][1]["secret"] = json!("whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
    let new = json!({"name": "new", "url": "https://new.example/", "events": ["*"], "secret": {"keep": true}});
    written["webhooks"].as_array_mut().unwrap_or_else(|| panic!("a list")).push(new);
    let shown = text(&state, written, true);
    let expected = concat!(
        "~ settings\n    retention_days: 7 -> 9\n    retry_schedule_s: [5] -> null\n",
        "~ event type order.paid\n    archived: false -> true\n    description: \"Money came in.\" -> \"\"\n",
        "    example: {\"n\":1} -> null\n    schema: {\"type\":\"object\"} -> null\n",
        "~ webhook quiet\n    secret: null -> \"set\"\n    timeout_s: 10 -> 5\n",
        "+ webhook new\n    contract: \"standard\"\n    events: [\"*\"]\n    name: \"new\"\n    secret: \"set\"\n    url: \"https://new.example/\"\n",
    );
    assert_eq!(shown, expected);
}

#[test]
fn every_fault_of_a_document_is_named_at_once() {
    let document = json!({
        "settings": {"retention_days": 0, "more": 1},
        "event_types": [{"name": "a b"}, {"name": "a"}, {"name": "a"}, {"name": "b", "schema": {"pattern": "x"}}],
        "webhooks": [
            {"name": "w", "url": "http://127.0.0.1/", "events": ["*"], "colour": 1},
            {"url": "https://a.example/"},
            {"name": "new", "url": "https://a.example/", "events": ["*"], "headers": [{"key": "A", "protected": true}]},
            {"name": "new2", "url": "https://a.example/", "events": ["*"], "secret": {"keep": false}},
            7,
        ],
        "runs": [],
    });
    let faults = planned(&state(), document, false).err().unwrap_or_default();
    let mut pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        [
            "/document/event_types/0/name",
            "/document/event_types/2/name",
            "/document/event_types/3/schema/pattern",
            "/document/runs",
            "/document/settings/more",
            "/document/settings/retention_days",
            "/document/webhooks/0/colour",
            "/document/webhooks/0/url",
            "/document/webhooks/1/events",
            "/document/webhooks/1/name",
            "/document/webhooks/2/headers/0/value",
            "/document/webhooks/3/secret",
            "/document/webhooks/4",
        ]
    );
}

#[test]
fn a_digest_stands_for_one_state() {
    let one = state();
    let mut other = state();
    assert_eq!(one.digest(), other.digest());
    other.webhooks[0].0 += 1;
    assert_ne!(one.digest(), other.digest());
}

#[test]
fn a_call_names_its_document() {
    let request = Request::parse(r#"{"document":{},"prune":true,"expect":"x"}"#);
    assert_eq!(request, Ok(Request { document: json!({}), prune: true, expect: Some(String::from("x")) }));
    assert!(matches!(Request::parse(r#"{"prune":1,"more":1}"#), Err(InputFault::Invalid(faults)) if faults.len() == 3));
}
