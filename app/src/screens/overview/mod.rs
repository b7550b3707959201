//! The first screen of a project: how it does, what needs a person, and the steps of the first minute.
//!
//! Four things are loaded beside each other: the webhooks, the deliveries that were given up, the statistics
//! of a range, and the counts of the project. Only the webhooks are waited for. A number that is not there
//! yet is a dash, never a nought, because nobody should think that all is well while nothing is known.
//!
//! The live feed has them loaded again, but not once for each delivery: the lists calmly, the statistics
//! every ten seconds.

mod model;
mod stats;

use std::time::Duration;

use leptos::prelude::*;
use postern_core::api::delivery::DeliveryView;
use postern_core::api::live::ChangeKind;
use postern_core::api::page::Page;
use postern_core::api::stats::{StatsBucket, StatsView, WebhookStats};
use postern_core::api::webhook::WebhookView;
use wasm_bindgen::JsCast;

use self::model::{Need, Steps};
use self::stats::Range;
use crate::api::use_project;
use crate::browser::clock::{now, offset_min};
use crate::fetched::Fetched;
use crate::live::{at_most_every, calmly, use_live};
use crate::nav::use_nav;
use crate::project::{ProjectState, link};
use crate::quota;
use crate::routes::{Area, Query};
use crate::screens::deliveries::model::UNDER_WAY;
use crate::ui::badge::{Tone, badge_of};
use crate::ui::chart::chart;
use crate::ui::filter_chip::toggle_chip;
use crate::ui::icon::{Icon, glyph};
use crate::ui::live_dot::live_dot;
use crate::ui::loaded::loaded;
use crate::ui::notice::notice;
use crate::ui::page_head::PageHead;
use crate::ui::rows::Extent;
use crate::ui::skeleton;
use crate::words;

/// How often the numbers may be loaded again while deliveries keep changing.
const NUMBERS_EVERY: Duration = Duration::from_secs(10);
/// Webhooks with failures that are listed.
const WORST_MAX: usize = 5;

/// The screen. The range of the numbers stands in the address, so that a link shows the same picture.
///
/// The webhooks decide which face is shown, because what needs a person is the point of the screen. The
/// numbers, the deliveries that were given up and the counts of the project fill in as they come.
#[component]
pub(crate) fn Overview() -> AnyView {
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
    let range = Memo::new(move |_| Range::of(nav.value("range").as_deref()));
    let numbers = Fetched::new(move || project.stats(&range.get().query(now())));
    let reload = calmly(move || {
        webhooks.reload();
        dead.reload();
        state.0.reload();
    });
    let count_again = at_most_every(NUMBERS_EVERY, move || numbers.reload());
    live.on_change(move |change| match change.kind() {
        ChangeKind::Delivery => {
            reload();
            count_again();
        }
        ChangeKind::Webhooks => reload(),
        ChangeKind::Many => {
            reload();
            numbers.reload();
        }
        ChangeKind::Test | ChangeKind::InboxRequest | ChangeKind::Replay | ChangeKind::Run => {}
    });
    let content = move || {
        view! { <Content webhooks=webhooks dead=dead numbers=numbers range=range state=state /> }.into_any()
    };
    view! {
        <PageHead title="Overview" about=format!("{name} · updates live")>{live_dot(live)}</PageHead>
        {near_limits(state)}
        {loaded(webhooks, skeleton::text, content)}
    }
    .into_any()
}

/// What is nearly used up of what the project may have: said here before something is refused. And what was
/// given up early for want of room.
///
/// Nothing at all while no limit is near, and nothing while it is not known, so that the screen does not jump
/// for most projects. It is announced when it appears, and leads to the list of all limits.
fn near_limits(state: ProjectState) -> AnyView {
    let near = Memo::new(move |_| {
        state
            .0
            .value
            .with(|detail| {
                let detail = detail.as_ref()?;
                let mut found = quota::warnings(&detail.quotas);
                found.extend(quota::aged(detail, offset_min));
                Some(found)
            })
            .unwrap_or_default()
    });
    let settings = link(Area::Settings);
    let content = move || {
        let rows = near.get().into_iter().map(|of| notice(Tone::Busy, of.headline, of.advice));
        let (rows, settings) = (rows.collect::<Vec<AnyView>>(), settings.clone());
        (!rows.is_empty()).then(|| {
            view! {
                <section class="stack" role="status" aria-label="Limits">
                    {rows}
                    <p class="faint"><a href=settings>"All limits of this project"</a></p>
                </section>
            }
            .into_any()
        })
    };
    content.into_any()
}

/// What there is to see, once the webhooks are loaded. The steps of the first minute go away once they are
/// done, and do not come back.
#[component]
fn Content(
    /// The project's webhooks.
    webhooks: Fetched<Page<WebhookView>>,
    /// Deliveries that were given up.
    dead: Fetched<Page<DeliveryView>>,
    /// Statistics over `range`.
    numbers: Fetched<StatsView>,
    /// The time that numbers are of.
    range: Memo<Range>,
    /// The counts of the project.
    state: ProjectState,
) -> AnyView {
    let counts =
        Memo::new(move |_| state.0.value.with(|detail| detail.as_ref().map(|detail| detail.counts.clone())));
    // Only what is known can be left to do.
    let steps = Memo::new(move |_| {
        let inboxes = counts.get()?.inboxes;
        webhooks.value.with(|page| page.as_ref().map(|page| Steps::of(inboxes, &page.items)))
    });
    let open = Memo::new(move |_| counts.with(|counts| counts.as_ref().map(|counts| counts.open)));
    let first_steps = move || steps.get().filter(|steps| !steps.is_done()).map(first_minute);
    view! {
        <Figures open=open dead=dead numbers=numbers range=range />
        <div class="split">
            <OverTime numbers=numbers range=range />
            <Needs webhooks=webhooks dead=dead />
        </div>
        <Worst numbers=numbers range=range />
        {move || first_steps()}
    }
    .into_any()
}

/// Four numbers, each a link to what it counts. Only the last one can be red: that deliveries were given up
/// is the only one of them that calls for a person.
///
/// "Under way" and "Gave up" come from lists and counts of now, the other two from the statistics of `range`:
/// the words below each number say which.
#[component]
fn Figures(
    /// Deliveries that are under way, if that is known.
    open: Memo<Option<u32>>,
    /// Deliveries that were given up.
    dead: Fetched<Page<DeliveryView>>,
    /// Statistics over `range`.
    numbers: Fetched<StatsView>,
    /// The time that they are of.
    range: Memo<Range>,
) -> AnyView {
    let totals = Memo::new(move |_| {
        numbers.value.with(|stats| stats.as_ref().map(|stats| stats.totals.counts.clone()))
    });
    let success =
        Signal::derive(move || totals.with(|totals| model::known(totals.as_ref().map(stats::success))));
    let attempts = Signal::derive(move || {
        totals.with(|totals| {
            totals
                .as_ref()
                .map(|totals| stats::attempts_words(totals.attempts, range.get()))
                .unwrap_or_default()
        })
    });
    let latency =
        Signal::derive(move || totals.with(|totals| model::known(totals.as_ref().map(stats::latencies))));
    let under_way =
        Signal::derive(move || model::known(open.get().map(|open| words::number(u64::from(open)))));
    let under_way_about = Signal::derive(move || String::from(open.get().map_or("", model::under_way_about)));
    let gave_up = Memo::new(move |_| {
        dead.value.with(|page| page.as_ref().map(|page| Extent::of(page.items.len(), page.next.as_ref())))
    });
    let gave_up_number = Signal::derive(move || model::known(gave_up.get().map(model::at_least)));
    let gave_up_about = Signal::derive(move || {
        String::from(gave_up.get().map_or("", |extent| model::gave_up_about(extent.shown())))
    });
    let has_dead = Signal::derive(move || gave_up.get().is_some_and(|extent| extent.shown() > 0));
    let deliveries = link(Area::Deliveries);
    let (waiting, given_up) = (format!("{deliveries}?state={UNDER_WAY}"), format!("{deliveries}?state=dead"));
    view! {
        <div class="figures">
            {figure("Success", success, attempts, deliveries.clone(), Signal::stored(false))}
            {figure("Latency p50 / p95", latency, Signal::stored(String::from("until the answer was read")), deliveries, Signal::stored(false))}
            {figure("Under way", under_way, under_way_about, waiting, Signal::stored(false))}
            {figure("Gave up", gave_up_number, gave_up_about, given_up, has_dead)}
        </div>
    }
    .into_any()
}

/// A number with its name above and words about it below. The whole card is the link.
///
/// `is_bad` turns the number red. The words below it say the same, because a colour alone tells nothing to a
/// person who does not see it.
fn figure(
    name: &'static str,
    number: Signal<String>,
    about: Signal<String>,
    href: String,
    is_bad: Signal<bool>,
) -> AnyView {
    view! {
        <a class="card pad figure" href=href>
            <span class="figure-name">{name}</span>
            <b class="figure-number" class:bad=is_bad>{number}</b>
            <span class="faint">{about}</span>
        </a>
    }
    .into_any()
}

/// The webhooks that need a person, with why, the worst first. If no webhook does, it says so: an empty list
/// could as well be one that was not loaded.
///
/// Each row leads to its webhook: what helps (enable, resume, resend) is done there. A list that has shrunk
/// after a fix is drawn anew, because it is short.
#[component]
fn Needs(
    /// The project's webhooks.
    webhooks: Fetched<Page<WebhookView>>,
    /// Deliveries that were given up.
    dead: Fetched<Page<DeliveryView>>,
) -> AnyView {
    let needs = Memo::new(move |_| {
        webhooks.value.with(|webhooks| {
            dead.value.with(|dead| {
                let dead = dead.as_ref().map(|page| page.items.as_slice()).unwrap_or_default();
                webhooks.as_ref().map(|page| model::needs(&page.items, dead)).unwrap_or_default()
            })
        })
    });
    let row = |need: Need| {
        let href = link(Area::Webhook(need.webhook.clone()));
        view! {
            <li class="need">
                {badge_of(need.tone, &need.state)}
                <div><a class="stretched" data-row="" href=href>{need.webhook}</a><p class="faint">{need.why}</p></div>
                {glyph(Icon::Next)}
            </li>
        }
        .into_any()
    };
    let list = move || {
        let needs = needs.get();
        if needs.is_empty() {
            let all_well = badge_of(Tone::Good, "All well");
            return view! { <p class="pad beside">{all_well}<span class="faint">"Nothing waits for you."</span></p> }.into_any();
        }
        view! { <ul class="needs">{needs.into_iter().map(row).collect_view()}</ul> }.into_any()
    };
    view! {
        <section class="card" aria-labelledby="needs">
            <h2 class="card-head" id="needs">"What needs you"</h2>
            {move || list()}
        </section>
    }
    .into_any()
}

/// Success and latency over time: a picture, and the same as a table for those who can't see the picture or
/// want the numbers. The table is made when it is unfolded: a month of hours is many rows.
///
/// The buttons of the range change the address; the picture changes when the answer is there, and until then
/// shows the range that it is of.
#[component]
fn OverTime(
    /// Statistics over `range`.
    numbers: Fetched<StatsView>,
    /// The time that the buttons ask for.
    range: Memo<Range>,
) -> AnyView {
    let nav = use_nav();
    let chip = move |of: Range| {
        let press = UnsyncCallback::new(move |()| nav.filter("range", of.key()));
        toggle_chip(of.label(), Memo::new(move |_| range.get() == of), press)
    };
    let shown = Memo::new(move |_| numbers.value.get());
    let is_table_open = RwSignal::new(false);
    let content = move || {
        let stats = shown.get()?;
        // Not the range of the buttons: that of the answer, which may still be the one before.
        let range = stats::range_of(&stats);
        let moment = move |at| range.moment(at, offset_min);
        let (plots, ticks, summary) = (
            stats::plots(&stats.buckets),
            stats::ticks(&stats.buckets, moment),
            stats::summary(&stats, range),
        );
        let buckets = stats.buckets.clone();
        let readout = move |pointed: Option<usize>| match pointed.and_then(|at| buckets.get(at)) {
            Some(bucket) => format!("{}: {}", moment(bucket.at), stats::bucket_words(&bucket.counts)),
            None => String::from("Point at a moment to read its numbers."),
        };
        let table = move || is_table_open.get().then(|| table(&stats.buckets, range));
        Some(
            view! {
                {chart(summary, plots, ticks, readout)}
                <details class="fold" on:toggle=move |event: web_sys::Event| is_table_open.set(is_open(&event))>
                    <summary>"The numbers as a table"</summary>
                    {move || table()}
                </details>
            }
            .into_any(),
        )
    };
    view! {
        <section class="card" aria-labelledby="over-time">
            <div class="card-head">
                <h2 id="over-time">"Success and latency"</h2>
                <div class="chips" role="group" aria-label="Time">{Range::ALL.into_iter().map(chip).collect_view()}</div>
            </div>
            {loaded(numbers, skeleton::plain_text, move || content.into_any())}
        </section>
    }
    .into_any()
}

/// Whether the `<details>` that were toggled are open now.
fn is_open(event: &web_sys::Event) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlDetailsElement>().ok());
    target.is_some_and(|details| details.open())
}

/// The numbers of each bucket, the latest first.
///
/// Times are said as in the picture. The box scrolls by itself and can have the focus, so that a keyboard
/// reaches its right edge.
fn table(buckets: &[StatsBucket], range: Range) -> AnyView {
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
        .into_any()
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
    .into_any()
}

/// The webhooks with the most failures over the range, at most five of them. Nothing is shown where none
/// failed.
///
/// The order is the answer's: most failures first. A webhook that was deleted since stays in the numbers and
/// has no name and no link.
#[component]
fn Worst(
    /// Statistics over `range`.
    numbers: Fetched<StatsView>,
    /// The time that they are of.
    range: Memo<Range>,
) -> AnyView {
    let worst = Memo::new(move |_| {
        numbers.value.with(|stats| {
            let webhooks = stats.as_ref().map(|stats| stats.webhooks.as_slice()).unwrap_or_default();
            webhooks
                .iter()
                .filter(|webhook| webhook.counts.failed > 0)
                .take(WORST_MAX)
                .cloned()
                .collect::<Vec<_>>()
        })
    });
    let row = |webhook: WebhookStats| {
        let counts = &webhook.counts;
        let failed =
            format!("{} of {} attempts failed", words::number(counts.failed), words::number(counts.attempts));
        let about = format!("{} success, p95 {}", stats::success(counts), stats::latency(counts.p95_ms));
        let name = match webhook.webhook {
            Some(name) => {
                let href = link(Area::Webhook(name.clone()));
                view! { <a class="stretched" data-row="" href=href>{name}</a> }.into_any()
            }
            None => view! { <span class="faint">"(deleted webhook)"</span> }.into_any(),
        };
        view! {
            <li class="need worst">
                <span>{failed}</span>
                <div>{name}<p class="faint">{about}</p></div>
                {glyph(Icon::Next)}
            </li>
        }
        .into_any()
    };
    (move || {
        let worst = worst.get();
        (!worst.is_empty()).then(|| {
            view! {
                <section class="card" aria-labelledby="worst">
                    <div class="card-head"><h2 id="worst">"Most failures"</h2><span class="faint">{range.get().label()}</span></div>
                    <ul class="needs">{worst.into_iter().map(row).collect_view()}</ul>
                </section>
            }
            .into_any()
        })
    })
    .into_any()
}

/// What is left to do until the first callback arrives: each step is a link to where it is done, and is
/// marked once it is.
///
/// The third step is done with the first callback that was delivered: one that failed still has something to
/// show. A project that was filled through the API has done all three and never sees this.
fn first_minute(steps: Steps) -> AnyView {
    let step = |is_done: bool, number: u32, words: &'static str, about: &'static str, href: String| {
        let mark = if is_done { glyph(Icon::Done) } else { number.to_string().into_any() };
        view! {
            <li class="step" class:done=is_done>
                <span class="step-mark" aria-hidden="true">{mark}</span>
                <div>
                    <a class="stretched" data-row="" href=href>{words}</a>
                    {is_done.then(|| view! { <span class="for-ear">" (done)"</span> }.into_any())}
                    <p class="faint">{about}</p>
                </div>
                {glyph(Icon::Next)}
            </li>
        }
        .into_any()
    };
    let inbox_about = "A receiver of our own, so that you see a callback without running one.";
    let inbox = step(steps.has_inbox, 1, "Make an inbox", inbox_about, link(Area::Inboxes));
    let webhook = step(
        steps.has_webhook,
        2,
        "Make a webhook",
        "Say where to call, and for which events.",
        link(Area::WebhookNew),
    );
    let (post, post_about) =
        (format!("{}?post=1", link(Area::Events)), "It is signed, sent, and shown live in the inbox.");
    let event = step(steps.has_delivery, 3, "Post an event and watch it arrive", post_about, post);
    view! {
        <section class="card" aria-labelledby="first-minute">
            <h2 class="card-head" id="first-minute">"The first minute"</h2>
            <ol class="needs">{inbox}{webhook}{event}</ol>
        </section>
    }
    .into_any()
}
