//! Events: what was accepted, and a form that posts one.

pub(crate) mod model;
mod post;

use crate::dom::{View, flag, keyed, part, value, view};
use crate::state::{Memo, RwSignal, Signal};
use leptos::prelude::*;
use postern_core::api::event::EventView;
use postern_core::api::live::LiveEvent;

use crate::api::use_project;
use crate::browser::clock::use_clock;
use crate::fetched::Fetched;
use crate::fetched::effect;
use crate::live::use_live;
use crate::nav::use_nav;
use crate::routes::{Area, Query};
use crate::screens::attempt::event_facts;
use crate::screens::replays;
use crate::screens::webhooks::calmly;
use crate::shell::{link, live_dot};
use crate::ui::badge::Tone;
use crate::ui::button::{Button, LinkButton, Look};
use crate::ui::dialog::Dialog;
use crate::ui::drawer::Drawer;
use crate::ui::filter_chip::FilterChip;
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::more::{more_button, nothing_yet};
use crate::ui::notice::{empty, notice};
use crate::ui::page_head::PageHead;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::skeleton;
use crate::words;

/// The screen.
#[component]
pub(crate) fn Events() -> View {
    let (nav, project, live, clock) = (use_nav(), use_project(), use_live(), use_clock());
    let kind = Memo::new(move || nav.value("type"));
    let api = StoredValue::new_local(project.clone());
    let events = Fetched::new(move || {
        let (project, query) = (project.clone(), Query::default().with("type", kind.get().as_deref()));
        project.events(&query)
    });
    let reload = calmly(move || events.reload());
    live.on_change(move |event| match event {
        // An event has no message of its own on the feed; its deliveries tell of it.
        LiveEvent::Delivery { .. } | LiveEvent::Many => reload(),
        LiveEvent::Webhooks
        | LiveEvent::Test { .. }
        | LiveEvent::InboxRequest { .. }
        | LiveEvent::Replay { .. }
        | LiveEvent::Run { .. } => {}
    });
    let is_posting = RwSignal::new(false);
    // A link asks for the form once; it is no place to come back to.
    effect(move || {
        if nav.value("post").is_some() {
            nav.filter("post", None);
            is_posting.set(true);
        }
    });
    use_shortcut("N", "Post an event", move || is_posting.set(true));
    let post_button = move || {
        view! { <Button label="Post an event" look=Look::Primary icon=Icon::Send shortcut="N" on_press=move |()| is_posting.set(true) /> }
    };

    let here = link(Area::Events);
    let row = move |id: String| {
        let wanted = id.clone();
        let found = Memo::new(move || {
            events.value.with(|page| {
                page.as_ref().and_then(|page| {
                    page.items
                        .iter()
                        .find(|event| event.id == wanted)
                        .map(|event| (event.kind.clone(), object_words(event), event.deliveries, event.accepted_at))
                })
            })
        });
        let is_open = {
            let id = id.clone();
            move || nav.value("open").as_deref() == Some(id.as_str())
        };
        let (here, shown) = (here.clone(), id.clone());
        let href = move || format!("{here}{}", nav.query().with("open", Some(&id)).text());
        view! {
            <tr role="row" class="fresh" class:open=flag(is_open)>
                <td role="cell" class="main-cell"><a class="stretched mono" data-row="" href=value(move || Some(href()))>{part(move || found.with(|found| found.as_ref().map(|found| found.0.clone())))}</a><span class="mono faint clip">{shown}</span></td>
                <td role="cell" data-label="Object">{part(move || found.with(|found| found.as_ref().map(|found| found.1.clone())))}</td>
                <td role="cell" class="number" data-label="Deliveries">{part(move || found.with(|found| found.as_ref().map(|found| found.2)))}</td>
                <td role="cell" class="number faint" data-label="Accepted">{part(move || found.with(|found| found.as_ref().map(|found| words::ago(clock.now(), found.3))))}</td>
            </tr>
        }
    };
    let row = StoredValue::new_local(row);
    let is_empty = Memo::new(move || events.value.with(|page| page.as_ref().is_none_or(|page| page.items.is_empty())));
    let ids = move || {
        events.value.with(|page| page.as_ref().map(|page| page.items.iter().map(|event| event.id.clone()).collect()).unwrap_or_default())
    };
    let table = move || {
        let more = || {
            more_button(events, "Show older ones", move |next| {
                let query = Query::default().with("type", nav.query_now().value("type").as_deref()).with("cursor", Some(next));
                api.with_value(|api| api.events(&query))
            })
        };
        if is_empty.get() {
            if events.next().is_some() {
                return nothing_yet(more());
            }
            return if kind.get().is_some() {
                let clear = view! { <Button label="Remove the filter" on_press=move |()| nav.filter("type", None) /> };
                empty(Icon::Search, "No event of this type", "Remove the filter to see all.", clear)
            } else {
                empty(
                    Icon::Event,
                    "No event yet",
                    "An event is something that happened, posted once by a producer. Post one by hand to see where it goes.",
                    post_button(),
                )
            };
        }
        view! {
            <div class="card scroll">
                <table role="table" class="list cards">
                    <thead role="rowgroup">
                        <tr role="row">
                            <th role="columnheader" scope="col">"Event"</th>
                            <th role="columnheader" scope="col">"Object"</th>
                            <th role="columnheader" scope="col" class="number">"Deliveries"</th>
                            <th role="columnheader" scope="col" class="number">"Accepted"</th>
                        </tr>
                    </thead>
                    <tbody role="rowgroup">{keyed(ids, move |id| row.with_value(|row| row(id)))}</tbody>
                </table>
            </div>
            {more()}
        }
    };
    let open = Memo::new(move || nav.value("open"));
    let drawer = move || open.get().map(|id| view! { <EventDrawer id=id /> });
    let types = types_of();
    let missed = replays::address(replays::Kind::Missing, &Query::default());
    let value = Signal::derive(move || nav.value("type"));
    view! {
        <PageHead title="Events" about="What producers posted, newest first">
            {live_dot(live)}
            {post_button()}
        </PageHead>
        <div class="toolbar" role="search">
            <div class="chips" role="group" aria-label="Filters">
                <FilterChip name="type" value=value hint="An event type, such as order.paid" suggestions=types on_change={move |value: Option<String>| nav.filter("type", value.as_deref())} />
            </div>
            <LinkButton label="Send missed events…" href=missed look=Look::Quiet icon=Icon::Again />
        </div>
        {loaded(events, skeleton::rows, move || part(table))}
        {part(drawer)}
        <Dialog open=is_posting title="Post an event" class="wide"><post::PostEvent done=move || { is_posting.set(false); events.reload(); } /></Dialog>
    }
}

fn object_words(event: &EventView) -> String {
    event.object.as_ref().map_or_else(
        || String::from("—"),
        |object| format!("{} {} {}", object.kind, object.name, object.version.as_deref().unwrap_or_default()).trim_end().to_owned(),
    )
}

/// The names of the catalogue's event types.
fn types_of() -> Signal<Vec<String>> {
    let project = use_project();
    let types = Fetched::new(move || {
        let project = project.clone();
        project.event_types()
    });
    Signal::derive(move || {
        types.value.with(|page| page.as_ref().map(|page| page.items.iter().map(|item| item.name.clone()).collect()).unwrap_or_default())
    })
}

/// Where this event alone is sent to a webhook that did not get it.
fn send_address(event: &EventView) -> String {
    let (since, until) = (event.accepted_at.to_rfc3339(), event.accepted_at.plus_ms(1).to_rfc3339());
    let query = Query::default().with("since", Some(&since)).with("until", Some(&until)).with("type", Some(&event.kind));
    replays::address(replays::Kind::Missing, &query)
}

#[component]
fn EventDrawer(id: String) -> View {
    let (nav, project) = (use_nav(), use_project());
    let event = Fetched::new({
        move || {
            let (project, id) = (project.clone(), id.clone());
            project.event(&id)
        }
    });
    let deliveries = link(Area::Deliveries);
    let content = move || {
        let deliveries = deliveries.clone();
        let shown = move || {
            event.value.get().map(|event| {
                let href = format!("{deliveries}{}", Query::default().with("type", Some(&event.kind)).text());
                view! {
                    <header class="drawer-head">
                        <h2 class="mono">{event.kind.clone()}</h2>
                        <p class="about">{words::count(event.deliveries, "delivery", "deliveries")}</p>
                        <div class="page-actions">
                            <LinkButton label="Deliveries of this type" href=href icon=Icon::Delivery />
                            <LinkButton label="Send to a webhook…" href=send_address(&event) icon=Icon::Again />
                        </div>
                    </header>
                    {(event.deliveries == 0).then(|| notice(Tone::Idle, String::from("No webhook wanted it"), String::from("It is kept. Make or change a webhook, then send this event to it.")))}
                    {event_facts(&event)}
                }
            })
        };
        part(shown)
    };
    let close = move || {
        nav.open("open", None);
        crate::browser::focus::soon("main tr.open [data-row], main [data-row]");
    };
    view! { <Drawer label="Event" on_close=move |()| close()>{loaded(event, skeleton::text, content)}</Drawer> }
}
