//! From a JSON value to a [`Schema`], or to everything in it that is wrong or would not be checked.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Number, Value};

use super::check::{SHOWN_CHARS_MAX, shown};
use super::schema::{
    COUNT_MAX, DRAFTS, Enumeration, Node, Rules, SCHEMA_BYTES_MAX, SCHEMA_DEPTH_MAX, SCHEMA_PARTS_MAX, Schema,
};
use super::types::{Format, Types};
use crate::compare::ValueSet;
use crate::decimal::{STEP_DIGITS_MAX, Step};
use crate::fault::{Fault, Faults, cut, pointer_segment, type_name, whole_number};

/// Values of an `enum` that a fault names, if they are short.
const NAMED_VALUES_MAX: usize = 30;
const DEFS: &str = "#/$defs/";

impl Schema {
    /// Takes a schema apart that stands at `pointer` of the input.
    ///
    /// # Errors
    /// Every keyword that is unknown, not checked here or has a wrong value; a `$ref` that leads nowhere or
    /// in a circle; a schema that is too large.
    pub fn parse(value: &Value, pointer: &str) -> Result<Self, Faults> {
        let bytes = value.to_string().len();
        if bytes > SCHEMA_BYTES_MAX {
            return Err(Fault::new(
                pointer,
                format!("must be at most {} KiB, this has {bytes} bytes", SCHEMA_BYTES_MAX / 1024),
            )
            .into());
        }
        if !value.is_object() {
            return Err(Fault::new(
                pointer,
                format!("must be a JSON Schema object, not {}", type_name(value)),
            )
            .into());
        }
        let mut reader =
            Reader { faults: Faults::default(), parts: 0, refs: Vec::new(), defs: BTreeMap::new() };
        let root = reader.node(value, pointer, 0);
        let Reader { mut faults, refs, defs, .. } = reader;
        for (at, name) in refs {
            if !defs.contains_key(&name) {
                faults.push_with(|| Fault::new(at, format!("leads nowhere: $defs has no {name}")));
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let schema = Self { root, defs };
        match schema.circle() {
            Some(name) => Err(Fault::new(
                format!("{pointer}/$defs/{}", pointer_segment(&name)),
                "refers to itself endlessly",
            )
            .into()),
            None => Ok(schema),
        }
    }

    /// A definition that leads back to itself without a step into the value: checking it would not end.
    fn circle(&self) -> Option<String> {
        let mut over = BTreeSet::new();
        self.defs.keys().find(|name| self.leads_back(name, &mut Vec::new(), &mut over)).cloned()
    }

    fn leads_back<'a>(
        &'a self,
        name: &'a str,
        path: &mut Vec<&'a str>,
        over: &mut BTreeSet<&'a str>,
    ) -> bool {
        if path.contains(&name) {
            return true;
        }
        if over.contains(name) {
            return false;
        }
        path.push(name);
        let mut same_place = Vec::new();
        if let Some(node) = self.defs.get(name) {
            references_of(node, &mut same_place);
        }
        let found = same_place.into_iter().any(|next| self.leads_back(next, path, over));
        path.pop();
        over.insert(name);
        found
    }
}

/// The definitions that are applied to the same value as `node`.
fn references_of<'a>(node: &'a Node, found: &mut Vec<&'a str>) {
    let Node::Rules(rules) = node else { return };
    found.extend(rules.reference.as_deref());
    for part in rules.all_of.iter().chain(&rules.any_of).chain(&rules.one_of).chain(&rules.not) {
        references_of(part, found);
    }
}

struct Reader {
    faults: Faults,
    parts: usize,
    /// Where each `$ref` stands, and the definition it names.
    refs: Vec<(String, String)>,
    defs: BTreeMap<String, Node>,
}

impl Reader {
    fn fault(&mut self, at: &str, detail: impl Into<String>) {
        self.faults.push_with(|| Fault::new(at, detail));
    }

    fn node(&mut self, value: &Value, at: &str, depth: usize) -> Node {
        self.parts += 1;
        if self.parts == SCHEMA_PARTS_MAX + 1 {
            self.fault(
                at,
                format!(
                    "is part {} of the schema; at most {SCHEMA_PARTS_MAX} are allowed",
                    SCHEMA_PARTS_MAX + 1
                ),
            );
        }
        if self.parts > SCHEMA_PARTS_MAX {
            return Node::Nothing;
        }
        if depth > SCHEMA_DEPTH_MAX {
            self.fault(at, format!("must not be nested more than {SCHEMA_DEPTH_MAX} schemas deep"));
            return Node::Nothing;
        }
        match value {
            Value::Bool(true) => Node::Anything,
            Value::Bool(false) => Node::Nothing,
            Value::Object(map) if map.is_empty() => Node::Anything,
            Value::Object(map) => Node::Rules(Box::new(self.rules(map, at, depth))),
            other => {
                self.fault(
                    at,
                    format!("must be a schema (an object, true or false), not {}", type_name(other)),
                );
                Node::Nothing
            }
        }
    }

    fn rules(&mut self, map: &Map<String, Value>, at: &str, depth: usize) -> Rules {
        let mut rules = Rules::default();
        for (key, value) in map {
            let here = format!("{at}/{}", pointer_segment(key));
            match key.as_str() {
                "type" => rules.types = self.types(value, &here),
                "enum" => match value.as_array() {
                    Some(values) if !values.is_empty() => {
                        rules.enumeration = Some(Enumeration::from_values(values));
                    }
                    _ => self.fault(&here, "must be an array with at least one value"),
                },
                "const" => rules.constant = Some(value.clone()),
                "properties" => rules.properties = self.named(value, &here, depth),
                "required" => rules.required = self.names(value, &here),
                "additionalProperties" => {
                    rules.additional_properties = Some(self.node(value, &here, depth + 1));
                }
                "prefixItems" => rules.prefix_items = self.schemas(value, &here, depth),
                "items" => rules.items = Some(self.node(value, &here, depth + 1)),
                "minItems" => rules.min_items = self.count(value, &here),
                "maxItems" => rules.max_items = self.count(value, &here),
                "minProperties" => rules.min_properties = self.count(value, &here),
                "maxProperties" => rules.max_properties = self.count(value, &here),
                "minLength" => rules.min_length = self.count(value, &here),
                "maxLength" => rules.max_length = self.count(value, &here),
                "uniqueItems" => rules.unique_items = self.flag(value, &here),
                "minimum" => rules.minimum = self.number(value, &here),
                "maximum" => rules.maximum = self.number(value, &here),
                "exclusiveMinimum" => rules.exclusive_minimum = self.number(value, &here),
                "exclusiveMaximum" => rules.exclusive_maximum = self.number(value, &here),
                "multipleOf" => {
                    rules.multiple_of = self
                        .number(value, &here)
                        .and_then(|number| Some((Step::from_number(&number)?, number)));
                    if rules.multiple_of.is_none() && value.is_number() {
                        self.fault(
                            &here,
                            format!(
                                "must be greater than 0, with at most {STEP_DIGITS_MAX} significant digits"
                            ),
                        );
                    }
                }
                "format" => {
                    rules.format = value.as_str().and_then(Format::parse);
                    if rules.format.is_none() {
                        self.fault(
                            &here,
                            format!(
                                "is not checked here; checked are {}",
                                Format::ALL.map(Format::as_str).join(", ")
                            ),
                        );
                    }
                }
                "allOf" => rules.all_of = self.schemas(value, &here, depth),
                "anyOf" => rules.any_of = self.schemas(value, &here, depth),
                "oneOf" => rules.one_of = self.schemas(value, &here, depth),
                "not" => rules.not = Some(self.node(value, &here, depth + 1)),
                "$ref" => rules.reference = self.reference(value, &here),
                "$defs" if depth == 0 => self.defs = self.named(value, &here, depth),
                "$defs" => self.fault(&here, "is only understood at the top of the schema"),
                "$schema" => {
                    if !DRAFTS.iter().any(|draft| value == draft) {
                        self.fault(&here, format!("must be {}, or be left out", DRAFTS[0]));
                    }
                }
                "pattern" | "patternProperties" => {
                    self.fault(
                        &here,
                        "can't be checked: Postern has no regular expressions; use enum, format or minLength",
                    );
                }
                // What follows only says something to people or to other programs.
                "title" | "description" | "$id" | "$comment" => {
                    if !value.is_string() {
                        self.fault(&here, format!("must be a string, not {}", type_name(value)));
                    }
                }
                "deprecated" | "readOnly" | "writeOnly" => {
                    self.flag(value, &here);
                }
                "examples" => {
                    if !value.is_array() {
                        self.fault(&here, format!("must be an array of values, not {}", type_name(value)));
                    }
                }
                "default" | "example" => {}
                _ => self.fault(
                    &here,
                    "is not a keyword that Postern checks; leave it out, so that nobody relies on it",
                ),
            }
        }
        rules
    }

    fn types(&mut self, value: &Value, at: &str) -> Option<Types> {
        let names: Option<Vec<&str>> = match value {
            Value::String(name) => Some(vec![name]),
            Value::Array(names) if !names.is_empty() => names.iter().map(Value::as_str).collect(),
            _ => None,
        };
        let names = names.filter(|names| all_differ(names));
        let types = names.and_then(|names| names.into_iter().try_fold(Types::default(), Types::with));
        if types.is_none() {
            self.fault(at, "must be one of null, boolean, integer, number, string, array, object, or an array of them, each once");
        }
        types
    }

    fn names(&mut self, value: &Value, at: &str) -> Vec<String> {
        let names: Option<Vec<&str>> =
            value.as_array().and_then(|names| names.iter().map(Value::as_str).collect());
        let Some(names) = names.filter(|names| all_differ(names)) else {
            self.fault(at, "must be an array of field names, each once");
            return Vec::new();
        };
        names.into_iter().map(String::from).collect()
    }

    fn flag(&mut self, value: &Value, at: &str) -> bool {
        if !value.is_boolean() {
            self.fault(at, format!("must be true or false, not {}", type_name(value)));
        }
        value.as_bool().unwrap_or_default()
    }

    fn named(&mut self, value: &Value, at: &str, depth: usize) -> BTreeMap<String, Node> {
        let Some(map) = value.as_object() else {
            self.fault(at, format!("must be an object of schemas, not {}", type_name(value)));
            return BTreeMap::new();
        };
        map.iter()
            .map(|(name, value)| {
                (name.clone(), self.node(value, &format!("{at}/{}", pointer_segment(name)), depth + 1))
            })
            .collect()
    }

    fn schemas(&mut self, value: &Value, at: &str, depth: usize) -> Vec<Node> {
        let Some(items) = value.as_array().filter(|items| !items.is_empty()) else {
            self.fault(at, "must be an array with at least one schema");
            return Vec::new();
        };
        items
            .iter()
            .enumerate()
            .map(|(index, item)| self.node(item, &format!("{at}/{index}"), depth + 1))
            .collect()
    }

    fn count(&mut self, value: &Value, at: &str) -> Option<u64> {
        let count = whole_number(value)
            .and_then(|count| u64::try_from(count).ok())
            .filter(|count| *count <= COUNT_MAX);
        if count.is_none() {
            self.fault(at, format!("must be a whole number from 0 to {COUNT_MAX}"));
        }
        count
    }

    fn number(&mut self, value: &Value, at: &str) -> Option<Number> {
        if let Value::Number(number) = value {
            return Some(number.clone());
        }
        self.fault(at, format!("must be a number, not {}", type_name(value)));
        None
    }

    fn reference(&mut self, value: &Value, at: &str) -> Option<String> {
        let name = value.as_str().and_then(|text| text.strip_prefix(DEFS)).filter(|name| !name.contains('/'));
        let Some(name) = name else {
            self.fault(at, "must be #/$defs/ and a name: other references are not followed");
            return None;
        };
        let name = name.replace("~1", "/").replace("~0", "~");
        self.refs.push((String::from(at), name.clone()));
        Some(name)
    }
}

impl Enumeration {
    fn from_values(values: &[Value]) -> Self {
        let known: Vec<String> = values.iter().take(NAMED_VALUES_MAX).map(shown).collect();
        Self { set: ValueSet::new(values), words: cut(&known.join(", "), SHOWN_CHARS_MAX) }
    }
}

fn all_differ(names: &[&str]) -> bool {
    names.iter().collect::<BTreeSet<_>>().len() == names.len()
}
