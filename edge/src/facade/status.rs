//! Statuses of errors.

use postern_core::problem::Problem;

/// The status of systems that have 400 for everything that is wrong with an input.
pub(super) const fn status_of(problem: &Problem) -> u16 {
    match problem.status {
        409 | 415 | 422 => 400,
        status => status,
    }
}
