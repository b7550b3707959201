//! Runs: long jobs that executors do, with a bar that moves while they work. The list, and one run in full.

mod model;

use leptos::prelude::*;
use postern_core::api::live::LiveEvent;
use postern_core::api::page::Page;
use postern_core::api::run::{CallbackView, RunDetail, RunView};
use postern_core::route::{Resource, Route};
use postern_core::run::{CallbackKind, CallbackState, RunState};

use crate::api::use_project;
use crate::browser::clock::{Clock, offset_min, use_clock};
use crate::browser::location;
use crate::dom::{CollectView, View, flag, hears, keyed, part, text, truth, value, view};
use crate::fetched::{Fetched, effect};
use crate::live::use_live;
use crate::nav::use_nav;
use crate::routes::{Area, Query};
use crate::screens::webhooks::calmly;
use crate::shell::{link, live_dot};
use crate::state::{Memo, RwSignal, Signal};
use crate::ui::badge::{badge, badge_of};
use crate::ui::button::{Button, Look};
use crate::ui::code::code_block;
use crate::ui::copy::copy_button;
use crate::ui::dialog::Dialog;
use crate::ui::form::Sending;
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::more::more_button;
use crate::ui::notice::empty;
use crate::ui::page_head::PageHead;
use crate::ui::skeleton;
use crate::ui::toast::use_toasts;
use crate::words;

/// The list.
#[component]
pub(crate) fn Runs() -> View {
    let (project, live, nav, clock) = (use_project(), use_live(), use_nav(), use_clock());
    let api = StoredValue::new_local(project);
    let state = Memo::new(move || nav.value("state").and_then(|text| RunState::parse(&text)));
    let query = move || Query::default().with("limit", Some("50")).with("state", state.get().map(RunState::as_str));
    let list = Fetched::new(move || api.with_value(|api| api.runs(&query())));
    live.on_change(move |event| match event {
        LiveEvent::Run { run } => list.value.update(|page| {
            if let Some(page) = page {
                model::take_in(page, state.get_untracked(), run);
            }
        }),
        LiveEvent::Many => list.reload(),
        LiveEvent::Delivery { .. }
        | LiveEvent::Webhooks
        | LiveEvent::Test { .. }
        | LiveEvent::InboxRequest { .. }
        | LiveEvent::Replay { .. } => {}
    });
    let chips = model::STATES
        .into_iter()
        .map(|(word, wanted)| {
            let is_on = move || state.get() == wanted;
            view! {
                <button type="button" class="chip" class:on=flag(is_on) aria-pressed=truth(is_on) on:click=hears(move |_| nav.filter("state", wanted.map(RunState::as_str)))>
                    {word}
                </button>
            }
        })
        .collect_view();
    let ids =
        move || list.value.with(|page| page.as_ref().map(|page| page.items.iter().map(|run| run.id.clone()).collect()).unwrap_or_default());
    let is_empty = Memo::new(move || list.value.with(|page| page.as_ref().is_none_or(|page| page.items.is_empty())));
    let content = move || {
        if !is_empty.get() {
            let more = more_button(list, "Show older ones", move |next| {
                api.with_value(|api| api.runs(&untrack(query).with("cursor", Some(next))))
            });
            return view! { <ul class="card" aria-label="Runs">{keyed(ids, move |id| row(list, id, clock))}</ul>{more} };
        }
        if state.get().is_some() {
            let clear = view! { <Button label="Show all runs" on_press=move |()| nav.filter("state", None) /> };
            return empty(Icon::Search, "No run is in this state", "Look at all of them.", clear);
        }
        first_run()
    };
    view! {
        <PageHead title="Runs" about="Long jobs that an executor does, with their progress">{live_dot(live)}</PageHead>
        <div class="chips" role="group" aria-label="States">{chips}</div>
        {loaded(list, skeleton::rows, move || part(content))}
    }
}

/// What somebody sees who has no run.
fn first_run() -> View {
    let project = use_project();
    let path = Route::Project(project.name().clone(), Resource::Runs).path();
    let command = model::first_run(&location::origin(), &path);
    let code = code_block("Create a run", command);
    empty(
        Icon::Run,
        "No run yet",
        "A run is a long job: a program of yours claims it, does it, and tells how far it is. Create one with this command, and start the \
         example executor to see it move.",
        code,
    )
}

/// The run with this id in a list.
fn found(list: Fetched<Page<RunView>>, id: String) -> Memo<Option<RunView>> {
    Memo::new(move || list.value.with(|page| page.as_ref().and_then(|page| page.items.iter().find(|run| run.id == id).cloned())))
}

fn row(list: Fetched<Page<RunView>>, id: String, clock: Clock) -> View {
    let href = link(Area::Run(id.clone()));
    let run = found(list, id);
    let of = move |part: fn(&RunView) -> String| text(move || run.with(|run| run.as_ref().map(part).unwrap_or_default()));
    let when = move || run.with(|run| run.as_ref().map(|run| model::time_words(run, clock.now())));
    view! {
        <li class="replay">
            {badge(move || run.with(|run| run.as_ref().map(model::standing).unwrap_or_default()))}
            <div class="replay-words">
                <a data-row="" href=href>{of(model::title)}</a>
                {bar(Signal::derive(move || run.get()))}
                <span class="faint">{of(|run| run.message.clone())}</span>
            </div>
            <span class="faint number">{part(when)}</span>
        </li>
    }
}

/// The bar of a run that is at work, or that said how far it came.
fn bar(run: Signal<Option<RunView>>) -> View {
    let has_bar = Memo::new(move || run.with(|run| run.as_ref().is_some_and(|run| run.progress.is_some())));
    let percent = move || run.with(|run| run.as_ref().and_then(|run| run.progress).map(|progress| progress.percent.to_string()));
    let words = move || run.with(|run| run.as_ref().map(model::progress_words).unwrap_or_default());
    part(move || {
        has_bar.get().then(|| {
            view! {
                <progress max="100" value=value(percent) aria-label="How far it is"></progress>
                <span class="faint">{text(words)}</span>
            }
        })
    })
}

/// One run.
#[component]
pub(crate) fn Run(
    /// `run_…`
    id: String,
) -> View {
    let (project, live, toasts, clock) = (use_project(), use_live(), use_toasts(), use_clock());
    let api = StoredValue::new_local(project);
    let own = StoredValue::new_local(id.clone());
    let detail = Fetched::new(move || api.with_value(|api| api.run(&own.get_value())));
    // The feed tells what a list shows; log, results and callbacks are fetched again, not with every step.
    let latest = RwSignal::new(None::<RunView>);
    effect(move || {
        let fetched = detail.value.with(|detail| detail.as_ref().map(RunDetail::view));
        if fetched.is_some() {
            latest.set(fetched);
        }
    });
    let reload = calmly(move || detail.reload());
    live.on_change(move |event| match event {
        LiveEvent::Run { run } if own.with_value(|own| *own == run.id) => {
            latest.set(Some((**run).clone()));
            reload();
        }
        LiveEvent::Many => detail.reload(),
        LiveEvent::Run { .. }
        | LiveEvent::Delivery { .. }
        | LiveEvent::Webhooks
        | LiveEvent::Test { .. }
        | LiveEvent::InboxRequest { .. }
        | LiveEvent::Replay { .. } => {}
    });
    let title = Signal::derive(move || latest.with(|run| run.as_ref().map_or_else(|| String::from("Run"), model::title)));
    let is_open = Memo::new(move || latest.with(|run| run.as_ref().is_some_and(|run| !run.state.is_final())));
    let (is_asking, terminating) = (RwSignal::new(false), Sending::new());
    let terminate = move || {
        terminating.send(api.with_value(|api| own.with_value(|own| api.terminate_run(own))), move |answer| {
            is_asking.set(false);
            match answer {
                Ok(run) => {
                    toasts.say("Run terminated: its executor is told with its next word");
                    latest.set(Some(run));
                }
                Err(failure) => {
                    toasts.complain(failure.to_string());
                    detail.reload();
                }
            }
        });
    };
    let resending = Sending::new();
    let resend = Callback::new(move |kind: CallbackKind| {
        resending.send(api.with_value(|api| own.with_value(|own| api.retry_run_callback(own, kind))), move |answer| {
            match answer {
                Ok(run) => {
                    toasts.say("It is being called now");
                    latest.set(Some(run));
                }
                Err(failure) => toasts.complain(failure.to_string()),
            }
            detail.reload();
        });
    });
    let terminate_button =
        move || is_open.get().then(|| view! { <Button label="Terminate" look=Look::Danger on_press=move |()| is_asking.set(true) /> });
    let of = move |part: fn(&RunView) -> String| text(move || latest.with(|run| run.as_ref().map(part).unwrap_or_default()));
    let when = move || latest.with(|run| run.as_ref().map(|run| model::time_words(run, clock.now())));
    let advice = move || {
        let words = latest.with(|run| run.as_ref().map(model::advice).unwrap_or_default());
        (!words.is_empty()).then(|| view! { <p class="hint">{words}</p> })
    };
    let content = move || {
        let large = move || detail.value.with(|detail| detail.as_ref().map(|run| parts_of(run, resending, resend, clock)));
        view! {
            <section class="card pad stack" aria-label="Progress">
                <div class="with-copy">
                    {badge(move || latest.with(|run| run.as_ref().map(model::standing).unwrap_or_default()))}
                    <span role="status">{of(|run| run.message.clone())}</span>
                </div>
                {bar(Signal::derive(move || latest.get()))}
                {part(advice)}
                <p class="faint">{part(when)}" · "{of(|run| words::count(run.claim, "claim", "claims"))}</p>
            </section>
            {part(large)}
        }
    };
    view! {
        <PageHead title=title above=("Runs", link(Area::Runs))>
            {live_dot(live)}
            {part(terminate_button)}
        </PageHead>
        <div class="url-line"><span class="mono break">{id.clone()}</span>{copy_button("Run id", move || id.clone())}</div>
        {loaded(detail, skeleton::text, content)}
        <Dialog open=is_asking title="Terminate this run?">
            <p>"Its executor is told to stop with its next word. What it has done stays done; a run can not be taken up again."</p>
            <div class="dialog-foot">
                <Button label="Terminate it" look=Look::Danger disabled=terminating.busy() on_press=move |()| terminate() />
                <Button label="Let it run" on_press=move |()| is_asking.set(false) />
            </div>
        </Dialog>
    }
}

/// What is large: log, results, chain, callbacks.
fn parts_of(run: &RunDetail, resending: Sending, resend: Callback<CallbackKind>, clock: Clock) -> View {
    let log = if run.log.is_empty() {
        view! { <p class="hint">"Nothing was logged."</p> }
    } else {
        code_block("Log", model::log_text(run))
    };
    let results = run.results.as_ref().map(|results| {
        view! { <section class="card pad stack"><h2>"Results"</h2>{code_block("Results", String::from(results.get()))}</section> }
    });
    let row = |callback| callback_row(callback, run.state, resending, resend, clock);
    let callbacks = (!run.callbacks.is_empty()).then(|| {
        view! {
            <section class="card" aria-label="Callbacks">
                <h2 class="card-head">"Callbacks"</h2>
                <ul>{run.callbacks.iter().map(row).collect_view()}</ul>
            </section>
        }
    });
    view! {
        <section class="card pad stack"><h2>"Log"</h2>{log}</section>
        {results}
        {callbacks}
        <section class="card pad stack"><h2>"Chain"</h2>{code_block("Chain", String::from(run.chain.get()))}</section>
    }
}

fn callback_row(callback: &CallbackView, run: RunState, resending: Sending, resend: Callback<CallbackKind>, clock: Clock) -> View {
    let (tone, word, what) = model::callback_words(callback);
    let calls = callback
        .attempts
        .iter()
        .map(|call| {
            let at = call.attempt.started_at;
            let line = format!(
                "{}. {} · {} in {}",
                call.attempt.number,
                words::time_of_day(at, offset_min(at)),
                call.result,
                words::duration(call.attempt.duration_ms)
            );
            view! { <span class="faint">{line}</span> }
        })
        .collect_view();
    let next_at = callback.next_at.filter(|_| callback.state == CallbackState::Waiting);
    let next = next_at.map(|at| {
        let left = text(move || words::countdown(clock.now(), at));
        view! { <span class="faint">"Next call "{left}</span> }
    });
    let reason = (callback.state != CallbackState::Delivered).then(|| {
        let line = format!("{}. {}", callback.reason.headline, callback.reason.advice);
        view! { <span>{line}</span> }
    });
    let kind = callback.kind;
    let again = model::can_resend(run, callback).then(|| {
        view! { <Button label="Send again" icon=Icon::Again about=what disabled=resending.busy() on_press=move |()| resend.run(kind) /> }
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
}
