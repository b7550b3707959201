//! The operators of a condition.

use std::cmp::Ordering;

use serde_json::Value;
use strum::{EnumCount, EnumString, IntoStaticStr, VariantArray};

use crate::budget::Budget;
use crate::compare::order;
use crate::fault::type_name;
use crate::variants::spelled;

/// Values in the list of `in` or `nin` at most.
pub const LIST_VALUES_MAX: usize = 100;

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumCount, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
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
    /// A string that starts so.
    StartsWith,
    /// A string that ends so.
    EndsWith,
    /// The field is there (`true`, `null` counts) or is not (`false`).
    Exists,
}

spelled!(pub Op, "The wire spelling.");

impl Op {
    /// What is wrong with a value that this can't compare with.
    pub(super) fn refuses(self, wanted: &Value) -> Option<String> {
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
    pub(super) fn compares(self, found: &Value, wanted: &Value, budget: &Budget) -> bool {
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
