//! A table of numbers below a picture that shows the same.

use leptos::prelude::*;

use crate::ui::rows::view::Column;

/// The table. `rows` are its `<tr>`.
///
/// The box scrolls by itself and can have the focus, so that a keyboard reaches its right edge.
pub(crate) fn numbers_table(label: &'static str, columns: &'static [Column], rows: Vec<AnyView>) -> AnyView {
    let heading = |column: &'static Column| {
        view! { <th scope="col" class=column.class()>{column.name}</th> }.into_any()
    };
    view! {
        <div class="scroll" tabindex="0" role="group" aria-label=label>
            <table class="list numbers">
                <thead><tr>{columns.iter().map(heading).collect_view()}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
