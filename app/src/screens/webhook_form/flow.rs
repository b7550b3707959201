//! What most webhooks leave as it is: their own schedule, limits, order, and finer filters. Folded away until
//! somebody wants it, or until something in it is wrong. A webhook that already uses any of it shows it
//! unfolded.

use leptos::prelude::*;
use postern_core::api::event::EventTypeView;
use postern_core::api::page::Page;
use postern_core::fault::Fault;
use reactive_stores::Store;
use wasm_bindgen::JsCast;

use super::model::{self, FormField, WebhookDraft, WebhookDraftStoreFields};
use super::said::Said;
use crate::fetched::Fetched;
use crate::screens::clauses::clause_list;
use crate::screens::schedule;
use crate::ui::field::{Bound, Switch, TextArea, TextField};

/// The part that is folded away. It says so on its fold when something in it is wrong, which could not be
/// seen otherwise.
///
/// The fold follows `is_unfolded` both ways: the form opens it where a fault is in it, and a person by its
/// heading.
#[component]
pub(super) fn Flow(
    /// The form.
    draft: Store<WebhookDraft>,
    /// What is wrong with it.
    said: Said,
    /// Whether the fold is open.
    is_unfolded: RwSignal<bool>,
    /// The catalogue, whose examples a payload condition is tried on.
    types: Fetched<Page<EventTypeView>>,
) -> AnyView {
    let toggle = move |event: web_sys::Event| {
        let details = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlDetailsElement>().ok());
        if let Some(details) = details
            && details.open() != is_unfolded.get_untracked()
        {
            is_unfolded.set(details.open());
        }
    };
    let has_fault = Memo::new(move |_| said.faults().with(|faults| model::has_folded_fault(faults)));
    let mark = move || {
        has_fault
            .get()
            .then(|| view! { <span class="fault">"Something here is not right yet."</span> }.into_any())
    };
    let gone_hint = "410 Gone disables the webhook only if the receiver answers it again ten minutes after \
                     the first time, with no success in between.";
    view! {
        <details class="fold" open=move || is_unfolded.get().then_some("true") on:toggle=toggle>
            <summary>"Schedule, limits and finer filters"{move || mark()}</summary>
            <fieldset class="stack">
                <legend class="for-ear">"Schedule, limits and finer filters"</legend>
                <OwnSchedule draft=draft said=said />
                <Limits draft=draft said=said />
                <Switch
                    label="Keep the order"
                    value=draft.ordered()
                    hint="Events with the same order key go one after the other: while one waits, those behind it wait too."
                />
                <Switch label="Wait for a second 410" value=draft.confirm_gone() hint=gone_hint />
                <TextField
                    label="Event labels"
                    value=draft.event_labels()
                    placeholder="env:prod, tier:gold"
                    hint="key:value, separated by commas. An event must carry all of them."
                    fault=said.fault(FormField::EventLabels)
                    on_leave=said.leave(FormField::EventLabels)
                />
                <Filter draft=draft types=types />
            </fieldset>
        </details>
    }
    .into_any()
}

/// Whether it has a schedule of its own, and that schedule attempt by attempt while it is typed. Switched off
/// and on again, it is still what was typed.
///
/// The waits can be typed while attempts are not repeated at all, and the hint says that they do not count
/// then.
#[component]
fn OwnSchedule(
    /// The form.
    draft: Store<WebhookDraft>,
    /// What is wrong with it.
    said: Said,
) -> AnyView {
    let typed = Memo::new(move |_| draft.waits().with(|waits| schedule::parse(waits)));
    let waits_hint = schedule::hint(typed);
    let waits_fault = Signal::derive(move || said.faults().with(|faults| schedule::fault(faults)));
    let is_own = Memo::new(move |_| draft.own_schedule().get());
    let waits = move || {
        is_own.get().then(|| {
            view! {
                <TextField label="Waits" value=draft.waits() mono=true hint=waits_hint fault=waits_fault />
                {move || typed.get().map(|waits| schedule::timeline(&waits))}
            }
            .into_any()
        })
    };
    let schedule_hint = Signal::derive(move || {
        String::from(if draft.retry().get() {
            "The waits before the second attempt, the third, and so on. Off: the project's."
        } else {
            "Counts only while failed attempts are repeated."
        })
    });
    view! {
        <Switch label="Its own schedule" value=draft.own_schedule() hint=schedule_hint />
        {move || waits()}
    }
    .into_any()
}

/// How fast it may be called, and how often at once. The rate is two fields of one limit: what is wrong with
/// either is said below the first.
#[component]
fn Limits(
    /// The form.
    draft: Store<WebhookDraft>,
    /// What is wrong with it.
    said: Said,
) -> AnyView {
    view! {
        <div class="thirds">
            <TextField
                label="Calls at most"
                value=draft.rate_calls()
                kind="number"
                placeholder="no limit"
                fault=said.fault(FormField::RateLimit)
                on_leave=said.leave(FormField::RateLimit)
            />
            <TextField label="Within seconds" value=draft.rate_per_s() kind="number" placeholder="no limit" />
            <TextField
                label="Calls at once"
                value=draft.concurrency()
                kind="number"
                placeholder="no limit"
                fault=said.fault(FormField::ConcurrencyLimit)
                on_leave=said.leave(FormField::ConcurrencyLimit)
            />
        </div>
    }
    .into_any()
}

/// The payload condition, judged while it is typed and tried on an example.
///
/// One thing that is wrong is said below the field; several are counted there and listed. Faults name their
/// place in the condition in words (`and › 1 › gt`), because nobody counts brackets.
#[component]
fn Filter(
    /// The form.
    draft: Store<WebhookDraft>,
    /// The catalogue.
    types: Fetched<Page<EventTypeView>>,
) -> AnyView {
    let faults = Memo::new(move |_| draft.filter().with(|filter| model::filter_faults(filter)));
    let fault = Signal::derive(move || faults.with(|faults| model::filter_fault(faults)));
    let many = move || {
        let line = |fault: &Fault| view! { <li class="fault">{model::filter_words(fault)}</li> }.into_any();
        faults.with(|faults| {
            (faults.len() > 1)
                .then(|| view! { <ul class="plain">{faults.iter().map(line).collect_view()}</ul> }.into_any())
        })
    };
    let has_filter = Memo::new(move |_| draft.filter().with(|filter| !filter.trim().is_empty()));
    let trial =
        move || has_filter.get().then(|| view! { <FilterTrial draft=draft types=types /> }.into_any());
    let hint = "JSON, such as {\"field\":\"total\",\"gt\":100}; and, or, not join several. Optional: otherwise any data.";
    view! {
        <TextArea label="Payload filter" value=draft.filter() mono=true rows=6 hint=hint fault=fault />
        {move || many()}
        {move || trial()}
    }
    .into_any()
}

/// What the condition says of some data, clause by clause: of an example of the catalogue, until somebody
/// types other data. It is the evaluator of the edge that answers, not a likeness of it.
#[component]
fn FilterTrial(
    /// The form.
    draft: Store<WebhookDraft>,
    /// The catalogue.
    types: Fetched<Page<EventTypeView>>,
) -> AnyView {
    let sample = Memo::new(move |_| {
        let events = draft.events().get();
        types.value.with(|page| page.as_ref().and_then(|page| model::sample(&events, &page.items)))
    });
    let example = Memo::new(move |_| {
        sample.with(|sample| sample.as_ref().map(|(_, example)| example.clone()).unwrap_or_default())
    });
    // What was typed, beside the example of that moment.
    let typed = RwSignal::new(None::<(String, String)>);
    let data = Memo::new(move |_| {
        typed.with(|typed| example.with(|example| model::trial_data(typed.as_ref(), example)))
    });
    let bound = Bound::new(data, move |text| typed.set(Some((text, example.get_untracked()))));
    let explained = Memo::new(move |_| {
        draft.filter().with(|filter| data.with(|data| model::explain_filter(filter, data)))
    });
    let verdict = move || {
        let clause = explained.get()?;
        let said = if clause.holds { "Such an event is wanted." } else { "Such an event is not wanted." };
        Some(view! { <p><b>{said}</b></p>{clause_list(std::slice::from_ref(&clause))} }.into_any())
    };
    let hint = Signal::derive(move || match sample.get() {
        Some((kind, _)) => format!("The example of {kind}; change it to try others"),
        None => String::from("JSON: the data of an event to try the filter on"),
    });
    view! {
        <TextArea label="Try it on" value=bound mono=true rows=4 hint=hint />
        <div role="status" aria-label="What the filter says">{move || verdict()}</div>
    }
    .into_any()
}
