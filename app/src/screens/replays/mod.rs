//! Replays: sending again what was sent before, or what never was. A dialog that counts first, and the list of replays with
//! their progress. Both are part of the screen of deliveries; other screens lead there with the dialog filled in.

pub(crate) mod model;

use std::time::Duration;

use leptos::prelude::*;
use postern_core::api::live::LiveEvent;
use postern_core::api::page::Page;
use postern_core::api::replay::{ReplayCount, ReplayState, ReplayView};
use postern_core::replay::STATES;

use self::model::Draft;
pub(crate) use self::model::Kind;
use crate::api::{ApiFailure, use_project};
use crate::browser::clock::{offset_min, use_clock};
use crate::dom::{CollectView, View, flag, hears, keyed, part, text, truth, value, view};
use crate::fetched::{Fetched, effect};
use crate::live::use_live;
use crate::nav::use_nav;
use crate::routes::{Area, Query};
use crate::screens::webhooks::model::state_word;
use crate::shell::link;
use crate::state::{Memo, RwSignal, Signal};
use crate::ui::badge::badge;
use crate::ui::button::{Button, Look};
use crate::ui::dialog::Dialog;
use crate::ui::field::{Choice, TextField};
use crate::ui::form::{IN_DIALOG, Sending, fault_when, is_complete};
use crate::ui::icon::Icon;
use crate::ui::notice::refusal;
use crate::ui::toast::use_toasts;
use crate::words;

/// How often running replays are asked for, in case the live feed is not there to tell.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The values of the address that belong to the dialog, and to nothing else on its screen.
const OWN_VALUES: [&str; 3] = ["replay", "since", "until"];

/// The address of the dialog. `query` fills it in: `webhook`, `since` and `until` (RFC 3339), `type`, `state`.
pub(crate) fn address(kind: Kind, query: &Query) -> String {
    format!("{}{}", link(Area::Deliveries), query.clone().with("replay", Some(kind.as_str())).text())
}

/// The replays of the project, kept up to date.
pub(crate) fn list_of() -> Fetched<Page<ReplayView>> {
    let project = use_project();
    let replays = Fetched::new({
        let project = project.clone();
        move || project.replays(&Query::default().with("limit", Some("20")))
    });
    use_live().on_change(move |event| match event {
        LiveEvent::Replay { replay } => take_in(replays, replay),
        LiveEvent::Many => replays.reload(),
        LiveEvent::Delivery { .. }
        | LiveEvent::Webhooks
        | LiveEvent::Test { .. }
        | LiveEvent::InboxRequest { .. }
        | LiveEvent::Run { .. } => {}
    });
    let look = move || {
        let running = replays.value.with_untracked(|page| {
            page.as_ref()
                .and_then(|page| page.items.iter().find(|replay| replay.state == ReplayState::Running).map(|replay| replay.id.clone()))
        });
        if let Some(id) = running {
            // A failure is not worth a word here: the next look is soon.
            crate::fetched::when(project.replay(&id), move |answer| {
                if let Ok(replay) = answer {
                    take_in(replays, &replay);
                }
            });
        }
    };
    if let Ok(interval) = set_interval_with_handle(look, LOOK_EVERY) {
        on_cleanup(move || interval.clear());
    }
    replays
}

fn take_in(list: Fetched<Page<ReplayView>>, replay: &ReplayView) {
    list.value.update(|page| {
        if let Some(page) = page {
            model::take_in(page, replay);
        }
    });
}

/// How long a replay that has ended stays in sight.
const RECENT_MS: i64 = 10 * 60_000;

/// The list: what runs or has just ended; the others folded away. Nothing where there was never any.
#[component]
pub(crate) fn Replays(
    /// See [`list_of`].
    list: Fetched<Page<ReplayView>>,
) -> View {
    let (project, toasts, clock) = (use_project(), use_toasts(), use_clock());
    let api = StoredValue::new_local(project);
    let row = move |id: String| {
        let wanted = id.clone();
        let found = Memo::new(move || {
            list.value.with(|page| page.as_ref().and_then(|page| page.items.iter().find(|replay| replay.id == wanted).cloned()))
        });
        let of = move |part: fn(&ReplayView) -> String| text(move || found.with(|replay| replay.as_ref().map(part).unwrap_or_default()));
        let state = badge(move || found.with(|replay| replay.as_ref().map(model::standing).unwrap_or_default()));
        let is_running = Memo::new(move || found.with(|replay| replay.as_ref().is_some_and(|replay| replay.state == ReplayState::Running)));
        let number =
            move |part: fn(&ReplayView) -> u32| value(move || found.with(|replay| replay.as_ref().map(|replay| part(replay).to_string())));
        let bar = move || {
            is_running.get().then(|| {
                view! {
                    <progress max=number(|replay| replay.total.max(1)) value=number(|replay| replay.scanned) aria-label="How far it is"></progress>
                }
            })
        };
        let sending = Sending::new();
        let cancel = move || {
            let id = id.clone();
            sending.send(api.with_value(|api| api.cancel_replay(&id)), move |answer| match answer {
                Ok(replay) => {
                    toasts.say("Replay cancelled: what it has sent stays sent");
                    take_in(list, &replay);
                }
                Err(failure) => {
                    toasts.complain(failure.to_string());
                    list.reload();
                }
            });
        };
        let cancel = StoredValue::new_local(cancel);
        let button = move || {
            is_running.get().then(|| view! { <Button label="Cancel replay" on_press=move |()| cancel.with_value(|cancel| cancel()) /> })
        };
        let when = move || found.with(|replay| replay.as_ref().map(|replay| words::ago(clock.now(), replay.created_at)));
        view! {
            <li class="replay">
                {state}
                <div class="replay-words">
                    <span>{of(|replay| model::query_words(&replay.query, |at| words::date_time(at, offset_min(at))))}</span>
                    {part(bar)}
                    <span class="faint">{of(model::progress_words)}" · "{part(when)}</span>
                </div>
                {part(button)}
            </li>
        }
    };
    let row = StoredValue::new_local(row);
    let ids = Memo::new(move || {
        list.value.with(|page| {
            let items = page.as_ref().map(|page| page.items.as_slice()).unwrap_or_default();
            let is_recent = |replay: &ReplayView| replay.ended_at.is_none_or(|ended_at| clock.now().ms_since(ended_at) < RECENT_MS);
            let (recent, earlier): (Vec<&ReplayView>, Vec<&ReplayView>) = items.iter().partition(|replay| is_recent(replay));
            let ids = |replays: Vec<&ReplayView>| replays.into_iter().map(|replay| replay.id.clone()).collect::<Vec<_>>();
            (ids(recent), ids(earlier))
        })
    });
    let has_earlier = Memo::new(move || ids.with(|(_, earlier)| !earlier.is_empty()));
    let earlier = move || {
        has_earlier.get().then(|| {
            view! {
                <details class="fold">
                    <summary>"Earlier replays"</summary>
                    <ul>{keyed(move || ids.get().1, move |id| row.with_value(|row| row(id)))}</ul>
                </details>
            }
        })
    };
    let has_recent = Memo::new(move || ids.with(|(recent, _)| !recent.is_empty()));
    let recent = move || {
        has_recent.get().then(|| {
            view! {
                <h2 class="card-head">"Replays"</h2>
                <ul aria-label="Replays">{keyed(move || ids.get().0, move |id| row.with_value(|row| row(id)))}</ul>
            }
        })
    };
    let is_there = Memo::new(move || has_recent.get() || has_earlier.get());
    part(move || is_there.get().then(|| view! { <section class="card" aria-label="Replays">{part(recent)}{part(earlier)}</section> }))
}

/// The dialog: open as long as the address has `replay`.
#[component]
pub(crate) fn ReplayDialog(
    /// Takes in what was started.
    list: Fetched<Page<ReplayView>>,
    /// The names of the project's webhooks.
    webhooks: Signal<Vec<String>>,
) -> View {
    let nav = use_nav();
    let is_open = RwSignal::new(nav.query_now().value("replay").is_some());
    effect(move || {
        let wanted = nav.value("replay").is_some();
        if is_open.get_untracked() != wanted {
            is_open.set(wanted);
        }
    });
    effect(move || {
        if !is_open.get() && nav.query_now().value("replay").is_some() {
            for key in OWN_VALUES {
                nav.filter(key, None);
            }
        }
    });
    view! { <Dialog open=is_open title="Replay" class="wide"><Form list=list webhooks=webhooks is_open=is_open /></Dialog> }
}

#[component]
fn Form(list: Fetched<Page<ReplayView>>, webhooks: Signal<Vec<String>>, is_open: RwSignal<bool>) -> View {
    let (nav, project, toasts) = (use_nav(), use_project(), use_toasts());
    let start = Draft::of(&nav.query_now(), offset_min);
    let [kind, webhook, since, until, types] = [start.kind, start.webhook, start.since, start.until, start.types].map(RwSignal::new);
    let states = start.states.map(RwSignal::new);
    let draft = Memo::new(move || Draft {
        kind: kind.get(),
        webhook: webhook.get(),
        since: since.get(),
        until: until.get(),
        states: states.map(RwSignal::get),
        types: types.get(),
    });
    let faults = Memo::new(move || draft.with(|draft| model::faults(&draft.json(true, offset_min))));
    let is_sent = RwSignal::new(false);
    let fault = move |field: &'static str| fault_when(faults, field, move || is_sent.get());
    let failure = RwSignal::new(None::<ApiFailure>);
    // What was counted, and for which draft: a count of something else says nothing.
    let counted = RwSignal::new(None::<(Draft, ReplayCount)>);
    let count = Memo::new(move || {
        counted.with(|counted| counted.as_ref().filter(|(of, _)| draft.with(|draft| of == draft)).map(|(_, count)| *count))
    });
    let (counting, starting) = (Sending::new(), Sending::new());
    let api = StoredValue::new_local(project);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        is_sent.set(true);
        if !is_complete(faults, IN_DIALOG) {
            return;
        }
        failure.set(None);
        let of = draft.get_untracked();
        let body = of.json(true, offset_min);
        counting.send(api.with_value(|api| api.count_replay(&body)), move |answer| match answer {
            Ok(count) => counted.set(Some((of, count))),
            Err(refused) => failure.set(Some(refused)),
        });
    };
    let begin = move || {
        let body = draft.with_untracked(|draft| draft.json(false, offset_min));
        starting.send(api.with_value(|api| api.create_replay(&body)), move |answer| match answer {
            Ok(replay) => {
                toasts.say("Replay started: deliveries go out as their webhooks take them");
                take_in(list, &replay);
                is_open.set(false);
            }
            Err(refused) => failure.set(Some(refused)),
        });
    };
    let kinds = vec![
        (Kind::Ended.as_str(), "Deliveries that ended", "they are sent again, and repeated on the schedule"),
        (Kind::Missing.as_str(), "Events that a webhook never got", "those that it wants now and has no delivery of"),
    ];
    let is_missing = Memo::new(move || draft.with(Draft::is_missing));
    let state_chips = move || {
        let chip = |(state, is_on): (postern_core::delivery::State, RwSignal<bool>)| {
            view! {
                <button type="button" class="chip" class:on=flag(move || is_on.get()) aria-pressed=truth(move || is_on.get()) on:click=hears(move |_| is_on.update(|is_on| *is_on = !*is_on))>
                    {state_word(state).1}
                </button>
            }
        };
        (!is_missing.get()).then(|| {
            view! {
                <div class="field">
                    <span class="field-name" aria-hidden="true">"States"</span>
                    <div class="chips" role="group" aria-label="States">{STATES.into_iter().zip(states).map(chip).collect_view()}</div>
                    {part(move || fault("states").get().map(|words| view! { <p class="fault" role="alert">{words}</p> }))}
                </div>
            }
        })
    };
    let said = move || count.get().map(|count| view! { <p><b>{model::count_words(count, is_missing.get())}</b></p> });
    let start_label = Signal::derive(move || match (count.get().map(|count| count.count), is_missing.get()) {
        (Some(1), false) => String::from("Send 1 delivery again"),
        (Some(1), true) => String::from("Send 1 event"),
        (Some(number), false) => format!("Send {} deliveries again", words::number(u64::from(number))),
        (Some(number), true) => format!("Send {} events", words::number(u64::from(number))),
        (None, _) => String::new(),
    });
    let can_start = Memo::new(move || count.get().is_some_and(|count| count.count > 0));
    let start_button = move || {
        can_start.get().then(|| view! { <Button label=start_label look=Look::Primary icon=Icon::Again disabled=starting.busy() on_press=move |()| begin() /> })
    };
    let count_button = move || {
        let look = if can_start.get() { Look::Plain } else { Look::Primary };
        view! { <Button label="Count" look=look submits=true disabled=counting.busy() /> }
    };
    let webhook_hint = Signal::derive(move || String::from(if is_missing.get() { "Which one missed them" } else { "Empty: all of them" }));
    view! {
        <form on:submit=hears(submit) novalidate=true>
            <Choice label="What" value=kind options=kinds />
            <TextField label="Webhook" value=webhook first=true suggestions=webhooks hint=webhook_hint fault=fault("webhook") />
            <div class="halves">
                <TextField label="Since" value=since kind="datetime-local" hint="When the event was accepted. Empty: from the first" fault=fault("since") />
                <TextField label="Until" value=until kind="datetime-local" hint="Empty: until now" fault=fault("until") />
            </div>
            {part(state_chips)}
            <TextField label="Event types" value=types mono=true placeholder="order.paid order.*" hint="Empty: all types" fault=fault("types") />
            {refusal(failure)}
            <div role="status" aria-label="Count">{part(said)}</div>
            <div class="dialog-foot">{part(count_button)}{part(start_button)}</div>
        </form>
    }
}
