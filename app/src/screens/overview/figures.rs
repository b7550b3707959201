//! The numbers at the top.

use leptos::prelude::*;
use postern_core::api::delivery::DeliveryView;
use postern_core::api::page::Page;
use postern_core::api::stats::StatsView;

use super::model;
use super::stats::{self, Range};
use crate::fetched::Fetched;
use crate::project::link;
use crate::routes::Area;
use crate::screens::find::UNDER_WAY;
use crate::ui::rows::Extent;
use crate::words;

/// Four numbers, each a link to what it counts. Only the last one can be red: that deliveries were given up
/// is the only one of them that calls for a person.
///
/// "Under way" and "Gave up" come from lists and counts of now, the other two from the statistics of `range`:
/// the words below each number say which.
#[component]
pub(super) fn Figures(
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
