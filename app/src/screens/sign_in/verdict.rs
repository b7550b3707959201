//! Whether a token is enough for the dashboard, and the words where it is not.

use postern_core::api::token::TokenIdentity;
use postern_core::operation::Operation;
use postern_core::problem::ProblemType;

use crate::api::ApiFailure;

/// Whether a token may look at what the dashboard shows.
pub(super) fn opens_dashboard(identity: &TokenIdentity) -> bool {
    Operation::GetProject.needs().allows(identity.role)
}

/// Why a token is not enough: what the dashboard needs, and what this one may do.
pub(super) fn too_little(identity: &TokenIdentity) -> String {
    let role = identity.role;
    format!(
        "The dashboard needs a token with the role read or manage. This one has the role {}: {}.",
        role.as_str(),
        role.about()
    )
}

/// Why a token could not be looked at.
pub(super) fn said(failure: &ApiFailure) -> String {
    if failure.is(ProblemType::Unauthorized) {
        String::from("The server does not know this token. Check that all of it was copied.")
    } else {
        failure.to_string()
    }
}
