//! One run.

use leptos::prelude::*;
use postern_core::api::live::ChangeKind;
use postern_core::api::run::{RunDetail, RunView};
use postern_core::run::CallbackKind;

use super::model;
use super::parts::{bar, parts_of};
use crate::api::{ProjectApi, use_project};
use crate::browser::clock::use_clock;
use crate::fetched::{Fetched, effect};
use crate::live::{calmly, use_live};
use crate::project::link;
use crate::routes::Area;
use crate::ui::badge::badge;
use crate::ui::button::{Button, Look};
use crate::ui::copy::copy_button;
use crate::ui::dialog::Dialog;
use crate::ui::form::Sending;
use crate::ui::live_dot::live_dot;
use crate::ui::loaded::loaded;
use crate::ui::page_head::PageHead;
use crate::ui::skeleton;
use crate::ui::toast::use_toasts;
use crate::words;

/// A run as it is known.
///
/// Two sources, because they cost differently: the feed tells `latest` with every step, `detail` with its log
/// is loaded after a pause.
#[derive(Clone, Copy)]
struct Shown {
    /// The API.
    api: StoredValue<ProjectApi, LocalStorage>,
    /// `run_…`
    id: StoredValue<String>,
    /// All of it, as it was loaded.
    detail: Fetched<RunDetail>,
    /// What a list shows of it, as it is now.
    latest: RwSignal<Option<RunView>>,
}

impl Shown {
    /// Loads the run and follows it as long as the screen is there.
    fn new(id: String) -> Self {
        let (api, id) = (StoredValue::new_local(use_project()), StoredValue::new(id));
        let detail = Fetched::new(move || api.with_value(|api| id.with_value(|id| api.run(id))));
        let latest = RwSignal::new(None::<RunView>);
        effect(move || {
            let fetched = detail.value.with(|detail| detail.as_ref().map(RunDetail::view));
            if fetched.is_some() {
                latest.set(fetched);
            }
        });
        // The feed tells what a list shows; log, results and callbacks are fetched again, not with every
        // step.
        let reload = calmly(move || detail.reload());
        use_live().on_change(move |change| {
            if let Some(run) = change.run().filter(|run| id.with_value(|id| *id == run.id)) {
                latest.set(Some(run));
                reload();
            } else if change.kind() == ChangeKind::Many {
                detail.reload();
            }
        });
        Self { api, id, detail, latest }
    }

    /// A text of it; reactive.
    fn text(self, part: fn(&RunView) -> String) -> AnyView {
        (move || self.latest.with(|run| run.as_ref().map(part).unwrap_or_default())).into_any()
    }
}

/// One run.
///
/// The button that terminates it goes away when the run ends, whoever ended it. The heading is the label
/// `name` of the run, if it has one.
#[component]
pub(crate) fn Run(
    /// `run_…`
    id: String,
) -> AnyView {
    let (live, shown) = (use_live(), Shown::new(id.clone()));
    let latest = shown.latest;
    let title = Signal::derive(move || {
        latest.with(|run| run.as_ref().map_or_else(|| String::from("Run"), model::title))
    });
    let is_open =
        Memo::new(move |_| latest.with(|run| run.as_ref().is_some_and(|run| !run.state.is_final())));
    let is_asking = RwSignal::new(false);
    let terminate = move || {
        is_open.get().then(|| view! { <Button label="Terminate" look=Look::Danger on_press=move |()| is_asking.set(true) /> }.into_any())
    };
    view! {
        <PageHead title=title above=("Runs", link(Area::Runs))>
            {live_dot(live)}
            {move || terminate()}
        </PageHead>
        <div class="url-line"><span class="mono break">{id.clone()}</span>{copy_button("Run id", move || id.clone())}</div>
        {loaded(shown.detail, skeleton::text, content(shown))}
        <TerminateDialog shown=shown is_asking=is_asking />
    }
    .into_any()
}

/// How far the run is, and what is large of it.
///
/// The first card is written from the feed, step by step. What is below it is drawn anew with each load, at
/// most once in a second and a half.
fn content(shown: Shown) -> impl Fn() -> AnyView + Send + 'static {
    let (clock, resending) = (use_clock(), Sending::new());
    let resend = resend_of(shown, resending);
    let latest = shown.latest;
    let when = move || latest.with(|run| run.as_ref().map(|run| model::time_words(run, clock.now())));
    let advice = move || {
        let words = latest.with(|run| run.as_ref().map(model::advice).unwrap_or_default());
        (!words.is_empty()).then(|| view! { <p class="hint">{words}</p> }.into_any())
    };
    move || {
        let large = move || {
            shown
                .detail
                .value
                .with(|detail| detail.as_ref().map(|run| parts_of(run, resending, resend, clock)))
        };
        view! {
            <section class="card pad stack" aria-label="Progress">
                <div class="with-copy">
                    {badge(move || latest.with(|run| run.as_ref().map(model::standing).unwrap_or_default()))}
                    <span role="status">{shown.text(|run| run.message.clone())}</span>
                </div>
                {bar(Signal::derive(move || latest.get()))}
                {move || advice()}
                <p class="faint">{move || when()}" · "{shown.text(|run| words::count(run.claim, "claim", "claims"))}</p>
            </section>
            {move || large()}
        }
        .into_any()
    }
}

/// Sends a callback again.
///
/// Whatever the answer is, the run is loaded again: a refusal mostly means that the callback has moved on
/// since.
fn resend_of(shown: Shown, resending: Sending) -> Callback<CallbackKind> {
    let toasts = use_toasts();
    Callback::new(move |kind: CallbackKind| {
        let call = shown.api.with_value(|api| shown.id.with_value(|id| api.retry_run_callback(id, kind)));
        resending.send(call, move |answer| {
            match answer {
                Ok(run) => {
                    toasts.say("It is being called now");
                    shown.latest.set(Some(run));
                }
                Err(failure) => toasts.complain(failure.to_string()),
            }
            shown.detail.reload();
        });
    })
}

/// Asks before the run is terminated.
///
/// A question, not an undo: an executor may have taken the end before it could be taken back.
#[component]
fn TerminateDialog(shown: Shown, is_asking: RwSignal<bool>) -> AnyView {
    let (toasts, terminating) = (use_toasts(), Sending::new());
    let terminate = move || {
        terminating.send(
            shown.api.with_value(|api| shown.id.with_value(|id| api.terminate_run(id))),
            move |answer| {
                is_asking.set(false);
                match answer {
                    Ok(run) => {
                        toasts.say("Run terminated: its executor is told at its next update");
                        shown.latest.set(Some(run));
                    }
                    Err(failure) => {
                        toasts.complain(failure.to_string());
                        shown.detail.reload();
                    }
                }
            },
        );
    };
    view! {
        <Dialog open=is_asking title="Terminate this run?">
            <p>"Its executor is told to stop at its next update. What it has done stays done; a run can't \
                be resumed."</p>
            <div class="dialog-foot">
                <Button label="Terminate it" look=Look::Danger disabled=terminating.busy() on_press=move |()| terminate() />
                <Button label="Let it run" on_press=move |()| is_asking.set(false) />
            </div>
        </Dialog>
    }
    .into_any()
}
