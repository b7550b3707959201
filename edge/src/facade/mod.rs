//! Other systems' APIs, as thin translations onto the same commands: their paths, field names, statuses and error
//! bodies. Their rules are in `core::contract`.

pub(crate) mod actinia;
pub(crate) mod ubiops;
pub(crate) mod up42;

use postern_core::problem::Problem;

/// The status of systems that have 400 for everything that is wrong with an input.
const fn status_of(problem: &Problem) -> u16 {
    match problem.status {
        409 | 415 | 422 => 400,
        status => status,
    }
}
