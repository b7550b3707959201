//! Drawers: one thing of a list in full, beside the list, which stays usable.

use leptos::prelude::*;

use super::button::icon_button;
use super::icon::Icon;
use super::shortcuts::use_shortcut;
use crate::browser::focus;

/// A drawer with a heading, its actions and its content. Closes with Esc or its button.
///
/// It takes the focus when it opens, as a whole: what is in it is mostly still being loaded then. Where the
/// focus goes when it is closed is the caller's to say.
#[component]
pub(crate) fn Drawer(
    /// What it shows, for the ear.
    #[prop(into)]
    label: String,
    /// Called when it is to be closed.
    #[prop(into)]
    on_close: UnsyncCallback<()>,
    /// What is in it.
    children: Children,
) -> AnyView {
    use_shortcut("Esc", "Close the drawer", move || on_close.run(()));
    focus::soon(".drawer");
    view! {
        <section class="drawer" role="region" aria-label=label tabindex="-1">
            <div class="drawer-close">{icon_button(Icon::Close, "Close (Esc)", move || on_close.run(()))}</div>
            {children()}
        </section>
    }
    .into_any()
}
