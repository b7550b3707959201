//! Why a project refuses.

use postern_core::fault::{Fault, Faults, InputFault};
use postern_core::problem::{Problem, ProblemType};
use postern_ledger::LedgerError;

use crate::clock::NoRandomness;
use crate::config::ConfigFault;
use crate::seal::SealFault;

/// Why a question was not answered. Nothing was written then.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The client is told.
    Problem(Box<Problem>),
    /// Our own fault; for the log.
    Failed(String),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<InputFault> for Refusal {
    fn from(fault: InputFault) -> Self {
        Self::from(Problem::from(fault))
    }
}

impl From<Faults> for Refusal {
    fn from(faults: Faults) -> Self {
        Self::from(Problem::invalid(faults))
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::from(Faults::from(fault))
    }
}

impl From<SealFault> for Refusal {
    fn from(fault: SealFault) -> Self {
        Self::Failed(format!("a secret {fault}"))
    }
}

impl From<ConfigFault> for Refusal {
    fn from(fault: ConfigFault) -> Self {
        Self::Failed(fault.to_string())
    }
}

impl From<NoRandomness> for Refusal {
    fn from(error: NoRandomness) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        let problem = |kind, detail: String| Self::from(Problem::new(kind, detail));
        match error {
            LedgerError::Sql(_) | LedgerError::Corrupt { .. } | LedgerError::SchemaTooNew { .. } => {
                Self::Failed(error.to_string())
            }
            LedgerError::NotFound { .. } => problem(ProblemType::NotFound, error.to_string()),
            LedgerError::NameTaken { .. } => problem(ProblemType::NameTaken, error.to_string()),
            LedgerError::VersionMismatch { .. } => {
                problem(ProblemType::VersionMismatch, format!("{error}; read it again and repeat the change"))
            }
            LedgerError::IdempotencyConflict { .. } | LedgerError::IdempotencyReused => {
                problem(ProblemType::IdempotencyConflict, error.to_string())
            }
            LedgerError::SchemaViolated { faults } => Self::from(faults),
            LedgerError::StateConflict { .. } => problem(ProblemType::StateConflict, error.to_string()),
            LedgerError::Quota(exceeded) => Self::from(Problem::over_quota(exceeded)),
            LedgerError::BadCursor => Self::from(Fault::new(
                "?cursor",
                "is not one of this project: leave it out to start at the beginning",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use postern_core::quota::{Exceeded, Quota};

    use super::*;

    fn status(error: LedgerError) -> Option<u16> {
        match Refusal::from(error) {
            Refusal::Problem(problem) => Some(problem.status),
            Refusal::Failed(_) => None,
        }
    }

    #[test]
    fn each_ledger_error_has_its_status_and_our_own_faults_none() {
        assert_eq!(status(LedgerError::NotFound { what: "webhook" }), Some(404));
        assert_eq!(status(LedgerError::NameTaken { what: "webhook" }), Some(409));
        assert_eq!(status(LedgerError::VersionMismatch { current: 2 }), Some(412));
        assert_eq!(status(LedgerError::IdempotencyConflict { index: 0 }), Some(409));
        assert_eq!(status(LedgerError::StateConflict { why: "x" }), Some(409));
        assert_eq!(status(LedgerError::BadCursor), Some(422));
        let exceeded = Exceeded { quota: Quota::Webhooks, limit: 1, used: 1, more: 1, retry_after_s: None };
        assert_eq!(status(LedgerError::Quota(exceeded)), Some(429));
        assert_eq!(status(LedgerError::Corrupt { what: "x" }), None);
    }
}
