//! Filters of a list that stand in the address: a reload, a link and Back show the same list.
//!
//! A change replaces the address and makes no entry of the history: somebody who tries five filters wants to go
//! back to the screen before, not through all five.

use leptos::prelude::*;
use postern_core::api::event::EventTypeView;
use postern_core::api::page::Page;

use crate::api::use_project;
use crate::fetched::Fetched;
use crate::nav::use_nav;
use crate::ui::filter_chip::{FilterChip, toggle_chip};

/// A filter that is typed. `key` is its name in the address and on the chip.
pub(crate) fn typed_filter(
    key: &'static str,
    hint: &'static str,
    suggestions: Signal<Vec<String>>,
) -> AnyView {
    let nav = use_nav();
    let value = Signal::derive(move || nav.value(key));
    let change = move |value: Option<String>| nav.filter(key, value.as_deref());
    view! { <FilterChip name=key value=value hint=hint suggestions=suggestions on_change=change /> }
        .into_any()
}

/// A value to choose of the filter `key`; `None` stands for any.
pub(crate) fn value_chip(key: &'static str, value: Option<&'static str>, words: &'static str) -> AnyView {
    let nav = use_nav();
    let is_on = Memo::new(move |_| nav.value(key).as_deref() == value);
    toggle_chip(words, is_on, UnsyncCallback::new(move |()| nav.filter(key, value)))
}

/// The names of the event types that the project offers to people; none until they are loaded.
pub(crate) fn event_type_names() -> Signal<Vec<String>> {
    let project = use_project();
    names_of(Fetched::new(move || project.event_types()))
}

/// The names of these event types.
pub(crate) fn names_of(types: Fetched<Page<EventTypeView>>) -> Signal<Vec<String>> {
    Signal::derive(move || {
        types
            .value
            .with(|page| page.iter().flat_map(|page| &page.items).map(|kind| kind.name.clone()).collect())
    })
}
