//! Definitions for the dispatcher: from this isolate's memory, from KV, or from the project.
//!
//! A work names the webhook's version. Versions never change, so a copy of that version or a newer one is
//! right however old it is; an older one is not used, and the project object is asked instead. So both copies
//! make dispatch fast, and correctness depends on neither. Secrets are sealed in all of them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use postern_core::id::Seq;
use postern_core::webhook::ProjectName;
use postern_ledger::StoredWebhook;
use worker::Env;

use crate::definition_kv;
use crate::log::{self, RequestId};
use crate::project_do::attempts::ShowDefinition;
use crate::project_do::call::{self, CallError};
use crate::seal::Keyring;

/// Definitions kept in memory. 1,000 of some 2 KB are 2 MB of the isolate's 128 MB.
const CACHED_MAX: usize = 1_000;

type Cache = HashMap<(ProjectName, Seq), Rc<StoredWebhook>>;

thread_local! {
    static CACHE: RefCell<Cache> = RefCell::new(Cache::new());
}

/// A cached copy that is new enough.
fn recall(project: &ProjectName, webhook: Seq, at_least_version: u32) -> Option<Rc<StoredWebhook>> {
    CACHE.with_borrow(|cache| {
        cache
            .get(&(project.clone(), webhook))
            .filter(|known| known.version >= at_least_version)
            .map(Rc::clone)
    })
}

/// Keeps a copy. A full cache starts anew: what is in use is back after one look-up each.
fn remember(project: &ProjectName, stored: StoredWebhook) -> Rc<StoredWebhook> {
    let stored = Rc::new(stored);
    CACHE.with_borrow_mut(|cache| {
        if cache.len() >= CACHED_MAX {
            cache.clear();
        }
        cache.insert((project.clone(), stored.seq), Rc::clone(&stored));
    });
    stored
}

/// The definition of a webhook in `at_least_version`: from memory, from KV, or from the project. `None`: it
/// is gone.
///
/// # Errors
/// The project could not be asked.
pub(crate) async fn find(
    env: &Env,
    id: &RequestId,
    keyring: &Keyring,
    project: &ProjectName,
    webhook: Seq,
    webhook_id: &str,
    at_least_version: u32,
) -> Result<Option<Rc<StoredWebhook>>, CallError> {
    if let Some(known) = recall(project, webhook, at_least_version) {
        return Ok(Some(known));
    }
    match definition_kv::read(env, project, webhook_id).await {
        // A copy may be under a sealing key that was taken out: the project has the same version under the
        // new one.
        Ok(Some(copy))
            if copy.version >= at_least_version
                && copy.seq == webhook
                && keyring.holds_keys_of(&copy.definition) =>
        {
            return Ok(Some(remember(project, copy)));
        }
        Ok(_) => {}
        Err(error) => log::warn(
            id,
            "a definition could not be read from KV",
            &[("webhook", &webhook_id), ("error", &error)],
        ),
    }
    let question = ShowDefinition { webhook, at_least_version };
    let found = call::ask_as_postern(env, id, project, question).await?;
    Ok(found.map(|stored| remember(project, stored)))
}
