//! Ids that one element names another by.

use std::cell::Cell;

/// A fresh id for an element that another one has to name (`for`, `aria-describedby`, `list`).
pub(crate) fn fresh_id() -> String {
    thread_local!(static LAST: Cell<u32> = const { Cell::new(0) });
    LAST.with(|last| {
        last.set(last.get() + 1);
        format!("e{}", last.get())
    })
}
