//! One webhook: its facts, a test that is watched live, and its latest deliveries.

pub(crate) mod model;
mod secret;
mod test_panel;

pub(crate) use test_panel::watch;

use crate::dom::{CollectView, IntoView, View, part, view};
use crate::state::{Memo, Signal};
use leptos::prelude::*;
use postern_core::api::live::LiveEvent;
use postern_core::api::webhook::WebhookView;
use postern_core::condition::Condition;
use postern_core::time::Timestamp;
use serde_json::{Value, json};

use self::secret::SecretRow;
use self::test_panel::TestPanel;
use crate::api::{ProjectApi, use_project};
use crate::browser::clock::{offset_min, use_clock};
use crate::fetched::Fetched;
use crate::fetched::{spawn, when};
use crate::live::use_live;
use crate::nav::{Nav, use_nav};
use crate::routes::{Area, Place, Query};
use crate::screens::clauses::condition_list;
use crate::screens::deliveries;
use crate::screens::replays;
use crate::screens::schedule;
use crate::screens::webhooks::event_codes;
use crate::screens::webhooks::model as list_model;
use crate::shell::{ProjectState, link, live_dot};
use crate::ui::badge::badge;
use crate::ui::button::{Button, LinkButton, Look};
use crate::ui::copy::copy_button;
use crate::ui::form::Sending;
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::notice::notice;
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

/// The value of the address that says since when a webhook, enabled again, missed events.
const MISSED: &str = "missed";

/// Edit, pause or resume, enable or disable, delete.
#[component]
fn Actions(webhook: Fetched<WebhookView>, name: String, edit: String) -> View {
    let (project, nav, toasts) = (use_project(), use_nav(), use_toasts());
    let is_enabled = Memo::new(move || webhook.value.with(|webhook| webhook.as_ref().is_some_and(|webhook| webhook.enabled)));
    let switch_label = Signal::derive(move || String::from(if is_enabled.get() { "Disable" } else { "Enable" }));
    let switch = {
        let (project, name) = (project.clone(), name.clone());
        move || switch_enabled(project.clone(), name.clone(), webhook, toasts, nav)
    };
    let is_paused = Memo::new(move || webhook.value.with(|webhook| webhook.as_ref().is_some_and(|webhook| webhook.paused)));
    let pause = {
        let (project, name, sending) = (project.clone(), name.clone(), Sending::new());
        move || {
            let shown = name.clone();
            sending.send(project.pause_webhook(&name, !is_paused.get_untracked()), move |answer| match answer {
                Ok(changed) => {
                    let words = if changed.paused { "paused: it takes events, and its deliveries wait" } else { "resumed" };
                    toasts.say(format!("{shown} {words}"));
                    webhook.value.set(Some(changed));
                }
                Err(failure) => toasts.complain(failure.to_string()),
            });
        }
    };
    let pause = StoredValue::new_local(pause);
    let press_pause = move || pause.with_value(|pause| pause());
    use_shortcut("P", "Pause or resume this webhook", press_pause);
    let pause_button = move || {
        if is_paused.get() {
            view! { <Button label="Resume" icon=Icon::Resume shortcut="P" on_press=move |()| press_pause() /> }
        } else {
            view! { <Button label="Pause" icon=Icon::Pause shortcut="P" on_press=move |()| press_pause() /> }
        }
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
        {part(pause_button)}
        <Button label=switch_label on_press=move |()| switch() />
        <Button label="Delete" look=Look::Danger icon=Icon::Delete on_press=move |()| delete() />
    }
}

fn switch_enabled(project: ProjectApi, name: String, webhook: Fetched<WebhookView>, toasts: Toasts, nav: Nav) {
    let known = webhook
        .value
        .with_untracked(|webhook| webhook.as_ref().map(|webhook| (webhook.version, webhook.enabled, webhook.health.disabled_at)));
    let Some((version, enabled, disabled_at)) = known else {
        return;
    };
    spawn(async move {
        match project.update_webhook(&name, version, &json!({ "enabled": !enabled })).await {
            Ok(changed) => {
                toasts.say(if changed.enabled { format!("{name} enabled") } else { format!("{name} disabled: events pass it by") });
                let missed = disabled_at.filter(|_| changed.enabled && !webhook.value.is_disposed()).map(Timestamp::to_rfc3339);
                nav.filter(MISSED, missed.as_deref());
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
            LiveEvent::Delivery { .. }
            | LiveEvent::Webhooks
            | LiveEvent::Test { .. }
            | LiveEvent::InboxRequest { .. }
            | LiveEvent::Replay { .. }
            | LiveEvent::Run { .. } => {}
        }
    });
    let all = format!("{}{}", link(Area::Deliveries), query.text());
    let is_empty = Memo::new(move || latest.value.with(|page| page.as_ref().is_none_or(|page| page.items.is_empty())));
    let list = move || {
        if is_empty.get() {
            view! { <p class="pad about">"No event has matched this webhook yet. Tests are not listed here."</p> }
        } else {
            deliveries::rows(latest, None)
        }
    };
    let post = format!("{}?post=1", link(Area::Events));
    let clock = use_clock();
    let state: ProjectState = expect_context();
    let standing = Memo::new(move || {
        webhook.value.with(|webhook| webhook.as_ref().and_then(|webhook| list_model::health_words(webhook, clock.now())))
    });
    let replay = replays::address(replays::Kind::Ended, &query);
    view! {
        {part(move || standing.get().map(|(tone, headline, advice)| notice(tone, headline, advice)))}
        <Missed webhook=webhook name=name.clone() />
        <div class="split">
            <div class="stack">
                <section class="card" aria-labelledby="facts">
                    <h2 class="card-head" id="facts">"Facts"</h2>
                    {part(move || webhook.value.with(|webhook| webhook.as_ref().map(|webhook| facts(webhook, state))))}
                    <SecretRow webhook=webhook name=name.clone() />
                </section>
            </div>
            <TestPanel webhook=webhook name=name />
        </div>
        <section class="card" aria-labelledby="latest">
            <div class="card-head">
                <h2 id="latest">"Latest deliveries"</h2>
                <span class="page-actions">
                    <LinkButton label="Replay…" href=replay icon=Icon::Again look=Look::Quiet />
                    <LinkButton label="Post an event" href=post icon=Icon::Send look=Look::Quiet />
                    <LinkButton label="All deliveries" href=all look=Look::Quiet />
                </span>
            </div>
            {loaded(latest, skeleton::rows, move || part(list))}
        </section>
    }
}

/// After a webhook was enabled again: the way to what it missed.
#[component]
fn Missed(webhook: Fetched<WebhookView>, name: String) -> View {
    let nav = use_nav();
    let missed = Memo::new(move || {
        let is_enabled = webhook.value.with(|webhook| webhook.as_ref().is_some_and(|webhook| webhook.enabled));
        nav.value(MISSED).and_then(|since| Timestamp::parse_rfc3339(&since)).filter(|_| is_enabled)
    });
    let content = move || {
        missed.get().map(|since| {
            let query = Query::default().with("webhook", Some(&name)).with("since", Some(&since.to_rfc3339()));
            let href = replays::address(replays::Kind::Missing, &query);
            view! {
                <div class="notice busy" role="status">
                    <p class="headline">{format!("It had been disabled since {}", words::date_time(since, offset_min(since)))}</p>
                    <p>"Events that it wants may have passed it by meanwhile."</p>
                    <div class="page-actions">
                        <LinkButton label="Recover what it missed…" href=href icon=Icon::Again look=Look::Primary />
                        <Button label="Not needed" on_press=move |()| nav.filter(MISSED, None) />
                    </div>
                </div>
            }
        })
    };
    part(content)
}

fn facts(webhook: &WebhookView, state: ProjectState) -> View {
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
    let (retries, own) = (webhook.retry, webhook.retry_schedule_s.clone());
    let attempts = move || {
        let projects = state.0.value.with(|detail| detail.as_ref().and_then(|detail| detail.settings.retry_schedule_s.clone()));
        schedule::of_webhook(retries, own.as_deref(), projects.as_deref())
    };
    let limits = list_model::limit_words(webhook);
    let event_labels = webhook.event_labels.iter().map(|(key, value)| view! { <code>{format!("{key}: {value}")}</code> });
    // Of an event without data: only its words are of interest.
    let filter = webhook.filter.as_ref().and_then(|filter| Condition::parse(filter, "").ok()).map(|filter| filter.explain(&Value::Null));
    let filter = filter.map(|filter| row("Payload filter", view! { <div class="clauses">{condition_list(&filter)}</div> }));
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
                <span>{list_model::success_words(health)}</span></span>
            })}
            {row("Last call", view! { <span>{part(move || last.map_or_else(|| String::from("never"), |at| words::ago(clock.now(), at)))}</span> })}
            {row("Attempts", view! { <span>{part(attempts)}</span> })}
            {(!limits.is_empty()).then(|| row("Limits", text(limits.join(" · "))))}
            {(!webhook.event_labels.is_empty()).then(|| row("Event labels", view! { <span class="codes">{event_labels.collect_view()}</span> }))}
            {filter}
            {row("Timeout", text(format!("{} s an attempt", webhook.timeout_s)))}
            {(!webhook.headers.is_empty()).then(|| row("Headers", view! { <ul class="plain">{webhook.headers.iter().map(header).collect_view()}</ul> }))}
            {(!webhook.labels.is_empty()).then(|| row("Labels", view! { <span class="chips">{labels.collect_view()}</span> }))}
            {row("Created", text(format!("{}, version {}", words::date_time(created, offset_min(created)), webhook.version)))}
        </dl>
    }
}
