//! The webhooks of a project: one row says everything.

pub(crate) mod model;

use std::time::Duration;

use crate::dom::{CollectView, View, flag, hears, keyed, part, text, truth, value, view};
use crate::state::{Memo, Signal};
use leptos::prelude::*;
use postern_core::api::live::LiveEvent;
use postern_core::api::webhook::WebhookView;

use crate::api::use_project;
use crate::browser::clock::use_clock;
use crate::fetched::Fetched;
use crate::live::use_live;
use crate::nav::use_nav;
use crate::routes::{Area, Place};
use crate::shell::{link, live_dot};
use crate::ui::badge::badge;
use crate::ui::button::{Button, LinkButton, Look};
use crate::ui::filter_chip::FilterChip;
use crate::ui::icon::{Icon, glyph};
use crate::ui::loaded::loaded;
use crate::ui::more::more_button;
use crate::ui::notice::empty;
use crate::ui::page_head::PageHead;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::skeleton;
use crate::ui::strip::strip;
use crate::ui::toast::use_toasts;
use crate::words;

/// How long to wait for the next letter before searching.
const TYPING: Duration = Duration::from_millis(200);
/// How often the strips may be loaded again while deliveries keep changing.
const CALM: Duration = Duration::from_millis(1_500);

/// The screen.
#[component]
pub(crate) fn Webhooks() -> View {
    let (nav, project, live, toasts, clock) = (use_nav(), use_project(), use_live(), use_toasts(), use_clock());
    let query = Memo::new(move || model::api_query(&nav.query(), None));
    let list = Fetched::new({
        let project = project.clone();
        move || {
            let (project, query) = (project.clone(), query.get());
            project.webhooks(&query)
        }
    });
    let reload = calmly(move || list.reload());
    live.on_change(move |event| match event {
        LiveEvent::Webhooks | LiveEvent::Many => list.reload(),
        LiveEvent::Delivery { .. } => reload(),
        LiveEvent::Test { .. } | LiveEvent::InboxRequest { .. } | LiveEvent::Replay { .. } | LiveEvent::Run { .. } => {}
    });
    let new_address = link(Area::WebhookNew);
    use_shortcut("N", "New webhook", {
        let place = Place::Project(project.name().clone(), Area::WebhookNew);
        move || nav.go(&place)
    });

    let shown = move || {
        list.value.with(|page| {
            page.as_ref()
                .map(|page| page.items.iter().filter(|webhook| !toasts.is_gone(&webhook.id)).cloned().collect::<Vec<_>>())
                .unwrap_or_default()
        })
    };
    let has_more = Memo::new(move || list.value.with(|page| page.as_ref().is_some_and(|page| page.next.is_some())));
    let about = Signal::derive(move || {
        if list.value.with(Option::is_none) {
            String::from("Where callbacks go, and how they do")
        } else {
            model::about(&shown(), has_more.get())
        }
    });
    let is_empty = Memo::new(move || shown().is_empty());
    let place = project.name().clone();
    let row = move |id: String| {
        let found = Memo::new(move || {
            list.value.with(|page| page.as_ref().and_then(|page| page.items.iter().find(|webhook| webhook.id == id).cloned()))
        });
        let of = move |part: fn(&WebhookView) -> String| text(move || found.with(|webhook| webhook.as_ref().map(part).unwrap_or_default()));
        let href = {
            let place = place.clone();
            move || {
                found.with(|webhook| {
                    webhook.as_ref().map(|webhook| Place::Project(place.clone(), Area::Webhook(webhook.name.clone())).path())
                })
            }
        };
        let events = move || found.with(|webhook| webhook.as_ref().map(|webhook| event_codes(&webhook.events)));
        let picture = move || {
            found.with(|webhook| {
                webhook
                    .as_ref()
                    .map(|webhook| strip(model::STRIP_LENGTH, &model::strip_tones(&webhook.health), model::strip_summary(&webhook.health)))
            })
        };
        let object = Memo::new(move || {
            found.with(|webhook| webhook.as_ref().map(|webhook| model::object_words(&webhook.object)).unwrap_or_default())
        });
        let last = move || match found.with(|webhook| webhook.as_ref().and_then(|webhook| webhook.health.latest_at)) {
            Some(at) => words::ago(clock.now(), at),
            None => String::from("never"),
        };
        view! {
            <tr role="row" class="fresh">
                <td role="cell" class="main-cell">
                    <a class="stretched" data-row="" href=value(href)>{of(|webhook| webhook.name.clone())}</a>
                    <span class="mono faint clip">{of(|webhook| webhook.url.clone())}</span>
                </td>
                <td role="cell" data-label="Events">{part(events)}{part(move || object.with(|object| (!object.is_empty()).then(|| view! { <span class="faint clip">{object.clone()}</span> })))}</td>
                <td role="cell" class="faint" data-label="Contract">{of(|webhook| String::from(webhook.contract.as_str()))}</td>
                <td role="cell" data-label="Latest">{part(picture)}</td>
                <td role="cell" data-label="State">{badge(move || found.with(|webhook| webhook.as_ref().map(model::standing).unwrap_or_default()))}</td>
                <td role="cell" class="number" data-label="Success">{of(|webhook| model::success(&webhook.health))}</td>
                <td role="cell" class="number faint" data-label="Last call">{part(last)}</td>
            </tr>
        }
    };
    let row = StoredValue::new_local(row);
    let api = StoredValue::new_local(project);
    let table = move || {
        if is_empty.get() {
            return if model::is_filtered(&nav.query()) {
                let clear = view! { <Button label="Remove all filters" on_press=move |()| model::FILTERS.iter().for_each(|filter| nav.filter(filter, None)) /> };
                empty(Icon::Search, "No webhook fits these filters", "Remove one, or all of them.", clear)
            } else {
                let new = view! { <LinkButton label="New webhook" href=link_of_new(&new_address) look=Look::Primary icon=Icon::Plus shortcut="N" /> };
                empty(
                    Icon::Webhook,
                    "No webhook yet",
                    "A webhook says where to call when an event happens. Without a receiver of your own, send it to an inbox.",
                    new,
                )
            };
        }
        view! {
            <div class="card scroll">
                <table role="table" class="list cards">
                    <thead role="rowgroup">
                        <tr role="row">
                            <th role="columnheader" scope="col">"Webhook"</th>
                            <th role="columnheader" scope="col">"Events"</th>
                            <th role="columnheader" scope="col">"Contract"</th>
                            <th role="columnheader" scope="col">"Latest 42"</th>
                            <th role="columnheader" scope="col">"State"</th>
                            <th role="columnheader" scope="col" class="number">"Success"</th>
                            <th role="columnheader" scope="col" class="number">"Last call"</th>
                        </tr>
                    </thead>
                    <tbody role="rowgroup">{keyed(move || shown().into_iter().map(|webhook| webhook.id).collect(), move |id| row.with_value(|row| row(id)))}</tbody>
                </table>
            </div>
            {more_button(list, "Show more", move |next| api.with_value(|api| api.webhooks(&model::api_query(&nav.query_now(), Some(next)))))}
        }
    };
    let new = link(Area::WebhookNew);
    view! {
        <PageHead title="Webhooks" about=about>
            {live_dot(live)}
            <LinkButton label="New webhook" href=new look=Look::Primary icon=Icon::Plus shortcut="N" />
        </PageHead>
        <Filters />
        {loaded(list, skeleton::rows, move || part(table.clone()))}
    }
}

fn link_of_new(address: &str) -> Signal<String> {
    Signal::from(String::from(address))
}

/// Search and filters, kept in the address.
#[component]
fn Filters() -> View {
    let (nav, project) = (use_nav(), use_project());
    let types = Fetched::new(move || {
        let project = project.clone();
        project.event_types()
    });
    let events = Signal::derive(move || {
        let mut names = types
            .value
            .with(|page| page.as_ref().map(|page| page.items.iter().map(|item| item.name.clone()).collect::<Vec<_>>()).unwrap_or_default());
        names.push(String::from("*"));
        names
    });
    let search = StoredValue::new(None::<TimeoutHandle>);
    let on_search = move |event: web_sys::Event| {
        let text = event_target_value(&event);
        if let Some(waiting) = search.get_value() {
            waiting.clear();
        }
        search.set_value(set_timeout_with_handle(move || nav.filter("search", Some(&text)), TYPING).ok());
    };
    let chip = move |name: &'static str, hint: &'static str, suggestions: Signal<Vec<String>>| {
        let value = Signal::derive(move || nav.value(name));
        view! { <FilterChip name=name value=value hint=hint suggestions=suggestions on_change={move |value: Option<String>| nav.filter(name, value.as_deref())} /> }
    };
    let state = move |name: &'static str, words: &'static str| {
        let is_on = move || nav.value("state").as_deref() == Some(name).filter(|name| !name.is_empty());
        view! {
            <button type="button" class="chip" class:on=flag(is_on) aria-pressed=truth(is_on) on:click=hears(move |_| nav.filter("state", Some(name)))>
                {words}
            </button>
        }
    };
    view! {
        <div class="toolbar" role="search">
            <label class="search">
                <span class="for-ear">"Search webhooks"</span>
                {glyph(Icon::Search)}
                <input type="search" placeholder="Search name, URL, description" autocomplete="off" prop:value=value(move || Some(nav.value("search").unwrap_or_default())) on:input=hears(on_search) />
                <kbd aria-hidden="true">"/"</kbd>
            </label>
            <div class="chips" role="group" aria-label="State">
                {state("", "Any state")}
                {state("enabled", "Enabled")}
                {state("disabled", "Disabled")}
            </div>
            <div class="chips" role="group" aria-label="Filters">
                {chip("event", "An event as the webhook lists it, such as order.paid or order.*", events)}
                {chip("object", "type or type:name, such as deployment:d1", Signal::from(vec![String::from("deployment"), String::from("pipeline")]))}
                {chip("label", "key:value, such as team:billing", Signal::from(Vec::new()))}
            </div>
        </div>
    }
}

/// What a webhook listens to: the first two patterns, and how many more.
pub(crate) fn event_codes(events: &[String]) -> View {
    let code = |pattern: &String| view! { <code class="clip">{pattern.clone()}</code> };
    let more = events.len().saturating_sub(2);
    view! {
        <span class="codes">
            {events.iter().take(2).map(code).collect_view()}
            {(more > 0).then(|| view! { <span class="faint">{format!("+{more}")}</span> })}
        </span>
    }
}

/// Calls `act` soon, but once for many calls in a row.
pub(crate) fn calmly(act: impl Fn() + Copy + 'static) -> impl Fn() + Copy {
    at_most_every(CALM, act)
}

/// Calls `act` after `wait`, but once for many calls meanwhile.
pub(crate) fn at_most_every(wait: Duration, act: impl Fn() + Copy + 'static) -> impl Fn() + Copy {
    let waits = StoredValue::new(false);
    move || {
        if waits.try_get_value() == Some(false) {
            waits.set_value(true);
            set_timeout(
                move || {
                    if waits.try_get_value().is_some() {
                        waits.set_value(false);
                        act();
                    }
                },
                wait,
            );
        }
    }
}
