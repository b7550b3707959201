//! Filters as chips: `+ event` while not set, `event: order.paid ×` while set.
//!
//! Where the filter is kept is the caller's matter; on all screens it is the address.

use leptos::prelude::*;

use super::button::{Button, Look};
use super::chip_menu::{Close, chip_menu};
use super::field::TextField;
use super::icon::{Icon, glyph};

/// A filter that is typed. Enter applies it, Esc closes it unchanged, an empty text removes it. While it is
/// set, the chip is the button that removes it.
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
    let typed = RwSignal::new(String::new());
    let form = move |close: Close| {
        let apply = move |event: web_sys::SubmitEvent| {
            event.prevent_default();
            let text = typed.get_untracked();
            on_change.run(Some(String::from(text.trim())).filter(|text| !text.is_empty()));
            close.run(());
        };
        view! {
            <form on:submit=apply>
                <TextField label=format!("Filter by {name}") value=typed hint=hint suggestions=suggestions mono=true />
                <Button label="Apply" look=Look::Primary submits=true />
            </form>
        }
        .into_any()
    };
    let chip = move || {
        match value.get() {
        Some(value) => view! {
            <button type="button" class="chip on" on:click=move |_| on_change.run(None)>
                {format!("{name}: {value}")}<span class="for-ear">" (remove this filter)"</span>{glyph(Icon::Close)}
            </button>
        }
        .into_any(),
        None => chip_menu(format!("+ {name}"), form),
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
