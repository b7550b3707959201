//! Attempts over time, as a picture and as a table.

use leptos::prelude::*;
use postern_core::api::stats::{StatsBucket, StatsView};
use wasm_bindgen::JsCast;

use super::stats::{self, Range};
use crate::browser::clock::offset_min;
use crate::fetched::Fetched;
use crate::nav::use_nav;
use crate::ui::chart::chart;
use crate::ui::filter_chip::toggle_chip;
use crate::ui::loaded::loaded;
use crate::ui::numbers::numbers_table;
use crate::ui::rows::view::{Column, numbers, words};
use crate::ui::skeleton;
use crate::words;

/// The columns of the table.
const COLUMNS: [Column; 6] = [
    words("From"),
    numbers("Attempts"),
    numbers("Failed"),
    numbers("Delivered"),
    numbers("p50"),
    numbers("p95"),
];

/// Attempts and latency over time: a picture, and the same as a table for those who can't see the picture or
/// want the numbers. The table is made when it is unfolded: a month of hours is many rows.
///
/// The buttons of the range change the address; the picture changes when the answer is there, and until then
/// shows the range that it is of.
#[component]
pub(super) fn OverTime(
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
        let whole = format!("{}: {}.", range.label(), stats::bucket_words(&stats.totals.counts));
        let readout = move |pointed: Option<usize>| match pointed.and_then(|at| buckets.get(at)) {
            Some(bucket) => format!("{}: {}", moment(bucket.at), stats::bucket_words(&bucket.counts)),
            None => format!("{whole} Point at a moment to read its numbers."),
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
                <h2 id="over-time">"Attempts and latency"</h2>
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
/// Times are said as in the picture.
fn table(buckets: &[StatsBucket], range: Range) -> AnyView {
    let row = |bucket: &StatsBucket| {
        let counts = &bucket.counts;
        view! {
            <tr>
                <th scope="row">{range.moment(bucket.at, offset_min)}</th>
                <td class="number">{words::number(counts.attempts)}</td>
                <td class="number">{words::number(counts.failed)}</td>
                <td class="number">{stats::delivered(counts)}</td>
                <td class="number">{stats::latency(counts.p50_ms)}</td>
                <td class="number">{stats::latency(counts.p95_ms)}</td>
            </tr>
        }
        .into_any()
    };
    numbers_table("The numbers", &COLUMNS, buckets.iter().rev().map(row).collect())
}
