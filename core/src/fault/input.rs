//! Why a body is refused.

use serde::{Deserialize, Serialize};

use super::faults::{Fault, Faults};

/// Why a body was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InputFault {
    /// It is not JSON: where and why, in words (400).
    Malformed(String),
    /// It is JSON, and these fields are wrong (422 natively, 400 for UbiOps).
    Invalid(Faults),
}

impl InputFault {
    /// One line that names everything, for APIs whose errors are a single text (docs/wire.md A.6).
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Malformed(detail) => detail.clone(),
            Self::Invalid(faults) => faults.sentence(),
        }
    }
}

impl From<Faults> for InputFault {
    fn from(faults: Faults) -> Self {
        Self::Invalid(faults)
    }
}

impl From<Fault> for InputFault {
    fn from(fault: Fault) -> Self {
        Self::Invalid(Faults::from(fault))
    }
}

impl From<Vec<Fault>> for InputFault {
    fn from(faults: Vec<Fault>) -> Self {
        Self::Invalid(Faults::from(faults))
    }
}
