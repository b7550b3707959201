//! The form of a replay: it says what would be sent again, counts it, and only then offers to start.
//!
//! What was counted belongs to the draft that it was counted for. As soon as anything else is typed, the
//! count and the button that starts go away, so nobody starts what was not counted.

use leptos::prelude::*;
use postern_core::api::page::Page;
use postern_core::api::replay::{ReplayCount, ReplayView};
use postern_core::delivery::State;
use postern_core::replay::STATES;
use reactive_stores::Store;

use super::list::take_in;
use super::model::{self, Kind, ReplayDraft, ReplayDraftStoreFields};
use crate::api::{ApiFailure, use_project};
use crate::browser::clock::{now, offset_min};
use crate::fetched::Fetched;
use crate::nav::use_nav;
use crate::screens::find::asked;
use crate::screens::period::PeriodFields;
use crate::ui::badge::Tone;
use crate::ui::button::{Button, Look};
use crate::ui::field::{Bound, Choice, TextField};
use crate::ui::filter_chip::toggle_chip;
use crate::ui::form::{IN_DIALOG, Sending, fault_when, is_complete};
use crate::ui::icon::Icon;
use crate::ui::notice::{notice, refusal};
use crate::ui::toast::use_toasts;
use crate::words::state_word;

/// What can be sent again: name, words, hint.
const KINDS: [(&str, &str, &str); 2] = [
    (Kind::Ended.as_str(), "Deliveries that ended", "they are sent again, and repeated on the schedule"),
    (
        Kind::Missing.as_str(),
        "Events that a webhook never got",
        "those that it wants now and has no delivery of",
    ),
];

/// The form, filled in as the address asks for: other screens lead here with a webhook, a time or a state.
/// Enter counts.
///
/// It is judged while it is typed, by the parser of the edge, but nothing is said to be wrong before somebody
/// counts: most fields start empty.
#[component]
pub(super) fn ReplayForm(
    /// Takes in what was started.
    list: Fetched<Page<ReplayView>>,
    /// The names of the project's webhooks.
    webhooks: Signal<Vec<String>>,
    /// Whether the dialog around it is open.
    is_open: RwSignal<bool>,
) -> AnyView {
    let (nav, project, toasts) = (use_nav(), use_project(), use_toasts());
    let query = nav.query_now();
    let draft = Store::new(ReplayDraft::of(&asked(&query, now()), offset_min));
    let beyond = model::beyond(&query, offset_min);
    let faults = Memo::new(move |_| draft.with(|draft| model::faults(&draft.count_json(offset_min))));
    let (is_sent, failure) = (RwSignal::new(false), RwSignal::new(None::<ApiFailure>));
    let fault = move |field: &'static str| fault_when(faults, field, move || is_sent.get());
    // What was counted, and for which draft: a count of something else says nothing.
    let counted = RwSignal::new(None::<(ReplayDraft, ReplayCount)>);
    let count = Memo::new(move |_| {
        counted.with(|counted| {
            counted.as_ref().filter(|(of, _)| draft.with(|draft| of == draft)).map(|(_, count)| *count)
        })
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
        let body = of.count_json(offset_min);
        counting.send(api.with_value(|api| api.count_replay(&body)), move |answer| match answer {
            Ok(count) => counted.set(Some((of, count))),
            Err(refused) => failure.set(Some(refused)),
        });
    };
    let start = move |()| {
        let body = draft.with_untracked(|draft| draft.json(offset_min));
        starting.send(api.with_value(|api| api.create_replay(&body)), move |answer| match answer {
            Ok(replay) => {
                toasts.say("Replay started: deliveries go out as their webhooks take them");
                take_in(list, &replay);
                is_open.set(false);
            }
            Err(refused) => failure.set(Some(refused)),
        });
    };
    view! {
        <form on:submit=submit novalidate=true>
            <Beyond draft=draft beyond=beyond />
            <What draft=draft webhooks=webhooks webhook_fault=fault("webhook") />
            <PeriodFields
                since=draft.since()
                until=draft.until()
                since_hint="Optional. When the event was accepted"
                since_fault=fault("since")
                until_fault=fault("until")
            />
            <States draft=draft fault=fault("states") />
            <TextField
                label="Event types"
                value=draft.types()
                mono=true
                placeholder="order.paid order.*"
                hint="Optional: otherwise all types"
                fault=fault("types")
            />
            {refusal(failure)}
            <CountAndStart draft=draft count=count counting=counting starting=starting start=start />
        </form>
    }
    .into_any()
}

/// Says which filters of the list a replay cannot follow, so that nobody takes what is counted here for what
/// the list shows.
#[component]
fn Beyond(
    /// The form.
    draft: Store<ReplayDraft>,
    /// Those filters, in words.
    beyond: Vec<String>,
) -> AnyView {
    let headline = format!("The list is also searched by {}", beyond.join(", "));
    let is_ended = Memo::new(move |_| draft.kind().get() == Kind::Ended);
    (move || {
        (is_ended.get() && !beyond.is_empty()).then(|| {
            let advice =
                "A replay cannot be limited to that: what fits below may be more than the list shows.";
            notice(Tone::Busy, headline.clone(), String::from(advice))
        })
    })
    .into_any()
}

/// What is sent again, and to which webhook. Events that were missed are missed by somebody, so there the
/// webhook is required.
#[component]
fn What(
    /// The form.
    draft: Store<ReplayDraft>,
    /// The names of the project's webhooks.
    webhooks: Signal<Vec<String>>,
    /// What is wrong with the webhook.
    webhook_fault: Signal<Option<String>>,
) -> AnyView {
    let kind = Bound::from(draft.kind()).by_name(Kind::as_str, Kind::parse);
    let hint = Signal::derive(move || {
        String::from(match draft.kind().get() {
            Kind::Missing => "Which one missed them",
            Kind::Ended => "Optional: otherwise all of them",
        })
    });
    view! {
        <Choice label="What" value=kind options=KINDS.to_vec() />
        <TextField label="Webhook" value=draft.webhook() first=true suggestions=webhooks hint=hint fault=webhook_fault />
    }
    .into_any()
}

/// The states that deliveries ended in, to press; at least one is needed. Events without a delivery have no
/// state, so for them there is nothing to choose.
#[component]
fn States(
    /// The form.
    draft: Store<ReplayDraft>,
    /// What is wrong with them.
    fault: Signal<Option<String>>,
) -> AnyView {
    let is_missing = Memo::new(move |_| draft.kind().get() == Kind::Missing);
    let chip = move |(at, state): (usize, State)| {
        let is_on = Memo::new(move |_| draft.states().with(|states| states[at]));
        let press = UnsyncCallback::new(move |()| draft.states().update(|states| states[at] = !states[at]));
        toggle_chip(state_word(state).1, is_on, press)
    };
    let said =
        move || fault.get().map(|words| view! { <p class="fault" role="alert">{words}</p> }.into_any());
    (move || {
        (!is_missing.get()).then(|| {
            view! {
                <div class="field">
                    <span class="field-name" aria-hidden="true">"States"</span>
                    <div class="chips" role="group" aria-label="States">{STATES.into_iter().enumerate().map(chip).collect_view()}</div>
                    {move || said()}
                </div>
            }
            .into_any()
        })
    })
    .into_any()
}

/// How many there are, and the button that sends them, once they are counted. The number is announced, and
/// stands on the button, too: nobody presses it without knowing what it does.
#[component]
fn CountAndStart(
    /// The form.
    draft: Store<ReplayDraft>,
    /// How many there are, if that is known of what the form says now.
    count: Memo<Option<ReplayCount>>,
    /// The call that counts.
    counting: Sending,
    /// The call that starts.
    starting: Sending,
    /// Starts the replay.
    #[prop(into)]
    start: UnsyncCallback<()>,
) -> AnyView {
    let kind = Memo::new(move |_| draft.kind().get());
    let said = move || {
        count.get().map(|count| view! { <p><b>{model::count_words(count, kind.get())}</b></p> }.into_any())
    };
    let label = Signal::derive(move || {
        count.get().map(|count| model::start_words(count, kind.get())).unwrap_or_default()
    });
    let can_start = Memo::new(move |_| count.get().is_some_and(model::may_send));
    // The button that is to be pressed next is the one that stands out.
    let count_button = move || {
        let look = if can_start.get() { Look::Plain } else { Look::Primary };
        view! { <Button label="Count" look=look submits=true disabled=counting.busy() /> }.into_any()
    };
    let start_button = move || {
        can_start.get().then(|| {
            view! { <Button label=label look=Look::Primary icon=Icon::Again disabled=starting.busy() on_press=start /> }.into_any()
        })
    };
    view! {
        <div role="status" aria-label="Count">{move || said()}</div>
        <div class="dialog-foot">{move || count_button()}{move || start_button()}</div>
    }
    .into_any()
}
