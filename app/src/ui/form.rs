//! What a form sends: one call at a time, whatever is pressed how often meanwhile.

use leptos::prelude::*;
use postern_core::fault::Fault;

use super::button::{Button, Look};
use crate::api::{Answer, Load};
use crate::browser::focus;
use crate::dom::{View, view};
use crate::fetched::when;
use crate::state::{Memo, RwSignal, Signal};

/// The first bad field of a form in a dialog.
pub(crate) const IN_DIALOG: &str = "dialog [aria-invalid=true]";
/// The first bad field of a form that is a screen, or part of one.
pub(crate) const IN_SCREEN: &str = "form [aria-invalid=true]";

/// Whether a form can be sent as it is filled in. Where not, its first bad field gets the focus.
pub(crate) fn is_complete(faults: Memo<Vec<Fault>>, first_bad: &'static str) -> bool {
    let is_complete = faults.with_untracked(Vec::is_empty);
    if !is_complete {
        focus::soon(first_bad);
    }
    is_complete
}

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
