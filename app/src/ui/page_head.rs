//! The head of a screen: the heading that gets the focus when the screen appears, a line below it, and its
//! actions.

use leptos::prelude::*;

use super::icon::{Icon, glyph};
use crate::browser::location;
use crate::fetched::effect;

/// The head of a screen. Sets the title of the tab too.
///
/// A screen has one, also while its data is still being loaded: the heading is where a navigation puts the
/// focus, and what a screen reader says first.
#[component]
pub(crate) fn PageHead(
    /// The heading.
    #[prop(into)]
    title: Signal<String>,
    /// The line below it.
    #[prop(optional, into)]
    about: Option<Signal<String>>,
    /// The screen above this one: its name and address.
    #[prop(optional, into)]
    above: Option<(&'static str, String)>,
    /// States and buttons on the right.
    #[prop(optional)]
    children: Option<Children>,
) -> AnyView {
    effect(move || location::set_title(&format!("{} · Postern", title.get())));
    view! {
        <header class="page-head">
            <div class="page-title">
                {above.map(|(name, href)| view! { <a class="above" href=href>{glyph(Icon::Back)}{name}</a> }.into_any())}
                <h1 tabindex="-1">{title}</h1>
                {about.map(|about| view! { <p class="about">{about}</p> }.into_any())}
            </div>
            <div class="page-actions">{children.map(|children| children())}</div>
        </header>
    }
    .into_any()
}
