//! What a form sends: one call at a time, whatever is pressed how often meanwhile.

use leptos::prelude::*;
use postern_core::fault::Fault;

use super::button::{Button, Look};
use crate::api::{Answer, Load};
use crate::browser::focus;
use crate::fetched::when;
use crate::words::sentence;

/// The first bad field of a form in a dialog.
pub(crate) const IN_DIALOG: &str = "dialog [aria-invalid=true]";
/// The first bad field of a form that is a screen, or part of one.
pub(crate) const IN_SCREEN: &str = "form [aria-invalid=true]";

/// What is wrong with a field, or with a part of it, in one text. `field` is where it stands without the
/// first slash: `name`, `headers/0/key`.
pub(crate) fn fault_of(faults: &[Fault], field: &str) -> Option<String> {
    let is_there = |fault: &&Fault| {
        let rest = fault.pointer.trim_start_matches('/').strip_prefix(field);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let found: Vec<&str> = faults.iter().filter(is_there).map(|fault| fault.detail.as_str()).collect();
    (!found.is_empty()).then(|| sentence(&found.join("; ")))
}

/// What is said below a field that is wrong.
pub(crate) fn shown_fault(
    faults: Memo<Vec<Fault>>,
    field: impl AsRef<str> + Send + Sync + 'static,
) -> Signal<Option<String>> {
    fault_when(faults, field, || true)
}

/// The same once it is due: nobody is told that a field is wrong before there was a chance to fill it in.
///
/// `is_due` is reactive: mostly whether somebody has tried to send the form, or has typed into the field.
pub(crate) fn fault_when(
    faults: Memo<Vec<Fault>>,
    field: impl AsRef<str> + Send + Sync + 'static,
    is_due: impl Fn() -> bool + Send + Sync + 'static,
) -> Signal<Option<String>> {
    Signal::derive(
        move || if is_due() { faults.with(|faults| fault_of(faults, field.as_ref())) } else { None },
    )
}

/// Whether a form can be sent as it is filled in. Where not, its first bad field gets the focus.
///
/// `first_bad` is [`IN_DIALOG`] or [`IN_SCREEN`], by where the form stands. The focus moves in the next
/// frame: the fault that this press made due is not shown yet.
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
    ///
    /// `load` is not polled when something is under way, so no second call is made: a double click is one
    /// click.
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
) -> AnyView {
    let busy = sending.busy();
    view! { <Button label=label look=Look::Primary submits=true disabled=busy /> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_says_what_is_wrong_with_it_and_with_its_parts() {
        let faults = [
            Fault::new("/events/0", "must be an event type"),
            Fault::new("/events", "must not be empty."),
            Fault::new("/headers/0/key", "is taken"),
            Fault::new("/event_labels", "is no object"),
        ];
        assert_eq!(fault_of(&faults, "events").as_deref(), Some("Must be an event type; must not be empty."));
        assert_eq!(fault_of(&faults, "headers/0/key").as_deref(), Some("Is taken."));
        assert_eq!(fault_of(&faults, "event"), None, "only whole names");
    }
}
