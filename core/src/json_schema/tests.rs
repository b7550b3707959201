//! The cases are those that people write; the properties are that nothing panics and that every check ends.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::budget::Budget;
use crate::fault::{FAULTS_MAX, Fault};
use crate::json;
use crate::nearly::{nearly, point_into};

fn schema(value: &Value) -> Schema {
    Schema::parse(value, "/schema").unwrap_or_else(|faults| panic!("{value}: {faults:?}"))
}

fn pointers(faults: &[Fault]) -> Vec<&str> {
    faults.iter().map(|fault| fault.pointer.as_str()).collect()
}

/// Pointers of what does not fit.
fn misfits(of: &Value, value: &Value) -> Vec<String> {
    schema(of).check(value, "").into_iter().map(|fault| fault.pointer).collect()
}

#[test]
fn each_keyword_takes_what_it_says_and_nothing_else() {
    for (of, fits, not) in [
        (
            json!({"type": "integer"}),
            vec![json!(1), json!(-1.0), json!(1e3)],
            vec![json!(1.5), json!("1"), json!(null)],
        ),
        (
            json!({"type": ["string", "null"]}),
            vec![json!(""), json!(null)],
            vec![json!(0), json!([]), json!(false)],
        ),
        (json!({"type": "number"}), vec![json!(1), json!(1.5)], vec![json!("1"), json!(true)]),
        (
            json!({"enum": ["a", 1, null]}),
            vec![json!("a"), json!(1.0), json!(null)],
            vec![json!("b"), json!(2)],
        ),
        (json!({"const": {"a": [1]}}), vec![json!({"a": [1.0]})], vec![json!({"a": [2]}), json!({})]),
        (
            json!({"const": 9_007_199_254_740_993_u64}),
            vec![json!(9_007_199_254_740_993_u64)],
            vec![json!(9_007_199_254_740_992_u64)],
        ),
        (
            json!({"minLength": 2, "maxLength": 3}),
            vec![json!("äö"), json!("🌍🌍🌍"), json!(7)],
            vec![json!("a"), json!("abcd")],
        ),
        (
            json!({"minimum": 1, "maximum": 2}),
            vec![json!(1), json!(2), json!("0")],
            vec![json!(0.99), json!(2.01)],
        ),
        (json!({"exclusiveMinimum": 1, "exclusiveMaximum": 2}), vec![json!(1.5)], vec![json!(1), json!(2)]),
        (json!({"multipleOf": 0.1}), vec![json!(0.3), json!(1), json!(0)], vec![json!(0.35)]),
        (json!({"multipleOf": 3}), vec![json!(9), json!(-3)], vec![json!(10)]),
        (
            json!({"items": {"type": "integer"}}),
            vec![json!([]), json!([1, 2]), json!("x")],
            vec![json!([1, "2"])],
        ),
        (
            json!({"prefixItems": [{"type": "string"}], "items": false}),
            vec![json!(["a"]), json!([])],
            vec![json!(["a", 1]), json!([1])],
        ),
        (
            json!({"minItems": 1, "maxItems": 2}),
            vec![json!([1]), json!([1, 2])],
            vec![json!([]), json!([1, 2, 3])],
        ),
        (
            json!({"uniqueItems": true}),
            vec![json!([1, "1", [1]])],
            vec![json!([1, 2, 1.0]), json!([{"a": 1, "b": 2}, {"b": 2, "a": 1}])],
        ),
        (json!({"required": ["a"]}), vec![json!({"a": null}), json!(1)], vec![json!({}), json!({"b": 1})]),
        (
            json!({"properties": {"a": {"type": "string"}}}),
            vec![json!({"a": "x", "b": 1}), json!({})],
            vec![json!({"a": 1})],
        ),
        (
            json!({"properties": {"a": true}, "additionalProperties": false}),
            vec![json!({"a": 1})],
            vec![json!({"b": 1})],
        ),
        (
            json!({"additionalProperties": {"type": "integer"}}),
            vec![json!({"x": 1})],
            vec![json!({"x": "1"})],
        ),
        (
            json!({"minProperties": 1, "maxProperties": 1}),
            vec![json!({"a": 1})],
            vec![json!({}), json!({"a": 1, "b": 2})],
        ),
        (json!({"allOf": [{"minimum": 1}, {"maximum": 2}]}), vec![json!(1)], vec![json!(0), json!(3)]),
        (json!({"anyOf": [{"type": "string"}, {"minimum": 5}]}), vec![json!("a"), json!(5)], vec![json!(4)]),
        (json!({"oneOf": [{"minimum": 1}, {"minimum": 5}]}), vec![json!(1)], vec![json!(0), json!(5)]),
        (json!({"not": {"type": "string"}}), vec![json!(1)], vec![json!("a")]),
        (
            json!({"format": "date-time"}),
            vec![json!("2026-11-21T14:00:00Z"), json!(1)],
            vec![json!("2026-11-21"), json!("")],
        ),
        (
            json!({"format": "uuid"}),
            vec![json!("019a91c2-77f0-7b41-9d2e-5f6f1b0c8a11")],
            vec![json!("019a91c277f07b419d2e5f6f1b0c8a11"), json!("x")],
        ),
        (
            json!({"format": "email"}),
            vec![json!("a.b+c@example.com"), json!("ü@bücher.example")],
            vec![json!("a"), json!("a@"), json!("@b"), json!("a b@c"), json!("a@-b"), json!("a..b@c")],
        ),
        (
            json!({"format": "uri"}),
            vec![json!("https://a.example/?x=%20"), json!("urn:a")],
            vec![json!("/a"), json!("a b:c"), json!("https:"), json!("https://a/%zz"), json!("https://ü")],
        ),
        (json!({}), vec![json!(null), json!({"a": 1})], vec![]),
    ] {
        for value in &fits {
            assert_eq!(schema(&of).check(value, "").into_named(), [], "{of} takes {value}");
        }
        for value in &not {
            assert!(!schema(&of).check(value, "").is_empty(), "{of} does not take {value}");
        }
    }
}

#[test]
fn every_place_that_does_not_fit_is_named() {
    let of = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["id", "a/b"],
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        },
        "additionalProperties": false,
        "$defs": {"line": {"type": "object", "required": ["sku"], "properties": {"count": {"type": "integer", "minimum": 1}}}},
    });
    let value = json!({"id": "x", "lines": [{"sku": "a", "count": 0}, {"count": "two"}, 7], "more": 1});
    let found = schema(&of).check(&value, "/data");
    let mut found = pointers(&found);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "/data/a~1b",
            "/data/id",
            "/data/lines/0/count",
            "/data/lines/1/count",
            "/data/lines/1/sku",
            "/data/lines/2",
            "/data/more"
        ]
    );
    assert!(
        schema(&of)
            .check(&json!({"id": "019a91c2-77f0-7b41-9d2e-5f6f1b0c8a11", "a/b": 1}), "")
            .iter()
            .any(|fault| fault.pointer == "/a~1b")
    );
}

#[test]
fn a_definition_may_hold_itself() {
    let of = json!({
        "$ref": "#/$defs/tree",
        "$defs": {"tree": {"type": "object", "properties": {"left": {"$ref": "#/$defs/tree"}, "n": {"type": "integer"}}}},
    });
    assert_eq!(misfits(&of, &json!({"n": 1, "left": {"left": {"n": "x"}}})), ["/left/left/n"]);
}

#[test]
fn what_would_not_be_checked_is_refused_by_name() {
    for (of, expected) in [
        (json!({"pattern": "^a"}), "/schema/pattern"),
        (json!({"if": {}, "then": {}}), "/schema/if"),
        (json!({"properties": {"a": {"typo": 1}}}), "/schema/properties/a/typo"),
        (json!({"type": "text"}), "/schema/type"),
        (json!({"type": []}), "/schema/type"),
        (json!({"format": "hostname"}), "/schema/format"),
        (json!({"items": [{}]}), "/schema/items"),
        (json!({"minLength": -1}), "/schema/minLength"),
        (json!({"multipleOf": 0}), "/schema/multipleOf"),
        (json!({"required": "a"}), "/schema/required"),
        (json!({"enum": []}), "/schema/enum"),
        (json!({"anyOf": []}), "/schema/anyOf"),
        (json!({"$ref": "https://a.example/s"}), "/schema/$ref"),
        (json!({"$ref": "#/$defs/none"}), "/schema/$ref"),
        (json!({"$schema": "http://json-schema.org/draft-07/schema#"}), "/schema/$schema"),
        (json!({"properties": {"a": {"$defs": {}}}}), "/schema/properties/a/$defs"),
        (
            json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"allOf": [{"$ref": "#/$defs/a"}]}}}),
            "/schema/$defs/a",
        ),
        (json!({"$ref": "#/$defs/a", "$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}}), "/schema/$defs/a"),
        (json!([]), "/schema"),
        (json!(true), "/schema"),
        (json!({"title": "x".repeat(SCHEMA_BYTES_MAX)}), "/schema"),
    ] {
        let faults = Schema::parse(&of, "/schema").err().unwrap_or_default();
        assert!(pointers(&faults).contains(&expected), "{of}: {faults:?}");
    }
    let faults =
        Schema::parse(&json!({"pattern": "a", "typo": 1, "minLength": "x"}), "").err().unwrap_or_default();
    assert_eq!(faults.len(), 3, "all at once");
}

#[test]
fn depth_and_number_of_parts_are_bounded() {
    let mut deep = json!({});
    for _ in 0..=SCHEMA_DEPTH_MAX {
        deep = json!({"items": deep});
    }
    assert!(Schema::parse(&deep, "").is_err());
    let many: serde_json::Map<String, Value> =
        (0..SCHEMA_PARTS_MAX).map(|n| (format!("f{n}"), json!({"type": "null"}))).collect();
    assert!(Schema::parse(&json!({"properties": many}), "").is_err_and(|faults| faults.len() == 1));
}

#[test]
fn a_check_that_multiplies_is_given_up() {
    let mut defs = serde_json::Map::new();
    for level in 0..20 {
        let next = json!({"$ref": format!("#/$defs/l{}", level + 1)});
        defs.insert(format!("l{level}"), json!({"anyOf": [next, next, next]}));
    }
    defs.insert(String::from("l20"), json!({"type": "string"}));
    let of = json!({"$ref": "#/$defs/l0", "$defs": defs});
    let faults = schema(&of).check(&json!(1), "/data");
    assert!(faults.len() == 1 && faults[0].detail.contains("too many steps"), "{faults:?}");
}

#[test]
fn items_are_told_apart_in_as_many_steps_as_there_are_items() {
    let of = schema(&json!({"uniqueItems": true}));
    let many: Vec<u32> = (0..40_000).collect();
    assert_eq!(of.check(&json!(many), "/data").into_named(), []);
    let mut twice = many;
    twice.push(7);
    let found = of.check(&json!(twice), "/data");
    assert_eq!(pointers(&found), ["/data/40000"]);
    assert!(found[0].detail.contains("item 7"), "{found:?}");
}

/// Steps that a check takes, whatever it comes to.
fn steps(of: &Value, value: &Value) -> u64 {
    let budget = Budget::unlimited();
    let _faults = schema(of).check_within(value, "", &budget);
    budget.used()
}

#[test]
fn a_check_pays_for_the_bytes_that_it_looks_at() {
    let text = "x".repeat(200_000);
    let many = |part: Value| json!({"allOf": vec![part; 500]});
    for (part, value) in [
        (json!({"maxLength": 1}), json!(text)),
        (json!({"format": "uri"}), json!(format!("a:{text}"))),
        (json!({"const": "x"}), json!(["x"])),
        (json!({"minimum": 1}), json::read(&"7".repeat(200_000)).unwrap_or_default()),
        (json!({"multipleOf": 3}), json::read(&"7".repeat(200_000)).unwrap_or_default()),
        (json!({"type": "integer"}), json::read(&"7".repeat(200_000)).unwrap_or_default()),
        (json!({"uniqueItems": true}), json!(vec!["x".repeat(20_000); 10])),
        (json!({"enum": ["x".repeat(40)]}), json!("x".repeat(40))),
    ] {
        let spent = steps(&many(part.clone()), &value);
        let looked_at = u64::try_from(value.to_string().len()).unwrap_or_default().min(200_000) * 500 / 8;
        assert!(spent >= looked_at.min(20 * 500), "{part}: {spent}");
        if value.to_string().len() > 100_000 {
            assert!(spent > 10_000_000, "{part}: {spent}");
            let faults = schema(&many(part.clone())).check(&value, "/data");
            assert!(faults.len() == 1 && faults[0].detail.contains("too many steps"), "{part}: {faults:?}");
        }
    }
}

#[test]
fn a_fault_is_put_into_words_only_where_it_is_read() {
    // 400 alternatives whose words would be long, none of which fits, for each of 500 items.
    let long = json!({"const": "y".repeat(60)});
    let of = json!({"items": {"anyOf": vec![long; 400]}});
    let faults = schema(&of).check(&json!(vec![1; 500]), "");
    assert_eq!(faults.len(), FAULTS_MAX);
    assert!(faults.iter().all(|fault| fault.detail == "fits none of the 400 schemas of anyOf"));
}

#[test]
fn numbers_are_compared_exactly() {
    for (of, fits, not) in [
        (r#"{"const": 18446744073709551615}"#, "18446744073709551615.0", "18446744073709551616"),
        (r#"{"enum": [1, 12345678901234567890123]}"#, "12345678901234567890123", "12345678901234567890124"),
        (r#"{"minimum": 18446744073709551616}"#, "18446744073709551616", "18446744073709551615"),
        (r#"{"maximum": 0.1}"#, "0.1", "0.1000000000000000055"),
        (r#"{"exclusiveMinimum": 1e308}"#, "1e309", "1e308"),
        (r#"{"exclusiveMaximum": 1e999999999}"#, "9e999999998", "10e999999998"),
        (r#"{"multipleOf": 3}"#, "12345678901234567890123", "12345678901234567890124"),
        (r#"{"multipleOf": 12345678901234567890123}"#, "37037036703703703670369", "37037036703703703670370"),
        (r#"{"multipleOf": 1e-400}"#, "3e-400", "3e-401"),
        (r#"{"type": "integer"}"#, "1e999999999", "1e-999999999"),
        (r#"{"uniqueItems": true}"#, "[18446744073709551615,18446744073709551616]", "[1e400,10e399]"),
        (r#"{"minLength": 1.0}"#, "[]", "\"\""),
    ] {
        let of = schema(&json::read(of).unwrap_or_default());
        let check = |text: &str| of.check(&json::read(text).unwrap_or_default(), "");
        assert_eq!(check(fits).into_named(), [], "{of:?} {fits}");
        assert_eq!(check(not).len(), 1, "{of:?} {not}");
    }
    let faults = schema(&json::read(r#"{"minimum": 1.10}"#).unwrap_or_default()).check(&json!(1), "");
    assert_eq!(faults[0].detail, "must be at least 1.10", "as it was written");
    for step in ["0", "-1", "0.0", &"1".repeat(38)] {
        let of = json::read(&format!(r#"{{"multipleOf":{step}}}"#)).unwrap_or_default();
        assert!(Schema::parse(&of, "").is_err(), "{step}");
    }
}

#[test]
fn names_that_are_required_of_many_objects_are_given_up_too() {
    let names: Vec<String> = (0..1_000).map(|n| format!("n{n}")).collect();
    let of = schema(&json!({ "items": { "required": names } }));
    let objects = vec![json!({}); 1_000];
    let faults = of.check(&Value::from(objects), "/data");
    assert!(faults.len() == 1 && faults[0].detail.contains("too many steps"), "{faults:?}");
    let few = of.check(&json!([{}]), "/data");
    assert_eq!(few.len(), FAULTS_MAX);
}

#[test]
fn faults_are_counted() {
    let faults = schema(&json!({"items": {"type": "string"}})).check(&json!(vec![1; 500]), "");
    assert_eq!((faults.len(), faults.more()), (FAULTS_MAX, 450));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z$#/]{0,8}".prop_map(Value::from),
        prop::sample::select(vec!["object", "string", "#/$defs/a", "uuid"]).prop_map(Value::from),
    ];
    let key = prop_oneof![
        prop::sample::select(vec![
            "type",
            "enum",
            "const",
            "properties",
            "required",
            "items",
            "anyOf",
            "oneOf",
            "not",
            "$ref",
            "$defs",
            "format",
            "minimum",
            "a"
        ])
        .prop_map(String::from),
        "[a-z]{1,3}".prop_map(String::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_schema_and_no_value_make_it_panic(of in any_json(), value in any_json()) {
        if let Ok(schema) = Schema::parse(&of, "") {
            let _faults = schema.check(&value, "");
        }
    }

    #[test]
    fn a_schema_that_is_nearly_valid_is_read_or_explained(
        written in nearly(json!({
            "type": ["object", "null"], "required": ["n"], "additionalProperties": false, "maxProperties": 4,
            "properties": {
                "n": {"type": "integer", "minimum": 0, "multipleOf": 5}, "id": {"$ref": "#/$defs/id"},
                "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": true, "maxItems": 3},
                "at": {"anyOf": [{"type": "string", "format": "date-time"}, {"const": null}]},
            },
            "$defs": {"id": {"type": "string", "minLength": 1, "format": "uuid"}},
        })),
        value in nearly(json!({"n": 10, "id": "019a91c2-77f0-7b41-9d2e-5f6f1b0c8a11", "tags": ["a"], "at": null})),
    ) {
        match Schema::parse(&written, "/schema") {
            Ok(schema) => point_into(&value, "", schema.check(&value, "").iter())?,
            Err(faults) => {
                prop_assert!(!faults.is_empty());
                point_into(&written, "/schema", faults.iter())?;
            }
        }
    }
}
