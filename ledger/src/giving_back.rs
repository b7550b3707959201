//! Giving back what was handed out and not used: a claim whose call has not started, a lease whose ticket
//! was never sent.
//!
//! Neither costs a number: the delivery is due again under the same one, as if it had not been handed out.
//! One whose definition was not found rests first, or it would come back as fast as queues carry. A slot of
//! a rate limit that the claim has taken stays taken, so a limit is never exceeded by it.

use std::collections::BTreeSet;

use postern_core::id::Seq;
use postern_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::LedgerError;
use crate::memory::gate::Effects;
use crate::project::Ledger;
use crate::report::release_next;
use crate::row::delivery::{self, DeliveryRow, Parking, Plan};
use crate::row::text::to_json;
use crate::sql::{Sql, Value, atomically};
use crate::work::{LeaseTicket, Work};

/// How long a delivery rests whose call could not be made: about as long as the KV record of a definition
/// takes to arrive.
const RESTS_MS: i64 = 30_000;

/// Why a claim is given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// There was no time for its call: another invocation has it, so it is due now.
    #[default]
    NoTime,
    /// Its definition was not found: it is due after a rest of 30 s.
    NoDefinition,
}

/// A claim that is given back. The lease's end names it: another claim of the same number has another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenBack {
    /// The delivery.
    pub delivery: Seq,
    /// The attempt that was not made.
    pub attempt: u32,
    /// The lease's end, as the claim told it.
    pub lease_until: Timestamp,
    /// Why.
    #[serde(default)]
    pub why: Why,
}

impl GivenBack {
    /// Gives back a work whose call has not started.
    #[must_use]
    pub const fn of(work: &Work, why: Why) -> Self {
        Self { delivery: work.delivery, attempt: work.attempt, lease_until: work.lease_until, why }
    }
}

impl<S: Sql> Ledger<S> {
    /// Makes attempts due that were claimed and have certainly not started: [`GivenBack::why`] says when.
    /// What has ended, or is claimed by somebody else by now, stays as it is, so it may be asked twice. Gives
    /// the deliveries that changed.
    ///
    /// # Errors
    /// The database fails.
    pub fn unclaim(&mut self, claims: &[GivenBack], now: Timestamp) -> Result<Vec<Seq>, LedgerError> {
        let mut changed = Vec::new();
        for (why, due_at) in [(Why::NoTime, now), (Why::NoDefinition, now.plus_ms(RESTS_MS))] {
            let meant = claims.iter().filter(|claim| claim.why == why);
            let wanted: Vec<_> =
                meant.map(|claim| (claim.delivery.0, claim.attempt, claim.lease_until.0)).collect();
            if !wanted.is_empty() {
                changed.extend(self.unclaim_until(&wanted, due_at, now)?);
            }
        }
        Ok(changed)
    }

    fn unclaim_until(
        &mut self,
        wanted: &[(i64, u32, i64)],
        due_at: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Seq>, LedgerError> {
        let statement = format!(
            "SELECT DISTINCT {} FROM json_each(?1) AS j CROSS JOIN delivery
             WHERE delivery.seq = j.value ->> 0 AND state = 'leased' AND attempt = j.value ->> 1 AND claimed = 1
                AND coalesce(next_at_ms, lease_until_ms) = j.value ->> 2",
            DeliveryRow::COLUMNS
        );
        self.give_back(&statement, to_json(&wanted)?, due_at, now)
    }

    /// Makes leases due at `due_at` whose tickets were certainly not sent, or may be sent again: what
    /// somebody has claimed stays. Gives the deliveries that changed.
    ///
    /// # Errors
    /// The database fails.
    pub fn unlease(
        &mut self,
        tickets: &[LeaseTicket],
        due_at: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Seq>, LedgerError> {
        let wanted: Vec<(i64, u32)> =
            tickets.iter().map(|ticket| (ticket.delivery.0, ticket.attempt)).collect();
        let statement = format!(
            "SELECT DISTINCT {} FROM json_each(?1) AS j CROSS JOIN delivery
             WHERE delivery.seq = j.value ->> 0 AND state = 'leased' AND attempt = j.value ->> 1 AND claimed = 0",
            DeliveryRow::COLUMNS
        );
        self.give_back(&statement, to_json(&wanted)?, due_at, now)
    }

    fn give_back(
        &mut self,
        statement: &str,
        wanted: String,
        due_at: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Seq>, LedgerError> {
        let rows = self.sql.run(statement, &[Value::Text(wanted)])?;
        let rows = rows.iter().map(DeliveryRow::read).collect::<Result<Vec<_>, _>>()?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut effects = Effects::default();
        let plan = Plan::Due { at: due_at };
        let returns: Vec<Parking> =
            rows.iter().map(|row| Parking { delivery: row.seq, plan, made: row.made }).collect();
        for row in &rows {
            effects.end(row.webhook, row.seq);
        }
        atomically(&self.sql, |sql| {
            delivery::give_back(sql, &returns, now)?;
            // An older one of the key may have come to wait for it meanwhile: each would wait for the other.
            rows.iter().try_for_each(|row| release_next(sql, &mut effects, row, now))
        })?;
        let changed: BTreeSet<Seq> = rows.iter().map(|row| row.seq).chain(effects.changed.clone()).collect();
        self.apply(effects, now);
        Ok(changed.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use postern_core::delivery::Outcome;
    use postern_core::webhook::Definition;

    use super::*;
    use crate::ingest::InlineLimit;
    use crate::support::build::{START, attempt, create, event, ledger as empty, webhook};
    use crate::support::native::Native;
    use crate::work::{Report, WorkSet};

    fn ledger() -> Ledger<Rc<Native>> {
        let mut ledger = empty();
        create(&mut ledger, webhook("w1", "*"));
        ledger
    }

    fn posted(ledger: &mut Ledger<Rc<Native>>, inline: u32) -> WorkSet {
        ledger.ingest(vec![event("a")], InlineLimit(inline), START).unwrap().works
    }

    fn leased(ledger: &mut Ledger<Rc<Native>>, now: Timestamp) -> Vec<LeaseTicket> {
        ledger.lease_due(now, 10).unwrap().tickets
    }

    #[test]
    fn a_claim_that_is_given_back_is_due_again_under_its_number() {
        let mut ledger = ledger();
        posted(&mut ledger, 0);
        let tickets = leased(&mut ledger, START);
        let works = ledger.claim(&tickets, START).unwrap().works;
        let given_back = [GivenBack::of(&works[0], Why::NoTime)];
        let later = START.plus_ms(500);
        assert_eq!(ledger.unclaim(&given_back, later).unwrap(), [works[0].delivery]);
        assert_eq!(ledger.next_wake(later).unwrap().map(|(at, _reason)| at), Some(later));
        let again = leased(&mut ledger, later);
        assert_eq!(again, tickets, "the number is not used up");
        let works = ledger.claim(&again, later).unwrap().works;
        assert!(
            ledger.unclaim(&given_back, later).unwrap().is_empty(),
            "another claim is not given back by it"
        );
        let report = Report {
            delivery: works[0].delivery,
            attempt: attempt(1, Outcome::Answered { status: 200 }, later),
        };
        ledger.report(vec![report], later).unwrap();
        assert!(
            ledger.unclaim(&[GivenBack::of(&works[0], Why::NoTime)], later).unwrap().is_empty(),
            "it has ended"
        );
    }

    #[test]
    fn a_claim_whose_definition_was_not_found_rests_before_it_is_due_again_under_its_number() {
        let mut ledger = ledger();
        let works = [posted(&mut ledger, 5).works, posted(&mut ledger, 5).works].concat();
        let claims = [GivenBack::of(&works[0], Why::NoDefinition), GivenBack::of(&works[1], Why::NoTime)];
        assert_eq!(ledger.unclaim(&claims, START).unwrap().len(), 2);
        assert_eq!(leased(&mut ledger, START)[0].delivery, works[1].delivery, "only that one rested");
        let due_at = START.plus_ms(RESTS_MS);
        assert!(leased(&mut ledger, due_at.plus_ms(-1)).is_empty());
        assert!(
            ledger.unclaim(&claims, due_at.plus_ms(-1)).unwrap().is_empty(),
            "asked twice, it rests once"
        );
        let tickets = leased(&mut ledger, due_at);
        assert_eq!((tickets[0].delivery, tickets[0].attempt), (works[0].delivery, 1));
    }

    #[test]
    fn an_inline_claim_can_be_given_back() {
        let mut ledger = ledger();
        let works = posted(&mut ledger, 5).works;
        assert_eq!(ledger.unclaim(&[GivenBack::of(&works[0], Why::NoTime)], START).unwrap().len(), 1);
        let tickets = leased(&mut ledger, START);
        assert_eq!((tickets[0].delivery, tickets[0].attempt), (works[0].delivery, 1));
    }

    #[test]
    fn a_lease_whose_ticket_was_refused_is_due_when_it_is_said() {
        let mut ledger = ledger();
        posted(&mut ledger, 0);
        let tickets = leased(&mut ledger, START);
        let due_at = START.plus_ms(1_000);
        assert_eq!(ledger.unlease(&tickets, due_at, START).unwrap().len(), 1);
        assert!(leased(&mut ledger, START.plus_ms(999)).is_empty());
        let again = leased(&mut ledger, due_at);
        assert_eq!(again, tickets);
        ledger.claim(&again, due_at).unwrap();
        assert!(ledger.unlease(&tickets, due_at, due_at).unwrap().is_empty(), "what is claimed stays");
    }

    #[test]
    fn what_is_given_back_frees_its_place_at_the_gate() {
        let mut ledger = empty();
        create(&mut ledger, Definition { concurrency_limit: Some(1), ..webhook("w1", "*") });
        for _event in 0..2 {
            posted(&mut ledger, 0);
        }
        let first = leased(&mut ledger, START);
        assert_eq!(first.len(), 1);
        let works = ledger.claim(&first, START).unwrap().works;
        assert!(leased(&mut ledger, START).is_empty(), "one at a time");
        ledger.unclaim(&[GivenBack::of(&works[0], Why::NoTime)], START).unwrap();
        assert_eq!(leased(&mut ledger, START).len(), 1);
    }
}
