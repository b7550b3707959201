//! Where the page is: [`Place`] and [`Query`] over the address that `leptos_router` follows, and the ways to
//! go elsewhere.
//!
//! The entries of the history are written here and not by the router's `navigate`: `leptos_router` 0.8.17
//! leaves one out whose address is the last of a list of its own, which Back and Forward do not keep true,
//! and panics where a browser limits the rate of entries.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlAnchorElement, MouseEvent};

use crate::browser::{focus, location};
use crate::routes::{Place, Query};

/// The present place.
///
/// Place and query are apart, so that a filter that is typed makes no screen anew.
#[derive(Clone, Copy)]
pub(crate) struct Nav {
    /// What the path of the address means.
    place: Memo<Place>,
    /// The values behind its question mark.
    query: Memo<Query>,
    /// See [`Self::has_moved`].
    has_moved: RwSignal<bool>,
}

impl Nav {
    /// Follows the router's address and every click on a link of ours, and offers itself to everything below.
    /// `expect` is told of each place that somebody is about to go to.
    pub(crate) fn provide(expect: impl Fn(&Place) + Copy + 'static) -> Self {
        let address = use_location();
        let nav = Self {
            place: Memo::new(move |_| address.pathname.with(|path| Place::parse(path))),
            query: Memo::new(move |_| address.search.with(|text| Query::parse(text))),
            has_moved: RwSignal::new(false),
        };
        // Pointing at a link, or reaching it with the keyboard, comes before following it.
        let expect = move |event: &Event| {
            if let Some(link) = link_of(event) {
                expect(&Place::parse(&link.pathname()));
            }
        };
        window_event_listener(leptos::ev::pointerover, move |event| expect(&event));
        window_event_listener(leptos::ev::focusin, move |event| expect(&event));
        Effect::new(move |before: Option<Place>| {
            let place = nav.place.get();
            if before.is_some_and(|before| before != place) {
                nav.has_moved.set(true);
                // WCAG 2.4.3: somebody who cannot see the page change hears the new heading and goes on from
                // there.
                focus::soon("main h1");
            }
            place
        });
        provide_context(nav);
        nav
    }

    /// Where the page is; reactive.
    pub(crate) fn place(self) -> Place {
        self.place.get()
    }

    /// Where the page is, for what happens now.
    pub(crate) fn place_now(self) -> Place {
        self.place.get_untracked()
    }

    /// Whether somebody went from one place to another since the page was loaded.
    pub(crate) fn has_moved(self) -> bool {
        self.has_moved.get_untracked()
    }

    /// A value of the query; reactive.
    pub(crate) fn value(self, key: &str) -> Option<String> {
        self.query.with(|query| query.value(key))
    }

    /// The whole query; reactive.
    pub(crate) fn query(self) -> Query {
        self.query.get()
    }

    /// The whole query, for what happens now.
    pub(crate) fn query_now(self) -> Query {
        self.query.get_untracked()
    }

    /// Goes to `place`.
    pub(crate) fn go(self, place: &Place) {
        self.go_with(place, &Query::default());
    }

    /// Goes to `place` with this query.
    #[expect(clippy::unused_self, reason = "only what is below the router may go elsewhere")]
    pub(crate) fn go_with(self, place: &Place, query: &Query) {
        go_to(&format!("{}{}", place.path(), query.text()));
    }

    /// Goes to `place` instead of the present one, so that Back does not return here.
    #[expect(clippy::unused_self, reason = "only what is below the router may go elsewhere")]
    pub(crate) fn go_instead(self, place: &Place) {
        location::replace(&place.path());
        location::scroll_to_top();
    }

    /// Sets or removes a value of the query without a new entry in the history: filters while they are typed.
    ///
    /// A person who goes back leaves the list, and does not take one filter off after the other.
    pub(crate) fn filter(self, key: &str, value: Option<&str>) {
        location::replace(&self.with_value(key, value));
    }

    /// Puts another query in the place of the present one, as [`Self::filter`] does with one value.
    #[expect(clippy::unused_self, reason = "only what is below the router may go elsewhere")]
    pub(crate) fn filter_by(self, query: &Query) {
        location::replace(&format!("{}{}", location::path(), query.text()));
    }

    /// Sets or removes a value of the query as a step that Back undoes: an open drawer.
    pub(crate) fn open(self, key: &str, value: Option<&str>) {
        location::push(&self.with_value(key, value));
    }

    /// The present address with another value of the query.
    fn with_value(self, key: &str, value: Option<&str>) -> String {
        let query = self.query.get_untracked().with(key, value);
        format!("{}{}", location::path(), query.text())
    }
}

/// Takes clicks on links of ours before the router does, which decodes the path that it writes into the
/// address bar: `100%25` becomes `100%`, and a reload finds nothing there (`leptos_router` 0.8.17,
/// `handle_anchor_click`). To be called before the router is made: listeners are called in the order in which
/// they were added.
pub(crate) fn take_clicks() {
    window_event_listener(leptos::ev::click, |event| {
        if let Some(address) = address_of(&event) {
            event.prevent_default();
            go_to(&address);
        }
    });
}

/// A new entry of the history, at its top.
fn go_to(address: &str) {
    location::push(address);
    location::scroll_to_top();
}

/// The navigation of the page.
pub(crate) fn use_nav() -> Nav {
    expect_context()
}

/// The address of ours that a plain click on a link asks for. Clicks with a modifier, downloads, other
/// targets and other origins are the browser's.
fn address_of(event: &MouseEvent) -> Option<String> {
    if event.default_prevented()
        || event.button() != 0
        || event.meta_key()
        || event.ctrl_key()
        || event.shift_key()
        || event.alt_key()
    {
        return None;
    }
    let link = link_of(event)?;
    let ours = link.target().is_empty() && !link.has_attribute("download");
    (ours && link.hash().is_empty()).then(|| format!("{}{}", link.pathname(), link.search()))
}

/// The link within our origin that an event happened to.
fn link_of(event: &Event) -> Option<HtmlAnchorElement> {
    let link: HtmlAnchorElement =
        event.target()?.dyn_into::<Element>().ok()?.closest("a[href]").ok()??.dyn_into().ok()?;
    (link.origin() == location::origin()).then_some(link)
}
