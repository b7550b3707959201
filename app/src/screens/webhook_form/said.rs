//! What is wrong with the form, and what of it is said already: nobody is told that a field is wrong before
//! there was a chance to fill it in.

use leptos::prelude::*;
use postern_core::fault::Fault;

use super::model::{self, FormField, Verdict};
use crate::ui::form::{IN_SCREEN, fault_when, is_complete};

/// The faults of the form. A field says its own once it was left, or once the form was sent.
#[derive(Clone, Copy)]
pub(super) struct Said {
    faults: Memo<Vec<Fault>>,
    left: RwSignal<Vec<FormField>>,
    is_sent: RwSignal<bool>,
}

impl Said {
    /// Nothing was left or sent yet.
    pub(super) fn new(verdict: Memo<Verdict>) -> Self {
        let faults = Memo::new(move |_| verdict.with(Verdict::faults));
        Self { faults, left: RwSignal::new(Vec::new()), is_sent: RwSignal::new(false) }
    }

    /// Everything that is wrong, said or not.
    pub(super) const fn faults(self) -> Memo<Vec<Fault>> {
        self.faults
    }

    /// Whether somebody tried to send the form; reactive.
    pub(super) fn is_sent(self) -> bool {
        self.is_sent.get()
    }

    /// Takes note that somebody tries to send the form. Returns whether it can be sent; its first bad field
    /// gets the focus if not.
    pub(super) fn send(self) -> bool {
        self.is_sent.set(true);
        is_complete(self.faults, IN_SCREEN)
    }

    /// What a field says is wrong with it.
    pub(super) fn fault(self, field: FormField) -> Signal<Option<String>> {
        fault_when(self.faults, field.as_str(), move || {
            self.is_sent() || self.left.with(|left| left.contains(&field))
        })
    }

    /// What a part of a header (`headers/0/key`) says is wrong with it: only once the form was sent.
    pub(super) fn header_fault(self, at: usize, part: &str) -> Signal<Option<String>> {
        fault_when(self.faults, format!("headers/{at}/{part}"), move || self.is_sent())
    }

    /// Called when a field is left.
    pub(super) fn leave(self, field: FormField) -> UnsyncCallback<()> {
        UnsyncCallback::new(move |()| {
            if self.left.with_untracked(|left| !left.contains(&field)) {
                self.left.update(|left| left.push(field));
            }
        })
    }
}

/// What stands above the button once the form was sent: faults that no field shows, and how many there are in
/// all.
#[component]
pub(super) fn Remaining(
    /// The faults of the form.
    said: Said,
) -> AnyView {
    let faults = said.faults();
    let unplaced = move || {
        let words = faults.with(|faults| model::unplaced(faults)).filter(|_| said.is_sent())?;
        Some(view! { <p class="fault">{words}</p> }.into_any())
    };
    let number = move || {
        let number = Some(faults.with(Vec::len)).filter(|number| *number > 0 && said.is_sent())?;
        Some(view! { <p class="fault" role="alert">{model::count_words(number)}</p> }.into_any())
    };
    view! {
        {move || unplaced()}
        {move || number()}
    }
    .into_any()
}
