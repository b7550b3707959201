//! The screen: the catalogue.

use leptos::prelude::*;
use postern_core::api::event::EventTypeView;
use postern_core::api::page::Page;

use super::card::EventTypeCard;
use super::model::{self, subject_of};
use super::new::NewEventType;
use crate::api::use_project;
use crate::fetched::Fetched;
use crate::ui::button::{Button, Look};
use crate::ui::dialog::Dialog;
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::notice::empty;
use crate::ui::page_head::PageHead;
use crate::ui::shortcuts::use_shortcut;
use crate::ui::skeleton;
use crate::ui::toast::use_toasts;

/// The screen. N opens the form of a new event type.
#[component]
pub(crate) fn EventTypes() -> AnyView {
    let project = use_project();
    let types = Fetched::new(move || project.catalogue());
    let is_adding = RwSignal::new(false);
    use_shortcut("N", "New event type", move || is_adding.set(true));
    let list = move || view! { <Catalogue types=types is_adding=is_adding /> }.into_any();
    let done = move || {
        is_adding.set(false);
        types.reload();
    };
    view! {
        <PageHead title="Event types" about="What may happen, with examples that tests and previews use">{add_button(is_adding)}</PageHead>
        {loaded(types, skeleton::rows, list)}
        <Dialog open=is_adding title="New event type" class="wide"><NewEventType done=move || done() /></Dialog>
    }
    .into_any()
}

/// The button that opens the form of a new event type.
fn add_button(is_adding: RwSignal<bool>) -> AnyView {
    let press = move |()| is_adding.set(true);
    view! { <Button label="New event type" look=Look::Primary icon=Icon::Plus shortcut="N" on_press=press /> }
        .into_any()
}

/// The event types, a card each; archived ones last, and one that is being deleted not at all.
///
/// What is about to be deleted is left out by project and name: an event type of the same name in another
/// project has nothing to do with it.
#[component]
fn Catalogue(
    /// The catalogue.
    types: Fetched<Page<EventTypeView>>,
    /// Whether the form of a new event type is open.
    is_adding: RwSignal<bool>,
) -> AnyView {
    let (project, toasts) = (use_project(), use_toasts());
    (move || {
        let shown = types.value.with(|page| {
            let items = page.as_ref().map(|page| page.items.as_slice()).unwrap_or_default();
            model::shown(items, |name| toasts.is_gone(&subject_of(project.name(), name)))
        });
        if shown.is_empty() {
            return empty(
                Icon::EventType,
                "No event type yet",
                "The catalogue tells people what they may listen to. Events of other types are accepted too.",
                add_button(is_adding),
            );
        }
        let card = |item| view! { <EventTypeCard item=item types=types /> };
        view! { <ul class="tiles wide">{shown.into_iter().map(card).collect_view()}</ul> }.into_any()
    })
    .into_any()
}
