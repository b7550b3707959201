//! The frame of a project, and the one outside of projects.

use leptos::prelude::*;
use postern_core::api::live::ChangeKind;
use postern_core::webhook::ProjectName;

use super::help::Help;
use super::palette::{self, Palette};
use super::sidebar::{sidebar, sign_out_button};
use super::theme;
use crate::api::{ProjectApi, use_api};
use crate::browser::focus;
use crate::caller::Caller;
use crate::fetched::{Fetched, effect};
use crate::lazy;
use crate::live::Live;
use crate::nav::use_nav;
use crate::project::ProjectState;
use crate::routes::{Area, Place};
use crate::screens::Screen;
use crate::session::remember_project;
use crate::ui::icon::{Icon, glyph};
use crate::ui::live_dot::live_dot;
use crate::ui::shortcuts::use_shortcut;

/// The frame of a project, or of what is outside of projects.
pub(super) fn frame(project: Option<ProjectName>) -> AnyView {
    match project {
        Some(project) => view! { <ProjectFrame project=project /> }.into_any(),
        None => view! { <BareFrame /> }.into_any(),
    }
}

/// The frame outside of projects.
///
/// The list of projects, the way to a project from `/`, and what has no place. There is no project, so no
/// live feed, no side bar and no palette.
#[component]
fn BareFrame() -> AnyView {
    let nav = use_nav();
    let content = move || match nav.place() {
        Place::Home => lazy::screen(Screen::Home),
        Place::Projects | Place::Project(..) => lazy::screen(Screen::Projects),
        Place::Nowhere => lazy::screen(Screen::Nowhere),
    };
    // The project of before is where `/` leads.
    if nav.place_now() != Place::Home {
        remember_project(None);
    }
    view! {
        <div class="bare">
            <header class="bare-head">
                <a class="brand" href=Place::Projects.path()>{glyph(Icon::Logo)}<span>"Postern"</span></a>
                <div class="bare-tools">{theme::theme_button()}{sign_out_button()}</div>
            </header>
            <main id="main">{move || content()}</main>
        </div>
    }
    .into_any()
}

/// The frame of a project: it stays while its screens change.
///
/// It owns what belongs to one project: the caller of its API, the live feed, and its detail with the counts.
/// All of it ends with the frame, when another project is shown.
#[component]
fn ProjectFrame(project: ProjectName) -> AnyView {
    let nav = use_nav();
    let api: ProjectApi = use_api().project(project.clone());
    provide_context(api.clone());
    Caller::provide();
    let live = Live::provide(&api);
    remember_project(Some(&project));

    let state = ProjectState(Fetched::new(move || {
        let api = api.clone();
        api.detail()
    }));
    provide_context(state);
    live.on_change(move |change| {
        if matches!(change.kind(), ChangeKind::Webhooks | ChangeKind::Many) {
            state.0.reload();
        }
    });

    let shown = project.clone();
    let area = Memo::new(move |_| match nav.place() {
        Place::Project(project, area) if project == shown => Some(area),
        Place::Project(..) | Place::Home | Place::Projects | Place::Nowhere => None,
    });
    let is_menu_open = RwSignal::new(false);
    // Once a place is chosen, the menu is in the way.
    effect(move || {
        area.with(|_| ());
        is_menu_open.set(false);
    });
    let is_palette_open = RwSignal::new(false);
    let is_help_open = RwSignal::new(false);
    palette::use_palette_keys(is_palette_open);
    use_shortcut("?", "Show the shortcuts", move || is_help_open.set(true));
    use_shortcut("J", "Next row", move || step(1));
    use_shortcut("K", "Previous row", move || step(-1));
    use_shortcut("/", "Search", || {
        focus::now("main [role=search] input");
    });

    let name = String::from(project.as_str());
    let sidebar = sidebar(&project, area, state, is_palette_open, is_help_open);
    let overview = Place::Project(project, Area::Overview).path();
    view! {
        <a class="skip" href="#main" rel="external">"Skip to the content"</a>
        <div class="shell" class:menu-open=is_menu_open>
            <header class="topbar">
                <a class="brand" href=overview>{glyph(Icon::Logo)}<span>{name}</span></a>
                {live_dot(live)}
                <button
                    type="button"
                    class="button quiet"
                    aria-expanded=move || (is_menu_open.get()).to_string()
                    aria-controls="menu"
                    on:click=move |_| is_menu_open.update(|open| *open = !*open)
                >
                    {glyph(Icon::Menu)}
                    <span class="label">"Menu"</span>
                </button>
            </header>
            {sidebar}
            <main id="main"><For each=move || area.get() key=Area::clone children=screen_of /></main>
        </div>
        <Palette open=is_palette_open help=is_help_open />
        <Help open=is_help_open />
    }
    .into_any()
}

/// The screen of an area. The key of each area is the area itself, so a screen is made anew for another
/// webhook, and stays while only the query changes.
fn screen_of(area: Area) -> AnyView {
    lazy::screen(Screen::Area(area))
}

/// Moves among the rows of the list; with an open drawer, from the row that it shows to the next one, which
/// it shows then.
fn step(by: i32) {
    let row = focus::step("main [data-row]", "main tr.open", by);
    let has_drawer = document().query_selector(".drawer").ok().flatten().is_some();
    if let Some(row) = row.filter(|_| has_drawer) {
        row.click();
    }
}
