//! The page from its start: the session, the router, and what every screen may ask for.

use leptos::prelude::*;
use leptos_router::components::Router;

use super::frame::frame;
use crate::api::Api;
use crate::browser::clock::Clock;
use crate::lazy::{self, Parts};
use crate::nav::{self, Nav};
use crate::routes::Place;
use crate::screens::Screen;
use crate::session::Session;
use crate::ui::shortcuts::Shortcuts;
use crate::ui::toast::{ToastRegion, Toasts};

/// Mounts the page.
///
/// What stands in `index.html` until the program runs is taken away first, so that it is never on the screen
/// together with the page.
pub(crate) fn mount() {
    if let Some(skeleton) = document().get_element_by_id("skeleton") {
        skeleton.remove();
    }
    mount_to_body(Root);
}

/// The session, and the router around the page: everything below may navigate.
#[component]
fn Root() -> AnyView {
    let session = Session::provide();
    nav::take_clicks();
    view! { <Router><Page session=session /></Router> }.into_any()
}

/// What the page consists of, below the router.
///
/// Everything that several screens need is offered here once (contexts): the parts, the navigation, the
/// clock, shortcuts and messages. The sign-in screen and the question of a link are parts as well, because
/// most visits need neither.
#[component]
fn Page(session: Session) -> AnyView {
    let parts = Parts::provide();
    let nav = Nav::provide(move |place| parts.expect(place));
    Clock::provide();
    Shortcuts::provide();
    Toasts::provide();
    crate::deployment::provide(Api::new(session));

    let project = Memo::new(move |_| match nav.place() {
        Place::Project(project, _) => Some(project),
        Place::Home | Place::Projects | Place::Nowhere => None,
    });
    let content = move || {
        if !session.is_signed_in() {
            return lazy::screen(Screen::SignIn);
        }
        // Another project is another frame: nothing of the one before is patched.
        view! { <For each=move || [project.get()] key=Option::clone children=frame /> }.into_any()
    };
    view! {
        {move || content()}
        {move || session.offered().is_some().then(|| lazy::screen(Screen::LinkQuestion))}
        <ToastRegion />
    }
    .into_any()
}
