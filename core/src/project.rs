//! Projects: what a body that names one may hold.

use crate::fault::{Fields, InputFault, parse_json};
use crate::webhook::ProjectName;

/// Parses the body of `POST projects`: `{"name"}`.
///
/// # Errors
/// Not JSON, or every bad field.
pub fn create(body: &str) -> Result<ProjectName, InputFault> {
    let draft = parse_json(body)?;
    let mut fields = Fields::of(&draft, "").map_err(|fault| vec![fault])?;
    let name = fields.text("name");
    let name = fields.required("name", name).and_then(|text| {
        let name = ProjectName::parse(text);
        if name.is_none() {
            let max = ProjectName::CHARS_MAX;
            fields.fault("name", format!("must be 1 to {max} of a-z, 0-9, - and _, and begin with a letter or digit"));
        }
        name
    });
    let faults = fields.finish();
    match name {
        Some(name) if faults.is_empty() => Ok(name),
        _ => Err(faults.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_is_taken() {
        assert!(create(r#"{"name":"p1"}"#).is_ok_and(|name| name.as_str() == "p1"));
        for body in ["{}", r#"{"name":"P1"}"#, r#"{"name":1}"#, r#"{"name":"p1","x":1}"#, "[]"] {
            assert!(matches!(create(body), Err(InputFault::Invalid(faults)) if faults.len() == 1), "{body}");
        }
        assert!(matches!(create("p1"), Err(InputFault::Malformed(_))));
    }
}
