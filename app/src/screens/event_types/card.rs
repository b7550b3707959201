//! One event type, and what can be done with it.

use leptos::prelude::*;
use postern_core::api::event::EventTypeView;
use postern_core::api::page::Page;
use serde_json::json;

use super::model::{self, subject_of};
use crate::api::use_project;
use crate::fetched::{Fetched, when};
use crate::json;
use crate::project::link;
use crate::routes::{Area, Query};
use crate::ui::badge::{Tone, badge_of};
use crate::ui::button::{Button, Look, icon_button};
use crate::ui::code::code_block;
use crate::ui::icon::Icon;
use crate::ui::toast::use_toasts;

/// One event type: what it means, an example, its schema, and what can be done with it. Its name leads to its
/// events.
#[component]
pub(super) fn EventTypeCard(
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
