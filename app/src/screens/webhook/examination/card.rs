//! The card.

use leptos::prelude::*;
use postern_core::api::test::{TestStatus, TestView};
use postern_core::operation::Operation;

use super::model::{self, Step};
use crate::api::{ProjectApi, use_project};
use crate::caller::use_may;
use crate::fetched::{effect, when};
use crate::screens::webhook::test_panel::watch;
use crate::ui::badge::badge_of;
use crate::ui::button::Button;
use crate::ui::icon::Icon;

/// A check under way.
#[derive(Clone, Copy)]
struct Check {
    /// What makes the calls.
    project: StoredValue<ProjectApi>,
    /// The webhook.
    name: StoredValue<String>,
    /// How far each call is; empty before the first check.
    steps: RwSignal<Vec<Step>>,
    /// Which call is under way.
    at: RwSignal<Option<usize>>,
    /// Its test.
    test: RwSignal<Option<TestView>>,
}

impl Check {
    /// Starts anew, unless a check is under way.
    fn start(self) {
        if self.at.get_untracked().is_none() {
            self.steps.set(vec![Step::Waiting; model::calls().len()]);
            self.go_on(0);
        }
    }

    /// Makes a call; behind the last one the check is over.
    fn go_on(self, at: usize) {
        let Some(variation) = model::calls().get(at).copied() else {
            self.at.set(None);
            return;
        };
        self.at.set(Some(at));
        self.test.set(None);
        self.steps.update(|steps| steps[at] = Step::Running);
        let body = model::body(variation);
        let load =
            self.project.with_value(|project| self.name.with_value(|name| project.test_webhook(name, &body)));
        when(load, move |answer| {
            // The screen may have been left.
            if self.at.try_get_untracked() == Some(Some(at)) {
                match answer {
                    Ok(test) => self.test.set(Some(test)),
                    Err(failure) => self.end(at, Step::refused(&failure)),
                }
            }
        });
    }

    /// Takes in what came of a call.
    fn end(self, at: usize, step: Step) {
        let is_over = step.ends_the_check(model::calls().get(at).copied().flatten());
        self.steps.update(|steps| {
            steps[at] = step;
            if is_over {
                let why = || Step::Skipped(String::from("The sound callback was not taken."));
                steps.iter_mut().skip(at + 1).for_each(|step| *step = why());
            }
        });
        if is_over { self.at.set(None) } else { self.go_on(at + 1) }
    }

    /// Goes on with the next call whenever a test has ended.
    fn follow(self) {
        effect(move || {
            let at = self.at.get_untracked();
            let asked = at.and_then(|at| model::calls().get(at).copied().flatten());
            let ended = self.test.with(|test| {
                let ended = test.as_ref().filter(|test| test.status != TestStatus::Pending)?;
                Some(Step::of(ended, asked))
            });
            if let (Some(step), Some(at)) = (ended, at) {
                self.end(at, step);
            }
        });
    }
}

/// The card. For who may not test, it is not there.
#[component]
pub(crate) fn Examination(
    /// The webhook's name.
    name: String,
) -> AnyView {
    let project = use_project();
    let check = Check {
        project: StoredValue::new(project.clone()),
        name: StoredValue::new(name),
        steps: RwSignal::new(Vec::new()),
        at: RwSignal::new(None),
        test: RwSignal::new(None),
    };
    watch(project, check.test);
    check.follow();
    let may = use_may(Operation::TestWebhook);
    let is_busy = Signal::derive(move || check.at.with(Option::is_some));
    let label = Signal::derive(move || {
        String::from(if is_busy.get() { "Checking…" } else { "Check the receiver" })
    });
    let card = move || {
        view! {
            <section class="card" aria-labelledby="examination">
                <h2 class="card-head" id="examination">"Check the receiver"</h2>
                <div class="pad stack">
                    <div class="beside">
                        <Button label=label icon=Icon::Doctor disabled=is_busy on_press=move |()| check.start() />
                        <span class="hint">"A sound test, some that your receiver should refuse, and some that many receivers fail at."</span>
                    </div>
                    <p role="status">{move || check.steps.with(|steps| model::summary(steps))}</p>
                    <Scorecard check=check />
                </div>
            </section>
        }
        .into_any()
    };
    view! { {move || may.get().then(card)} }.into_any()
}

/// What came of each call so far.
#[component]
fn Scorecard(
    /// The check.
    check: Check,
) -> AnyView {
    let row = |(at, step): (usize, &Step)| {
        let (tone, word) = step.word();
        let title = model::title(model::calls().get(at).copied().flatten());
        let words = String::from(step.words());
        view! {
            <li class="check">
                {badge_of(tone, word)}
                <span><strong>{title}</strong><span class="hint">{words}</span></span>
            </li>
        }
        .into_any()
    };
    let rows = move || check.steps.with(|steps| steps.iter().enumerate().map(row).collect_view());
    view! { <ol class="checks" aria-label="Calls of the check">{move || rows()}</ol> }.into_any()
}
