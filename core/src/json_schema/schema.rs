//! A schema, taken apart.

use std::collections::BTreeMap;

use serde_json::{Number, Value};

use super::types::{Format, Types};
use crate::compare::ValueSet;
use crate::decimal::Step;

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
    pub(super) root: Node,
    pub(super) defs: BTreeMap<String, Node>,
}

/// A schema within a schema.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// `true`, `{}`: whatever it is.
    Anything,
    /// `false`: nothing fits.
    Nothing,
    /// What an object of keywords says.
    Rules(Box<Rules>),
}

/// The keywords of one schema object. What is `None` or empty was not said.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rules {
    pub(super) types: Option<Types>,
    pub(super) enumeration: Option<Enumeration>,
    pub(super) constant: Option<Value>,
    pub(super) properties: BTreeMap<String, Node>,
    pub(super) required: Vec<String>,
    pub(super) additional_properties: Option<Node>,
    pub(super) prefix_items: Vec<Node>,
    pub(super) items: Option<Node>,
    pub(super) min_items: Option<u64>,
    pub(super) max_items: Option<u64>,
    pub(super) unique_items: bool,
    pub(super) min_properties: Option<u64>,
    pub(super) max_properties: Option<u64>,
    pub(super) min_length: Option<u64>,
    pub(super) max_length: Option<u64>,
    pub(super) minimum: Option<Number>,
    pub(super) maximum: Option<Number>,
    pub(super) exclusive_minimum: Option<Number>,
    pub(super) exclusive_maximum: Option<Number>,
    pub(super) multiple_of: Option<(Step, Number)>,
    pub(super) format: Option<Format>,
    pub(super) all_of: Vec<Node>,
    pub(super) any_of: Vec<Node>,
    pub(super) one_of: Vec<Node>,
    pub(super) not: Option<Node>,
    /// A key of [`Schema::defs`].
    pub(super) reference: Option<String>,
}

/// The values of `enum`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Enumeration {
    pub(super) set: ValueSet,
    /// For the message about any other value.
    pub(super) words: String,
}
