//! What a form sends: one call at a time, whatever is pressed how often meanwhile.

use leptos::prelude::*;

use super::button::{Button, Look};
use crate::api::{Answer, Load};
use crate::dom::{View, view};
use crate::fetched::when;
use crate::state::{RwSignal, Signal};

/// Whether a form's call is under way.
#[derive(Clone, Copy)]
pub(crate) struct Sending(RwSignal<bool>);

impl Sending {
    /// Nothing is under way.
    pub(crate) fn new() -> Self {
        Self(RwSignal::new(false))
    }

    /// Sends, unless something is under way already, and calls `act` with the answer.
    pub(crate) fn send<T: 'static>(self, load: Load<T>, act: impl FnOnce(Answer<T>) + 'static) {
        if self.0.get_untracked() {
            // A call that nobody waits for is never made.
            return;
        }
        self.0.set(true);
        when(load, move |answer| {
            self.0.set(false);
            act(answer);
        });
    }

    /// Whether something is under way; reactive.
    pub(crate) fn busy(self) -> Signal<bool> {
        Signal::from(self.0)
    }
}

/// The button that sends the form that it is in.
#[component]
pub(crate) fn Submit(
    /// What it does, in words.
    #[prop(into)]
    label: Signal<String>,
    /// The form's call.
    sending: Sending,
) -> View {
    let busy = sending.busy();
    view! { <Button label=label look=Look::Primary submits=true disabled=busy /> }
}
