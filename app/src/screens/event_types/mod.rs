//! The catalogue of event types: what producers may post, with examples that tests and previews use.
//!
//! It is there for people: events of a type that is not in it are accepted too. Only a schema makes a
//! difference to a producer, because data that does not fit it is refused.

mod model;

use leptos::prelude::*;
use postern_core::api::event::EventTypeView;
use postern_core::api::page::Page;
use reactive_stores::Store;
use serde_json::json;

use self::model::{EventTypeDraft, EventTypeDraftStoreFields, subject_of};
use crate::api::{ApiFailure, use_project};
use crate::fetched::{Fetched, when};
use crate::json;
use crate::project::link;
use crate::routes::{Area, Query};
use crate::ui::badge::{Tone, badge_of};
use crate::ui::button::{Button, Look, icon_button};
use crate::ui::code::code_block;
use crate::ui::dialog::Dialog;
use crate::ui::field::{TextArea, TextField};
use crate::ui::form::{Sending, Submit, fault_when, shown_fault};
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::notice::{empty, refusal};
use crate::ui::page_head::PageHead;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::skeleton;
use crate::ui::toast::use_toasts;

/// The screen. N opens the form of a new event type.
#[component]
pub(crate) fn EventTypes() -> AnyView {
    let project = use_project();
    let types = Fetched::new(move || project.catalogue());
    let is_adding = RwSignal::new(false);
    use_shortcut("N", "New event type", move || is_adding.set(true));
    let list = move || view! { <Catalogue types=types is_adding=is_adding /> }.into_any();
    let done = move || {
        is_adding.set(false);
        types.reload();
    };
    view! {
        <PageHead title="Event types" about="What may happen, with examples that tests and previews use">{add_button(is_adding)}</PageHead>
        {loaded(types, skeleton::rows, list)}
        <Dialog open=is_adding title="New event type" class="wide"><NewEventType done=move || done() /></Dialog>
    }
    .into_any()
}

/// The button that opens the form of a new event type.
fn add_button(is_adding: RwSignal<bool>) -> AnyView {
    let press = move |()| is_adding.set(true);
    view! { <Button label="New event type" look=Look::Primary icon=Icon::Plus shortcut="N" on_press=press /> }
        .into_any()
}

/// The event types, a card each; archived ones last, and one that is being deleted not at all.
///
/// What is about to be deleted is left out by project and name: an event type of the same name in another
/// project has nothing to do with it.
#[component]
fn Catalogue(
    /// The catalogue.
    types: Fetched<Page<EventTypeView>>,
    /// Whether the form of a new event type is open.
    is_adding: RwSignal<bool>,
) -> AnyView {
    let (project, toasts) = (use_project(), use_toasts());
    (move || {
        let shown = types.value.with(|page| {
            let items = page.as_ref().map(|page| page.items.as_slice()).unwrap_or_default();
            model::shown(items, |name| toasts.is_gone(&subject_of(project.name(), name)))
        });
        if shown.is_empty() {
            return empty(
                Icon::EventType,
                "No event type yet",
                "The catalogue tells people what they may listen to. Events of other types are accepted too.",
                add_button(is_adding),
            );
        }
        let card = |item| view! { <EventTypeCard item=item types=types /> };
        view! { <ul class="tiles wide">{shown.into_iter().map(card).collect_view()}</ul> }.into_any()
    })
    .into_any()
}

/// One event type: what it means, an example, its schema, and what can be done with it. Its name leads to its
/// events.
#[component]
fn EventTypeCard(
    /// The event type.
    item: EventTypeView,
    /// The catalogue that it is in.
    types: Fetched<Page<EventTypeView>>,
) -> AnyView {
    let href = format!("{}{}", link(Area::Events), Query::default().with("type", Some(&item.name)).text());
    let example = item.example.as_ref().map(|example| code_block("Example", example.to_string()));
    let schema = item.schema.as_ref().map(|schema| {
        let code = code_block("Schema", json::pretty(&schema.to_string()).unwrap_or_default());
        view! { <details class="fold"><summary>"Schema: data that does not fit is refused"</summary>{code}</details> }.into_any()
    });
    let label = if item.archived { "Offer again" } else { "Archive" };
    let mark = item.archived.then(|| badge_of(Tone::Idle, "archived"));
    let description =
        if item.description.is_empty() { String::from("No description") } else { item.description.clone() };
    let (archive, delete) = (archiving(&item, types), deleting(item.name.clone(), types));
    view! {
        <li class="card pad tile">
            <div class="tile-head">
                <a class="mono" data-row="" href=href>{item.name.clone()}</a>
                {icon_button(Icon::Delete, format!("Delete {}", item.name), move || delete.run(()))}
            </div>
            <p class="about">{description}</p>
            {example}
            {schema}
            <div class="page-actions">
                {mark}
                <Button label=label about=item.name look=Look::Quiet on_press=archive />
            </div>
        </li>
    }
    .into_any()
}

/// Archives an event type, or offers it again. An archived one is no longer offered to people; producers
/// notice nothing.
///
/// The version that was seen goes along: a change by somebody else meanwhile is a conflict, not lost.
fn archiving(item: &EventTypeView, types: Fetched<Page<EventTypeView>>) -> UnsyncCallback<()> {
    let (project, toasts) = (use_project(), use_toasts());
    let (name, version, archives) = (item.name.clone(), item.version, !item.archived);
    UnsyncCallback::new(move |()| {
        when(project.update_event_type(&name, version, &json!({ "archived": archives })), move |answer| {
            match answer {
                Ok(changed) => toasts.say(model::archived_words(&changed)),
                Err(failure) => toasts.complain(failure.to_string()),
            }
            types.reload();
        });
    })
}

/// Deletes an event type, unless that is taken back in time. Until then it is hidden, not deleted; if the
/// deletion fails, it is shown again with the reason.
fn deleting(name: String, types: Fetched<Page<EventTypeView>>) -> UnsyncCallback<()> {
    let (project, toasts) = (use_project(), use_toasts());
    UnsyncCallback::new(move |()| {
        let (project, doomed, subject) = (project.clone(), name.clone(), subject_of(project.name(), &name));
        let commit = {
            let subject = subject.clone();
            move || {
                when(project.delete_event_type(&doomed), move |answer| match answer {
                    Ok(()) => types.reload(),
                    Err(failure) => {
                        toasts.bring_back(&subject);
                        toasts.complain(failure.to_string());
                    }
                });
            }
        };
        toasts.undoable(format!("{name} deleted"), subject, commit, || ());
    })
}

/// The form of a new event type. The example and the schema are judged while they are typed, like name and
/// description once there is anything in them.
#[component]
fn NewEventType(
    /// Called when it was added.
    done: impl Fn() + Copy + 'static,
) -> AnyView {
    let (project, toasts) = (use_project(), use_toasts());
    let draft = Store::new(EventTypeDraft::default());
    let faults = Memo::new(move |_| draft.with(EventTypeDraft::faults));
    let (is_sent, sending, failure) =
        (RwSignal::new(false), Sending::new(), RwSignal::new(None::<ApiFailure>));
    // What is wrong with something is said as soon as it is typed.
    let name_fault =
        fault_when(faults, "name", move || is_sent.get() || draft.name().with(|name| !name.is_empty()));
    let about_fault = fault_when(faults, "description", move || {
        is_sent.get() || draft.description().with(|about| !about.is_empty())
    });
    let (example_fault, schema_fault) = (shown_fault(faults, "example"), shown_fault(faults, "schema"));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        is_sent.set(true);
        let Ok(body) = draft.with_untracked(EventTypeDraft::body) else { return };
        if faults.with_untracked(|faults| !faults.is_empty()) {
            return;
        }
        failure.set(None);
        let place = project.name().clone();
        sending.send(project.add_event_type(&body), move |answer| match answer {
            Ok(added) => {
                toasts.bring_back(&subject_of(&place, &added.name));
                toasts.say(format!("{} added", added.name));
                done();
            }
            Err(refused) => failure.set(Some(refused)),
        });
    };
    let about_hint = "When it happens, for the people who listen to it";
    let example_hint = "Optional, JSON: the data of such an event";
    let schema_hint = "Optional. JSON Schema that the data must fit; otherwise anything is accepted";
    view! {
        <form on:submit=submit novalidate=true>
            <TextField label="Name" value=draft.name() mono=true first=true placeholder="order.paid" fault=name_fault />
            <TextField label="Description" value=draft.description() hint=about_hint fault=about_fault />
            <TextArea label="Example" value=draft.example() mono=true rows=5 hint=example_hint fault=example_fault />
            <TextArea label="Schema" value=draft.schema() mono=true rows=5 hint=schema_hint fault=schema_fault />
            {refusal(failure)}
            <div class="dialog-foot"><Submit label="Add event type" sending=sending /></div>
        </form>
    }
    .into_any()
}
