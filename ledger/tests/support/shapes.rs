//! Requests that are made to cost as much as the documented limits allow: for the benchmark, which looks for the worst of them,
//! and for a test, which counts their steps.

use postern_core::budget::Budget;
use postern_core::condition::Condition;
use postern_core::fault::BODY_BYTES_MAX;
use postern_core::filter::{self, EventFacts};
use postern_core::json_schema::Schema;
use postern_core::webhook::Definition;
use serde_json::{Value, json};

use crate::random::Random;
use crate::support::build::webhook;

/// Beyond what any request may take.
const COUNTED_STEPS_MAX: u64 = 30_000_000;
/// The type of every event.
pub(crate) const KIND: &str = "order.paid";

/// Data, the webhooks that look at it, and the schema that it must fit.
pub(crate) struct Shape {
    /// For people.
    pub(crate) words: String,
    /// JSON text.
    pub(crate) data: String,
    pub(crate) webhooks: Vec<Definition>,
    pub(crate) schema: Option<Value>,
}

impl Shape {
    /// The shape that `random` leads to; `data_bytes` is about how long its data is.
    pub(crate) fn new(random: &mut Random, data_bytes: usize) -> Self {
        let (of, data) = data(random, data_bytes);
        let mut words = format!("{of} in {} bytes", data.len());
        let mut webhooks = Vec::new();
        if random.chance(70) {
            let (of, condition) = condition(random);
            let count = *random.pick(&[1, 3, 30, 300, 1_000]).unwrap_or(&1);
            // As many as a project may hold (`config::PROJECT_BYTES_MAX` of the ledger).
            let count = count.min(4 * 1024 * 1024 / (condition.to_string().len() + 300));
            words = format!("{words}, {count} webhooks with {of}");
            let filter = Condition::parse(&condition, "").expect("a condition within the limits");
            for number in 0..count {
                webhooks.push(Definition {
                    filter: Some(filter.clone()),
                    ..webhook(&format!("w{number}"), "order.*")
                });
            }
        }
        let mut schema_of = None;
        if webhooks.is_empty() || random.chance(30) {
            let (of, found) = schema(random);
            words = format!("{words}, a schema of {of}");
            schema_of = Some(found);
        }
        Self { words, data, webhooks, schema: schema_of }
    }

    /// The body that posts one event with this data.
    pub(crate) fn body(&self) -> String {
        format!(r#"{{"type":"{KIND}","data":{}}}"#, self.data)
    }

    /// Steps that the event takes, counted up to [`COUNTED_STEPS_MAX`] because some shapes would take years, and how many webhooks want
    /// it; `None` where it does not fit its schema.
    pub(crate) fn true_steps(&self) -> (u64, Option<usize>) {
        let labels = std::collections::BTreeMap::new();
        let facts =
            EventFacts::new(KIND, None, &labels, &self.data).with_budget(Budget::new(COUNTED_STEPS_MAX));
        let schema =
            self.schema.as_ref().map(|schema| Schema::parse(schema, "").expect("a schema within the limits"));
        let fits =
            schema.is_none_or(|schema| schema.check_within(facts.data(), "", facts.budget()).is_empty());
        let wanted = self.webhooks.iter().filter(|webhook| filter::matches(webhook, &facts)).count();
        let steps = if facts.budget().is_spent() { COUNTED_STEPS_MAX } else { facts.budget().used() };
        (steps, fits.then_some(wanted))
    }
}

/// A list of `item` that fills `bytes`.
fn list_of(item: &str, bytes: usize) -> String {
    let count = (bytes / (item.len() + 1)).max(1);
    format!("[{}]", vec![item; count].join(","))
}

/// Data that is long, deep, wide, or full of what is costly to look at, as the member `a` of an object.
fn data(random: &mut Random, bytes: usize) -> (&'static str, String) {
    let text = |length: usize| format!("\"{}\"", "x".repeat(length));
    let shapes: [(&'static str, String); 12] = [
        ("a list of numbers", list_of("7", bytes)),
        ("a list of long numbers", list_of(&"7".repeat(200), bytes)),
        ("a list of texts", list_of(&text(150), bytes)),
        ("a list of long texts", list_of(&text(2_000), bytes)),
        ("one text", text(bytes)),
        ("one number", "7".repeat(bytes)),
        ("a list of lists", list_of("[1,2,3,4,5,6,7,8]", bytes)),
        ("a list of objects", list_of(r#"{"a":1,"b":"x"}"#, bytes)),
        ("an object with many members", {
            let members: Vec<String> = (0..bytes / 12).map(|number| format!(r#""m{number}":1"#)).collect();
            format!("{{{}}}", members.join(","))
        }),
        ("a deep list", format!("{}{}{}", "[".repeat(60), list_of("1", bytes), "]".repeat(60))),
        (
            "a deep object",
            format!(
                "{}{}{}",
                format!(r#"{{"{}":"#, "k".repeat(120)).repeat(60),
                list_of("1", bytes.saturating_sub(8_000)),
                "}".repeat(60)
            ),
        ),
        ("escapes", list_of(r#""\u00e4\n\\\u00fc""#, bytes)),
    ];
    let (words, value) = random.pick(&shapes).cloned().unwrap_or(("nothing", String::from("null")));
    (words, format!(r#"{{"a":{value}}}"#))
}

/// A condition that asks as much as one may.
fn condition(random: &mut Random) -> (&'static str, Value) {
    let leaves = |leaf: Value, count: usize| json!({ "and": vec![leaf; count] });
    let numbers: Vec<i64> = (0..100).collect();
    let texts: Vec<String> = (0..100).map(|number| format!("{}{number}", "x".repeat(140))).collect();
    let shapes = [
        ("50 nin of 100 numbers", leaves(json!({"field": "a", "nin": numbers}), 50)),
        ("nin of 100 long texts", json!({"field": "a", "nin": texts})),
        ("64 ne of a number", leaves(json!({"field": "a", "ne": 8}), 64)),
        ("64 ne of a text", leaves(json!({"field": "a", "ne": format!("{}y", "x".repeat(149))}), 64)),
        ("64 ne of a list", leaves(json!({"field": "a", "ne": [1, 2, 3, 4, 5, 6, 7, 9]}), 64)),
        (
            "64 negated beginnings",
            leaves(json!({"not": {"field": "a", "starts_with": format!("{}y", "x".repeat(149))}}), 60),
        ),
        (
            "64 negated comparisons",
            leaves(json!({"not": {"field": "a", "gt": format!("{}z", "x".repeat(149))}}), 60),
        ),
        ("64 members of a list", leaves(json!({"field": "a.b", "ne": "y"}), 64)),
        ("60 long paths", leaves(json!({"field": vec!["a"; 120].join("."), "ne": 1}), 30)),
        ("64 numbers with many digits", leaves(json!({"field": "a", "ne": json!(1)}), 64)),
        ("one text of 16 KB", json!({"not": {"field": "a", "starts_with": "x".repeat(16_000)}})),
        (
            "four operators on one field",
            leaves(json!({"field": "a", "ne": 1, "nin": [2, 3], "exists": true}), 64),
        ),
    ];
    random.pick(&shapes).cloned().unwrap_or(("nothing", json!({"field": "a", "exists": true})))
}

/// A schema that asks as much as one may.
pub(crate) fn schema(random: &mut Random) -> (&'static str, Value) {
    let parts = |part: Value, count: usize| json!({"properties": {"a": {"allOf": vec![part; count]}}});
    let each = |part: Value| json!({"properties": {"a": {"items": part}}});
    let names: Vec<String> = (0..900).map(|number| format!("n{number}")).collect();
    let values: Vec<i64> = (0..5_000).collect();
    let mut multiplied = serde_json::Map::new();
    for level in 0..20 {
        let next = json!({"$ref": format!("#/$defs/l{}", level + 1)});
        multiplied.insert(format!("l{level}"), json!({"anyOf": [next, next, next]}));
    }
    multiplied.insert(String::from("l20"), json!({"type": "null"}));
    let shapes = [
        ("700 lengths", parts(json!({"maxLength": 1_000_000}), 700)),
        ("700 minimums", parts(json!({"minimum": 1}), 700)),
        ("700 multiples", parts(json!({"multipleOf": 7}), 700)),
        ("700 formats", parts(json!({"format": "uri"}), 700)),
        ("many unique lists", parts(json!({"uniqueItems": true}), 300)),
        ("one unique list", json!({"properties": {"a": {"uniqueItems": true}}})),
        ("alternatives for each item", each(json!({"anyOf": vec![json!({"const": "y"}); 400]}))),
        ("an enum for each item", each(json!({"enum": values}))),
        ("a type for each item", each(json!({"type": "string", "maxLength": 1}))),
        ("required names for each item", each(json!({"required": names}))),
        ("alternatives that multiply", json!({"$ref": "#/$defs/l0", "$defs": multiplied})),
        (
            "itself, all the way down",
            json!({
                "$ref": "#/$defs/t",
                "$defs": {"t": {"items": {"$ref": "#/$defs/t"}, "additionalProperties": {"$ref": "#/$defs/t"}, "not": {"const": "y"}}},
            }),
        ),
    ];
    random.pick(&shapes).cloned().unwrap_or(("nothing", json!({})))
}

/// Bytes of data that fit a body beside the rest of an event.
pub(crate) const DATA_BYTES: usize = BODY_BYTES_MAX - 2_000;
