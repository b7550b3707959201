//! The form that posts an event, or says what would happen if it were posted.
//!
//! Both send the same body. What would happen is the answer of a dry run, in which nothing is stored or sent.
//! It is shown as long as nothing else is typed: the answer for another draft says nothing.

use leptos::prelude::*;
use postern_core::api::dry_run::{DryRunAttempt, DryRunView, DryRunWebhook};
use postern_core::fault::Fault;
use reactive_stores::Store;

use super::model::{self, EventDraft, EventDraftStoreFields};
use crate::api::{ApiFailure, use_project};
use crate::browser::clock::offset_min;
use crate::fetched::Fetched;
use crate::screens::attempt::model::{host, request_line};
use crate::screens::clauses::clause_list;
use crate::screens::filters::names_of;
use crate::ui::badge::{Tone, badge_of};
use crate::ui::button::Button;
use crate::ui::code::{code_block, header_lines};
use crate::ui::field::{TextArea, TextField};
use crate::ui::form::{IN_DIALOG, Sending, Submit, fault_when, is_complete, shown_fault};
use crate::ui::notice::refusal;
use crate::ui::toast::use_toasts;
use crate::words;

/// The form. Nothing is said to be wrong before somebody tries to send it, but for data that is not JSON:
/// somebody who types JSON wants to know at once where it breaks.
///
/// An event that was posted before, by its idempotency key, is not stored again, and the message says so.
///
/// The dialog closes once the event was accepted. Refused, it stays with what was typed, and with the edge's
/// reasons.
#[component]
pub(super) fn PostEvent(
    /// Called when an event was accepted.
    done: impl Fn() + Copy + 'static,
) -> AnyView {
    let (project, toasts) = (use_project(), use_toasts());
    let draft = Store::new(EventDraft::default());
    let faults = Memo::new(move |_| draft.with(EventDraft::faults));
    let (is_sent, failure) = (RwSignal::new(false), RwSignal::new(None::<ApiFailure>));
    let (sending, trying) = (Sending::new(), Sending::new());
    // Whether it can be sent; says what is wrong if not.
    let is_ready = move || {
        is_sent.set(true);
        failure.set(None);
        is_complete(faults, IN_DIALOG)
    };
    let api = StoredValue::new_local(project);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if !is_ready() {
            return;
        }
        let body = draft.with_untracked(EventDraft::body);
        sending.send(api.with_value(|api| api.post_event(&body)), move |answer| match answer {
            Ok(accepted) => {
                toasts.say(model::accepted_words(&accepted));
                done();
            }
            Err(refused) => failure.set(Some(refused)),
        });
    };
    // What would happen, and to what: the answer for another draft says nothing.
    let tried = RwSignal::new(None::<(EventDraft, DryRunView)>);
    let try_out = move |()| {
        if !is_ready() {
            return;
        }
        let of = draft.get_untracked();
        trying.send(api.with_value(|api| api.dry_run(&of.body())), move |answer| match answer {
            Ok(result) => tried.set(Some((of, result))),
            Err(refused) => failure.set(Some(refused)),
        });
    };
    let result = Memo::new(move |_| {
        tried.with(|tried| {
            tried.as_ref().filter(|(of, _)| draft.with(|draft| draft == of)).map(|(_, result)| result.clone())
        })
    });
    view! {
        <form on:submit=submit novalidate=true>
            <EventFields draft=draft faults=faults is_sent=is_sent />
            {refusal(failure)}
            <div class="dialog-foot">
                <Submit label="Post event" sending=sending />
                <Button label="What would happen?" disabled=trying.busy() on_press=try_out />
            </div>
            <div role="status" aria-label="What would happen">{move || result.get().map(|result| result_view(&result))}</div>
        </form>
    }
    .into_any()
}

/// What is posted, and how it is told apart, kept in order and filtered by. Most events need only the first
/// two fields; the others say what leaving them empty means.
#[component]
fn EventFields(
    /// The form.
    draft: Store<EventDraft>,
    /// What is wrong with it.
    faults: Memo<Vec<Fault>>,
    /// Whether somebody tried to send it: only then it is said what is wrong, but for data that is not JSON.
    is_sent: RwSignal<bool>,
) -> AnyView {
    let fault = move |field: &'static str| fault_when(faults, field, move || is_sent.get());
    view! {
        <KindAndData draft=draft kind_fault=fault("type") data_fault=shown_fault(faults, "data") />
        <div class="thirds">
            <TextField label="Object type" value=draft.object_type() placeholder="none" fault=fault("object") />
            <TextField label="Object name" value=draft.object_name() placeholder="none" />
            <TextField label="Object version" value=draft.object_version() placeholder="any" />
        </div>
        <TextField
            label="Labels"
            value=draft.labels()
            placeholder="env:prod, tier:gold"
            hint="key:value, separated by commas. Webhooks may filter by them"
            fault=fault("labels")
        />
        <div class="halves">
            <TextField
                label="Idempotency key"
                value=draft.key()
                mono=true
                hint="Optional. Two events with one key are one event."
                fault=fault("idempotency_key")
            />
            <TextField
                label="Order key"
                value=draft.order_key()
                mono=true
                hint="Ordered webhooks get events with one key one after the other"
                fault=fault("order_key")
            />
        </div>
    }
    .into_any()
}

/// The type, with those of the catalogue as suggestions, and the data. When the type is left, its example
/// from the catalogue becomes the data, unless somebody has typed data already.
#[component]
fn KindAndData(
    /// The form.
    draft: Store<EventDraft>,
    /// What is wrong with the type.
    kind_fault: Signal<Option<String>>,
    /// What is wrong with the data.
    data_fault: Signal<Option<String>>,
) -> AnyView {
    let project = use_project();
    let types = Fetched::new(move || project.event_types());
    let names = names_of(types);
    let fill = move |()| {
        let kind = draft.kind().get_untracked();
        if let Some(example) =
            types.value.with_untracked(|types| model::example_of(types.as_ref(), kind.trim()))
        {
            draft.update(|draft| draft.fill(&example));
        }
    };
    view! {
        <TextField
            label="Event type"
            value=draft.kind()
            mono=true
            first=true
            suggestions=names
            placeholder="order.paid"
            fault=kind_fault
            on_leave=fill
        />
        <TextArea label="Data" value=draft.data() mono=true rows=6 hint="JSON, sent exactly as it stands here" fault=data_fault />
    }
    .into_any()
}

/// What a dry run said, in one line and webhook by webhook: those that would get the event first, because
/// that is what somebody who posts an event wants to know.
///
/// It is announced as a whole when it comes (`role="status"` around it), so the line that sums it up comes
/// first.
fn result_view(result: &DryRunView) -> AnyView {
    let (first, then): (Vec<&DryRunWebhook>, Vec<&DryRunWebhook>) =
        result.webhooks.iter().partition(|webhook| webhook.delivers);
    view! {
        <p><b>{model::outcome_words(&result.webhooks)}</b>" Nothing was stored or sent."</p>
        <ul class="outcomes">{first.into_iter().chain(then).map(webhook_view).collect_view()}</ul>
    }
    .into_any()
}

/// What would become of the event at one webhook, folded: which of its filters hold, the exact request with
/// its signature, and when each attempt would come if all before it failed at once.
///
/// "Disabled" stands for a webhook whose filters fit, but which is called for nothing now. Everything in it
/// is what the edge answered; the page decides nothing.
fn webhook_view(webhook: &DryRunWebhook) -> AnyView {
    let (tone, word) = match (webhook.delivers, webhook.matched) {
        (true, _) => (Tone::Good, "Gets it"),
        (false, true) => (Tone::Busy, "Disabled"),
        (false, false) => (Tone::Idle, "Skipped"),
    };
    let request = webhook.request.as_ref().map(|request| {
        let first = format!("{}  {}", request_line(&request.url), host(&request.url));
        view! { {header_lines(first, request.headers.clone())}{code_block("Body", request.body.clone())} }
            .into_any()
    });
    let attempt = |at: &DryRunAttempt| {
        view! { <li><b>{format!("Attempt {}", at.attempt)}</b>" "{words::date_time(at.at, offset_min(at.at))}</li> }.into_any()
    };
    let timeline = (!webhook.timeline.is_empty()).then(|| {
        view! {
            <p class="hint">"Attempts, if each fails at once"</p>
            <ol class="timeline" aria-label="Attempts">{webhook.timeline.iter().map(attempt).collect_view()}</ol>
        }
        .into_any()
    });
    view! {
        <li>
            <details class="fold">
                <summary>{badge_of(tone, word)}<b class="break">{webhook.webhook.clone()}</b></summary>
                <div class="stack">
                    {clause_list(&webhook.reasons)}
                    {request}
                    {timeline}
                </div>
            </details>
        </li>
    }
    .into_any()
}
