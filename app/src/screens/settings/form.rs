//! The form of the settings.

use leptos::prelude::*;
use postern_core::api::project::{ProjectDetail, RETENTION_DAYS_MAX};
use reactive_stores::Store;

use super::model::{ScheduleOf, SettingsDraft, SettingsDraftStoreFields};
use crate::api::{ApiFailure, use_project};
use crate::fetched::Fetched;
use crate::project::ProjectState;
use crate::screens::schedule;
use crate::ui::field::{Bound, Choice, TextField};
use crate::ui::form::{IN_SCREEN, Sending, Submit, is_complete, shown_fault};
use crate::ui::notice::refusal;
use crate::ui::toast::use_toasts;

/// Whose schedule can hold: name, words, hint.
const SCHEDULES: [(&str, &str, &str); 2] = [
    (ScheduleOf::Postern.as_str(), "Postern's", "up to ten attempts in about three days"),
    (ScheduleOf::Project.as_str(), "Its own", "the waits before the second attempt, the third, and so on"),
];

/// The settings, filled in once with what held when the screen was opened. What the edge refuses, such as a
/// change with a token that may only read, is said above the button.
///
/// The form is not filled in again when the settings change elsewhere. What is saved last holds: settings
/// have no version, unlike webhooks.
#[component]
pub(super) fn SettingsForm(
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
