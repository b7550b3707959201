//! Columns that hold text: JSON values and names of states.
//!
//! Does not know which column it reads; a text that does not read back is a damaged store.

use std::ops::{Add, AddAssign, Sub};

use postern_core::config::values_of;
use postern_core::delivery::State;
use serde::Serialize;

use crate::error::{LedgerError, damaged};

/// Reads a `state` column.
pub(crate) fn state_of(text: &str) -> Result<State, LedgerError> {
    State::parse(text).ok_or(LedgerError::Corrupt { what: "a delivery's state is unknown" })
}

/// The JSON text of a column.
pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<String, LedgerError> {
    serde_json::to_string(value).map_err(damaged("a value has no JSON form"))
}

/// How a member of an object of texts stands in its JSON: `"name":"value"`.
pub(crate) fn member_text(name: &str, value: &str) -> Result<String, LedgerError> {
    Ok(format!("{}:{}", to_json(&name)?, to_json(&value)?))
}

/// How much something holds, or by how much that grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) bytes: i64,
    /// Values of JSON, at least as many as there are.
    pub(crate) values: i64,
}

impl Extent {
    /// Of a text of JSON.
    pub(crate) fn of(json: &str) -> Self {
        let signed = |count| i64::try_from(count).unwrap_or(i64::MAX);
        Self { bytes: signed(json.len()), values: signed(values_of(json)) }
    }
}

impl Add for Extent {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { bytes: self.bytes + other.bytes, values: self.values + other.values }
    }
}

impl AddAssign for Extent {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Extent {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { bytes: self.bytes - other.bytes, values: self.values - other.values }
    }
}

/// How much the JSON text of a column holds.
pub(crate) fn json_extent<T: Serialize>(value: &T) -> Result<Extent, LedgerError> {
    Ok(Extent::of(&to_json(value)?))
}
