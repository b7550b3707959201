//! The tree that a condition is, and whether it holds.

use serde_json::{Map, Value};

use super::look::{self, Found, Look};
use super::op::Op;
use crate::budget::{Budget, LOOK};
use crate::compare::{ValueSet, equal};

/// An operator with what it compares with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Test {
    pub(super) op: Op,
    pub(super) wanted: Value,
    /// The values of `in` and `nin`.
    set: Option<ValueSet>,
}

impl Test {
    pub(super) fn new(op: Op, wanted: &Value) -> Self {
        let list = wanted.as_array().filter(|_list| matches!(op, Op::In | Op::Nin));
        Self { op, wanted: wanted.clone(), set: list.map(|list| ValueSet::new(list)) }
    }

    /// Whether it holds for what was found.
    pub(super) fn holds(&self, found: &Found<'_>, look: &mut Look<'_>) -> bool {
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

/// A condition, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    /// A path into `data`, and what must hold there; never without a test.
    Field(String, Vec<Test>),
}

impl Node {
    pub(super) fn to_value(&self) -> Value {
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

    pub(super) fn holds(&self, data: &Value, budget: &Budget) -> bool {
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
}
