//! `/`: where a visit goes on. In the first load, because most visits start here.

use leptos::prelude::*;
use postern_core::webhook::ProjectName;

use crate::api::use_api;
use crate::fetched::spawn;
use crate::nav::use_nav;
use crate::routes::{Area, Place};
use crate::session::{last_project, use_session};
use crate::ui::page_head::PageHead;
use crate::ui::skeleton;

/// Goes on to the project of the token, to the last one, to the only one, or to the list.
#[component]
pub(crate) fn Home() -> AnyView {
    let (session, nav, api) = (use_session(), use_nav(), use_api());
    let open = move |project: ProjectName| nav.go_instead(&Place::Project(project, Area::Overview));
    if let Some(project) = session.project().or_else(last_project) {
        // Not while this is being rendered: the place decides what is rendered.
        request_animation_frame(move || open(project));
    } else {
        spawn(async move {
            match api.projects().await.map(|page| page.items) {
                Ok(items) if items.len() == 1 => items.into_iter().for_each(|only| open(only.name)),
                // The list says what is wrong, if anything is.
                Ok(_) | Err(_) => nav.go_instead(&Place::Projects),
            }
        });
    }
    view! {
        <PageHead title="Postern" />
        {skeleton::text()}
    }
    .into_any()
}
