use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::shown::Short;
use super::split::has_lone_surrogate;
use super::*;

#[test]
fn a_number_without_a_fraction_is_whole_however_it_is_written() {
    for (text, whole) in [
        ("15", Some(15)),
        ("15.0", Some(15)),
        ("-2e1", Some(-20)),
        ("1.5", None),
        ("1e300", None),
        ("\"15\"", None),
    ] {
        let value = serde_json::from_str(text).unwrap_or_default();
        assert_eq!(whole_number(&value), whole, "{text}");
    }
}

fn malformed_text(body: &str) -> String {
    match parse_json(body) {
        Err(InputFault::Malformed(text)) => text,
        other => format!("{other:?}"),
    }
}

#[test]
fn what_is_no_json_is_said_with_line_and_column() {
    assert_eq!(
        malformed_text("{\n  \"a\" 1}"),
        "The body is not valid JSON: line 2, column 7: expected `:`."
    );
    assert_eq!(malformed_text("  "), "The body is empty; a JSON object is needed.");
    assert_eq!(
        parse_json("[1e999]").map(|value| value.to_string()).ok().as_deref(),
        Some("[1e999]"),
        "a number of any size"
    );
}

#[test]
fn nesting_is_limited_and_brackets_in_strings_are_not_nesting() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(parse_json(&nested(64)).is_ok());
    assert!(matches!(parse_json(&nested(65)), Err(InputFault::Invalid(_))));
    assert!(matches!(parse_json(&nested(100_000)), Err(InputFault::Invalid(_))));
    assert!(parse_json(&format!("\"\\\"{}\"", "[".repeat(1_000))).is_ok());
}

#[test]
fn every_wrong_field_is_named_with_its_pointer() -> Result<(), Fault> {
    let body = json!({"text": 1, "flag": "yes", "integer": 1.5, "list": {}, "nothing": null, "a/b~c": 1});
    let mut fields = Fields::from_value(&body, "/at")?;
    assert_eq!(fields.text("text"), Sent::Wrong);
    assert_eq!(fields.flag("flag"), Sent::Wrong);
    assert_eq!(fields.integer("integer"), Sent::Wrong);
    assert_eq!(fields.list("list"), Sent::Wrong);
    let nothing = fields.text("nothing");
    assert_eq!(fields.required("nothing", nothing), None);
    let missing = fields.text("missing");
    assert_eq!(fields.required("missing", missing), None);
    let faults = fields.finish();
    let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(
        pointers,
        ["/at/text", "/at/flag", "/at/integer", "/at/list", "/at/nothing", "/at/missing", "/at/a~1b~0c"]
    );
    Ok(())
}

#[test]
fn a_sentence_names_every_field() {
    let faults = [
        Fault::new("/url", "is required"),
        Fault::new("/headers/0/key", "is bad"),
        Fault::new("?limit", "is odd"),
        Fault::new("", "all wrong"),
    ];
    assert_eq!(sentence(&faults, 0), "url: is required; headers.0.key: is bad; limit: is odd; all wrong");
    assert_eq!(sentence(&faults[..1], 984), "url: is required; and 984 more");
}

#[test]
fn only_so_many_faults_are_named_and_the_others_are_counted() -> Result<(), Fault> {
    let body: Value = (0..1_000).map(|n| (format!("field-{n}"), json!(n))).collect::<Map<_, _>>().into();
    let unknown = Fields::from_value(&body, "")?.finish();
    assert_eq!((unknown.len(), unknown.more()), (FAULTS_MAX, 950));
    assert!(unknown.sentence().ends_with("; and 950 more"), "{}", unknown.sentence());
    let mut all = Faults::default();
    all.push(Fault::new("/first", "is required"));
    all.absorb(unknown);
    assert_eq!((all.len(), all.more(), all[0].pointer.as_str()), (FAULTS_MAX, 951, "/first"));
    let mapped = all.map(|fault| Fault::new(format!("/below{}", fault.pointer), fault.detail));
    assert_eq!((mapped.len(), mapped.more(), mapped[0].pointer.as_str()), (FAULTS_MAX, 951, "/below/first"));
    Ok(())
}

#[test]
fn a_fault_that_is_only_counted_is_never_made() {
    let mut faults = Faults::default();
    let mut made = 0;
    for _ in 0..10_000 {
        faults.push_with(|| {
            made += 1;
            Fault::new("/a", "is wrong")
        });
    }
    assert_eq!((made, faults.len(), faults.more()), (FAULTS_MAX, FAULTS_MAX, 9_950));
}

#[test]
fn items_are_no_longer_read_once_enough_is_wrong() -> Result<(), Fault> {
    let body = json!({});
    let items = vec![0; 100_000];
    let (mut fields, mut read) = (Fields::from_value(&body, "")?, 0);
    fields.each_of(&items, |fields, index, _item| {
        read += 1;
        if index % 2 == 0 {
            fields.fault_below(&format!("list/{index}"), "is wrong");
        }
    });
    let faults = fields.finish();
    assert_eq!((read, faults.len(), faults.more()), (100_000, FAULTS_MAX, 49_950));
    Ok(())
}

#[test]
fn pointer_and_words_of_a_fault_are_bounded() {
    let deep = Fault::new("/ä".repeat(10_000), "is wrong");
    assert!(deep.pointer.len() <= POINTER_BYTES_MAX && deep.pointer.ends_with("/ä"), "{}", deep.pointer);
    assert_eq!(deep.detail, "further below: is wrong");
    let long = Fault::new("/a", "ü".repeat(10_000));
    assert!(long.detail.len() <= DETAIL_BYTES_MAX && long.detail.ends_with("ü…"), "{}", long.detail);
    assert_eq!(Fault::new(format!("?{}", "k".repeat(1_000)), "").pointer.len(), POINTER_BYTES_MAX);
}

#[test]
fn a_raw_member_is_kept_as_it_was_written() -> Result<(), InputFault> {
    let split = split_object(r#"{"a":1, "data" : { "n" : 1.0e+5 , "n":2 } }"#, "", "data")?;
    assert_eq!(split.raw.as_deref().map(RawValue::get), Some(r#"{ "n" : 1.0e+5 , "n":2 }"#));
    assert_eq!(split.rest.get("a"), Some(&json!(1)));
    assert!(split.faults.is_empty());
    Ok(())
}

#[test]
fn no_member_of_a_body_is_dropped_because_it_is_given_twice() -> Result<(), InputFault> {
    let pointers = |faults: Faults| faults.into_iter().map(|fault| fault.pointer).collect::<Vec<_>>();
    let twice = parse_json(r#"{"name":"a","labels":{"a":"1","a":"2"},"name":"b"}"#);
    assert!(
        matches!(twice, Err(InputFault::Invalid(faults)) if pointers(faults.clone()) == ["/labels/a", "/name"])
    );
    let split = split_object(r#"{"labels":{"a":"1","a":"2"},"data":{"n":1,"n":2}}"#, "", "data")?;
    assert_eq!(pointers(split.faults), ["/labels/a"], "data is kept as it was written");
    Ok(())
}

#[test]
fn a_call_without_a_body_takes_nothing_and_says_so() {
    assert_eq!(no_fields(" {} "), Ok(()));
    assert!(
        matches!(no_fields(r#"{"at":1}"#), Err(InputFault::Invalid(faults)) if faults[0].pointer == "/at")
    );
}

#[test]
fn members_given_twice_are_faults() -> Result<(), InputFault> {
    let split = split_object(r#"{"a":1,"data":1,"a":2,"data":2}"#, "", "data")?;
    let pointers: Vec<&str> = split.faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["/a", "/data"]);
    Ok(())
}

#[test]
fn half_characters_are_found() {
    for (json, is_half) in [
        (r#""\ud83c\udf0d""#, false),
        (r#""\ud83c""#, true),
        (r#""\udf0d""#, true),
        (r#""\ud83c\u0041""#, true),
        (r#""\ud83cx\udf0d""#, true),
        (r#""\ud83c\n""#, true),
        (r#""\\ud83c""#, false),
        (r#""\u00e4 \" \\""#, false),
        (r#""\ud83c\ud83c\udf0d""#, true),
    ] {
        assert_eq!(has_lone_surrogate(json), is_half, "{json}");
    }
}

#[test]
fn what_is_shown_of_a_value_is_the_beginning_of_its_json_and_nothing_behind_it_is_looked_at() {
    let long = "ä\"x".repeat(100_000);
    for value in [
        Value::from(long.as_str()),
        serde_json::json!([1, long, { "a": long }]),
        serde_json::json!({ "a": [[], {}, null], "name": "é" }),
        Value::from("é".repeat(40)),
        serde_json::json!({ long.as_str(): 1 }),
        Value::Null,
    ] {
        for chars_max in [1, 2, 39, 40, 41, 42, 43, 200] {
            assert_eq!(shown(&value, chars_max), cut(&value.to_string(), chars_max));
        }
        assert_eq!(
            shown_list(&[&value, &value], 99),
            cut(&serde_json::json!([value, value]).to_string(), 99)
        );
        // What a writer is given, and looks through: of each text no more than is kept of all.
        let given = serde_json::to_string(&Short(&value, 50)).map(|text| text.len());
        assert!(given.is_ok_and(|bytes| bytes < 400), "{chars} characters", chars = long.len());
    }
}

#[test]
fn a_name_is_what_people_see() {
    for name in [
        "Billing",
        "Zürich 東京",
        "Großkunde “A”",
        "naïve\u{301}",
        "🚀 ❤\u{fe0f}",
        "עברית",
        "a\u{a0}b",
        "back\\slash's \"x\"",
        "\u{3000}x",
    ] {
        assert_eq!(check_name(name, 1, 64), Ok(()), "{name:?}");
    }
    for c in [
        '\u{ad}',
        '\u{200b}',
        '\u{200d}',
        '\u{200e}',
        '\u{202e}',
        '\u{2066}',
        '\u{2069}',
        '\u{61c}',
        '\u{feff}',
        '\u{fff9}',
        '\u{e0041}',
        '\u{2028}',
        '\u{2029}',
        '\u{e000}',
        '\u{10fffd}',
        '\u{378}',
        '\u{ffff}',
        '\u{3164}',
        '\u{34f}',
        '\u{7}',
        '\u{85}',
    ] {
        assert!(check_name(&format!("a{c}b"), 1, 64).is_err(), "U+{:04X}", u32::from(c));
    }
    assert_eq!(check_visible("two\nlines\tof text"), Ok(()));
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(body in "[\\[\\]{}\",:0-9a-eu\\\\ .-]{0,60}") {
        let _value = parse_json(&body);
        let _split = split_object(&body, "/at", "data");
    }
}
