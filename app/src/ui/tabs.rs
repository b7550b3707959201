//! Tabs: one of several panels. Arrow keys move between them (ARIA authoring practices), Tab goes on to the
//! panel: only the open tab is among what Tab stops at. A panel is made when it is opened, and only then.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

use super::fresh_id;

/// A tab: its key, its words and what it shows.
pub(crate) struct Tab {
    /// Tells it from the others.
    pub(crate) key: &'static str,
    /// Its words.
    pub(crate) label: String,
    /// Makes what it shows.
    pub(crate) panel: Box<dyn Fn() -> AnyView + Send + Sync>,
}

/// Tabs of which `chosen` is open; the first one if `chosen` is not the key of any. `label` is what all of
/// them are about, for the ear. The caller keeps `chosen`, so that the same tab stays open when the tabs are
/// made anew.
pub(crate) fn tabs(label: &'static str, chosen: RwSignal<&'static str>, tabs: Vec<Tab>) -> AnyView {
    let keys: Vec<&'static str> = tabs.iter().map(|tab| tab.key).collect();
    let present = Memo::new(move |_| {
        let key = chosen.get();
        keys.iter().position(|known| *known == key).unwrap_or_default()
    });
    let panel_id = fresh_id();
    let head = tabs.iter().enumerate().map(|(at, tab)| {
        let key = tab.key;
        view! {
            <button
                type="button"
                role="tab"
                aria-selected=move || (present.get() == at).to_string()
                aria-controls=panel_id.clone()
                tabindex=move || if present.get() == at { "0" } else { "-1" }
                on:click=move |_| chosen.set(key)
            >
                {tab.label.clone()}
            </button>
        }
        .into_any()
    });
    let head = head.collect_view();
    let panel = move || tabs.get(present.get()).map(|tab| (tab.panel)());
    view! {
        <div class="tabs" role="tablist" aria-label=label on:keydown=move |event| step(&event)>{head}</div>
        <div class="tab-panel" role="tabpanel" id=panel_id tabindex="0">{move || panel()}</div>
    }
    .into_any()
}

/// Moves the focus to the neighbour and opens it.
///
/// The ends are ends: it does not go round, so that holding a key leads somewhere.
fn step(event: &KeyboardEvent) {
    let Some(tab) = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok()) else {
        return;
    };
    let neighbour = match event.key().as_str() {
        "ArrowRight" => tab.next_element_sibling(),
        "ArrowLeft" => tab.previous_element_sibling(),
        _ => None,
    };
    if let Some(neighbour) = neighbour.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        event.prevent_default();
        event.stop_propagation();
        neighbour.click();
        // Fails only for an element that is gone.
        drop(neighbour.focus());
    }
}
