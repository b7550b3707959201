//! Who is signed in: a token, kept in this tab only.

use crate::state::RwSignal;
use leptos::prelude::*;
use postern_core::token;
use postern_core::webhook::ProjectName;

use crate::browser::location;
use crate::browser::storage::Keep;

const TOKEN_KEY: &str = "postern.token";
const PROJECT_KEY: &str = "postern.project";
/// The fragment of a link that signs in: `/#sign-in=<token>`. A fragment never leaves the browser.
const FRAGMENT: &str = "#sign-in=";

/// The signed-in token.
#[derive(Clone, Copy)]
pub(crate) struct Session {
    token: RwSignal<Option<String>>,
    refused: RwSignal<bool>,
}

impl Session {
    /// Takes the token from the address (and removes it there at once) or from the tab, and offers the session to
    /// everything below.
    pub(crate) fn provide() -> Self {
        let from_link = take_token_of_link(Keep::Tab.read(TOKEN_KEY).as_deref());
        if from_link.is_some() {
            Keep::Tab.write(TOKEN_KEY, from_link.as_deref());
            Keep::Tab.write(PROJECT_KEY, None);
        }
        let session = Self { token: RwSignal::new(Keep::Tab.read(TOKEN_KEY)), refused: RwSignal::new(false) };
        // A link that is opened in a tab which shows the page already changes the fragment only: nothing loads.
        window_event_listener_untyped("hashchange", move |_| {
            if let Some(token) = take_token_of_link(session.token_now().as_deref()) {
                Keep::Tab.write(PROJECT_KEY, None);
                session.sign_in(&token);
            }
        });
        provide_context(session);
        session
    }

    /// The token, for a call.
    pub(crate) fn token_now(self) -> Option<String> {
        self.token.get_untracked()
    }

    /// Whether a token is there; reactive.
    pub(crate) fn is_signed_in(self) -> bool {
        self.token.with(Option::is_some)
    }

    /// Whether the server refused the token that was there; reactive.
    pub(crate) fn was_refused(self) -> bool {
        self.refused.get()
    }

    /// The project that the token is for; `None` for the admin's, which is for all.
    pub(crate) fn project(self) -> Option<ProjectName> {
        self.token.with_untracked(|token| token.as_deref().and_then(token::project_of))
    }

    /// Signs in with a token that the server has accepted.
    pub(crate) fn sign_in(self, token: &str) {
        Keep::Tab.write(TOKEN_KEY, Some(token));
        self.refused.set(false);
        self.token.set(Some(String::from(token)));
    }

    /// Forgets the token and everything else of the tab.
    pub(crate) fn sign_out(self) {
        Keep::Tab.write(TOKEN_KEY, None);
        Keep::Tab.write(PROJECT_KEY, None);
        self.refused.set(false);
        self.token.set(None);
    }

    /// As [`Self::sign_out`], because the server does not accept `token` any more.
    pub(crate) fn refuse(self, token: &str) {
        if self.token_now().as_deref() == Some(token) {
            self.sign_out();
            self.refused.set(true);
        }
    }
}

/// The token of a link that signs in, removed from the address bar at once. Whoever is signed in as somebody else is asked
/// first: what is entered after a link that a stranger sent would go to the stranger's project.
fn take_token_of_link(current: Option<&str>) -> Option<String> {
    let fragment = location::fragment();
    let token = fragment.strip_prefix(FRAGMENT).filter(|token| !token.is_empty())?;
    location::replace(&format!("{}{}", location::path(), location::query()));
    let is_taken = current.is_none_or(|current| current == token) || location::confirm(&question(token));
    is_taken.then(|| String::from(token))
}

/// What is asked before another token takes the place of the one that the tab has.
fn question(token: &str) -> String {
    let place = token::project_of(token).map_or_else(|| String::from("this deployment"), |project| format!("project {}", project.as_str()));
    format!(
        "This tab is signed in already. Sign in to {place} with the token of the link instead? Only do so if you trust who gave you the link."
    )
}

/// The session of the page.
pub(crate) fn use_session() -> Session {
    expect_context()
}

/// The project that this tab showed last.
pub(crate) fn last_project() -> Option<ProjectName> {
    Keep::Tab.read(PROJECT_KEY).and_then(|name| ProjectName::parse(&name))
}

/// Remembers that this tab shows `project`, or none.
pub(crate) fn remember_project(project: Option<&ProjectName>) {
    Keep::Tab.write(PROJECT_KEY, project.map(ProjectName::as_str));
}
