//! The screen of events: the list with its filter, and what opens over it.

use leptos::prelude::*;

use super::drawer::EventDrawer;
use super::list;
use super::model::{EventRow, found_words};
use super::post::PostEvent;
use crate::api::use_project;
use crate::browser::clock::now;
use crate::fetched::effect;
use crate::live::use_live;
use crate::nav::use_nav;
use crate::routes::Query;
use crate::screens::find::{QueryBar, Subject, asked, own_query, unfiltered};
use crate::screens::replays;
use crate::ui::button::{Button, LinkButton, Look};
use crate::ui::dialog::Dialog;
use crate::ui::icon::Icon;
use crate::ui::live_dot::live_dot;
use crate::ui::loaded::loaded;
use crate::ui::more::nothing_yet;
use crate::ui::notice::empty;
use crate::ui::page_head::PageHead;
use crate::ui::rows::List;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::skeleton;

/// The screen.
///
/// A link with `?post=1` opens the form, as the overview and a webhook's screen do. The list beneath is the
/// same with and without it.
#[component]
pub(crate) fn Events() -> AnyView {
    let (nav, live) = (use_nav(), use_live());
    let query = Memo::new(move |_| own_query(Subject::Events, &nav.query()));
    let came = RwSignal::new(false);
    let list = list::list_of(query, came);
    let is_posting = RwSignal::new(false);
    // A link asks for the form once; it is not a place to come back to.
    effect(move || {
        if nav.value("post").is_some() {
            nav.filter("post", None);
            is_posting.set(true);
        }
    });
    use_shortcut("N", "Post an event", move || is_posting.set(true));
    let open = Memo::new(move |_| nav.value("open"));
    let drawer = move || open.get().map(|id| view! { <EventDrawer id=id /> }.into_any());
    let done = move || {
        is_posting.set(false);
        list.page.reload();
    };
    view! {
        <PageHead title="Events" about="What producers posted, newest first">
            {live_dot(live)}
            {post_button(is_posting)}
        </PageHead>
        <Filters />
        <Found query=query list=list came=came />
        {loaded(list.page, skeleton::rows, content(list, query, is_posting))}
        {move || drawer()}
        <Dialog open=is_posting title="Post an event" class="wide"><PostEvent done=move || done() /></Dialog>
    }
    .into_any()
}

/// Opens the form.
fn post_button(is_posting: RwSignal<bool>) -> AnyView {
    view! { <Button label="Post an event" look=Look::Primary icon=Icon::Send shortcut="N" on_press=move |()| is_posting.set(true) /> }
        .into_any()
}

/// The query bar, and the way to send what was missed.
///
/// "Send missed events…" leads to the form of a replay, filled in for events that a webhook never got: this
/// is the screen on which somebody notices them.
#[component]
fn Filters() -> AnyView {
    let missed = replays::address(replays::Kind::Missing, &Query::default());
    view! {
        <QueryBar subject=Subject::Events webhooks=Signal::from(Vec::new()) toggled=&[]>
            <LinkButton label="Send missed events…" href=missed look=Look::Quiet icon=Icon::Again />
        </QueryBar>
    }
    .into_any()
}

/// How many events fit, while the list is filtered: all that were found, or as many as are shown. The API has
/// no count of events.
#[component]
fn Found(
    /// What is asked.
    query: Memo<Query>,
    /// The list.
    list: List<EventRow>,
    /// Whether something came that was not looked at.
    came: RwSignal<bool>,
) -> AnyView {
    let is_asked = Memo::new(move |_| query.with(|query| *query != Query::default()));
    let said = move || {
        let is_known = !list.page.is_loading.get() && list.page.failure.with(Option::is_none);
        let extent = list.core.extent();
        is_asked.get().then(|| {
            let words = if is_known { found_words(extent) } else { String::from("Searching…") };
            view! { <b>{words}</b> }.into_any()
        })
    };
    let refresh = move |()| list.page.reload();
    let newer = move || {
        if !query.with(list::is_costly) {
            return ().into_any();
        }
        if !came.get() {
            return view! { <span class="faint">"New ones are not added by themselves while you search for a text."</span> }.into_any();
        }
        view! {
            <span>"Newer events came."</span>
            <Button label="Refresh" icon=Icon::Again look=Look::Quiet on_press=refresh />
        }
        .into_any()
    };
    view! {
        <div class="beside find-count" role="status" aria-label="Found">{move || said()}{move || newer()}</div>
    }
    .into_any()
}

/// The rows, or why the list is empty.
///
/// An empty page with a next one is a search that has not reached the end yet: it offers to go on, and does
/// not say that there is none.
fn content(
    list: List<EventRow>,
    query: Memo<Query>,
    is_posting: RwSignal<bool>,
) -> impl Fn() -> AnyView + Send + 'static {
    let (nav, api) = (use_nav(), StoredValue::new_local(use_project()));
    let is_empty = list.core.is_empty();
    move || {
        let more = || {
            list.more("Show older ones", move |next| {
                let query = query.with_untracked(|query| asked(query, now()));
                api.with_value(|api| list::load(api, &query, Some(next)))
            })
        };
        if !is_empty.get() {
            return view! { {list.news()}<div class="card scroll">{list::table(list)}</div>{more()} }
                .into_any();
        }
        if list.core.has_more() {
            return nothing_yet(more());
        }
        if query.with(|query| *query != Query::default()) {
            let remove = move |()| nav.filter_by(&unfiltered(Subject::Events, nav.query_now()));
            let clear = view! { <Button label="Remove all filters" on_press=remove /> }.into_any();
            return empty(Icon::Search, "No event fits these filters", "Remove one, or all of them.", clear);
        }
        empty(
            Icon::Event,
            "No event yet",
            "An event is something that happened, posted once by a producer. Post one by hand to see where it goes.",
            post_button(is_posting),
        )
    }
}
