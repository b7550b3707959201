//! The form that makes a file of events or deliveries.

use leptos::prelude::*;
use postern_core::fault::Fault;
use reactive_stores::Store;

use super::model::{ExportDraft, ExportDraftStoreFields, ExportOf, StateFilter};
use crate::api::{ApiFailure, use_project};
use crate::browser::clock::{self, offset_min};
use crate::screens::period::PeriodFields;
use crate::ui::button::{Button, Look};
use crate::ui::field::{Bound, Choice, TextField};
use crate::ui::form::{IN_SCREEN, Sending, is_complete, shown_fault};
use crate::ui::icon::Icon;
use crate::ui::notice::refusal;
use crate::ui::toast::use_toasts;

/// What can be exported: name, words, hint.
const EXPORTS: [(&str, &str, &str); 2] = [
    (ExportOf::Events.as_str(), "Events", "with their data"),
    (ExportOf::Deliveries.as_str(), "Deliveries", "with their attempts"),
];

/// Files of events and deliveries. They are fetched, not linked to: a link could not carry the token. The
/// browser holds what was fetched, not the page, so that a large file does not fill its memory.
///
/// The name of the file says the project, what it is of and the day, because such files are kept side by
/// side. The button says that it is busy: a large export takes as long as a download.
#[component]
pub(super) fn ExportForm() -> AnyView {
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
