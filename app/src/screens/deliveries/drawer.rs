//! One delivery in full: first why it stands where it stands and what to do, then its attempts, then the
//! exact request, response, difference and event.
//!
//! The drawer lies beside the list, which stays usable. It is loaded again when the feed tells of its
//! delivery; the chosen attempt and the open tab stay what they are. Everything below reads from one value,
//! [`Opened`].

use leptos::prelude::*;
use postern_core::api::delivery::{AttemptView, DeliveryDetail, DeliveryView};
use postern_core::api::live::ChangeKind;
use postern_core::delivery::{State, Trigger};
use postern_core::operation::Operation;

use super::model;
use crate::api::use_project;
use crate::browser::clock::{Clock, offset_min, use_clock};
use crate::browser::focus;
use crate::caller::use_may;
use crate::fetched::{Fetched, when};
use crate::live::use_live;
use crate::nav::use_nav;
use crate::project::link;
use crate::routes::{Area, Place, Query};
use crate::screens::attempt::{attempt_tabs, event_facts, model as attempt_model};
use crate::screens::doctor::asks_for_a_doctor;
use crate::ui::badge::{Tone, badge};
use crate::ui::button::{Button, LinkButton, Look};
use crate::ui::copy::copy;
use crate::ui::drawer::Drawer;
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::notice::notice;
use crate::ui::rows::List;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::skeleton;
use crate::ui::toast::use_toasts;
use crate::words::{self, state_word};

/// The drawer of the delivery `id`; what it does shows in `list` at once. It is open as long as the address
/// says so, and gives the focus back to its row when it is closed.
///
/// `Many` after a gap of the feed loads it again as well, because what changed meanwhile nobody knows.
#[component]
pub(crate) fn DeliveryDrawer(
    /// `dlv_…`
    id: String,
    /// The list beside it.
    list: List<DeliveryView>,
) -> AnyView {
    let (nav, project, live) = (use_nav(), use_project(), use_live());
    let detail = Fetched::new({
        let id = id.clone();
        move || project.delivery(&id)
    });
    live.on_change(move |change| {
        if change.id() == id || change.kind() == ChangeKind::Many {
            detail.reload();
        }
    });
    let close = move || {
        nav.open("open", None);
        // Back to the row that was open.
        focus::soon("main tr.open [data-row], main [data-row]");
    };
    view! {
        <Drawer label="Delivery" on_close=move |()| close()>
            {loaded(detail, skeleton::text, move || view! { <Content detail=detail list=list /> }.into_any())}
        </Drawer>
    }
    .into_any()
}

/// What the drawer shows, and which attempt of it. Memos, so that a delivery that changes redraws only what
/// changed with it.
#[derive(Clone, Copy)]
struct Opened {
    /// All of it, as it is loaded.
    detail: Fetched<DeliveryDetail>,
    /// The delivery alone, as the list has it.
    delivery: Memo<Option<DeliveryView>>,
    /// Its attempts, the first one first.
    attempts: Memo<Vec<AttemptView>>,
    /// The number of the attempt that somebody chose.
    chosen: RwSignal<Option<u32>>,
    /// Where the attempt that is shown stands in the list: the chosen one, else the latest.
    present: Memo<Option<usize>>,
}

impl Opened {
    /// The latest attempt is shown first.
    fn new(detail: Fetched<DeliveryDetail>) -> Self {
        let delivery = Memo::new(move |_| {
            detail.value.with(|detail| detail.as_ref().map(|detail| detail.delivery.clone()))
        });
        let attempts = Memo::new(move |_| {
            detail
                .value
                .with(|detail| detail.as_ref().map(|detail| detail.attempts.clone()).unwrap_or_default())
        });
        let chosen = RwSignal::new(None::<u32>);
        let present =
            Memo::new(move |_| attempts.with(|attempts| attempt_model::shown(attempts, chosen.get())));
        Self { detail, delivery, attempts, chosen, present }
    }

    /// A text about the delivery; reactive.
    fn text(self, part: fn(&DeliveryView) -> String) -> String {
        self.delivery.with(|delivery| delivery.as_ref().map(part).unwrap_or_default())
    }

    /// The delivery's id, for what happens now.
    fn id_now(self) -> Option<String> {
        self.delivery.with_untracked(|delivery| delivery.as_ref().map(|delivery| delivery.id.clone()))
    }

    /// The command that repeats the request of the shown attempt; `None` where nothing was sent.
    fn curl_now(self) -> Option<String> {
        let at = self.present.get_untracked()?;
        self.attempts.with_untracked(|attempts| attempts.get(at).and_then(attempt_model::curl))
    }
}

/// The delivery, once it is loaded: what it is, why it stands where it stands, its attempts, and one of them
/// in full.
#[component]
fn Content(
    /// The delivery in full.
    detail: Fetched<DeliveryDetail>,
    /// The list beside it.
    list: List<DeliveryView>,
) -> AnyView {
    let opened = Opened::new(detail);
    let reason = move || {
        detail.value.with(|detail| {
            let detail = detail.as_ref()?;
            Some(notice(
                state_word(detail.delivery.state).0,
                detail.reason.headline.clone(),
                detail.reason.advice.clone(),
            ))
        })
    };
    view! {
        <Head opened=opened list=list />
        {move || reason()}
        <ToDoctor opened=opened />
        <Attempts opened=opened />
        <Shown opened=opened />
    }
    .into_any()
}

/// The way to the signature doctor with the attempt that is shown, where it was refused as one is whose
/// signature does not verify.
#[component]
fn ToDoctor(
    /// The delivery.
    opened: Opened,
) -> AnyView {
    let doctor = link(Area::Doctor);
    let refused = Memo::new(move |_| {
        let at = opened.present.get()?;
        opened.attempts.with(|attempts| {
            attempts
                .get(at)
                .filter(|attempt| asks_for_a_doctor(attempt))
                .map(|attempt| attempt.attempt.number)
        })
    });
    let shown = move || {
        let (number, id) = (refused.get()?, opened.id_now()?);
        let query = Query::default().with("delivery", Some(&id)).with("attempt", Some(&number.to_string()));
        let href = format!("{doctor}{}", query.text());
        Some(view! {
            <p class="hint">
                "Many receivers answer so when the signature does not verify. "<a href=href>"Check with the signature doctor"</a>
            </p>
        }
        .into_any())
    };
    view! { {move || shown()} }.into_any()
}

/// What the delivery is, and what can be done with it: event type and webhook as the heading, ids below. A
/// webhook that was deleted since has no name any more.
#[component]
fn Head(
    /// The delivery.
    opened: Opened,
    /// The list beside it, where the change shows at once.
    list: List<DeliveryView>,
) -> AnyView {
    let (clock, name) = (use_clock(), use_project().name().clone());
    let state = badge(move || {
        opened.delivery.with(|delivery| {
            delivery.as_ref().map(|delivery| model::standing(delivery, clock.now())).unwrap_or_default()
        })
    });
    let webhook = Memo::new(move |_| {
        opened.delivery.with(|delivery| delivery.as_ref().and_then(|delivery| delivery.webhook.clone()))
    });
    let webhook_link = move || match webhook.get() {
        Some(webhook) => {
            let href = Place::Project(name.clone(), Area::Webhook(webhook.clone())).path();
            view! { <a href=href>{webhook}</a> }.into_any()
        }
        None => view! { <span class="faint">"(deleted webhook)"</span> }.into_any(),
    };
    let kind = move || opened.text(|delivery| delivery.kind.clone());
    let ids = move || opened.text(|delivery| format!("{} · webhook-id {}", delivery.id, delivery.message_id));
    view! {
        <header class="drawer-head">
            <h2>{state}<span class="mono">{move || kind()}</span><span class="faint">" → "</span>{move || webhook_link()}</h2>
            <p class="mono faint clip">{move || ids()}</p>
            <Actions opened=opened list=list />
        </header>
    }
    .into_any()
}

/// Resend (R), copy the request of the shown attempt as a command, the way to the event, and cancel, as long
/// as there is something to cancel. What the token may not do is not offered.
///
/// Resending twice in a hurry is one resend. What follows is shown by the feed, like every other change.
#[component]
fn Actions(
    /// The delivery.
    opened: Opened,
    /// The list beside it.
    list: List<DeliveryView>,
) -> AnyView {
    let (project, toasts) = (use_project(), use_toasts());
    let busy = RwSignal::new(false);
    let api = StoredValue::new_local(project);
    let resend = move || {
        let Some(id) = opened.id_now().filter(|_| !busy.get_untracked()) else { return };
        busy.set(true);
        when(api.with_value(|api| api.retry_delivery(&id)), move |answer| {
            match answer {
                Ok(changed) => {
                    toasts.say("Resent: the next attempt is under way");
                    list.update(&changed);
                    opened.detail.reload();
                }
                Err(failure) => toasts.complain(failure.to_string()),
            }
            busy.set(false);
        });
    };
    let cancel = move || {
        let Some(id) = opened.id_now() else { return };
        when(api.with_value(|api| api.cancel_delivery(&id)), move |answer| match answer {
            Ok(()) => {
                toasts.say("Cancelled: nothing more is sent unless it is resent");
                // The button goes with what it was for.
                focus::now(".drawer");
                opened.detail.reload();
                list.page.reload();
            }
            Err(failure) => toasts.complain(failure.to_string()),
        });
    };
    let copy_curl = move || match opened.curl_now() {
        Some(command) => copy(toasts, "Command", command),
        None => toasts.complain("Nothing was sent in this attempt, so there is nothing to copy."),
    };
    let (may_resend, may_cancel) = (use_may(Operation::RetryDelivery), use_may(Operation::CancelDelivery));
    use_shortcut("R", "Resend this delivery", move || {
        if may_resend.get_untracked() {
            resend();
        }
    });
    let resend_button = move || {
        may_resend.get().then(|| {
            view! { <Button label="Resend" look=Look::Primary icon=Icon::Again shortcut="R" disabled=busy on_press=move |()| resend() /> }
                .into_any()
        })
    };
    let can_cancel = Memo::new(move |_| {
        let is_open = |delivery: &DeliveryView| !delivery.state.is_final();
        may_cancel.get() && opened.delivery.with(|delivery| delivery.as_ref().is_some_and(is_open))
    });
    let (events, event) =
        (link(Area::Events), Memo::new(move |_| opened.text(|delivery| delivery.event_id.clone())));
    let event_address = Signal::derive(move || {
        format!("{events}{}", Query::default().with("open", Some(&event.get())).text())
    });
    let cancel_button = move || {
        can_cancel
            .get()
            .then(|| view! { <Button label="Cancel delivery" on_press=move |()| cancel() /> }.into_any())
    };
    view! {
        <div class="page-actions">
            {move || resend_button()}
            <Button label="Copy as curl" icon=Icon::Copy on_press=move |()| copy_curl() />
            <LinkButton label="Open the event" href=event_address icon=Icon::Event />
            {cancel_button}
        </div>
    }
    .into_any()
}

/// The attempts, the latest first: what is still to come stands on top.
///
/// Numbers count down with the rows (`reversed`), so that a screen reader says the number that is shown.
#[component]
fn Attempts(
    /// The delivery.
    opened: Opened,
) -> AnyView {
    let clock = use_clock();
    let next = move || next_attempt(opened.delivery, opened.attempts, clock);
    let made = move || {
        opened.attempts.with(|attempts| {
            let row = |(at, attempt)| {
                attempt_row(attempt, Signal::derive(move || opened.present.get() == Some(at)), opened.chosen)
            };
            attempts.iter().enumerate().rev().map(row).collect_view()
        })
    };
    view! {
        <ol class="attempts" reversed=true aria-label="Attempts">
            {move || next()}
            {move || made()}
        </ol>
    }
    .into_any()
}

/// The chosen attempt in full: request, response, the difference to the attempt before, and the event. Before
/// the first attempt there is the event alone. The open tab stays open from one attempt to another.
#[component]
fn Shown(
    /// The delivery.
    opened: Opened,
) -> AnyView {
    let tab = RwSignal::new("request");
    (move || {
        let event = opened.detail.value.with(|detail| detail.as_ref().map(|detail| detail.event.clone()));
        opened.attempts.with(|attempts| {
            match opened.present.get().and_then(|at| Some((at, attempts.get(at)?.clone()))) {
                Some((at, attempt)) => {
                    let before = at.checked_sub(1).and_then(|at| attempts.get(at).cloned());
                    attempt_tabs(tab, attempt, before, event)
                }
                None => event.map(|event| event_facts(&event)).into_any(),
            }
        })
    })
    .into_any()
}

/// The attempt that is still to come, with the time until it and where that time comes from: the schedule, or
/// what the receiver asked for. Nothing once the delivery has ended.
///
/// A delivery that is held has no time: what it waits for is said in the reason above, and no clock would be
/// right. The countdown is the page's clock against a time of the server.
fn next_attempt(
    delivery: Memo<Option<DeliveryView>>,
    attempts: Memo<Vec<AttemptView>>,
    clock: Clock,
) -> Option<AnyView> {
    let delivery = delivery.get().filter(|delivery| !delivery.state.is_final())?;
    let number = delivery.attempts + 1;
    let is_running = delivery.state == State::Leased;
    let about = if is_running {
        String::from("under way")
    } else if model::is_held(&delivery) {
        String::from("held: the reason is above")
    } else {
        let asked_s = attempts.with(|attempts| attempts.last().and_then(asked_s));
        model::schedule_words(
            delivery.attempts,
            delivery.next_at.map(|next_at| next_at.ms_since(delivery.updated_at)),
            asked_s,
        )
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
    Some(
        view! {
            <li class="attempt next">
                <i class="dot" aria-hidden="true"></i>
                <span class="attempt-words"><b>{format!("Attempt {number}")}</b><small>{about}</small></span>
                <b class="number">{move || left()}</b>
            </li>
        }
        .into_any(),
    )
}

/// The seconds that the answer to an attempt asked for, by `Retry-After` or a rate limit's headers.
fn asked_s(attempt: &AttemptView) -> Option<u32> {
    let record = &attempt.attempt;
    let arrived_at = record.started_at.plus_ms(i64::from(record.duration_ms));
    record.response.as_ref().and_then(|response| response.asks(arrived_at).retry_after?.wait_s())
}

/// An attempt that was made; pressed, it is the one that is shown.
///
/// A failed attempt is "busy", not "bad", in its colour: only a delivery that was given up is bad, and the
/// reason above says so.
fn attempt_row(attempt: &AttemptView, is_chosen: Signal<bool>, chosen: RwSignal<Option<u32>>) -> AnyView {
    let record = &attempt.attempt;
    let number = record.number;
    let result = attempt_model::result(record);
    let tone = if attempt_model::is_delivered(record) { Tone::Good } else { Tone::Busy };
    let by_hand = if record.trigger == Trigger::Resend { " · resent by hand" } else { "" };
    let when = format!("{}{by_hand}", words::time_of_day(record.started_at, offset_min(record.started_at)));
    view! {
        <li class=format!("attempt {}", tone.class()) class:chosen=is_chosen>
            <i class="dot" aria-hidden="true"></i>
            <button
                type="button"
                class="attempt-words"
                aria-pressed=move || is_chosen.get().to_string()
                on:click=move |_| chosen.set(Some(number))
            >
                <b>{format!("Attempt {number} · {result}")}</b>
                <small>{when}</small>
            </button>
            <span class="number faint">{words::duration(record.duration_ms)}</span>
        </li>
    }
    .into_any()
}
