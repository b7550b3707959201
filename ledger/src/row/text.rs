//! Columns that hold text: JSON values and names of states.
//!
//! Does not know which column it reads; a text that does not read back is a damaged store.

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

/// Bytes of the JSON text of a column.
pub(crate) fn json_length<T: Serialize>(value: &T) -> Result<i64, LedgerError> {
    Ok(i64::try_from(to_json(value)?.len()).unwrap_or(i64::MAX))
}
