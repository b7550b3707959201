//! The dialog that lists the shortcuts that work now.

use leptos::prelude::*;

use crate::ui::button::keycap;
use crate::ui::dialog::Dialog;
use crate::ui::shortcuts::Shortcuts;

/// The dialog. Which shortcuts work depends on what is on the screen; where two have one key, the one that
/// works is listed.
///
/// The list is read from the shortcuts that are registered ([`Shortcuts::all`]), so it cannot say one that
/// does not work.
#[component]
pub(crate) fn Help(
    /// Whether it is open.
    open: RwSignal<bool>,
) -> AnyView {
    let shortcuts: Shortcuts = expect_context();
    let rows = move || {
        let mut seen: Vec<(&'static str, &'static str)> = Vec::new();
        // The most special comes last and hides others with its key.
        for shortcut in shortcuts.all().iter().rev() {
            if !seen.iter().any(|(key, _)| *key == shortcut.key) {
                seen.push((shortcut.key, shortcut.what));
            }
        }
        seen.push(("Ctrl K", "Jump to a page, a webhook, an action or an id"));
        let row = |(key, what): (&'static str, &'static str)| {
            view! { <div><dt>{keycap(key)}<span class="for-ear">{key}</span></dt><dd>{what}</dd></div> }
                .into_any()
        };
        seen.into_iter().map(row).collect_view()
    };
    view! {
        <Dialog open=open title="Shortcuts">
            <dl class="keys">{move || rows()}</dl>
        </Dialog>
    }
    .into_any()
}
