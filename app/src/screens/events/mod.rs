//! Events: what was accepted, and a form that posts one.

pub(crate) mod model;

use crate::dom::{View, flag, hears, keyed, part, value, view};
use crate::state::{Memo, RwSignal, Signal};
use leptos::prelude::*;
use postern_core::api::event::EventView;
use postern_core::api::live::LiveEvent;

use self::model::EventDraft;
use crate::api::{ApiFailure, use_project};
use crate::browser::clock::use_clock;
use crate::fetched::Fetched;
use crate::fetched::when;
use crate::json;
use crate::live::use_live;
use crate::nav::use_nav;
use crate::routes::{Area, Query};
use crate::screens::attempt::event_facts;
use crate::screens::webhooks::calmly;
use crate::shell::{link, live_dot};
use crate::ui::button::{Button, LinkButton, Look};
use crate::ui::dialog::Dialog;
use crate::ui::drawer::Drawer;
use crate::ui::field::{TextArea, TextField};
use crate::ui::filter_chip::FilterChip;
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::notice::{empty, refusal};
use crate::ui::page_head::PageHead;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::skeleton;
use crate::ui::toast::use_toasts;
use crate::words;

/// The screen.
#[component]
pub(crate) fn Events() -> View {
    let (nav, project, live, clock) = (use_nav(), use_project(), use_live(), use_clock());
    let kind = Memo::new(move || nav.value("type"));
    let events = Fetched::new(move || {
        let (project, query) = (project.clone(), Query::default().with("type", kind.get().as_deref()));
        project.events(&query)
    });
    let reload = calmly(move || events.reload());
    live.on_change(move |event| match event {
        // An event has no message of its own on the feed; its deliveries tell of it.
        LiveEvent::Delivery { .. } | LiveEvent::Many => reload(),
        LiveEvent::Webhooks | LiveEvent::Test { .. } | LiveEvent::InboxRequest { .. } => {}
    });
    let is_posting = RwSignal::new(nav.query_now().value("post").is_some());
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
        if is_empty.get() {
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
            <MoreEvents events=events />
        }
    };
    let open = Memo::new(move || nav.value("open"));
    let drawer = move || open.get().map(|id| view! { <EventDrawer id=id /> });
    let types = types_of();
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
        </div>
        {loaded(events, skeleton::rows, move || part(table))}
        {part(drawer)}
        <Dialog open=is_posting title="Post an event" class="wide"><PostEvent done=move || { is_posting.set(false); events.reload(); } /></Dialog>
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

#[component]
fn MoreEvents(events: Fetched<postern_core::api::page::Page<EventView>>) -> View {
    let (nav, toasts) = (use_nav(), use_toasts());
    let project = StoredValue::new_local(use_project());
    let more = move || {
        let project = project.get_value();
        let next = events.value.with_untracked(|page| page.as_ref().and_then(|page| page.next.clone()));
        let query = Query::default().with("type", nav.query_now().value("type").as_deref()).with("cursor", next.as_deref());
        when(project.events(&query), move |answer| match answer {
            Ok(page) => events.value.update(|known| {
                if let Some(known) = known {
                    known.items.extend(page.items);
                    known.next = page.next;
                }
            }),
            Err(failure) => toasts.complain(failure.to_string()),
        });
    };
    let has_more = Memo::new(move || events.value.with(|page| page.as_ref().is_some_and(|page| page.next.is_some())));
    let button =
        move || has_more.get().then(|| view! { <div class="more"><Button label="Show older ones" on_press=move |()| more() /></div> });
    part(button)
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
                        <div class="page-actions"><LinkButton label="Deliveries of this type" href=href icon=Icon::Delivery /></div>
                    </header>
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

/// The form.
#[component]
fn PostEvent(
    /// Called when an event was accepted.
    done: impl Fn() + Copy + 'static,
) -> View {
    let (project, toasts) = (use_project(), use_toasts());
    let (kind, data, key) = (RwSignal::new(String::new()), RwSignal::new(String::from("{}")), RwSignal::new(String::new()));
    let object = [(); 3].map(|()| RwSignal::new(String::new()));
    let draft = move || EventDraft { kind: kind.get(), data: data.get(), object: object.map(RwSignal::get), key: key.get() };
    let faults = Memo::new(move || draft().faults());
    let is_sent = RwSignal::new(false);
    let fault = move |field: &'static str| {
        Signal::derive(move || if is_sent.get() { faults.with(|faults| model::fault_of(faults, field)) } else { None })
    };
    let data_fault = Signal::derive(move || faults.with(|faults| model::fault_of(faults, "data")));
    let failure = RwSignal::new(None::<ApiFailure>);
    let busy = RwSignal::new(false);
    let types = Fetched::new({
        let project = project.clone();
        move || {
            let project = project.clone();
            project.event_types()
        }
    });
    let names = Signal::derive(move || {
        types
            .value
            .with(|page| page.as_ref().map(|page| page.items.iter().map(|item| item.name.clone()).collect::<Vec<_>>()).unwrap_or_default())
    });
    let fill = move || {
        let example = kind.with_untracked(|kind| {
            types.value.with_untracked(|types| {
                types
                    .as_ref()
                    .and_then(|types| types.items.iter().find(|item| item.name == kind.trim()).and_then(|item| item.example.clone()))
            })
        });
        if let Some(example) = example
            && data.with_untracked(|data| data.trim() == "{}" || data.trim().is_empty())
        {
            data.set(json::pretty(&example.to_string()).unwrap_or_default());
        }
    };
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        is_sent.set(true);
        if busy.get_untracked() || faults.with_untracked(|faults| !faults.is_empty()) {
            crate::browser::focus::soon("dialog [aria-invalid=true]");
            return;
        }
        busy.set(true);
        let (project, body) = (project.clone(), untrack(draft).body());
        when(project.post_event(&body), move |answer| {
            match answer {
                Ok(accepted) => {
                    let where_to = words::count(accepted.deliveries, "webhook", "webhooks");
                    toasts.say(if accepted.duplicate {
                        String::from("Known already: nothing new was stored")
                    } else {
                        format!("Accepted: it goes to {where_to}")
                    });
                    done();
                }
                Err(refused) => failure.set(Some(refused)),
            }
            busy.set(false);
        });
    };
    let [object_type, object_name, object_version] = object;
    view! {
        <form on:submit=hears(submit) novalidate=true>
            <TextField label="Event type" value=kind mono=true first=true suggestions=names placeholder="order.paid" fault=fault("type") on_leave=move |()| fill() />
            <TextArea label="Data" value=data mono=true rows=6 hint="JSON, sent exactly as it stands here" fault=data_fault />
            <div class="thirds">
                <TextField label="Object type" value=object_type placeholder="none" fault=fault("object") />
                <TextField label="Object name" value=object_name placeholder="none" />
                <TextField label="Object version" value=object_version placeholder="any" />
            </div>
            <TextField label="Idempotency key" value=key mono=true hint="Two events with one key are one event. Empty: none" fault=fault("idempotency_key") />
            {refusal(failure)}
            <div class="dialog-foot"><Button label="Post event" look=Look::Primary submits=true disabled=busy /></div>
        </form>
    }
}
