//! What holds for all of a project: the schedule of webhooks without one of their own, how long things are
//! kept, how much there may be; and files of everything that is there.
//!
//! Both forms are judged while they are typed, by the parsers of the edge, and sent only if nothing is wrong.

mod limits;
mod model;

use leptos::prelude::*;
use postern_core::api::project::{ProjectDetail, RETENTION_DAYS_MAX};
use postern_core::fault::Fault;
use reactive_stores::Store;

use self::limits::limits;
use self::model::{
    ExportDraft, ExportDraftStoreFields, ExportOf, ScheduleOf, SettingsDraft, SettingsDraftStoreFields,
    StateFilter,
};
use crate::api::{ApiFailure, use_project};
use crate::browser::clock::{self, offset_min};
use crate::fetched::Fetched;
use crate::project::ProjectState;
use crate::screens::period::PeriodFields;
use crate::screens::schedule;
use crate::ui::button::{Button, Look};
use crate::ui::field::{Bound, Choice, TextField};
use crate::ui::form::{IN_SCREEN, Sending, Submit, is_complete, shown_fault};
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::notice::refusal;
use crate::ui::page_head::PageHead;
use crate::ui::skeleton;
use crate::ui::toast::use_toasts;
use crate::words;

/// Whose schedule can hold: name, words, hint.
const SCHEDULES: [(&str, &str, &str); 2] = [
    (ScheduleOf::Postern.as_str(), "Postern's", "up to ten attempts in about three days"),
    (ScheduleOf::Project.as_str(), "Its own", "the waits before the second attempt, the third, and so on"),
];
/// What can be exported: name, words, hint.
const EXPORTS: [(&str, &str, &str); 2] = [
    (ExportOf::Events.as_str(), "Events", "with their data"),
    (ExportOf::Deliveries.as_str(), "Deliveries", "with their attempts"),
];

/// The screen: the settings, and the export beside them.
///
/// The limits stand below the export, because nothing can be changed about them here.
#[component]
pub(crate) fn Settings() -> AnyView {
    let project = use_project();
    let state: ProjectState = expect_context();
    let name = String::from(project.name().as_str());
    let about = Signal::derive(move || {
        match state.0.value.with(|detail| detail.as_ref().map(|detail| detail.created_at)) {
            Some(at) => format!("{name}, created {}", words::date_time(at, offset_min(at))),
            None => name.clone(),
        }
    });
    // Loaded for this screen, not the count in the side bar: a change by somebody else must not replace what
    // is being typed.
    let detail = Fetched::new(move || project.detail());
    view! {
        <PageHead title="Settings" about=about />
        <div class="split">
            <div class="stack">{loaded(detail, skeleton::text, move || view! { <SettingsForm detail=detail /> }.into_any())}</div>
            <div class="stack"><ExportForm />{limits(detail)}</div>
        </div>
    }
    .into_any()
}

/// The settings, filled in once with what held when the screen was opened. What the edge refuses, such as a
/// change with a token that may only read, is said above the button.
///
/// The form is not filled in again when the settings change elsewhere. What is saved last holds: settings
/// have no version, unlike webhooks.
#[component]
fn SettingsForm(
    /// The project.
    detail: Fetched<ProjectDetail>,
) -> AnyView {
    let (project, toasts) = (use_project(), use_toasts());
    let state: ProjectState = expect_context();
    let stored = detail
        .value
        .with_untracked(|detail| detail.as_ref().map(|detail| SettingsDraft::of(&detail.settings)));
    let draft = Store::new(stored.unwrap_or_default());
    let faults = Memo::new(move |_| draft.with(SettingsDraft::faults));
    let (failure, sending) = (RwSignal::new(None::<ApiFailure>), Sending::new());
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if !is_complete(faults, IN_SCREEN) {
            return;
        }
        failure.set(None);
        sending.send(project.update_settings(&draft.with_untracked(SettingsDraft::json)), move |answer| {
            match answer {
                Ok(changed) => {
                    toasts.say("Settings saved");
                    // The side bar and the forms of webhooks show what holds.
                    state.0.value.set(Some(changed));
                }
                Err(refused) => failure.set(Some(refused)),
            }
        });
    };
    let days_hint = format!(
        "Ended deliveries, their attempts and their events: 1 to {RETENTION_DAYS_MAX}. What is under way is always kept."
    );
    let days_fault = shown_fault(faults, "retention_days");
    let waits_fault = Signal::derive(move || faults.with(|faults| schedule::fault(faults)));
    view! {
        <form class="card pad form" on:submit=submit novalidate=true aria-label="Settings">
            <Retries draft=draft waits_fault=waits_fault />
            <fieldset>
                <legend>"Retention"</legend>
                <TextField label="Days that things are kept" value=draft.days() kind="number" hint=days_hint fault=days_fault />
            </fieldset>
            {refusal(failure)}
            <div class="form-foot"><Submit label="Save settings" sending=sending /></div>
        </form>
    }
    .into_any()
}

/// Whose schedule holds, the waits of the project's own, and the schedule attempt by attempt, as it would be.
/// Waits that were typed stay while Postern's schedule is looked at.
///
/// The timeline is drawn for whichever schedule is chosen, so that the two can be compared before one is
/// saved. It goes away while the typed waits cannot be read.
#[component]
fn Retries(
    /// The form.
    draft: Store<SettingsDraft>,
    /// What is wrong with the waits.
    waits_fault: Signal<Option<String>>,
) -> AnyView {
    let chosen = Bound::from(draft.schedule()).by_name(ScheduleOf::as_str, ScheduleOf::parse);
    let is_own = Memo::new(move |_| draft.schedule().get() == ScheduleOf::Project);
    let typed = Memo::new(move |_| draft.with(SettingsDraft::waits_s));
    let hint = schedule::hint(typed);
    let waits = move || {
        is_own.get().then(|| view! { <TextField label="Waits" value=draft.waits() mono=true hint=hint fault=waits_fault /> }.into_any())
    };
    let timeline = move || typed.get().map(|waits| schedule::timeline(&waits));
    view! {
        <fieldset>
            <legend>"Retries"</legend>
            <p class="about">"For webhooks without a schedule of their own. Each wait is spread by up to a \
                              fifth either way."</p>
            <Choice label="Schedule" value=chosen options=SCHEDULES.to_vec() />
            {move || waits()}
            {move || timeline()}
        </fieldset>
    }
    .into_any()
}

/// Files of events and deliveries. They are fetched, not linked to: a link could not carry the token. The
/// browser holds what was fetched, not the page, so that a large file does not fill its memory.
///
/// The name of the file says the project, what it is of and the day, because such files are kept side by
/// side. The button says that it is busy: a large export takes as long as a download.
#[component]
fn ExportForm() -> AnyView {
    let (project, toasts) = (use_project(), use_toasts());
    let draft = Store::new(ExportDraft::default());
    let faults = Memo::new(move |_| draft.with(|draft| draft.faults(offset_min)));
    let (failure, sending) = (RwSignal::new(None::<ApiFailure>), Sending::new());
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if !is_complete(faults, IN_SCREEN) {
            return;
        }
        failure.set(None);
        let export = draft.get_untracked();
        let file = export.file_name(project.name().as_str(), clock::now());
        let query = export.query(offset_min);
        let load = match export.of {
            ExportOf::Events => project.export_events(&query),
            ExportOf::Deliveries => project.export_deliveries(&query),
        };
        sending.send(load, move |answer| match answer {
            Ok(found) if found.save(&file) => toasts.say(format!("{file} saved")),
            Ok(_) => toasts.complain("The browser did not save the file."),
            Err(refused) => failure.set(Some(refused)),
        });
    };
    let busy = sending.busy();
    let label = Signal::derive(move || String::from(if busy.get() { "Exporting…" } else { "Export" }));
    view! {
        <form class="card pad form" on:submit=submit novalidate=true aria-label="Export">
            <ExportFields draft=draft faults=faults />
            {refusal(failure)}
            <div class="form-foot"><Button label=label look=Look::Plain icon=Icon::Export submits=true disabled=busy /></div>
        </form>
    }
    .into_any()
}

/// What a file is of: events or deliveries, of which time, of which type; deliveries also of which webhook
/// and in which state.
///
/// The fields of deliveries keep what was typed in them while events are chosen, but only what is shown is
/// asked for.
#[component]
fn ExportFields(
    /// The form.
    draft: Store<ExportDraft>,
    /// What is wrong with it.
    faults: Memo<Vec<Fault>>,
) -> AnyView {
    let fault = move |field: &'static str| shown_fault(faults, field);
    let of = Bound::from(draft.of()).by_name(ExportOf::as_str, ExportOf::parse);
    let state = Bound::from(draft.state()).by_name(StateFilter::as_str, StateFilter::parse);
    let is_of_deliveries = Memo::new(move |_| draft.of().get() == ExportOf::Deliveries);
    let states = StateFilter::ALL.map(|filter| (filter.as_str(), filter.words(), "")).to_vec();
    let which = move || {
        is_of_deliveries.get().then(|| {
            view! {
                <TextField label="Webhook" value=draft.webhook() hint="Optional: otherwise all of them" />
                <Choice label="State" value=state options=states.clone() />
            }
            .into_any()
        })
    };
    view! {
        <fieldset>
            <legend>"Export"</legend>
            <p class="about">"A file with one JSON value a line (NDJSON), the oldest first."</p>
            <Choice label="What" value=of options=EXPORTS.to_vec() />
            <PeriodFields
                since=draft.since()
                until=draft.until()
                since_hint="Optional: otherwise from the first"
                since_fault=fault("since")
                until_fault=fault("until")
            />
            <TextField label="Event type" value=draft.types() mono=true placeholder="order.paid" hint="Optional: otherwise all types" />
            {move || which()}
        </fieldset>
    }
    .into_any()
}
