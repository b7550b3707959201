//! Projects: the list, a new one, and where a visit starts.

use crate::dom::{CollectView, IntoView, View, hears, part, view};
use crate::state::{RwSignal, Signal};
use leptos::prelude::*;
use postern_core::api::project::ProjectView;
use postern_core::problem::ProblemType;
use postern_core::webhook::ProjectName;
use serde_json::json;

use crate::api::{ApiFailure, use_api};
use crate::browser::clock::use_clock;
use crate::fetched::Fetched;
use crate::fetched::spawn;
use crate::nav::use_nav;
use crate::routes::{Area, Place};
use crate::session::{last_project, use_session};
use crate::ui::button::{Button, Look};
use crate::ui::code::code_block;
use crate::ui::dialog::Dialog;
use crate::ui::field::TextField;
use crate::ui::form::{Sending, Submit};
use crate::ui::icon::{Icon, glyph};
use crate::ui::loaded::loaded;
use crate::ui::notice::{empty, refusal};
use crate::ui::page_head::PageHead;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::skeleton;
use crate::words;

/// `/`: goes on to the project of the token, to the last one, to the only one, or to the list.
#[component]
pub(crate) fn Home() -> View {
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
}

/// `/projects`
#[component]
pub(crate) fn Projects() -> View {
    let (session, api, clock) = (use_session(), use_api(), use_clock());
    let projects = Fetched::new(move || api.projects());
    let is_creating = RwSignal::new(false);
    let is_admin = session.project().is_none();
    if is_admin {
        use_shortcut("N", "New project", move || is_creating.set(true));
    }
    let new = move || {
        is_admin.then(|| view! { <Button label="New project" look=Look::Primary icon=Icon::Plus shortcut="N" on_press=move |()| is_creating.set(true) /> })
    };
    let card = move |project: ProjectView| {
        let (at, name) = (project.created_at, String::from(project.name.as_str()));
        view! {
            <li class="card pad tile">
                <a class="stretched" data-row="" href=Place::Project(project.name, Area::Overview).path()>{name}</a>
                <span class="faint">"created "{part(move || words::ago(clock.now(), at))}</span>
            </li>
        }
    };
    let list = move || {
        let items = projects.value.get().map(|page| page.items).unwrap_or_default();
        if items.is_empty() {
            let action = new().into_view();
            return empty(Icon::Project, "No project yet", "A project holds webhooks, events and inboxes, and has its own tokens.", action);
        }
        view! { <ul class="tiles">{items.into_iter().map(card).collect_view()}</ul> }
    };
    view! {
        <PageHead title="Projects" about="Each has its own webhooks, events and tokens">{new()}</PageHead>
        {loaded(projects, skeleton::rows, move || part(list))}
        <Dialog open=is_creating title="New project"><NewProject done=move || projects.reload() /></Dialog>
    }
}

/// The form for a new project; afterwards the one sight of its token.
#[component]
fn NewProject(
    /// Called when a project was made.
    done: impl Fn() + Copy + Send + Sync + 'static,
) -> View {
    let api = use_api();
    let name = RwSignal::new(String::new());
    let failure = RwSignal::new(None::<ApiFailure>);
    let made = RwSignal::new(None::<(ProjectName, String)>);
    let sending = Sending::new();
    let fault = Signal::derive(move || {
        let typed = name.get();
        (!typed.is_empty() && ProjectName::parse(&typed).is_none())
            .then(|| format!("Use up to {} of a–z, 0–9, - and _, and begin with a letter or a number.", ProjectName::CHARS_MAX))
    });
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let typed = name.get_untracked();
        if ProjectName::parse(&typed).is_none() {
            return;
        }
        failure.set(None);
        sending.send(api.create_project(&json!({ "name": typed })), move |answer| match answer {
            Ok(created) => {
                done();
                made.set(Some((created.project.name, created.token)));
            }
            Err(refused) => failure.set(Some(refused)),
        });
    };
    let taken = move || failure.get().is_some_and(|failure| failure.is(ProblemType::NameTaken));
    part(move || match made.get() {
        Some((project, token)) => view! {
            <p>"The project "<b>{String::from(project.as_str())}</b>" is ready. This is its first token, with the role "<b>"manage"</b>". "<b>"It is shown only now"</b>"; keep it somewhere safe."</p>
            {code_block("Token", token)}
            <div class="dialog-foot">
                <a class="button primary" href=Place::Project(project, Area::Overview).path()>{glyph(Icon::Next)}<span class="label">"Open the project"</span></a>
            </div>
        },
        None => view! {
            <form on:submit=hears(submit) novalidate=true>
                <TextField label="Name" value=name mono=true first=true hint="Part of addresses and tokens; it cannot be changed." fault=fault />
                {part(move || taken().then(|| view! { <p class="fault" role="alert">"There is a project with this name."</p> }))}
                {part(move || (!taken()).then(|| refusal(failure)))}
                <div class="dialog-foot"><Submit label="Create project" sending=sending /></div>
            </form>
        },
    })
}
