//! The dialog that lists the shortcuts that work now.

use crate::dom::{CollectView, View, part, view};
use crate::state::RwSignal;
use leptos::prelude::*;

use crate::ui::button::keycap;
use crate::ui::dialog::Dialog;
use crate::ui::shortcuts::Shortcuts;

/// The dialog.
#[component]
pub(crate) fn Help(
    /// Whether it is open.
    open: RwSignal<bool>,
) -> View {
    let shortcuts: Shortcuts = expect_context();
    let rows = move || {
        let mut seen: Vec<(&'static str, &'static str)> = Vec::new();
        // The most special comes last and hides others with its key.
        for shortcut in shortcuts.all().iter().rev() {
            if !seen.iter().any(|(key, _)| *key == shortcut.key) {
                seen.push((shortcut.key, shortcut.what));
            }
        }
        seen.push(("Ctrl K", "Jump to a page, a webhook or an action"));
        let row = |(key, what): (&'static str, &'static str)| {
            view! { <div><dt>{keycap(key)}<span class="for-ear">{key}</span></dt><dd>{what}</dd></div> }
        };
        seen.into_iter().map(row).collect_view()
    };
    view! {
        <Dialog open=open title="Shortcuts">
            <dl class="keys">{part(rows)}</dl>
        </Dialog>
    }
}
