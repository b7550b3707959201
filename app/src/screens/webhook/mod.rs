//! One webhook: its facts, a test that is watched live, and its latest deliveries.

pub(crate) mod model;
mod test_panel;

pub(crate) use test_panel::watch;

use crate::dom::{CollectView, IntoView, View, part, view};
use crate::state::{Memo, RwSignal, Signal};
use leptos::prelude::*;
use postern_core::api::live::LiveEvent;
use postern_core::api::webhook::WebhookView;
use serde_json::json;

use self::test_panel::TestPanel;
use crate::api::{ProjectApi, use_project};
use crate::browser::clock::{offset_min, use_clock};
use crate::fetched::Fetched;
use crate::fetched::{spawn, when};
use crate::live::use_live;
use crate::nav::use_nav;
use crate::routes::{Area, Place, Query};
use crate::screens::deliveries;
use crate::screens::webhooks::event_codes;
use crate::screens::webhooks::model as list_model;
use crate::shell::{link, live_dot};
use crate::ui::badge::badge;
use crate::ui::button::{Button, LinkButton, Look};
use crate::ui::copy::copy_button;
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::page_head::PageHead;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::skeleton;
use crate::ui::strip::strip;
use crate::ui::toast::{Toasts, use_toasts};
use crate::words;

/// The screen.
#[component]
pub(crate) fn Webhook(
    /// The webhook's name.
    name: String,
) -> View {
    let (project, live) = (use_project(), use_live());
    let webhook = Fetched::new({
        let (project, name) = (project.clone(), name.clone());
        move || {
            let (project, name) = (project.clone(), name.clone());
            project.webhook(&name)
        }
    });
    live.on_change(move |event| {
        if matches!(event, LiveEvent::Webhooks | LiveEvent::Many) {
            webhook.reload();
        }
    });
    let (edit, above) = (link(Area::WebhookEdit(name.clone())), link(Area::Webhooks));
    let state = badge(move || webhook.value.with(|webhook| webhook.as_ref().map(list_model::standing).unwrap_or_default()));
    let content = {
        let name = name.clone();
        move || view! { <Content webhook=webhook name=name.clone() /> }
    };
    use_shortcut("E", "Edit this webhook", {
        let (nav, place) = (use_nav(), Place::Project(project.name().clone(), Area::WebhookEdit(name.clone())));
        move || nav.go(&place)
    });
    let is_there = Memo::new(move || webhook.value.with(Option::is_some));
    let actions = {
        let name = name.clone();
        move || is_there.get().then(|| view! { <Actions webhook=webhook name=name.clone() edit=edit.clone() /> })
    };
    view! {
        <PageHead title=name above=("Webhooks", above)>
            {state}
            {live_dot(live)}
            {part(actions)}
        </PageHead>
        {loaded(webhook, skeleton::text, content)}
    }
}

/// Edit, enable or disable, delete.
#[component]
fn Actions(webhook: Fetched<WebhookView>, name: String, edit: String) -> View {
    let (project, nav, toasts) = (use_project(), use_nav(), use_toasts());
    let is_enabled = Memo::new(move || webhook.value.with(|webhook| webhook.as_ref().is_some_and(|webhook| webhook.enabled)));
    let switch_label = Signal::derive(move || String::from(if is_enabled.get() { "Disable" } else { "Enable" }));
    let switch = {
        let (project, name) = (project.clone(), name.clone());
        move || switch_enabled(project.clone(), name.clone(), webhook, toasts)
    };
    let id = webhook.value.with_untracked(|webhook| webhook.as_ref().map(|webhook| webhook.id.clone())).unwrap_or_default();
    let delete = move || {
        let (back, here) =
            (Place::Project(project.name().clone(), Area::Webhooks), Place::Project(project.name().clone(), Area::Webhook(name.clone())));
        let (api, doomed, subject) = (project.clone(), name.clone(), id.clone());
        nav.go(&back);
        toasts.undoable(
            format!("{name} deleted"),
            id.clone(),
            move || {
                when(api.delete_webhook(&doomed), move |answer| {
                    if let Err(failure) = answer {
                        toasts.bring_back(&subject);
                        toasts.complain(format!("{doomed} was not deleted. {failure}"));
                    }
                });
            },
            move || nav.go(&here),
        );
    };
    view! {
        <LinkButton label="Edit" href=edit icon=Icon::Edit shortcut="E" />
        <Button label=switch_label on_press=move |()| switch() />
        <Button label="Delete" look=Look::Danger icon=Icon::Delete on_press=move |()| delete() />
    }
}

fn switch_enabled(project: ProjectApi, name: String, webhook: Fetched<WebhookView>, toasts: Toasts) {
    let Some((version, enabled)) =
        webhook.value.with_untracked(|webhook| webhook.as_ref().map(|webhook| (webhook.version, webhook.enabled)))
    else {
        return;
    };
    spawn(async move {
        match project.update_webhook(&name, version, &json!({ "enabled": !enabled })).await {
            Ok(changed) => {
                toasts.say(if changed.enabled { format!("{name} enabled") } else { format!("{name} disabled: events pass it by") });
                webhook.value.set(Some(changed));
            }
            Err(failure) => {
                toasts.complain(failure.to_string());
                webhook.reload();
            }
        }
    });
}

#[component]
fn Content(webhook: Fetched<WebhookView>, name: String) -> View {
    let live = use_live();
    let query = Query::default().with("webhook", Some(&name));
    let latest = deliveries::list_of({
        let query = query.clone();
        move || query.clone()
    });
    let reload = crate::screens::webhooks::calmly(move || webhook.reload());
    live.on_change({
        let query = query.clone();
        move |event| match event {
            LiveEvent::Delivery { delivery } if deliveries::model::fits(&query, delivery) => {
                deliveries::take_in(latest, query.clone(), delivery);
                reload();
            }
            LiveEvent::Many => latest.reload(),
            LiveEvent::Delivery { .. } | LiveEvent::Webhooks | LiveEvent::Test { .. } | LiveEvent::InboxRequest { .. } => {}
        }
    });
    let all = format!("{}{}", link(Area::Deliveries), query.text());
    let is_empty = Memo::new(move || latest.value.with(|page| page.as_ref().is_none_or(|page| page.items.is_empty())));
    let list = move || {
        if is_empty.get() {
            view! { <p class="pad about">"No event has matched this webhook yet. Tests are not listed here."</p> }
        } else {
            deliveries::rows(latest, false)
        }
    };
    let post = format!("{}?post=1", link(Area::Events));
    view! {
        <div class="split">
            <div class="stack">
                <section class="card" aria-labelledby="facts">
                    <h2 class="card-head" id="facts">"Facts"</h2>
                    {part(move || webhook.value.with(|webhook| webhook.as_ref().map(facts)))}
                    <SecretRow webhook=webhook name=name.clone() />
                </section>
            </div>
            <TestPanel webhook=webhook name=name />
        </div>
        <section class="card" aria-labelledby="latest">
            <div class="card-head">
                <h2 id="latest">"Latest deliveries"</h2>
                <span class="page-actions">
                    <LinkButton label="Post an event" href=post icon=Icon::Send look=Look::Quiet />
                    <LinkButton label="All deliveries" href=all look=Look::Quiet />
                </span>
            </div>
            {loaded(latest, skeleton::rows, move || part(list))}
        </section>
    }
}

fn facts(webhook: &WebhookView) -> View {
    let clock = use_clock();
    let url = webhook.url.clone();
    let object = list_model::object_words(&webhook.object);
    let row = |name: &'static str, content: View| view! { <div><dt>{name}</dt><dd>{content}</dd></div> };
    let text = |text: String| text.into_view();
    let header = |header: &postern_core::api::webhook::HeaderView| {
        let value = header.value.clone().unwrap_or_else(|| format!("{} (protected)", postern_core::contract::HIDDEN));
        view! { <li class="mono clip">{format!("{}: {value}", header.key)}</li> }
    };
    let labels = webhook.labels.iter().map(|(key, value)| {
        let filter = Query::default().with("label", Some(&format!("{key}:{value}")));
        view! { <a class="chip" href=format!("{}{}", link(Area::Webhooks), filter.text())>{format!("{key}: {value}")}</a> }
    });
    let (health, created) = (&webhook.health, webhook.created_at);
    let last = health.latest_at;
    view! {
        <dl class="facts">
            {(!webhook.description.is_empty()).then(|| row("What for", text(webhook.description.clone())))}
            {webhook.disabled_reason.clone().map(|reason| row("Disabled because", text(reason)))}
            {row("URL", view! { <span class="with-copy"><span class="mono break">{webhook.url.clone()}</span>{copy_button("URL", move || url.clone())}</span> })}
            {row("Events", event_codes(&webhook.events))}
            {(!object.is_empty()).then(|| row("Object", text(object)))}
            {row("Contract", text(String::from(webhook.contract.as_str())))}
            {row("Latest", view! {
                <span class="with-strip">{strip(list_model::STRIP_LENGTH, &list_model::strip_tones(health), list_model::strip_summary(health))}
                <span>{format!("{} success", list_model::success(health))}</span></span>
            })}
            {row("Last call", view! { <span>{part(move || last.map_or_else(|| String::from("never"), |at| words::ago(clock.now(), at)))}</span> })}
            {row("Attempts", text(String::from(if webhook.retry { "up to ten, in about three days" } else { "one" })))}
            {row("Timeout", text(format!("{} s an attempt", webhook.timeout_s)))}
            {(!webhook.headers.is_empty()).then(|| row("Headers", view! { <ul class="plain">{webhook.headers.iter().map(header).collect_view()}</ul> }))}
            {(!webhook.labels.is_empty()).then(|| row("Labels", view! { <span class="chips">{labels.collect_view()}</span> }))}
            {row("Created", text(format!("{}, version {}", words::date_time(created, offset_min(created)), webhook.version)))}
        </dl>
    }
}

/// The signing secret, asked for only when somebody wants to see it.
#[component]
fn SecretRow(webhook: Fetched<WebhookView>, name: String) -> View {
    let (project, toasts) = (use_project(), use_toasts());
    let shown = RwSignal::new(None::<String>);
    let is_signed = Memo::new(move || webhook.value.with(|webhook| webhook.as_ref().is_some_and(|webhook| webhook.signed)));
    let reveal = move || {
        let (project, name) = (project.clone(), name.clone());
        when(project.webhook_secret(&name), move |answer| match answer {
            Ok(view) => shown.set(view.secret),
            Err(failure) => toasts.complain(failure.to_string()),
        });
    };
    let reveal = StoredValue::new_local(reveal);
    let content = move || match (is_signed.get(), shown.get()) {
        (false, _) => view! { <span>"Callbacks are not signed"</span> },
        (true, None) => {
            view! { <Button label="Reveal secret" icon=Icon::Reveal on_press=move |()| reveal.with_value(|reveal| reveal()) /> }
        }
        (true, Some(secret)) => {
            let copied = secret.clone();
            view! {
                <span class="with-copy"><code class="break">{secret}</code>{copy_button("Secret", move || copied.clone())}</span>
                <Button label="Hide" on_press=move |()| shown.set(None) />
            }
        }
    };
    view! { <dl class="facts last"><div><dt>"Signing secret"</dt><dd>{part(content)}</dd></div></dl> }
}
