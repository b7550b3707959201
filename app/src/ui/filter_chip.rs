//! Filters as chips: `+ event` while not set, `event: order.paid ×` while set.
//!
//! Where the filter is kept is the caller's matter; on all screens it is the address.

use leptos::prelude::*;

use super::button::{Button, Look};
use super::field::TextField;
use super::icon::{Icon, glyph};

/// A filter that is typed. Enter applies it, Esc closes it unchanged, an empty text removes it. While it is
/// set, the chip is the button that removes it.
///
/// The form is a `<details>` of the browser: it opens and closes by keyboard without code of ours.
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
) -> AnyView {
    let details = NodeRef::<leptos::html::Details>::new();
    let typed = RwSignal::new(String::new());
    let close = move || {
        if let Some(details) = details.get_untracked() {
            details.set_open(false);
        }
    };
    let apply = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let text = typed.get_untracked();
        on_change.run(Some(String::from(text.trim())).filter(|text| !text.is_empty()));
        close();
    };
    let chip = move || {
        match value.get() {
        Some(value) => view! {
            <button type="button" class="chip on" on:click=move |_| on_change.run(None)>
                {format!("{name}: {value}")}<span class="for-ear">" (remove this filter)"</span>{glyph(Icon::Close)}
            </button>
        }
        .into_any(),
        None => view! {
            <details class="chip-menu" node_ref=details on:keydown=move |event: web_sys::KeyboardEvent| {
                if event.key() == "Escape" {
                    event.prevent_default();
                    close();
                }
            }>
                <summary class="chip">{format!("+ {name}")}</summary>
                <form class="popover" on:submit=apply>
                    <TextField label=format!("Filter by {name}") value=typed hint=hint suggestions=suggestions mono=true />
                    <Button label="Apply" look=Look::Primary submits=true />
                </form>
            </details>
        }
        .into_any(),
    }
    };
    view! { <span class="chip-place">{move || chip()}</span> }.into_any()
}

/// One of several things to choose as a chip, on or off. Not generic, so that it exists once.
///
/// It tells by `aria-pressed` whether it is on. Where one of several is always on, pressing that one changes
/// nothing.
pub(crate) fn toggle_chip(words: &'static str, is_on: Memo<bool>, press: UnsyncCallback<()>) -> AnyView {
    view! {
        <button type="button" class="chip" class:on=is_on aria-pressed=move || is_on.get().to_string() on:click=move |_| press.run(())>
            {words}
        </button>
    }
    .into_any()
}
