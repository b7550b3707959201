//! The screen: the list with its filter by state.

use leptos::prelude::*;
use postern_core::api::live::ChangeKind;
use postern_core::api::run::RunView;
use postern_core::operation::Runs;
use postern_core::route::Route;
use postern_core::run::RunState;

use super::model;
use super::parts::bar;
use crate::api::use_project;
use crate::browser::clock::{Clock, use_clock};
use crate::browser::location;
use crate::live::use_live;
use crate::nav::{Nav, use_nav};
use crate::project::link;
use crate::routes::Area;
use crate::ui::badge::badge;
use crate::ui::button::Button;
use crate::ui::code::code_block;
use crate::ui::filter_chip::toggle_chip;
use crate::ui::icon::Icon;
use crate::ui::live_dot::live_dot;
use crate::ui::loaded::loaded;
use crate::ui::notice::empty;
use crate::ui::page_head::PageHead;
use crate::ui::rows::List;
use crate::ui::skeleton;

/// The list.
#[component]
pub(crate) fn Runs() -> AnyView {
    let (live, nav) = (use_live(), use_nav());
    let state = Memo::new(move |_| nav.value("state").and_then(|text| RunState::parse(&text)));
    let list = list_of(state);
    let chips = model::STATES.into_iter().map(|(word, wanted)| chip(nav, state, word, wanted)).collect_view();
    view! {
        <PageHead title="Runs" about="Long jobs that an executor does, with their progress">{live_dot(live)}</PageHead>
        <div class="chips" role="group" aria-label="States">{chips}</div>
        {loaded(list.page, skeleton::rows, content(list, state))}
    }
    .into_any()
}

/// The runs in a state, or all of them, as they change.
///
/// A run that changes into another state leaves the list at once, without a question to the server: the
/// message has its new state.
fn list_of(state: Memo<Option<RunState>>) -> List<RunView> {
    let project = use_project();
    let query = Memo::new(move |_| model::api_query(state.get(), None));
    let list = List::following(query, None, move |query| project.runs(query));
    use_live().on_change(move |change| match change.run() {
        Some(run) if model::fits(state.get_untracked(), &run) => list.offer(&run),
        // What does not fit any more goes.
        Some(run) => list.remove(&run.id),
        None if change.kind() == ChangeKind::Many => list.page.reload(),
        None => {}
    });
    list
}

/// A state as a chip; `None` stands for all.
fn chip(nav: Nav, state: Memo<Option<RunState>>, word: &'static str, wanted: Option<RunState>) -> AnyView {
    let press = UnsyncCallback::new(move |()| nav.filter("state", wanted.map(RunState::as_str)));
    toggle_chip(word, Memo::new(move |_| state.get() == wanted), press)
}

/// The rows, or why the list is empty.
///
/// Empty because of the filter, or because there is no run at all: the former offers to take the filter off,
/// the latter says how the first run is made.
fn content(list: List<RunView>, state: Memo<Option<RunState>>) -> impl Fn() -> AnyView + Send + 'static {
    let (nav, clock, api) = (use_nav(), use_clock(), StoredValue::new_local(use_project()));
    let is_empty = list.core.is_empty();
    move || {
        if !is_empty.get() {
            let more = list.more("Show older ones", move |next| {
                api.with_value(|api| api.runs(&model::api_query(state.get_untracked(), Some(next))))
            });
            let rows = list.items("card", "Runs", move |run, place| row(list, run, place, clock));
            return view! { {list.news()}{rows}{more} }.into_any();
        }
        if state.get().is_some() {
            let clear =
                view! { <Button label="Show all runs" on_press=move |()| nav.filter("state", None) /> }
                    .into_any();
            return empty(Icon::Search, "No run is in this state", "Look at all of them.", clear);
        }
        first_run()
    }
}

/// What somebody sees who has no run.
///
/// The command has the address of this deployment and `$TOKEN` in the place of a token, so that it can be
/// pasted as it is and nothing secret is on the screen.
fn first_run() -> AnyView {
    let project = use_project();
    let path = Route::Project(project.name().clone(), Runs::CreateRun.into()).path();
    let command = model::first_run(&location::origin(), &path);
    let code = code_block("Create a run", command);
    empty(
        Icon::Run,
        "No run yet",
        "A run is a long job: a program of yours claims it, does it, and reports its progress. Create one \
         with this command, and start the example executor to see it move.",
        code,
    )
}

/// A row. Each part follows the signal by itself.
fn row(list: List<RunView>, run: RwSignal<RunView>, place: Signal<String>, clock: Clock) -> AnyView {
    let href = link(Area::Run(run.with_untracked(|run| run.id.clone())));
    let of = move |part: fn(&RunView) -> String| (move || run.with(part)).into_any();
    view! {
        <li class="replay" aria-posinset=place aria-setsize=move || list.core.total(0)>
            {badge(move || run.with(model::standing))}
            <div class="replay-words">
                <a data-row="" href=href>{of(model::title)}</a>
                {bar(Signal::derive(move || Some(run.get())))}
                <span class="faint">{of(|run| run.message.clone())}</span>
            </div>
            <span class="faint number">{move || run.with(|run| model::time_words(run, clock.now()))}</span>
        </li>
    }
    .into_any()
}
