//! A test of a webhook: pick what to send, press, watch it happen.
//!
//! The live feed tells how the test goes, and so does asking once a second: a feed that is not there must not
//! make a test look as if it never ended. Whichever is first wins, and nothing goes back from an end to
//! pending. Other screens show a test with [`watch`] and [`TestResult`], too.

use std::time::Duration;

use leptos::prelude::*;
use postern_core::api::test::{TestStatus, TestView};
use postern_core::api::webhook::WebhookView;
use reactive_stores::Store;

use super::model::{self, TrialDraft, TrialDraftStoreFields};
use crate::api::{ApiFailure, ProjectApi, use_project};
use crate::fetched::{Fetched, spawn, when};
use crate::live::use_live;
use crate::screens::attempt::attempt_tabs;
use crate::screens::events::model::example_of;
use crate::ui::badge::{Tone, badge_of};
use crate::ui::button::{Button, Look};
use crate::ui::field::{TextArea, TextField};
use crate::ui::icon::Icon;
use crate::ui::notice::{notice, refusal};
use crate::ui::shortcuts::use_shortcut;

/// How often a pending test is asked for, in case the live feed is not there to tell.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The panel. T sends a test, like its button; while one is being started, both are there but do nothing.
///
/// What was typed stays after the test, so that the next one differs in what a person changes.
#[component]
pub(crate) fn TestPanel(
    /// The webhook.
    webhook: Fetched<WebhookView>,
    /// Its name.
    name: String,
) -> AnyView {
    let project = use_project();
    let draft = Store::new(TrialDraft::default());
    let (test, failure, busy) =
        (RwSignal::new(None::<TestView>), RwSignal::new(None::<ApiFailure>), RwSignal::new(false));
    watch(project.clone(), test);
    let send = UnsyncCallback::new(move |()| {
        if busy.get_untracked() || draft.with_untracked(|draft| draft.data_fault().is_some()) {
            return;
        }
        busy.set(true);
        failure.set(None);
        when(project.test_webhook(&name, &draft.with_untracked(TrialDraft::body)), move |answer| {
            match answer {
                Ok(started) => test.set(Some(started)),
                Err(refused) => failure.set(Some(refused)),
            }
            busy.set(false);
        });
    });
    use_shortcut("T", "Send a test", move || send.run(()));
    view! {
        <section class="card" aria-labelledby="test">
            <h2 class="card-head" id="test">"Test"</h2>
            <div class="pad stack">
                <WhatToSend draft=draft webhook=webhook />
                <div class="beside">
                    <Button label="Send test" look=Look::Primary icon=Icon::Send shortcut="T" disabled=busy on_press=send />
                    <span class="hint">"One attempt, also while the webhook is disabled."</span>
                </div>
                {refusal(failure)}
                <TestResult test=test />
            </div>
        </section>
    }
    .into_any()
}

/// The event type and its data. When the type is left, its example from the catalogue becomes the data,
/// unless somebody has typed data already.
///
/// Suggestions are the types that this webhook listens to. Any other can be typed; the edge judges it.
#[component]
fn WhatToSend(
    /// The form.
    draft: Store<TrialDraft>,
    /// The webhook, whose event types are suggested.
    webhook: Fetched<WebhookView>,
) -> AnyView {
    let project = use_project();
    let types = Fetched::new(move || project.event_types());
    let suggestions = Signal::derive(move || {
        webhook.value.with(|webhook| {
            types.value.with(|types| match (webhook, types) {
                (Some(webhook), Some(types)) => model::fitting_types(webhook, &types.items),
                _ => Vec::new(),
            })
        })
    });
    let fill = move |()| {
        let kind = draft.kind().get_untracked();
        if let Some(example) = types.value.with_untracked(|types| example_of(types.as_ref(), kind.trim())) {
            draft.update(|draft| draft.fill(&example));
        }
    };
    let fault = Signal::derive(move || draft.with(TrialDraft::data_fault));
    view! {
        <TextField
            label="Event type"
            value=draft.kind()
            mono=true
            suggestions=suggestions
            hint="Optional: otherwise one that the webhook listens to"
            on_leave=fill
        />
        <TextArea label="Data" value=draft.data() mono=true rows=3 hint="Optional, JSON: otherwise an example" fault=fault />
    }
    .into_any()
}

/// Keeps `test` up to date until it has ended: by the live feed, and by asking.
///
/// `test` may be none or another one later: whatever is in it is watched. Ends with the present scope.
pub(crate) fn watch(project: ProjectApi, test: RwSignal<Option<TestView>>) {
    use_live().on_change(move |change| {
        if let Some(changed) = change.test() {
            take_in(test, &changed);
        }
    });
    let pending = move || {
        test.with_untracked(|test| {
            test.as_ref().filter(|test| test.status == TestStatus::Pending).map(|test| test.id.clone())
        })
    };
    let look = move || {
        let Some(id) = pending() else { return };
        let project = project.clone();
        spawn(async move {
            // A failure is not worth a word here: the next look is a second away.
            if let Ok(changed) = project.test(&id).await
                && !test.is_disposed()
            {
                take_in(test, &changed);
            }
        });
    };
    if let Ok(interval) = set_interval_with_handle(look, LOOK_EVERY) {
        on_cleanup(move || interval.clear());
    }
}

/// Shows how a test stands now, if it is the one that is shown; never goes back from its end to pending.
fn take_in(test: RwSignal<Option<TestView>>, changed: &TestView) {
    let fits = test.try_with_untracked(|known| {
        known.as_ref().is_some_and(|known| known.id == changed.id && known.status == TestStatus::Pending)
    });
    // A test that ends after its screen was left is shown nowhere.
    if fits == Some(true) && test.with_untracked(|known| known.as_ref() != Some(changed)) {
        test.set(Some(changed.clone()));
    }
}

/// How a test stands, and what was sent and received. The first line is announced when it changes; what
/// follows is read by somebody who wants to know more.
///
/// The tabs keep the one that was opened while attempts of the same test replace one another.
#[component]
pub(crate) fn TestResult(
    /// The test, once there is one.
    test: RwSignal<Option<TestView>>,
) -> AnyView {
    let tab = RwSignal::new("request");
    let status = move || {
        test.with(|test| {
            let test = test.as_ref()?;
            let (tone, word) = model::status_word(test.status);
            Some(view! { <p class="beside">{badge_of(tone, word)}<span class="faint">{model::status_words(test)}</span></p> }.into_any())
        })
    };
    let detail = move || {
        let test = test.get()?;
        let why = (test.status == TestStatus::Failed).then(|| match &test.attempt {
            Some(attempt) => {
                notice(Tone::Bad, attempt.reason.headline.clone(), attempt.reason.advice.clone())
            }
            None => notice(Tone::Bad, test.error_message.clone().unwrap_or_default(), String::new()),
        });
        let attempt = test.attempt.map(|attempt| attempt_tabs(tab, attempt, None, None));
        Some(view! { {why}{attempt} }.into_any())
    };
    view! {
        <div role="status" aria-label="Test status">{move || status()}</div>
        {move || detail()}
    }
    .into_any()
}
