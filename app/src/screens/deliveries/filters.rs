//! The filters of the list.

use leptos::prelude::*;

use super::model;
use crate::screens::filters::value_chip;
use crate::screens::find::{QueryBar, Subject, UNDER_WAY};
use crate::words::state_word;

/// The states of [`model::TOGGLED`] and "under way", as the address has them.
const TOGGLED: [&str; model::TOGGLED.len() + 1] = {
    let [a, b, c, d, e] = model::TOGGLED;
    [UNDER_WAY, a.as_str(), b.as_str(), c.as_str(), d.as_str(), e.as_str()]
};

/// The filters; `names` are those of the project's webhooks.
#[component]
pub(super) fn Filters(names: Signal<Vec<String>>) -> AnyView {
    let states = [(None, "Any state"), (Some(UNDER_WAY), "Under way")]
        .into_iter()
        .chain(model::TOGGLED.map(|state| (Some(state.as_str()), state_word(state).1)));
    view! {
        <QueryBar subject=Subject::Deliveries webhooks=names toggled=&TOGGLED>
            <div class="chips" role="group" aria-label="State">{states.map(|(value, words)| value_chip("state", value, words)).collect_view()}</div>
        </QueryBar>
    }
    .into_any()
}
