//! What holds for all of a project: the schedule of webhooks without one of their own, how long things are kept; and files of
//! everything that is there.

mod model;

use leptos::prelude::*;
use postern_core::api::project::{ProjectDetail, RETENTION_DAYS_MAX};
use postern_core::delivery::State;

use self::model::{Draft, Export};
use crate::api::{ApiFailure, use_project};
use crate::browser::clock::{self, offset_min};
use crate::dom::{View, hears, part, view};
use crate::fetched::Fetched;
use crate::screens::schedule;
use crate::screens::webhooks::model::state_word;
use crate::shell::ProjectState;
use crate::state::{Memo, RwSignal, Signal};
use crate::ui::button::{Button, Look};
use crate::ui::field::{Choice, TextField};
use crate::ui::form::{IN_SCREEN, Sending, Submit, is_complete, shown_fault};
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::notice::refusal;
use crate::ui::page_head::PageHead;
use crate::ui::skeleton;
use crate::ui::toast::use_toasts;
use crate::words;

/// The screen.
#[component]
pub(crate) fn Settings() -> View {
    let project = use_project();
    let state: ProjectState = expect_context();
    let about = {
        let name = String::from(project.name().as_str());
        let created = move || state.0.value.with(|detail| detail.as_ref().map(|detail| detail.created_at));
        Signal::derive(move || match created() {
            Some(at) => format!("{name}, created {}", words::date_time(at, offset_min(at))),
            None => name.clone(),
        })
    };
    // Loaded for this screen, not the count in the side bar: a change by somebody else must not replace what is being typed.
    let detail = Fetched::new(move || project.detail());
    view! {
        <PageHead title="Settings" about=about />
        <div class="split">
            <div class="stack">{loaded(detail, skeleton::text, move || view! { <SettingsForm detail=detail /> })}</div>
            <ExportForm />
        </div>
    }
}

#[component]
fn SettingsForm(detail: Fetched<ProjectDetail>) -> View {
    let (project, toasts) = (use_project(), use_toasts());
    let state: ProjectState = expect_context();
    let draft = detail.value.with_untracked(|detail| detail.as_ref().map(|detail| Draft::of(&detail.settings))).unwrap_or_default();
    let [mode, waits, days] = [draft.mode, draft.waits, draft.days].map(RwSignal::new);
    let draft = Memo::new(move || Draft { mode: mode.get(), waits: waits.get(), days: days.get() });
    let faults = Memo::new(move || draft.with(Draft::faults));
    let fault = move |field: &'static str| shown_fault(faults, field);
    let waits_fault = Signal::derive(move || faults.with(|faults| schedule::fault(faults)));
    let (failure, sending) = (RwSignal::new(None::<ApiFailure>), Sending::new());
    let api = StoredValue::new_local(project);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if !is_complete(faults, IN_SCREEN) {
            return;
        }
        failure.set(None);
        let patch = draft.with_untracked(Draft::json);
        sending.send(api.with_value(|api| api.update_settings(&patch)), move |answer| match answer {
            Ok(changed) => {
                toasts.say("Settings saved");
                state.0.value.set(Some(changed));
            }
            Err(refused) => failure.set(Some(refused)),
        });
    };
    let modes = vec![
        (model::POSTERNS, "Postern's", "up to ten attempts in about three days"),
        (model::OWN, "Its own", "the waits before the second attempt, the third, and so on"),
    ];
    let is_own = Memo::new(move || mode.with(|mode| mode == model::OWN));
    let typed = Memo::new(move || draft.with(Draft::waits_s));
    let hint = Signal::derive(move || {
        typed.get().map_or_else(|| String::from("Such as 5 s, 5 min, 2 h, 1 d"), |waits| format!("Now: {}", schedule::summary(&waits)))
    });
    let own = move || is_own.get().then(|| view! { <TextField label="Waits" value=waits mono=true hint=hint fault=waits_fault /> });
    let timeline = move || typed.get().map(|waits| schedule::timeline(&waits));
    view! {
        <form class="card pad form" on:submit=hears(submit) novalidate=true aria-label="Settings">
            <fieldset>
                <legend>"Retries"</legend>
                <p class="about">"What webhooks do that have no schedule of their own. Each wait is spread by up to a fifth either way."</p>
                <Choice label="Schedule" value=mode options=modes />
                {part(own)}
                {part(timeline)}
            </fieldset>
            <fieldset>
                <legend>"Retention"</legend>
                <TextField label="Days that things are kept" value=days kind="number" hint=format!("Ended deliveries, their attempts and their events: 1 to {RETENTION_DAYS_MAX}. What is under way is always kept.") fault=fault("retention_days") />
            </fieldset>
            {refusal(failure)}
            <div class="form-foot"><Submit label="Save settings" sending=sending /></div>
        </form>
    }
}

/// Files of events and deliveries. They are fetched, not linked to: a link could not carry the token.
#[component]
fn ExportForm() -> View {
    let (project, toasts) = (use_project(), use_toasts());
    let [kind, since, until, types, webhook, state] = [Export::EVENTS, "", "", "", "", ""].map(|text| RwSignal::new(String::from(text)));
    let draft = Memo::new(move || Export {
        kind: kind.get(),
        since: since.get(),
        until: until.get(),
        types: types.get(),
        webhook: webhook.get(),
        state: state.get(),
    });
    let faults = Memo::new(move || draft.with(|draft| draft.faults(offset_min)));
    let fault = move |field: &'static str| shown_fault(faults, field);
    let (failure, sending) = (RwSignal::new(None::<ApiFailure>), Sending::new());
    let name = String::from(project.name().as_str());
    let api = StoredValue::new_local(project);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if !is_complete(faults, IN_SCREEN) {
            return;
        }
        failure.set(None);
        let export = draft.get_untracked();
        let file = export.file_name(&name, clock::now());
        let load = api.with_value(|api| api.export(export.is_of_deliveries(), &export.query(offset_min)));
        sending.send(load, move |answer| match answer {
            Ok(found) if found.save(&file) => toasts.say(format!("{file} saved")),
            Ok(_) => toasts.complain("The browser did not save the file."),
            Err(refused) => failure.set(Some(refused)),
        });
    };
    let kinds = vec![(Export::EVENTS, "Events", "with their data"), (Export::DELIVERIES, "Deliveries", "with their attempts")];
    let is_of_deliveries = Memo::new(move || draft.with(Export::is_of_deliveries));
    let states = [
        ("", "Any state", ""),
        (State::Delivered.as_str(), state_word(State::Delivered).1, ""),
        (State::Dead.as_str(), state_word(State::Dead).1, ""),
        (State::Waiting.as_str(), state_word(State::Waiting).1, ""),
    ]
    .to_vec();
    let more = move || {
        is_of_deliveries.get().then(|| {
            view! {
                <TextField label="Webhook" value=webhook hint="Empty: all of them" />
                <Choice label="State" value=state options=states.clone() />
            }
        })
    };
    let label = Signal::derive(move || String::from(if sending.busy().get() { "Exporting…" } else { "Export" }));
    view! {
        <form class="card pad form" on:submit=hears(submit) novalidate=true aria-label="Export">
            <fieldset>
                <legend>"Export"</legend>
                <p class="about">"A file with one JSON value a line (NDJSON), the oldest first."</p>
                <Choice label="What" value=kind options=kinds />
                <div class="halves">
                    <TextField label="Since" value=since kind="datetime-local" hint="Empty: from the first" fault=fault("since") />
                    <TextField label="Until" value=until kind="datetime-local" hint="Empty: until now" fault=fault("until") />
                </div>
                <TextField label="Event type" value=types mono=true placeholder="order.paid" hint="Empty: all types" />
                {part(more)}
            </fieldset>
            {refusal(failure)}
            <div class="form-foot"><Button label=label look=Look::Plain icon=Icon::Export submits=true disabled=sending.busy() /></div>
        </form>
    }
}
