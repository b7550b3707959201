//! Screens that are not in the first load. Leptos' splitter (`wasm_split`) takes them off the compiled page
//! with everything that only they use; a part is loaded when one of its screens is shown for the first time,
//! or a little earlier, when somebody points at a link to it. Not `#[lazy]`: a part that could not be loaded
//! would panic there, and here it can be tried again.
#![expect(clippy::unnecessary_wraps, reason = "a part may fail to load, and `wasm_split` adds that")]

use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};

use crate::browser::focus;
use crate::fetched::spawn;
use crate::nav::use_nav;
use crate::routes::{Area, Place};
use crate::screens::{self, Part, Screen};
use crate::ui::button::Button;
use crate::ui::icon::{Icon, glyph};
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

/// How far a part is.
#[derive(Clone, Copy)]
enum Stage {
    /// Nobody asked for it yet.
    Absent,
    /// It is under way.
    Loading,
    /// It did not come: no network, or another version of the page is served by now.
    Failed,
    /// It is here; this shows its screens.
    Here(Show),
}

/// All parts.
#[derive(Clone, Copy)]
pub(crate) struct Parts([RwSignal<Stage>; Part::ALL.len()]);

impl Parts {
    /// Offers itself to everything below.
    pub(crate) fn provide() -> Self {
        let parts = Self(Part::ALL.map(|_part| RwSignal::new(Stage::Absent)));
        provide_context(parts);
        parts
    }

    /// Starts to load what shows `place`: somebody is about to go there.
    pub(crate) fn expect(self, place: &Place) {
        let screen = match place {
            Place::Project(_, area) => Screen::Area(area.clone()),
            Place::Home => Screen::Home,
            Place::Projects => Screen::Projects,
            Place::Nowhere => Screen::Nowhere,
        };
        // One that failed is tried again when somebody says so, not whenever the pointer passes.
        if let Some(part) =
            screen.part().filter(|part| matches!(self.stage(*part).get_untracked(), Stage::Absent))
        {
            self.load(part);
        }
    }

    /// How far a part is.
    const fn stage(self, part: Part) -> RwSignal<Stage> {
        self.0[part as usize]
    }

    /// Loads a part that is neither here nor under way.
    fn load(self, part: Part) {
        let stage = self.stage(part);
        if !matches!(stage.get_untracked(), Stage::Absent | Stage::Failed) {
            return;
        }
        stage.set(Stage::Loading);
        spawn(async move {
            stage.set(fetch(part).await.map_or(Stage::Failed, Stage::Here));
        });
    }
}

/// The screen of an area.
///
/// The key of each area is the area itself (`ProjectFrame`), so a screen is made anew for another webhook,
/// and stays while only the query changes.
pub(crate) fn area(area: Area) -> AnyView {
    screen(Screen::Area(area))
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
    parts.load(part);
    let stage = parts.stage(part);
    let was_there = matches!(stage.get_untracked(), Stage::Here(_));
    let was_retried = StoredValue::new(false);
    let retry = move || {
        was_retried.set_value(true);
        parts.load(part);
    };
    let shown = move || match stage.get() {
        Stage::Here(show) => {
            // The heading that the navigation wanted to focus was not there yet; the button that was pressed
            // is gone.
            if !was_there && (nav.has_moved() || was_retried.get_value()) {
                focus::soon("main h1");
            }
            show(screen.clone())
        }
        Stage::Failed => {
            if was_retried.get_value() {
                focus::soon(".failed button");
            }
            failed(retry)
        }
        Stage::Absent | Stage::Loading => skeleton::loading(skeleton::rows),
    };
    view! { {move || shown()} }.into_any()
}

/// What is shown instead of a part that could not be loaded.
fn failed(retry: impl Fn() + 'static) -> AnyView {
    view! {
        <div class="empty failed" role="alert">
            {glyph(Icon::Warning)}
            <h2>"This part of the dashboard could not be loaded"</h2>
            <p>"Check the connection and try again. If Postern was updated since you opened this page, reload it."</p>
            <Button label="Try again" icon=Icon::Again on_press=move |()| retry() />
        </div>
    }
    .into_any()
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
