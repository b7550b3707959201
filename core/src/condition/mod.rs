//! Payload conditions: which events a webhook wants by what stands in their `data`.
//!
//! A condition is a small JSON tree, `{"and":[…]}`, `{"or":[…]}`, `{"not":…}` or `{"field":"amount","gt":100}`. It is checked
//! when it is written, kept as it was written, and can say for every part whether it held and what it found.
//!
//! Not here: the other things a webhook filters by (`filter`), and any way to compute with a value. A condition only compares.

use std::cmp::Ordering;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Number, Value};

use crate::fault::{Fault, check_text, pointer_segment, type_name};

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
    pub const ALL: [Self; 11] =
        [Self::Eq, Self::Ne, Self::Gt, Self::Gte, Self::Lt, Self::Lte, Self::In, Self::Nin, Self::StartsWith, Self::EndsWith, Self::Exists];

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

    /// Whether it holds between what was found and what is wanted.
    fn holds(self, found: Option<&Value>, wanted: &Value) -> bool {
        let Some(found) = found else {
            return matches!(self, Self::Ne | Self::Nin) || (self == Self::Exists && *wanted == Value::Bool(false));
        };
        let is_one_of = || wanted.as_array().is_some_and(|values| values.iter().any(|value| contains(found, value)));
        match self {
            Self::Eq => contains(found, wanted),
            Self::Ne => !contains(found, wanted),
            Self::In => is_one_of(),
            Self::Nin => !is_one_of(),
            Self::Exists => *wanted == Value::Bool(true),
            Self::Gt | Self::Gte | Self::Lt | Self::Lte | Self::StartsWith | Self::EndsWith => match found {
                Value::Array(elements) => elements.iter().any(|element| self.compares(element, wanted)),
                other => self.compares(other, wanted),
            },
        }
    }

    /// The comparisons that a type mismatch fails.
    fn compares(self, found: &Value, wanted: &Value) -> bool {
        match self {
            Self::Gt => order(found, wanted) == Some(Ordering::Greater),
            Self::Gte => matches!(order(found, wanted), Some(Ordering::Greater | Ordering::Equal)),
            Self::Lt => order(found, wanted) == Some(Ordering::Less),
            Self::Lte => matches!(order(found, wanted), Some(Ordering::Less | Ordering::Equal)),
            Self::StartsWith => {
                matches!((found, wanted), (Value::String(found), Value::String(wanted)) if found.starts_with(wanted.as_str()))
            }
            Self::EndsWith => matches!((found, wanted), (Value::String(found), Value::String(wanted)) if found.ends_with(wanted.as_str())),
            Self::Eq | Self::Ne | Self::In | Self::Nin | Self::Exists => false,
        }
    }
}

/// Whether `found` is `wanted`, or an array with it as an element.
fn contains(found: &Value, wanted: &Value) -> bool {
    equal(found, wanted) || found.as_array().is_some_and(|elements| elements.iter().any(|element| equal(element, wanted)))
}

/// Equality of JSON values in which 1 is 1.0.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => order_of_numbers(a, b) == Some(Ordering::Equal),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| equal(value, other)))
        }
        _ => a == b,
    }
}

/// The order of two numbers, or of two strings by code point.
fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => order_of_numbers(a, b),
        // UTF-8 sorts as its code points do.
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// Whole numbers are compared exactly: ids are often longer than the 53 bits of a float.
fn order_of_numbers(a: &Number, b: &Number) -> Option<Ordering> {
    let whole = |number: &Number| number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
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
    Field(String, Vec<(Op, Value)>),
}

/// What became of one part of a condition, or of another filter of a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Clause {
    /// Where the part stands (RFC 6901), such as `/filter/and/0`.
    pub pointer: String,
    /// The part in words, such as `amount gt 100`.
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
    pub fn parse(value: &Value, pointer: &str) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader { faults: Vec::new(), leaves: 0 };
        let node = reader.node(value, pointer, 1);
        if reader.leaves > LEAVES_MAX {
            let detail = format!("must hold at most {LEAVES_MAX} conditions on a field, these are {}", reader.leaves);
            reader.faults.push(Fault::new(pointer, detail));
        }
        if reader.faults.is_empty() {
            let bytes = value.to_string().len();
            if bytes > BYTES_MAX {
                reader.faults.push(Fault::new(pointer, format!("must be at most {BYTES_MAX} bytes as JSON, this has {bytes}")));
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

    /// Whether it holds for the `data` of an event.
    #[must_use]
    pub fn holds(&self, data: &Value) -> bool {
        self.0.holds(data)
    }

    /// Says of every part whether it holds, with pointers from the condition itself (`""`).
    #[must_use]
    pub fn explain(&self, data: &Value) -> Clause {
        self.explain_at(data, "")
    }

    /// [`Self::explain`] with pointers that begin with `pointer`.
    #[must_use]
    pub fn explain_at(&self, data: &Value, pointer: &str) -> Clause {
        self.0.explain(data, pointer)
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::parse(&value, "").map_err(|faults| de::Error::custom(crate::fault::sentence(&faults)))
    }
}

impl Node {
    fn to_value(&self) -> Value {
        let list = |key: &str, nodes: &[Self]| {
            Value::Object([(String::from(key), nodes.iter().map(Self::to_value).collect())].into_iter().collect())
        };
        match self {
            Self::And(nodes) => list("and", nodes),
            Self::Or(nodes) => list("or", nodes),
            Self::Not(node) => Value::Object([(String::from("not"), node.to_value())].into_iter().collect()),
            Self::Field(path, tests) => {
                let mut map: Map<String, Value> = tests.iter().map(|(op, wanted)| (String::from(op.as_str()), wanted.clone())).collect();
                map.insert(String::from("field"), Value::from(path.as_str()));
                Value::Object(map)
            }
        }
    }

    fn holds(&self, data: &Value) -> bool {
        match self {
            Self::And(nodes) => nodes.iter().all(|node| node.holds(data)),
            Self::Or(nodes) => nodes.iter().any(|node| node.holds(data)),
            Self::Not(node) => !node.holds(data),
            Self::Field(path, tests) => {
                let found = find(data, path);
                tests.iter().all(|(op, wanted)| op.holds(found, wanted))
            }
        }
    }

    fn explain(&self, data: &Value, pointer: &str) -> Clause {
        let parts = |key: &str, text: &str, nodes: &[Self]| {
            let children = nodes.iter().enumerate().map(|(index, node)| node.explain(data, &format!("{pointer}/{key}/{index}"))).collect();
            Clause { pointer: String::from(pointer), text: String::from(text), holds: self.holds(data), found: None, children }
        };
        match self {
            Self::And(nodes) => parts("and", "all of these hold", nodes),
            Self::Or(nodes) => parts("or", "at least one of these holds", nodes),
            Self::Not(node) => Clause {
                pointer: String::from(pointer),
                text: String::from("this does not hold"),
                holds: self.holds(data),
                found: None,
                children: vec![node.explain(data, &format!("{pointer}/not"))],
            },
            Self::Field(path, tests) => {
                let value = find(data, path);
                let found = value.map(|value| cut(&value.to_string()));
                let test = |(op, wanted): &(Op, Value), pointer: String| Clause {
                    pointer,
                    text: format!("{path} {} {}", op.as_str(), cut(&wanted.to_string())),
                    holds: op.holds(value, wanted),
                    found: found.clone(),
                    children: Vec::new(),
                };
                match tests.as_slice() {
                    [only] => test(only, String::from(pointer)),
                    many => Clause {
                        pointer: String::from(pointer),
                        text: format!("{path}: all of these hold"),
                        holds: self.holds(data),
                        found: found.clone(),
                        children: many.iter().map(|pair| test(pair, format!("{pointer}/{}", pair.0.as_str()))).collect(),
                    },
                }
            }
        }
    }
}

/// `text`, cut to what an explanation repeats.
pub(crate) fn cut(text: &str) -> String {
    if text.chars().nth(FOUND_CHARS_MAX).is_none() {
        return String::from(text);
    }
    let mut short: String = text.chars().take(FOUND_CHARS_MAX - 1).collect();
    short.push('…');
    short
}

/// What stands at `path` of `data`: a dotted path, or a JSON pointer where it begins with `/`.
fn find<'a>(data: &'a Value, path: &str) -> Option<&'a Value> {
    if path.starts_with('/') {
        return data.pointer(path);
    }
    path.split('.').try_fold(data, |value, key| match value {
        Value::Object(map) => map.get(key),
        Value::Array(elements) => elements.get(index(key)?),
        _ => None,
    })
}

/// An index as RFC 6901 spells it: without leading zeros.
fn index(text: &str) -> Option<usize> {
    let is_canonical = text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
    if is_canonical { text.parse().ok() } else { None }
}

/// Reads a tree and remembers what is wrong with it.
struct Reader {
    faults: Vec<Fault>,
    leaves: usize,
}

impl Reader {
    fn fault<T>(&mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Option<T> {
        self.faults.push(Fault::new(pointer, detail));
        None
    }

    /// The node at `pointer`; `depth` is 1 for the whole condition.
    fn node(&mut self, value: &Value, pointer: &str, depth: usize) -> Option<Node> {
        let Value::Object(map) = value else {
            return self
                .fault(pointer, format!("must be a condition such as {{\"field\":\"amount\",\"gt\":100}}, not {}", type_name(value)));
        };
        if depth > DEPTH_MAX {
            return self.fault(pointer, format!("must not be nested more than {DEPTH_MAX} levels deep"));
        }
        let groups: Vec<&str> = ["and", "or", "not"].into_iter().filter(|key| map.contains_key(*key)).collect();
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
        let nodes: Vec<Option<Node>> =
            items.iter().enumerate().map(|(index, item)| self.node(item, &format!("{pointer}/{index}"), depth + 1)).collect();
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
            Some(other) => self.fault(format!("{pointer}/field"), format!("must be a string, not {}", type_name(other))),
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
                    None => tests.push((op, wanted.clone())),
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
        return Err(String::from("must be names joined by single dots, such as customer.country, or a JSON pointer such as /a.b/0"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
