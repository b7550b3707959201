//! The screen: the list with its search and filters.

use leptos::prelude::*;
use postern_core::api::webhook::WebhookView;

use super::filters::Filters;
use super::list;
use super::model;
use crate::api::use_project;
use crate::live::use_live;
use crate::nav::use_nav;
use crate::project::link;
use crate::routes::{Area, Place};
use crate::ui::button::{Button, LinkButton, Look};
use crate::ui::icon::Icon;
use crate::ui::live_dot::live_dot;
use crate::ui::loaded::loaded;
use crate::ui::notice::empty;
use crate::ui::page_head::PageHead;
use crate::ui::rows::List;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::skeleton;

/// The screen.
///
/// The line below the heading counts what is shown, by the marks of the rows, and says so where there is
/// more.
#[component]
pub(crate) fn Webhooks() -> AnyView {
    let (nav, live, list) = (use_nav(), use_live(), list::list_of());
    let place = Place::Project(use_project().name().clone(), Area::WebhookNew);
    use_shortcut("N", "New webhook", move || nav.go(&place));
    let about = Signal::derive(move || {
        if list.page.value.with(Option::is_none) {
            return String::from("Where callbacks go, and how they do");
        }
        model::about(list.core.extent(), list.core.counts())
    });
    view! {
        <PageHead title="Webhooks" about=about>
            {live_dot(live)}
            {new_button(link(Area::WebhookNew))}
        </PageHead>
        <Filters />
        {loaded(list.page, skeleton::rows, content(list))}
    }
    .into_any()
}

/// The way to the form.
fn new_button(address: String) -> AnyView {
    view! { <LinkButton label="New webhook" href=address look=Look::Primary icon=Icon::Plus shortcut="N" /> }
        .into_any()
}

/// The rows, or why the list is empty.
fn content(list: List<WebhookView>) -> impl Fn() -> AnyView + Send + 'static {
    let (nav, api) = (use_nav(), StoredValue::new_local(use_project()));
    let (is_empty, new) = (list.core.is_empty(), link(Area::WebhookNew));
    move || {
        if !is_empty.get() {
            let more = list.more("Show more", move |next| {
                api.with_value(|api| api.webhooks(&model::api_query(&nav.query_now(), Some(next))))
            });
            return view! { {list.news()}<div class="card scroll">{list::table(list)}</div>{more} }
                .into_any();
        }
        if model::is_filtered(&nav.query()) {
            let remove = move |()| model::FILTERS.iter().for_each(|filter| nav.filter(filter, None));
            let clear = view! { <Button label="Remove all filters" on_press=remove /> }.into_any();
            return empty(
                Icon::Search,
                "No webhook fits these filters",
                "Remove one, or all of them.",
                clear,
            );
        }
        empty(
            Icon::Webhook,
            "No webhook yet",
            "A webhook says where to call when an event happens. Without a receiver of your own, send it to an inbox.",
            new_button(new.clone()),
        )
    }
}
