//! The replays of a project: what runs or has just ended, the others folded away.
//!
//! Rows are keyed by their replay: one that ends moves from one list to the other, and the others are left
//! alone.

use std::time::Duration;

use leptos::prelude::*;
use postern_core::api::live::ChangeKind;
use postern_core::api::page::Page;
use postern_core::api::replay::{ReplayState, ReplayView};

use super::model;
use crate::api::use_project;
use crate::browser::clock::{offset_min, use_clock};
use crate::fetched::{Fetched, when};
use crate::live::use_live;
use crate::routes::Query;
use crate::ui::badge::badge;
use crate::ui::button::Button;
use crate::ui::form::Sending;
use crate::ui::toast::use_toasts;
use crate::words;

/// How often running replays are asked for, in case the live feed is not there to tell.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The replays of the project, kept up to date by the feed, and by asking for the one that runs, in case the
/// feed is not there.
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
        let running = replays
            .value
            .with_untracked(|page| Some(page.as_ref()?.items.iter().find(is_running)?.id.clone()));
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
pub(super) fn take_in(list: Fetched<Page<ReplayView>>, replay: &ReplayView) {
    list.value.update(|page| {
        if let Some(page) = page {
            model::take_in(page, replay);
        }
    });
}

/// The list. Nothing is shown where there was never a replay: most projects never need one.
#[component]
pub(crate) fn Replays(
    /// See [`list_of`].
    list: Fetched<Page<ReplayView>>,
) -> AnyView {
    let clock = use_clock();
    let ids = Memo::new(move |_| {
        list.value.with(|page| {
            model::recent_and_earlier(
                page.as_ref().map(|page| page.items.as_slice()).unwrap_or_default(),
                clock.now(),
            )
        })
    });
    let recent = Memo::new(move |_| ids.with(|(recent, _)| recent.clone()));
    let earlier = Memo::new(move |_| ids.with(|(_, earlier)| earlier.clone()));
    let has_recent = Memo::new(move |_| recent.with(|recent| !recent.is_empty()));
    let has_earlier = Memo::new(move |_| earlier.with(|earlier| !earlier.is_empty()));
    let recent_list = move || {
        has_recent.get().then(|| {
            view! {
                <h2 class="card-head">"Replays"</h2>
                <ul aria-label="Replays">{rows(recent, list)}</ul>
            }
            .into_any()
        })
    };
    let earlier_list = move || {
        has_earlier.get().then(|| {
            view! {
                <details class="fold">
                    <summary>"Earlier replays"</summary>
                    <ul>{rows(earlier, list)}</ul>
                </details>
            }
            .into_any()
        })
    };
    let is_there = Memo::new(move |_| has_recent.get() || has_earlier.get());
    (move || {
        is_there.get().then(|| {
            view! { <section class="card" aria-label="Replays">{move || recent_list()}{move || earlier_list()}</section> }.into_any()
        })
    })
    .into_any()
}

/// A row each, kept while its replay is in the list. Not generic, so that both lists are compiled once.
fn rows(ids: Memo<Vec<String>>, list: Fetched<Page<ReplayView>>) -> AnyView {
    let row = move |id| view! { <ReplayRow id=id list=list /> };
    view! { <For each=move || ids.get() key=|id: &String| id.clone() children=row /> }.into_any()
}

/// One replay: what it is about, how far it is, and the button that cancels it while it runs. It reads its
/// replay from the list each time, because the feed replaces it there.
#[component]
fn ReplayRow(
    /// Which replay.
    id: String,
    /// The list that it is in.
    list: Fetched<Page<ReplayView>>,
) -> AnyView {
    let clock = use_clock();
    let wanted = id.clone();
    let replay = Memo::new(move |_| {
        list.value.with(|page| {
            page.as_ref().and_then(|page| page.items.iter().find(|replay| replay.id == wanted).cloned())
        })
    });
    let text = move |part: fn(&ReplayView) -> String| move || replay.with(|replay| replay.as_ref().map(part));
    let number = move |part: fn(&ReplayView) -> u32| {
        move || replay.with(|replay| replay.as_ref().map(|replay| part(replay).to_string()))
    };
    let state = badge(move || replay.with(|replay| replay.as_ref().map(model::standing).unwrap_or_default()));
    let is_running = Memo::new(move |_| {
        replay.with(|replay| replay.as_ref().is_some_and(|replay| replay.state == ReplayState::Running))
    });
    let bar = move || {
        let (max, value) = (number(|replay| replay.total.max(1)), number(|replay| replay.scanned));
        is_running
            .get()
            .then(|| view! { <progress max=max value=value aria-label="Progress"></progress> }.into_any())
    };
    let cancel = cancelling(id, list);
    let cancel_button = move || {
        is_running.get().then(|| view! { <Button label="Cancel replay" on_press=cancel /> }.into_any())
    };
    let when = move || {
        replay.with(|replay| replay.as_ref().map(|replay| words::ago(clock.now(), replay.created_at)))
    };
    view! {
        <li class="replay">
            {state}
            <div class="replay-words">
                <span>{text(|replay| model::query_words(&replay.query, |at| words::date_time(at, offset_min(at))))}</span>
                {move || bar()}
                <span class="faint">{text(model::progress_words)}" · "{move || when()}</span>
            </div>
            {move || cancel_button()}
        </li>
    }
    .into_any()
}

/// Cancels a replay, and shows in `list` what became of it. Where that is refused, such as for one that has
/// ended meanwhile, the list is loaded again.
fn cancelling(id: String, list: Fetched<Page<ReplayView>>) -> UnsyncCallback<()> {
    let (project, toasts, sending) = (use_project(), use_toasts(), Sending::new());
    UnsyncCallback::new(move |()| {
        sending.send(project.cancel_replay(&id), move |answer| match answer {
            Ok(replay) => {
                toasts.say("Replay cancelled: what it has sent stays sent");
                take_in(list, &replay);
            }
            Err(failure) => {
                toasts.complain(failure.to_string());
                list.reload();
            }
        });
    })
}
