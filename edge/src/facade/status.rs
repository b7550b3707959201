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

#[cfg(test)]
mod tests {
    use postern_core::problem::ProblemType;
    use postern_core::quota::{Exceeded, Quota};

    use super::*;

    #[test]
    fn a_quota_is_429_only_where_waiting_helps() {
        let over = |retry_after_s| {
            let exceeded = Exceeded { quota: Quota::Webhooks, limit: 1, used: 1, more: 1, retry_after_s };
            status_of(&Problem::over_quota(exceeded))
        };
        assert_eq!((over(None), over(Some(9))), (400, 429));
        let guesses = Problem::new(ProblemType::TooManyRequests, "wait 60 seconds");
        assert_eq!(status_of(&guesses), 429);
    }
}
