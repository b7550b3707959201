//! The first screen of a project: how it does, what needs a person, and the steps of the first minute.

mod model;
mod stats;

use std::time::Duration;

use crate::dom::{CollectView, IntoView, View, flag, hears, part, text, truth, view};
use crate::state::{Memo, RwSignal};
use leptos::prelude::*;
use postern_core::api::delivery::DeliveryView;
use postern_core::api::live::LiveEvent;
use postern_core::api::page::Page;
use postern_core::api::stats::{StatsBucket, StatsView, WebhookStats};
use postern_core::api::webhook::WebhookView;
use wasm_bindgen::JsCast;

use self::model::{Need, Steps};
use self::stats::Range;
use crate::api::use_project;
use crate::browser::clock::{now, offset_min};
use crate::fetched::Fetched;
use crate::live::use_live;
use crate::nav::use_nav;
use crate::routes::{Area, Query};
use crate::screens::deliveries::model::UNDER_WAY;
use crate::screens::webhooks::{at_most_every, calmly};
use crate::shell::{ProjectState, link, live_dot};
use crate::ui::badge::{Tone, badge_of};
use crate::ui::chart::chart;
use crate::ui::icon::{Icon, glyph};
use crate::ui::loaded::loaded;
use crate::ui::page_head::PageHead;
use crate::ui::skeleton;
use crate::words;

/// How often the numbers may be loaded again while deliveries keep changing.
const NUMBERS_EVERY: Duration = Duration::from_secs(10);
/// Webhooks with failures that are listed.
const WORST_MAX: usize = 5;

/// The screen.
#[component]
pub(crate) fn Overview() -> View {
    let (project, live, nav) = (use_project(), use_live(), use_nav());
    let state: ProjectState = expect_context();
    let name = String::from(project.name().as_str());
    let webhooks = Fetched::new({
        let project = project.clone();
        move || project.webhooks(&Query::default().with("limit", Some("200")))
    });
    let dead = Fetched::new({
        let project = project.clone();
        move || project.deliveries(&Query::default().with("state", Some("dead")).with("limit", Some("100")))
    });
    let range = Memo::new(move || Range::of(nav.value("range").as_deref()));
    let numbers = Fetched::new(move || project.stats(&range.get().query(now())));
    let reload = calmly(move || {
        webhooks.reload();
        dead.reload();
        state.0.reload();
    });
    let count_again = at_most_every(NUMBERS_EVERY, move || numbers.reload());
    live.on_change(move |event| match event {
        LiveEvent::Delivery { .. } => {
            reload();
            count_again();
        }
        LiveEvent::Webhooks => reload(),
        LiveEvent::Many => {
            reload();
            numbers.reload();
        }
        LiveEvent::Test { .. } | LiveEvent::InboxRequest { .. } | LiveEvent::Replay { .. } | LiveEvent::Run { .. } => {}
    });
    let content = move || view! { <Content webhooks=webhooks dead=dead numbers=numbers range=range state=state /> };
    view! {
        <PageHead title="Overview" about=format!("{name} · updates live")>{live_dot(live)}</PageHead>
        {loaded(webhooks, skeleton::text, content)}
    }
}

/// What stands in the place of a number that is not known: it loads, or could not be loaded.
const UNKNOWN: &str = "–";

#[component]
fn Content(
    webhooks: Fetched<Page<WebhookView>>,
    dead: Fetched<Page<DeliveryView>>,
    numbers: Fetched<StatsView>,
    range: Memo<Range>,
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
    let counts = Memo::new(move || state.0.value.with(|detail| detail.as_ref().map(|detail| detail.counts.clone())));
    // Only what is known can be left to do.
    let steps = Memo::new(move || {
        let inboxes = counts.get()?.inboxes;
        webhooks.value.with(|page| page.as_ref().map(|page| Steps::of(inboxes, &page.items)))
    });
    let gave_up = Memo::new(move || dead.value.with(|page| page.as_ref().map(|page| (page.items.len(), page.next.is_some()))));
    let totals = Memo::new(move || numbers.value.with(|stats| stats.as_ref().map(|stats| stats.totals.counts.clone())));
    let known = |number: Option<String>| number.unwrap_or_else(|| String::from(UNKNOWN));
    let success = move || known(totals.with(|totals| totals.as_ref().map(stats::success)));
    let attempts = move || {
        totals.with(|totals| match totals.as_ref().map(|totals| totals.attempts) {
            None => String::new(),
            Some(0) => format!("no attempts in {}", range.get().label()),
            Some(1) => format!("of 1 attempt in {}", range.get().label()),
            Some(attempts) => format!("of {} attempts in {}", words::number(attempts), range.get().label()),
        })
    };
    let latency = move || {
        known(totals.with(|totals| {
            totals.as_ref().map(|totals| match (totals.p50_ms, totals.p95_ms) {
                (None, None) => String::from("—"),
                (p50, p95) => format!("{} / {}", stats::latency(p50), stats::latency(p95)),
            })
        }))
    };
    let open = move || counts.with(|counts| counts.as_ref().map(|counts| counts.open));
    let under_way = move || known(open().map(|open| words::number(u64::from(open))));
    let under_way_words = move || match open() {
        None => "",
        Some(0) => "nothing waits to be sent",
        Some(_) => "pending, calling or waiting",
    };
    let gave_up_words = move || known(gave_up.get().map(|(number, more)| if more { format!("{number}+") } else { number.to_string() }));
    let has_dead = Memo::new(move || gave_up.get().is_some_and(|(number, _)| number > 0));
    let gave_up_about = move || match gave_up.get() {
        None => "",
        Some((0, _)) => "nothing was given up",
        Some(_) => "resend what matters",
    };
    let calm = Memo::new(|| false);
    let deliveries = link(Area::Deliveries);
    let (waiting, given_up) = (format!("{deliveries}?state={UNDER_WAY}"), format!("{deliveries}?state=dead"));
    let figure = |name: &'static str, number: View, about: View, href: String, tone: Memo<bool>| {
        view! {
            <a class="card pad figure" href=href>
                <span class="figure-name">{name}</span>
                <b class="figure-number" class:bad=tone>{number}</b>
                <span class="faint">{about}</span>
            </a>
        }
    };
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
            {figure("Success", text(success), text(attempts), deliveries.clone(), calm)}
            {figure("Latency p50 / p95", text(latency), "until the answer was read".into_view(), deliveries, calm)}
            {figure("Under way", text(under_way), part(under_way_words), waiting, calm)}
            {figure("Gave up", text(gave_up_words), part(gave_up_about), given_up, has_dead)}
        </div>
        <div class="split">
            <OverTime numbers=numbers range=range />
            <section class="card" aria-labelledby="needs">
                <h2 class="card-head" id="needs">"What needs you"</h2>
                {part(need_list)}
            </section>
        </div>
        <Worst numbers=numbers range=range />
        {part(move || steps.get().filter(|steps| !steps.is_done()).map(first_minute))}
    }
}

/// Success and latency over time: a picture, and the same as a table.
#[component]
fn OverTime(numbers: Fetched<StatsView>, range: Memo<Range>) -> View {
    let nav = use_nav();
    let chip = move |of: Range| {
        let is_on = move || range.get() == of;
        view! {
            <button type="button" class="chip" class:on=flag(is_on) aria-pressed=truth(is_on) on:click=hears(move |_| nav.filter("range", of.key()))>
                {of.label()}
            </button>
        }
    };
    let shown = Memo::new(move || numbers.value.get());
    let is_table_open = RwSignal::new(false);
    let content = move || {
        let stats = shown.get()?;
        // Not the range of the buttons: that of the answer, which may still be the one before.
        let range = range_of(&stats);
        let moment = move |at| range.moment(at, offset_min);
        let (plots, ticks, summary) = (stats::plots(&stats.buckets), stats::ticks(&stats.buckets, moment), stats::summary(&stats, range));
        let buckets = stats.buckets.clone();
        let readout = move |pointed: Option<usize>| match pointed.and_then(|at| buckets.get(at)) {
            Some(bucket) => format!("{}: {}", moment(bucket.at), stats::bucket_words(&bucket.counts)),
            None => String::from("Point at a moment to read its numbers."),
        };
        let table = move || is_table_open.get().then(|| table(&stats.buckets, range));
        Some(view! {
            {chart(summary, plots, ticks, readout)}
            <details class="fold" on:toggle=hears(move |event: web_sys::Event| is_table_open.set(is_open(&event)))>
                <summary>"The numbers as a table"</summary>
                {part(table)}
            </details>
        })
    };
    view! {
        <section class="card" aria-labelledby="over-time">
            <div class="card-head">
                <h2 id="over-time">"Success and latency"</h2>
                <div class="chips" role="group" aria-label="Time">{Range::ALL.into_iter().map(chip).collect_view()}</div>
            </div>
            {loaded(numbers, skeleton::plain_text, move || part(content))}
        </section>
    }
}

/// The range that an answer is of, by its buckets.
fn range_of(stats: &StatsView) -> Range {
    let width = match stats.buckets.as_slice() {
        [first, second, ..] => second.at.ms_since(first.at),
        _ => 0,
    };
    match stats.buckets.len() {
        _ if width > Range::Day.bucket().ms() => Range::Month,
        0..=26 => Range::Day,
        _ => Range::Week,
    }
}

/// Whether the details that an event is of are open.
fn is_open(event: &web_sys::Event) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlDetailsElement>().ok());
    target.is_some_and(|details| details.open())
}

fn table(buckets: &[StatsBucket], range: Range) -> View {
    let row = |bucket: &StatsBucket| {
        let counts = &bucket.counts;
        view! {
            <tr>
                <th scope="row">{range.moment(bucket.at, offset_min)}</th>
                <td class="number">{words::number(counts.attempts)}</td>
                <td class="number">{words::number(counts.failed)}</td>
                <td class="number">{stats::success(counts)}</td>
                <td class="number">{stats::latency(counts.p50_ms)}</td>
                <td class="number">{stats::latency(counts.p95_ms)}</td>
            </tr>
        }
    };
    view! {
        <div class="scroll" tabindex="0" role="group" aria-label="The numbers">
            <table class="list numbers">
                <thead>
                    <tr>
                        <th scope="col">"From"</th>
                        <th scope="col" class="number">"Attempts"</th>
                        <th scope="col" class="number">"Failed"</th>
                        <th scope="col" class="number">"Success"</th>
                        <th scope="col" class="number">"p50"</th>
                        <th scope="col" class="number">"p95"</th>
                    </tr>
                </thead>
                <tbody>{buckets.iter().rev().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
}

/// The webhooks with the most failures; nothing where none failed.
#[component]
fn Worst(numbers: Fetched<StatsView>, range: Memo<Range>) -> View {
    let worst = Memo::new(move || {
        numbers.value.with(|stats| {
            let webhooks = stats.as_ref().map(|stats| stats.webhooks.as_slice()).unwrap_or_default();
            webhooks.iter().filter(|webhook| webhook.counts.failed > 0).take(WORST_MAX).cloned().collect::<Vec<_>>()
        })
    });
    let row = |webhook: WebhookStats| {
        let counts = &webhook.counts;
        let failed = format!("{} of {} attempts failed", words::number(counts.failed), words::number(counts.attempts));
        let about = format!("{} success, p95 {}", stats::success(counts), stats::latency(counts.p95_ms));
        let name = match webhook.webhook {
            Some(name) => view! { <a class="stretched" data-row="" href=link(Area::Webhook(name.clone()))>{name}</a> },
            None => view! { <span class="faint">"(deleted webhook)"</span> },
        };
        view! { <li class="need worst"><span>{failed}</span><div>{name}<p class="faint">{about}</p></div>{glyph(Icon::Next)}</li> }
    };
    part(move || {
        let worst = worst.get();
        (!worst.is_empty()).then(|| {
            view! {
                <section class="card" aria-labelledby="worst">
                    <div class="card-head"><h2 id="worst">"Most failures"</h2><span class="faint">{range.get().label()}</span></div>
                    <ul class="needs">{worst.into_iter().map(row).collect_view()}</ul>
                </section>
            }
        })
    })
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
