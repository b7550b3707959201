//! Statuses of errors.

use postern_core::problem::Problem;

/// The status of systems that have 400 for everything that is wrong with an input.
pub(super) const fn status_of(problem: &Problem) -> u16 {
    match problem.status {
        409 | 415 | 422 => 400,
        // Time does not help, and a client that sleeps at 429 would repeat it for ever (docs/wire.md A.6).
        429 if problem.quota.is_some() && problem.retry_after_s.is_none() => 400,
        status => status,
    }
}
