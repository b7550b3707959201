//! Where the page is: [`Place`] and [`Query`] as signals, kept in step with the address bar and the history.

use crate::state::RwSignal;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlAnchorElement, MouseEvent};

use crate::browser::{focus, location};
use crate::lazy::use_parts;
use crate::routes::{Place, Query};

/// The present place.
#[derive(Clone, Copy)]
pub(crate) struct Nav {
    place: RwSignal<Place>,
    query: RwSignal<Query>,
    has_moved: RwSignal<bool>,
}

impl Nav {
    /// Reads the address, follows the history and every click on a link of ours, and offers itself to everything below.
    pub(crate) fn provide() -> Self {
        let nav = Self {
            place: RwSignal::new(Place::parse(&location::path())),
            query: RwSignal::new(Query::parse(&location::query())),
            has_moved: RwSignal::new(false),
        };
        window_event_listener(leptos::ev::popstate, move |_| nav.follow());
        window_event_listener(leptos::ev::click, move |event| {
            if let Some(address) = address_of(&event) {
                event.prevent_default();
                location::push(&address);
                nav.follow();
            }
        });
        // Whoever points at a link, or reaches it with the keyboard, is about to follow it.
        let parts = use_parts();
        let expect = move |event: &Event| {
            if let Some(link) = link_of(event) {
                parts.expect(&Place::parse(&link.pathname()));
            }
        };
        window_event_listener(leptos::ev::pointerover, move |event| expect(&event));
        window_event_listener(leptos::ev::focusin, move |event| expect(&event));
        provide_context(nav);
        nav
    }

    /// Where the page is; reactive.
    pub(crate) fn place(self) -> Place {
        self.place.get()
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
        self.go_to(&place.path());
    }

    /// Goes to `place` in the stead of the present one, so that Back does not return here.
    pub(crate) fn go_instead(self, place: &Place) {
        location::replace(&place.path());
        self.follow();
    }

    /// Sets or removes a value of the query without a new entry in the history: filters while they are typed.
    pub(crate) fn filter(self, key: &str, value: Option<&str>) {
        let query = self.query.get_untracked().with(key, value);
        location::replace(&format!("{}{}", location::path(), query.text()));
        self.follow();
    }

    /// Sets or removes a value of the query as a step that Back undoes: an open drawer.
    pub(crate) fn open(self, key: &str, value: Option<&str>) {
        let query = self.query.get_untracked().with(key, value);
        self.go_to(&format!("{}{}", location::path(), query.text()));
    }

    fn go_to(self, address: &str) {
        location::push(address);
        self.follow();
    }

    fn follow(self) {
        let (place, query) = (Place::parse(&location::path()), Query::parse(&location::query()));
        if self.query.with_untracked(|now| *now != query) {
            self.query.set(query);
        }
        if self.place.with_untracked(|now| *now != place) {
            self.has_moved.set(true);
            self.place.set(place);
            location::scroll_to_top();
            // WCAG 2.4.3: whoever cannot see the page change hears the new heading and goes on from there.
            focus::soon("main h1");
        }
    }
}

/// The navigation of the page.
pub(crate) fn use_nav() -> Nav {
    expect_context()
}

/// The address of ours that a plain click on a link asks for. Clicks with a modifier, downloads, other targets and other
/// origins are the browser's.
fn address_of(event: &MouseEvent) -> Option<String> {
    if event.default_prevented() || event.button() != 0 || event.meta_key() || event.ctrl_key() || event.shift_key() || event.alt_key() {
        return None;
    }
    let link = link_of(event)?;
    let ours = link.target().is_empty() && !link.has_attribute("download");
    (ours && link.hash().is_empty()).then(|| format!("{}{}", link.pathname(), link.search()))
}

/// The link within our origin that an event happened to.
fn link_of(event: &Event) -> Option<HtmlAnchorElement> {
    let link: HtmlAnchorElement = event.target()?.dyn_into::<Element>().ok()?.closest("a[href]").ok()??.dyn_into().ok()?;
    (link.origin() == location::origin()).then_some(link)
}
