//! The frame around every screen: contexts, the side bar, the live dot, shortcuts and the palette.

mod entries;
mod help;
mod palette;
mod theme;

use leptos::prelude::*;
use leptos_router::components::Router;
use postern_core::api::live::ChangeKind;
use postern_core::api::project::ProjectDetail;
use postern_core::webhook::ProjectName;

use self::entries::ENTRIES;
use crate::api::{Api, ProjectApi, use_api};
use crate::browser::clock::Clock;
use crate::browser::focus;
use crate::fetched::Fetched;
use crate::fetched::effect;
use crate::lazy::{self, Parts};
use crate::live::Live;
use crate::nav::{self, Nav, use_nav};
use crate::project::ProjectState;
use crate::routes::{Area, Place};
use crate::screens::Screen;
use crate::session::{Session, remember_project, use_session};
use crate::ui::icon::{Icon, glyph};
use crate::ui::live_dot::live_dot;
use crate::ui::shortcuts::{Shortcuts, use_shortcut};
use crate::ui::toast::{ToastRegion, Toasts, use_toasts};

/// Mounts the page.
///
/// What stands in `index.html` until the program runs is taken away first, so that it is never on the screen
/// together with the page.
pub(crate) fn mount() {
    if let Some(skeleton) = document().get_element_by_id("skeleton") {
        skeleton.remove();
    }
    mount_to_body(Root);
}

/// The session, and the router around the page: everything below may navigate.
#[component]
fn Root() -> AnyView {
    let session = Session::provide();
    nav::take_clicks();
    view! { <Router><Page session=session /></Router> }.into_any()
}

/// What the page consists of, below the router.
///
/// Everything that several screens need is offered here once (contexts): the parts, the navigation, the
/// clock, shortcuts and messages. The sign-in screen and the question of a link are parts as well, because
/// most visits need neither.
#[component]
fn Page(session: Session) -> AnyView {
    let parts = Parts::provide();
    let nav = Nav::provide(move |place| parts.expect(place));
    Clock::provide();
    Shortcuts::provide();
    Toasts::provide();
    crate::deployment::provide(Api::new(session));

    let project = Memo::new(move |_| match nav.place() {
        Place::Project(project, _) => Some(project),
        Place::Home | Place::Projects | Place::Nowhere => None,
    });
    let content = move || {
        if !session.is_signed_in() {
            return lazy::screen(Screen::SignIn);
        }
        // Another project is another frame: nothing of the one before is patched.
        view! { <For each=move || [project.get()] key=Option::clone children=frame /> }.into_any()
    };
    view! {
        {move || content()}
        {move || session.offered().is_some().then(|| lazy::screen(Screen::LinkQuestion))}
        <ToastRegion />
    }
    .into_any()
}

/// The frame of a project, or of what is outside of projects.
fn frame(project: Option<ProjectName>) -> AnyView {
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
        focus::now("main input[type=search]");
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
            <main id="main"><For each=move || area.get() key=Area::clone children=lazy::area /></main>
        </div>
        <palette::Palette open=is_palette_open help=is_help_open />
        <help::Help open=is_help_open />
    }
    .into_any()
}

/// The way to every area of the project, with how many webhooks and inboxes there are, and the tools of the
/// page below. On a narrow screen it is the menu.
///
/// `area` is what is shown: its section is the current page (`aria-current`), also on a screen below it.
/// `palette` and `help` open those dialogs.
fn sidebar(
    project: &ProjectName,
    area: Memo<Option<Area>>,
    state: ProjectState,
    palette: RwSignal<bool>,
    help: RwSignal<bool>,
) -> AnyView {
    let section = Memo::new(move |_| area.with(|area| area.as_ref().map(Area::section)));
    let count = move |of: fn(&ProjectDetail) -> u32| {
        move || state.0.value.with(|detail| detail.as_ref().map(of).filter(|count| *count > 0))
    };
    let entry = |(name, icon, target): (&'static str, Icon, Area)| {
        let number = match target {
            Area::Webhooks => {
                view! { <span class="count">{count(|detail| detail.counts.webhooks)}</span> }.into_any()
            }
            Area::Inboxes => {
                view! { <span class="count">{count(|detail| detail.counts.inboxes)}</span> }.into_any()
            }
            _ => ().into_any(),
        };
        let href = Place::Project(project.clone(), target.clone()).path();
        view! {
            <li>
                <a href=href aria-current=move || (section.get().as_ref() == Some(&target)).then(|| String::from("page"))>
                    {glyph(icon)}
                    <span>{name}</span>
                    {number}
                </a>
            </li>
        }
        .into_any()
    };
    let entries = ENTRIES.into_iter().map(entry).collect_view();
    view! {
        <nav class="sidebar" id="menu" aria-label="Project">
            <a class="brand" href=Place::Project(project.clone(), Area::Overview).path()>{glyph(Icon::Logo)}<span>"Postern"</span></a>
            <a class="project" href=Place::Projects.path()>
                <span><b>{String::from(project.as_str())}</b><small>"Change project"</small></span>
                {glyph(Icon::Next)}
            </a>
            <ul class="entries">{entries}</ul>
            <div class="sidebar-foot">
                <button type="button" class="button quiet" on:click=move |_| palette.set(true)>
                    {glyph(Icon::Search)}
                    <span class="label">"Jump to…"</span>
                    <kbd aria-hidden="true">"Ctrl K"</kbd>
                </button>
                <button type="button" class="button quiet" aria-keyshortcuts="?" on:click=move |_| help.set(true)>
                    {glyph(Icon::Keyboard)}
                    <span class="label">"Shortcuts"</span>
                    <kbd aria-hidden="true">"?"</kbd>
                </button>
                {theme::theme_button()}
                {sign_out_button()}
            </div>
        </nav>
    }
    .into_any()
}

/// The button that signs out.
///
/// What can still be undone is done first, with the token that is about to be forgotten.
fn sign_out_button() -> AnyView {
    let (session, toasts, nav) = (use_session(), use_toasts(), use_nav());
    let leave = move |_| {
        toasts.settle_then(move || {
            session.sign_out();
            nav.go(&Place::Home);
        });
    };
    view! { <button type="button" class="button quiet" on:click=leave>{glyph(Icon::SignOut)}<span class="label">"Sign out"</span></button> }
        .into_any()
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
