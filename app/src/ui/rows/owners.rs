//! The owners of rows: what a row makes goes with it, and leaves nothing behind.
//!
//! Leptos' `<For>` makes an owner for each row, and the owner above keeps a weak reference to each as long as
//! it lives (`reactive_graph` 0.2.16, `OwnerInner::children`). On wasm32 that is 68 bytes for every row that
//! ever came, until the screen is left. Here rows are owned in groups, and a group goes with the last of its
//! rows.

use leptos::prelude::*;

/// Rows of a group: one weak reference stays behind for so many.
const GROUP: usize = 256;

/// Makes the owners of a list's rows.
#[derive(Clone, Copy)]
pub(super) struct RowOwners {
    /// What the list itself is owned by.
    list: StoredValue<Owner>,
    /// The present group, and how many rows it has had.
    group: StoredValue<(Owner, usize)>,
}

impl RowOwners {
    /// For a list in the present scope.
    pub(super) fn new() -> Self {
        let list = Owner::current().unwrap_or_default();
        Self { group: StoredValue::new((list.child(), 0)), list: StoredValue::new(list) }
    }

    /// The owner of another row. It is to be kept as long as the row is there.
    pub(super) fn next(self) -> Owner {
        let group = self.group.try_update_value(|(group, rows)| {
            if *rows == GROUP {
                *group = self.list.with_value(Owner::child);
                *rows = 0;
            }
            *rows += 1;
            group.clone()
        });
        let group = group.unwrap_or_default();
        let row = group.child();
        // An owner knows the one above only weakly: this is what keeps the group while the row is there.
        row.with(|| on_cleanup(move || drop(group)));
        row
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Clone, Copy)]
    struct Name(&'static str);

    #[test]
    fn a_group_goes_with_the_last_of_its_rows() {
        let screen = Owner::new();
        let gone = Arc::new(AtomicUsize::new(0));
        let owners = screen.with(RowOwners::new);
        let next = || {
            let row = owners.next();
            if owners.group.with_value(|(_, rows)| *rows) == 1 {
                let gone = Arc::clone(&gone);
                owners.group.with_value(|(group, _)| {
                    group.with(|| {
                        on_cleanup(move || {
                            gone.fetch_add(1, Ordering::Relaxed);
                        });
                    });
                });
            }
            row
        };
        // As in a window of 40 rows, through which 2,560 come: the oldest goes with each that comes.
        let mut window = std::collections::VecDeque::new();
        for _ in 0..10 * GROUP {
            window.push_back(next());
            if window.len() > 40 {
                window.pop_front();
            }
        }
        assert_eq!(gone.load(Ordering::Relaxed), 9, "all but the present group");
    }

    #[test]
    fn a_row_has_the_contexts_of_its_list_and_goes_with_it() {
        let screen = Owner::new();
        let is_gone = Arc::new(AtomicUsize::new(0));
        let owners = screen.with(|| {
            provide_context(Name("list"));
            RowOwners::new()
        });
        let row = owners.next();
        assert_eq!(row.with(|| use_context::<Name>().map(|name| name.0)), Some("list"));
        let counted = Arc::clone(&is_gone);
        row.with(|| {
            on_cleanup(move || {
                counted.fetch_add(1, Ordering::Relaxed);
            });
        });
        screen.cleanup();
        assert_eq!(is_gone.load(Ordering::Relaxed), 1);
    }
}
