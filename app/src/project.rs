//! The project that is shown: what is known of it, and the addresses of its areas.

use postern_core::api::project::ProjectDetail;

use crate::api::use_project;
use crate::fetched::Fetched;
use crate::routes::{Area, Place};

/// The counts of the project that is shown.
#[derive(Clone, Copy)]
pub(crate) struct ProjectState(pub(crate) Fetched<ProjectDetail>);

/// The address of an area of the project that is shown.
pub(crate) fn link(area: Area) -> String {
    place(area).path()
}

/// An area of the project that is shown.
pub(crate) fn place(area: Area) -> Place {
    Place::Project(use_project().name().clone(), area)
}
