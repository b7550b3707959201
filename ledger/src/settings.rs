//! Settings: what holds for all of a project, such as the schedule of webhooks without their own.

use postern_core::api::audit::AuditAction;
use postern_core::api::project::{ProjectDetail, ProjectSettings};
use postern_core::change::Changes;
use postern_core::project::SettingsPatch;
use postern_core::time::Timestamp;

use crate::error::{LedgerError, damaged};
use crate::project::Ledger;
use crate::row::meta;
use crate::sql::{Sql, atomically, first};

impl<S: Sql> Ledger<S> {
    pub(crate) fn load_settings(&mut self) -> Result<(), LedgerError> {
        let rows = self.sql.run("SELECT settings, sealed_under FROM meta", &[])?;
        let row = first(rows).ok_or(LedgerError::Corrupt { what: "the project has no row" })?;
        self.settings = serde_json::from_str(row.text(0)?).map_err(damaged("the settings can't be read"))?;
        self.sealed_under = row.text_or_none(1)?.map(String::from);
        Ok(())
    }

    /// What holds where a webhook says nothing.
    #[must_use]
    pub const fn settings(&self) -> &ProjectSettings {
        &self.settings
    }

    /// The locations that actinia's clients are told of: those of the settings, or one that is called as the
    /// project.
    #[must_use]
    pub fn actinia_locations(&self) -> Vec<String> {
        match self.settings.actinia_locations.as_slice() {
            [] => vec![String::from(self.project().as_str())],
            named => named.to_vec(),
        }
    }

    /// Changes the settings. A new schedule holds for the next decision about each delivery, a new time to
    /// keep for the next pass of retention.
    ///
    /// # Errors
    /// The database fails.
    pub fn update_settings(
        &mut self,
        patch: SettingsPatch,
        now: Timestamp,
    ) -> Result<ProjectDetail, LedgerError> {
        let updated = patch.apply(self.settings.clone());
        if updated != self.settings {
            atomically(&self.sql, |sql| self.write_settings(sql, &updated, now))?;
            self.settle_settings(updated);
        }
        self.detail()
    }

    /// Inside the caller's transaction; [`Ledger::settle_settings`] follows its commit.
    pub(crate) fn write_settings(
        &self,
        sql: &S,
        updated: &ProjectSettings,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        meta::set_settings(sql, updated)?;
        self.audit(
            sql,
            AuditAction::SettingsUpdated,
            self.project().as_str(),
            Changes::of_settings(&self.settings, updated),
            now,
        )
    }

    pub(crate) fn settle_settings(&mut self, updated: ProjectSettings) {
        self.settings = updated;
        self.upkeep.reconsider();
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use postern_core::delivery::{Outcome, State};
    use postern_core::project::ScheduleChange;
    use postern_core::webhook::Definition;

    use super::*;
    use crate::support::build::{START, attempt_due, create, ledger, post, webhook};

    fn schedule(waits: &[u32]) -> SettingsPatch {
        SettingsPatch { schedule: Some(ScheduleChange::Waits(waits.to_vec())), ..SettingsPatch::default() }
    }

    #[test]
    fn settings_are_defaults_until_somebody_changes_them_and_survive() {
        let mut ledger = ledger();
        assert_eq!(ledger.detail().unwrap().settings, ProjectSettings::default());
        let patch = SettingsPatch { retention_days: Some(7), ..schedule(&[1, 2]) };
        let wanted = ProjectSettings {
            retry_schedule_s: Some(vec![1, 2]),
            retention_days: 7,
            ..ProjectSettings::default()
        };
        assert_eq!(ledger.update_settings(patch, START).unwrap().settings, wanted);
        let opened = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
        assert_eq!(opened.settings(), &wanted);
    }

    #[test]
    fn the_project_s_schedule_holds_where_the_webhook_has_none() {
        let mut ledger = ledger();
        ledger.update_settings(schedule(&[]), START).unwrap();
        create(&mut ledger, webhook("w", "a"));
        let own = Definition { retry_schedule_s: Some(vec![60]), ..webhook("own", "b") };
        create(&mut ledger, own);
        let check = |ledger: &mut Ledger<_>, kind, state| {
            let delivery = post(ledger, kind)[0];
            attempt_due(ledger, START, Outcome::Answered { status: 500 });
            assert_eq!(ledger.delivery_views(&[delivery]).unwrap()[0].state, state, "{kind}");
        };
        check(&mut ledger, "a", State::Dead);
        check(&mut ledger, "b", State::Waiting);
    }
}
