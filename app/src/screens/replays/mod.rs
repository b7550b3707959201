//! Replays: sending again what was sent before, or what never was. A dialog that counts first, and the list of replays with
//! their progress. Both are part of the screen of deliveries; other screens lead there with the dialog filled in.
//!
//! `form` is what the dialog holds, `list` what stands below it, `model` the rules of both.

mod form;
mod list;
pub(crate) mod model;

use std::time::Duration;

use leptos::prelude::*;
use postern_core::api::live::ChangeKind;
use postern_core::api::page::Page;
use postern_core::api::replay::{ReplayState, ReplayView};

use self::form::ReplayForm;
pub(crate) use self::list::Replays;
pub(crate) use self::model::Kind;
use crate::api::use_project;
use crate::fetched::{Fetched, effect, when};
use crate::live::use_live;
use crate::nav::use_nav;
use crate::project::link;
use crate::routes::{Area, Query};
use crate::ui::dialog::Dialog;

/// How often running replays are asked for, in case the live feed is not there to tell.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The values of the address that belong to the dialog, and to nothing else on its screen.
const OWN_VALUES: [&str; 3] = ["replay", "since", "until"];

/// The address of the dialog. `query` fills it in: `webhook`, `since` and `until` (RFC 3339), `type`, `state`.
pub(crate) fn address(kind: Kind, query: &Query) -> String {
    format!("{}{}", link(Area::Deliveries), query.clone().with("replay", Some(kind.as_str())).text())
}

/// The replays of the project, kept up to date by the feed, and by asking for the one that runs, in case the feed is not there.
pub(crate) fn list_of() -> Fetched<Page<ReplayView>> {
    let project = use_project();
    let replays = Fetched::new({
        let project = project.clone();
        move || project.replays(&Query::default().with("limit", Some("20")))
    });
    use_live().on_change(move |change| {
        if let Some(replay) = change.replay() {
            take_in(replays, &replay);
        } else if change.kind() == ChangeKind::Many {
            replays.reload();
        }
    });
    let look = move || {
        let is_running = |replay: &&ReplayView| replay.state == ReplayState::Running;
        let running = replays.value.with_untracked(|page| Some(page.as_ref()?.items.iter().find(is_running)?.id.clone()));
        if let Some(id) = running {
            // A failure is not worth a word here: the next look is soon.
            when(project.replay(&id), move |answer| {
                if let Ok(replay) = answer {
                    take_in(replays, &replay);
                }
            });
        }
    };
    if let Ok(interval) = set_interval_with_handle(look, LOOK_EVERY) {
        on_cleanup(move || interval.clear());
    }
    replays
}

/// Puts a change into the list that is shown, if it is loaded.
fn take_in(list: Fetched<Page<ReplayView>>, replay: &ReplayView) {
    list.value.update(|page| {
        if let Some(page) = page {
            model::take_in(page, replay);
        }
    });
}

/// The dialog: open as long as the address has `replay`. So a link opens it, Back closes it, and a reload keeps it open; closed,
/// it takes its values out of the address.
#[component]
pub(crate) fn ReplayDialog(
    /// Takes in what was started.
    list: Fetched<Page<ReplayView>>,
    /// The names of the project's webhooks.
    webhooks: Signal<Vec<String>>,
) -> AnyView {
    let nav = use_nav();
    let is_open = RwSignal::new(nav.query_now().value("replay").is_some());
    // Opened by a link, or closed by Back: the dialog follows.
    effect(move || {
        let wanted = nav.value("replay").is_some();
        if is_open.get_untracked() != wanted {
            is_open.set(wanted);
        }
    });
    // Closed by hand: the address follows.
    effect(move || {
        if !is_open.get() && nav.query_now().value("replay").is_some() {
            for key in OWN_VALUES {
                nav.filter(key, None);
            }
        }
    });
    view! { <Dialog open=is_open title="Replay" class="wide"><ReplayForm list=list webhooks=webhooks is_open=is_open /></Dialog> }
        .into_any()
}
