//! What is known of it.

use leptos::prelude::*;
use postern_core::api::webhook::{HeaderView, WebhookView};
use postern_core::condition::Condition;
use postern_core::credential::HIDDEN;
use serde_json::Value;

use crate::browser::clock::{offset_min, use_clock};
use crate::project::{ProjectState, link};
use crate::routes::{Area, Query};
use crate::screens::clauses::condition_list;
use crate::screens::schedule;
use crate::screens::webhooks::{event_codes, model as list_model};
use crate::ui::copy::copy_button;
use crate::ui::strip::strip;
use crate::words;

/// One fact: its name, and what it is for this webhook.
fn fact(name: &'static str, content: AnyView) -> AnyView {
    view! { <div><dt>{name}</dt><dd>{content}</dd></div> }.into_any()
}

/// One fact that is a text.
fn text_fact(name: &'static str, text: String) -> AnyView {
    fact(name, text.into_any())
}

/// Everything that is known of a webhook. What most webhooks do not have stands here only if this one has it,
/// so that the list is as short as the webhook is simple.
///
/// How many attempts there are follows the project's settings, which may change while this is shown; the
/// clock moves "last call". Everything else changes only with another load.
pub(super) fn facts(webhook: &WebhookView, state: ProjectState) -> AnyView {
    let clock = use_clock();
    let object = list_model::object_words(&webhook.object);
    let limits = list_model::limit_words(webhook);
    let (health, created) = (&webhook.health, webhook.created_at);
    let latest = view! {
        <span class="with-strip">
            {strip(list_model::STRIP_LENGTH, &list_model::strip_tones(health), list_model::strip_summary(health))}
            <span>{list_model::delivered_words(health)}</span>
        </span>
    };
    let last = health.latest_at;
    let last_call = move || last.map_or_else(|| String::from("never"), |at| words::ago(clock.now(), at));
    let (retries, own) = (webhook.retry, webhook.retry_schedule_s.clone());
    let attempts = move || {
        if !retries {
            return String::from(schedule::ONE_ATTEMPT);
        }
        let projects = state
            .0
            .value
            .with(|detail| detail.as_ref().and_then(|detail| detail.settings.retry_schedule_s.clone()));
        schedule::of_webhook(own.as_deref(), projects.as_deref())
    };
    view! {
        <dl class="facts">
            {(!webhook.description.is_empty()).then(|| text_fact("What for", webhook.description.clone()))}
            {webhook.disabled_reason.clone().map(|reason| text_fact("Disabled because", reason))}
            {fact("URL", url_with_copy(webhook.url.clone()))}
            {fact("Events", event_codes(&webhook.events))}
            {(!object.is_empty()).then(|| text_fact("Object", object))}
            {text_fact("Contract", String::from(webhook.contract.as_str()))}
            {fact("Latest", latest.into_any())}
            {fact("Last call", view! { <span>{move || last_call()}</span> }.into_any())}
            {fact("Attempts", view! { <span>{move || attempts()}</span> }.into_any())}
            {(!limits.is_empty()).then(|| text_fact("Limits", limits.join(" · ")))}
            {event_labels(webhook)}
            {payload_filter(webhook)}
            {text_fact("Timeout", format!("{} s an attempt", webhook.timeout_s))}
            {headers(webhook)}
            {labels(webhook)}
            {text_fact("Created", format!("{}, version {}", words::date_time(created, offset_min(created)), webhook.version))}
        </dl>
    }
    .into_any()
}

/// The URL with a button that copies it.
fn url_with_copy(url: String) -> AnyView {
    let shown = url.clone();
    view! { <span class="with-copy"><span class="mono break">{shown}</span>{copy_button("URL", move || url.clone())}</span> }.into_any()
}

/// The labels that an event must carry.
fn event_labels(webhook: &WebhookView) -> Option<AnyView> {
    let label =
        |(key, value): (&String, &String)| view! { <code>{format!("{key}: {value}")}</code> }.into_any();
    let labels = webhook.event_labels.iter().map(label).collect_view();
    (!webhook.event_labels.is_empty())
        .then(|| fact("Event labels", view! { <span class="codes">{labels}</span> }.into_any()))
}

/// What its payload condition asks for.
///
/// The condition is explained by the same code that matches events, so the page says what the edge does. A
/// condition that this page cannot read, because the edge is newer, is not shown.
fn payload_filter(webhook: &WebhookView) -> Option<AnyView> {
    let condition = Condition::parse(webhook.filter.as_ref()?, "").ok()?;
    // Of an event without data: only its words are of interest.
    let words = condition_list(&condition.explain(&Value::Null));
    Some(fact("Payload filter", view! { <div class="clauses">{words}</div> }.into_any()))
}

/// Its extra headers; a protected value is not known here.
fn headers(webhook: &WebhookView) -> Option<AnyView> {
    let line = |header: &HeaderView| {
        let value = header.value.clone().unwrap_or_else(|| format!("{HIDDEN} (protected)"));
        view! { <li class="mono clip">{format!("{}: {value}", header.key)}</li> }.into_any()
    };
    let lines = webhook.headers.iter().map(line).collect_view();
    (!webhook.headers.is_empty())
        .then(|| fact("Headers", view! { <ul class="plain">{lines}</ul> }.into_any()))
}

/// Its labels, each a link to the webhooks that carry it too.
fn labels(webhook: &WebhookView) -> Option<AnyView> {
    let label = |(key, value): (&String, &String)| {
        let filter = Query::default().with("label", Some(&format!("{key}:{value}")));
        let href = format!("{}{}", link(Area::Webhooks), filter.text());
        view! { <a class="chip" href=href>{format!("{key}: {value}")}</a> }.into_any()
    };
    let labels = webhook.labels.iter().map(label).collect_view();
    (!webhook.labels.is_empty())
        .then(|| fact("Labels", view! { <span class="chips">{labels}</span> }.into_any()))
}
