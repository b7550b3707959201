//! Everything that was sent, is waiting, or was given up; and, in a drawer, why.

mod drawer;
pub(crate) mod model;

use crate::dom::{CollectView, View, flag, hears, keyed, part, text, truth, value, view};
use crate::state::{Memo, RwSignal, Signal};
use leptos::prelude::*;
use postern_core::api::delivery::DeliveryView;
use postern_core::api::live::LiveEvent;
use postern_core::api::page::Page;
use postern_core::api::webhook::WebhookView;
use postern_core::delivery::State;

use crate::api::{Load, ProjectApi, use_project};
use crate::browser::clock::use_clock;
use crate::fetched::Fetched;
use crate::live::use_live;
use crate::nav::use_nav;
use crate::routes::{Area, Query};
use crate::shell::{link, live_dot};
use crate::ui::badge::badge;
use crate::ui::button::{Button, LinkButton, Look};
use crate::ui::filter_chip::FilterChip;
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::more::{more_button, nothing_yet};
use crate::ui::notice::empty;
use crate::ui::page_head::PageHead;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::skeleton;
use crate::words;

use super::replays::{self, ReplayDialog, Replays};
use super::webhooks::calmly;
use super::webhooks::model::{hold_words, state_word};

/// The screen.
#[component]
pub(crate) fn Deliveries() -> View {
    let (nav, live) = (use_nav(), use_live());
    let list = list_of(move || nav.query());
    let is_paused = RwSignal::new(false);
    let missed = RwSignal::new(0u32);
    live.on_change(move |event| match event {
        LiveEvent::Delivery { delivery } if is_paused.get_untracked() => {
            if model::fits(&nav.query_now(), delivery) {
                missed.update(|missed| *missed += 1);
            }
        }
        LiveEvent::Delivery { delivery } => take_in(list, nav.query_now(), delivery),
        LiveEvent::Many => list.reload(),
        LiveEvent::Webhooks
        | LiveEvent::Test { .. }
        | LiveEvent::InboxRequest { .. }
        | LiveEvent::Replay { .. }
        | LiveEvent::Run { .. } => {}
    });
    let pause = move || {
        let pauses = !is_paused.get_untracked();
        is_paused.set(pauses);
        if !pauses {
            missed.set(0);
            list.reload();
        }
    };
    use_shortcut("P", "Pause or resume the feed", pause);
    let pause_label = Signal::derive(move || match (is_paused.get(), missed.get()) {
        (false, _) => String::from("Pause"),
        (true, 0) => String::from("Resume"),
        (true, missed) => format!("Resume ({missed} new)"),
    });
    let about = Signal::derive(move || {
        list.value
            .with(|page| page.as_ref().map_or_else(|| String::from("Everything that was sent, is waiting, or was given up"), model::about))
    });
    let project = use_project();
    let api = StoredValue::new_local(project.clone());
    let webhooks = Fetched::new(move || project.webhooks(&Query::default().with("limit", Some("200"))));
    let calm = calmly(move || webhooks.reload());
    live.on_change(move |event| match event {
        LiveEvent::Webhooks | LiveEvent::Many => calm(),
        LiveEvent::Delivery { .. }
        | LiveEvent::Test { .. }
        | LiveEvent::InboxRequest { .. }
        | LiveEvent::Replay { .. }
        | LiveEvent::Run { .. } => {}
    });
    let hooks = Some(webhooks);
    let names = Signal::derive(move || {
        webhooks.value.with(|page| {
            page.as_ref().map(|page| page.items.iter().map(|webhook| webhook.name.clone()).collect::<Vec<_>>()).unwrap_or_default()
        })
    });
    let replays = replays::list_of();
    let replay = move || nav.open("replay", Some(replays::Kind::Ended.as_str()));
    let is_empty = Memo::new(move || list.value.with(|page| page.as_ref().is_none_or(|page| page.items.is_empty())));
    let post = link(Area::Events);
    let content = move || {
        let more = || more_button(list, "Show older ones", move |next| api.with_value(|api| load(api, &nav.query_now(), Some(next))));
        if !is_empty.get() {
            return view! { <div class="card scroll">{rows(list, hooks)}</div>{more()} };
        }
        if list.next().is_some() {
            return nothing_yet(more());
        }
        if model::is_filtered(&nav.query()) {
            let clear = view! { <Button label="Remove all filters" on_press=move |()| model::FILTERS.iter().for_each(|filter| nav.filter(filter, None)) /> };
            return empty(Icon::Search, "No delivery fits these filters", "Remove one, or all of them.", clear);
        }
        let post = view! { <LinkButton label="Post an event" href=format!("{post}?post=1") look=Look::Primary icon=Icon::Send /> };
        empty(
            Icon::Delivery,
            "Nothing was sent yet",
            "A delivery is one event on its way to one webhook. Post an event that a webhook listens to.",
            post,
        )
    };
    let open = Memo::new(move || nav.value("open"));
    let drawer = move || open.get().map(|id| view! { <drawer::DeliveryDrawer id=id list=list /> });
    view! {
        <PageHead title="Deliveries" about=about>
            {live_dot(live)}
            <Button label="Replay…" icon=Icon::Again on_press=move |()| replay() />
            <Button label=pause_label icon=Icon::Pause shortcut="P" on_press=move |()| pause() />
        </PageHead>
        <Filters names=names />
        <Replays list=replays />
        {loaded(list, skeleton::rows, move || part(content.clone()))}
        {part(drawer)}
        <ReplayDialog list=replays webhooks=names />
    }
}

/// The deliveries that a query of the page asks for.
pub(crate) fn list_of(query: impl Fn() -> Query + Send + Sync + 'static) -> Fetched<Page<DeliveryView>> {
    let project = use_project();
    let query = Memo::new(move || model::own_query(&query()));
    Fetched::new(move || load(&project, &query.get(), None))
}

/// A page of the deliveries that a query of the page asks for. The API knows no state "under way": its three are asked for one
/// by one and put together.
fn load(project: &ProjectApi, page: &Query, cursor: Option<&str>) -> Load<Page<DeliveryView>> {
    if page.value("state").as_deref() != Some(model::UNDER_WAY) {
        return project.deliveries(&model::api_query(page, cursor));
    }
    let cursors = model::cursors(cursor);
    let parts: Vec<Option<Load<Page<DeliveryView>>>> = model::UNDER_WAY_STATES
        .iter()
        .zip(cursors)
        .map(|(state, cursor)| {
            let query = page.clone().with("state", Some(state.as_str()));
            cursor.map(|cursor| project.deliveries(&model::api_query(&query, Some(cursor.as_str()))))
        })
        .collect();
    Box::pin(async move {
        let mut pages = Vec::new();
        for part in parts {
            pages.push(match part {
                Some(load) => Some(load.await?),
                None => None,
            });
        }
        Ok(model::together(pages))
    })
}

/// Puts a change into a list that is shown.
pub(crate) fn take_in(list: Fetched<Page<DeliveryView>>, query: Query, delivery: &DeliveryView) {
    list.value.update(|page| {
        if let Some(page) = page {
            model::take_in(page, &query, delivery);
        }
    });
}

/// The rows. A press opens the drawer of this screen, or, from another screen, the screen of deliveries with it. `webhooks` are
/// those of the project, where this is the screen of deliveries: they say why a delivery is held.
pub(crate) fn rows(list: Fetched<Page<DeliveryView>>, webhooks: Option<Fetched<Page<WebhookView>>>) -> View {
    let is_here = webhooks.is_some();
    let (nav, clock) = (use_nav(), use_clock());
    let address = link(Area::Deliveries);
    let ids = move || {
        list.value
            .with(|page| page.as_ref().map(|page| page.items.iter().map(|delivery| delivery.id.clone()).collect()).unwrap_or_default())
    };
    let row = move |id: String| {
        let wanted = id.clone();
        let found = Memo::new(move || {
            list.value.with(|page| page.as_ref().and_then(|page| page.items.iter().find(|delivery| delivery.id == wanted).cloned()))
        });
        let of =
            move |part: fn(&DeliveryView) -> String| text(move || found.with(|delivery| delivery.as_ref().map(part).unwrap_or_default()));
        let is_open = {
            let id = id.clone();
            move || nav.value("open").as_deref() == Some(id.as_str())
        };
        // Filters stay in the address when a drawer opens.
        let href = {
            let address = address.clone();
            move || {
                let query = if is_here { nav.query() } else { Query::default() };
                format!("{address}{}", query.with("open", Some(&id)).text())
            }
        };
        let state = badge(move || {
            found.with(|delivery| delivery.as_ref().map(|delivery| model::standing(delivery, clock.now())).unwrap_or_default())
        });
        let result = move || {
            found.with(|delivery| {
                let delivery = delivery.as_ref()?;
                let why = webhooks.filter(|_| model::is_held(delivery)).and_then(|webhooks| {
                    webhooks.value.with(|page| {
                        let items = page.as_ref().map(|page| page.items.as_slice()).unwrap_or_default();
                        items.iter().find(|webhook| webhook.id == delivery.webhook_id).map(hold_words)
                    })
                });
                Some(model::result(delivery, why))
            })
        };
        let when = move || found.with(|delivery| delivery.as_ref().map(|delivery| words::ago(clock.now(), delivery.created_at)));
        view! {
            <tr role="row" class="fresh" class:open=flag(is_open)>
                <td role="cell" data-label="State">{state}</td>
                <td role="cell" class="main-cell"><a class="stretched mono" data-row="" href=value(move || Some(href()))>{of(|delivery| delivery.kind.clone())}</a></td>
                <td role="cell" data-label="Webhook"><span class="clip">{of(|delivery| delivery.webhook.clone().unwrap_or_else(|| String::from("(deleted)")))}</span></td>
                <td role="cell" class="number" data-label="Attempts">{of(|delivery| delivery.attempts.to_string())}</td>
                <td role="cell" class="faint" data-label="Latest attempt"><span class="clip">{text(move || result().unwrap_or_default())}</span></td>
                <td role="cell" class="number faint" data-label="Accepted">{part(when)}</td>
            </tr>
        }
    };
    view! {
        <table role="table" class="list cards">
            <thead role="rowgroup">
                <tr role="row">
                    <th role="columnheader" scope="col">"State"</th>
                    <th role="columnheader" scope="col">"Event"</th>
                    <th role="columnheader" scope="col">"Webhook"</th>
                    <th role="columnheader" scope="col" class="number">"Attempts"</th>
                    <th role="columnheader" scope="col">"Latest attempt"</th>
                    <th role="columnheader" scope="col" class="number">"Accepted"</th>
                </tr>
            </thead>
            <tbody role="rowgroup">{keyed(ids, row)}</tbody>
        </table>
    }
}

#[component]
fn Filters(names: Signal<Vec<String>>) -> View {
    let (nav, project) = (use_nav(), use_project());
    let types = Fetched::new(move || {
        let project = project.clone();
        project.event_types()
    });
    let kinds = Signal::derive(move || {
        types
            .value
            .with(|page| page.as_ref().map(|page| page.items.iter().map(|kind| kind.name.clone()).collect::<Vec<_>>()).unwrap_or_default())
    });
    let state = move |(wanted, words): (Option<&'static str>, &'static str)| {
        let is_on = move || nav.value("state").as_deref() == wanted;
        view! {
            <button type="button" class="chip" class:on=flag(is_on) aria-pressed=truth(is_on) on:click=hears(move |_| nav.filter("state", wanted))>
                {words}
            </button>
        }
    };
    let chip = move |name: &'static str, hint: &'static str, suggestions: Signal<Vec<String>>| {
        let value = Signal::derive(move || nav.value(name));
        view! { <FilterChip name=name value=value hint=hint suggestions=suggestions on_change={move |value: Option<String>| nav.filter(name, value.as_deref())} /> }
    };
    let states = [State::Pending, State::Waiting, State::Delivered, State::Dead, State::Cancelled];
    let states = [(None, "Any state"), (Some(model::UNDER_WAY), "Under way")]
        .into_iter()
        .chain(states.map(|state| (Some(state.as_str()), state_word(state).1)));
    view! {
        <div class="toolbar" role="search">
            <div class="chips" role="group" aria-label="State">{states.map(state).collect_view()}</div>
            <div class="chips" role="group" aria-label="Filters">
                {chip("webhook", "The name of a webhook", names)}
                {chip("type", "An event type, such as order.paid", kinds)}
            </div>
        </div>
    }
}
