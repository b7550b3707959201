//! A chip that opens a box below it.

use leptos::prelude::*;

/// Closes the box that it was given to.
pub(crate) type Close = UnsyncCallback<()>;

/// The chip, and the box with what `content` makes. Esc closes it.
///
/// It is a `<details>` of the browser: it opens and closes by keyboard without code of ours.
pub(crate) fn chip_menu(label: String, content: impl FnOnce(Close) -> AnyView) -> AnyView {
    let details = NodeRef::<leptos::html::Details>::new();
    let close = Close::new(move |()| {
        if let Some(details) = details.get_untracked() {
            details.set_open(false);
        }
    });
    framed(details, close, label, content(close))
}

/// Not generic, so that it exists once.
fn framed(details: NodeRef<leptos::html::Details>, close: Close, label: String, content: AnyView) -> AnyView {
    let keys = move |event: web_sys::KeyboardEvent| {
        if event.key() == "Escape" {
            event.prevent_default();
            close.run(());
        }
    };
    view! {
        <details class="chip-menu" node_ref=details on:keydown=keys>
            <summary class="chip">{label}</summary>
            <div class="popover">{content}</div>
        </details>
    }
    .into_any()
}
