//! A table of numbers below a picture that shows the same.

use leptos::prelude::*;

/// How a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cells {
    /// Texts, from the left.
    Text,
    /// Numbers, which end at one line.
    Number,
}

/// The table. `rows` are its `<tr>`.
///
/// The box scrolls by itself and can have the focus, so that a keyboard reaches its right edge.
pub(crate) fn numbers(label: &'static str, columns: &[(&'static str, Cells)], rows: Vec<AnyView>) -> AnyView {
    let head = |(name, cells): &(&'static str, Cells)| {
        view! { <th scope="col" class:number=*cells == Cells::Number>{*name}</th> }.into_any()
    };
    view! {
        <div class="scroll" tabindex="0" role="group" aria-label=label>
            <table class="list numbers">
                <thead><tr>{columns.iter().map(head).collect_view()}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
