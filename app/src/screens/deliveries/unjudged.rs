//! Deliveries of which the page cannot say whether they fit: they are counted and not shown, until somebody
//! has the list loaded again.

use std::collections::HashSet;

use leptos::prelude::*;
use postern_core::api::delivery::DeliveryView;

use super::fit::LiveFilter;
use crate::fetched::effect;
use crate::ui::rows::List;

/// As many are told apart; beyond, their number says nothing more.
const KNOWN_MAX: usize = 1_000;

/// Which they are.
#[derive(Clone, Copy)]
pub(super) struct Unjudged {
    /// Their ids.
    ids: StoredValue<HashSet<String>>,
    /// How many they are.
    number: RwSignal<usize>,
}

impl Unjudged {
    /// None; again none once the list is loaded anew.
    pub(super) fn of(list: List<DeliveryView>) -> Self {
        let unjudged = Self { ids: StoredValue::new(HashSet::new()), number: RwSignal::new(0) };
        effect(move || {
            list.page.value.track();
            unjudged.ids.update_value(HashSet::clear);
            unjudged.number.set(0);
        });
        unjudged
    }

    /// Counts one that the list does not show. What is older than its first row was judged by the API when
    /// the list was loaded, and is left out unless it may have changed since.
    pub(super) fn note(self, list: List<DeliveryView>, filter: &LiveFilter, delivery: &DeliveryView) {
        let is_old = list.first_id().is_some_and(|first| delivery.id.as_str() <= &*first);
        if is_old && !filter.follows_changes() {
            return;
        }
        self.ids.update_value(|ids| {
            if ids.len() < KNOWN_MAX {
                ids.insert(delivery.id.clone());
            }
        });
        self.number.set(self.ids.with_value(HashSet::len));
    }

    /// How many there are, in words; nothing while there are none. Reactive.
    pub(super) fn words(self) -> Option<String> {
        match self.number.get() {
            0 => None,
            1 => Some(String::from("1 new or changed delivery may fit")),
            number if number < KNOWN_MAX => Some(format!("{number} new or changed deliveries may fit")),
            _ => Some(format!("{KNOWN_MAX} or more new or changed deliveries may fit")),
        }
    }
}
