//! Skeletons: the shape of what is being loaded, so that nothing jumps when it is there.

use leptos::prelude::*;

/// What stands in the place of something that is being loaded, for the eye and for the ear.
///
/// The shape is hidden from the ear, which hears "Loading" once.
pub(crate) fn loading(shape: fn() -> AnyView) -> AnyView {
    view! { <div class="loading" role="status"><span class="for-ear">"Loading"</span>{shape()}</div> }
        .into_any()
}

/// Rows of a table.
pub(crate) fn rows() -> AnyView {
    let row = |_| {
        view! { <div class="bone-row"><i class="bone wide"></i><i class="bone"></i><i class="bone"></i></div> }.into_any()
    };
    view! { <div class="card" aria-hidden="true">{(0..6).map(row).collect_view()}</div> }.into_any()
}

/// A few paragraphs.
pub(crate) fn text() -> AnyView {
    view! { <div class="card">{plain_text()}</div> }.into_any()
}

/// A few paragraphs within a card.
pub(crate) fn plain_text() -> AnyView {
    view! {
        <div class="pad bones" aria-hidden="true">
            <i class="bone wide"></i>
            <i class="bone"></i>
            <i class="bone wide"></i>
            <i class="bone short"></i>
        </div>
    }
    .into_any()
}
