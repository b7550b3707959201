//! The form that posts an event, or says what would happen if it were posted.

use leptos::prelude::*;
use postern_core::api::dry_run::{DryRunView, DryRunWebhook};

use super::model::{self, EventDraft};
use crate::api::{ApiFailure, use_project};
use crate::browser::clock::offset_min;
use crate::dom::{CollectView, View, hears, part, view};
use crate::fetched::Fetched;
use crate::json;
use crate::screens::attempt::model::request_line;
use crate::screens::clauses::clause_list;
use crate::state::{Memo, RwSignal, Signal};
use crate::ui::badge::{Tone, badge_of};
use crate::ui::button::Button;
use crate::ui::code::{code_block, header_lines};
use crate::ui::field::{TextArea, TextField};
use crate::ui::form::{IN_DIALOG, Sending, Submit, fault_when, is_complete, shown_fault};
use crate::ui::notice::refusal;
use crate::ui::toast::use_toasts;
use crate::words;

/// The form.
#[component]
pub(super) fn PostEvent(
    /// Called when an event was accepted.
    done: impl Fn() + Copy + 'static,
) -> View {
    let (project, toasts) = (use_project(), use_toasts());
    let [kind, data, key, order_key, labels] = ["", "{}", "", "", ""].map(|text| RwSignal::new(String::from(text)));
    let object = [(); 3].map(|()| RwSignal::new(String::new()));
    let draft = Memo::new(move || EventDraft {
        kind: kind.get(),
        data: data.get(),
        object: object.map(RwSignal::get),
        key: key.get(),
        order_key: order_key.get(),
        labels: labels.get(),
    });
    let faults = Memo::new(move || draft.with(EventDraft::faults));
    let is_sent = RwSignal::new(false);
    let fault = move |field: &'static str| fault_when(faults, field, move || is_sent.get());
    let data_fault = shown_fault(faults, "data");
    let failure = RwSignal::new(None::<ApiFailure>);
    let (sending, trying) = (Sending::new(), Sending::new());
    let types = Fetched::new({
        let project = project.clone();
        move || project.event_types()
    });
    let names = Signal::derive(move || {
        types
            .value
            .with(|page| page.as_ref().map(|page| page.items.iter().map(|item| item.name.clone()).collect::<Vec<_>>()).unwrap_or_default())
    });
    let fill = move || {
        let example = kind.with_untracked(|kind| types.value.with_untracked(|types| model::example_of(types.as_ref(), kind.trim())));
        if let Some(example) = example
            && data.with_untracked(|data| data.trim() == "{}" || data.trim().is_empty())
        {
            data.set(json::pretty(&example.to_string()).unwrap_or_default());
        }
    };
    // Whether it can be sent; says what is wrong where it can't.
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
                let where_to = words::count(accepted.deliveries, "webhook", "webhooks");
                toasts.say(if accepted.duplicate {
                    String::from("Known already: nothing new was stored")
                } else {
                    format!("Accepted: it goes to {where_to}")
                });
                done();
            }
            Err(refused) => failure.set(Some(refused)),
        });
    };
    // What would happen, and to what: the answer for another draft says nothing.
    let tried = RwSignal::new(None::<(EventDraft, DryRunView)>);
    let try_out = move || {
        if !is_ready() {
            return;
        }
        let of = draft.get_untracked();
        trying.send(api.with_value(|api| api.dry_run(&of.body())), move |answer| match answer {
            Ok(result) => tried.set(Some((of, result))),
            Err(refused) => failure.set(Some(refused)),
        });
    };
    let result = Memo::new(move || {
        tried.with(|tried| tried.as_ref().filter(|(of, _)| draft.with(|draft| draft == of)).map(|(_, result)| result.clone()))
    });
    let [object_type, object_name, object_version] = object;
    view! {
        <form on:submit=hears(submit) novalidate=true>
            <TextField label="Event type" value=kind mono=true first=true suggestions=names placeholder="order.paid" fault=fault("type") on_leave=move |()| fill() />
            <TextArea label="Data" value=data mono=true rows=6 hint="JSON, sent exactly as it stands here" fault=data_fault />
            <div class="thirds">
                <TextField label="Object type" value=object_type placeholder="none" fault=fault("object") />
                <TextField label="Object name" value=object_name placeholder="none" />
                <TextField label="Object version" value=object_version placeholder="any" />
            </div>
            <TextField label="Labels" value=labels placeholder="env:prod, tier:gold" hint="key:value, separated by commas. Webhooks may filter by them" fault=fault("labels") />
            <div class="halves">
                <TextField label="Idempotency key" value=key mono=true hint="Two events with one key are one event. Empty: none" fault=fault("idempotency_key") />
                <TextField label="Order key" value=order_key mono=true hint="Ordered webhooks get events with one key one after the other" fault=fault("order_key") />
            </div>
            {refusal(failure)}
            <div class="dialog-foot">
                <Submit label="Post event" sending=sending />
                <Button label="What would happen?" disabled=trying.busy() on_press=move |()| try_out() />
            </div>
            <div role="status" aria-label="What would happen">{part(move || result.get().map(|result| result_view(&result)))}</div>
        </form>
    }
}

/// What a dry run said: webhooks that would get the event first.
fn result_view(result: &DryRunView) -> View {
    let number = |fits: fn(&DryRunWebhook) -> bool| {
        u32::try_from(result.webhooks.iter().filter(|webhook| fits(webhook)).count()).unwrap_or(u32::MAX)
    };
    let (gets, skipped) = (number(|webhook| webhook.delivers), number(|webhook| !webhook.delivers));
    let headline = match (gets, skipped) {
        (0, 0) => String::from("There is no webhook yet: the event would be kept, and sent to nobody."),
        (0, _) => String::from("No webhook would get it. It would be kept."),
        (_, 0) => format!("{} would get it.", words::count(gets, "webhook", "webhooks")),
        _ => format!("{} would get it, {skipped} would not.", words::count(gets, "webhook", "webhooks")),
    };
    let (first, then): (Vec<&DryRunWebhook>, Vec<&DryRunWebhook>) = result.webhooks.iter().partition(|webhook| webhook.delivers);
    view! {
        <p><b>{headline}</b>" Nothing was stored or sent."</p>
        <ul class="outcomes">{first.into_iter().chain(then).map(webhook_view).collect_view()}</ul>
    }
}

fn webhook_view(webhook: &DryRunWebhook) -> View {
    let (tone, word) = match (webhook.delivers, webhook.matched) {
        (true, _) => (Tone::Good, "Gets it"),
        (false, true) => (Tone::Busy, "Disabled"),
        (false, false) => (Tone::Idle, "Skipped"),
    };
    let request = webhook.request.as_ref().map(|request| {
        let first = format!("{}  {}", request_line(&request.url), crate::screens::attempt::model::host(&request.url));
        view! { {header_lines(first, request.headers.clone())}{code_block("Body", request.body.clone())} }
    });
    let attempt = |at: &postern_core::api::dry_run::DryRunAttempt| {
        view! { <li><b>{format!("Attempt {}", at.attempt)}</b>" "{words::date_time(at.at, offset_min(at.at))}</li> }
    };
    let timeline = (!webhook.timeline.is_empty()).then(|| {
        view! {
            <p class="hint">"Attempts, if each fails at once"</p>
            <ol class="timeline" aria-label="Attempts">{webhook.timeline.iter().map(attempt).collect_view()}</ol>
        }
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
}
