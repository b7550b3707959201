//! A project's configuration as a whole: read at one instant, and replaced in one commit.

use postern_core::api::audit::AuditAction;
use postern_core::api::event::EventTypeView;
use postern_core::api::project::ProjectSettings;
use postern_core::change::Changes;
use postern_core::config::{PROJECT_BYTES_MAX, PROJECT_VALUES_MAX};
use postern_core::event::EventTypeDraft;
use postern_core::id::Seq;
use postern_core::time::Timestamp;
use postern_core::webhook::Definition;

use crate::error::LedgerError;
use crate::event_types::EVENT_TYPES_MAX;
use crate::project::Ledger;
use crate::row::event_type::{TYPE_OVERHEAD_BYTES, TYPE_OVERHEAD_VALUES, TypeChange, view};
use crate::row::text::Extent;
use crate::row::webhook::{StoredWebhook, WebhookChange};
use crate::sql::{Sql, atomically, first};

/// One thing that a configuration writes. Definitions are sealed.
#[derive(Clone, Debug)]
pub enum ConfigStep {
    /// These are the settings.
    Settings(ProjectSettings),
    /// This is what the catalogue says of a type.
    PutEventType(EventTypeDraft),
    /// The catalogue no longer has this type.
    DeleteEventType(String),
    /// A new webhook under a key from [`Ledger::reserve`].
    CreateWebhook(Seq, Box<Definition>),
    /// The webhook of this name has this definition.
    UpdateWebhook(Box<Definition>),
    /// There is no webhook of this name.
    DeleteWebhook(String),
}

/// A step that is allowed, and not written yet.
enum Planned {
    Settings(ProjectSettings),
    Type(Box<TypeChange>),
    Webhook(Box<WebhookChange>),
}

/// Bytes of the configuration as it is stored. Looks at every definition, so it is asked where one is written
/// and not otherwise.
fn configuration_bytes<S: Sql>(sql: &S) -> Result<usize, LedgerError> {
    let rows = sql.run(
        &format!(
            "SELECT (SELECT coalesce(sum(length(CAST(definition AS BLOB))), 0) FROM webhook)
                + (SELECT coalesce(sum({TYPE_OVERHEAD_BYTES} + length(name) + length(CAST(description AS BLOB))
                    + coalesce(length(CAST(example AS BLOB)), 0) + coalesce(length(CAST(schema AS BLOB)), 0)), 0) FROM event_type)"
        ),
        &[],
    )?;
    let bytes = first(rows).map(|row| row.integer_or_none(0)).transpose()?.flatten().unwrap_or(0);
    Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
}

/// Values of the configuration as it is stored. Reads every definition.
fn configuration_values<S: Sql>(sql: &S) -> Result<i64, LedgerError> {
    let rows = sql
        .run("SELECT definition, NULL FROM webhook UNION ALL SELECT example, schema FROM event_type", &[])?;
    let mut values = 0;
    for row in &rows {
        values += TYPE_OVERHEAD_VALUES;
        for column in 0..2 {
            values += row.text_or_none(column)?.map_or(0, |json| Extent::of(json).values);
        }
    }
    Ok(values)
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn of_type(change: TypeChange) -> Planned {
    Planned::Type(Box::new(change))
}

fn of_webhook(change: WebhookChange) -> Planned {
    Planned::Webhook(Box::new(change))
}

impl<S: Sql> Ledger<S> {
    /// Does `write` in one transaction, unless the configuration, which it makes longer by `growth`, would be
    /// longer than what its own export may bring back ([`PROJECT_BYTES_MAX`], [`PROJECT_VALUES_MAX`]), or
    /// longer than the store has room for.
    ///
    /// The extent is remembered, so that not every write looks at every definition; where it seems to be too
    /// much it is counted anew. No JSON has more values than two in three bytes (`[],`), so that most
    /// projects' are never counted.
    ///
    /// # Errors
    /// [`LedgerError::StateConflict`] and [`LedgerError::Quota`] where it would; what `write` says.
    pub(crate) fn within_bounds<T>(
        &self,
        growth: Extent,
        now: Timestamp,
        write: impl FnOnce(&S) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let (bytes_max, values_max) = (signed(PROJECT_BYTES_MAX), signed(PROJECT_VALUES_MAX));
        let mut known =
            self.configuration.get().unwrap_or(Extent { bytes: i64::MAX / 2, values: i64::MAX / 2 });
        let is_large = |known: Extent| growth.bytes > 0 && (known + growth).bytes > bytes_max;
        let is_many = |known: Extent| growth.values > 0 && (known + growth).values > values_max;
        if self.configuration.get().is_none() || is_large(known) {
            known.bytes = signed(configuration_bytes(&self.sql)?);
            known.values = known.values.min(known.bytes / 3 * 2 + 2);
        }
        if is_many(known) {
            known.values = configuration_values(&self.sql)?;
        }
        self.configuration.set(Some(known));
        if is_large(known) {
            return Err(LedgerError::StateConflict {
                why: "the definitions and event types of a project hold at most 6 MiB",
            });
        }
        if is_many(known) {
            return Err(LedgerError::StateConflict {
                why: "the definitions and event types of a project hold at most 999,000 values of JSON",
            });
        }
        if growth.bytes > 0 {
            self.admit_bytes(growth.bytes.unsigned_abs(), now)?;
        }
        let written = atomically(&self.sql, write)?;
        self.configuration.set(Some(known + growth));
        Ok(written)
    }

    /// Every webhook with its sealed secrets, by name.
    ///
    /// # Errors
    /// The database fails.
    pub fn stored_webhooks(&self) -> Result<Vec<StoredWebhook>, LedgerError> {
        let mut webhooks: Vec<StoredWebhook> = self
            .roster
            .iter()
            .filter_map(|(seq, _member)| self.stored_webhook_at(seq).transpose())
            .collect::<Result<_, _>>()?;
        webhooks.sort_by(|one, other| one.definition.name.as_str().cmp(other.definition.name.as_str()));
        Ok(webhooks)
    }

    /// Writes all steps in one commit, or none; each has its entry in the audit log. Gives the deliveries
    /// that deleted webhooks cancelled, up to 101 of each.
    ///
    /// # Errors
    /// What the operation of a step would say; the database fails.
    pub fn apply_config(&mut self, steps: Vec<ConfigStep>, now: Timestamp) -> Result<Vec<Seq>, LedgerError> {
        let planned = self.plan_config(steps, now)?;
        let mut growth = Extent::default();
        for step in &planned {
            growth += match step {
                Planned::Settings(_) => Extent::default(),
                Planned::Type(change) => change.growth()?,
                Planned::Webhook(change) => change.growth()?,
            };
        }
        let cancelled = self.within_bounds(growth, now, |sql| {
            let mut cancelled = Vec::new();
            self.audit(sql, AuditAction::ConfigApplied, self.project().as_str(), Changes::default(), now)?;
            for step in &planned {
                match step {
                    Planned::Settings(settings) => self.write_settings(sql, settings, now)?,
                    Planned::Type(change) => self.write_type(sql, change, now)?,
                    Planned::Webhook(change) => cancelled.extend(self.write_change(sql, change, now)?),
                }
            }
            Ok(cancelled)
        })?;
        for step in planned {
            match step {
                Planned::Settings(settings) => self.settle_settings(settings),
                Planned::Type(change) => self.settle_type(&change),
                Planned::Webhook(change) => self.settle_change(*change),
            }
        }
        Ok(cancelled)
    }

    fn plan_config(&self, steps: Vec<ConfigStep>, now: Timestamp) -> Result<Vec<Planned>, LedgerError> {
        let catalogue = self.catalogue()?;
        let known = |name: &str| catalogue.iter().find(|kind| kind.name == name);
        let mut types = catalogue.len();
        let mut planned = Vec::with_capacity(steps.len());
        for step in steps {
            match step {
                ConfigStep::Settings(settings) => planned.push(Planned::Settings(settings)),
                ConfigStep::PutEventType(draft) => {
                    let before: Option<EventTypeView> = known(&draft.name).cloned();
                    let (version, created_at) =
                        before.as_ref().map_or((1, now), |before| (before.version + 1, before.created_at));
                    types += usize::from(before.is_none());
                    planned
                        .push(of_type(TypeChange { before, after: Some(view(draft, version, created_at)) }));
                }
                ConfigStep::DeleteEventType(name) => {
                    let before = known(&name).ok_or(LedgerError::NotFound { what: "event type" })?.clone();
                    types = types.saturating_sub(1);
                    planned.push(of_type(TypeChange { before: Some(before), after: None }));
                }
                ConfigStep::CreateWebhook(seq, definition) => {
                    planned.push(of_webhook(self.plan_create(seq, *definition, now)?));
                }
                ConfigStep::UpdateWebhook(definition) => {
                    let name = String::from(definition.name.as_str());
                    planned.extend(self.plan_update(&name, *definition, None, now)?.map(of_webhook));
                }
                ConfigStep::DeleteWebhook(name) => planned.push(of_webhook(self.plan_delete(&name, None)?)),
            }
        }
        if types > EVENT_TYPES_MAX {
            return Err(LedgerError::StateConflict { why: "a project has at most 1,000 event types" });
        }
        let webhooks = planned
            .iter()
            .filter_map(|step| if let Planned::Webhook(change) = step { Some(&**change) } else { None });
        self.admit_webhooks(webhooks, now)?;
        Ok(planned)
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::AuditFilter;
    use crate::support::build::{START, create, ledger, post, webhook};
    use crate::support::native::Native;

    fn steps(ledger: &mut Ledger<Rc<Native>>) -> Vec<ConfigStep> {
        vec![
            ConfigStep::Settings(ProjectSettings { retention_days: 7, ..ProjectSettings::default() }),
            ConfigStep::PutEventType(EventTypeDraft::new(String::from("a"))),
            ConfigStep::CreateWebhook(ledger.reserve(START), Box::new(webhook("new", "*"))),
            ConfigStep::UpdateWebhook(Box::new(Definition { timeout_s: 20, ..webhook("kept", "*") })),
            ConfigStep::DeleteWebhook(String::from("gone")),
        ]
    }

    fn names(ledger: &Ledger<Rc<Native>>) -> Vec<String> {
        ledger
            .stored_webhooks()
            .unwrap()
            .into_iter()
            .map(|webhook| String::from(webhook.definition.name.as_str()))
            .collect()
    }

    #[test]
    fn a_configuration_is_written_whole() {
        let mut made = ledger();
        create(&mut made, webhook("kept", "*"));
        create(&mut made, webhook("gone", "*"));
        post(&mut made, "a");
        let steps = steps(&mut made);
        assert_eq!(
            made.apply_config(steps, START).unwrap().len(),
            1,
            "the delivery of the webhook that is gone"
        );
        let reopened = Ledger::open(Rc::clone(&made.sql)).unwrap().unwrap();
        for ledger in [&made, &reopened] {
            assert_eq!(names(ledger), ["kept", "new"]);
            assert_eq!((ledger.settings().retention_days, ledger.webhook("kept").unwrap().version), (7, 2));
            assert!(ledger.event_type("a").is_ok());
        }
        let log = made.list_audit(&AuditFilter::default(), 6, None).unwrap().items;
        let mut actions: Vec<&str> = log.iter().map(|entry| entry.action.as_str()).collect();
        actions.reverse();
        assert_eq!(
            actions,
            [
                "config.applied",
                "settings.updated",
                "event_type.created",
                "webhook.created",
                "webhook.updated",
                "webhook.deleted"
            ]
        );
        assert_eq!(post(&mut made, "b").len(), 2, "the new webhook is matched at once");
    }

    #[test]
    fn a_configuration_does_not_outgrow_its_own_export() {
        let mut made = ledger();
        let large = |name: &str| EventTypeDraft {
            example: Some(serde_json::json!("x".repeat(PROJECT_BYTES_MAX / 4))),
            ..EventTypeDraft::new(String::from(name))
        };
        for name in ["a", "b", "c"] {
            made.create_event_type(large(name), START).unwrap();
        }
        let full = LedgerError::StateConflict {
            why: "the definitions and event types of a project hold at most 6 MiB",
        };
        assert_eq!(made.create_event_type(large("d"), START), Err(full.clone()));
        let twice = vec![ConfigStep::PutEventType(large("d")), ConfigStep::PutEventType(large("e"))];
        assert_eq!(made.apply_config(twice, START), Err(full.clone()));
        assert_eq!(made.catalogue().unwrap().len(), 3);
        let header = postern_core::webhook::Header {
            key: String::from("X"),
            value: "v".repeat(PROJECT_BYTES_MAX / 2),
            protected: false,
        };
        let wide = Definition { headers: vec![header], ..webhook("w", "*") };
        let seq = made.reserve(START);
        assert_eq!(made.create_webhook(seq, wide.clone(), START).map(|_view| ()), Err(full.clone()));
        create(&mut made, webhook("w", "*"));
        assert_eq!(made.update_webhook("w", wide, None, START).map(|_view| ()), Err(full));
        assert_eq!(made.webhook("w").map(|view| view.version), Ok(1));
        for name in ["a", "b", "c"] {
            made.update_event_type(name, EventTypeDraft::new(String::from(name)), None, START).unwrap();
        }
        assert!(configuration_bytes(&made.sql).unwrap() < 2_000);
    }

    #[test]
    fn a_configuration_holds_no_more_values_than_its_export_may_bring_back() {
        let mut made = ledger();
        let with = |name: &str, example: serde_json::Value| EventTypeDraft {
            example: Some(example),
            ..EventTypeDraft::new(String::from(name))
        };
        let of_many = |name: &str| with(name, serde_json::json!(vec![0; 400_000]));
        made.create_event_type(with("text", serde_json::json!(",".repeat(1_200_000))), START).unwrap();
        for name in ["a", "b"] {
            made.create_event_type(of_many(name), START).unwrap();
        }
        let full = LedgerError::StateConflict {
            why: "the definitions and event types of a project hold at most 999,000 values of JSON",
        };
        assert_eq!(made.create_event_type(of_many("c"), START), Err(full.clone()));
        // No longer than the text that it replaces.
        assert_eq!(made.update_event_type("text", of_many("text"), None, START).map(|_view| ()), Err(full));
        made.update_event_type("a", EventTypeDraft::new(String::from("a")), None, START).unwrap();
        made.create_event_type(of_many("c"), START).unwrap();
        let state = postern_core::config::State {
            event_types: made.catalogue().unwrap(),
            ..postern_core::config::State::default()
        };
        let document = postern_core::config::document(&state);
        let body = serde_json::json!({ "document": document }).to_string();
        assert!(postern_core::config::Request::parse(&body).is_ok());
    }

    #[test]
    fn a_configuration_that_fails_in_the_middle_changes_nothing() {
        let mut made = ledger();
        create(&mut made, webhook("kept", "*"));
        create(&mut made, webhook("gone", "*"));
        let steps = steps(&mut made);
        made.sql.run("DROP TABLE webhook_health", &[]).unwrap();
        assert!(made.apply_config(steps, START).is_err(), "the deletion fails, which comes last");
        assert_eq!(
            (names(&made), made.settings().retention_days),
            (vec![String::from("gone"), String::from("kept")], 30)
        );
        assert_eq!(made.webhook("kept").map(|webhook| webhook.version), Ok(1));
        let unknown = vec![ConfigStep::DeleteWebhook(String::from("nobody"))];
        assert_eq!(made.apply_config(unknown, START), Err(LedgerError::NotFound { what: "webhook" }));
    }
}
