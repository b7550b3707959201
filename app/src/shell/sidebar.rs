//! The side bar: the way to every area of a project, and the tools of the page.

use leptos::prelude::*;
use postern_core::api::project::ProjectDetail;
use postern_core::webhook::ProjectName;

use super::entries::ENTRIES;
use super::theme;
use crate::nav::use_nav;
use crate::project::ProjectState;
use crate::routes::{Area, Place};
use crate::session::use_session;
use crate::ui::icon::{Icon, glyph};
use crate::ui::toast::use_toasts;

/// The way to every area of the project, with how many webhooks and inboxes there are, and the tools of the
/// page below. On a narrow screen it is the menu.
///
/// `area` is what is shown: its section is the current page (`aria-current`), also on a screen below it.
/// `palette` and `help` open those dialogs.
pub(super) fn sidebar(
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
pub(super) fn sign_out_button() -> AnyView {
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
