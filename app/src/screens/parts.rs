//! Which screens are loaded together, and which component shows which screen.

use leptos::prelude::*;

use super::{
    audit, deliveries, doctor, event_types, events, home, inbox, inboxes, nowhere, overview, projects,
    reference, runs, settings, sign_in, tokens, webhook, webhook_form, webhooks,
};
use crate::routes::{Area, Place};

/// Screens that are loaded together (see `lazy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Signing in and choosing a project.
    Entry,
    /// Webhooks and the form.
    Webhooks,
    /// What came in and went out.
    Traffic,
    /// What is set up once.
    Settings,
    /// The description of the API.
    Reference,
}

impl Part {
    /// All of them, in the order in which they are declared.
    pub(crate) const ALL: [Self; 5] =
        [Self::Entry, Self::Webhooks, Self::Traffic, Self::Settings, Self::Reference];
}

/// What is shown in one place at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    /// Signing in with a token that is pasted.
    SignIn,
    /// The question whether to sign in by a link.
    LinkQuestion,
    /// `/`: goes on to the last project, or to the list of projects.
    Home,
    /// The list of projects.
    Projects,
    /// An address that leads nowhere.
    Nowhere,
    /// An area of a project.
    Area(Area),
}

impl Screen {
    /// The screen of a place, for somebody who is signed in.
    pub(crate) fn of(place: &Place) -> Self {
        match place {
            Place::Home => Self::Home,
            Place::Projects => Self::Projects,
            Place::Nowhere => Self::Nowhere,
            Place::Project(_, area) => Self::Area(area.clone()),
        }
    }

    /// The part that the screen is loaded with; `None` if it is in the first load.
    pub(crate) const fn part(&self) -> Option<Part> {
        match self {
            Self::Home => None,
            Self::SignIn | Self::LinkQuestion | Self::Projects | Self::Nowhere => Some(Part::Entry),
            Self::Area(area) => match area {
                Area::Overview => None,
                Area::Webhooks | Area::WebhookNew | Area::Webhook(_) | Area::WebhookEdit(_) => {
                    Some(Part::Webhooks)
                }
                Area::Deliveries
                | Area::Events
                | Area::Inboxes
                | Area::Inbox(_)
                | Area::Runs
                | Area::Run(_) => Some(Part::Traffic),
                Area::EventTypes | Area::Tokens | Area::Audit | Area::Settings | Area::Doctor => {
                    Some(Part::Settings)
                }
                Area::Reference => Some(Part::Reference),
            },
        }
    }
}

/// The screens of the first load.
pub(crate) fn first_load(screen: Screen) -> AnyView {
    match screen {
        Screen::Home => view! { <home::Home /> }.into_any(),
        Screen::Area(Area::Overview) => view! { <overview::Overview /> }.into_any(),
        other => elsewhere(&other),
    }
}

/// Signing in and choosing a project.
pub(crate) fn entry_part(screen: Screen) -> AnyView {
    match screen {
        Screen::SignIn => view! { <sign_in::SignIn /> }.into_any(),
        Screen::LinkQuestion => view! { <sign_in::link::LinkQuestion /> }.into_any(),
        Screen::Projects => view! { <projects::Projects /> }.into_any(),
        Screen::Nowhere => view! { <nowhere::Nowhere /> }.into_any(),
        other @ (Screen::Home | Screen::Area(_)) => elsewhere(&other),
    }
}

/// The screens of webhooks.
pub(crate) fn webhooks_part(screen: Screen) -> AnyView {
    match screen {
        Screen::Area(Area::Webhooks) => view! { <webhooks::Webhooks /> }.into_any(),
        Screen::Area(Area::WebhookNew) => view! { <webhook_form::WebhookNew /> }.into_any(),
        Screen::Area(Area::Webhook(name)) => view! { <webhook::Webhook name=name /> }.into_any(),
        Screen::Area(Area::WebhookEdit(name)) => view! { <webhook_form::WebhookEdit name=name /> }.into_any(),
        other => elsewhere(&other),
    }
}

/// The screens of what came in and went out.
pub(crate) fn traffic_part(screen: Screen) -> AnyView {
    match screen {
        Screen::Area(Area::Deliveries) => view! { <deliveries::Deliveries /> }.into_any(),
        Screen::Area(Area::Events) => view! { <events::Events /> }.into_any(),
        Screen::Area(Area::Inboxes) => view! { <inboxes::Inboxes /> }.into_any(),
        Screen::Area(Area::Inbox(id)) => view! { <inbox::Inbox id=id /> }.into_any(),
        Screen::Area(Area::Runs) => view! { <runs::Runs /> }.into_any(),
        Screen::Area(Area::Run(id)) => view! { <runs::Run id=id /> }.into_any(),
        other => elsewhere(&other),
    }
}

/// The screens of what is set up once.
pub(crate) fn settings_part(screen: Screen) -> AnyView {
    match screen {
        Screen::Area(Area::EventTypes) => view! { <event_types::EventTypes /> }.into_any(),
        Screen::Area(Area::Tokens) => view! { <tokens::Tokens /> }.into_any(),
        Screen::Area(Area::Audit) => view! { <audit::Audit /> }.into_any(),
        Screen::Area(Area::Settings) => view! { <settings::Settings /> }.into_any(),
        Screen::Area(Area::Doctor) => view! { <doctor::Doctor /> }.into_any(),
        other => elsewhere(&other),
    }
}

/// The description of the API.
pub(crate) fn reference_part(screen: Screen) -> AnyView {
    match screen {
        Screen::Area(Area::Reference) => view! { <reference::Reference /> }.into_any(),
        other => elsewhere(&other),
    }
}

/// A part was asked for a screen that [`Screen::part`] puts elsewhere: a mistake of this page, which a person
/// should see.
fn elsewhere(screen: &Screen) -> AnyView {
    leptos::logging::error!("{screen:?} is not in the part that was asked for it");
    view! { <p class="notice bad" role="alert">"This screen is missing from the part that was loaded. Reload the page."</p> }.into_any()
}
