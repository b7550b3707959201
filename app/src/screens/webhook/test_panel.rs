//! A test of a webhook: pick what to send, press, watch it happen.

use std::time::Duration;

use crate::dom::{View, part, view};
use crate::state::{RwSignal, Signal};
use leptos::prelude::*;
use postern_core::api::live::LiveEvent;
use postern_core::api::test::{TestStatus, TestView};
use postern_core::api::webhook::WebhookView;

use super::model;
use crate::api::{ApiFailure, ProjectApi, use_project};
use crate::fetched::Fetched;
use crate::fetched::{spawn, when};
use crate::json;
use crate::live::use_live;
use crate::screens::attempt::attempt_tabs;
use crate::screens::events::model::example_of;
use crate::ui::badge::{Tone, badge_of};
use crate::ui::button::{Button, Look};
use crate::ui::field::{TextArea, TextField};
use crate::ui::icon::Icon;
use crate::ui::notice::{notice, refusal};
use crate::ui::shortcuts::use_shortcut;
use crate::words;

/// How often a pending test is asked for, in case the live feed is not there to tell.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The panel.
#[component]
pub(crate) fn TestPanel(webhook: Fetched<WebhookView>, name: String) -> View {
    let project = use_project();
    let kind = RwSignal::new(String::new());
    let data = RwSignal::new(String::new());
    let test = RwSignal::new(None::<TestView>);
    let failure = RwSignal::new(None::<ApiFailure>);
    let busy = RwSignal::new(false);
    watch(project.clone(), test);

    let types = Fetched::new({
        let project = project.clone();
        move || {
            let project = project.clone();
            project.event_types()
        }
    });
    let suggestions = Signal::derive(move || {
        webhook.value.with(|webhook| {
            types.value.with(|types| match (webhook, types) {
                (Some(webhook), Some(types)) => model::fitting_types(webhook, &types.items),
                _ => Vec::new(),
            })
        })
    });
    let fill = move || {
        let example = kind.with_untracked(|kind| types.value.with_untracked(|types| example_of(types.as_ref(), kind.trim())));
        if let Some(example) = example
            && data.with_untracked(|data| data.trim().is_empty())
        {
            data.set(json::pretty(&example.to_string()).unwrap_or_default());
        }
    };
    let send = move || {
        if busy.get_untracked() || data.with_untracked(|data| model::data_fault(data).is_some()) {
            return;
        }
        busy.set(true);
        failure.set(None);
        let (project, name) = (project.clone(), name.clone());
        let body = kind.with_untracked(|kind| data.with_untracked(|data| model::test_body(kind, data)));
        when(project.test_webhook(&name, &body), move |answer| {
            match answer {
                Ok(started) => take_in(test, &started, true),
                Err(refused) => failure.set(Some(refused)),
            }
            busy.set(false);
        });
    };
    let send = StoredValue::new_local(send);
    let press = move || send.with_value(|send| send());
    use_shortcut("T", "Send a test", press);
    let fault = Signal::derive(move || data.with(|data| model::data_fault(data)));
    view! {
        <section class="card" aria-labelledby="test">
            <h2 class="card-head" id="test">"Test"</h2>
            <div class="pad stack">
                <TextField label="Event type" value=kind mono=true suggestions=suggestions hint="Empty: one that the webhook listens to" on_leave=move |()| fill() />
                <TextArea label="Data" value=data mono=true rows=3 hint="JSON. Empty: an example" fault=fault />
                <div class="beside">
                    <Button label="Send test" look=Look::Primary icon=Icon::Send shortcut="T" disabled=busy on_press=move |()| press() />
                    <span class="hint">"One attempt, also while the webhook is disabled."</span>
                </div>
                {refusal(failure)}
                <TestResult test=test />
            </div>
        </section>
    }
}

/// Keeps `test` up to date until it has ended: by the live feed, and by asking.
pub(crate) fn watch(project: ProjectApi, test: RwSignal<Option<TestView>>) {
    use_live().on_change(move |event| {
        if let LiveEvent::Test { test: changed } = event {
            take_in(test, changed, false);
        }
    });
    let pending =
        move || test.with_untracked(|test| test.as_ref().filter(|test| test.status == TestStatus::Pending).map(|test| test.id.clone()));
    let look = move || {
        let Some(id) = pending() else { return };
        let project = project.clone();
        spawn(async move {
            // A failure is not worth a word here: the next look is a second away.
            if let Ok(changed) = project.test(&id).await
                && !test.is_disposed()
            {
                take_in(test, &changed, false);
            }
        });
    };
    if let Ok(interval) = set_interval_with_handle(look, LOOK_EVERY) {
        on_cleanup(move || interval.clear());
    }
}

/// Shows a test, if it is the one that is shown (or a new one), and never goes back from an end to pending.
pub(crate) fn take_in(test: RwSignal<Option<TestView>>, changed: &TestView, is_new: bool) {
    let fits = test.with_untracked(|known| match known {
        Some(known) if !is_new => known.id == changed.id && known.status == TestStatus::Pending,
        Some(_) => true,
        None => is_new,
    });
    if fits && test.with_untracked(|known| known.as_ref() != Some(changed)) {
        test.set(Some(changed.clone()));
    }
}

/// How a test stands, and what was sent and received.
#[component]
pub(crate) fn TestResult(test: RwSignal<Option<TestView>>) -> View {
    let tab = RwSignal::new("request");
    let status = move || {
        test.get().map(|test| {
            let (tone, word) = match test.status {
                TestStatus::Pending => (Tone::Busy, "Pending"),
                TestStatus::Completed => (Tone::Good, "Completed"),
                TestStatus::Failed => (Tone::Bad, "Failed"),
            };
            let about = match (&test.attempt, &test.error_message) {
                (Some(attempt), _) => {
                    let note = attempt.attempt.response.as_ref().and_then(|response| response.body_note.as_ref());
                    let result = postern_core::explain::brief_with_body(&attempt.attempt.outcome, note);
                    let next = if test.status == TestStatus::Pending { " · it is called again" } else { "" };
                    format!("{result} · {}{next}", words::duration(attempt.attempt.duration_ms))
                }
                (None, Some(message)) => message.clone(),
                (None, None) => String::from("calling…"),
            };
            view! { <p class="beside">{badge_of(tone, word)}<span class="faint">{about}</span></p> }
        })
    };
    let detail = move || {
        test.get().map(|test| {
            let why = (test.status == TestStatus::Failed).then(|| match &test.attempt {
                Some(attempt) => notice(Tone::Bad, attempt.reason.headline.clone(), attempt.reason.advice.clone()),
                None => notice(Tone::Bad, test.error_message.clone().unwrap_or_default(), String::new()),
            });
            view! {
                {why}
                {test.attempt.map(|attempt| attempt_tabs(tab, attempt, None, None))}
            }
        })
    };
    view! {
        <div role="status" aria-label="Test status">{part(status)}</div>
        {part(detail)}
    }
}
