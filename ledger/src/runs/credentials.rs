//! The sealed credentials of runs.

use postern_core::id::{Kind, Seq};
use postern_core::run::Webhooks;

use crate::error::LedgerError;
use crate::project::Ledger;
use crate::row::run::{self as row, json_of};
use crate::sql::{Row, Sql, Value};

impl<S: Sql> Ledger<S> {
    /// Runs that keep sealed credentials, in the order of their keys, after `after`: each with its id and its
    /// callbacks.
    ///
    /// # Errors
    /// The database fails.
    pub fn runs_with_credentials_after(
        &self,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<(Seq, String, Webhooks)>, LedgerError> {
        let rows = self.sql.run(
            "SELECT seq, webhooks FROM run WHERE seq > ?1 AND instr(webhooks, '\"authorization\":\"') > 0 ORDER BY seq LIMIT ?2",
            &[Value::from(after), Value::from(limit)],
        )?;
        let read = |row: &Row| {
            Ok((
                row.seq(0)?,
                self.ids.id(Kind::Run, row.seq(0)?),
                json_of(row.text(1)?, "a run's webhooks can't be read")?,
            ))
        };
        rows.iter().map(read).collect()
    }

    /// Replaces the sealed credentials of a run by another sealed text of the same ones.
    ///
    /// # Errors
    /// The database fails.
    pub fn replace_run_credentials(&mut self, run: Seq, webhooks: &Webhooks) -> Result<(), LedgerError> {
        row::set_webhooks(&self.sql, run, webhooks)
    }
}
