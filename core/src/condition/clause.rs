//! What is said of each part of a condition.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::look::{self, Look};
use super::node::{Node, Test};
use super::words::shown;
use crate::budget::Budget;

/// What became of one part of a condition, or of another filter of a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Clause {
    /// Where the part stands (RFC 6901), such as `/filter/and/0`.
    pub pointer: String,
    /// The part in words, such as `amount gt 100`; says so where only the first 1,000 elements were looked
    /// at.
    pub text: String,
    /// Whether it holds.
    pub holds: bool,
    /// What was found, as JSON of at most [`super::FOUND_CHARS_MAX`] characters; null where there was
    /// nothing.
    pub found: Option<String>,
    /// The parts of `and`, `or` and `not`, and of a field with more than one operator.
    pub children: Vec<Self>,
}

/// Steps that a clause of an explanation costs.
const CLAUSE_STEPS: u64 = 500;

/// What the text of a clause ends with where elements were left out.
const FIRST_ELEMENTS_ONLY: &str = " (of a list, the first 1,000 elements are looked at)";

impl Node {
    /// Says of every part whether it holds; `pointer` is where this part stands.
    pub(super) fn explain(&self, data: &Value, pointer: &str, budget: &Budget) -> Clause {
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
