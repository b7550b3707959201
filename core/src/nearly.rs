//! Bodies that are nearly valid, for property tests: a valid one in which a few places were changed. Random
//! text stops a parser at its first byte; these reach the rules behind it.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};

use crate::fault::{Fault, InputFault};

/// What happens to one place.
#[derive(Clone, Debug)]
enum Change {
    /// Another value stands there.
    Replace(Value),
    /// The member or item is gone.
    Remove,
    /// There is one more member or item.
    Add(String, Value),
}

/// `valid` with one to three changes at any of its places.
pub(crate) fn nearly(valid: Value) -> impl Strategy<Value = Value> {
    prop::collection::vec((any::<Index>(), change()), 1..=3).prop_map(move |changes| {
        let mut body = valid.clone();
        for (place, change) in changes {
            let mut pointers = Vec::new();
            collect_pointers(&body, "", &mut pointers);
            let pointer: &String = place.get(&pointers);
            apply(&mut body, pointer, change);
        }
        body
    })
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => any_value().prop_map(Change::Replace),
        1 => Just(Change::Remove),
        1 => ("[a-z_]{0,8}", any_value()).prop_map(|(key, value)| Change::Add(key, value)),
    ]
}

/// Values of every type, those at the edges of the rules among them.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop::sample::select(vec!["0", "-1", "1.5", "1e3", "30", "1e400", "12345678901234567890123"])
            .prop_map(|text| serde_json::from_str(text).unwrap_or_default()),
        prop::sample::select(vec![
            "",
            " ",
            ".",
            "*",
            "a.*",
            "a..b",
            "https://r.example/h",
            "http://10.0.0.1",
            "\u{202e}",
            "\n",
        ])
        .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        (0usize..600).prop_map(|length| Value::from("x".repeat(length))),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z~/]{0,6}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// The pointer of every place of `value`, the whole first.
fn collect_pointers(value: &Value, at: &str, pointers: &mut Vec<String>) {
    pointers.push(String::from(at));
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let key = key.replace('~', "~0").replace('/', "~1");
                collect_pointers(member, &format!("{at}/{key}"), pointers);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_pointers(item, &format!("{at}/{index}"), pointers);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn apply(body: &mut Value, pointer: &str, change: Change) {
    match change {
        Change::Replace(value) => {
            if let Some(place) = body.pointer_mut(pointer) {
                *place = value;
            }
        }
        Change::Remove => remove(body, pointer),
        Change::Add(key, value) => match body.pointer_mut(pointer) {
            Some(Value::Object(members)) => {
                members.insert(key, value);
            }
            Some(Value::Array(items)) => items.push(value),
            _ => {}
        },
    }
}

fn remove(body: &mut Value, pointer: &str) {
    let Some((parent, last)) = pointer.rsplit_once('/') else { return };
    match body.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            members.remove(&last.replace("~1", "/").replace("~0", "~"));
        }
        Some(Value::Array(items)) => {
            if let Some(index) = last.parse().ok().filter(|index| *index < items.len()) {
                items.remove(index);
            }
        }
        _ => {}
    }
}

/// Whether each fault points at a place of `body`, or at a member that one of its objects lacks. `below` is
/// where `body` stands in what was read.
pub(crate) fn point_into<'f>(
    body: &Value,
    below: &str,
    faults: impl IntoIterator<Item = &'f Fault>,
) -> Result<(), TestCaseError> {
    for fault in faults {
        let pointer = fault.pointer.strip_prefix(below);
        prop_assert!(pointer.is_some(), "{fault:?} is not below {below:?}");
        let parent =
            pointer.and_then(|pointer| pointer.rsplit_once('/')).map_or("", |(parent, _last)| parent);
        prop_assert!(body.pointer(parent).is_some(), "{fault:?} points out of {body}");
        prop_assert!(!fault.detail.is_empty(), "{fault:?} says nothing");
    }
    Ok(())
}

/// [`point_into`] for the outcome of reading `body`, which is JSON and therefore never malformed.
pub(crate) fn is_read_or_explained<T>(
    body: &Value,
    outcome: Result<T, InputFault>,
) -> Result<(), TestCaseError> {
    match outcome {
        Ok(_) => Ok(()),
        Err(InputFault::Malformed(detail)) => Err(TestCaseError::fail(detail)),
        Err(InputFault::Invalid(faults)) => {
            prop_assert!(!faults.is_empty(), "refused without a fault");
            point_into(body, "", faults.iter())
        }
    }
}

#[test]
fn every_place_can_be_changed() {
    let mut body = json!({"a": [1, {"b/c": 2}]});
    let mut pointers = Vec::new();
    collect_pointers(&body, "", &mut pointers);
    assert_eq!(pointers, ["", "/a", "/a/0", "/a/1", "/a/1/b~1c"]);
    apply(&mut body, "/a/1/b~1c", Change::Remove);
    apply(&mut body, "/a", Change::Add(String::new(), json!(3)));
    apply(&mut body, "/a/0", Change::Replace(json!("x")));
    assert_eq!(body, json!({"a": ["x", {}, 3]}));
}
