//! The screen: what it loads, and what it shows of it.

use std::time::Duration;

use leptos::prelude::*;
use postern_core::api::delivery::DeliveryView;
use postern_core::api::live::ChangeKind;
use postern_core::api::page::Page;
use postern_core::api::stats::StatsView;
use postern_core::api::webhook::WebhookView;

use super::figures::Figures;
use super::first_minute::first_minute;
use super::model::Steps;
use super::needs::Needs;
use super::over_time::OverTime;
use super::stats::Range;
use super::totals::{self, Asked};
use super::worst::Worst;
use crate::api::use_project;
use crate::browser::clock::{now, offset_min};
use crate::fetched::Fetched;
use crate::live::{at_most_every, calmly, use_live};
use crate::nav::use_nav;
use crate::project::{ProjectState, link};
use crate::quota;
use crate::routes::{Area, Query};
use crate::ui::badge::Tone;
use crate::ui::live_dot::live_dot;
use crate::ui::loaded::loaded;
use crate::ui::notice::notice;
use crate::ui::page_head::PageHead;
use crate::ui::skeleton;

/// How often the totals may be loaded again while deliveries keep changing: counting looks at up to 100,000
/// rows.
const TOTALS_EVERY: Duration = Duration::from_secs(5);
/// How often the numbers may be loaded again while deliveries keep changing.
const NUMBERS_EVERY: Duration = Duration::from_secs(10);

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
    let totals = Fetched::new({
        let project = project.clone();
        move || totals::load(&project, range.get())
    });
    let numbers = Fetched::new(move || project.stats(&range.get().query(now())));
    let reload = calmly(move || {
        webhooks.reload();
        dead.reload();
        state.0.reload();
    });
    let total_again = at_most_every(TOTALS_EVERY, move || totals.reload());
    let count_again = at_most_every(NUMBERS_EVERY, move || numbers.reload());
    live.on_change(move |change| match change.kind() {
        ChangeKind::Delivery | ChangeKind::Many => {
            reload();
            total_again();
            count_again();
        }
        ChangeKind::Webhooks => {
            reload();
            total_again();
        }
        ChangeKind::Test | ChangeKind::InboxRequest | ChangeKind::Replay | ChangeKind::Run => {}
    });
    let content = move || {
        view! { <Content webhooks=webhooks dead=dead totals=totals numbers=numbers range=range state=state /> }.into_any()
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
    /// The totals of `range`.
    totals: Fetched<Asked>,
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
    let first_steps = move || steps.get().filter(|steps| !steps.is_done()).map(first_minute);
    view! {
        <Figures totals=totals />
        <div class="split">
            <OverTime numbers=numbers range=range />
            <Needs webhooks=webhooks dead=dead />
        </div>
        <Worst numbers=numbers range=range />
        {move || first_steps()}
    }
    .into_any()
}
