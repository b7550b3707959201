//! The form of a new event type.

use leptos::prelude::*;
use reactive_stores::Store;

use super::model::{EventTypeDraft, EventTypeDraftStoreFields, subject_of};
use crate::api::{ApiFailure, use_project};
use crate::ui::field::{TextArea, TextField};
use crate::ui::form::{Sending, Submit, fault_when, shown_fault};
use crate::ui::notice::refusal;
use crate::ui::toast::use_toasts;

/// The form of a new event type. The example and the schema are judged while they are typed, like name and
/// description once there is anything in them.
#[component]
pub(super) fn NewEventType(
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
