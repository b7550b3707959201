//! The button below a list that puts the next page behind it.

use leptos::prelude::*;
use postern_core::api::page::Page;

use super::button::Button;
use super::toast::use_toasts;
use crate::api::Load;
use crate::dom::{View, part, view};
use crate::fetched::Fetched;
use crate::state::{Memo, RwSignal};

/// A button, as long as `list` has a next page. `load` gives the page that begins at a cursor.
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
    shown(Memo::new(move || list.next().is_some()), label, busy, UnsyncCallback::new(move |()| press()))
}

/// Not generic, so that it exists once.
fn shown(has_more: Memo<bool>, label: &'static str, busy: RwSignal<bool>, press: UnsyncCallback<()>) -> View {
    part(move || {
        has_more.get().then(|| view! { <div class="more"><Button label=label disabled=busy on_press=move |()| press.run(()) /></div> })
    })
}
