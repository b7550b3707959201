//! An address that leads nowhere.

use crate::dom::{View, view};
use leptos::prelude::*;

use crate::routes::Place;
use crate::ui::button::{LinkButton, Look};
use crate::ui::icon::Icon;
use crate::ui::notice::empty;
use crate::ui::page_head::PageHead;

/// The screen.
#[component]
pub(crate) fn Nowhere() -> View {
    let back = view! { <LinkButton label="Go to the projects" href=Place::Projects.path() look=Look::Primary /> };
    view! {
        <PageHead title="Nothing is here" />
        {empty(Icon::Search, "This address leads nowhere", "It may be mistyped, or what it named was deleted.", back)}
    }
}
