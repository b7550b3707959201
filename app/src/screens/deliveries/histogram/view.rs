//! The card with the bars: their time, what they count, and the same as a table.

use std::time::Duration;

use leptos::prelude::*;
use postern_core::api::delivery::{DeliveryHistogram, DeliveryView, HistogramBin, StateCounts};
use postern_core::api::live::ChangeKind;
use wasm_bindgen::JsCast;

use super::super::fit::LiveFilter;
use super::model;
use crate::api::{Load, ProjectApi, use_project};
use crate::browser::clock::{now, offset_min};
use crate::fetched::{Fetched, effect};
use crate::live::{at_most_every, use_live};
use crate::nav::use_nav;
use crate::routes::Query;
use crate::ui::badge::Tone;
use crate::ui::bars::{Bars, bars};
use crate::ui::filter_chip::toggle_chip;
use crate::ui::numbers::numbers_table;
use crate::ui::rows::List;
use crate::ui::rows::view::{Column, numbers, words};
use crate::words::number;

/// How often it is counted again while deliveries come: counting looks at up to 100,000 rows.
const AGAIN_EVERY: Duration = Duration::from_secs(5);

/// The id of what says which keys do what.
const KEYS_ID: &str = "histogram-keys";
/// What stands in the place of numbers that are not known yet.
const COUNTING: &str = "Counting…";
/// The columns of the table.
const COLUMNS: [Column; 5] =
    [words("Time"), numbers("Delivered"), numbers("Under way"), numbers("Gave up"), numbers("Cancelled")];

/// The bars of the time that the filters ask for; of the last 24 hours where they ask for none. A project in
/// which nothing was sent yet has none.
#[component]
pub(in super::super) fn Histogram(
    /// What is asked.
    query: Memo<Query>,
    /// What the feed's deliveries are judged by.
    filter: Memo<LiveFilter>,
    /// The list below.
    list: List<DeliveryView>,
) -> AnyView {
    let project = use_project();
    let counted = Fetched::new(move || load(&project, query.get()));
    let again = at_most_every(AGAIN_EVERY, move || counted.reload());
    use_live().on_change(move |change| {
        let is_judged = !filter.with_untracked(LiveFilter::needs_the_event);
        if is_judged && matches!(change.kind(), ChangeKind::Delivery | ChangeKind::Many) {
            again();
        }
    });
    // Whoever has the list loaded again wants both.
    let listed = StoredValue::new((Query::default(), 0));
    effect(move || {
        list.page.value.track();
        let now = (query.get_untracked(), list.page.arrivals());
        let is_again = listed.try_update_value(|before| {
            let is_again = before.1 > 0 && before.1 < now.1 && before.0 == now.0;
            *before = now;
            is_again
        });
        if is_again == Some(true) {
            again();
        }
    });
    let of = Memo::new(move |_| counted.value.with(|counted| counted.as_ref().map(|(of, _)| of.clone())));
    let shown = Memo::new(move |_| counted.value.with(|counted| counted.as_ref()?.1.clone()));
    let is_empty = list.core.is_empty();
    let is_new = Memo::new(move |_| {
        let has_some = shown.with(|shown| shown.as_ref().is_some_and(|of| model::read(of, None).2.all() > 0));
        !has_some && is_empty.get() && query.with(|query| *query == Query::default())
    });
    let failed = move || {
        counted
            .failure
            .with(Option::is_some)
            .then(|| view! { <p class="faint">"The bars could not be counted."</p> }.into_any())
    };
    let is_missing =
        Memo::new(move |_| counted.failure.with(Option::is_some) && counted.value.with(Option::is_none));
    let picture = move || (!is_missing.get()).then(|| view! { <Picture of=of shown=shown /> }.into_any());
    view! {
        <section class="card pad histogram" aria-label="Deliveries by time" hidden=is_new>
            {picture}
            {move || failed()}
        </section>
    }
    .into_any()
}

/// The picture, with its numbers above and its times below.
#[component]
fn Picture(
    /// What was asked, which need not be what is asked by now.
    of: Memo<Option<Query>>,
    /// What was counted.
    shown: Memo<Option<DeliveryHistogram>>,
) -> AnyView {
    let nav = use_nav();
    let pointed = RwSignal::new(None);
    let drawn = Memo::new(move |_| shown.with(|shown| shown.as_ref().map(model::bars).unwrap_or_default()));
    // Of the bars that are pointed at, or else of all: their time, and how many stand where.
    let read = Memo::new(move |_| {
        shown.with(|shown| {
            let histogram = shown.as_ref()?;
            let (since, until, counts) = model::read(histogram, pointed.get());
            let time = if pointed.get().is_some() {
                model::time_words(since, until, offset_min)
            } else {
                of.with(|of| model::whole_words(of.as_ref(), histogram, offset_min))
            };
            Some((time, counts))
        })
    });
    let said = Signal::derive(move || {
        read.with(|read| {
            read.as_ref().map_or_else(|| String::from(COUNTING), |(time, counts)| model::said(time, counts))
        })
    });
    let on_choose = UnsyncCallback::new(move |chosen: (usize, usize)| {
        let time = shown.with_untracked(|shown| model::time_of(shown.as_ref()?, chosen));
        if let Some((since, until)) = time {
            nav.filter_by(&model::chosen(nav.query_now(), since, until));
        }
    });
    let ticks = move || {
        let ticks = shown.with(|shown| shown.as_ref().map(|of| model::ticks(of, offset_min)));
        ticks.into_iter().flatten().map(|tick| view! { <span>{tick}</span> }.into_any()).collect_view()
    };
    let bounds =
        move || shown.with(|shown| shown.as_ref().and_then(|of| model::bounds_words(of, offset_min)));
    view! {
        {head(read)}
        {bars("Deliveries by time", KEYS_ID, Bars { all: drawn, pointed, words: said, on_choose })}
        <div class="chart-ticks" aria-hidden="true">{ticks}</div>
        {move || bounds().map(|words| view! { <p class="hint">{words}</p> }.into_any())}
        <div class="histogram-foot">
            <p class="hint">
                "Press a bar, or drag over several, to see only their deliveries."
                <span class="for-ear" id=KEYS_ID>" With the keyboard: arrow keys choose a bar, Shift and arrow keys add to it, Enter applies it."</span>
            </p>
            {spans()}
        </div>
        {table(shown)}
    }
    .into_any()
}

/// What is read: a time, and how many stand where.
fn head(read: Memo<Option<(String, StateCounts)>>) -> AnyView {
    let time = move || {
        read.with(|read| read.as_ref().map_or_else(|| String::from(COUNTING), |(time, _)| time.clone()))
    };
    let outcome = |(tone, word, count): (Tone, &'static str, Option<u32>)| {
        let count = count.map_or_else(|| String::from("–"), |count| number(u64::from(count)));
        view! {
            <li><i class=format!("dot {}", tone.class()) aria-hidden="true"></i>{word}" "<b>{count}</b></li>
        }
        .into_any()
    };
    let outcomes = move || {
        let counts = read.with(|read| read.as_ref().map(|(_, counts)| *counts));
        let of = |(tone, word, count)| outcome((tone, word, counts.map(|_known| count)));
        model::outcomes(&counts.unwrap_or_default()).map(of).into_iter().collect_view()
    };
    view! {
        <div class="histogram-head">
            <b class="histogram-time">{time}</b>
            <ul class="histogram-counts">{outcomes}</ul>
        </div>
    }
    .into_any()
}

/// Times to press. What was chosen among the bars goes with the last of them.
fn spans() -> AnyView {
    let nav = use_nav();
    let chip = move |span: Option<&'static str>, words: &'static str| {
        let is_on = Memo::new(move |_| nav.value("since").as_deref() == span && nav.value("until").is_none());
        let press = UnsyncCallback::new(move |()| nav.filter_by(&model::spanned(nav.query_now(), span)));
        toggle_chip(words, is_on, press)
    };
    view! {
        <div class="chips" role="group" aria-label="Time">
            {model::SPANS.map(|(span, words)| chip(Some(span), words)).into_iter().collect_view()}
            {chip(None, "Any time")}
        </div>
    }
    .into_any()
}

/// The numbers of each bar, the latest first. It is made when it is unfolded.
fn table(shown: Memo<Option<DeliveryHistogram>>) -> AnyView {
    let is_open = RwSignal::new(false);
    let toggle = move |event: web_sys::Event| {
        let details = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlDetailsElement>().ok());
        is_open.set(details.is_some_and(|details| details.open()));
    };
    let row = |histogram: &DeliveryHistogram, at: usize, bin: &HistogramBin| {
        let (since, until) = model::time_of(histogram, (at, at)).unwrap_or((bin.at, bin.at));
        let cell = |(_tone, _word, count): (_, _, u32)| {
            view! { <td class="number">{number(u64::from(count))}</td> }.into_any()
        };
        view! {
            <tr>
                <th scope="row">{model::time_words(since, until, offset_min)}</th>
                {model::outcomes(&bin.counts).map(cell).into_iter().collect_view()}
            </tr>
        }
        .into_any()
    };
    let content = move || {
        let rows = shown.with(|shown| {
            let histogram = shown.as_ref()?;
            let bins = histogram.bins.iter().enumerate().rev();
            Some(bins.map(|(at, bin)| row(histogram, at, bin)).collect::<Vec<_>>())
        });
        is_open.get().then(|| numbers_table("Deliveries by time", &COLUMNS, rows.unwrap_or_default()))
    };
    view! {
        <details class="fold" on:toggle=toggle>
            <summary>"The numbers as a table"</summary>
            {move || content()}
        </details>
    }
    .into_any()
}

/// What was counted, and for which query of the page.
type Counted = (Query, Option<DeliveryHistogram>);

/// Counts what a query of the page asks for.
fn load(project: &ProjectApi, query: Query) -> Load<Counted> {
    let parts: Vec<Load<DeliveryHistogram>> =
        model::queries(&query, now()).iter().map(|part| project.delivery_histogram(part)).collect();
    Box::pin(async move {
        let mut histograms = Vec::new();
        for part in parts {
            histograms.push(part.await?);
        }
        Ok((query, model::together(histograms)))
    })
}
