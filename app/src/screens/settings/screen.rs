//! The screen.

use leptos::prelude::*;

use super::export::ExportForm;
use super::form::SettingsForm;
use super::limits::limits;
use super::removal::Removal;
use crate::api::use_project;
use crate::browser::clock::offset_min;
use crate::fetched::Fetched;
use crate::project::ProjectState;
use crate::ui::loaded::loaded;
use crate::ui::page_head::PageHead;
use crate::ui::skeleton;
use crate::words;

/// The screen: the settings, and the export beside them.
///
/// The limits stand below the export, because nothing can be changed about them here.
#[component]
pub(crate) fn Settings() -> AnyView {
    let project = use_project();
    let state: ProjectState = expect_context();
    let name = String::from(project.name().as_str());
    let about = Signal::derive(move || {
        match state.0.value.with(|detail| detail.as_ref().map(|detail| detail.created_at)) {
            Some(at) => format!("{name}, created {}", words::date_time(at, offset_min(at))),
            None => name.clone(),
        }
    });
    // Loaded for this screen, not the count in the side bar: a change by somebody else must not replace what
    // is being typed.
    let detail = Fetched::new(move || project.detail());
    view! {
        <PageHead title="Settings" about=about />
        <div class="split">
            <div class="stack">{loaded(detail, skeleton::text, move || view! { <SettingsForm detail=detail /> }.into_any())}</div>
            <div class="stack"><ExportForm />{limits(detail)}<Removal /></div>
        </div>
    }
    .into_any()
}
