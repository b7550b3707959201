//! Screens that are not in the first load. Leptos' splitter (`wasm_split`) takes them off the compiled page
//! with everything that only they use; a part is loaded when one of its screens is shown for the first time,
//! or a little earlier, when somebody points at a link to it. Not `#[lazy]`: a part that could not be loaded
//! would panic there, and here it can be tried again.
#![expect(clippy::unnecessary_wraps, reason = "a part may fail to load, and `wasm_split` adds that")]

use std::future::pending;

use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};

use crate::api::{ApiFailure, Load};
use crate::browser::focus;
use crate::fetched::Fetched;
use crate::nav::use_nav;
use crate::routes::Place;
use crate::screens::{self, Part, Screen};
use crate::ui::loaded::loaded;
use crate::ui::skeleton;

/// Shows a screen of a part.
type Show = fn(Screen) -> AnyView;

/// Loads a part, unless it is here already.
async fn fetch(part: Part) -> Result<Show, SplitLoaderError> {
    match part {
        Part::Entry => entry().await,
        Part::Webhooks => webhooks().await,
        Part::Traffic => traffic().await,
        Part::Settings => settings().await,
        Part::Reference => reference().await,
    }
}

/// All parts, in the order of [`Part`]: each is loaded once its signal says that somebody wants it.
#[derive(Clone, Copy)]
pub(crate) struct Parts([(RwSignal<bool>, Fetched<Show>); Part::ALL.len()]);

impl Parts {
    /// Offers itself to everything below.
    pub(crate) fn provide() -> Self {
        let parts = Self(Part::ALL.map(|part| {
            let is_wanted = RwSignal::new(false);
            let load = move || -> Load<Show> {
                let is_wanted = is_wanted.get();
                Box::pin(async move {
                    if !is_wanted {
                        pending::<()>().await;
                    }
                    fetch(part).await.map_err(|_cause| ApiFailure::PartMissing)
                })
            };
            (is_wanted, Fetched::new(load))
        }));
        provide_context(parts);
        parts
    }

    /// Starts to load what shows `place`: somebody is about to go there.
    ///
    /// A part that failed is tried again when somebody says so, not whenever the pointer passes.
    pub(crate) fn expect(self, place: &Place) {
        if let Some(part) = Screen::of(place).part() {
            self.want(part);
        }
    }

    /// A part, which is loaded from now on, unless that was started before.
    fn want(self, part: Part) -> Fetched<Show> {
        let (is_wanted, show) = self.0[part as usize];
        if !is_wanted.get_untracked() {
            is_wanted.set(true);
        }
        show
    }
}

/// A screen, or a skeleton until its part is loaded.
///
/// The screens of the first load need none of this and are shown at once. A part that is here already is
/// shown at once, too, with the focus where the navigation puts it.
pub(crate) fn screen(screen: Screen) -> AnyView {
    let Some(part) = screen.part() else {
        return screens::first_load(screen);
    };
    let (parts, nav): (Parts, _) = (expect_context(), use_nav());
    let part = parts.want(part);
    if part.failure.with_untracked(Option::is_some) {
        part.failure.set(None);
        part.reload();
    }
    let was_there = part.value.with_untracked(Option::is_some);
    loaded(part, skeleton::rows, move || {
        // The heading that the navigation wanted to focus was not there yet.
        if !was_there && nav.has_moved() {
            focus::soon("main h1");
        }
        part.value.get_untracked().map(|show| show(screen.clone())).into_any()
    })
}

#[wasm_split(entry, wasm_split_path = leptos::wasm_split, fallible)]
fn entry() -> Result<Show, SplitLoaderError> {
    Ok(screens::entry_part)
}

#[wasm_split(webhooks, wasm_split_path = leptos::wasm_split, fallible)]
fn webhooks() -> Result<Show, SplitLoaderError> {
    Ok(screens::webhooks_part)
}

#[wasm_split(traffic, wasm_split_path = leptos::wasm_split, fallible)]
fn traffic() -> Result<Show, SplitLoaderError> {
    Ok(screens::traffic_part)
}

#[wasm_split(settings, wasm_split_path = leptos::wasm_split, fallible)]
fn settings() -> Result<Show, SplitLoaderError> {
    Ok(screens::settings_part)
}

#[wasm_split(reference, wasm_split_path = leptos::wasm_split, fallible)]
fn reference() -> Result<Show, SplitLoaderError> {
    Ok(screens::reference_part)
}
