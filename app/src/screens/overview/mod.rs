//! The first screen of a project: how it does, what needs a person, and the steps of the first minute.

mod model;

use crate::dom::{CollectView, IntoView, View, part, text, view};
use crate::state::Memo;
use leptos::prelude::*;
use postern_core::api::live::LiveEvent;

use self::model::{Need, Steps};
use crate::api::use_project;
use crate::fetched::Fetched;
use crate::live::use_live;
use crate::routes::{Area, Query};
use crate::screens::webhooks::calmly;
use crate::shell::{ProjectState, link, live_dot};
use crate::ui::badge::{Tone, badge_of};
use crate::ui::icon::{Icon, glyph};
use crate::ui::loaded::loaded;
use crate::ui::page_head::PageHead;
use crate::ui::skeleton;

/// The screen.
#[component]
pub(crate) fn Overview() -> View {
    let (project, live) = (use_project(), use_live());
    let state: ProjectState = expect_context();
    let name = String::from(project.name().as_str());
    let webhooks = Fetched::new({
        let project = project.clone();
        move || {
            let project = project.clone();
            project.webhooks(&Query::default().with("limit", Some("200")))
        }
    });
    let dead = Fetched::new(move || {
        let project = project.clone();
        project.deliveries(&Query::default().with("state", Some("dead")).with("limit", Some("100")))
    });
    let reload = calmly(move || {
        webhooks.reload();
        dead.reload();
        state.0.reload();
    });
    live.on_change(move |event| match event {
        LiveEvent::Delivery { .. } | LiveEvent::Webhooks | LiveEvent::Many => reload(),
        LiveEvent::Test { .. } | LiveEvent::InboxRequest { .. } => {}
    });
    let content = move || view! { <Content webhooks=webhooks dead=dead state=state /> };
    view! {
        <PageHead title="Overview" about=format!("{name} · updates live")>{live_dot(live)}</PageHead>
        {loaded(webhooks, skeleton::text, content)}
    }
}

#[component]
fn Content(
    webhooks: Fetched<postern_core::api::page::Page<postern_core::api::webhook::WebhookView>>,
    dead: Fetched<postern_core::api::page::Page<postern_core::api::delivery::DeliveryView>>,
    state: ProjectState,
) -> View {
    let needs = Memo::new(move || {
        webhooks.value.with(|webhooks| {
            dead.value.with(|dead| {
                let dead = dead.as_ref().map(|page| page.items.as_slice()).unwrap_or_default();
                webhooks.as_ref().map(|page| model::needs(&page.items, dead)).unwrap_or_default()
            })
        })
    });
    let counts = Memo::new(move || state.0.value.with(|detail| detail.as_ref().map(|detail| detail.counts.clone()).unwrap_or_default()));
    let steps = Memo::new(move || {
        webhooks.value.with(|page| Steps::of(counts.get().inboxes, page.as_ref().map(|page| page.items.as_slice()).unwrap_or_default()))
    });
    let off =
        move || webhooks.value.with(|page| page.as_ref().map_or(0, |page| page.items.iter().filter(|webhook| !webhook.enabled).count()));
    let gave_up =
        Memo::new(move || dead.value.with(|page| page.as_ref().map(|page| (page.items.len(), page.next.is_some())).unwrap_or_default()));
    let figure = |name: &'static str, number: View, about: View, href: String, tone: Memo<bool>| {
        view! {
            <a class="card pad figure" href=href>
                <span class="figure-name">{name}</span>
                <b class="figure-number" class:bad=tone>{number}</b>
                <span class="faint">{about}</span>
            </a>
        }
    };
    let calm = Memo::new(|| false);
    let has_dead = Memo::new(move || gave_up.get().0 > 0);
    let waiting = format!("{}?state=waiting", link(Area::Deliveries));
    let dead_address = format!("{}?state=dead", link(Area::Deliveries));
    let gave_up_words = move || {
        let (number, more) = gave_up.get();
        if more { format!("{number}+") } else { number.to_string() }
    };
    let open = move || counts.get().open;
    let need_row = |need: Need| {
        let href = link(Area::Webhook(need.webhook.clone()));
        view! {
            <li class="need">
                {badge_of(need.tone, &need.state)}
                <div><a class="stretched" data-row="" href=href>{need.webhook}</a><p class="faint">{need.why}</p></div>
                {glyph(Icon::Next)}
            </li>
        }
    };
    let need_list = move || {
        let needs = needs.get();
        if needs.is_empty() {
            return view! { <p class="pad beside">{badge_of(Tone::Good, "All well")}<span class="faint">"Nothing waits for you."</span></p> };
        }
        view! { <ul class="needs">{needs.into_iter().map(need_row).collect_view()}</ul> }
    };
    view! {
        <div class="figures">
            {figure("Webhooks", part(move || counts.get().webhooks), text(move || format!("{} disabled", off())), link(Area::Webhooks), calm)}
            {figure("Under way", part(open), part(move || if open() == 0 { "nothing waits to be sent" } else { "pending, calling or waiting" }), waiting, calm)}
            {figure("Gave up", part(gave_up_words), part(move || if has_dead.get() { "resend what matters" } else { "nothing was given up" }), dead_address, has_dead)}
            {figure("Inboxes", part(move || counts.get().inboxes), "receivers for a first try".into_view(), link(Area::Inboxes), calm)}
        </div>
        <section class="card" aria-labelledby="needs">
            <h2 class="card-head" id="needs">"What needs you"</h2>
            {part(need_list)}
        </section>
        {part(move || (!steps.get().is_done()).then(|| first_minute(steps.get())))}
    }
}

fn first_minute(steps: Steps) -> View {
    let step = |is_done: bool, number: u32, words: &'static str, about: &'static str, href: String| {
        let mark = if is_done { glyph(Icon::Done) } else { number.to_string().into_view() };
        view! {
            <li class="step" class:done=is_done>
                <span class="step-mark" aria-hidden="true">{mark}</span>
                <div>
                    <a class="stretched" data-row="" href=href>{words}</a>
                    {is_done.then(|| view! { <span class="for-ear">" (done)"</span> })}
                    <p class="faint">{about}</p>
                </div>
                {glyph(Icon::Next)}
            </li>
        }
    };
    view! {
        <section class="card" aria-labelledby="first-minute">
            <h2 class="card-head" id="first-minute">"The first minute"</h2>
            <ol class="needs">
                {step(steps.has_inbox, 1, "Make an inbox", "A receiver of our own, so that you see a callback without running one.", link(Area::Inboxes))}
                {step(steps.has_webhook, 2, "Make a webhook", "Say where to call, and for which events.", link(Area::WebhookNew))}
                {step(steps.has_delivery, 3, "Post an event and watch it arrive", "It is signed, sent, and shown live in the inbox.", format!("{}?post=1", link(Area::Events)))}
            </ol>
        </section>
    }
}
