//! One delivery in full: first why it stands where it stands and what to do, then its attempts, then the exact request,
//! response, difference and event.

use crate::dom::{CollectView, IntoView, View, flag, hears, part, text, truth, view};
use crate::state::{Memo, RwSignal};
use leptos::prelude::*;
use postern_core::api::delivery::{AttemptView, DeliveryDetail, DeliveryView};
use postern_core::api::live::LiveEvent;
use postern_core::api::page::Page;
use postern_core::delivery::{State, Trigger};

use super::model;
use crate::api::use_project;
use crate::browser::clock::{offset_min, use_clock};
use crate::fetched::Fetched;
use crate::fetched::when;
use crate::live::use_live;
use crate::nav::use_nav;
use crate::routes::{Area, Place};
use crate::screens::attempt::{attempt_tabs, event_facts, model as attempt_model};
use crate::screens::webhooks::model::state_word;
use crate::ui::badge::{Tone, badge};
use crate::ui::button::{Button, Look};
use crate::ui::copy::copy;
use crate::ui::drawer::Drawer;
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::notice::notice;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::skeleton;
use crate::ui::toast::use_toasts;
use crate::words;

/// The drawer of the delivery `id`; what it does shows in `list` at once.
#[component]
pub(crate) fn DeliveryDrawer(
    /// `dlv_…`
    id: String,
    /// The list beside it.
    list: Fetched<Page<DeliveryView>>,
) -> View {
    let (nav, project, live) = (use_nav(), use_project(), use_live());
    let detail = Fetched::new({
        let id = id.clone();
        move || {
            let (project, id) = (project.clone(), id.clone());
            project.delivery(&id)
        }
    });
    live.on_change(move |event| match event {
        LiveEvent::Delivery { delivery } if delivery.id == id => detail.reload(),
        LiveEvent::Many => detail.reload(),
        LiveEvent::Delivery { .. }
        | LiveEvent::Webhooks
        | LiveEvent::Test { .. }
        | LiveEvent::InboxRequest { .. }
        | LiveEvent::Replay { .. }
        | LiveEvent::Run { .. } => {}
    });
    let close = move || {
        nav.open("open", None);
        // Back to the row that was open.
        crate::browser::focus::soon("main tr.open [data-row], main [data-row]");
    };
    view! {
        <Drawer label="Delivery" on_close=move |()| close()>
            {loaded(detail, skeleton::text, move || view! { <Content detail=detail list=list /> })}
        </Drawer>
    }
}

#[component]
fn Content(detail: Fetched<DeliveryDetail>, list: Fetched<Page<DeliveryView>>) -> View {
    let (project, toasts, clock) = (use_project(), use_toasts(), use_clock());
    let delivery = Memo::new(move || detail.value.with(|detail| detail.as_ref().map(|detail| detail.delivery.clone())));
    let of =
        move |part: fn(&DeliveryView) -> String| text(move || delivery.with(|delivery| delivery.as_ref().map(part).unwrap_or_default()));
    let busy = RwSignal::new(false);
    let api = StoredValue::new_local(project.clone());
    let resend = move || {
        let Some(id) =
            delivery.with_untracked(|delivery| delivery.as_ref().map(|delivery| delivery.id.clone())).filter(|_| !busy.get_untracked())
        else {
            return;
        };
        busy.set(true);
        let api = api.get_value();
        when(api.retry_delivery(&id), move |answer| {
            match answer {
                Ok(changed) => {
                    toasts.say("Resent: the next attempt is under way");
                    super::take_in(list, crate::routes::Query::default(), &changed);
                    detail.reload();
                }
                Err(failure) => toasts.complain(failure.to_string()),
            }
            busy.set(false);
        });
    };
    let cancel = move || {
        let Some(id) = delivery.with_untracked(|delivery| delivery.as_ref().map(|delivery| delivery.id.clone())) else {
            return;
        };
        let api = api.get_value();
        when(api.cancel_delivery(&id), move |answer| match answer {
            Ok(()) => {
                toasts.say("Cancelled: nothing more is sent unless it is resent");
                detail.reload();
                list.reload();
            }
            Err(failure) => toasts.complain(failure.to_string()),
        });
    };
    use_shortcut("R", "Resend this delivery", resend);
    let attempts = Memo::new(move || detail.value.with(|detail| detail.as_ref().map(|detail| detail.attempts.clone()).unwrap_or_default()));
    let chosen = RwSignal::new(None::<u32>);
    let present = Memo::new(move || {
        let wanted = chosen.get();
        attempts
            .with(|attempts| attempts.iter().position(|attempt| Some(attempt.attempt.number) == wanted).or(attempts.len().checked_sub(1)))
    });
    let copy_curl = move || {
        let command =
            attempts.with_untracked(|attempts| present.get_untracked().and_then(|at| attempts.get(at)).and_then(attempt_model::curl));
        match command {
            Some(command) => copy(toasts, "Command", command),
            None => toasts.complain("Nothing was sent in this attempt, so there is nothing to copy."),
        }
    };
    let reason = move || {
        detail.value.with(|detail| {
            detail
                .as_ref()
                .map(|detail| notice(reason_tone(detail.delivery.state), detail.reason.headline.clone(), detail.reason.advice.clone()))
        })
    };
    let webhook_link = {
        let name = project.name().clone();
        move || match delivery.with(|delivery| delivery.as_ref().and_then(|delivery| delivery.webhook.clone())) {
            Some(webhook) => {
                let href = Place::Project(name.clone(), Area::Webhook(webhook.clone())).path();
                view! { <a href=href>{webhook}</a> }
            }
            None => view! { <span class="faint">"(deleted webhook)"</span> },
        }
    };
    let can_cancel = Memo::new(move || delivery.with(|delivery| delivery.as_ref().is_some_and(|delivery| !delivery.state.is_final())));
    let tab = RwSignal::new("request");
    let shown = move || {
        let event = detail.value.with(|detail| detail.as_ref().map(|detail| detail.event.clone()));
        attempts.with(|attempts| match present.get().and_then(|at| attempts.get(at).map(|attempt| (at, attempt.clone()))) {
            Some((at, attempt)) => {
                let before = at.checked_sub(1).and_then(|at| attempts.get(at).cloned());
                attempt_tabs(tab, attempt, before, event)
            }
            None => event.map(|event| event_facts(&event)).into_view(),
        })
    };
    let state = badge(move || {
        delivery.with(|delivery| delivery.as_ref().map(|delivery| model::standing(delivery, clock.now())).unwrap_or_default())
    });
    view! {
        <header class="drawer-head">
            <h2>{state}<span class="mono">{of(|delivery| delivery.kind.clone())}</span><span class="faint">" → "</span>{part(webhook_link)}</h2>
            <p class="mono faint clip">{of(|delivery| format!("{} · webhook-id {}", delivery.id, delivery.message_id))}</p>
            <div class="page-actions">
                <Button label="Resend" look=Look::Primary icon=Icon::Again shortcut="R" disabled=busy on_press=move |()| resend() />
                <Button label="Copy as curl" icon=Icon::Copy on_press=move |()| copy_curl() />
                {part(move || can_cancel.get().then(|| view! { <Button label="Cancel delivery" on_press=move |()| cancel() /> }))}
            </div>
        </header>
        {part(reason)}
        <ol class="attempts" reversed=true aria-label="Attempts">
            {part(move || next_attempt(delivery, attempts, clock))}
            {part(move || attempts.with(|attempts| attempts.iter().enumerate().rev().map(|(at, attempt)| attempt_row(attempt, move || present.get() == Some(at), chosen)).collect_view()))}
        </ol>
        {part(shown)}
    }
}

const fn reason_tone(state: State) -> Tone {
    state_word(state).0
}

/// The attempt that is still to come, with the time until it.
fn next_attempt(
    delivery: Memo<Option<DeliveryView>>,
    attempts: Memo<Vec<AttemptView>>,
    clock: crate::browser::clock::Clock,
) -> Option<View> {
    let delivery = delivery.get().filter(|delivery| !delivery.state.is_final())?;
    let number = delivery.attempts + 1;
    let is_running = delivery.state == State::Leased;
    let about = if is_running {
        String::from("under way")
    } else if model::is_held(&delivery) {
        String::from("held: the reason is above")
    } else {
        let asked_s = attempts.with(|attempts| attempts.last().and_then(asked_s));
        model::schedule_words(delivery.attempts, delivery.next_at.map(|next_at| next_at.ms_since(delivery.updated_at)), asked_s)
    };
    let next_at = delivery.next_at;
    let left = move || match next_at {
        _ if is_running => String::from("now"),
        Some(at) => match words::countdown(clock.now(), at).as_str() {
            "now" => String::from("now"),
            left => format!("in {left}"),
        },
        None => String::new(),
    };
    Some(view! {
        <li class="attempt next">
            <i class="dot" aria-hidden="true"></i>
            <span class="attempt-words"><b>{format!("Attempt {number}")}</b><small>{about}</small></span>
            <b class="number">{part(left)}</b>
        </li>
    })
}

/// The seconds that the answer to an attempt asked for.
fn asked_s(attempt: &AttemptView) -> Option<u32> {
    let record = &attempt.attempt;
    let arrived_at = record.started_at.plus_ms(i64::from(record.duration_ms));
    record.response.as_ref().and_then(|response| response.asks(arrived_at).retry_after?.wait_s())
}

fn attempt_row(attempt: &AttemptView, is_chosen: impl Fn() -> bool + Copy + Send + 'static, chosen: RwSignal<Option<u32>>) -> View {
    let record = &attempt.attempt;
    let number = record.number;
    let is_good = attempt
        .attempt
        .request
        .as_ref()
        .zip(record.response.as_ref())
        .is_some_and(|(request, response)| postern_core::contract::counts_as_delivered(request.rendering.contract, response.status));
    let result =
        postern_core::explain::brief_with_body(&record.outcome, record.response.as_ref().and_then(|response| response.body_note.as_ref()));
    let tone = if is_good { Tone::Good } else { Tone::Busy };
    let by_hand = if record.trigger == Trigger::Resend { " · resent by hand" } else { "" };
    let when = format!("{}{by_hand}", words::time_of_day(record.started_at, offset_min(record.started_at)));
    view! {
        <li class=format!("attempt {}", tone.class()) class:chosen=flag(is_chosen)>
            <i class="dot" aria-hidden="true"></i>
            <button type="button" class="attempt-words" aria-pressed=truth(is_chosen) on:click=hears(move |_| chosen.set(Some(number)))>
                <b>{format!("Attempt {number} · {result}")}</b>
                <small>{when}</small>
            </button>
            <span class="number faint">{words::duration(record.duration_ms)}</span>
        </li>
    }
}
