//! Reading a condition, and what is wrong with it.

use serde_json::{Map, Value};

use super::node::{Node, Test};
use super::op::Op;
use crate::fault::{Fault, Faults, check_text, pointer_segment, type_name};

/// Conditions on a field that one condition holds at most.
pub const LEAVES_MAX: usize = 64;

/// Levels of `and`, `or`, `not` and fields at most.
pub const DEPTH_MAX: usize = 8;

/// Characters of a field's path at most.
pub const FIELD_CHARS_MAX: usize = 256;

/// Bytes of a condition as JSON at most: every webhook's is kept in memory.
pub const BYTES_MAX: usize = 16 * 1024;

/// Where a condition comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Somebody asks for it now.
    Request,
    /// It was taken once. What is stored is read although a newer rule refuses it.
    Store,
}

/// Reads the condition that stands at `pointer` of a body.
///
/// # Errors
/// See [`Condition::parse`](super::Condition::parse).
pub(super) fn read(value: &Value, pointer: &str, source: Source) -> Result<Node, Faults> {
    let mut reader = Reader { faults: Faults::default(), leaves: 0, source };
    let node = reader.node(value, pointer, 1);
    if reader.leaves > LEAVES_MAX {
        let detail =
            format!("must hold at most {LEAVES_MAX} conditions on a field, this holds {}", reader.leaves);
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
        Some(node) if reader.faults.is_empty() => Ok(node),
        _ => Err(reader.faults),
    }
}

/// Reads a tree and remembers what is wrong with it.
struct Reader {
    faults: Faults,
    leaves: usize,
    source: Source,
}

impl Reader {
    fn fault<T>(&mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Option<T> {
        self.faults.push_with(|| Fault::new(pointer, detail));
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
            nodes.push(self.node(item, &format!("{pointer}/{index}"), depth + 1));
        }
        nodes.into_iter().collect()
    }

    fn field(&mut self, map: &Map<String, Value>, pointer: &str) -> Option<Node> {
        self.leaves += 1;
        let path = match map.get("field") {
            None => self.fault(pointer, "must name a field, or be and, or or not"),
            Some(Value::String(path)) => match check_path(path, self.source) {
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
                    self.fault::<()>(at, format!("is not an operator; operators are {}", known.join(", ")));
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
fn check_path(path: &str, source: Source) -> Result<(), String> {
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
    match plain_path(path).filter(|_plain| source == Source::Request) {
        None => Ok(()),
        Some(plain) => Err(format!(
            "is written as JSONPath: write {plain} (a name without an index asks every element of a list). A name that \
             really holds $ or a bracket is asked for by a JSON pointer, such as /a[0]"
        )),
    }
}

/// What to write in place of a path with the marks of RFC 9535: `items.0.sku` for `$.items[0].sku`,
/// `items.sku` for `items[*].sku`. `None`: it has none.
fn plain_path(path: &str) -> Option<String> {
    let rest = path.strip_prefix('$').filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    if rest.is_none() && !path.contains(['[', ']']) {
        return None;
    }
    let names = rest.unwrap_or(path).split(['.', '[', ']']);
    let names = names.map(|name| name.trim_matches(['"', '\''])).filter(|name| !matches!(*name, "" | "*"));
    let plain = names.collect::<Vec<_>>().join(".");
    Some(if plain.is_empty() { String::from("the name of a field") } else { plain })
}
