//! Everything that was sent, is waiting, or was given up; and, in a drawer, why.
//!
//! The address holds the filters (`state`, `webhook`, `type`), which delivery the drawer shows (`open`) and
//! whether the form of a replay is open (`replay`): so other screens lead here with any of them, and Back
//! closes what was opened.
//!
//! The feed tells of each delivery that changed. One that is shown changes where it stands, also if it does
//! not fit the filters any more, because nothing vanishes under somebody's eyes; a new one is inserted if it
//! fits. After a gap in the feed the newest part of the list is loaded again, in place. A list that is paused
//! does none of this: it counts what it misses, and is brought up to date when it is resumed.

mod drawer;
mod filters;
mod list;
pub(crate) mod model;

use leptos::prelude::*;
use postern_core::api::delivery::DeliveryView;
use postern_core::api::live::ChangeKind;
use postern_core::api::page::Page;
use postern_core::api::webhook::WebhookView;

use self::filters::Filters;
pub(crate) use self::list::{list_of, rows, take_in};
use super::replays::{self, ReplayDialog, Replays};
use crate::api::use_project;
use crate::fetched::Fetched;
use crate::live::{calmly, use_live};
use crate::nav::use_nav;
use crate::project::link;
use crate::routes::{Area, Query};
use crate::ui::button::{Button, LinkButton, Look};
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
    let drawer =
        move || open.get().map(|id| view! { <drawer::DeliveryDrawer id=id list=list.page /> }.into_any());
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

/// Whether the list stands still, and how much it has missed since.
///
/// A paused list is a still picture, so that somebody can read it while deliveries keep coming. Resumed, it
/// is loaded anew: what was missed was only counted.
#[derive(Clone, Copy)]
struct Pause {
    /// The list that stands still.
    list: List<DeliveryView>,
    /// Whether it does.
    is_paused: RwSignal<bool>,
    /// Messages about deliveries that fit the filters, since then.
    missed: RwSignal<u32>,
}

impl Pause {
    /// Follows the live feed as long as the screen is there, unless it is paused.
    fn new(list: List<DeliveryView>) -> Self {
        let pause = Self { list, is_paused: RwSignal::new(false), missed: RwSignal::new(0) };
        let nav = use_nav();
        use_live().on_change(move |change| {
            if let Some(delivery) = change.delivery() {
                pause.hear(&delivery, &nav.query_now());
            } else if change.kind() == ChangeKind::Many && !pause.is_paused.get_untracked() {
                list.page.reload();
            }
        });
        use_shortcut("P", "Pause or resume the feed", move || pause.press());
        pause
    }

    /// Takes a change in, or counts it while the list stands still. `asked` is the address's query: what does
    /// not fit it is written where it stands already, because a row does not go while it is looked at.
    fn hear(self, delivery: &DeliveryView, asked: &Query) {
        match (self.is_paused.get_untracked(), model::fits(asked, delivery)) {
            (false, true) => self.list.offer(delivery),
            (false, false) => self.list.update(delivery),
            (true, true) => self.missed.update(|missed| *missed += 1),
            (true, false) => {}
        }
    }

    /// Pauses, or resumes with the list as it is now.
    fn press(self) {
        let pauses = !self.is_paused.get_untracked();
        self.is_paused.set(pauses);
        if pauses {
            self.list.core.stand_still();
        } else {
            self.list.core.move_again();
            self.missed.set(0);
            self.list.page.reload();
        }
    }

    /// What the button says.
    fn label(self) -> Signal<String> {
        Signal::derive(move || match (self.is_paused.get(), self.missed.get()) {
            (false, _) => String::from("Pause"),
            (true, 0) => String::from("Resume"),
            (true, missed) => format!("Resume ({missed} new)"),
        })
    }
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
