//! JSON Schema for event data: the part of draft 2020-12 that can be checked quickly and predictably at the edge.
//!
//! [`Schema::parse`] takes a schema apart once and refuses every keyword that it would not check, so that nobody believes
//! in a rule that does not hold. [`Schema::check`] then names every place of a value that does not fit. Both are bounded:
//! a schema in size, depth and number of parts, a check in the steps of a [`Budget`](crate::budget::Budget): a schema whose
//! alternatives multiply is given up rather than followed.
//!
//! Left out on purpose: `pattern` and other regular expressions (their worst case cannot be bounded, and an engine weighs
//! more than the rest of the Worker's domain), `$ref` to anything but `#/$defs/…`, `if`, `dependentSchemas`, `contains`,
//! `patternProperties`, `propertyNames`, `unevaluated…`.

mod check;
mod parse;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Number, Value};

use crate::compare::ValueSet;
use crate::decimal::{Decimal, Step};

/// Bytes of a schema's JSON text at most.
pub const SCHEMA_BYTES_MAX: usize = 32 * 1024;
/// Levels of schemas within schemas at most.
pub const SCHEMA_DEPTH_MAX: usize = 24;
/// Schemas within a schema at most.
pub const SCHEMA_PARTS_MAX: usize = 1_000;
/// The spellings of the draft that is understood.
pub const DRAFTS: [&str; 2] =
    ["https://json-schema.org/draft/2020-12/schema", "https://json-schema.org/draft/2020-12/schema#"];
/// What `minLength`, `maxItems` and their like may say at most: far beyond any body that is taken.
pub const COUNT_MAX: u64 = 1_000_000_000;

/// A schema, taken apart and known to be one that can be checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    root: Node,
    defs: BTreeMap<String, Node>,
}

/// A schema within a schema.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    /// `true`, `{}`: whatever it is.
    Anything,
    /// `false`: nothing fits.
    Nothing,
    /// What an object of keywords says.
    Rules(Box<Rules>),
}

/// The keywords of one schema object. What is `None` or empty was not said.
#[derive(Clone, Debug, Default, PartialEq)]
struct Rules {
    types: Option<Types>,
    enumeration: Option<Enumeration>,
    constant: Option<Value>,
    properties: BTreeMap<String, Node>,
    required: Vec<String>,
    additional_properties: Option<Node>,
    prefix_items: Vec<Node>,
    items: Option<Node>,
    min_items: Option<u64>,
    max_items: Option<u64>,
    unique_items: bool,
    min_properties: Option<u64>,
    max_properties: Option<u64>,
    min_length: Option<u64>,
    max_length: Option<u64>,
    minimum: Option<Number>,
    maximum: Option<Number>,
    exclusive_minimum: Option<Number>,
    exclusive_maximum: Option<Number>,
    multiple_of: Option<(Step, Number)>,
    format: Option<Format>,
    all_of: Vec<Node>,
    any_of: Vec<Node>,
    one_of: Vec<Node>,
    not: Option<Node>,
    /// A key of [`Schema::defs`].
    reference: Option<String>,
}

/// The values of `enum`.
#[derive(Clone, Debug, PartialEq)]
struct Enumeration {
    set: ValueSet,
    /// For whoever sent another.
    words: String,
}

/// The values of `type`, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Types(u8);

/// Spelling and bit of each type. `integer` is a `number` without a fraction.
const TYPES: [(&str, u8); 7] = [
    ("null", 1),
    ("boolean", 2),
    ("integer", 4),
    ("number", 8),
    ("string", 16),
    ("array", 32),
    ("object", 64),
];

impl Types {
    fn with(self, name: &str) -> Option<Self> {
        TYPES.iter().find(|(known, _bit)| *known == name).map(|(_name, bit)| Self(self.0 | bit))
    }

    fn hold(self, value: &Value) -> bool {
        let bits = match value {
            Value::Null => 1,
            Value::Bool(_) => 2,
            Value::Number(number) => {
                if Decimal::of(number).is_whole() {
                    4 | 8
                } else {
                    8
                }
            }
            Value::String(_) => 16,
            Value::Array(_) => 32,
            Value::Object(_) => 64,
        };
        self.0 & bits != 0
    }

    fn names(self) -> String {
        let names: Vec<&str> =
            TYPES.iter().filter(|(_name, bit)| self.0 & bit != 0).map(|(name, _bit)| *name).collect();
        names.join(" or ")
    }
}

/// The values of `format` that are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    DateTime,
    Uuid,
    Email,
    Uri,
}

impl Format {
    const ALL: [Self; 4] = [Self::DateTime, Self::Uuid, Self::Email, Self::Uri];

    const fn as_str(self) -> &'static str {
        match self {
            Self::DateTime => "date-time",
            Self::Uuid => "uuid",
            Self::Email => "email",
            Self::Uri => "uri",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == text)
    }
}
