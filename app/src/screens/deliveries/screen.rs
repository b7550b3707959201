//! The screen of deliveries: the list with its filters and replays, and what opens over it.

use leptos::prelude::*;
use postern_core::api::delivery::DeliveryView;
use postern_core::api::live::ChangeKind;
use postern_core::api::page::Page;
use postern_core::api::webhook::WebhookView;
use postern_core::operation::Operation;

use super::count::Count;
use super::drawer::DeliveryDrawer;
use super::filters::Filters;
use super::fit::LiveFilter;
use super::histogram::Histogram;
use super::pause::Pause;
use super::unjudged::Unjudged;
use super::{list, model};
use crate::api::use_project;
use crate::browser::clock::now;
use crate::caller::use_may;
use crate::fetched::Fetched;
use crate::live::{calmly, use_live};
use crate::nav::use_nav;
use crate::project::link;
use crate::routes::{Area, Query};
use crate::screens::find::{Subject, asked, is_filtered, unfiltered};
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
    let query = Memo::new(move |_| model::listed_query(&nav.query()));
    let list = list_as_asked(query);
    let filter = Memo::new(move |_| query.with(|query| LiveFilter::of(query, now())));
    let unjudged = Unjudged::of(list);
    let pause = Pause::new(list, filter, unjudged);
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
        model::about(list.core.extent())
    });
    let replays = replays::list_of();
    let replay = move || nav.open("replay", Some(replays::Kind::Ended.as_str()));
    let may_replay = use_may(Operation::CreateReplay);
    let replay_button = move || {
        may_replay.get().then(|| {
            view! { <Button label="Replay…" icon=Icon::Again on_press=move |()| replay() /> }.into_any()
        })
    };
    let open = Memo::new(move |_| nav.value("open"));
    let drawer = move || open.get().map(|id| view! { <DeliveryDrawer id=id list=list /> }.into_any());
    view! {
        <PageHead title="Deliveries" about=about>
            {live_dot(live)}
            {move || replay_button()}
            <Button label=pause.label() icon=Icon::Pause shortcut="P" on_press=move |()| pause.press() />
        </PageHead>
        <Filters names=names />
        <Histogram query=query filter=filter list=list />
        <Count query=query filter=filter list=list unjudged=unjudged />
        <Replays list=replays />
        {loaded(list.page, skeleton::rows, content(list, query, webhooks))}
        {move || drawer()}
        <ReplayDialog list=replays webhooks=names />
    }
    .into_any()
}

/// The deliveries that the address asks for, at the time of asking.
fn list_as_asked(query: Memo<Query>) -> List<DeliveryView> {
    let project = use_project();
    List::following(query, None, move |query| list::load(&project, &asked(query, now()), None))
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
    query: Memo<Query>,
    webhooks: Fetched<Page<WebhookView>>,
) -> impl Fn() -> AnyView + Send + 'static {
    let (nav, api) = (use_nav(), StoredValue::new_local(use_project()));
    let (is_empty, post) = (list.core.is_empty(), link(Area::Events));
    move || {
        let more = || {
            list.more("Show older ones", move |next| {
                let query = query.with_untracked(|query| asked(query, now()));
                api.with_value(|api| list::load(api, &query, Some(next)))
            })
        };
        if !is_empty.get() {
            return view! { {list.news()}<div class="card scroll">{list::table(list, Some(webhooks))}</div>{more()} }.into_any();
        }
        if list.core.has_more() {
            return nothing_yet(more());
        }
        if is_filtered(Subject::Deliveries, &nav.query()) {
            let remove = move |()| nav.filter_by(&unfiltered(Subject::Deliveries, nav.query_now()));
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
