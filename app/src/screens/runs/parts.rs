//! What is large of a run: its log, its results, its chain and its callbacks.

use leptos::prelude::*;
use postern_core::api::run::{CallbackAttemptView, CallbackView, RunDetail, RunView};
use postern_core::run::{CallbackKind, CallbackState, RunState};

use super::model;
use crate::browser::clock::{Clock, offset_min};
use crate::ui::badge::badge_of;
use crate::ui::button::Button;
use crate::ui::code::code_block;
use crate::ui::form::Sending;
use crate::ui::icon::Icon;
use crate::words;

/// What is large: log, results, chain, callbacks.
///
/// The log and the chain are always there, results and callbacks only where the run has them. `resend` is
/// called with the kind of the callback to send again, `resending` is that call.
pub(super) fn parts_of(
    run: &RunDetail,
    resending: Sending,
    resend: Callback<CallbackKind>,
    clock: Clock,
) -> AnyView {
    let log = if run.log.is_empty() {
        view! { <p class="hint">"Nothing was logged."</p> }.into_any()
    } else {
        code_block("Log", model::log_text(run))
    };
    let results = run.results.as_ref().map(|results| {
        view! { <section class="card pad stack"><h2>"Results"</h2>{code_block("Results", String::from(results.get()))}</section> }
            .into_any()
    });
    let row = |callback| callback_row(callback, run.state, resending, resend, clock);
    let callbacks = (!run.callbacks.is_empty()).then(|| {
        view! {
            <section class="card" aria-label="Callbacks">
                <h2 class="card-head">"Callbacks"</h2>
                <ul>{run.callbacks.iter().map(row).collect_view()}</ul>
            </section>
        }
        .into_any()
    });
    view! {
        <section class="card pad stack"><h2>"Log"</h2>{log}</section>
        {results}
        {callbacks}
        <section class="card pad stack"><h2>"Chain"</h2>{code_block("Chain", String::from(run.chain.get()))}</section>
    }
    .into_any()
}

/// A callback, with its calls and what can be done about it.
///
/// A probe belongs to the start of a run and can't be sent again. The reason stands there until the callback
/// was delivered, and says what to do as well as what went wrong.
fn callback_row(
    callback: &CallbackView,
    run: RunState,
    resending: Sending,
    resend: Callback<CallbackKind>,
    clock: Clock,
) -> AnyView {
    let (tone, word, what) = model::callback_words(callback);
    let calls = callback
        .attempts
        .iter()
        .map(|call| view! { <span class="faint">{call_words(call)}</span> }.into_any())
        .collect_view();
    let next_at = callback.next_at.filter(|_| callback.state == CallbackState::Waiting);
    let next = next_at.map(|at| {
        let left = (move || words::countdown(clock.now(), at)).into_any();
        view! { <span class="faint">"Next call "{left}</span> }.into_any()
    });
    let reason = (callback.state != CallbackState::Delivered).then(|| {
        let line = format!("{}. {}", callback.reason.headline, callback.reason.advice);
        view! { <span>{line}</span> }.into_any()
    });
    let kind = callback.kind;
    let again = model::can_resend(run, callback).then(|| {
        view! { <Button label="Send again" icon=Icon::Again about=what disabled=resending.busy() on_press=move |()| resend.run(kind) /> }.into_any()
    });
    view! {
        <li class="replay">
            {badge_of(tone, &word)}
            <div class="replay-words">
                <span>{what}" "<span class="mono faint">{callback.url.clone()}</span></span>
                {reason}{calls}{next}
            </div>
            {again}
        </li>
    }
    .into_any()
}

/// One call of a callback in a line.
fn call_words(call: &CallbackAttemptView) -> String {
    let at = call.attempt.started_at;
    let (time, took) = (words::time_of_day(at, offset_min(at)), words::duration(call.attempt.duration_ms));
    format!("{}. {time} · {} in {took}", call.attempt.number, call.result)
}

/// The bar of a run that is at work, or that said how far it came.
///
/// Nothing where no progress was ever said: an empty bar would look like one that stands still.
pub(super) fn bar(run: Signal<Option<RunView>>) -> AnyView {
    let has_bar = Memo::new(move |_| run.with(|run| run.as_ref().is_some_and(|run| run.progress.is_some())));
    let percent = move || {
        run.with(|run| run.as_ref().and_then(|run| run.progress).map(|progress| progress.percent.to_string()))
    };
    let words = move || run.with(|run| run.as_ref().map(model::progress_words).unwrap_or_default());
    (move || {
        has_bar.get().then(|| {
            view! {
                <progress max="100" value=percent aria-label="Progress"></progress>
                <span class="faint">{move || words()}</span>
            }
            .into_any()
        })
    })
    .into_any()
}
