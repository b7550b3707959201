//! A list that stands still while somebody reads it.

use leptos::prelude::*;
use postern_core::api::delivery::DeliveryView;
use postern_core::api::live::ChangeKind;

use super::fit::{Fit, LiveFilter};
use super::unjudged::Unjudged;
use crate::live::use_live;
use crate::ui::rows::List;
use crate::ui::shortcuts::use_shortcut;

/// Whether the list stands still, and how much it has missed since.
///
/// A paused list is a still picture, so that somebody can read it while deliveries keep coming. Resumed, it
/// is loaded anew: what was missed was only counted.
#[derive(Clone, Copy)]
pub(super) struct Pause {
    /// The list that stands still.
    list: List<DeliveryView>,
    /// Whether it does.
    is_paused: RwSignal<bool>,
    /// Messages about deliveries that fit the filters, since then.
    missed: RwSignal<u32>,
    /// What deliveries are judged by.
    filter: Memo<LiveFilter>,
    /// Those of which the page cannot say whether they fit.
    unjudged: Unjudged,
}

impl Pause {
    /// Follows the live feed as long as the screen is there, unless it is paused.
    pub(super) fn new(list: List<DeliveryView>, filter: Memo<LiveFilter>, unjudged: Unjudged) -> Self {
        let (is_paused, missed) = (RwSignal::new(false), RwSignal::new(0));
        let pause = Self { list, is_paused, missed, filter, unjudged };
        use_live().on_change(move |change| {
            if let Some(delivery) = change.delivery() {
                pause.hear(&delivery);
            } else if change.kind() == ChangeKind::Many && !pause.is_paused.get_untracked() {
                list.page.reload();
            }
        });
        use_shortcut("P", "Pause or resume the feed", move || pause.press());
        pause
    }

    /// Takes a change in, or counts it while the list stands still. What does not fit the filters is written
    /// where it stands already, because a row does not go while it is looked at.
    fn hear(self, delivery: &DeliveryView) {
        let fit = self.filter.with_untracked(|filter| filter.judge(delivery));
        match (self.is_paused.get_untracked(), fit) {
            (false, Fit::Fits) => self.list.offer(delivery),
            (false, Fit::Differs) => {
                self.list.update(delivery);
            }
            (false, Fit::Unknown) if self.list.update(delivery) => {}
            (false, Fit::Unknown) => {
                self.filter.with_untracked(|filter| self.unjudged.note(self.list, filter, delivery));
            }
            (true, Fit::Fits | Fit::Unknown) => self.missed.update(|missed| *missed += 1),
            (true, Fit::Differs) => {}
        }
    }

    /// Pauses, or resumes with the list as it is now.
    pub(super) fn press(self) {
        let pauses = !self.is_paused.get_untracked();
        self.is_paused.set(pauses);
        if pauses {
            self.list.core.stand_still();
        } else {
            self.list.core.move_again();
            self.missed.set(0);
            self.list.page.reload();
        }
    }

    /// What the button says.
    pub(super) fn label(self) -> Signal<String> {
        Signal::derive(move || match (self.is_paused.get(), self.missed.get()) {
            (false, _) => String::from("Pause"),
            (true, 0) => String::from("Resume"),
            (true, missed) => format!("Resume ({missed} new)"),
        })
    }
}
