//! What became of an event: each webhook that got it, how that went, and why the others did not get it.

use leptos::prelude::*;
use postern_core::api::delivery::DeliveryView;
use postern_core::api::event::EventDecisions;
use postern_core::api::live::ChangeKind;
use postern_core::operation::Operation;
use postern_core::problem::ProblemType;
use postern_core::time::Timestamp;

use super::attempts::Attempts;
use super::fates::{Fate, fates, summary};
use crate::api::{Load, ProjectApi, use_project};
use crate::browser::clock::{Clock, use_clock};
use crate::browser::focus;
use crate::caller::use_may;
use crate::fetched::{Fetched, spawn};
use crate::live::{calmly, use_live};
use crate::project::link;
use crate::routes::{Area, Query};
use crate::screens::clauses::clause_list;
use crate::screens::deliveries::model::standing;
use crate::ui::badge::{Tone, badge, badge_of};
use crate::ui::button::{Button, LinkButton, Look};
use crate::ui::dialog::Dialog;
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::skeleton;
use crate::ui::toast::use_toasts;
use crate::words;

/// What is loaded.
#[derive(Clone)]
struct Story {
    deliveries: Vec<DeliveryView>,
    /// Whether there are more deliveries than these.
    has_more: bool,
    /// `None`: it takes too long to say why.
    decisions: Option<EventDecisions>,
}

fn load(project: &ProjectApi, id: &str) -> Load<Story> {
    let (deliveries, decisions) = (project.event_deliveries(id), project.event_decisions(id));
    Box::pin(async move {
        let page = deliveries.await?;
        let decisions = match decisions.await {
            Ok(decisions) => Some(decisions),
            Err(failure) if failure.is(ProblemType::StateConflict) => None,
            Err(failure) => return Err(failure),
        };
        Ok(Story { has_more: page.next.is_some(), deliveries: page.items, decisions })
    })
}

/// The webhooks, those that gave up first. What goes on is loaded again as the feed tells of it.
#[component]
pub(super) fn EventStory(
    /// `evt_…`
    id: String,
    /// When the event was accepted.
    accepted_at: Timestamp,
) -> AnyView {
    let (project, clock) = (use_project(), use_clock());
    let story = Fetched::new({
        let id = id.clone();
        move || load(&project, &id)
    });
    let reload = calmly(move || story.reload());
    use_live().on_change(move |change| {
        let is_own = change.delivery().is_some_and(|delivery| delivery.event_id == id);
        if is_own || change.kind() == ChangeKind::Many {
            reload();
        }
    });
    let shown = Memo::new(move |_| {
        let story = story.value.get();
        story.map(|story| fates(accepted_at, story.deliveries, story.decisions)).unwrap_or_default()
    });
    let tried = Memo::new(move |_| {
        story.value.with(|story| story.as_ref().map(|story| tried(&story.deliveries)).unwrap_or_default())
    });
    let hint = move |applies: fn(&Story) -> bool, text: &'static str| {
        let applies = Memo::new(move |_| story.value.with(|story| story.as_ref().is_some_and(applies)));
        move || applies.get().then(|| view! { <p class="hint">{text}</p> }.into_any())
    };
    let content = move || {
        view! {
            <p role="status"><b>{move || shown.with(|fates| summary(fates))}</b></p>
            <ResendFailed fates=shown story=story />
            <Attempts accepted_at=accepted_at tried=tried />
            <ul class="outcomes"><For each=move || shown.get() key=Fate::key children=move |fate| fate_view(&fate, clock) /></ul>
            {hint(|story| story.decisions.is_none(), "It takes too long to say why other webhooks did not get it.")}
            {hint(|story| story.has_more, "Only its latest 200 deliveries are shown.")}
        }
        .into_any()
    };
    view! {
        <section class="stack" aria-labelledby="story">
            <h3 id="story" tabindex="-1">"What became of it"</h3>
            {loaded(story, skeleton::text, content)}
        </section>
    }
    .into_any()
}

/// The deliveries that were tried, and how often.
fn tried(deliveries: &[DeliveryView]) -> Vec<(String, u32)> {
    let tried = deliveries.iter().filter(|delivery| delivery.attempts > 0);
    tried.map(|delivery| (delivery.id.clone(), delivery.attempts)).collect()
}

/// One webhook, folded: how it went, the way to its delivery, and why it got the event or not.
fn fate_view(fate: &Fate, clock: Clock) -> AnyView {
    let badge = match fate.delivery.clone() {
        Some(delivery) => badge(move || standing(&delivery, clock.now())),
        None => badge_of(Tone::Idle, "Not sent"),
    };
    let delivery = fate.delivery.as_ref().map(|delivery| {
        let href = format!("{}{}", link(Area::Deliveries), Query::default().with("open", Some(&delivery.id)).text());
        view! { <p><LinkButton label="Open the delivery" href=href icon=Icon::Delivery look=Look::Quiet /></p> }.into_any()
    });
    let why = (!fate.reasons.is_empty()).then(|| {
        view! { <p class="hint">"By its definition of now"</p>{clause_list(&fate.reasons)} }.into_any()
    });
    view! {
        <li>
            <details class="fold">
                <summary>{badge}<b class="break">{fate.webhook.clone()}</b>" "<span class="faint break">{fate.line.clone()}</span></summary>
                <div class="stack">{delivery}{why}</div>
            </details>
        </li>
    }
    .into_any()
}

/// Sends the event again to the webhooks that gave up, after a question that says to how many; where the
/// token may not, it is not offered.
#[component]
fn ResendFailed(
    /// What is shown.
    fates: Memo<Vec<Fate>>,
    /// What is loaded again when all were asked.
    story: Fetched<Story>,
) -> AnyView {
    let (project, toasts) = (use_project(), use_toasts());
    let api = StoredValue::new_local(project);
    let (is_asking, is_busy) = (RwSignal::new(false), RwSignal::new(false));
    let failed = Memo::new(move |_| {
        let of = |fate: &Fate| fate.delivery.as_ref().map(|delivery| delivery.id.clone());
        fates.with(|fates| {
            fates.iter().filter(|fate| fate.can_be_sent_again()).filter_map(of).collect::<Vec<_>>()
        })
    });
    let count =
        move || words::count(u32::try_from(failed.with(Vec::len)).unwrap_or(u32::MAX), "webhook", "webhooks");
    let send = move |()| {
        if is_busy.get_untracked() {
            return;
        }
        is_busy.set(true);
        let loads: Vec<Load<DeliveryView>> = failed.with_untracked(|ids| {
            ids.iter().map(|id| api.with_value(|api| api.retry_delivery(id))).collect()
        });
        spawn(async move {
            let all = loads.len();
            let mut refused = None;
            let mut sent = 0_usize;
            for load in loads {
                match load.await {
                    Ok(_) => sent += 1,
                    Err(failure) => refused = Some(failure),
                }
            }
            is_busy.set(false);
            is_asking.set(false);
            match refused {
                None => toasts.say("Resent: the next attempts are under way"),
                Some(failure) => toasts.complain(format!("{sent} of {all} resent. {failure}")),
            }
            // The button goes with what it was for.
            focus::soon("#story");
            story.reload();
        });
    };
    let may_resend = use_may(Operation::RetryDelivery);
    let button = move || {
        let press = move |()| is_asking.set(true);
        let label = Signal::derive(move || format!("Resend to {} that gave up…", count()));
        (may_resend.get() && !failed.with(Vec::is_empty))
            .then(|| view! { <p><Button label=label icon=Icon::Again on_press=press /></p> }.into_any())
    };
    let keep = move |()| is_asking.set(false);
    view! {
        {button}
        <Dialog open=is_asking title="Resend this event?">
            <p>{move || format!("It is sent again to {}, under the same webhook-id: a receiver that has taken it can tell.", count())}</p>
            <div class="dialog-foot">
                <Button label="Resend" look=Look::Primary disabled=is_busy on_press=send />
                <Button label="Not now" on_press=keep />
            </div>
        </Dialog>
    }
    .into_any()
}
