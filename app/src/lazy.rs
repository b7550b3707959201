//! Screens that are not in the first load. `xtask` splits them off the compiled page (wasm-split) with everything that only
//! they use; a part is loaded when one of its screens is shown for the first time, or a little earlier, when somebody
//! points at a link to it.
#![expect(clippy::unnecessary_wraps, reason = "a part may fail to load, and `wasm_split` adds that")]

use leptos::prelude::{Callable, UnsyncCallback, expect_context, provide_context};
use wasm_split_helpers::{SplitLoaderError, wasm_split};

use crate::browser::focus;
use crate::dom::{View, part, view};
use crate::fetched::spawn;
use crate::nav::use_nav;
use crate::routes::{Area, Place};
use crate::screens;
use crate::state::RwSignal;
use crate::ui::button::Button;
use crate::ui::icon::{Icon, glyph};
use crate::ui::skeleton;

/// Shows a screen of a part.
type Show = fn(Area) -> View;

/// Screens that are loaded together.
#[derive(Clone, Copy)]
enum Part {
    /// Webhooks and the form.
    Webhooks,
    /// What came in and went out.
    Traffic,
    /// What is set up once.
    Settings,
    /// The description of the API.
    Reference,
}

/// How far a part is.
#[derive(Clone, Copy)]
enum Stage {
    Absent,
    Loading,
    Failed,
    Here(Show),
}

/// All parts.
#[derive(Clone, Copy)]
pub(crate) struct Parts {
    webhooks: RwSignal<Stage>,
    traffic: RwSignal<Stage>,
    settings: RwSignal<Stage>,
    reference: RwSignal<Stage>,
}

impl Part {
    /// The part with this screen. `None`: it is in the first load.
    const fn of(area: &Area) -> Option<Self> {
        match area {
            Area::Overview => None,
            Area::Webhooks | Area::WebhookNew | Area::Webhook(_) | Area::WebhookEdit(_) => Some(Self::Webhooks),
            Area::Deliveries | Area::Events | Area::Inboxes | Area::Inbox(_) | Area::Runs | Area::Run(_) => Some(Self::Traffic),
            Area::EventTypes | Area::Tokens | Area::Audit | Area::Settings => Some(Self::Settings),
            Area::Reference => Some(Self::Reference),
        }
    }
}

impl Parts {
    /// Offers itself to everything below.
    pub(crate) fn provide() {
        let absent = || RwSignal::new(Stage::Absent);
        provide_context(Self { webhooks: absent(), traffic: absent(), settings: absent(), reference: absent() });
    }

    /// Begins to load what shows `place`: somebody is about to go there.
    pub(crate) fn expect(self, place: &Place) {
        if let Place::Project(_, area) = place
            && let Some(part) = Part::of(area)
        {
            self.load(part);
        }
    }

    const fn stage(self, part: Part) -> RwSignal<Stage> {
        match part {
            Part::Webhooks => self.webhooks,
            Part::Traffic => self.traffic,
            Part::Settings => self.settings,
            Part::Reference => self.reference,
        }
    }

    fn load(self, part: Part) {
        let stage = self.stage(part);
        if !matches!(stage.get_untracked(), Stage::Absent | Stage::Failed) {
            return;
        }
        stage.set(Stage::Loading);
        spawn(async move {
            let loaded = match part {
                Part::Webhooks => webhooks().await,
                Part::Traffic => traffic().await,
                Part::Settings => settings().await,
                Part::Reference => reference().await,
            };
            stage.set(loaded.map_or(Stage::Failed, Stage::Here));
        });
    }
}

/// The parts of the page.
pub(crate) fn use_parts() -> Parts {
    expect_context()
}

/// The screen of an area, or a skeleton until it is loaded.
pub(crate) fn screen(area: Area) -> View {
    let Some(which) = Part::of(&area) else {
        return view! { <screens::overview::Overview /> };
    };
    let (parts, nav) = (use_parts(), use_nav());
    parts.load(which);
    let stage = parts.stage(which);
    let was_there = matches!(stage.get_untracked(), Stage::Here(_));
    part(move || match stage.get() {
        Stage::Here(show) => {
            if !was_there && nav.has_moved() {
                // The heading that the navigation wanted to focus was not there yet.
                focus::soon("main h1");
            }
            show(area.clone())
        }
        Stage::Failed => failed(parts, which),
        Stage::Absent | Stage::Loading => {
            view! { <div class="loading" role="status"><span class="for-ear">"Loading"</span>{skeleton::rows()}</div> }
        }
    })
}

fn failed(parts: Parts, which: Part) -> View {
    let again = UnsyncCallback::new(move |()| parts.load(which));
    view! {
        <div class="empty failed" role="alert">
            {glyph(Icon::Warning)}
            <h2>"This part of the dashboard could not be loaded"</h2>
            <p>"Check the connection and try again. If Postern was updated since you opened this page, reload it."</p>
            <Button label="Try again" icon=Icon::Again on_press=move |()| again.run(()) />
        </div>
    }
}

#[wasm_split(webhooks, fallible)]
fn webhooks() -> Result<Show, SplitLoaderError> {
    Ok(screens::webhooks_part)
}

#[wasm_split(traffic, fallible)]
fn traffic() -> Result<Show, SplitLoaderError> {
    Ok(screens::traffic_part)
}

#[wasm_split(settings, fallible)]
fn settings() -> Result<Show, SplitLoaderError> {
    Ok(screens::settings_part)
}

#[wasm_split(reference, fallible)]
fn reference() -> Result<Show, SplitLoaderError> {
    Ok(screens::reference_part)
}
