//! What the watchdog asks, once a minute.

use postern_core::id::Seq;
use serde::{Deserialize, Serialize};

use super::erased::questions;
use super::question::{Arms, Done, Need, Question};
use super::refusal::Refusal;
use super::turn::Turn;
use crate::seal::{self, Owner};

questions!(Tick);

/// Webhooks that are sealed again in one minute.
const RESEALED_AT_ONCE: usize = 500;

/// The watchdog looks whether the alarm is set. It writes nothing that needs it, but arms it if it was lost.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Tick;

impl Question for Tick {
    const NAME: &'static str = "tick";
    const NEED: Need<Self> = Need::Postern(Done::default);
    const ARMS: Arms = Arms::Alarm;
    type Reply = Done;

    fn answer(self, turn: &mut Turn<'_>) -> Result<Done, Refusal> {
        let changed = turn.ledger.watch_fullness(turn.now)?;
        turn.changes.deliveries.extend(changed);
        turn.reseal()?;
        Ok(Done)
    }
}

impl Turn<'_> {
    /// Moves secrets to the current sealing key, some of them each minute.
    fn reseal(&mut self) -> Result<(), Refusal> {
        let current = self.settings.keyring.current();
        if self.ledger.sealed_under() == Some(current) {
            return Ok(());
        }
        let (mut after, mut replaced, mut failed) = (Seq::ZERO, 0, 0);
        loop {
            let page = self.ledger.webhooks_after(after, RESEALED_AT_ONCE)?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            for webhook in &page {
                let owner = Owner { project: self.project, id: &webhook.id };
                match seal::reseal(&self.settings.keyring, owner, &webhook.definition, self.now) {
                    Ok(Some(sealed)) => {
                        replaced += usize::from(self.ledger.replace_sealed_text(webhook, &sealed, self.now)?);
                    }
                    Ok(None) => {}
                    // Its key was taken out too early. The others must not wait for it.
                    Err(_) => failed += 1,
                }
            }
            if replaced >= RESEALED_AT_ONCE {
                return Ok(());
            }
        }
        let Some(failed_runs) = self.reseal_runs()? else { return Ok(()) };
        failed += failed_runs;
        if failed == 0 {
            self.ledger.note_sealed_under(current)?;
        }
        Ok(())
    }
}
