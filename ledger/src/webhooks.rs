//! Webhooks: create, read, update, delete, list.

use std::collections::BTreeMap;

use postern_core::api::audit::AuditAction;
use postern_core::api::page::Page;
use postern_core::api::totals::WebhookTotal;
use postern_core::api::webhook::{HELD_MAX, Health, HealthStatus, RECENT_MAX, Standing, WebhookView};
use postern_core::change::Changes;
use postern_core::delivery::State;
use postern_core::filter::EventPattern;
use postern_core::health::Cause;
use postern_core::id::{Kind, Seq};
use postern_core::query::WebhookState;
use postern_core::time::Timestamp;
use postern_core::webhook::{Contract, Definition};
use serde::{Deserialize, Serialize};

use crate::error::LedgerError;
use crate::memory::roster::Member;
use crate::project::Ledger;
use crate::row::delivery::Line;
use crate::row::health::write_health;
use crate::row::keys::read_created;
use crate::row::text::{member_text, state_of, to_json};
use crate::row::webhook::{
    COLUMNS, DEFINITION, StoredWebhook, WebhookChange, delete_webhook, insert_webhook, update_webhook,
};
use crate::sql::{Sql, Value, atomically, first, key_set};

/// Webhooks that one query of a list reads, so that a page of large definitions stays small in memory.
const CHUNK: u32 = 200;

/// Which webhooks a list shows. What is `None` or empty does not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookFilter {
    /// Part of the name, the URL or the description, in any case.
    pub search: Option<String>,
    /// Labels that it must have, all of them.
    pub labels: Vec<(String, String)>,
    /// One of its patterns is this one, or matches this event type.
    pub event: Option<String>,
    /// The type its object filter names.
    pub object_type: Option<String>,
    /// The name its object filter names.
    pub object_name: Option<String>,
    /// How they are.
    pub state: Option<WebhookState>,
    /// Those of one contract.
    pub contract: Option<Contract>,
}

impl WebhookFilter {
    /// Whether all fits but for the labels, which the roster does not know, and for how the webhook is.
    fn takes(&self, webhook: &Definition) -> bool {
        let found = |needle: &String| {
            let needle = needle.to_lowercase();
            [webhook.name.as_str(), &webhook.url, &webhook.description]
                .iter()
                .any(|text| text.to_lowercase().contains(&needle))
        };
        let listens = |event: &String| {
            webhook
                .events
                .iter()
                .any(|pattern| pattern.as_str() == event || EventPattern::matches(pattern, event))
        };
        self.search.as_ref().is_none_or(found)
            && self.event.as_ref().is_none_or(listens)
            && self.object_type.as_ref().is_none_or(|kind| webhook.object.kind.as_ref() == Some(kind))
            && self.object_name.as_ref().is_none_or(|name| webhook.object.name.as_ref() == Some(name))
            && self.contract.is_none_or(|contract| webhook.contract == contract)
    }

    /// Whether the definition that is stored as this text has the labels. Of a text that can't be read none
    /// is known.
    fn has_labels(&self, definition: &str) -> bool {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Labelled {
            labels: BTreeMap<String, String>,
        }
        let is_labelled =
            |webhook: Labelled| self.labels.iter().all(|(key, value)| webhook.labels.get(key) == Some(value));
        self.labels.is_empty() || serde_json::from_str(definition).is_ok_and(is_labelled)
    }

    /// How each label stands in the text of a definition that has it. (It may stand there for another
    /// reason.)
    fn label_texts(&self) -> Result<Vec<String>, LedgerError> {
        self.labels.iter().map(|(name, value)| member_text(name, value)).collect()
    }
}

impl<S: Sql> Ledger<S> {
    pub(crate) fn load_roster(&mut self) -> Result<(), LedgerError> {
        let mut after = Seq::ZERO;
        loop {
            let rows = self.sql.run(
                &format!("SELECT {COLUMNS} FROM webhook WHERE seq > ?1 ORDER BY seq LIMIT ?2"),
                &[Value::from(after), Value::from(CHUNK)],
            )?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in &rows {
                let webhook = StoredWebhook::read(row, self.ids)?;
                after = webhook.seq;
                self.roster.put(&webhook);
            }
        }
    }

    pub(crate) fn stored_webhook_at(&self, seq: Seq) -> Result<Option<StoredWebhook>, LedgerError> {
        Ok(self.stored_webhook_and_length(seq)?.map(|(webhook, _bytes)| webhook))
    }

    /// The same with the bytes of its stored definition.
    pub(crate) fn stored_webhook_and_length(
        &self,
        seq: Seq,
    ) -> Result<Option<(StoredWebhook, usize)>, LedgerError> {
        let rows =
            self.sql.run(&format!("SELECT {COLUMNS} FROM webhook WHERE seq = ?1"), &[Value::from(seq)])?;
        let Some(row) = first(rows) else { return Ok(None) };
        Ok(Some((StoredWebhook::read(&row, self.ids)?, row.text(DEFINITION)?.len())))
    }

    /// When a webhook was created, and when it last changed; its definition is not read.
    pub(crate) fn webhook_times(&self, seq: Seq) -> Result<(Timestamp, Timestamp), LedgerError> {
        let rows = self
            .sql
            .run("SELECT created_at_ms, updated_at_ms FROM webhook WHERE seq = ?1", &[Value::from(seq)])?;
        let row = first(rows).ok_or(LedgerError::Corrupt { what: "the roster names no webhook" })?;
        Ok((row.timestamp(0)?, row.timestamp(1)?))
    }

    /// Creates a webhook under a key from [`Ledger::reserve`]. `definition` is sealed.
    ///
    /// # Errors
    /// [`LedgerError::NameTaken`]; the database fails.
    pub fn create_webhook(
        &mut self,
        seq: Seq,
        definition: Definition,
        now: Timestamp,
    ) -> Result<WebhookView, LedgerError> {
        let change = self.plan_create(seq, definition, now)?;
        self.admit_webhooks([&change], now)?;
        self.within_bounds(change.growth()?, now, |sql| self.write_change(sql, &change, now))?;
        let name = String::from(change.name());
        self.settle_change(change);
        self.webhook(&name)
    }

    pub(crate) fn plan_create(
        &self,
        seq: Seq,
        definition: Definition,
        now: Timestamp,
    ) -> Result<WebhookChange, LedgerError> {
        if self.roster.named(definition.name.as_str()).is_some() {
            return Err(LedgerError::NameTaken { what: "webhook" });
        }
        let id = self.ids.id(Kind::Webhook, seq);
        let webhook = StoredWebhook {
            seq,
            id,
            version: 1,
            definition,
            disabled_reason: None,
            created_at: now,
            updated_at: now,
        };
        Ok(WebhookChange::Create(webhook))
    }

    /// A webhook as it may be shown.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; the database fails.
    pub fn webhook(&self, name: &str) -> Result<WebhookView, LedgerError> {
        let webhook = self.stored_webhook(name)?;
        let health = self.health(&webhook)?;
        Ok(view(webhook, health))
    }

    /// A webhook with its sealed secrets: for updating it and for its secret.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; the database fails.
    pub fn stored_webhook(&self, name: &str) -> Result<StoredWebhook, LedgerError> {
        let seq = self.roster.named(name).ok_or(LedgerError::NotFound { what: "webhook" })?;
        self.stored_webhook_at(seq)?.ok_or(LedgerError::Corrupt { what: "the roster names no webhook" })
    }

    /// The same by its id, `whk_…`.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; the database fails.
    pub fn stored_webhook_by_id(&self, id: &str) -> Result<StoredWebhook, LedgerError> {
        let seq = self.seq_of(Kind::Webhook, id, "webhook")?;
        self.stored_webhook_at(seq)?.ok_or(LedgerError::NotFound { what: "webhook" })
    }

    /// Replaces a webhook's definition (sealed; the name may change). The same definition again makes no new
    /// version.
    ///
    /// What waited for it to be enabled, resumed or less limited is leased by the next [`Ledger::lease_due`].
    /// A webhook that becomes enabled starts with a clean slate: its failures before do not count. Of one
    /// that is resumed the days of failure start anew: while it was paused nobody called it.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], [`LedgerError::VersionMismatch`] where `expected_version` is not the
    /// current one, [`LedgerError::NameTaken`]; the database fails.
    pub fn update_webhook(
        &mut self,
        name: &str,
        definition: Definition,
        expected_version: Option<u32>,
        now: Timestamp,
    ) -> Result<WebhookView, LedgerError> {
        if let Some(change) = self.plan_update(name, definition, expected_version, now)? {
            let name = String::from(change.name());
            self.admit_webhooks([&change], now)?;
            self.within_bounds(change.growth()?, now, |sql| self.write_change(sql, &change, now))?;
            self.settle_change(change);
            return self.webhook(&name);
        }
        self.webhook(name)
    }

    /// `None`: it is so already.
    pub(crate) fn plan_update(
        &self,
        name: &str,
        definition: Definition,
        expected_version: Option<u32>,
        now: Timestamp,
    ) -> Result<Option<WebhookChange>, LedgerError> {
        let before = self.expect_version(name, expected_version)?;
        if !before.is_readable() {
            return Err(LedgerError::StateConflict {
                why: "its definition was written by another version of Postern: deploy that one, or delete the webhook",
            });
        }
        let holder = self.roster.named(definition.name.as_str());
        if holder.is_some_and(|holder| holder != before.seq) {
            return Err(LedgerError::NameTaken { what: "webhook" });
        }
        if before.definition == definition {
            return Ok(None);
        }
        // A reason lasts as long as what it explains.
        let disabled_reason = if definition.enabled { None } else { before.disabled_reason.clone() };
        let after = StoredWebhook {
            version: before.version + 1,
            definition,
            disabled_reason,
            updated_at: now,
            ..before.clone()
        };
        Ok(Some(WebhookChange::Update { before: Box::new(before), after }))
    }

    /// Pauses a webhook: it takes events, and its deliveries wait.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], [`LedgerError::VersionMismatch`]; the database fails.
    pub fn pause_webhook(
        &mut self,
        name: &str,
        expected_version: Option<u32>,
        now: Timestamp,
    ) -> Result<WebhookView, LedgerError> {
        let definition = Definition { paused: true, ..self.stored_webhook(name)?.definition };
        self.update_webhook(name, definition, expected_version, now)
    }

    /// Resumes a paused webhook: what waited goes out.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], [`LedgerError::VersionMismatch`]; the database fails.
    pub fn resume_webhook(
        &mut self,
        name: &str,
        expected_version: Option<u32>,
        now: Timestamp,
    ) -> Result<WebhookView, LedgerError> {
        let definition = Definition { paused: false, ..self.stored_webhook(name)?.definition };
        self.update_webhook(name, definition, expected_version, now)
    }

    /// Deletes a webhook. Its open deliveries are cancelled; those are named, up to 101 of them.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], [`LedgerError::VersionMismatch`]; the database fails.
    pub fn delete_webhook(
        &mut self,
        name: &str,
        expected_version: Option<u32>,
        now: Timestamp,
    ) -> Result<Vec<Seq>, LedgerError> {
        let change = self.plan_delete(name, expected_version)?;
        let cancelled = atomically(&self.sql, |sql| self.write_change(sql, &change, now))?;
        self.settle_change(change);
        Ok(cancelled)
    }

    pub(crate) fn plan_delete(
        &self,
        name: &str,
        expected_version: Option<u32>,
    ) -> Result<WebhookChange, LedgerError> {
        Ok(WebhookChange::Delete(self.expect_version(name, expected_version)?))
    }

    /// Writes a change, with its entry in the audit log; gives the deliveries that it cancelled, up to 101 of
    /// them. Inside the caller's transaction; [`Ledger::settle_change`] follows its commit.
    pub(crate) fn write_change(
        &self,
        sql: &S,
        change: &WebhookChange,
        now: Timestamp,
    ) -> Result<Vec<Seq>, LedgerError> {
        let (action, changes, cancelled) = match change {
            WebhookChange::Create(webhook) => {
                insert_webhook(sql, webhook, now)?;
                (
                    AuditAction::WebhookCreated,
                    Changes::of_webhook(None, Some(&webhook.definition)),
                    Vec::new(),
                )
            }
            WebhookChange::Update { before, after } => {
                update_webhook(sql, before, after, now)?;
                if let Some(health) = self.health_after(before, after) {
                    write_health(sql, after.seq, &health)?;
                }
                let changes = Changes::of_webhook(Some(&before.definition), Some(&after.definition));
                (AuditAction::of_webhook_change(&changes), changes, Vec::new())
            }
            WebhookChange::Delete(webhook) => {
                let cancelled = delete_webhook(sql, webhook, now)?;
                (AuditAction::WebhookDeleted, Changes::of_webhook(Some(&webhook.definition), None), cancelled)
            }
        };
        self.audit(sql, action, change.name(), changes, now)?;
        Ok(cancelled)
    }

    /// Takes a change that was committed into memory.
    pub(crate) fn settle_change(&mut self, change: WebhookChange) {
        match change {
            WebhookChange::Create(webhook) => {
                self.roster.put(&webhook);
            }
            WebhookChange::Update { before, after } => {
                if let Some(health) = self.health_after(&before, &after) {
                    self.gates.set_health(after.seq, health);
                }
                let (before, seq) = (&before.definition, after.seq);
                if before.ordered && !after.definition.ordered {
                    self.gates.hold(seq, Line::Live);
                    self.gates.hold(seq, Line::Replayed);
                    self.gates.forget_keys(seq);
                }
                if after.definition.rate_limit.is_none() {
                    self.gates.forget_window(seq);
                }
                self.roster.put(&after);
            }
            WebhookChange::Delete(webhook) => {
                self.roster.remove(webhook.seq);
                self.gates.remove(webhook.seq);
            }
        }
    }

    /// How a webhook does after a change of its definition, where the change says something about that.
    fn health_after(
        &self,
        before: &StoredWebhook,
        after: &StoredWebhook,
    ) -> Option<postern_core::health::Health> {
        let known = self.gates.health(after.seq);
        let health = known.edited(&before.definition, &after.definition);
        (health != known).then_some(health)
    }

    /// The webhook, if its version is the expected one; `None` expects any.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], [`LedgerError::VersionMismatch`]; the database fails.
    pub fn expect_version(&self, name: &str, expected: Option<u32>) -> Result<StoredWebhook, LedgerError> {
        let current = self.stored_webhook(name)?;
        if expected.is_some_and(|expected| expected != current.version) {
            return Err(LedgerError::VersionMismatch { current: current.version });
        }
        Ok(current)
    }

    /// Webhooks by name. A page is full or the last: what the roster knows is filtered in memory, and only
    /// definitions that may hold the labels are read.
    ///
    /// # Errors
    /// The database fails.
    pub fn list_webhooks(
        &self,
        filter: &WebhookFilter,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<WebhookView>, LedgerError> {
        let named = self.roster.named_after(cursor.unwrap_or(""));
        let is_wanted = |seq: Seq, member: &Member| {
            filter.takes(member.definition())
                && match filter.state {
                    None => true,
                    Some(WebhookState::Enabled) => member.enabled(),
                    Some(WebhookState::Disabled) => !member.enabled(),
                    Some(WebhookState::Down) => self.is_down(seq, member),
                }
        };
        let mut candidates = named.filter(|(seq, member)| is_wanted(*seq, member)).map(|(seq, _member)| seq);
        let labels = to_json(&filter.label_texts()?)?;
        let mut items: Vec<WebhookView> = Vec::new();
        loop {
            let chunk: Vec<Seq> = candidates.by_ref().take(CHUNK as usize).collect();
            if chunk.is_empty() {
                return Ok(Page::new(items, None));
            }
            let rows = self.sql.run(
                &format!(
                    "SELECT {COLUMNS} FROM webhook WHERE seq IN (SELECT value FROM json_each(?1))
                     AND NOT EXISTS (SELECT 1 FROM json_each(?2) AS label WHERE instr(definition, label.value) = 0) ORDER BY name"
                ),
                &[Value::Text(key_set(chunk)), Value::Text(labels.clone())],
            )?;
            for row in &rows {
                if !filter.has_labels(row.text(DEFINITION)?) {
                    continue;
                }
                let webhook = StoredWebhook::read(row, self.ids)?;
                if items.len() >= limit as usize {
                    let next = items.last().map(|last| last.name.clone());
                    return Ok(Page::new(items, next));
                }
                let health = self.health(&webhook)?;
                items.push(view(webhook, health));
            }
        }
    }

    /// The definition for a dispatcher whose copy is missing or older than `at_least_version`; `None` where
    /// the webhook was deleted.
    ///
    /// # Errors
    /// The database fails; [`LedgerError::Corrupt`] where somebody names a version that was never given out.
    pub fn definition(
        &self,
        webhook: Seq,
        at_least_version: u32,
    ) -> Result<Option<StoredWebhook>, LedgerError> {
        let found = self.stored_webhook_at(webhook)?;
        if found.as_ref().is_some_and(|found| found.version < at_least_version) {
            return Err(LedgerError::Corrupt { what: "a version is asked for that does not exist" });
        }
        Ok(found)
    }

    /// The first `max` webhooks with a secret that call an inbox, and how many there are: those whose URL's
    /// path is `inbox_path` (`/in/p1.key`) or lies below it. No others are read: anybody may ask for this.
    ///
    /// # Errors
    /// The database fails.
    pub fn webhooks_calling(
        &self,
        inbox_path: &str,
        max: usize,
    ) -> Result<(Vec<StoredWebhook>, usize), LedgerError> {
        let callers = self.roster.signing_callers(inbox_path);
        let count = callers.len();
        let first = callers.take(max).filter_map(|seq| self.stored_webhook_at(seq).transpose());
        Ok((first.collect::<Result<_, _>>()?, count))
    }

    /// Whether a webhook that calls the inbox protects a header of this name; `None` where none has one.
    #[must_use]
    pub fn callers_protect(&self, inbox_path: &str, header: &str) -> Option<bool> {
        self.roster.callers_protect(inbox_path, header)
    }

    /// Whether somebody should look after a webhook: it fails, or Postern disabled it. One that a person
    /// paused or disabled is as that person wants it.
    fn is_down(&self, webhook: Seq, member: &Member) -> bool {
        member.is_given_up()
            || status_of(member.definition(), self.gates.health(webhook).cause) == HealthStatus::Failing
    }

    /// How many webhooks there are, and are down.
    pub(crate) fn count_webhooks(&self) -> WebhookTotal {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let down = self.roster.iter().filter(|(webhook, member)| self.is_down(*webhook, member));
        WebhookTotal { down: count(down.count()), all: count(self.roster.len()) }
    }

    /// How a webhook does: its latest deliveries, and how it is called.
    fn health(&self, webhook: &StoredWebhook) -> Result<Health, LedgerError> {
        let rows = self.sql.run(
            "SELECT d.state, d.made, d.seq, d.late, e.accepted_at_ms
             FROM (SELECT seq, event, state, made, late FROM delivery WHERE webhook = ?1 ORDER BY seq DESC LIMIT ?2) AS d
             CROSS JOIN event AS e ON e.seq = d.event ORDER BY d.seq",
            &[Value::from(webhook.seq), Value::from(RECENT_MAX)],
        )?;
        let called = self.gates.health(webhook.seq);
        let mut health = Health {
            status: status_of(&webhook.definition, called.cause),
            failing_since: called.failing_since,
            failures_in_a_row: called.failures_in_a_row,
            next_call_at: called.next_call_at,
            gone_from: called
                .gone_from()
                .filter(|_| webhook.definition.confirm_gone && webhook.definition.enabled),
            held: self.count_held(webhook)?,
            ..Health::default()
        };
        for row in &rows {
            let state = state_of(row.text(0)?)?;
            health.recent.push(state);
            health.at_once += u32::from(state == State::Delivered && row.number(1)? == 1);
            health.latest_at = Some(read_created(row, 2)?.1);
        }
        if !webhook.definition.enabled {
            let rows = self
                .sql
                .run("SELECT disabled_at_ms FROM webhook WHERE seq = ?1", &[Value::from(webhook.seq)])?;
            health.disabled_at = first(rows).map(|row| row.timestamp_or_none(0)).transpose()?.flatten();
        }
        Ok(health)
    }

    /// Deliveries that wait for the webhook's gate or for an older one of their order key.
    fn count_held(&self, webhook: &StoredWebhook) -> Result<u32, LedgerError> {
        let mut held = 0;
        for (may_be, statement) in [
            (
                self.gates.holds(webhook.seq, Line::Live),
                "SELECT count(*) FROM (SELECT 1 FROM delivery WHERE webhook = ?1 AND parked = 1 LIMIT ?2)",
            ),
            (
                self.gates.holds(webhook.seq, Line::Replayed),
                "SELECT count(*) FROM (SELECT 1 FROM delivery WHERE webhook = ?1 AND parked = 3 LIMIT ?2)",
            ),
            (
                webhook.definition.ordered,
                "SELECT count(*) FROM (SELECT 1 FROM delivery WHERE webhook = ?1 AND order_key IS NOT NULL AND parked = 2 LIMIT ?2)",
            ),
        ] {
            if may_be {
                let rows = self.sql.run(statement, &[Value::from(webhook.seq), Value::from(HELD_MAX)])?;
                held += first(rows).ok_or(LedgerError::Corrupt { what: "a count has no row" })?.number(0)?;
            }
        }
        Ok(held.min(HELD_MAX))
    }
}

/// How a webhook stands, in one word.
const fn status_of(webhook: &Definition, cause: Option<Cause>) -> HealthStatus {
    match cause {
        _ if !webhook.enabled => HealthStatus::Disabled,
        _ if webhook.paused => HealthStatus::Paused,
        Some(Cause::Failing) => HealthStatus::Failing,
        Some(Cause::Throttled) => HealthStatus::Throttled,
        None => HealthStatus::Healthy,
    }
}

fn view(webhook: StoredWebhook, health: Health) -> WebhookView {
    let StoredWebhook { id, version, disabled_reason, created_at, updated_at, definition, .. } = webhook;
    WebhookView::from_definition(
        definition,
        Standing { id, version, disabled_reason, created_at, updated_at, health },
    )
}

#[cfg(test)]
mod tests {
    use postern_core::webhook::{Header, ObjectFilter, WebhookName};

    use super::*;
    use crate::OutboxItem;
    use crate::support::build::{START, create, lease, ledger, post, webhook};

    fn names(page: &Page<WebhookView>) -> Vec<&str> {
        page.items.iter().map(|webhook| webhook.name.as_str()).collect()
    }

    #[test]
    fn names_are_unique_when_creating_and_when_renaming() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("a", "*"));
        create(&mut ledger, webhook("b", "*"));
        let key = ledger.reserve(START);
        assert_eq!(
            ledger.create_webhook(key, webhook("a", "*"), START),
            Err(LedgerError::NameTaken { what: "webhook" })
        );
        assert_eq!(
            ledger.update_webhook("b", webhook("a", "*"), None, START),
            Err(LedgerError::NameTaken { what: "webhook" })
        );
        let renamed = ledger.update_webhook("b", webhook("c", "*"), None, START).unwrap();
        assert_eq!((renamed.name.as_str(), renamed.version), ("c", 2));
        assert_eq!(ledger.webhook("b"), Err(LedgerError::NotFound { what: "webhook" }));
        create(&mut ledger, webhook("b", "*"));
    }

    #[test]
    fn a_webhook_is_found_by_its_id_until_it_is_deleted() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        let id = ledger.webhook("w").unwrap().id;
        assert_eq!(ledger.stored_webhook_by_id(&id).unwrap(), ledger.stored_webhook("w").unwrap());
        let unknown = Err(LedgerError::NotFound { what: "webhook" });
        for other in
            ["", "w", "whk_", "whk_00000000-0000-7000-8000-000000000000", &id.replace("whk_", "tst_")]
        {
            assert_eq!(ledger.stored_webhook_by_id(other), unknown, "{other}");
        }
        ledger.delete_webhook("w", None, START).unwrap();
        assert_eq!(ledger.stored_webhook_by_id(&id), unknown);
    }

    #[test]
    fn an_update_of_another_version_changes_nothing() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        let changed = Definition { timeout_s: 3, ..webhook("w", "*") };
        let refused = ledger.update_webhook("w", changed.clone(), Some(2), START);
        assert_eq!(refused, Err(LedgerError::VersionMismatch { current: 1 }));
        assert_eq!(
            ledger.delete_webhook("w", Some(2), START),
            Err(LedgerError::VersionMismatch { current: 1 })
        );
        assert_eq!(ledger.webhook("w").unwrap().timeout_s, 10);
        let updated = ledger.update_webhook("w", changed.clone(), Some(1), START.plus_ms(5)).unwrap();
        assert_eq!((updated.version, updated.updated_at), (2, START.plus_ms(5)));
        let same = ledger.update_webhook("w", changed, Some(2), START.plus_ms(9)).unwrap();
        assert_eq!((same.version, same.updated_at), (2, START.plus_ms(5)), "no change, no version");
    }

    #[test]
    fn a_view_hides_what_is_protected() {
        let mut ledger = ledger();
        let header =
            |key: &str, protected| Header { key: String::from(key), value: String::from("value"), protected };
        create(
            &mut ledger,
            Definition { headers: vec![header("x-open", false), header("x-key", true)], ..webhook("w", "*") },
        );
        let view = ledger.webhook("w").unwrap();
        let values: Vec<Option<&str>> = view.headers.iter().map(|header| header.value.as_deref()).collect();
        assert_eq!(values, [Some("value"), None]);
        assert!(view.signed && !serde_json::to_string(&view).unwrap().contains("sealed"));
    }

    #[test]
    fn a_deleted_webhook_cancels_what_is_open_and_leaves_what_has_ended() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        let first = post(&mut ledger, "a");
        let tickets = lease(&mut ledger, START);
        let second = post(&mut ledger, "b");
        assert_eq!(ledger.delete_webhook("w", None, START).unwrap(), [second[0], first[0]]);
        let views = ledger.delivery_views(&[first[0], second[0]]).unwrap();
        assert!(
            views.iter().all(|view| view.state == State::Cancelled
                && view.next_at.is_none()
                && view.webhook.is_none())
        );
        assert!(ledger.claim(&tickets, START).unwrap().works.is_empty());
        assert_eq!(ledger.delete_webhook("w", None, START), Err(LedgerError::NotFound { what: "webhook" }));
    }

    #[test]
    fn the_list_is_by_name_and_pages_without_gaps() {
        let mut ledger = ledger();
        for number in 0..450 {
            create(
                &mut ledger,
                webhook(&format!("w{number:03}"), if number % 9 == 0 { "order.*" } else { "user.created" }),
            );
        }
        let filter = WebhookFilter { event: Some(String::from("order.paid")), ..WebhookFilter::default() };
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = ledger.list_webhooks(&filter, 7, cursor.as_deref()).unwrap();
            seen.extend(names(&page).into_iter().map(String::from));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let expected: Vec<String> = (0..450).step_by(9).map(|number| format!("w{number:03}")).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn the_list_filters_by_each_field() {
        let mut ledger = ledger();
        let labels =
            [("team", "a"), ("env", "prod")].map(|(key, value)| (String::from(key), String::from(value)));
        let object = ObjectFilter {
            kind: Some(String::from("deployment")),
            name: Some(String::from("d1")),
            version: None,
        };
        create(
            &mut ledger,
            Definition {
                labels: labels.clone().into(),
                description: String::from("Bills"),
                ..webhook("a", "order.*")
            },
        );
        create(
            &mut ledger,
            Definition { object, enabled: false, contract: Contract::Ubiops, ..webhook("b", "user.created") },
        );
        let check = |filter: WebhookFilter, expected: &[&str]| {
            assert_eq!(names(&ledger.list_webhooks(&filter, 50, None).unwrap()), expected, "{filter:?}");
        };
        let none = WebhookFilter::default();
        let text = |text: &str| Some(String::from(text));
        check(none.clone(), &["a", "b"]);
        check(WebhookFilter { search: text("BILL"), ..none.clone() }, &["a"]);
        check(WebhookFilter { search: text("b.example"), ..none.clone() }, &["b"]);
        check(WebhookFilter { labels: labels.to_vec(), ..none.clone() }, &["a"]);
        check(WebhookFilter { labels: vec![(String::from("team"), String::from("b"))], ..none.clone() }, &[]);
        check(WebhookFilter { event: text("order.*"), ..none.clone() }, &["a"]);
        check(WebhookFilter { event: text("order.paid"), ..none.clone() }, &["a"]);
        check(WebhookFilter { object_type: text("deployment"), ..none.clone() }, &["b"]);
        check(WebhookFilter { object_name: text("d2"), ..none.clone() }, &[]);
        check(WebhookFilter { state: Some(WebhookState::Disabled), ..none.clone() }, &["b"]);
        check(WebhookFilter { contract: Some(Contract::Standard), ..none }, &["a"]);
    }

    #[test]
    fn the_webhooks_of_an_inbox_are_those_that_call_its_path() {
        let mut ledger = ledger();
        for (name, url) in [
            ("a", "https://host/in/p1.key"),
            ("b", "http://127.0.0.1:8787/in/p1.key/below?x=1"),
            ("c", "https://host/in/p1.keys"),
            ("d", "https://host/other/in/p1.key"),
            ("e", "https://host"),
            ("f", "https://host/in/p1.key?x"),
        ] {
            let secret = Some(String::from("sealed"));
            create(&mut ledger, Definition { url: String::from(url), secret, ..webhook(name, "*") });
        }
        let silent =
            Definition { url: String::from("https://host/in/p1.key"), secret: None, ..webhook("g", "*") };
        create(&mut ledger, silent);
        let check = |max: usize, names: &[&str]| {
            let (callers, count) = ledger.webhooks_calling("/in/p1.key", max).unwrap();
            let found: Vec<&str> =
                callers.iter().map(|webhook| WebhookName::as_str(&webhook.definition.name)).collect();
            assert_eq!((found.as_slice(), count), (names, 3));
        };
        check(20, &["a", "b", "f"]);
        ledger.sql.run("DELETE FROM webhook WHERE name NOT IN ('a', 'b')", &[]).unwrap();
        // The number is known without the others.
        let (callers, count) = ledger.webhooks_calling("/in/p1.key", 2).unwrap();
        assert_eq!((callers.len(), count), (2, 3));
    }

    #[test]
    fn a_definition_is_at_least_as_new_as_asked() {
        let mut ledger = ledger();
        let key = create(&mut ledger, webhook("w", "*"));
        assert_eq!(ledger.definition(key, 1).unwrap().map(|webhook| webhook.version), Some(1));
        assert!(ledger.definition(key, 2).is_err());
        ledger.delete_webhook("w", None, START).unwrap();
        assert_eq!(ledger.definition(key, 1), Ok(None));
    }

    #[test]
    fn a_stored_webhook_reads_back_as_kv_holds_it() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "order.*"));
        let due = ledger.outbox_due(START, 10).unwrap();
        let Some(OutboxItem::Webhook(published)) = due.last().map(|entry| &entry.content) else {
            panic!("not published")
        };
        let text = serde_json::to_string(published).unwrap();
        assert_eq!(
            serde_json::from_str::<StoredWebhook>(&text).unwrap(),
            ledger.stored_webhook("w").unwrap()
        );
    }

    #[test]
    fn health_is_that_of_the_latest_deliveries_oldest_first() {
        use crate::support::build::attempt_due;
        use postern_core::delivery::Outcome;

        let mut ledger = ledger();
        create(&mut ledger, Definition { retry: false, ..webhook("w", "*") });
        for status in [500, 200, 200] {
            post(&mut ledger, "a");
            attempt_due(&mut ledger, START, Outcome::Answered { status });
        }
        let health = ledger.webhook("w").unwrap().health;
        assert_eq!(health.recent, [State::Dead, State::Delivered, State::Delivered]);
        // Each is posted at START, 40 ms before what was told of the first one's end: creation times do not
        // go back with the clock.
        assert_eq!((health.at_once, health.latest_at), (2, Some(START.plus_ms(40))));
    }
}
