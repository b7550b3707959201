//! What KV holds: copies of definitions close to where they are used, and the list of projects.
//!
//! It is written by the object's alarm, from the ledger's outbox ([`publish`]); a new project's entry by the
//! Worker as well (`presence`). Secrets are sealed here.

use postern_core::api::project::ProjectView;
use postern_core::webhook::ProjectName;
use postern_ledger::{OutboxItem, StoredWebhook};
use worker::Env;
use worker::kv::KvStore;

use crate::config;
use crate::meter::{self, Billed};

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

/// The copy of a definition.
///
/// # Errors
/// KV could not be read.
pub(crate) async fn read(
    env: &Env,
    project: &ProjectName,
    webhook_id: &str,
) -> worker::Result<Option<StoredWebhook>> {
    meter::count(Billed::KvReads, 1);
    let text = env.kv(config::WEBHOOKS)?.get(&webhook_key(project, webhook_id)).text().await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Brings KV up to date with one entry of the outbox. Text is put, never a structure (docs/platform.md 1.9,
/// trap 2).
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

/// Takes a project off the list.
///
/// # Errors
/// KV refused.
pub(crate) async fn unlist(env: &Env, project: &ProjectName) -> worker::Result<()> {
    meter::count(Billed::KvWrites, 1);
    Ok(env.kv(config::WEBHOOKS)?.delete(&project_key(project)).await?)
}

#[expect(clippy::disallowed_methods, reason = "the one place that writes KV, and it writes text")]
async fn put(kv: &KvStore, key: &str, text: String) -> worker::Result<()> {
    // The value stands in the metadata too where it fits (1,024 bytes, docs/platform.md 2.1): a list then
    // needs no second look.
    let builder = kv.put(key, text.as_str())?;
    let builder = if key.starts_with(PROJECT_PREFIX) { builder.metadata(&text)? } else { builder };
    Ok(builder.execute().await?)
}

/// Every project, by name. A project that was created in the last minute may be missing far from where that
/// was.
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
