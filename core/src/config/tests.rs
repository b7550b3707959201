//! A document that is read back changes nothing; everything else is said before it is done.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::plan::{Plan, Step};
use super::*;
use crate::api::event::EventTypeView;
use crate::api::project::ProjectSettings;
use crate::egress::Policy;
use crate::event::EventTypeDraft;
use crate::fault::{Faults, InputFault};
use crate::json::counted::values_read;
use crate::time::Timestamp;
use crate::webhook::parse::{self, SecretChoice};
use crate::webhook::{Contract, Definition};

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
        "description": "All of it", "labels": {"team": "a"}, "timeout_s": 20, "retry_schedule_s": [1, 2], "paused": true, "confirm_gone": true,
        "rate_limit": {"calls": 5, "per_s": 1}, "concurrency_limit": 2, "ordered": true, "filter": {"field": "amount", "gt": 5},
        "event_labels": {"env": "prod"}, "enabled": false,
    });
    let quiet =
        json!({"name": "quiet", "url": "https://quiet.example/", "contract": "ubiops", "events": ["*"]});
    let kind = EventTypeView {
        name: String::from("order.paid"),
        description: String::from("Money came in."),
        example: Some(json!({"n": 1})),
        schema: Some(json!({"type": "object"})),
        archived: false,
        version: 3,
        created_at: Timestamp(0),
    };
    let settings = ProjectSettings {
        retry_schedule_s: Some(vec![5]),
        retention_days: 7,
        actinia_locations: vec![String::from("nc")],
    };
    State { settings, event_types: vec![kind], webhooks: vec![(2, webhook(&full)), (1, webhook(&quiet))] }
}

fn planned(state: &State, document: Value, prune: bool) -> Result<Plan, Faults> {
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
fn a_field_that_is_left_out_has_its_default() -> Result<(), Faults> {
    let state = state();
    let mut written = document(&state);
    if let Some(full) = written["webhooks"][0].as_object_mut() {
        full.retain(|key, _value| matches!(key.as_str(), "name" | "url" | "events"));
    }
    let plan = planned(&state, written, false)?;
    let [Step::UpdateWebhook(after, SecretChoice::Given)] = plan.steps.as_slice() else {
        panic!("{:?}", plan.changes)
    };
    let before = &state.webhooks[0].1;
    let wanted = Definition {
        secret: before.secret.clone(),
        ..Definition::new(before.name.clone(), before.url.clone(), before.contract, before.events.clone())
    };
    assert_eq!(**after, wanted, "but for the secret, which is kept");
    assert!(
        plan.changes[0].fields.0.contains_key("headers") && !plan.changes[0].fields.0.contains_key("secret")
    );
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
    let new =
        json!({"name": "new", "url": "https://new.example/", "events": ["*"], "secret": {"keep": true}});
    written["webhooks"].as_array_mut().unwrap_or_else(|| panic!("a list")).push(new);
    let shown = text(&state, written, true);
    let expected = concat!(
        "~ settings\n    actinia_locations: [\"nc\"] -> []\n    retention_days: 7 -> 9\n    retry_schedule_s: [5] -> null\n",
        "~ event type order.paid\n    archived: false -> true\n    description: \"Money came in.\" -> \"\"\n",
        "    example: {\"n\":1} -> null\n    schema: {\"type\":\"object\"} -> null\n",
        "~ webhook quiet\n    secret: null -> \"set\"\n    timeout_s: 10 -> 5\n",
        "+ webhook new\n    contract: \"standard\"\n    events: [\"*\"]\n    name: \"new\"\n    secret: \"set\"\n    url: \"https://new.example/\"\n",
        "    (there is no secret to keep, so a new one is made; give it to the receiver)\n",
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
fn a_secret_that_can_not_be_kept_is_made_and_the_plan_says_so() -> Result<(), Faults> {
    for contract in Contract::ALL {
        let declared = json!({"name": "w", "url": "https://w.example/", "contract": contract, "events": ["*"], "secret": {"keep": true}});
        let document = || json!({"webhooks": [declared.clone()]});
        let plan = planned(&State::default(), document(), false)?;
        assert!(
            matches!(plan.steps.as_slice(), [Step::CreateWebhook(_, SecretChoice::Generate)]),
            "{contract:?}"
        );
        assert!(plan.view(String::new()).text.contains("there is no secret to keep"), "{contract:?}");
        // One that is there already and does not sign.
        let unsigned = webhook(
            &json!({"name": "w", "url": "https://w.example/", "contract": contract, "events": ["*"], "secret": null}),
        );
        let state = State { webhooks: vec![(1, unsigned)], ..State::default() };
        let plan = planned(&state, document(), false)?;
        assert!(
            matches!(plan.steps.as_slice(), [Step::UpdateWebhook(_, SecretChoice::Generate)]),
            "{contract:?}"
        );
        assert_eq!(plan.changes[0].notes.len(), 1);
    }
    let silent = json!({"webhooks": [{"name": "w", "url": "https://w.example/", "contract": "up42", "events": ["*"]}]});
    let plan = planned(&State::default(), silent, false)?;
    assert!(
        matches!(plan.steps.as_slice(), [Step::CreateWebhook(_, SecretChoice::Given)]),
        "up42 signs where somebody says so"
    );
    Ok(())
}

#[test]
fn an_example_that_says_little_is_an_example_all_the_same() {
    for example in [json!(false), json!(""), json!(0), json!([])] {
        let mut state = state();
        state.event_types[0] =
            EventTypeView { example: Some(example.clone()), schema: None, ..state.event_types[0].clone() };
        let written = document(&state);
        assert_eq!(written["event_types"][0]["example"], example);
        assert_eq!(text(&state, written, true), "Nothing changes.\n");
    }
}

#[test]
fn a_section_that_is_null_is_a_fault() {
    for section in ["settings", "event_types", "webhooks"] {
        let faults = planned(&state(), json!({ section: null }), true).err().unwrap_or_default();
        assert_eq!(
            faults.iter().map(|fault| fault.pointer.as_str()).collect::<Vec<_>>(),
            [format!("/document/{section}")]
        );
    }
}

/// What applying the document of `state` to an empty project makes; secrets are made as the edge makes them.
fn applied_to_nothing(document: Value) -> Result<State, Faults> {
    let plan = planned(&State::default(), document, true)?;
    let mut made = State::default();
    for step in plan.steps {
        match step {
            Step::Settings(settings) => made.settings = settings,
            Step::PutEventType(draft) => {
                let EventTypeDraft { name, description, example, schema, archived } = draft;
                made.event_types.push(EventTypeView {
                    name,
                    description,
                    example,
                    schema,
                    archived,
                    version: 1,
                    created_at: Timestamp(0),
                });
            }
            Step::CreateWebhook(mut webhook, choice) => {
                if choice == SecretChoice::Generate {
                    webhook.secret = Some(String::from("whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="));
                }
                made.webhooks.push((1, *webhook));
            }
            other => panic!("nothing was there: {other:?}"),
        }
    }
    Ok(made)
}

fn any_webhook() -> impl Strategy<Value = Definition> {
    let label = || prop::collection::btree_map("[ -+.-9;-~à-ÿ一-龥]{1,64}", "[ -~à-ÿ一-龥]{0,256}", 0..4);
    let header = ("[A-Za-z]{1,30}", "[!-~]{1,40}")
        .prop_map(|(key, value)| json!({"key": format!("X-{key}"), "value": value, "protected": false}));
    let parts = (
        ("n[ -~à-ÿ一-龥]{0,62}x", prop::sample::select(Contract::ALL.to_vec()), any::<bool>()),
        (label(), label(), prop::collection::vec(header, 0..=20), "[ -~à-ÿ一-龥\n]{0,400}"),
        (
            prop::option::of(prop::collection::vec(1u32..604_800, 0..=20)),
            prop::option::of((1u32..=10_000, 1u32..=3_600)),
            any::<[bool; 5]>(),
        ),
        (
            prop::option::of("[ -~à-ÿ一-龥]{1,128}"),
            prop::option::of(1u32..=100),
            prop::option::of("[a-z]{1,9}"),
            1u32..=30,
        ),
    );
    parts.prop_map(
        |(
            (name, contract, signed),
            (labels, event_labels, mut headers, description),
            (waits, rate, flags),
            (object, calls, field, timeout_s),
        )| {
            headers.dedup_by(|one, other| one["key"].to_string().to_lowercase() == other["key"].to_string().to_lowercase());
            let mut names = std::collections::BTreeSet::new();
            headers.retain(|header| names.insert(header["key"].to_string().to_lowercase()));
            let [enabled, retry, include_result, ordered, paused] = flags;
            webhook(&json!({
                "name": name, "url": "https://w.example/x?y=1", "contract": contract, "events": ["a.b", "c.*"], "labels": labels,
                "event_labels": event_labels, "headers": headers, "description": description, "retry_schedule_s": waits,
                "rate_limit": rate.map(|(calls, per_s)| json!({"calls": calls, "per_s": per_s})), "concurrency_limit": calls,
                "object": {"name": object}, "filter": field.map(|field| json!({"field": field, "gt": 5})), "timeout_s": timeout_s,
                "enabled": enabled, "retry": retry, "include_result": include_result && contract == Contract::Ubiops, "ordered": ordered, "paused": paused,
                "secret": signed.then_some("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
            }))
        },
    )
}

fn any_event_type() -> impl Strategy<Value = EventTypeView> {
    let example = prop::option::of(prop::sample::select(vec![
        json!(false),
        json!(""),
        json!({"a": [1, null]}),
        json!(0),
        json!("x"),
    ]));
    ("[a-z]{1,9}(\\.[a-z_0-9]{1,9}){0,2}", "[ -~à-ÿ一-龥]{0,400}", example, any::<bool>()).prop_map(
        |(name, description, example, archived)| EventTypeView {
            name,
            description,
            example,
            schema: None,
            archived,
            version: 1,
            created_at: Timestamp(0),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_exported_is_taken_back(
        webhooks in prop::collection::vec(any_webhook(), 0..6),
        event_types in prop::collection::vec(any_event_type(), 0..4),
        retention_days in 1u32..=365,
    ) {
        let mut state = State { settings: ProjectSettings { retention_days, ..ProjectSettings::default() }, ..State::default() };
        for webhook in webhooks {
            if state.webhooks.iter().all(|(_, known)| known.name != webhook.name) {
                state.webhooks.push((1, webhook));
            }
        }
        for kind in event_types {
            if state.event_types.iter().all(|known| known.name != kind.name) {
                state.event_types.push(kind);
            }
        }
        let exported = document(&state);
        let stored: usize = state.webhooks.iter().map(|(_, webhook)| serde_json::to_string(webhook).unwrap_or_default().len()).sum();
        let written: usize = exported["webhooks"].as_array().into_iter().flatten().map(|webhook| webhook.to_string().len()).sum();
        prop_assert!(written <= stored, "an export is no longer than what is stored: {written} {stored}");
        let request = Request::parse(&json!({ "document": exported }).to_string());
        prop_assert_eq!(request.map(|request| request.document), Ok(exported.clone()));
        prop_assert_eq!(text(&state, exported.clone(), true), "Nothing changes.\n");
        let made = applied_to_nothing(exported.clone()).unwrap_or_else(|faults| panic!("{faults:?}"));
        prop_assert_eq!(document(&made), exported);
    }
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
fn what_a_newer_rule_refuses_stays_as_it_is_exported() {
    let mut state = state();
    let (_version, old) = &mut state.webhooks[0];
    old.labels = [(String::from("team"), String::from("a\u{200b}"))].into();
    let path = json!({"field": "items[0].sku", "eq": 1});
    old.filter = Some(serde_json::from_value(path).unwrap_or_else(|error| panic!("{error}")));
    state.event_types[0].description = String::from("\u{202e}x");
    let exported = document(&state);
    assert_eq!(text(&state, exported.clone(), true), "Nothing changes.\n");
    let planned = |document: Value| {
        let request = Request { document, prune: false, expect: None };
        plan(&state, &request, &policy())
            .err()
            .unwrap_or_default()
            .into_iter()
            .map(|fault| fault.pointer)
            .collect()
    };
    let mut changed = exported.clone();
    changed["webhooks"][0]["timeout_s"] = json!(5);
    let at: Vec<String> = planned(changed);
    assert_eq!(at, ["/document/webhooks/0/labels/team", "/document/webhooks/0/filter/field"]);
    let mut changed = exported;
    changed["event_types"][0]["archived"] = json!(true);
    let at: Vec<String> = planned(changed);
    assert_eq!(at, ["/document/event_types/0/description"]);
}

#[test]
fn values_are_counted_outside_of_texts() {
    for (text, values) in
        [(r#"{"a":[1,2],"b":{}}"#, 5), (r#"",[{""#, 0), (r#"["\",[",{"\\":","}]"#, 3), ("[],[]", 3)]
    {
        assert_eq!(values_of(text), values, "{text}");
    }
    let commas = |count| json!({ "document": ",".repeat(count) }).to_string();
    assert!(Request::parse(&commas(2_000_000)).is_ok());
    let list = |count: usize| json!({ "document": vec![0; count] }).to_string();
    assert!(Request::parse(&list(PROJECT_VALUES_MAX)).is_ok());
    assert!(Request::parse(&list(PROJECT_VALUES_MAX + 2_000)).is_err());
}

#[test]
fn a_call_names_its_document() {
    let request = Request::parse(r#"{"document":{},"prune":true,"expect":"x"}"#);
    assert_eq!(request, Ok(Request { document: json!({}), prune: true, expect: Some(String::from("x")) }));
    assert!(
        matches!(Request::parse(r#"{"prune":1,"more":1}"#), Err(InputFault::Invalid(faults)) if faults.len() == 3)
    );
}

/// A draft as the catalogue shows it.
fn in_the_catalogue(draft: EventTypeDraft) -> EventTypeView {
    let EventTypeDraft { name, description, example, schema, archived } = draft;
    EventTypeView { name, description, example, schema, archived, version: 1, created_at: Timestamp(0) }
}

#[test]
fn planning_reads_each_value_of_a_document_once() {
    let types: Vec<Value> =
        (0..20).map(|number| json!({ "name": format!("t{number}"), "example": vec![number; 500] })).collect();
    let body = json!({ "document": { "event_types": types } }).to_string();
    // The body, the document, the list; of each type itself, its name, its example and the numbers in it.
    let values = 3 + 20 * (3 + 500);
    let planned = |state: &State| {
        let request = Request::parse(&body).unwrap_or_else(|fault| panic!("{fault:?}"));
        plan(state, &request, &policy()).unwrap_or_else(|faults| panic!("{faults:?}")).steps
    };
    let mut steps = Vec::new();
    assert_eq!(values_read(|| steps = planned(&State::default())), values, "all of it is new");
    let put = steps.into_iter().filter_map(|step| match step {
        Step::PutEventType(draft) => Some(in_the_catalogue(draft)),
        _ => None,
    });
    let known = State { event_types: put.collect(), ..State::default() };
    assert_eq!(known.event_types.len(), 20);
    assert_eq!(values_read(|| assert!(planned(&known).is_empty())), values, "nothing is new");
}
