//! Filters as chips: `+ event` while not set, `event: order.paid ×` while set.

use crate::dom::{NodeRef, View, hears, part, view};
use crate::state::{RwSignal, Signal};
use leptos::prelude::*;

use super::button::{Button, Look};
use super::field::TextField;
use super::icon::{Icon, glyph};

/// A filter that is typed.
#[component]
pub(crate) fn FilterChip(
    /// What it filters by, in one word.
    name: &'static str,
    /// What it is set to.
    #[prop(into)]
    value: Signal<Option<String>>,
    /// What fits, or an example.
    hint: &'static str,
    /// What may be meant.
    #[prop(into)]
    suggestions: Signal<Vec<String>>,
    /// Called with what it is to be set to.
    #[prop(into)]
    on_change: UnsyncCallback<Option<String>>,
) -> View {
    let details = NodeRef::<web_sys::HtmlDetailsElement>::new();
    let typed = RwSignal::new(String::new());
    let close = move || {
        if let Some(details) = details.element() {
            details.set_open(false);
        }
    };
    let apply = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let text = typed.get_untracked();
        on_change.run(Some(String::from(text.trim())).filter(|text| !text.is_empty()));
        close();
    };
    let chip = move || match value.get() {
        Some(value) => view! {
            <button type="button" class="chip on" on:click=hears(move |_| on_change.run(None))>
                {format!("{name}: {value}")}<span class="for-ear">" (remove this filter)"</span>{glyph(Icon::Close)}
            </button>
        },
        None => view! {
            <details class="chip-menu" node_ref=details on:keydown=hears(move |event: web_sys::KeyboardEvent| {
                if event.key() == "Escape" {
                    event.prevent_default();
                    close();
                }
            })>
                <summary class="chip">{format!("+ {name}")}</summary>
                <form class="popover" on:submit=hears(apply)>
                    <TextField label=format!("Filter by {name}") value=typed hint=hint suggestions=suggestions mono=true />
                    <Button label="Apply" look=Look::Primary submits=true />
                </form>
            </details>
        },
    };
    view! { <span class="chip-place">{part(chip)}</span> }
}
