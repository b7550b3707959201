//! What tests look at of a refusal.

use super::InputFault;

/// Where the faults of an input point; its text if it does not read at all, and `no fault` if it is taken.
pub(crate) fn pointers<T>(outcome: Result<T, impl Into<InputFault>>) -> Vec<String> {
    match outcome.map_err(Into::into) {
        Err(InputFault::Invalid(faults)) => faults.into_iter().map(|fault| fault.pointer).collect(),
        Err(InputFault::Malformed(text)) => vec![text],
        Ok(_) => vec![String::from("no fault")],
    }
}
