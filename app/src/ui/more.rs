//! The button below a list that puts the next page behind it.

use leptos::prelude::*;
use postern_core::api::page::Page;
use postern_core::time::Timestamp;

use super::button::Button;
use super::icon::Icon;
use super::notice::empty;
use super::toast::use_toasts;
use crate::api::Load;
use crate::browser::clock::offset_min;
use crate::dom::{View, part, view};
use crate::fetched::Fetched;
use crate::state::{Memo, RwSignal};
use crate::words;

/// A button, as long as `list` has a next page, with how far back it was searched where it ended there. `load` gives the page
/// that begins at a cursor.
pub(crate) fn more_button<T: 'static>(list: Fetched<Page<T>>, label: &'static str, load: impl Fn(&str) -> Load<Page<T>> + 'static) -> View {
    let (toasts, busy) = (use_toasts(), RwSignal::new(false));
    let press = move || {
        let next = untrack(move || list.next());
        let Some(next) = next.filter(|_| !busy.get_untracked()) else { return };
        busy.set(true);
        list.extend(load(&next), move |failure| {
            busy.set(false);
            if let Some(failure) = failure {
                toasts.complain(failure.to_string());
            }
        });
    };
    let has_more = Memo::new(move || list.next().is_some());
    shown(has_more, Memo::new(move || list.searched_to()), label, busy, UnsyncCallback::new(move |()| press()))
}

/// Not generic, so that it exists once.
fn shown(
    has_more: Memo<bool>,
    searched_to: Memo<Option<Timestamp>>,
    label: &'static str,
    busy: RwSignal<bool>,
    press: UnsyncCallback<()>,
) -> View {
    part(move || {
        has_more.get().then(|| {
            let far = searched_to.get().map(|at| {
                let at = words::date_time(at, offset_min(at));
                view! { <span class="faint">{format!("Searched back to {at}")}</span> }
            });
            view! { <div class="more">{far}<Button label=label disabled=busy on_press=move |()| press.run(()) /></div> }
        })
    })
}

/// What stands in the place of a list in which nothing was found so far, with `more` to search on.
pub(crate) fn nothing_yet(more: View) -> View {
    empty(Icon::Search, "Nothing found so far", "The list is long: there may be older ones that fit.", more)
}
