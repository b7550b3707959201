//! The catalogue of event types: what producers may post, with examples that tests and previews use.

use crate::dom::{CollectView, View, hears, part, view};
use crate::state::{Memo, RwSignal};
use leptos::prelude::*;
use postern_core::api::event::EventTypeView;
use postern_core::event::parse_event_type;
use postern_core::fault::Fault;
use postern_core::webhook::ProjectName;
use serde_json::{Value, json};

use crate::api::{ApiFailure, use_project};
use crate::fetched::Fetched;
use crate::fetched::when;
use crate::json;
use crate::routes::{Area, Query};
use crate::shell::link;
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

/// The screen.
#[component]
pub(crate) fn EventTypes() -> View {
    let (project, toasts) = (use_project(), use_toasts());
    let types = Fetched::new({
        let project = project.clone();
        move || {
            let project = project.clone();
            project.catalogue()
        }
    });
    let is_adding = RwSignal::new(false);
    use_shortcut("N", "New event type", move || is_adding.set(true));
    let add_button = move || {
        view! { <Button label="New event type" look=Look::Primary icon=Icon::Plus shortcut="N" on_press=move |()| is_adding.set(true) /> }
    };
    let (place, changing) = (project.name().clone(), project.clone());
    let archive = move |item: &EventTypeView| {
        let (name, archives) = (item.name.clone(), !item.archived);
        when(changing.update_event_type(&name, item.version, &json!({ "archived": archives })), move |answer| {
            match answer {
                Ok(_) if archives => toasts.say(format!("{name} is no longer offered; events of it are still accepted")),
                Ok(_) => toasts.say(format!("{name} is offered again")),
                Err(failure) => toasts.complain(failure.to_string()),
            }
            types.reload();
        });
    };
    let archive = StoredValue::new_local(archive);
    let delete = move |name: String| {
        let (project, doomed, subject) = (project.clone(), name.clone(), subject_of(project.name(), &name));
        toasts.undoable(
            format!("{name} deleted"),
            subject.clone(),
            move || {
                when(project.delete_event_type(&doomed), move |answer| match answer {
                    Ok(()) => types.reload(),
                    Err(failure) => {
                        toasts.bring_back(&subject);
                        toasts.complain(failure.to_string());
                    }
                });
            },
            || (),
        );
    };
    let events = link(Area::Events);
    let card = move |item: EventTypeView| {
        let (delete, doomed) = (delete.clone(), item.name.clone());
        let href = format!("{events}{}", Query::default().with("type", Some(&item.name)).text());
        let example = item.example.as_ref().map(|example| code_block("Example", example.to_string()));
        let schema = item.schema.as_ref().map(|schema| {
            let text = json::pretty(&schema.to_string()).unwrap_or_default();
            view! { <details class="fold"><summary>"Schema: data that does not fit is refused"</summary>{code_block("Schema", text)}</details> }
        });
        let (asked, is_archived) = (item.clone(), item.archived);
        let (label, tone) = if is_archived { ("Offer again", Some(badge_of(Tone::Idle, "archived"))) } else { ("Archive", None) };
        let about = item.name.clone();
        view! {
            <li class="card pad tile">
                <div class="tile-head">
                    <a class="mono" data-row="" href=href>{item.name.clone()}</a>
                    {icon_button(Icon::Delete, format!("Delete {}", item.name), move || delete(doomed.clone()))}
                </div>
                <p class="about">{if item.description.is_empty() { String::from("No description") } else { item.description }}</p>
                {example}
                {schema}
                <div class="page-actions">
                    {tone}
                    <Button label=label about=about look=Look::Quiet on_press=move |()| archive.with_value(|archive| archive(&asked)) />
                </div>
            </li>
        }
    };
    let list = move || {
        let shown: Vec<EventTypeView> = types.value.with(|page| {
            let items = page.as_ref().map(|page| page.items.as_slice()).unwrap_or_default();
            let mut shown: Vec<EventTypeView> =
                items.iter().filter(|item| !toasts.is_gone(&subject_of(&place, &item.name))).cloned().collect();
            shown.sort_by_key(|item| item.archived);
            shown
        });
        if shown.is_empty() {
            return empty(
                Icon::EventType,
                "No event type yet",
                "The catalogue tells people what they may listen to. Events of other types are accepted too.",
                add_button(),
            );
        }
        view! { <ul class="tiles wide">{shown.into_iter().map(card.clone()).collect_view()}</ul> }
    };
    view! {
        <PageHead title="Event types" about="What may happen, with examples that tests and previews use">{add_button()}</PageHead>
        {loaded(types, skeleton::rows, move || part(list.clone()))}
        <Dialog open=is_adding title="New event type" class="wide"><NewEventType done=move || { is_adding.set(false); types.reload(); } /></Dialog>
    }
}

/// What a deletion that can be undone is about. Not the bare name: another project may have an event type with the same one.
fn subject_of(project: &ProjectName, name: &str) -> String {
    format!("{}/event-types/{name}", project.as_str())
}

#[component]
fn NewEventType(
    /// Called when it was added.
    done: impl Fn() + Copy + 'static,
) -> View {
    let (project, toasts) = (use_project(), use_toasts());
    let (name, description, example) = (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(String::new()));
    let (is_sent, sending) = (RwSignal::new(false), Sending::new());
    let failure = RwSignal::new(None::<ApiFailure>);
    let schema = RwSignal::new(String::new());
    let body = move || body_of(&name.get(), &description.get(), &example.get(), &schema.get());
    let faults = Memo::new(move || match body() {
        Ok(body) => parse_event_type(&body).err().unwrap_or_default().into_named(),
        Err(fault) => vec![fault],
    });
    let fault = move |field: &'static str, typed: RwSignal<String>| {
        fault_when(faults, field, move || is_sent.get() || typed.with(|typed| !typed.is_empty()))
    };
    let example_fault = shown_fault(faults, "example");
    let schema_fault = shown_fault(faults, "schema");
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        is_sent.set(true);
        let Ok(body) = untrack(body) else { return };
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
    view! {
        <form on:submit=hears(submit) novalidate=true>
            <TextField label="Name" value=name mono=true first=true placeholder="order.paid" fault=fault("name", name) />
            <TextField label="Description" value=description hint="When it happens, for the people who listen to it" fault=fault("description", description) />
            <TextArea label="Example" value=example mono=true rows=5 hint="JSON: the data of such an event. Empty: none" fault=example_fault />
            <TextArea label="Schema" value=schema mono=true rows=5 hint="JSON Schema that the data must fit. Empty: anything is accepted" fault=schema_fault />
            {refusal(failure)}
            <div class="dialog-foot"><Submit label="Add event type" sending=sending /></div>
        </form>
    }
}

/// The body that adds an event type, or what is wrong with the example or the schema.
fn body_of(name: &str, description: &str, example: &str, schema: &str) -> Result<Value, Fault> {
    let (example, schema) = (json_of("/example", example)?, json_of("/schema", schema)?);
    // Put together by hand: `json!` would write numbers anew.
    let fields = [("name", name.trim().into()), ("description", description.trim().into()), ("example", example), ("schema", schema)];
    Ok(Value::Object(fields.into_iter().map(|(name, value)| (String::from(name), value)).collect()))
}

/// JSON that was typed; nothing is null.
fn json_of(pointer: &str, typed: &str) -> Result<Value, Fault> {
    match typed.trim() {
        "" => Ok(Value::Null),
        text if json::is_json(text) => postern_core::json::read(text).map_err(|error| Fault::new(pointer, error.to_string())),
        _ => Err(Fault::new(pointer, "is not JSON yet")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_json_or_nothing() {
        assert_eq!(body_of("a", "", " ", "").map(|body| body["example"].clone()), Ok(Value::Null));
        assert_eq!(body_of("a", "", "{\"n\":1}", "{}").map(|body| body["example"]["n"].clone()), Ok(json!(1)));
        let exact = body_of("a", "", "[1.10,1e5,-0]", r#"{"maximum":12345678901234567890123}"#).map(|body| body.to_string());
        assert!(exact.is_ok_and(|body| body.contains("[1.10,1e5,-0]") && body.contains("12345678901234567890123")));
        assert_eq!(body_of("a", "", "{", "").map_err(|fault| fault.pointer), Err(String::from("/example")));
        assert_eq!(body_of("a", "", "", "{").map_err(|fault| fault.pointer), Err(String::from("/schema")));
    }
}
