//! What the vectors (`core/vectors/condition.json`) do not show: limits, explanations, and laws that hold for
//! any data.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::budget::Budget;
use crate::nearly::{nearly, point_into};

fn condition(value: &Value) -> Condition {
    Condition::parse(value, "").unwrap_or_else(|faults| panic!("{value}: {faults:?}"))
}

fn pointers(value: &Value) -> Vec<String> {
    Condition::parse(value, "/filter")
        .map_or_else(|faults| faults.into_iter().map(|fault| fault.pointer).collect(), |_| Vec::new())
}

fn leaf() -> Value {
    json!({"field": "a", "eq": 1})
}

#[test]
fn limits_are_reached_exactly() {
    assert_eq!(pointers(&json!({"and": vec![leaf(); 64]})), [""; 0]);
    assert_eq!(pointers(&json!({"and": vec![leaf(); 65]})), ["/filter"]);
    let nested = |levels: usize| (1..levels).fold(leaf(), |node, _| json!({"not": node}));
    assert_eq!(pointers(&nested(8)), [""; 0]);
    assert_eq!(pointers(&nested(9)), [format!("/filter{}", "/not".repeat(8))]);
    assert_eq!(pointers(&json!({"field": "a", "in": vec![1; 100]})), [""; 0]);
    assert_eq!(pointers(&json!({"field": "a", "in": vec![1; 101]})), ["/filter/in"]);
    assert_eq!(pointers(&json!({"field": "ü".repeat(256), "eq": 1})), [""; 0]);
    assert_eq!(pointers(&json!({"field": "ü".repeat(257), "eq": 1})), ["/filter/field"]);
    let long = |bytes: usize| json!({"field": "a", "eq": "x".repeat(bytes - json!({"field": "a", "eq": ""}).to_string().len())});
    assert_eq!(pointers(&long(BYTES_MAX)), [""; 0]);
    assert_eq!(pointers(&long(BYTES_MAX + 1)), ["/filter"]);
}

#[test]
fn every_bad_part_is_named_at_once() {
    let bad = json!({"and": [
        {"field": "a", "eq": 1}, {"field": "a..b", "eq": 1}, {"field": 1, "gt": null, "like": 2}, {"or": []}, {"or": {}}, 7, {},
        {"field": "a"}, {"not": {"field": "a", "in": "x"}, "or": []}, {"not": {"field": "/a~2", "exists": 1}},
    ]});
    assert_eq!(
        pointers(&bad),
        [
            "/filter/and/1/field",
            "/filter/and/2/field",
            "/filter/and/2/gt",
            "/filter/and/2/like",
            "/filter/and/3/or",
            "/filter/and/4/or",
            "/filter/and/5",
            "/filter/and/6",
            "/filter/and/7",
            "/filter/and/8",
            "/filter/and/9/not/field",
            "/filter/and/9/not/exists",
        ]
    );
}

#[test]
fn each_part_says_whether_it_holds_and_what_was_found() {
    let condition = condition(&json!({"and": [
        {"field": "amount", "gte": 100, "lt": 200}, {"or": [{"field": "/customer/country", "in": ["DE", "AT"]}, {"field": "vip", "eq": true}]},
        {"not": {"field": "test", "exists": true}},
    ]}));
    let clause = condition.explain_within(
        &json!({"amount": 250, "customer": {"country": "AT"}, "test": null}),
        "/filter",
        &Budget::unlimited(),
    );
    let shown =
        |clause: &Clause| (clause.pointer.clone(), clause.text.clone(), clause.holds, clause.found.clone());
    let own = |pointer: &str, text: &str, holds: bool, found: Option<&str>| {
        (String::from(pointer), String::from(text), holds, found.map(String::from))
    };
    assert_eq!(shown(&clause), own("/filter", "all of these hold", false, None));
    let [amount, country, test] = clause.children.as_slice() else { panic!("{clause:?}") };
    assert_eq!(shown(amount), own("/filter/and/0", "amount: all of these hold", false, Some("250")));
    let tests: Vec<_> = amount.children.iter().map(shown).collect();
    assert_eq!(
        tests,
        [
            own("/filter/and/0/gte", "amount gte 100", true, Some("250")),
            own("/filter/and/0/lt", "amount lt 200", false, Some("250"))
        ]
    );
    assert_eq!(shown(country), own("/filter/and/1", "at least one of these holds", true, None));
    let tests: Vec<_> = country.children.iter().map(shown).collect();
    assert_eq!(
        tests,
        [
            own("/filter/and/1/or/0", "/customer/country in [\"DE\",\"AT\"]", true, Some("\"AT\"")),
            own("/filter/and/1/or/1", "vip eq true", false, None)
        ]
    );
    assert_eq!(shown(test), own("/filter/and/2", "this does not hold", false, None));
    assert_eq!(
        test.children.iter().map(shown).collect::<Vec<_>>(),
        [own("/filter/and/2/not", "test exists true", true, Some("null"))]
    );
}

#[test]
fn what_was_found_is_cut() {
    let clause = condition(&json!({"field": "a", "exists": true})).explain(&json!({"a": "ü".repeat(300)}));
    let found = clause.found.unwrap_or_default();
    assert!(found.chars().count() == FOUND_CHARS_MAX && found.ends_with('…'), "{found}");
}

#[test]
fn of_a_list_the_first_thousand_elements_are_looked_at_and_the_explanation_says_so() {
    let list = |last: usize| json!({"a": (0..=last).collect::<Vec<_>>(), "b": (0..=last).map(|n| json!({"n": [n]})).collect::<Vec<_>>()});
    for (field, data, wanted, expected) in [
        ("a", list(999), 999, true),
        ("a", list(5_000), 999, true),
        ("a", list(1_000), 1_000, false),
        ("b.n", list(499), 499, true),
        ("b.n", list(999), 999, false),
    ] {
        let eq = condition(&json!({"field": field, "eq": wanted})).explain(&data);
        let ne = condition(&json!({"field": field, "ne": wanted})).explain(&data);
        let shown = format!("{field} {wanted}");
        assert_eq!((eq.holds, ne.holds), (expected, !expected), "{shown}");
        let says = |clause: &Clause| clause.text.ends_with("the first 1,000 elements are looked at)");
        assert_eq!((says(&eq), says(&ne)), (!expected, !expected), "{shown}: {}", eq.text);
    }
    let all = condition(&json!({"field": "b.n", "exists": true})).explain(&list(3));
    assert_eq!((all.text.as_str(), all.found.as_deref()), ("b.n exists true", Some("[[0],[1],[2],[3]]")));
}

/// Steps that a condition takes, whatever it comes to.
fn steps(written: &Value, data: &Value) -> u64 {
    let budget = Budget::unlimited();
    let _verdict = condition(written).holds_within(data, &budget);
    budget.used()
}

#[test]
fn a_condition_pays_for_what_it_looks_at_and_for_no_more() {
    // 50 fields, 100 values each, and a list that fills a body.
    let values: Vec<u32> = (0..100).collect();
    let many = json!({"and": vec![json!({"field": "a", "nin": values}); 50]});
    let long = json!({"a": vec![7_000; 50_000]});
    let spent = steps(&many, &long);
    assert!((50_000..5_000_000).contains(&spent), "{spent}");
    assert!(
        steps(&many, &json!({"a": vec![7_000; 1_000]})).abs_diff(spent) < 100,
        "what lies behind costs nothing"
    );
    // Long texts: what is compared is paid.
    let text = "x".repeat(8_000);
    let same = json!({"field": "a", "eq": text});
    assert!(steps(&same, &json!({"a": vec![text.as_str(); 30]})) > 1_000);
    let differing = vec![json!(format!("{}y", &text[1..])); 30];
    assert!(steps(&same, &json!({"a": differing})) > 30 * 1_000);
    // A budget that is spent says so, and nothing goes on.
    let budget = Budget::new(10_000);
    let _verdict = condition(&many).holds_within(&long, &budget);
    assert!(budget.is_spent() && budget.used() <= 10_000);
}

#[test]
fn what_an_explanation_shows_is_made_no_longer_than_it_is_shown() {
    let data = json!({"a": "ü".repeat(100_000), "b": vec!["🌍"; 50_000]});
    for field in ["a", "b"] {
        let found =
            condition(&json!({"field": field, "exists": true})).explain(&data).found.unwrap_or_default();
        assert!(found.chars().count() == FOUND_CHARS_MAX && found.ends_with('…'), "{found}");
    }
}

fn any_data() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3i64..3).prop_map(Value::from),
        (-3.0f64..3.0).prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "[a-cü]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[ab]", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_condition() -> impl Strategy<Value = Value> {
    let leaf = (prop::sample::select(vec!["a", "b", "a.b", "a.0", "/a/b"]), 0..Op::ALL.len(), any_data())
        .prop_map(|(field, op, wanted)| {
            let op = Op::ALL[op];
            let wanted = match op {
                Op::Exists => json!(wanted.is_null()),
                Op::In | Op::Nin => json!([wanted]),
                Op::Gt | Op::Gte | Op::Lt | Op::Lte if !wanted.is_number() => json!("b"),
                Op::StartsWith | Op::EndsWith => json!("a"),
                _ => wanted,
            };
            json!({"field": field, op.as_str(): wanted})
        });
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(|nodes| json!({"and": nodes})),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|nodes| json!({"or": nodes})),
            inner.prop_map(|node| json!({"not": node})),
        ]
    })
}

/// Whether each clause agrees with its children.
fn is_consistent(clause: &Clause) -> bool {
    let children = || clause.children.iter().map(|child| child.holds);
    let agrees = match clause.text.as_str() {
        "at least one of these holds" => clause.holds == children().any(|holds| holds),
        "this does not hold" => clause.holds != children().any(|holds| holds),
        _ if clause.children.is_empty() => true,
        _ => clause.holds == children().all(|holds| holds),
    };
    agrees && clause.children.iter().all(is_consistent)
}

proptest! {
    #[test]
    fn an_explanation_agrees_with_the_verdict(written in any_condition(), data in any_data()) {
        let condition = condition(&written);
        let clause = condition.explain(&data);
        prop_assert_eq!(clause.holds, condition.holds(&data));
        prop_assert!(is_consistent(&clause), "{clause:?}");
    }

    #[test]
    fn a_condition_is_kept_as_it_was_written(written in any_condition()) {
        let condition = condition(&written);
        prop_assert_eq!(condition.to_value().to_string(), written.to_string());
        let stored = serde_json::to_string(&condition).unwrap_or_default();
        prop_assert_eq!(serde_json::from_str::<Condition>(&stored).ok(), Some(condition));
    }

    #[test]
    fn each_operator_is_the_opposite_of_its_negation(data in any_data(), wanted in any_data(), field in "[ab](\\.[ab0])?") {
        let holds = |op: &str, wanted: &Value| condition(&json!({"field": field, op: wanted})).holds(&data);
        prop_assert_ne!(holds("eq", &wanted), holds("ne", &wanted));
        prop_assert_ne!(holds("in", &json!([wanted])), holds("nin", &json!([wanted])));
        prop_assert_eq!(holds("eq", &wanted), holds("in", &json!([wanted])));
        prop_assert_ne!(holds("exists", &json!(true)), holds("exists", &json!(false)));
    }

    #[test]
    fn whole_numbers_are_ordered_exactly(a: i64, b: u64) {
        let holds = |op: &str| condition(&json!({"field": "n", op: b})).holds(&json!({"n": a}));
        let (a, b) = (i128::from(a), i128::from(b));
        prop_assert_eq!([holds("lt"), holds("lte"), holds("eq"), holds("gte"), holds("gt")], [a < b, a <= b, a == b, a >= b, a > b]);
    }

    #[test]
    fn whatever_is_written_is_taken_or_named(written in any_data(), field in ".{0,20}", data in any_data()) {
        for written in [written.clone(), json!({"and": [written]}), json!({"field": field, "eq": written}), json!({"not": {"field": field, "gt": written}})] {
            match Condition::parse(&written, "/filter") {
                Ok(condition) => {
                    let _holds = condition.holds(&data);
                }
                Err(faults) => prop_assert!(!faults.is_empty() && faults.iter().all(|fault| fault.pointer.starts_with("/filter"))),
            }
        }
    }

    #[test]
    fn a_condition_that_is_nearly_valid_is_read_or_explained(
        written in nearly(json!({
            "and": [
                {"field": "amount", "gt": 100, "lte": 2e3},
                {"or": [{"field": "/a~1b/0", "in": ["x", 1]}, {"not": {"field": "items.sku", "starts_with": "a"}}]},
                {"field": "customer.country", "exists": true},
            ],
        })),
        data in any_data(),
    ) {
        match Condition::parse(&written, "/filter") {
            Ok(condition) => {
                prop_assert_eq!(condition.to_value(), written);
                prop_assert_eq!(condition.explain(&data).holds, condition.holds(&data));
            }
            Err(faults) => {
                prop_assert!(!faults.is_empty());
                point_into(&written, "/filter", faults.iter())?;
            }
        }
    }
}

#[test]
fn a_path_of_json_path_is_refused_with_what_to_write_instead() {
    for (path, plain) in [
        ("$.a.b", "a.b"),
        ("$", "the name of a field"),
        ("items[0].sku", "items.0.sku"),
        ("$['items'][*].sku", "items.sku"),
        ("a[]", "a"),
    ] {
        let faults = Condition::parse(&json!({ "field": path, "eq": 1 }), "").err().unwrap_or_default();
        let sentence = faults.sentence();
        assert!(sentence.contains(&format!("write {plain} (")), "{path}: {sentence}");
    }
}

#[test]
fn a_name_that_holds_a_bracket_is_asked_for_by_a_pointer() {
    let data = json!({ "a[0]": 1, "$": 2, "$ref": 3 });
    for (path, wanted) in [("/a[0]", 1), ("/$", 2), ("$ref", 3)] {
        assert!(condition(&json!({ "field": path, "eq": wanted })).holds(&data), "{path}");
    }
}

#[test]
fn a_stored_condition_is_read_although_a_newer_rule_refuses_it() {
    let written = json!({ "not": { "field": "items[0].sku", "eq": 1 } });
    let stored: Condition = serde_json::from_value(written.clone()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(stored.to_value(), written);
    assert!(serde_json::from_value::<Condition>(json!({ "field": "a..b", "eq": 1 })).is_err());
}
