//! Who is signed in: a token, kept in this tab only.

use leptos::prelude::*;
use postern_core::token;
use postern_core::webhook::ProjectName;

use crate::browser::location::{self, is_loopback};
use crate::browser::storage::Keep;

/// Where the tab keeps the token.
const TOKEN_KEY: &str = "postern.token";
/// Where the tab keeps which project it showed last.
const PROJECT_KEY: &str = "postern.project";
/// The fragment of a link that signs in: `/#sign-in=<token>`. A fragment never leaves the browser. The link
/// asks before it signs in: what is entered after a link that a stranger sent would go to the stranger's
/// project.
const FRAGMENT: &str = "#sign-in=";
/// The same in the link of `cargo xtask dev`, which asks nothing where the page comes from this very machine.
const DEVELOPMENT_FRAGMENT: &str = "#sign-in-dev=";

/// The signed-in token.
///
/// The tab's own storage, which ends with it: another tab has its own, and a shared computer keeps nothing.
#[derive(Clone, Copy)]
pub(crate) struct Session {
    /// The token.
    token: RwSignal<Option<String>>,
    /// Whether the server refused it, as the sign-in screen says then.
    refused: RwSignal<bool>,
    /// The token of a link, until somebody has said whether to sign in with it.
    offered: RwSignal<Option<String>>,
    /// Whether the question is shown.
    is_asking: RwSignal<bool>,
}

impl Session {
    /// Takes the token from the tab, looks for a link that signs in, and offers the session to everything
    /// below.
    pub(crate) fn provide() -> Self {
        let session = Self {
            token: RwSignal::new(Keep::Tab.read(TOKEN_KEY)),
            refused: RwSignal::new(false),
            offered: RwSignal::new(None),
            is_asking: RwSignal::new(false),
        };
        session.take_link();
        // A link that is opened in a tab which shows the page already changes the fragment only: nothing
        // loads.
        window_event_listener_untyped("hashchange", move |_| session.take_link());
        provide_context(session);
        session
    }

    /// Takes the token of a link out of the address, and signs in or asks.
    ///
    /// The fragment is taken off the address at once, whatever follows, so that the token stands neither in
    /// the history nor in a link that is copied.
    fn take_link(self) {
        let Some(Link { token, asks }) = Link::of(&location::fragment(), &location::host()) else { return };
        location::replace(&format!("{}{}", location::path(), location::query()));
        match self.token_now() {
            // It is what this tab is signed in with.
            Some(current) if current == token => {}
            None if !asks => self.sign_in_by_link(&token),
            _ => {
                self.offered.set(Some(token));
                self.is_asking.set(true);
            }
        }
    }

    /// The token of a link that waits for an answer; reactive.
    pub(crate) fn offered(self) -> Option<String> {
        self.offered.get()
    }

    /// Whether the question is shown; it is declined by closing it.
    pub(crate) fn is_asking(self) -> RwSignal<bool> {
        self.is_asking
    }

    /// Forgets the token of the link.
    pub(crate) fn decline(self) {
        self.is_asking.set(false);
        self.offered.set(None);
    }

    /// Signs in with the token of a link.
    pub(crate) fn sign_in_by_link(self, token: &str) {
        self.decline();
        Keep::Tab.write(PROJECT_KEY, None);
        self.sign_in(token);
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
    ///
    /// Only if it is the present one: an answer to a call with the token of before must not end the session
    /// of the next.
    pub(crate) fn refuse(self, token: &str) {
        if self.token_now().as_deref() == Some(token) {
            self.sign_out();
            self.refused.set(true);
        }
    }
}

/// A link that signs in.
#[derive(Debug, PartialEq, Eq)]
struct Link {
    /// What it signs in with.
    token: String,
    /// Whether to ask before signing in, even if nobody is signed in yet.
    asks: bool,
}

impl Link {
    /// The link of this fragment, on a page that comes from `host`.
    fn of(fragment: &str, host: &str) -> Option<Self> {
        let (token, is_of_development) = match fragment.strip_prefix(DEVELOPMENT_FRAGMENT) {
            Some(token) => (token, true),
            None => (fragment.strip_prefix(FRAGMENT)?, false),
        };
        let asks = !(is_of_development && is_loopback(host));
        (!token.is_empty()).then(|| Self { token: String::from(token), asks })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_development_link_of_this_very_machine_asks_nothing() {
        let link = |fragment: &str, host: &str| Link::of(fragment, host).map(|link| (link.token, link.asks));
        for host in ["localhost:8787", "127.0.0.1:8787", "127.3.2.1", "[::1]:8787", "localhost"] {
            assert_eq!(link("#sign-in-dev=t", host), Some((String::from("t"), false)), "{host}");
            assert_eq!(link("#sign-in=t", host), Some((String::from("t"), true)), "{host}");
        }
        for host in [
            "postern.example",
            "127.0.0.1.postern.example",
            "localhost.example:8787",
            "10.0.0.1",
            "[2001:db8::1]:8787",
            "",
        ] {
            for fragment in ["#sign-in-dev=t", "#sign-in=t"] {
                assert_eq!(link(fragment, host), Some((String::from("t"), true)), "{fragment} on {host}");
            }
        }
        for fragment in ["", "#", "#sign-in=", "#sign-in-dev=", "#main", "#sign-in"] {
            assert_eq!(link(fragment, "localhost"), None, "{fragment}");
        }
    }
}
