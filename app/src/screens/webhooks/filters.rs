//! Search and filters.

use std::time::Duration;

use leptos::prelude::*;

use crate::nav::{Nav, use_nav};
use crate::screens::filters::{event_type_names, typed_filter, value_chip};
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
                {value_chip("state", None, "Any state")}
                {value_chip("state", Some("enabled"), "Enabled")}
                {value_chip("state", Some("disabled"), "Disabled")}
                {value_chip("state", Some("down"), "Down")}
            </div>
            <div class="chips" role="group" aria-label="Filters">
                {typed_filter("event", "An event as the webhook lists it, such as order.paid or order.*", patterns())}
                {typed_filter("object", "type or type:name, such as deployment:d1", objects)}
                {typed_filter("label", "key:value, such as team:billing", Signal::from(Vec::new()))}
            </div>
        </div>
    }
    .into_any()
}

/// What webhooks may listen to.
///
/// `*` is among them, because a webhook that listens to everything is filtered by that.
fn patterns() -> Signal<Vec<String>> {
    let names = event_type_names();
    Signal::derive(move || {
        let mut names = names.get();
        names.push(String::from("*"));
        names
    })
}

/// The search box; it waits for a pause in typing.
///
/// Every letter would be a question to the server; the pause is short enough that nobody waits for it. What
/// stands in the box follows the address, so that it is empty once all filters are removed.
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
