//! Payload conditions: which events a webhook wants by what stands in their `data`.
//!
//! A condition is a small JSON tree, `{"and":[…]}`, `{"or":[…]}`, `{"not":…}` or
//! `{"field":"amount","gt":100}`. It is checked when it is written, kept as it was written, and can say for
//! every part whether it held and what it found.
//!
//! A list stands for each of its elements: a field that leads through one (`items.sku`) finds the member of
//! every element, and a test holds if it holds for any of what was found. `ne` and `nin` are the opposites of
//! `eq` and `in`, so they hold if nothing is the same; `exists` asks whether anything was found.
//! [`ELEMENTS_MAX`] elements are looked at, not more.
//!
//! Not here: the other things a webhook filters by (`filter`), and any way to compute with a value. A
//! condition only compares.

mod checked;
mod clause;
mod look;
mod node;
mod op;
mod parse;
mod words;

pub use self::checked::Condition;
pub use self::clause::Clause;
pub use self::look::ELEMENTS_MAX;
pub use self::op::{LIST_VALUES_MAX, Op};
pub use self::parse::{BYTES_MAX, DEPTH_MAX, FIELD_CHARS_MAX, LEAVES_MAX};
pub use self::words::FOUND_CHARS_MAX;
pub(crate) use self::words::cut;

#[cfg(test)]
mod tests;
