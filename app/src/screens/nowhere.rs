//! An address that leads nowhere.

use leptos::prelude::*;

use crate::routes::Place;
use crate::ui::button::{LinkButton, Look};
use crate::ui::icon::Icon;
use crate::ui::notice::empty;
use crate::ui::page_head::PageHead;

/// The screen.
#[component]
pub(crate) fn Nowhere() -> AnyView {
    let back =
        view! { <LinkButton label="Go to the projects" href=Place::Projects.path() look=Look::Primary /> }
            .into_any();
    view! {
        <PageHead title="Nothing is here" />
        {empty(Icon::Search, "This address leads nowhere", "It may be mistyped, or what it named was deleted.", back)}
    }
    .into_any()
}
