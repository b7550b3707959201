//! A checked condition.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use super::clause::Clause;
use super::node::Node;
use super::parse;
use crate::budget::Budget;
use crate::fault::Faults;
use crate::json;

/// A checked condition. Serialises as the JSON that it was written as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition(Node);

impl Condition {
    /// Reads a condition that stands at `pointer` of a body.
    ///
    /// # Errors
    /// Every bad part with its pointer: not an object, an unknown operator, a value that an operator can't
    /// take, a malformed path, too many fields, too deep, too long.
    pub fn parse(value: &Value, pointer: &str) -> Result<Self, Faults> {
        parse::read(value, pointer, parse::Source::Request).map(Self)
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

    /// Says of every part whether it holds, with pointers from the condition itself (`""`), whatever that
    /// takes.
    #[must_use]
    pub fn explain(&self, data: &Value) -> Clause {
        self.explain_within(data, "", &Budget::unlimited())
    }

    /// Says of every part whether it holds, with pointers that start with `pointer`. Worth nothing once the
    /// budget is spent.
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
        let node = parse::read(&value, "", parse::Source::Store);
        node.map(Self).map_err(|faults| de::Error::custom(faults.sentence()))
    }
}
