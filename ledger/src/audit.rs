//! The audit log: who did what to which thing, from where, with the difference.
//!
//! Every operation that changes a definition, a token, the catalogue, the settings, an inbox or a replay
//! writes its entry in the commit of the change, so that none is missing and none tells of what did not
//! happen. Who acts is said once, before the operation ([`Ledger::act_as`]); if it is not said, it is
//! Postern.

use postern_core::api::audit::{Actor, AuditAction, AuditEntry, Subject, SubjectKind};
use postern_core::api::page::Page;
use postern_core::change::Changes;
use postern_core::id::Kind;
use postern_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{LedgerError, damaged};
use crate::memory::acting::Acting;
use crate::pages::SCANNED_MAX;
use crate::project::Ledger;
use crate::row::audit;
use crate::row::text::to_json;
use crate::row::webhook::StoredWebhook;
use crate::sql::{Row, Sql, Value, first};

/// What the column `entry` holds.
#[derive(Serialize, Deserialize)]
struct Kept {
    actor: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    changes: Changes,
}

/// Which entries a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFilter {
    /// Only what was done to things of this kind.
    pub subject: Option<SubjectKind>,
    /// Only what was done to the thing of this name.
    pub name: Option<String>,
}

/// A page of entries: parameters are the key before which it starts, rows looked at, the actions (a JSON
/// array, or null), the name (or null), items plus one.
const LIST: &str = "SELECT seq, at_ms, action, subject, entry
     FROM (SELECT seq, at_ms, action, subject, entry FROM audit WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2)
     WHERE (?3 IS NULL OR action IN (SELECT value FROM json_each(?3))) AND (?4 IS NULL OR subject = ?4)
     ORDER BY seq DESC LIMIT ?5";

/// The last entry that a page looks at, if it looks at as many as it may.
const LOOKED_UP_TO: &str =
    "SELECT seq, 0, at_ms FROM audit WHERE seq < ?1 ORDER BY seq DESC LIMIT 1 OFFSET (?2 - 1)";

impl<S: Sql> Ledger<S> {
    /// Who does what follows.
    pub fn act_as(&mut self, acting: Acting) {
        self.acting = acting;
    }

    /// Writes an entry. Inside the caller's transaction.
    pub(crate) fn audit(
        &self,
        sql: &S,
        action: AuditAction,
        subject: &str,
        changes: Changes,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let Acting { actor, address, request_id } = self.acting.clone();
        self.write_audit(
            sql,
            action,
            subject,
            &Kept { actor, address, request_id, changes: changes.shortened() },
            now,
        )
    }

    /// The same for what Postern does in the course of somebody's request.
    pub(crate) fn audit_as_postern(
        &self,
        sql: &S,
        action: AuditAction,
        subject: &str,
        changes: Changes,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let kept = Kept {
            actor: Actor::postern(),
            address: None,
            request_id: self.acting.request_id.clone(),
            changes,
        };
        self.write_audit(sql, action, subject, &kept, now)
    }

    fn write_audit(
        &self,
        sql: &S,
        action: AuditAction,
        subject: &str,
        kept: &Kept,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        audit::insert(sql, self.next_key(now), action, subject, kept, now)
    }

    /// Notes what changes nothing and is worth knowing all the same: a project that was made, a secret that
    /// was looked at, a configuration that was applied.
    ///
    /// # Errors
    /// The database fails.
    pub fn note(&mut self, action: AuditAction, subject: &str, now: Timestamp) -> Result<(), LedgerError> {
        self.audit(&self.sql, action, subject, Changes::default(), now)
    }

    /// Notes that the actor was shown the secret of `webhook`, unless that was noted within the last hour.
    ///
    /// # Errors
    /// The database fails.
    pub fn note_reading(&mut self, webhook: &StoredWebhook, now: Timestamp) -> Result<(), LedgerError> {
        let Actor { id, name, .. } = self.acting.actor.clone();
        let reading = (id, name, webhook.seq, webhook.version);
        if !self.readings.is_noted(&reading, now) {
            self.note(AuditAction::SecretRead, webhook.definition.name.as_str(), now)?;
            self.readings.remember(reading, now);
        }
        Ok(())
    }

    /// Entries, newest first. One page looks at 20,000 of them at most: one that ends there says so in
    /// `searched_to`.
    ///
    /// # Errors
    /// [`LedgerError::BadCursor`]; the database fails.
    pub fn list_audit(
        &self,
        filter: &AuditFilter,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<AuditEntry>, LedgerError> {
        let before = self.cursor_seq(cursor)?;
        let of_kind =
            |kind: SubjectKind| AuditAction::ALL.into_iter().filter(move |action| action.subject() == kind);
        let actions = filter.subject.map(|kind| of_kind(kind).map(AuditAction::as_str).collect::<Vec<_>>());
        let rows = self.sql.run(
            LIST,
            &[
                Value::from(before),
                Value::from(SCANNED_MAX),
                Value::from(actions.as_ref().map(to_json).transpose()?),
                Value::from(filter.name.as_deref()),
                Value::from(limit.saturating_add(1)),
            ],
        )?;
        let items =
            rows.iter().take(limit as usize).map(|row| self.audit_entry(row)).collect::<Result<_, _>>()?;
        let looked_up_to =
            || Ok(first(self.sql.run(LOOKED_UP_TO, &[Value::from(before), Value::from(SCANNED_MAX)])?));
        self.page_of(items, &rows, limit, looked_up_to)
    }

    fn audit_entry(&self, row: &Row) -> Result<AuditEntry, LedgerError> {
        let action = AuditAction::parse(row.text(2)?)
            .ok_or(LedgerError::Corrupt { what: "an entry of the audit log has no action" })?;
        let Kept { actor, address, request_id, changes } =
            serde_json::from_str(row.text(4)?).map_err(damaged("an entry of the audit log can't be read"))?;
        Ok(AuditEntry {
            id: self.ids.id(Kind::Audit, row.seq(0)?),
            at: row.timestamp(1)?,
            actor,
            address,
            request_id,
            action,
            subject: Subject { kind: action.subject(), name: String::from(row.text(3)?) },
            changes,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use postern_core::api::audit::ActorKind;
    use postern_core::delivery::{Outcome, State};
    use postern_core::event::EventTypeDraft;
    use postern_core::project::SettingsPatch;
    use postern_core::replay::ReplayQuery;
    use postern_core::token::{Role, TokenDraft};
    use postern_core::webhook::{Definition, Header};
    use serde_json::json;

    use super::*;
    use crate::InboxChange;
    use crate::memory::acting::READING_NOTED_FOR_MS;
    use crate::support::build::{START, attempt_due, create, ledger, post, webhook};
    use crate::support::native::Native;

    fn log(ledger: &Ledger<Rc<Native>>) -> Vec<AuditEntry> {
        let mut entries = ledger.list_audit(&AuditFilter::default(), 200, None).unwrap().items;
        entries.reverse();
        entries
    }

    fn told(ledger: &Ledger<Rc<Native>>) -> Vec<(&'static str, String)> {
        log(ledger).into_iter().map(|entry| (entry.action.as_str(), entry.subject.name)).collect()
    }

    fn somebody() -> Acting {
        let actor =
            Actor { kind: ActorKind::Token, id: Some(String::from("tok_1")), name: String::from("ci") };
        Acting { actor, address: Some(String::from("203.0.113.9")), request_id: Some(String::from("00ff")) }
    }

    #[test]
    fn each_change_has_its_entry_with_who_and_the_difference() {
        let mut ledger = ledger();
        ledger.act_as(somebody());
        create(&mut ledger, webhook("w", "*"));
        let header = Header { key: String::from("X"), value: String::from("s1.sealed"), protected: true };
        let changed = Definition { timeout_s: 20, headers: vec![header], ..webhook("w", "*") };
        ledger.update_webhook("w", changed.clone(), None, START).unwrap();
        ledger.update_webhook("w", changed, None, START).unwrap();
        ledger.pause_webhook("w", None, START).unwrap();
        ledger.resume_webhook("w", None, START).unwrap();
        let entries = log(&ledger);
        let actions: Vec<&str> = entries.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(
            actions,
            ["webhook.created", "webhook.updated", "webhook.paused", "webhook.resumed"],
            "nothing for what changes nothing"
        );
        let updated = &entries[1];
        assert_eq!(
            (&updated.actor, updated.address.as_deref(), updated.at),
            (&somebody().actor, Some("203.0.113.9"), START)
        );
        assert_eq!(updated.subject, Subject { kind: SubjectKind::Webhook, name: String::from("w") });
        assert_eq!(updated.changes.0.keys().collect::<Vec<_>>(), ["headers", "timeout_s"]);
        assert_eq!(updated.changes.0["timeout_s"].to, json!(20));
        let text = serde_json::to_string(&entries).unwrap();
        assert!(!text.contains("s1."), "no sealed text either: {text}");
    }

    #[test]
    fn a_secret_that_is_read_all_day_is_noted_once_an_hour_for_each_reader_and_each_version() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        let stored = ledger.stored_webhook("w").unwrap();
        let readings = |ledger: &Ledger<_>| {
            told(ledger).iter().filter(|(action, _)| *action == "webhook.secret_read").count()
        };
        ledger.act_as(somebody());
        ledger.note_reading(&stored, START).unwrap();
        ledger.note_reading(&stored, START.plus_ms(READING_NOTED_FOR_MS - 1)).unwrap();
        assert_eq!(readings(&ledger), 1, "once");
        ledger.act_as(Acting { actor: Actor::admin(), ..somebody() });
        ledger.note_reading(&stored, START).unwrap();
        assert_eq!(readings(&ledger), 2, "another reader");
        ledger.act_as(Acting { actor: Actor::named_admin("ada"), ..somebody() });
        ledger.note_reading(&stored, START).unwrap();
        assert_eq!(readings(&ledger), 3, "another administrator");
        ledger.act_as(somebody());
        ledger.note_reading(&StoredWebhook { version: 2, ..stored.clone() }, START).unwrap();
        assert_eq!(readings(&ledger), 4, "another version, perhaps another secret");
        ledger.note_reading(&stored, START.plus_ms(READING_NOTED_FOR_MS)).unwrap();
        assert_eq!(readings(&ledger), 5, "an hour later");
        let mut reopened = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
        reopened.act_as(somebody());
        reopened.note_reading(&stored, START.plus_ms(READING_NOTED_FOR_MS)).unwrap();
        assert_eq!(readings(&reopened), 6, "what was not remembered is noted");
    }

    #[test]
    fn every_kind_of_thing_is_in_the_log() {
        let mut ledger = ledger();
        let draft = TokenDraft { name: String::from("ci"), role: Role::Publish, expires_at: None };
        let token = ledger.create_token("hash", draft, START).unwrap();
        ledger.delete_token(&token.id, START).unwrap();
        ledger.create_event_type(EventTypeDraft::new(String::from("a")), START).unwrap();
        let archived = EventTypeDraft { archived: true, ..EventTypeDraft::new(String::from("a")) };
        ledger.update_event_type("a", archived, None, START).unwrap();
        ledger.delete_event_type("a", None, START).unwrap();
        ledger
            .update_settings(SettingsPatch { retention_days: Some(7), ..SettingsPatch::default() }, START)
            .unwrap();
        let inbox = ledger.create_inbox("i", "key", "", START).unwrap();
        ledger
            .update_inbox(&inbox.id, InboxChange { name: Some(String::from("j")), answer: None }, "", START)
            .unwrap();
        ledger.delete_inbox(&inbox.id, START).unwrap();
        let query = ReplayQuery {
            webhook: None,
            since: None,
            until: None,
            states: vec![State::Dead],
            types: Vec::new(),
            missing: false,
        };
        let replay = ledger.create_replay(query, START).unwrap();
        ledger.cancel_replay(&replay.id, START).unwrap();
        ledger.note(AuditAction::SecretRead, "w", START).unwrap();
        let replays = [("replay.created", replay.id.clone()), ("replay.cancelled", replay.id)];
        let expected = [
            ("token.created", "ci"),
            ("token.deleted", "ci"),
            ("event_type.created", "a"),
            ("event_type.updated", "a"),
            ("event_type.deleted", "a"),
            ("settings.updated", "p1"),
            ("inbox.created", "i"),
            ("inbox.updated", "j"),
            ("inbox.deleted", "j"),
        ];
        let expected: Vec<(&str, String)> =
            expected.into_iter().map(|(action, name)| (action, String::from(name))).chain(replays).collect();
        let mut found = told(&ledger);
        assert_eq!(found.pop(), Some(("webhook.secret_read", String::from("w"))));
        assert_eq!(found, expected);
    }

    #[test]
    fn postern_s_own_actions_are_attributed_to_postern() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        post(&mut ledger, "a");
        ledger.act_as(somebody());
        attempt_due(&mut ledger, START, Outcome::Answered { status: 410 });
        let entry = log(&ledger).pop().unwrap();
        assert_eq!(
            (entry.action, entry.actor, entry.address),
            (AuditAction::WebhookDisabled, Actor::postern(), None)
        );
        assert_eq!(entry.changes.0["enabled"].to, json!(false));
        assert!(entry.changes.0["disabled_reason"].to.is_string());
    }

    #[test]
    fn a_change_that_fails_leaves_no_entry() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        ledger.sql.run("DROP TABLE outbox", &[]).unwrap();
        assert!(
            ledger
                .update_webhook("w", Definition { timeout_s: 20, ..webhook("w", "*") }, None, START)
                .is_err()
        );
        assert!(ledger.delete_webhook("w", None, START).is_err());
        assert_eq!(told(&ledger), [("webhook.created", String::from("w"))]);
    }

    #[test]
    fn the_log_is_paged_and_filtered_by_what_it_is_about() {
        let mut ledger = ledger();
        for name in ["a", "b", "c"] {
            create(&mut ledger, webhook(name, "*"));
        }
        ledger.create_event_type(EventTypeDraft::new(String::from("a")), START).unwrap();
        let page = ledger.list_audit(&AuditFilter::default(), 3, None).unwrap();
        let rest = ledger.list_audit(&AuditFilter::default(), 3, page.next.as_deref()).unwrap();
        assert_eq!((page.items.len(), rest.items.len(), rest.next), (3, 1, None));
        let about = |subject, name: Option<&str>| {
            let filter = AuditFilter { subject, name: name.map(String::from) };
            ledger.list_audit(&filter, 50, None).unwrap().items.len()
        };
        assert_eq!(about(Some(SubjectKind::Webhook), None), 3);
        assert_eq!(about(Some(SubjectKind::Webhook), Some("a")), 1);
        assert_eq!(about(None, Some("a")), 2);
        assert_eq!(about(Some(SubjectKind::Token), None), 0);
    }
}
