//! One webhook: its facts, a test that is watched live, and its latest deliveries.
//!
//! It is loaded again whenever a webhook of the project changes and, not too often, when one of its
//! deliveries does: they decide how it does. What is typed in the test panel stays meanwhile.

pub(crate) mod model;
mod secret;
mod test_panel;

pub(crate) use test_panel::watch;

use leptos::prelude::*;
use postern_core::api::live::ChangeKind;
use postern_core::api::webhook::{HeaderView, WebhookView};
use postern_core::condition::Condition;
use postern_core::credential::HIDDEN;
use postern_core::time::Timestamp;
use serde_json::{Value, json};

use self::secret::SecretRow;
use self::test_panel::TestPanel;
use crate::api::use_project;
use crate::browser::clock::{offset_min, use_clock};
use crate::fetched::{Fetched, when};
use crate::live::{calmly, use_live};
use crate::nav::use_nav;
use crate::project::{ProjectState, link};
use crate::routes::{Area, Place, Query};
use crate::screens::clauses::condition_list;
use crate::screens::webhooks::{event_codes, model as list_model};
use crate::screens::{deliveries, replays, schedule};
use crate::ui::badge::badge;
use crate::ui::button::{Button, LinkButton, Look};
use crate::ui::copy::copy_button;
use crate::ui::form::Sending;
use crate::ui::icon::Icon;
use crate::ui::live_dot::live_dot;
use crate::ui::loaded::loaded;
use crate::ui::notice::notice;
use crate::ui::page_head::PageHead;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::skeleton;
use crate::ui::strip::strip;
use crate::ui::toast::use_toasts;
use crate::words;

/// The screen. E leads to the form, P pauses or resumes, T sends a test.
///
/// The buttons appear with the webhook, and P with them: before that nobody knows whether it is paused or
/// enabled.
#[component]
pub(crate) fn Webhook(
    /// The webhook's name.
    name: String,
) -> AnyView {
    let (project, live) = (use_project(), use_live());
    let webhook = Fetched::new({
        let (project, name) = (project.clone(), name.clone());
        move || project.webhook(&name)
    });
    live.on_change(move |change| {
        if matches!(change.kind(), ChangeKind::Webhooks | ChangeKind::Many) {
            webhook.reload();
        }
    });
    let (edit, above) = (link(Area::WebhookEdit(name.clone())), link(Area::Webhooks));
    let state = badge(move || {
        webhook.value.with(|webhook| webhook.as_ref().map(list_model::standing).unwrap_or_default())
    });
    let content = {
        let name = name.clone();
        move || view! { <Content webhook=webhook name=name.clone() /> }.into_any()
    };
    use_shortcut("E", "Edit this webhook", {
        let (nav, place) =
            (use_nav(), Place::Project(project.name().clone(), Area::WebhookEdit(name.clone())));
        move || nav.go(&place)
    });
    let is_there = Memo::new(move |_| webhook.value.with(Option::is_some));
    let actions = {
        let name = name.clone();
        move || {
            is_there
                .get()
                .then(|| view! { <Actions webhook=webhook name=name.clone() edit=edit.clone() /> }.into_any())
        }
    };
    view! {
        <PageHead title=name above=("Webhooks", above)>
            {state}
            {live_dot(live)}
            {actions}
        </PageHead>
        {loaded(webhook, skeleton::text, content)}
    }
    .into_any()
}

/// The value of the address that says since when a webhook, enabled again, missed events.
const MISSED: &str = "missed";

/// Edit, pause or resume, enable or disable, delete. The words on the buttons follow the webhook, no matter
/// who changed it.
#[component]
fn Actions(
    /// The webhook.
    webhook: Fetched<WebhookView>,
    /// Its name.
    name: String,
    /// The address of its form.
    edit: String,
) -> AnyView {
    let is_enabled = Memo::new(move |_| {
        webhook.value.with(|webhook| webhook.as_ref().is_some_and(|webhook| webhook.enabled))
    });
    let is_paused = Memo::new(move |_| {
        webhook.value.with(|webhook| webhook.as_ref().is_some_and(|webhook| webhook.paused))
    });
    let switch_label =
        Signal::derive(move || String::from(if is_enabled.get() { "Disable" } else { "Enable" }));
    let (pause, switch) = (pausing(webhook, name.clone()), switching(webhook, name.clone()));
    let id = webhook
        .value
        .with_untracked(|webhook| webhook.as_ref().map(|webhook| webhook.id.clone()))
        .unwrap_or_default();
    let delete = deleting(id, name);
    use_shortcut("P", "Pause or resume this webhook", move || pause.run(()));
    let pause_button = move || {
        let (label, icon) = if is_paused.get() { ("Resume", Icon::Resume) } else { ("Pause", Icon::Pause) };
        view! { <Button label=label icon=icon shortcut="P" on_press=pause /> }.into_any()
    };
    view! {
        <LinkButton label="Edit" href=edit icon=Icon::Edit shortcut="E" />
        {move || pause_button()}
        <Button label=switch_label on_press=switch />
        <Button label="Delete" look=Look::Danger icon=Icon::Delete on_press=delete />
    }
    .into_any()
}

/// Pauses the webhook, or resumes it. While it is paused it takes events; what it would be called for waits.
/// That is the difference to a disabled one, which events pass by.
fn pausing(webhook: Fetched<WebhookView>, name: String) -> UnsyncCallback<()> {
    let (project, toasts, sending) = (use_project(), use_toasts(), Sending::new());
    UnsyncCallback::new(move |()| {
        let is_paused =
            webhook.value.with_untracked(|webhook| webhook.as_ref().is_some_and(|webhook| webhook.paused));
        let shown = name.clone();
        let load = if is_paused { project.resume_webhook(&name) } else { project.pause_webhook(&name) };
        sending.send(load, move |answer| match answer {
            Ok(changed) => {
                let words = if changed.paused {
                    "paused: it takes events, and its deliveries wait"
                } else {
                    "resumed"
                };
                toasts.say(format!("{shown} {words}"));
                webhook.value.set(Some(changed));
            }
            Err(failure) => toasts.complain(failure.to_string()),
        });
    })
}

/// Enables the webhook, or disables it. Enabled again, it shows the way to what it missed ([`Missed`]).
///
/// The change names the version that it was made from (`update_webhook`), so that a change by somebody else
/// in between is refused and shown, not overwritten. When it is refused, the webhook is loaded again and the
/// words on the button are right again.
fn switching(webhook: Fetched<WebhookView>, name: String) -> UnsyncCallback<()> {
    let (project, toasts, nav) = (use_project(), use_toasts(), use_nav());
    UnsyncCallback::new(move |()| {
        let known = webhook.value.with_untracked(|webhook| {
            webhook.as_ref().map(|webhook| (webhook.version, webhook.enabled, webhook.health.disabled_at))
        });
        let Some((version, enabled, disabled_at)) = known else { return };
        let shown = name.clone();
        when(project.update_webhook(&name, version, &json!({ "enabled": !enabled })), move |answer| {
            match answer {
                Ok(changed) => {
                    toasts.say(if changed.enabled {
                        format!("{shown} enabled")
                    } else {
                        format!("{shown} disabled: events pass it by")
                    });
                    let missed = disabled_at
                        .filter(|_| changed.enabled && !webhook.value.is_disposed())
                        .map(Timestamp::to_rfc3339);
                    nav.filter(MISSED, missed.as_deref());
                    webhook.value.set(Some(changed));
                }
                Err(failure) => {
                    toasts.complain(failure.to_string());
                    webhook.reload();
                }
            }
        });
    })
}

/// Leaves the screen and deletes the webhook, unless that is taken back, which leads back to it. `id` is what
/// lists hide it by.
///
/// The webhook is deleted once the time to take it back is over (`ui::toast`); until then lists hide it. If
/// the edge refuses, it comes back into the lists and the reason is said.
fn deleting(id: String, name: String) -> UnsyncCallback<()> {
    let (project, toasts, nav) = (use_project(), use_toasts(), use_nav());
    UnsyncCallback::new(move |()| {
        let place = |area| Place::Project(project.name().clone(), area);
        let (back, here) = (place(Area::Webhooks), place(Area::Webhook(name.clone())));
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
    })
}

/// What there is to see of the webhook, once it is loaded.
///
/// The notice about its health stands above everything, because it says what to do. The facts are drawn anew
/// with each load; the test panel is not, so that what was typed there stays.
#[component]
fn Content(
    /// The webhook.
    webhook: Fetched<WebhookView>,
    /// Its name.
    name: String,
) -> AnyView {
    let (clock, state) = (use_clock(), expect_context::<ProjectState>());
    let health = Memo::new(move |_| {
        webhook.value.with(|webhook| {
            webhook.as_ref().and_then(|webhook| list_model::health_words(webhook, clock.now()))
        })
    });
    let health_notice = move || health.get().map(|(tone, headline, advice)| notice(tone, headline, advice));
    let facts = move || webhook.value.with(|webhook| webhook.as_ref().map(|webhook| facts(webhook, state)));
    view! {
        {move || health_notice()}
        <Missed webhook=webhook name=name.clone() />
        <div class="split">
            <div class="stack">
                <section class="card" aria-labelledby="facts">
                    <h2 class="card-head" id="facts">"Facts"</h2>
                    {move || facts()}
                    <SecretRow webhook=webhook name=name.clone() />
                </section>
            </div>
            <TestPanel webhook=webhook name=name.clone() />
        </div>
        <Latest webhook=webhook name=name />
    }
    .into_any()
}

/// The latest deliveries, kept up to date, and the ways to send more. Tests are not deliveries, so they are
/// not among them.
///
/// A delivery that changes is put into the list from the message itself; only the webhook's own health is
/// asked for again, and not for each message.
#[component]
fn Latest(
    /// The webhook, which is loaded again when its deliveries change: they decide how it does.
    webhook: Fetched<WebhookView>,
    /// Its name.
    name: String,
) -> AnyView {
    let query = Query::default().with("webhook", Some(&name));
    let latest = deliveries::list_of({
        let query = query.clone();
        move || query.clone()
    });
    let reload = calmly(move || webhook.reload());
    use_live().on_change({
        let query = query.clone();
        move |change| {
            if let Some(delivery) =
                change.delivery().filter(|delivery| deliveries::model::fits(&query, delivery))
            {
                deliveries::take_in(latest, query.clone(), &delivery);
                reload();
            } else if change.kind() == ChangeKind::Many {
                latest.reload();
            }
        }
    });
    let is_empty =
        Memo::new(move |_| latest.value.with(|page| page.as_ref().is_none_or(|page| page.items.is_empty())));
    let list = move || {
        if is_empty.get() {
            view! { <p class="pad about">"No event has matched this webhook yet. Tests are not listed here."</p> }.into_any()
        } else {
            deliveries::rows(latest, None)
        }
    };
    let replay = replays::address(replays::Kind::Ended, &query);
    let (post, all) =
        (format!("{}?post=1", link(Area::Events)), format!("{}{}", link(Area::Deliveries), query.text()));
    view! {
        <section class="card" aria-labelledby="latest">
            <div class="card-head">
                <h2 id="latest">"Latest deliveries"</h2>
                <span class="page-actions">
                    <LinkButton label="Replay…" href=replay icon=Icon::Again look=Look::Quiet />
                    <LinkButton label="Post an event" href=post icon=Icon::Send look=Look::Quiet />
                    <LinkButton label="All deliveries" href=all look=Look::Quiet />
                </span>
            </div>
            {loaded(latest, skeleton::rows, move || list.into_any())}
        </section>
    }
    .into_any()
}

/// After a webhook was enabled again: the way to what it missed. Since when stands in the address, so that a
/// reload does not lose it; once it is not needed any more, it is taken out of there.
#[component]
fn Missed(
    /// The webhook.
    webhook: Fetched<WebhookView>,
    /// Its name.
    name: String,
) -> AnyView {
    let nav = use_nav();
    let missed = Memo::new(move |_| {
        let is_enabled =
            webhook.value.with(|webhook| webhook.as_ref().is_some_and(|webhook| webhook.enabled));
        nav.value(MISSED).and_then(|since| Timestamp::parse_rfc3339(&since)).filter(|_| is_enabled)
    });
    (move || {
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
            .into_any()
        })
    })
    .into_any()
}

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
fn facts(webhook: &WebhookView, state: ProjectState) -> AnyView {
    let clock = use_clock();
    let object = list_model::object_words(&webhook.object);
    let limits = list_model::limit_words(webhook);
    let (health, created) = (&webhook.health, webhook.created_at);
    let latest = view! {
        <span class="with-strip">
            {strip(list_model::STRIP_LENGTH, &list_model::strip_tones(health), list_model::strip_summary(health))}
            <span>{list_model::success_words(health)}</span>
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
