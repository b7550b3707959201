//! Questions about the project itself.

use postern_core::api::project::{ProjectDetail, ProjectView};
use postern_core::operation::Operation;
use postern_core::project::SettingsPatch;
use serde::{Deserialize, Serialize};

use super::erased::questions;
use super::question::{Arms, Done, Need, Question, replies};
use super::refusal::Refusal;
use super::turn::Turn;

questions!(ShowProject, ShowProjectDetail, UpdateSettings, ListLocations, May);

replies! {
    ProjectView => "project",
    ProjectDetail => "project_detail",
    Locations => "locations",
}

/// What makes a project, and what ends it. Not questions to a project: there is none before, or after.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Founding {
    /// Make the project, with a first `manage` token.
    CreateProject {
        /// SHA-256 of the token.
        token_hash: String,
    },
    /// Delete the project with all that is in it.
    DeleteProject,
}

/// The project's entry in a list.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowProject;

impl Question for ShowProject {
    const NAME: &'static str = "show_project";
    const NEED: Need<Self> = Need::Of(Operation::ListProjects);
    const ARMS: Arms = Arms::Nothing;
    type Reply = ProjectView;

    fn answer(self, turn: &mut Turn<'_>) -> Result<ProjectView, Refusal> {
        Ok(turn.ledger.view())
    }
}

/// The project and its counts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowProjectDetail;

impl Question for ShowProjectDetail {
    const NAME: &'static str = "show_project_detail";
    const NEED: Need<Self> = Need::Of(Operation::GetProject);
    const ARMS: Arms = Arms::Nothing;
    type Reply = ProjectDetail;

    fn answer(self, turn: &mut Turn<'_>) -> Result<ProjectDetail, Refusal> {
        Ok(turn.ledger.detail()?)
    }
}

/// Change the project's settings.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UpdateSettings {
    /// As parsed.
    pub(crate) patch: SettingsPatch,
}

impl Question for UpdateSettings {
    const NAME: &'static str = "update_settings";
    const NEED: Need<Self> = Need::Of(Operation::UpdateProject);
    const ARMS: Arms = Arms::Alarm;
    type Reply = ProjectDetail;

    fn answer(self, turn: &mut Turn<'_>) -> Result<ProjectDetail, Refusal> {
        Ok(turn.ledger.update_settings(self.patch, turn.now)?)
    }
}

/// Names of actinia's locations.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Locations(pub(crate) Vec<String>);

/// The locations that actinia's clients are told of.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListLocations;

impl Question for ListLocations {
    const NAME: &'static str = "list_locations";
    const NEED: Need<Self> = Need::Of(Operation::ListRuns);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Locations;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Locations, Refusal> {
        Ok(Locations(turn.ledger.actinia_locations()))
    }
}

/// Whether the caller may do this here; nothing else.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct May {
    /// What.
    pub(crate) operation: Operation,
}

impl Question for May {
    const NAME: &'static str = "may";
    const NEED: Need<Self> = Need::OfContent(|question| question.operation);
    const ARMS: Arms = Arms::Nothing;
    type Reply = Done;

    fn answer(self, _turn: &mut Turn<'_>) -> Result<Done, Refusal> {
        Ok(Done)
    }
}
