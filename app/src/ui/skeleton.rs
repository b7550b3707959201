//! Skeletons: the shape of what is being loaded, so that nothing jumps when it is there.

use crate::dom::{CollectView, View, view};

/// Rows of a table.
pub(crate) fn rows() -> View {
    let row = |_| view! { <div class="bone-row"><i class="bone wide"></i><i class="bone"></i><i class="bone"></i></div> };
    view! { <div class="card" aria-hidden="true">{(0..6).map(row).collect_view()}</div> }
}

/// A few paragraphs.
pub(crate) fn text() -> View {
    view! { <div class="card">{plain_text()}</div> }
}

/// A few paragraphs within a card.
pub(crate) fn plain_text() -> View {
    view! {
        <div class="pad bones" aria-hidden="true">
            <i class="bone wide"></i>
            <i class="bone"></i>
            <i class="bone wide"></i>
            <i class="bone short"></i>
        </div>
    }
}
