//! Payload conditions: which events a webhook wants by what stands in their `data`.
//!
//! A condition is a small JSON tree, `{"and":[…]}`, `{"or":[…]}`, `{"not":…}` or `{"field":"amount","gt":100}`. It is checked
//! when it is written, kept as it was written, and can say for every part whether it held and what it found.
//!
//! A list stands for each of its elements: a field that leads through one (`items.sku`) finds the member of every element, and a
//! test holds if it holds for any of what was found. `ne` and `nin` are the opposites of `eq` and `in`, so they hold if none is
//! the same; `exists` asks whether anything was found. [`ELEMENTS_MAX`] elements are looked at, not more.
//!
//! Not here: the other things a webhook filters by (`filter`), and any way to compute with a value. A condition only compares.

mod look;

use std::cmp::Ordering;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

use self::look::{Found, Look};
use crate::budget::{Budget, LOOK};
use crate::compare::{ValueSet, equal, order};
use crate::fault::{Fault, Faults, check_text, pointer_segment, type_name};
use crate::json;

/// Conditions on a field that one condition holds at most.
pub const LEAVES_MAX: usize = 64;
/// Levels of `and`, `or`, `not` and fields at most.
pub const DEPTH_MAX: usize = 8;
/// Values in the list of `in` or `nin` at most.
pub const LIST_VALUES_MAX: usize = 100;
/// Characters of a field's path at most.
pub const FIELD_CHARS_MAX: usize = 256;
/// Bytes of a condition as JSON at most: every webhook's is kept in memory.
pub const BYTES_MAX: usize = 16 * 1024;
/// Elements of lists that one condition on a field looks at in one event: all others are as if they were not there.
pub const ELEMENTS_MAX: usize = 1_000;
/// Characters of a value that an explanation repeats at most.
pub const FOUND_CHARS_MAX: usize = 200;

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// The same value.
    Eq,
    /// Not the same value; holds for a missing field.
    Ne,
    /// Greater.
    Gt,
    /// Greater or the same.
    Gte,
    /// Less.
    Lt,
    /// Less or the same.
    Lte,
    /// One of these.
    In,
    /// None of these; holds for a missing field.
    Nin,
    /// A string that begins so.
    StartsWith,
    /// A string that ends so.
    EndsWith,
    /// The field is there (`true`, `null` counts) or is not (`false`).
    Exists,
}

impl Op {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Eq,
        Self::Ne,
        Self::Gt,
        Self::Gte,
        Self::Lt,
        Self::Lte,
        Self::In,
        Self::Nin,
        Self::StartsWith,
        Self::EndsWith,
        Self::Exists,
    ];

    /// The wire spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::In => "in",
            Self::Nin => "nin",
            Self::StartsWith => "starts_with",
            Self::EndsWith => "ends_with",
            Self::Exists => "exists",
        }
    }

    /// Reads the wire spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str() == text)
    }

    /// What is wrong with a value that this can't compare with.
    fn refuses(self, wanted: &Value) -> Option<String> {
        let must_be = |what: &str| Some(format!("must be {what}, not {}", type_name(wanted)));
        match (self, wanted) {
            (Self::Eq | Self::Ne, _)
            | (Self::Gt | Self::Gte | Self::Lt | Self::Lte, Value::Number(_) | Value::String(_))
            | (Self::StartsWith | Self::EndsWith, Value::String(_))
            | (Self::Exists, Value::Bool(_)) => None,
            (Self::In | Self::Nin, Value::Array(values)) => {
                let count = values.len();
                let fits = (1..=LIST_VALUES_MAX).contains(&count);
                (!fits).then(|| format!("must hold 1 to {LIST_VALUES_MAX} values, this holds {count}"))
            }
            (Self::Gt | Self::Gte | Self::Lt | Self::Lte, _) => must_be("a number or a string"),
            (Self::In | Self::Nin, _) => must_be("an array"),
            (Self::StartsWith | Self::EndsWith, _) => must_be("a string"),
            (Self::Exists, _) => must_be("true or false"),
        }
    }

    /// The comparisons that a type mismatch fails.
    fn compares(self, found: &Value, wanted: &Value, budget: &Budget) -> bool {
        let is_ordered = matches!(
            (found, wanted),
            (Value::Number(_), Value::Number(_)) | (Value::String(_), Value::String(_))
        );
        let order = || if is_ordered { Some(order(found, wanted, budget)) } else { None };
        match self {
            Self::Gt => order() == Some(Ordering::Greater),
            Self::Gte => matches!(order(), Some(Ordering::Greater | Ordering::Equal)),
            Self::Lt => order() == Some(Ordering::Less),
            Self::Lte => matches!(order(), Some(Ordering::Less | Ordering::Equal)),
            Self::StartsWith | Self::EndsWith => match (found, wanted) {
                (Value::String(found), Value::String(wanted)) if budget.pay_bytes(wanted.len()) => {
                    if self == Self::StartsWith {
                        found.starts_with(wanted.as_str())
                    } else {
                        found.ends_with(wanted.as_str())
                    }
                }
                _ => false,
            },
            Self::Eq | Self::Ne | Self::In | Self::Nin | Self::Exists => false,
        }
    }
}

/// An operator with what it compares with.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Test {
    op: Op,
    wanted: Value,
    /// The values of `in` and `nin`.
    set: Option<ValueSet>,
}

impl Test {
    fn new(op: Op, wanted: &Value) -> Self {
        let list = wanted.as_array().filter(|_list| matches!(op, Op::In | Op::Nin));
        Self { op, wanted: wanted.clone(), set: list.map(|list| ValueSet::new(list)) }
    }

    /// Whether it holds for what was found.
    fn holds(&self, found: &Found<'_>, look: &mut Look<'_>) -> bool {
        let Self { op, wanted, set } = self;
        let budget = look.budget;
        match op {
            Op::Exists => found.is_anything() == (*wanted == Value::Bool(true)),
            Op::Eq => found.any(look, |value| equal(value, wanted, budget)),
            Op::Ne => !found.any(look, |value| equal(value, wanted, budget)),
            Op::In => found.any(look, |value| set.as_ref().is_some_and(|set| set.contains(value, budget))),
            Op::Nin => !found.any(look, |value| set.as_ref().is_some_and(|set| set.contains(value, budget))),
            Op::Gt | Op::Gte | Op::Lt | Op::Lte | Op::StartsWith | Op::EndsWith => {
                found.any(look, |value| op.compares(value, wanted, budget))
            }
        }
    }
}

/// A checked condition. Serialises as the JSON that it was written as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition(Node);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    /// A path into `data`, and what must hold there; never without a test.
    Field(String, Vec<Test>),
}

/// What became of one part of a condition, or of another filter of a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Clause {
    /// Where the part stands (RFC 6901), such as `/filter/and/0`.
    pub pointer: String,
    /// The part in words, such as `amount gt 100`; says so where only the first 1,000 elements were looked at.
    pub text: String,
    /// Whether it holds.
    pub holds: bool,
    /// What was found, as JSON of at most [`FOUND_CHARS_MAX`] characters; null where there was nothing.
    pub found: Option<String>,
    /// The parts of `and`, `or` and `not`, and of a field with more than one operator.
    pub children: Vec<Self>,
}

impl Condition {
    /// Reads a condition that stands at `pointer` of a body.
    ///
    /// # Errors
    /// Every bad part with its pointer: no object, an unknown operator, a value that an operator can't take, a path that is
    /// none, too many fields, too deep, too long.
    pub fn parse(value: &Value, pointer: &str) -> Result<Self, Faults> {
        let mut reader = Reader { faults: Faults::default(), leaves: 0 };
        let node = reader.node(value, pointer, 1);
        if reader.leaves > LEAVES_MAX {
            let detail =
                format!("must hold at most {LEAVES_MAX} conditions on a field, these are {}", reader.leaves);
            reader.faults.push(Fault::new(pointer, detail));
        }
        if reader.faults.is_empty() {
            let bytes = value.to_string().len();
            if bytes > BYTES_MAX {
                reader.faults.push(Fault::new(
                    pointer,
                    format!("must be at most {BYTES_MAX} bytes as JSON, this has {bytes}"),
                ));
            }
        }
        match node {
            Some(node) if reader.faults.is_empty() => Ok(Self(node)),
            _ => Err(reader.faults),
        }
    }

    /// The JSON form.
    #[must_use]
    pub fn to_value(&self) -> Value {
        self.0.to_value()
    }

    /// Whether it holds for the `data` of an event, whatever that takes.
    #[must_use]
    pub fn holds(&self, data: &Value) -> bool {
        self.holds_within(data, &Budget::unlimited())
    }

    /// Whether it holds for the `data` of an event. Worth nothing once the budget is spent.
    #[must_use]
    pub fn holds_within(&self, data: &Value, budget: &Budget) -> bool {
        self.0.holds(data, budget)
    }

    /// Says of every part whether it holds, with pointers from the condition itself (`""`), whatever that takes.
    #[must_use]
    pub fn explain(&self, data: &Value) -> Clause {
        self.explain_within(data, "", &Budget::unlimited())
    }

    /// Says of every part whether it holds, with pointers that begin with `pointer`. Worth nothing once the budget is spent.
    #[must_use]
    pub fn explain_within(&self, data: &Value, pointer: &str, budget: &Budget) -> Clause {
        self.0.explain(data, pointer, budget)
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = json::written(deserializer)?;
        Self::parse(&value, "").map_err(|faults| de::Error::custom(faults.sentence()))
    }
}

impl Node {
    fn to_value(&self) -> Value {
        let list = |key: &str, nodes: &[Self]| {
            Value::Object(
                [(String::from(key), nodes.iter().map(Self::to_value).collect())].into_iter().collect(),
            )
        };
        match self {
            Self::And(nodes) => list("and", nodes),
            Self::Or(nodes) => list("or", nodes),
            Self::Not(node) => Value::Object([(String::from("not"), node.to_value())].into_iter().collect()),
            Self::Field(path, tests) => {
                let mut map: Map<String, Value> =
                    tests.iter().map(|test| (String::from(test.op.as_str()), test.wanted.clone())).collect();
                map.insert(String::from("field"), Value::from(path.as_str()));
                Value::Object(map)
            }
        }
    }

    fn holds(&self, data: &Value, budget: &Budget) -> bool {
        if !budget.pay(LOOK) {
            return false;
        }
        match self {
            Self::And(nodes) => nodes.iter().all(|node| node.holds(data, budget)),
            Self::Or(nodes) => nodes.iter().any(|node| node.holds(data, budget)),
            Self::Not(node) => !node.holds(data, budget),
            Self::Field(path, tests) => {
                let mut look = Look::new(budget);
                let found = look::find(data, path, &mut look);
                tests.iter().all(|test| test.holds(&found, &mut look.again()))
            }
        }
    }

    fn explain(&self, data: &Value, pointer: &str, budget: &Budget) -> Clause {
        // A clause is text that is made and sent.
        budget.pay(CLAUSE_STEPS);
        let parts = |key: &str, nodes: &[Self]| -> Vec<Clause> {
            nodes
                .iter()
                .enumerate()
                .map(|(index, node)| node.explain(data, &format!("{pointer}/{key}/{index}"), budget))
                .collect()
        };
        let group = |text: &str, holds: bool, children: Vec<Clause>| Clause {
            pointer: String::from(pointer),
            text: String::from(text),
            holds,
            found: None,
            children,
        };
        match self {
            Self::And(nodes) => {
                let children = parts("and", nodes);
                group("all of these hold", children.iter().all(|child| child.holds), children)
            }
            Self::Or(nodes) => {
                let children = parts("or", nodes);
                group("at least one of these holds", children.iter().any(|child| child.holds), children)
            }
            Self::Not(node) => {
                let child = node.explain(data, &format!("{pointer}/not"), budget);
                group("this does not hold", !child.holds, vec![child])
            }
            Self::Field(path, tests) => {
                let mut look = Look::new(budget);
                let value = look::find(data, path, &mut look);
                let found = value.shown();
                let explained = |test: &Test, pointer: String| {
                    let mut look = look.again();
                    let holds = test.holds(&value, &mut look);
                    let cut = if look.is_cut() { FIRST_ELEMENTS_ONLY } else { "" };
                    let text = format!("{path} {} {}{cut}", test.op.as_str(), shown(&test.wanted));
                    Clause { pointer, text, holds, found: found.clone(), children: Vec::new() }
                };
                match tests.as_slice() {
                    [only] => explained(only, String::from(pointer)),
                    many => {
                        let children: Vec<Clause> = many
                            .iter()
                            .map(|test| explained(test, format!("{pointer}/{}", test.op.as_str())))
                            .collect();
                        Clause {
                            found: found.clone(),
                            ..group(
                                &format!("{path}: all of these hold"),
                                children.iter().all(|child| child.holds),
                                children,
                            )
                        }
                    }
                }
            }
        }
    }
}

/// Steps that a clause of an explanation costs.
const CLAUSE_STEPS: u64 = 500;
/// What the text of a clause ends with where elements were left out.
const FIRST_ELEMENTS_ONLY: &str = " (of a list, the first 1,000 elements are looked at)";

/// `text`, cut to what an explanation repeats.
pub(crate) fn cut(text: &str) -> String {
    crate::fault::cut(text, FOUND_CHARS_MAX)
}

/// `value` as JSON, cut to what an explanation repeats.
pub(crate) fn shown(value: &Value) -> String {
    crate::fault::shown(value, FOUND_CHARS_MAX)
}

/// Reads a tree and remembers what is wrong with it.
struct Reader {
    faults: Faults,
    leaves: usize,
}

impl Reader {
    fn fault<T>(&mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Option<T> {
        self.faults.note(|| Fault::new(pointer, detail));
        None
    }

    /// The node at `pointer`; `depth` is 1 for the whole condition.
    fn node(&mut self, value: &Value, pointer: &str, depth: usize) -> Option<Node> {
        let Value::Object(map) = value else {
            return self.fault(
                pointer,
                format!(
                    "must be a condition such as {{\"field\":\"amount\",\"gt\":100}}, not {}",
                    type_name(value)
                ),
            );
        };
        if depth > DEPTH_MAX {
            return self.fault(pointer, format!("must not be nested more than {DEPTH_MAX} levels deep"));
        }
        let groups: Vec<&str> =
            ["and", "or", "not"].into_iter().filter(|key| map.contains_key(*key)).collect();
        match (groups.as_slice(), map.len()) {
            (["and"], 1) => self.nodes(map.get("and")?, &format!("{pointer}/and"), depth).map(Node::And),
            (["or"], 1) => self.nodes(map.get("or")?, &format!("{pointer}/or"), depth).map(Node::Or),
            (["not"], 1) => {
                let node = self.node(map.get("not")?, &format!("{pointer}/not"), depth + 1)?;
                Some(Node::Not(Box::new(node)))
            }
            ([], _) => self.field(map, pointer),
            ([group, ..], _) => self.fault(pointer, format!("must hold {group} and nothing beside it")),
        }
    }

    fn nodes(&mut self, value: &Value, pointer: &str, depth: usize) -> Option<Vec<Node>> {
        let Value::Array(items) = value else {
            return self.fault(pointer, format!("must be an array of conditions, not {}", type_name(value)));
        };
        if items.is_empty() {
            return self.fault(pointer, "must hold at least one condition");
        }
        let mut nodes = Vec::new();
        for (index, item) in items.iter().enumerate() {
            if self.faults.is_full() {
                self.faults.count_unread(items.len() - index);
                break;
            }
            nodes.push(self.node(item, &format!("{pointer}/{index}"), depth + 1));
        }
        nodes.into_iter().collect()
    }

    fn field(&mut self, map: &Map<String, Value>, pointer: &str) -> Option<Node> {
        self.leaves += 1;
        let path = match map.get("field") {
            None => self.fault(pointer, "must name a field, or be and, or or not"),
            Some(Value::String(path)) => match check_path(path) {
                Ok(()) => Some(path.clone()),
                Err(detail) => self.fault(format!("{pointer}/field"), detail),
            },
            Some(other) => {
                self.fault(format!("{pointer}/field"), format!("must be a string, not {}", type_name(other)))
            }
        };
        let mut tests = Vec::new();
        for (key, wanted) in map.iter().filter(|(key, _)| *key != "field") {
            let at = format!("{pointer}/{}", pointer_segment(key));
            match Op::parse(key) {
                None => {
                    let known: Vec<&str> = Op::ALL.into_iter().map(Op::as_str).collect();
                    self.fault::<()>(at, format!("is no operator; operators are {}", known.join(", ")));
                }
                Some(op) => match op.refuses(wanted) {
                    Some(detail) => {
                        self.fault::<()>(at, detail);
                    }
                    None => tests.push(Test::new(op, wanted)),
                },
            }
        }
        if map.len() == 1 && path.is_some() {
            return self.fault(pointer, "must hold an operator, such as \"eq\"");
        }
        Some(Node::Field(path?, tests))
    }
}

/// Checks a path: `a.b.0`, or `/a/b/0` with `~0` for `~` and `~1` for `/` (RFC 6901).
fn check_path(path: &str) -> Result<(), String> {
    check_text(path, 1, FIELD_CHARS_MAX)?;
    if let Some(pointer) = path.strip_prefix('/') {
        let mut after_tildes = pointer.split('~');
        after_tildes.next();
        return if after_tildes.all(|rest| rest.starts_with(['0', '1'])) {
            Ok(())
        } else {
            Err(String::from("must write ~ as ~0 and / as ~1 inside a name"))
        };
    }
    if path.split('.').any(str::is_empty) {
        return Err(String::from(
            "must be names joined by single dots, such as customer.country, or a JSON pointer such as /a.b/0",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
