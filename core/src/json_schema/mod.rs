//! JSON Schema for event data: the part of draft 2020-12 that can be checked quickly and predictably at the
//! edge.
//!
//! [`Schema::parse`] takes a schema apart once and refuses every keyword that it would not check, so that
//! nobody believes in a rule that does not hold. [`Schema::check`] then names every place of a value that
//! does not fit. Both are bounded: a schema in size, depth and number of parts, a check in the steps of a
//! [`Budget`](crate::budget::Budget): a schema whose alternatives multiply is given up rather than followed.
//!
//! Left out on purpose: `pattern` and other regular expressions (their worst case cannot be bounded, and an
//! engine weighs more than the rest of the Worker's domain), `$ref` to anything but `#/$defs/…`, `if`,
//! `dependentSchemas`, `contains`, `patternProperties`, `propertyNames`, `unevaluated…`.

mod check;
mod parse;
mod schema;
mod types;

pub use self::schema::{COUNT_MAX, DRAFTS, SCHEMA_BYTES_MAX, SCHEMA_DEPTH_MAX, SCHEMA_PARTS_MAX, Schema};

#[cfg(test)]
mod tests;
