//! The second part of the form: which events are wanted, by type and by the object that they are about.
//!
//! Finer filters, by labels and by what is in the data, are folded away (`flow`): most webhooks need none of
//! them.

use leptos::prelude::*;
use postern_core::api::event::EventTypeView;
use postern_core::api::page::Page;
use reactive_stores::Store;

use super::model::{self, FormField, WebhookDraft, WebhookDraftStoreFields};
use super::said::Said;
use crate::fetched::Fetched;
use crate::ui::field::TextField;

/// Patterns of event types, with those that are known to press, and the object filter. What can be pressed
/// follows the contract: UbiOps and UP42 have events of their own. Patterns that are not offered can be typed
/// all the same.
#[component]
pub(super) fn WhichEvents(
    /// The form.
    draft: Store<WebhookDraft>,
    /// What is wrong with it.
    said: Said,
    /// The catalogue.
    types: Fetched<Page<EventTypeView>>,
) -> AnyView {
    let offered = Memo::new(move |_| {
        let known: Vec<String> = types
            .value
            .with(|page| page.iter().flat_map(|page| &page.items).map(|item| item.name.clone()).collect());
        model::offered(draft.contract().get(), &known)
    });
    let chips = move || offered.get().into_iter().map(|pattern| chip(draft, pattern)).collect_view();
    view! {
        <fieldset>
            <legend>"Which events"</legend>
            <TextField
                label="Events"
                value=draft.events()
                mono=true
                placeholder="order.paid order.*"
                hint="Types or groups, separated by spaces. order.* takes all below order, * takes all."
                fault=said.fault(FormField::Events)
                on_leave=said.leave(FormField::Events)
            />
            <div class="chips" role="group" aria-label="Known events">{move || chips()}</div>
            <div class="thirds">
                <TextField
                    label="Object type"
                    value=draft.object_type()
                    placeholder="any"
                    fault=said.fault(FormField::Object)
                    on_leave=said.leave(FormField::Object)
                />
                <TextField label="Object name" value=draft.object_name() placeholder="any" />
                <TextField label="Object version" value=draft.object_version() placeholder="any" />
            </div>
        </fieldset>
    }
    .into_any()
}

/// A pattern to press instead of typing it; pressed again, it is taken away. It is pressed, too, where
/// somebody has typed it: the text is the only place where patterns are kept.
fn chip(draft: Store<WebhookDraft>, pattern: String) -> AnyView {
    let (wanted, shown) = (pattern.clone(), pattern.clone());
    let is_on = Memo::new(move |_| draft.events().with(|events| model::patterns(events).contains(&wanted)));
    view! {
        <button
            type="button"
            class="chip mono"
            class:on=is_on
            aria-pressed=move || is_on.get().to_string()
            on:click=move |_| draft.events().update(|events| *events = model::toggle(events, &pattern))
        >
            {shown}
        </button>
    }
    .into_any()
}
