//! Reading the JSON of a body.

use serde_json::Value;

use super::faults::Fault;
use super::fields::Fields;
use super::input::InputFault;
use super::repeated::repeated_members;
use crate::json;

/// Bytes of a request body at most.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// Levels of nesting of a JSON body at most.
pub const JSON_DEPTH_MAX: usize = 64;

/// Reads a JSON body.
///
/// # Errors
/// Not JSON (with line and column in words), nested deeper than [`JSON_DEPTH_MAX`], or with members that are
/// given twice: of those one would be lost.
pub fn parse_json(body: &str) -> Result<Value, InputFault> {
    if depth(body) > JSON_DEPTH_MAX {
        return Err(InputFault::from(too_deep("")));
    }
    let value = json::read(body).map_err(|error| malformed(body, &error))?;
    let repeated = repeated_members(body, "");
    if repeated.is_empty() { Ok(value) } else { Err(InputFault::Invalid(repeated)) }
}

/// Reads the body of a call that takes no fields: `{}`, or nothing.
///
/// # Errors
/// Not JSON, no object, or any field: it would be ignored.
pub fn no_fields(body: &str) -> Result<(), InputFault> {
    let body = parse_json(body)?;
    let faults = Fields::from_value(&body, "")?.finish();
    if faults.is_empty() { Ok(()) } else { Err(faults.into()) }
}

/// What a body is that serde refuses.
pub(super) fn malformed(body: &str, error: &serde_json::Error) -> InputFault {
    if body.trim().is_empty() {
        return InputFault::Malformed(String::from("The body is empty; a JSON object is needed."));
    }
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let cause = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    InputFault::Malformed(format!("The body is not valid JSON: line {line}, column {column}: {cause}."))
}

pub(super) fn too_deep(pointer: &str) -> Fault {
    Fault::new(pointer, format!("must not be nested more than {JSON_DEPTH_MAX} levels deep"))
}

/// Levels of nesting of a JSON text; brackets inside strings do not count.
pub(super) fn depth(json: &str) -> usize {
    let (mut open, mut deepest, mut in_string, mut escaped) = (0usize, 0usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                open += 1;
                deepest = deepest.max(open);
            }
            b'}' | b']' if !in_string => open = open.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
