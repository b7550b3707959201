//! Definitions close to where they are used: a copy in KV and one in this isolate's memory.
//!
//! A work names the webhook's version. Versions never change, so a copy of that version or a newer one is right however
//! old it is; an older one is not used, and the project object is asked instead. So both copies make dispatch fast, and
//! correctness depends on neither. Secrets are sealed in all of them.
//!
//! KV is written by the object's alarm, from the ledger's outbox ([`publish`]); a new project's entry by the Worker as well
//! (`presence`).

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use postern_core::api::project::ProjectView;
use postern_core::id::Seq;
use postern_core::webhook::ProjectName;
use postern_ledger::{OutboxItem, StoredWebhook};
use worker::Env;
use worker::kv::KvStore;

use crate::config;
use crate::log::{self, RequestId};
use crate::meter::{self, Billed};
use crate::project_do::call::{self, CallError};
use crate::project_do::command::{Command, Reply};
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

/// The definition of a webhook in `at_least_version`: from memory, from KV, or from the project. `None`: it is gone.
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
    match read(env, project, webhook_id).await {
        // A copy may be under a sealing key that was taken out: the project has the same version under the new one.
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
    let command = Command::ShowDefinition { webhook, at_least_version };
    match call::ask_as_postern(env, id, project, command).await? {
        Reply::Definition(found) => Ok(found.map(|stored| remember(project, *stored))),
        other => Err(CallError::unexpected(&other)),
    }
}

fn webhook_key(project: &ProjectName, webhook_id: &str) -> String {
    format!("webhook/{}/{webhook_id}", project.as_str())
}

const PROJECT_PREFIX: &str = "project/";

fn project_key(project: &ProjectName) -> String {
    format!("{PROJECT_PREFIX}{}", project.as_str())
}

/// Whether the list holds the project.
///
/// # Errors
/// KV could not be read.
pub(crate) async fn is_listed(env: &Env, project: &ProjectName) -> worker::Result<bool> {
    meter::count(Billed::KvReads, 1);
    Ok(env.kv(config::WEBHOOKS)?.get(&project_key(project)).text().await?.is_some())
}

async fn read(env: &Env, project: &ProjectName, webhook_id: &str) -> worker::Result<Option<StoredWebhook>> {
    meter::count(Billed::KvReads, 1);
    let text = env.kv(config::WEBHOOKS)?.get(&webhook_key(project, webhook_id)).text().await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Brings KV up to date with one entry of the outbox. Text is put, never a structure (docs/platform.md 1.9, trap 2).
///
/// # Errors
/// KV refused; the outbox keeps the entry.
pub(crate) async fn publish(env: &Env, project: &ProjectName, item: &OutboxItem) -> worker::Result<()> {
    meter::count(Billed::KvWrites, 1);
    let kv = env.kv(config::WEBHOOKS)?;
    match item {
        OutboxItem::Project(view) => put(&kv, &project_key(project), serde_json::to_string(view)?).await,
        OutboxItem::Webhook(stored) => {
            put(&kv, &webhook_key(project, &stored.id), serde_json::to_string(stored)?).await
        }
        OutboxItem::WebhookDeleted { id } => Ok(kv.delete(&webhook_key(project, id)).await?),
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that writes KV, and it writes text")]
async fn put(kv: &KvStore, key: &str, text: String) -> worker::Result<()> {
    // The value stands in the metadata too where it fits (1,024 bytes, docs/platform.md 2.1): a list then needs no
    // second look.
    let builder = kv.put(key, text.as_str())?;
    let builder = if key.starts_with(PROJECT_PREFIX) { builder.metadata(&text)? } else { builder };
    Ok(builder.execute().await?)
}

/// Every project, by name. A project that was created in the last minute may be missing far from where that was.
///
/// # Errors
/// KV could not be read.
pub(crate) async fn projects(env: &Env) -> worker::Result<Vec<ProjectView>> {
    let kv = env.kv(config::WEBHOOKS)?;
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let list = kv.list().prefix(String::from(PROJECT_PREFIX));
        let list = match cursor {
            Some(cursor) => list.cursor(cursor),
            None => list,
        };
        meter::count(Billed::KvWrites, 1);
        let page = list.execute().await?;
        let views = page.keys.into_iter().filter_map(|key| {
            let text = key.metadata?.as_str().map(String::from)?;
            serde_json::from_str::<ProjectView>(&text).ok()
        });
        found.extend(views);
        cursor = page.cursor.filter(|_| !page.list_complete);
        if cursor.is_none() {
            return Ok(found);
        }
    }
}
