//! How JSON values compare, for conditions and schemas alike: numbers by their value (1 is 1.0), texts by
//! code point, arrays item by item, objects whatever the order of their members. Comparing pays for what is
//! looked at.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Number, Value};

use crate::budget::Budget;
use crate::decimal::Decimal;

/// Whether two values are the same. Worth nothing once the budget is spent.
pub(crate) fn equal(one: &Value, other: &Value, budget: &Budget) -> bool {
    match (one, other) {
        // Most differ in length, which costs nothing to see.
        (Value::String(one), Value::String(other)) => {
            one.len() == other.len() && budget.pay_bytes(one.len()) && one == other
        }
        (Value::Array(one), Value::Array(other)) if one.len() != other.len() => false,
        (Value::Object(one), Value::Object(other)) if one.len() != other.len() => false,
        _ => order(one, other, budget) == Ordering::Equal,
    }
}

/// A total order of all values, in which equal ones are the same. Worth nothing once the budget is spent.
pub(crate) fn order(one: &Value, other: &Value, budget: &Budget) -> Ordering {
    match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Number(one), Value::Number(other)) => order_of_numbers(one, other, budget),
        // UTF-8 sorts as its code points do.
        (Value::String(one), Value::String(other)) => {
            if !budget.pay_bytes(one.len().min(other.len())) {
                return Ordering::Less;
            }
            one.cmp(other)
        }
        (Value::Array(one), Value::Array(other)) => {
            let items = one.iter().zip(other).map(|(one, other)| {
                if budget.pay_look(0) { order(one, other, budget) } else { Ordering::Less }
            });
            first_difference(items).then_with(|| one.len().cmp(&other.len()))
        }
        // The members of a map come in the order of their names.
        (Value::Object(one), Value::Object(other)) => {
            let members = one.iter().zip(other).map(|((name, one), (other_name, other))| {
                if !budget.pay_look(name.len().min(other_name.len())) {
                    return Ordering::Less;
                }
                name.cmp(other_name).then_with(|| order(one, other, budget))
            });
            one.len().cmp(&other.len()).then_with(|| first_difference(members))
        }
        _ => rank(one).cmp(&rank(other)),
    }
}

/// The order of two numbers. Worth nothing once the budget is spent.
pub(crate) fn order_of_numbers(one: &Number, other: &Number, budget: &Budget) -> Ordering {
    // Nearly all are whole and short.
    if let (Some(one), Some(other)) = (small(one), small(other)) {
        return if budget.pay(SMALL_STEPS) { one.cmp(&other) } else { Ordering::Less };
    }
    if !budget.pay(steps_of_number(one) + steps_of_number(other)) {
        return Ordering::Less;
    }
    Decimal::from_number(one).cmp(&Decimal::from_number(other))
}

/// A whole number of at most eighteen digits, written without point and exponent.
fn small(number: &Number) -> Option<i64> {
    let text = number.as_str();
    if text.len() <= 18 { text.parse().ok() } else { None }
}

/// Steps of comparing two small numbers.
const SMALL_STEPS: u64 = 6;

/// Steps of taking a number apart and of looking at its digits one by one (measured: 85 ns, and 3 ns a
/// digit).
pub(crate) fn steps_of_number(number: &Number) -> u64 {
    100 + 4 * number.as_str().len() as u64
}

fn first_difference(mut orders: impl Iterator<Item = Ordering>) -> Ordering {
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

const fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

/// A hash that equal values share. Worth nothing once the budget is spent.
pub(crate) fn hash_of(value: &Value, budget: &Budget) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash_into(value, budget, &mut hasher);
    hasher.finish()
}

fn hash_into(value: &Value, budget: &Budget, hasher: &mut DefaultHasher) {
    rank(value).hash(hasher);
    match value {
        _ if !budget.pay_look(0) => {}
        Value::Null => {}
        Value::Bool(flag) => flag.hash(hasher),
        Value::Number(number) => {
            if budget.pay(steps_of_number(number)) {
                Decimal::from_number(number).hash(hasher);
            }
        }
        Value::String(text) => {
            if budget.pay_bytes(text.len()) {
                text.hash(hasher);
            }
        }
        Value::Array(items) => {
            items.len().hash(hasher);
            for item in items {
                hash_into(item, budget, hasher);
            }
        }
        Value::Object(map) => {
            map.len().hash(hasher);
            for (name, value) in map {
                if budget.pay_bytes(name.len()) {
                    name.hash(hasher);
                    hash_into(value, budget, hasher);
                }
            }
        }
    }
}

/// Values that can be looked for: a list of `in` or `nin`, or an `enum`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValueSet {
    /// In ascending order, each once.
    sorted: Vec<Value>,
}

impl ValueSet {
    pub(crate) fn new(values: &[Value]) -> Self {
        // Bounded by the size of a condition or a schema.
        let budget = Budget::unlimited();
        let mut sorted = values.to_vec();
        sorted.sort_by(|one, other| order(one, other, &budget));
        sorted.dedup_by(|one, other| order(one, other, &budget).is_eq());
        Self { sorted }
    }

    /// Whether `value` is one of them. Worth nothing once the budget is spent.
    pub(crate) fn contains(&self, value: &Value, budget: &Budget) -> bool {
        self.sorted.binary_search_by(|known| order(known, value, budget)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json;

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            prop::sample::select(vec![
                "1",
                "1.0",
                "10e-1",
                "0",
                "-0",
                "2",
                "1e400",
                "18446744073709551615",
                "18446744073709551616"
            ])
            .prop_map(|text| json::read(text).unwrap_or_default()),
            "[ab]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(2, 8, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[ab]", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_order_is_one_and_equality_and_hash_agree_with_it(one in values(), other in values(), third in values()) {
            let budget = Budget::unlimited();
            let cmp = |one: &Value, other: &Value| order(one, other, &budget);
            prop_assert_eq!(cmp(&one, &other), cmp(&other, &one).reverse());
            prop_assert_eq!(equal(&one, &other, &budget), cmp(&one, &other).is_eq());
            if cmp(&one, &other).is_le() && cmp(&other, &third).is_le() {
                prop_assert!(cmp(&one, &third).is_le());
            }
            if equal(&one, &other, &budget) {
                prop_assert_eq!(hash_of(&one, &budget), hash_of(&other, &budget));
            }
        }

        #[test]
        fn a_set_holds_what_equals_one_of_its_values(list in prop::collection::vec(values(), 1..8), value in values()) {
            let budget = Budget::unlimited();
            let expected = list.iter().any(|known| equal(known, &value, &budget));
            prop_assert_eq!(ValueSet::new(&list).contains(&value, &budget), expected);
        }
    }

    #[test]
    fn what_is_compared_is_paid() {
        let long = |last: &str| Value::from(format!("{}{last}", "x".repeat(1_000)));
        let paid = |one: &Value, other: &Value| {
            let budget = Budget::of_event();
            equal(one, other, &budget);
            budget.used()
        };
        assert!(paid(&long("a"), &long("b")) >= 100);
        assert_eq!(paid(&long("a"), &Value::from("x")), 0, "the length tells");
        assert!(paid(&Value::from(vec![1; 100]), &Value::from(vec![1; 100])) >= 2_000);
        let spent = Budget::new(3);
        order(&long("a"), &long("b"), &spent);
        assert!(spent.is_spent());
    }
}
