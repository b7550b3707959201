//! Projects: the list, a new one, and where a visit starts.
//!
//! A token of a project sees that project alone. The list is for the administrator of the deployment, who
//! makes new ones.

use leptos::prelude::*;
use postern_core::api::project::ProjectView;
use postern_core::problem::ProblemType;
use postern_core::webhook::ProjectName;
use serde_json::json;

use crate::api::{ApiFailure, use_api};
use crate::browser::clock::use_clock;
use crate::fetched::Fetched;
use crate::routes::{Area, Place};
use crate::session::use_session;
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

/// `/projects`: all of them, a card each. N opens the form of a new one, for those who may make one.
///
/// With a token of one project the list has that project alone, and neither button nor key to make another.
#[component]
pub(crate) fn Projects() -> AnyView {
    let (session, api, clock) = (use_session(), use_api(), use_clock());
    let projects = Fetched::new(move || api.projects());
    let is_creating = RwSignal::new(false);
    let is_admin = session.project().is_none();
    if is_admin {
        use_shortcut("N", "New project", move || is_creating.set(true));
    }
    // A token of a project makes no others.
    let new = move || {
        let press = move |()| is_creating.set(true);
        is_admin.then(|| view! { <Button label="New project" look=Look::Primary icon=Icon::Plus shortcut="N" on_press=press /> }.into_any())
    };
    let card = move |project: ProjectView| {
        let (at, name) = (project.created_at, String::from(project.name.as_str()));
        view! {
            <li class="card pad tile">
                <a class="stretched" data-row="" href=Place::Project(project.name, Area::Overview).path()>{name}</a>
                <span class="faint">"created "{move || words::ago(clock.now(), at)}</span>
            </li>
        }
        .into_any()
    };
    let list = move || {
        let items = projects.value.get().map(|page| page.items).unwrap_or_default();
        if items.is_empty() {
            let action = new().into_any();
            return empty(
                Icon::Project,
                "No project yet",
                "A project holds webhooks, events and inboxes, and has its own tokens.",
                action,
            );
        }
        view! { <ul class="tiles">{items.into_iter().map(card).collect_view()}</ul> }.into_any()
    };
    view! {
        <PageHead title="Projects" about="Each has its own webhooks, events and tokens">{new()}</PageHead>
        {loaded(projects, skeleton::rows, move || list.into_any())}
        <Dialog open=is_creating title="New project"><NewProject done=move || projects.reload() /></Dialog>
    }
    .into_any()
}

/// The form for a new project; afterwards the one sight of its token.
///
/// The name is judged while it is typed: it becomes part of every address. That a name is taken only the edge
/// knows, and it is said in words of its own.
#[component]
fn NewProject(
    /// Called when a project was made.
    done: impl Fn() + Copy + Send + Sync + 'static,
) -> AnyView {
    let api = use_api();
    let name = RwSignal::new(String::new());
    let failure = RwSignal::new(None::<ApiFailure>);
    let made = RwSignal::new(None::<(ProjectName, String)>);
    let sending = Sending::new();
    let fault = Signal::derive(move || {
        let typed = name.get();
        (!typed.is_empty() && ProjectName::parse(&typed).is_none()).then(|| {
            format!(
                "Use up to {} of a–z, 0–9, - and _, and start with a letter or a number.",
                ProjectName::CHARS_MAX
            )
        })
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
    let is_taken = Memo::new(move |_| {
        failure.with(|failure| failure.as_ref().is_some_and(|failure| failure.is(ProblemType::NameTaken)))
    });
    let refused = move || {
        if is_taken.get() {
            view! { <p class="fault" role="alert">"There is a project with this name."</p> }.into_any()
        } else {
            refusal(failure)
        }
    };
    (move || match made.get() {
        Some((project, token)) => made_view(project, token),
        None => view! {
            <form on:submit=submit novalidate=true>
                <TextField
                    label="Name"
                    value=name
                    mono=true
                    first=true
                    hint="Part of addresses and tokens; it cannot be changed."
                    fault=fault
                />
                {move || refused()}
                <div class="dialog-foot"><Submit label="Create project" sending=sending /></div>
            </form>
        }
        .into_any(),
    })
    .into_any()
}

/// What stands in the place of the form once the project is made: its first token, and the way to it. The
/// token is not kept: the person who makes a project is signed in already.
fn made_view(project: ProjectName, token: String) -> AnyView {
    let name = String::from(project.as_str());
    view! {
        <p>
            "The project "<b>{name}</b>" is ready. This is its first token, with the role "<b>"manage"</b>". "
            <b>"It is shown only now"</b>"; keep it somewhere safe."
        </p>
        {code_block("Token", token)}
        <div class="dialog-foot">
            <a class="button primary" href=Place::Project(project, Area::Overview).path()>
                {glyph(Icon::Next)}
                <span class="label">"Open the project"</span>
            </a>
        </div>
    }
    .into_any()
}
