//! Events: what was accepted, and a form that posts one.

mod drawer;
mod list;
pub(crate) mod model;
mod post;

use leptos::prelude::*;

use self::model::EventRow;
use crate::api::use_project;
use crate::fetched::{Fetched, effect};
use crate::live::use_live;
use crate::nav::use_nav;
use crate::routes::Query;
use crate::screens::replays;
use crate::ui::button::{Button, LinkButton, Look};
use crate::ui::dialog::Dialog;
use crate::ui::filter_chip::FilterChip;
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
#[component]
pub(crate) fn Events() -> AnyView {
    let (nav, live) = (use_nav(), use_live());
    let list = list::list_of();
    let is_posting = RwSignal::new(false);
    // A link asks for the form once; it is no place to come back to.
    effect(move || {
        if nav.value("post").is_some() {
            nav.filter("post", None);
            is_posting.set(true);
        }
    });
    use_shortcut("N", "Post an event", move || is_posting.set(true));
    let open = Memo::new(move |_| nav.value("open"));
    let drawer = move || open.get().map(|id| view! { <drawer::EventDrawer id=id /> }.into_any());
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
        {loaded(list.page, skeleton::rows, content(list, is_posting))}
        {move || drawer()}
        <Dialog open=is_posting title="Post an event" class="wide"><post::PostEvent done=move || done() /></Dialog>
    }
    .into_any()
}

/// Opens the form.
fn post_button(is_posting: RwSignal<bool>) -> AnyView {
    view! { <Button label="Post an event" look=Look::Primary icon=Icon::Send shortcut="N" on_press=move |()| is_posting.set(true) /> }
        .into_any()
}

/// The filter, and the way to send what was missed.
#[component]
fn Filters() -> AnyView {
    let (nav, types) = (use_nav(), types_of());
    let missed = replays::address(replays::Kind::Missing, &Query::default());
    let value = Signal::derive(move || nav.value("type"));
    let change = move |value: Option<String>| nav.filter("type", value.as_deref());
    view! {
        <div class="toolbar" role="search">
            <div class="chips" role="group" aria-label="Filters">
                <FilterChip name="type" value=value hint="An event type, such as order.paid" suggestions=types on_change=change />
            </div>
            <LinkButton label="Send missed events…" href=missed look=Look::Quiet icon=Icon::Again />
        </div>
    }
    .into_any()
}

/// The names of the catalogue's event types.
fn types_of() -> Signal<Vec<String>> {
    let project = use_project();
    let types = Fetched::new(move || project.event_types());
    Signal::derive(move || {
        types.value.with(|page| {
            page.as_ref()
                .map(|page| page.items.iter().map(|item| item.name.clone()).collect())
                .unwrap_or_default()
        })
    })
}

/// The rows, or why there are none.
fn content(list: List<EventRow>, is_posting: RwSignal<bool>) -> impl Fn() -> AnyView + Send + 'static {
    let (nav, api) = (use_nav(), StoredValue::new_local(use_project()));
    let is_empty = list.core.is_empty();
    move || {
        let more = || {
            list.more("Show older ones", move |next| {
                api.with_value(|api| list::load(api, nav.query_now().value("type").as_deref(), Some(next)))
            })
        };
        if !is_empty.get() {
            return view! { {list.news()}<div class="card scroll">{list::table(list)}</div>{more()} }
                .into_any();
        }
        if list.core.has_more() {
            return nothing_yet(more());
        }
        if nav.value("type").is_some() {
            let clear =
                view! { <Button label="Remove the filter" on_press=move |()| nav.filter("type", None) /> }
                    .into_any();
            return empty(Icon::Search, "No event of this type", "Remove the filter to see all.", clear);
        }
        empty(
            Icon::Event,
            "No event yet",
            "An event is something that happened, posted once by a producer. Post one by hand to see where it goes.",
            post_button(is_posting),
        )
    }
}
