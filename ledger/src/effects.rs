//! Memory follows the database: what a commit has changed is done in memory after it, and what the gates must
//! know is read after a start.

use postern_core::id::Seq;
use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::memory::gate::Effects;
use crate::memory::window::Window;
use crate::project::Ledger;
use crate::sql::{Sql, Value, first};

impl<S: Sql> Ledger<S> {
    /// Does in memory what a commit has changed.
    pub(crate) fn apply(&mut self, effects: Effects, now: Timestamp) {
        for (webhook, delivery) in effects.ended {
            self.gates.end(webhook, delivery);
        }
        for (webhook, delivery, order_key) in effects.leased {
            self.gates.lease(webhook, delivery, now);
            if let Some(key) = order_key {
                self.gates.note_key(webhook, delivery, key);
            }
        }
        for webhook in effects.drained {
            self.gates.hold_none(webhook);
        }
        for webhook in effects.held {
            self.gates.hold(webhook);
        }
        for (webhook, health) in effects.health {
            self.gates.set_health(webhook, health);
        }
        for (webhook, window) in effects.windows {
            self.gates.set_window(webhook, window);
        }
        for (webhook, went_well) in effects.notes {
            if went_well {
                self.roster.note_healthy(webhook);
            } else {
                self.roster.note_ailing(webhook);
            }
        }
        for webhook in &effects.disabled {
            self.roster.put(webhook);
        }
    }

    /// Reads what the gates must know, after a start.
    pub(crate) fn load_gates(&mut self) -> Result<(), LedgerError> {
        for row in self.sql.run("SELECT webhook, health FROM webhook_health", &[])? {
            // What another version wrote in an unknown form is forgotten: its webhook is called as usual.
            if let Ok(health) = serde_json::from_str(row.text(1)?) {
                self.gates.set_health(row.seq(0)?, health);
            }
        }
        for row in self.sql.run("SELECT webhook, begun FROM rate_window", &[])? {
            if let Ok(window) = Window::parse(row.text(1)?) {
                self.gates.set_window(row.seq(0)?, window);
            }
        }
        let leased = self.sql.run(
            "SELECT webhook, seq, claimed, order_key, updated_at_ms FROM delivery
                WHERE next_at_ms IS NOT NULL AND state = 'leased' ORDER BY next_at_ms",
            &[],
        )?;
        for row in leased {
            let (webhook, delivery) = (row.seq(0)?, row.seq(1)?);
            if row.flag(2)? {
                self.gates.know_claimed(webhook, delivery);
            } else {
                self.gates.lease(webhook, delivery, row.timestamp(4)?);
            }
            if let Some(key) = row.text_or_none(3)? {
                self.gates.note_key(webhook, delivery, String::from(key));
            }
        }
        let checked = self.sql.run("SELECT inline_checked FROM meta", &[])?;
        let checked =
            first(checked).ok_or(LedgerError::Corrupt { what: "the project has no row" })?.seq(0)?;
        self.inline_checked.0 = checked;
        let inline = self.sql.run(
            "SELECT webhook, seq, lease_until_ms FROM delivery
             WHERE seq > ?1 AND state = 'leased' AND next_at_ms IS NULL AND parked = 0",
            &[Value::from(checked)],
        )?;
        for row in inline {
            self.gates.lease_inline(row.seq(0)?, row.seq(1)?, row.timestamp(2)?);
        }
        let mut after = Seq::ZERO;
        // One step of the index for each webhook, however many deliveries it has.
        while let Some(row) = first(self.sql.run(
            "SELECT webhook FROM delivery WHERE parked = 1 AND webhook > ?1 ORDER BY webhook LIMIT 1",
            &[Value::from(after)],
        )?) {
            after = row.seq(0)?;
            self.gates.hold(after);
        }
        Ok(())
    }
}
