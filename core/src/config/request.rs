//! A call that brings a document.

use serde_json::Value;

use super::state::PROJECT_BYTES_MAX;
use crate::fault::{Fault, Fields, InputFault, parse_json};

/// Bytes of a call that brings a document, at most: more than a project can hold, so that an export comes
/// back, with room for another layout.
pub const CONFIG_BYTES_MAX: usize = PROJECT_BYTES_MAX + 2 * 1024 * 1024;

/// Values of a document, at most: read, each of them takes far more memory than it has bytes.
const VALUES_MAX: usize = 1_000_000;

/// Values of all definitions and entries of the catalogue of a project, at most, so that an export comes
/// back: what is left is more than the settings and the call itself have.
pub const PROJECT_VALUES_MAX: usize = VALUES_MAX - 1_000;

/// At least as many as there are values in this JSON: marks outside of texts that start one.
#[must_use]
pub fn values_of(json: &str) -> usize {
    let (mut values, mut is_text, mut is_escaped) = (0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_text,
            b'"' => is_text = !is_text,
            b',' | b'[' | b'{' if !is_text => values += 1,
            _ => {}
        }
    }
    values
}

/// The body of `POST config/plan` and `POST config/apply`.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What shall be; read where the project's state is known.
    pub document: Value,
    /// Whether things that the document does not name are deleted.
    pub prune: bool,
    /// [`State::digest`] of the state that the document was planned against; nothing is applied to another.
    pub expect: Option<String>,
}

impl Request {
    /// Reads `{"document", "prune"?, "expect"?}`.
    ///
    /// # Errors
    /// Not JSON, or every bad field of the call itself.
    pub fn parse(body: &str) -> Result<Self, InputFault> {
        let values = values_of(body);
        if values > VALUES_MAX {
            return Err(Fault::new(
                "",
                format!("must hold at most {VALUES_MAX} values, this may hold {values}"),
            )
            .into());
        }
        let body = parse_json(body)?;
        let mut fields = Fields::from_value(&body, "")?;
        if fields.any("document").is_none() {
            fields.fault("document", "is required");
        }
        let prune = fields.flag("prune");
        let prune = fields.not_null("prune", prune).value().unwrap_or(false);
        let expect = fields.text("expect").value().map(String::from);
        let faults = fields.finish();
        let mut body = body;
        match body.get_mut("document").map(Value::take) {
            Some(document) if faults.is_empty() => Ok(Self { document, prune, expect }),
            _ => Err(faults.into()),
        }
    }
}
