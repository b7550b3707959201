//! Search and filters, kept in the address.

use std::time::Duration;

use leptos::prelude::*;

use crate::api::use_project;
use crate::fetched::Fetched;
use crate::nav::{Nav, use_nav};
use crate::ui::filter_chip::{FilterChip, toggle_chip};
use crate::ui::icon::{Icon, glyph};

/// How long to wait for the next letter before searching.
const TYPING: Duration = Duration::from_millis(200);

/// Search and filters.
#[component]
pub(super) fn Filters() -> AnyView {
    let nav = use_nav();
    let objects = Signal::from(vec![String::from("deployment"), String::from("pipeline")]);
    view! {
        <div class="toolbar" role="search">
            {search(nav)}
            <div class="chips" role="group" aria-label="State">
                {state(nav, "", "Any state")}
                {state(nav, "enabled", "Enabled")}
                {state(nav, "disabled", "Disabled")}
            </div>
            <div class="chips" role="group" aria-label="Filters">
                {chip(nav, "event", "An event as the webhook lists it, such as order.paid or order.*", patterns())}
                {chip(nav, "object", "type or type:name, such as deployment:d1", objects)}
                {chip(nav, "label", "key:value, such as team:billing", Signal::from(Vec::new()))}
            </div>
        </div>
    }
    .into_any()
}

/// What webhooks may listen to.
fn patterns() -> Signal<Vec<String>> {
    let project = use_project();
    let types = Fetched::new(move || project.event_types());
    Signal::derive(move || {
        let mut names = types.value.with(|page| {
            page.as_ref()
                .map(|page| page.items.iter().map(|item| item.name.clone()).collect::<Vec<_>>())
                .unwrap_or_default()
        });
        names.push(String::from("*"));
        names
    })
}

/// The search box; it waits for a pause in typing.
fn search(nav: Nav) -> AnyView {
    let waiting = StoredValue::new(None::<TimeoutHandle>);
    let on_search = move |event: web_sys::Event| {
        let text = event_target_value(&event);
        if let Some(waiting) = waiting.get_value() {
            waiting.clear();
        }
        waiting.set_value(set_timeout_with_handle(move || nav.filter("search", Some(&text)), TYPING).ok());
    };
    view! {
        <label class="search">
            <span class="for-ear">"Search webhooks"</span>
            {glyph(Icon::Search)}
            <input type="search" placeholder="Search name, URL, description" autocomplete="off" prop:value=move || Some(nav.value("search").unwrap_or_default()) on:input=on_search />
            <kbd aria-hidden="true">"/"</kbd>
        </label>
    }
    .into_any()
}

/// A state as a chip; an empty name stands for any.
fn state(nav: Nav, name: &'static str, words: &'static str) -> AnyView {
    let is_on =
        Memo::new(move |_| nav.value("state").as_deref() == Some(name).filter(|name| !name.is_empty()));
    toggle_chip(words, is_on, UnsyncCallback::new(move |()| nav.filter("state", Some(name))))
}

/// A filter that is typed.
fn chip(nav: Nav, name: &'static str, hint: &'static str, suggestions: Signal<Vec<String>>) -> AnyView {
    let value = Signal::derive(move || nav.value(name));
    let change = move |value: Option<String>| nav.filter(name, value.as_deref());
    view! { <FilterChip name=name value=value hint=hint suggestions=suggestions on_change=change /> }
        .into_any()
}
