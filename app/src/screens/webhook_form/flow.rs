//! What most webhooks leave as it is: their own schedule, limits, order, and finer filters. Folded away until somebody wants it.

use leptos::prelude::*;
use postern_core::fault::Fault;
use wasm_bindgen::JsCast;

use super::model;
use crate::dom::{CollectView, View, hears, only_if, part, view};
use crate::screens::clauses::clause_list;
use crate::screens::schedule;
use crate::state::{Memo, RwSignal, Signal};
use crate::ui::field::{Switch, TextArea, TextField};

/// The fields.
#[derive(Clone, Copy)]
pub(super) struct FlowFields {
    /// Whether it has a schedule of its own.
    pub(super) own_schedule: RwSignal<bool>,
    /// That schedule.
    pub(super) waits: RwSignal<String>,
    /// Calls and seconds.
    pub(super) rate: [RwSignal<String>; 2],
    /// Calls at once.
    pub(super) concurrency: RwSignal<String>,
    /// Whether keys are kept in order.
    pub(super) ordered: RwSignal<bool>,
    pub(super) confirm_gone: RwSignal<bool>,
    /// Labels that an event must carry.
    pub(super) event_labels: RwSignal<String>,
    /// The payload condition.
    pub(super) filter: RwSignal<String>,
}

/// The part of the form.
#[component]
pub(super) fn Flow<L: Fn(()) + 'static>(
    /// The fields.
    fields: FlowFields,
    /// What is wrong with the whole form.
    faults: Memo<Vec<Fault>>,
    /// What is wrong with a field, once it is to be said.
    fault: impl Fn(&'static str) -> Signal<Option<String>> + Copy + 'static,
    /// Called when a field was left.
    leave: impl Fn(&'static str) -> L + Copy + 'static,
    /// Whether it is open.
    is_unfolded: RwSignal<bool>,
    /// Whether failed attempts are repeated at all.
    retry: RwSignal<bool>,
    /// An event type with an example of its data.
    sample: Memo<Option<(String, String)>>,
) -> View {
    let typed = Memo::new(move || fields.waits.with(|waits| schedule::parse(waits)));
    let waits_hint = Signal::derive(move || {
        typed.get().map_or_else(|| String::from("Such as 5 s, 5 min, 2 h, 1 d"), |waits| format!("Now: {}", schedule::summary(&waits)))
    });
    let waits_fault = Signal::derive(move || faults.with(|faults| schedule::fault(faults)));
    let own = move || {
        fields.own_schedule.get().then(|| {
            view! {
                <TextField label="Waits" value=fields.waits mono=true hint=waits_hint fault=waits_fault />
                {part(move || typed.get().map(|waits| schedule::timeline(&waits)))}
            }
        })
    };
    let schedule_hint = Signal::derive(move || {
        String::from(if retry.get() {
            "The waits before the second attempt, the third, and so on. Off: the project's."
        } else {
            "Counts only while failed attempts are repeated."
        })
    });
    let [calls, per_s] = fields.rate;
    let toggle = move |event: web_sys::Event| {
        let details = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlDetailsElement>().ok());
        if let Some(details) = details
            && details.open() != is_unfolded.get_untracked()
        {
            is_unfolded.set(details.open());
        }
    };
    // A fault in what is folded away would not be seen.
    let has_fault = Memo::new(move || faults.with(|faults| model::has_folded_fault(faults)));
    let mark = move || has_fault.get().then(|| view! { <span class="fault">"Something here is not right yet."</span> });
    view! {
        <details class="fold" open=only_if(move || is_unfolded.get()) on:toggle=hears(toggle)>
            <summary>"Schedule, limits and finer filters"{part(mark)}</summary>
            <fieldset class="stack">
                <legend class="for-ear">"Schedule, limits and finer filters"</legend>
                <Switch label="Its own schedule" value=fields.own_schedule hint=schedule_hint />
                {part(own)}
                <div class="thirds">
                    <TextField label="Calls at most" value=calls kind="number" placeholder="no limit" fault=fault("rate_limit") on_leave=leave("rate_limit") />
                    <TextField label="Within seconds" value=per_s kind="number" placeholder="no limit" />
                    <TextField label="Calls at once" value=fields.concurrency kind="number" placeholder="no limit" fault=fault("concurrency_limit") on_leave=leave("concurrency_limit") />
                </div>
                <Switch label="Keep the order" value=fields.ordered hint="Events with the same order key go one after the other: while one waits, those behind it wait too." />
                <Switch label="Wait for a second 410" value=fields.confirm_gone hint="410 Gone disables the webhook only where the receiver answers it again ten minutes after the first time, with no success in between." />
                <TextField label="Event labels" value=fields.event_labels placeholder="env:prod, tier:gold" hint="key:value, separated by commas. An event must carry all of them." fault=fault("event_labels") on_leave=leave("event_labels") />
                <Filter filter=fields.filter sample=sample />
            </fieldset>
        </details>
    }
}

/// The payload condition, judged while it is typed and tried on an example.
#[component]
fn Filter(filter: RwSignal<String>, sample: Memo<Option<(String, String)>>) -> View {
    let faults = Memo::new(move || filter.with(|filter| model::filter_faults(filter)));
    let fault = Signal::derive(move || {
        faults.with(|faults| match faults.as_slice() {
            [] => None,
            [only] => Some(format!("{} {}.", model::filter_place(&only.pointer), only.detail)),
            many => Some(format!("{} things are not right yet.", many.len())),
        })
    });
    let many = move || {
        faults.with(|faults| {
            let line =
                |fault: &Fault| view! { <li class="fault">{format!("{} {}.", model::filter_place(&fault.pointer), fault.detail)}</li> };
            (faults.len() > 1).then(|| view! { <ul class="plain">{faults.iter().map(line).collect_view()}</ul> })
        })
    };
    // What it is tried on; the catalogue's example until somebody types another.
    let typed = RwSignal::new(None::<String>);
    let data = RwSignal::new(String::new());
    crate::fetched::effect(move || {
        let example = sample.get().map(|(_, example)| example);
        if typed.with_untracked(Option::is_none) && data.with_untracked(|data| Some(data) != example.as_ref()) {
            data.set(example.unwrap_or_default());
        }
    });
    crate::fetched::effect(move || {
        let example = sample.with_untracked(|sample| sample.as_ref().map(|(_, example)| example.clone())).unwrap_or_default();
        let now = data.get();
        typed.set(Some(now).filter(|now| *now != example && !now.is_empty()));
    });
    let explained = Memo::new(move || filter.with(|filter| data.with(|data| model::explain_filter(filter, data))));
    let verdict = move || {
        let clause = explained.get()?;
        let said = if clause.holds { "Such an event is wanted." } else { "Such an event is not wanted." };
        Some(view! { <p><b>{said}</b></p>{clause_list(std::slice::from_ref(&clause))} })
    };
    let has_filter = Memo::new(move || filter.with(|filter| !filter.trim().is_empty()));
    let sample_hint = Signal::derive(move || match sample.get() {
        Some((kind, _)) => format!("The example of {kind}; change it to try others"),
        None => String::from("JSON: the data of an event to try the filter on"),
    });
    let trial = move || {
        has_filter.get().then(|| {
            view! {
                <TextArea label="Try it on" value=data mono=true rows=4 hint=sample_hint />
                <div role="status" aria-label="What the filter says">{part(verdict)}</div>
            }
        })
    };
    view! {
        <TextArea label="Payload filter" value=filter mono=true rows=6 hint="JSON, such as {\"field\":\"total\",\"gt\":100}. Empty: any data. and, or, not join several." fault=fault />
        {part(many)}
        {part(trial)}
    }
}
