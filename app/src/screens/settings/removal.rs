//! Deleting the project.

use leptos::prelude::*;

use crate::api::{ApiFailure, use_project};
use crate::nav::use_nav;
use crate::routes::Place;
use crate::session::use_session;
use crate::ui::button::{Button, Look};
use crate::ui::dialog::Dialog;
use crate::ui::field::TextField;
use crate::ui::form::Sending;
use crate::ui::icon::Icon;
use crate::ui::notice::refusal;
use crate::ui::toast::use_toasts;

/// The card at the end of the settings. Only an administrator may delete a project; others are told so.
#[component]
pub(super) fn Removal() -> AnyView {
    let is_admin = use_session().project().is_none();
    let is_asking = RwSignal::new(false);
    let action = if is_admin {
        let press = move |()| is_asking.set(true);
        view! { <Button label="Delete project…" look=Look::Danger icon=Icon::Delete on_press=press /> }
            .into_any()
    } else {
        view! { <p class="faint">"Only an admin token can do this."</p> }.into_any()
    };
    view! {
        <section class="card pad stack" aria-labelledby="removal">
            <h2 id="removal">"Delete this project"</h2>
            <p class="about">"Its webhooks, events, deliveries, runs, inboxes, tokens and audit log go for good. \
                              What is not delivered yet never will be."</p>
            <div>{action}</div>
        </section>
        <Dialog open=is_asking title="Delete this project?"><RemovalForm is_asking=is_asking /></Dialog>
    }
    .into_any()
}

/// Asks for the project's name, and deletes it. The button works once the name is typed: nobody deletes a
/// project by a key that was pressed in the wrong tab.
#[component]
fn RemovalForm(is_asking: RwSignal<bool>) -> AnyView {
    let (project, nav, toasts, sending) = (use_project(), use_nav(), use_toasts(), Sending::new());
    let (typed, failure) = (RwSignal::new(String::new()), RwSignal::new(None::<ApiFailure>));
    let name = String::from(project.name().as_str());
    let label = format!("Type {name} to confirm");
    let is_named = {
        let name = name.clone();
        Memo::new(move |_| typed.with(|typed| *typed == name))
    };
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if !is_named.get_untracked() {
            return;
        }
        failure.set(None);
        let name = name.clone();
        sending.send(project.delete(), move |answer| match answer {
            Ok(()) => {
                is_asking.set(false);
                toasts.say(format!("{name} deleted"));
                nav.go(&Place::Projects);
            }
            Err(refused) => failure.set(Some(refused)),
        });
    };
    let busy = sending.busy();
    let is_off = Signal::derive(move || busy.get() || !is_named.get());
    let keep = move |()| is_asking.set(false);
    view! {
        <form on:submit=submit novalidate=true>
            <p>"This cannot be undone. To keep a copy, export events and deliveries first, and the configuration with GET config."</p>
            <TextField label=label value=typed mono=true first=true />
            {refusal(failure)}
            <div class="dialog-foot">
                <Button label="Delete for good" look=Look::Danger submits=true disabled=is_off />
                <Button label="Keep it" on_press=keep />
            </div>
        </form>
    }
    .into_any()
}
