//! The button below a list that puts the next page behind it.
//!
//! The API searches for a while and then says how far it got, so a page may be empty although there is a next
//! one. Then the list is not empty, only not found yet ([`nothing_yet`]).

use leptos::prelude::*;
use postern_core::time::Timestamp;

use super::button::Button;
use super::icon::Icon;
use super::notice::empty;
use crate::browser::clock::offset_min;
use crate::words;

/// The button, as long as there `has_more`. Not generic, so that it exists once.
///
/// `searched_to` is said beside it where a search stopped for want of time, so that an end is not taken for
/// the end of all. `busy` is the call of `press`: the button keeps the focus meanwhile.
pub(crate) fn shown(
    has_more: Memo<bool>,
    searched_to: Memo<Option<Timestamp>>,
    label: &'static str,
    busy: RwSignal<bool>,
    press: UnsyncCallback<()>,
) -> AnyView {
    let button = move || {
        has_more.get().then(|| {
            let far = searched_to.get().map(|at| {
                let at = words::date_time(at, offset_min(at));
                view! { <span class="faint">{format!("Searched back to {at}")}</span> }.into_any()
            });
            view! { <div class="more">{far}<Button label=label disabled=busy on_press=move |()| press.run(()) /></div> }.into_any()
        })
    };
    button.into_any()
}

/// What stands in the place of a list in which nothing was found so far, with `more` to search on.
pub(crate) fn nothing_yet(more: AnyView) -> AnyView {
    empty(Icon::Search, "Nothing found so far", "The list is long: there may be older ones that fit.", more)
}
