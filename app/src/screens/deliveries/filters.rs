//! The filters of the list.

use leptos::prelude::*;
use postern_core::delivery::State;

use super::model;
use crate::screens::filters::{event_type_names, typed_filter, value_chip};
use crate::words::state_word;

/// The filters; `names` are those of the project's webhooks.
#[component]
pub(super) fn Filters(names: Signal<Vec<String>>) -> AnyView {
    let states = [State::Pending, State::Waiting, State::Delivered, State::Dead, State::Cancelled];
    let states = [(None, "Any state"), (Some(model::UNDER_WAY), "Under way")]
        .into_iter()
        .chain(states.map(|state| (Some(state.as_str()), state_word(state).1)));
    view! {
        <div class="toolbar" role="search">
            <div class="chips" role="group" aria-label="State">{states.map(|(value, words)| value_chip("state", value, words)).collect_view()}</div>
            <div class="chips" role="group" aria-label="Filters">
                {typed_filter("webhook", "The name of a webhook", names)}
                {typed_filter("type", "An event type, such as order.paid", event_type_names())}
            </div>
        </div>
    }
    .into_any()
}
