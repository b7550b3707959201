//! The attempts of an event's deliveries: a small picture on one time axis, and the table that says the same.

use leptos::prelude::*;
use postern_core::api::delivery::DeliveryDetail;
use postern_core::time::Timestamp;

use super::timeline::{Mark, PLACES, Timeline};
use crate::api::{Load, ProjectApi, use_project};
use crate::browser::clock::offset_min;
use crate::fetched::Fetched;
use crate::ui::badge::{Tone, badge_of};
use crate::ui::loaded::loaded;
use crate::ui::numbers::numbers_table;
use crate::ui::rows::view::{Column, numbers, words};
use crate::ui::skeleton;
use crate::words;

/// The columns of the table.
const COLUMNS: [Column; 5] =
    [words("Webhook"), numbers("Attempt"), numbers("After"), words("Result"), numbers("Started")];

/// Deliveries whose attempts are loaded: each is a call.
const LOADED_MAX: usize = 20;

/// The attempts, folded: they are loaded when somebody opens it, and again when there are more of them.
#[component]
pub(super) fn Attempts(
    /// When the event was accepted.
    accepted_at: Timestamp,
    /// The deliveries that were tried: id, and how often.
    tried: Memo<Vec<(String, u32)>>,
) -> AnyView {
    let is_open = RwSignal::new(false);
    let is_there = Memo::new(move |_| tried.with(|tried| !tried.is_empty()));
    let toggle = move |event: web_sys::Event| {
        let details: web_sys::HtmlDetailsElement = event_target(&event);
        is_open.set(details.open());
    };
    let content =
        move || is_open.get().then(|| view! { <Loaded accepted_at=accepted_at tried=tried /> }.into_any());
    (move || {
        is_there.get().then(|| {
            view! {
                <details class="fold" on:toggle=toggle>
                    <summary>"Attempts over time"</summary>
                    <div class="stack">{move || content()}</div>
                </details>
            }
            .into_any()
        })
    })
    .into_any()
}

/// What was loaded of them.
#[component]
fn Loaded(
    /// When the event was accepted.
    accepted_at: Timestamp,
    /// The deliveries that were tried.
    tried: Memo<Vec<(String, u32)>>,
) -> AnyView {
    let project = use_project();
    let details = Fetched::new(move || {
        let ids = tried.with(|tried| tried.iter().map(|(id, _)| id.clone()).take(LOADED_MAX).collect());
        load(&project, ids)
    });
    let timeline = Memo::new(move |_| {
        details.value.with(|details| Timeline::of(accepted_at, details.as_deref().unwrap_or_default()))
    });
    let is_cut = Memo::new(move |_| tried.with(|tried| tried.len() > LOADED_MAX));
    let cut = move || {
        is_cut.get().then(|| {
            view! { <p class="hint">{format!("Only those of {LOADED_MAX} deliveries are shown.")}</p> }
                .into_any()
        })
    };
    let content = move || {
        view! {
            {move || timeline.with(picture)}
            {move || timeline.with(table)}
            {move || cut()}
        }
        .into_any()
    };
    loaded(details, skeleton::text, content)
}

/// The deliveries in full, one after the other.
fn load(project: &ProjectApi, ids: Vec<String>) -> Load<Vec<DeliveryDetail>> {
    let loads: Vec<Load<DeliveryDetail>> = ids.iter().map(|id| project.delivery(id)).collect();
    Box::pin(async move {
        let mut details = Vec::new();
        for load in loads {
            details.push(load.await?);
        }
        Ok(details)
    })
}

/// A place of the axis as a share of the picture, with room at both ends for what stands there.
fn share(place: u32) -> String {
    let tenths = 20 + place * 960 / PLACES;
    format!("{}.{}%", tenths / 10, tenths % 10)
}

/// A lane for each webhook, the times below them.
fn picture(timeline: &Timeline) -> AnyView {
    let dot = |(place, tone): &(u32, Tone)| {
        view! { <circle class=tone.class() cx=share(*place) cy="50%" r="5"></circle> }.into_any()
    };
    let lane = |(webhook, places): &(String, Vec<(u32, Tone)>)| {
        view! {
            <span class="clip">{webhook.clone()}</span>
            <svg><line x1="0" x2="100%" y1="50%" y2="50%"></line>{places.iter().map(dot).collect_view()}</svg>
        }
        .into_any()
    };
    let tick = |(place, name): &(u32, &'static str)| {
        view! { <text x=share(*place) y="12" text-anchor="middle">{*name}</text> }.into_any()
    };
    view! {
        <div class="lanes" role="img" aria-label=timeline.summary()>
            {timeline.lanes.iter().map(lane).collect_view()}
            <span class="clip">"after"</span>
            <svg>{timeline.ticks.iter().map(tick).collect_view()}</svg>
        </div>
    }
    .into_any()
}

/// Every attempt, the first one first.
fn table(timeline: &Timeline) -> AnyView {
    let row = |mark: &Mark| {
        let at = words::time_of_day(mark.at, offset_min(mark.at));
        view! {
            <tr>
                <td><span class="clip">{mark.webhook.clone()}</span></td>
                <td class="number">{mark.number.to_string()}</td>
                <td class="number">{mark.after.clone()}</td>
                <td>{badge_of(mark.tone, &mark.result)}</td>
                <td class="number">{at}</td>
            </tr>
        }
        .into_any()
    };
    numbers_table("Attempts", &COLUMNS, timeline.marks.iter().map(row).collect())
}
