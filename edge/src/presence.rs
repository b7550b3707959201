//! Which projects there are. Naming an object of the platform makes it, so a stranger must not get to one by
//! a name that they made up: the list in KV (`project/{name}`) is asked first, and what it said is remembered
//! (`core::presence`).
//!
//! KV may be a minute behind far from where a project was made. Where it was made it is known at once, here
//! and, by the KV entry that is written before the 201, to the isolates next to it. An administrator is never
//! stopped here, and fixes an entry that is missing by looking at the project ([`publish`]).

use std::cell::RefCell;

use postern_core::api::project::ProjectView;
use postern_core::presence::Presence;
use postern_core::webhook::ProjectName;
use postern_ledger::OutboxItem;
use worker::Env;

use crate::clock;
use crate::definition_kv;
use crate::log::{self, RequestId};

thread_local! {
    static MEMORY: RefCell<Presence> = RefCell::new(Presence::default());
}

/// Whether the project may be there. Where KV can't be read its object is the one to say.
pub(crate) async fn may_exist(env: &Env, id: &RequestId, project: &ProjectName) -> bool {
    let asked_at = clock::now();
    if let Some(known) = MEMORY.with_borrow(|memory| memory.recall(project, asked_at)) {
        return known;
    }
    match definition_kv::is_listed(env, project).await {
        Ok(is_listed) => {
            MEMORY.with_borrow_mut(|memory| {
                if is_listed { memory.note_present(project) } else { memory.note_absent(project, asked_at) }
            });
            is_listed
        }
        Err(error) => {
            log::warn(
                id,
                "the list of projects could not be read",
                &[("project", &project.as_str()), ("error", &log::chain(&error))],
            );
            true
        }
    }
}

/// The project was deleted: everybody shall know. An entry that can't be removed now is removed by what is
/// left of the project's object.
pub(crate) async fn unpublish(env: &Env, id: &RequestId, project: &ProjectName) {
    MEMORY.with_borrow_mut(|memory| memory.note_deleted(project, clock::now()));
    if let Err(error) = definition_kv::unlist(env, project).await {
        log::warn(
            id,
            "a deleted project is still listed",
            &[("project", &project.as_str()), ("error", &log::chain(&error))],
        );
    }
}

/// The project is there: everybody shall know. An entry that can't be written now is written by the project's
/// alarm.
pub(crate) async fn publish(env: &Env, id: &RequestId, view: &ProjectView) {
    MEMORY.with_borrow_mut(|memory| memory.note_present(&view.name));
    if let Err(error) = definition_kv::publish(env, &view.name, &OutboxItem::Project(view.clone())).await {
        log::warn(
            id,
            "a project could not be listed yet",
            &[("project", &view.name.as_str()), ("error", &log::chain(&error))],
        );
    }
}
