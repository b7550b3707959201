//! The filters of the list, kept in the address.

use leptos::prelude::*;
use postern_core::delivery::State;

use super::model;
use crate::api::use_project;
use crate::fetched::Fetched;
use crate::nav::{Nav, use_nav};
use crate::ui::filter_chip::{FilterChip, toggle_chip};
use crate::words::state_word;

/// The filters; `names` are those of the project's webhooks.
#[component]
pub(super) fn Filters(names: Signal<Vec<String>>) -> AnyView {
    let (nav, project) = (use_nav(), use_project());
    let types = Fetched::new(move || project.event_types());
    let kinds = Signal::derive(move || {
        types.value.with(|page| {
            page.as_ref()
                .map(|page| page.items.iter().map(|kind| kind.name.clone()).collect::<Vec<_>>())
                .unwrap_or_default()
        })
    });
    let states = [State::Pending, State::Waiting, State::Delivered, State::Dead, State::Cancelled];
    let states = [(None, "Any state"), (Some(model::UNDER_WAY), "Under way")]
        .into_iter()
        .chain(states.map(|state| (Some(state.as_str()), state_word(state).1)));
    view! {
        <div class="toolbar" role="search">
            <div class="chips" role="group" aria-label="State">{states.map(|(wanted, words)| state(nav, wanted, words)).collect_view()}</div>
            <div class="chips" role="group" aria-label="Filters">
                {chip(nav, "webhook", "The name of a webhook", names)}
                {chip(nav, "type", "An event type, such as order.paid", kinds)}
            </div>
        </div>
    }
    .into_any()
}

/// A state as a chip; `None` stands for any.
fn state(nav: Nav, wanted: Option<&'static str>, words: &'static str) -> AnyView {
    let is_on = Memo::new(move |_| nav.value("state").as_deref() == wanted);
    toggle_chip(words, is_on, UnsyncCallback::new(move |()| nav.filter("state", wanted)))
}

/// A filter that is typed.
fn chip(nav: Nav, name: &'static str, hint: &'static str, suggestions: Signal<Vec<String>>) -> AnyView {
    let value = Signal::derive(move || nav.value(name));
    let change = move |value: Option<String>| nav.filter(name, value.as_deref());
    view! { <FilterChip name=name value=value hint=hint suggestions=suggestions on_change=change /> }
        .into_any()
}
