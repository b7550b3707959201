//! The frame around every screen: contexts, the side bar, the live dot, shortcuts and the palette.

mod help;
mod palette;
mod theme;

use crate::dom::{CollectView, View, hears, part, truth, value, view};
use crate::state::{Memo, RwSignal};
use leptos::prelude::*;
use postern_core::api::live::LiveEvent;
use postern_core::api::project::ProjectDetail;
use postern_core::webhook::ProjectName;

use crate::api::{Api, ProjectApi, use_api, use_project};
use crate::browser::clock::Clock;
use crate::browser::focus;
use crate::fetched::Fetched;
use crate::fetched::effect;
use crate::lazy::{self, Parts};
use crate::live::{Live, Status};
use crate::nav::{Nav, use_nav};
use crate::routes::{Area, Place};
use crate::screens;
use crate::session::{Session, remember_project, use_session};
use crate::ui::badge::{Tone, badge};
use crate::ui::icon::{Icon, glyph};
use crate::ui::shortcuts::{Shortcuts, use_shortcut};
use crate::ui::toast::{ToastRegion, Toasts, use_toasts};

/// Mounts the page.
pub(crate) fn mount() {
    if let Some(skeleton) = document().get_element_by_id("skeleton") {
        skeleton.remove();
    }
    crate::dom::mount(Root);
}

/// The counts of the project that is shown.
#[derive(Clone, Copy)]
pub(crate) struct ProjectState(pub(crate) Fetched<ProjectDetail>);

#[component]
fn Root() -> View {
    let session = Session::provide();
    Parts::provide();
    let nav = Nav::provide();
    Clock::provide();
    Shortcuts::provide();
    Toasts::provide();
    crate::deployment::provide(Api::new(session));

    let project = Memo::new(move || match nav.place() {
        Place::Project(project, _) => Some(project),
        Place::Home | Place::Projects | Place::Nowhere => None,
    });
    let content = move || {
        if !session.is_signed_in() {
            return view! { <screens::sign_in::SignIn /> };
        }
        match project.get() {
            Some(project) => view! { <ProjectFrame project=project /> },
            None => view! { <BareFrame /> },
        }
    };
    view! {
        {part(content)}
        <screens::sign_in::link::LinkQuestion />
        <ToastRegion />
    }
}

/// The frame outside of projects.
#[component]
fn BareFrame() -> View {
    let nav = use_nav();
    let content = move || match nav.place() {
        Place::Home => view! { <screens::projects::Home /> },
        Place::Projects | Place::Project(..) => view! { <screens::projects::Projects /> },
        Place::Nowhere => view! { <screens::nowhere::Nowhere /> },
    };
    remember_project(None);
    view! {
        <div class="bare">
            <header class="bare-head">
                <a class="brand" href=Place::Projects.path()>{glyph(Icon::Logo)}<span>"Postern"</span></a>
                <div class="bare-tools">{theme::theme_button()}{sign_out_button()}</div>
            </header>
            <main id="main">{part(content)}</main>
        </div>
    }
}

/// The frame of a project: it stays while its screens change.
#[component]
fn ProjectFrame(project: ProjectName) -> View {
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
    live.on_change(move |event| {
        if matches!(event, LiveEvent::Webhooks | LiveEvent::Many) {
            state.0.reload();
        }
    });

    let shown = project.clone();
    let area = Memo::new(move || match nav.place() {
        Place::Project(project, area) if project == shown => Some(area),
        Place::Project(..) | Place::Home | Place::Projects | Place::Nowhere => None,
    });
    let is_menu_open = RwSignal::new(false);
    // Whoever chose a place wants to see it, not the menu.
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
        <a class="skip" href="#main">"Skip to the content"</a>
        <div class="shell" class:menu-open=is_menu_open>
            <header class="topbar">
                <a class="brand" href=overview>{glyph(Icon::Logo)}<span>{name}</span></a>
                {live_dot(live)}
                <button
                    type="button"
                    class="button quiet"
                    aria-expanded=truth(move || is_menu_open.get())
                    aria-controls="menu"
                    on:click=hears(move |_| is_menu_open.update(|open| *open = !*open))
                >
                    {glyph(Icon::Menu)}
                    <span class="label">"Menu"</span>
                </button>
            </header>
            {sidebar}
            <main id="main">{part(move || area.get().map(lazy::screen))}</main>
        </div>
        <palette::Palette open=is_palette_open help=is_help_open />
        <help::Help open=is_help_open />
    }
}

/// The entries of the navigation, in order.
pub(crate) const ENTRIES: [(&str, Icon, Area); 11] = [
    ("Overview", Icon::Overview, Area::Overview),
    ("Webhooks", Icon::Webhook, Area::Webhooks),
    ("Deliveries", Icon::Delivery, Area::Deliveries),
    ("Events", Icon::Event, Area::Events),
    ("Event types", Icon::EventType, Area::EventTypes),
    ("Inboxes", Icon::Inbox, Area::Inboxes),
    ("Runs", Icon::Run, Area::Runs),
    ("Tokens", Icon::Token, Area::Tokens),
    ("Audit log", Icon::Audit, Area::Audit),
    ("Settings", Icon::Settings, Area::Settings),
    ("API reference", Icon::Reference, Area::Reference),
];

fn sidebar(project: &ProjectName, area: Memo<Option<Area>>, state: ProjectState, palette: RwSignal<bool>, help: RwSignal<bool>) -> View {
    let section = Memo::new(move || area.with(|area| area.as_ref().map(Area::section)));
    let count =
        move |of: fn(&ProjectDetail) -> u32| move || state.0.value.with(|detail| detail.as_ref().map(of).filter(|count| *count > 0));
    let entry = |(name, icon, target): (&'static str, Icon, Area)| {
        let number = match target {
            Area::Webhooks => view! { <span class="count">{part(count(|detail| detail.counts.webhooks))}</span> },
            Area::Inboxes => view! { <span class="count">{part(count(|detail| detail.counts.inboxes))}</span> },
            _ => View::nothing(),
        };
        let href = Place::Project(project.clone(), target.clone()).path();
        view! {
            <li>
                <a href=href aria-current=value(move || (section.get().as_ref() == Some(&target)).then(|| String::from("page")))>
                    {glyph(icon)}
                    <span>{name}</span>
                    {number}
                </a>
            </li>
        }
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
                <button type="button" class="button quiet" on:click=hears(move |_| palette.set(true))>
                    {glyph(Icon::Search)}
                    <span class="label">"Jump to…"</span>
                    <kbd aria-hidden="true">"Ctrl K"</kbd>
                </button>
                <button type="button" class="button quiet" aria-keyshortcuts="?" on:click=hears(move |_| help.set(true))>
                    {glyph(Icon::Keyboard)}
                    <span class="label">"Shortcuts"</span>
                    <kbd aria-hidden="true">"?"</kbd>
                </button>
                {theme::theme_button()}
                {sign_out_button()}
            </div>
        </nav>
    }
}

/// How the live feed stands, as a word and a dot. Announced when it changes.
pub(crate) fn live_dot(live: Live) -> View {
    let state = badge(move || {
        let status = live.status();
        let tone = match status {
            Status::Live => Tone::Good,
            Status::Reconnecting => Tone::Busy,
            Status::Offline => Tone::Bad,
        };
        (tone, String::from(status.word()))
    });
    view! { <span class="live" role="status" aria-label="Live feed">{state}</span> }
}

fn sign_out_button() -> View {
    let (session, toasts, nav) = (use_session(), use_toasts(), use_nav());
    let leave = move |_| {
        // What could still be undone is done first, with the token that is about to be forgotten.
        toasts.flush();
        set_timeout(
            move || {
                session.sign_out();
                nav.go(&Place::Home);
            },
            std::time::Duration::ZERO,
        );
    };
    view! { <button type="button" class="button quiet" on:click=hears(leave)>{glyph(Icon::SignOut)}<span class="label">"Sign out"</span></button> }
}

/// Moves among the rows of the list; with an open drawer, shows the row that is reached.
fn step(by: i32) {
    let row = focus::step("main [data-row]", by);
    let has_drawer = document().query_selector(".drawer").ok().flatten().is_some();
    if let Some(row) = row.filter(|_| has_drawer) {
        row.click();
    }
}

/// The address of an area of the project that is shown.
pub(crate) fn link(area: Area) -> String {
    place(area).path()
}

/// An area of the project that is shown.
pub(crate) fn place(area: Area) -> Place {
    Place::Project(use_project().name().clone(), area)
}
