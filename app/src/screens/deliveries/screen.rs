//! The screen of deliveries: the list with its filters and replays, and what opens over it.

use leptos::prelude::*;
use postern_core::api::delivery::DeliveryView;
use postern_core::api::live::ChangeKind;
use postern_core::api::page::Page;
use postern_core::api::webhook::WebhookView;

use super::drawer::DeliveryDrawer;
use super::filters::Filters;
use super::pause::Pause;
use super::{list, model};
use crate::api::use_project;
use crate::fetched::Fetched;
use crate::live::{calmly, use_live};
use crate::nav::use_nav;
use crate::project::link;
use crate::routes::{Area, Query};
use crate::screens::replays::{self, ReplayDialog, Replays};
use crate::ui::button::{Button, LinkButton, Look};
use crate::ui::icon::Icon;
use crate::ui::live_dot::live_dot;
use crate::ui::loaded::loaded;
use crate::ui::more::nothing_yet;
use crate::ui::notice::empty;
use crate::ui::page_head::PageHead;
use crate::ui::rows::List;
use crate::ui::skeleton;

/// The screen.
#[component]
pub(crate) fn Deliveries() -> AnyView {
    let (nav, live) = (use_nav(), use_live());
    let list = list_as_asked();
    let pause = Pause::new(list);
    let webhooks = webhooks_now();
    let names = Signal::derive(move || {
        webhooks.value.with(|page| {
            page.as_ref()
                .map(|page| page.items.iter().map(|webhook| webhook.name.clone()).collect::<Vec<_>>())
                .unwrap_or_default()
        })
    });
    let about = Signal::derive(move || {
        if list.page.value.with(Option::is_none) {
            return String::from("Everything that was sent, is waiting, or was given up");
        }
        model::about(list.core.extent(), list.core.counts())
    });
    let replays = replays::list_of();
    let replay = move || nav.open("replay", Some(replays::Kind::Ended.as_str()));
    let open = Memo::new(move |_| nav.value("open"));
    let drawer = move || open.get().map(|id| view! { <DeliveryDrawer id=id list=list.page /> }.into_any());
    view! {
        <PageHead title="Deliveries" about=about>
            {live_dot(live)}
            <Button label="Replay…" icon=Icon::Again on_press=move |()| replay() />
            <Button label=pause.label() icon=Icon::Pause shortcut="P" on_press=move |()| pause.press() />
        </PageHead>
        <Filters names=names />
        <Replays list=replays />
        {loaded(list.page, skeleton::rows, content(list, webhooks))}
        {move || drawer()}
        <ReplayDialog list=replays webhooks=names />
    }
    .into_any()
}

/// The deliveries that the address asks for.
fn list_as_asked() -> List<DeliveryView> {
    let (nav, project) = (use_nav(), use_project());
    let query = Memo::new(move |_| model::own_query(&nav.query()));
    List::following(query, None, move |query| list::load(&project, query, None))
}

/// The webhooks of the project, as they are now: they say why a delivery is held.
fn webhooks_now() -> Fetched<Page<WebhookView>> {
    let project = use_project();
    let webhooks = Fetched::new(move || project.webhooks(&Query::default().with("limit", Some("200"))));
    let reload = calmly(move || webhooks.reload());
    use_live().on_change(move |change| {
        if matches!(change.kind(), ChangeKind::Webhooks | ChangeKind::Many) {
            reload();
        }
    });
    webhooks
}

/// The rows, or why the list is empty.
fn content(
    list: List<DeliveryView>,
    webhooks: Fetched<Page<WebhookView>>,
) -> impl Fn() -> AnyView + Send + 'static {
    let (nav, api) = (use_nav(), StoredValue::new_local(use_project()));
    let (is_empty, post) = (list.core.is_empty(), link(Area::Events));
    move || {
        let more = || {
            list.more("Show older ones", move |next| {
                api.with_value(|api| list::load(api, &model::own_query(&nav.query_now()), Some(next)))
            })
        };
        if !is_empty.get() {
            return view! { {list.news()}<div class="card scroll">{list::table(list, Some(webhooks))}</div>{more()} }.into_any();
        }
        if list.core.has_more() {
            return nothing_yet(more());
        }
        if model::is_filtered(&nav.query()) {
            let remove = move |()| model::FILTERS.iter().for_each(|filter| nav.filter(filter, None));
            let clear = view! { <Button label="Remove all filters" on_press=remove /> }.into_any();
            return empty(
                Icon::Search,
                "No delivery fits these filters",
                "Remove one, or all of them.",
                clear,
            );
        }
        let post = format!("{post}?post=1");
        let post =
            view! { <LinkButton label="Post an event" href=post look=Look::Primary icon=Icon::Send /> }
                .into_any();
        empty(
            Icon::Delivery,
            "Nothing was sent yet",
            "A delivery is one event on its way to one webhook. Post an event that a webhook listens to.",
            post,
        )
    }
}
