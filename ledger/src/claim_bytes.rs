//! One claim carries so many bytes: what is over that waits for the next one.
//!
//! An event may have 256 KiB, and a claim takes dozens of works, whose data the object and the Worker hold
//! several times (rows, works, JSON, JavaScript's text) in 128 MB each. A ticket that does not fit is given
//! back, as if its queue had refused it: its delivery is due again at once, under the same number.

use std::collections::BTreeSet;

use postern_core::fault::BODY_BYTES_MAX;
use postern_core::id::Seq;
use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::project::Ledger;
use crate::row::text::to_json;
use crate::sql::{Sql, Value};
use crate::work::LeaseTicket;

/// Bytes of events' data in one claim.
const CLAIM_BYTES_MAX: usize = 4 << 20;
/// So many tickets fit whatever their events hold: it costs them no query.
const CERTAIN: usize = CLAIM_BYTES_MAX / BODY_BYTES_MAX;

impl<S: Sql> Ledger<S> {
    /// Those of `tickets` that one claim takes, in their order. The others are due again.
    pub(crate) fn fitting(
        &mut self,
        tickets: &[LeaseTicket],
        now: Timestamp,
    ) -> Result<Vec<LeaseTicket>, LedgerError> {
        if tickets.len() <= CERTAIN {
            return Ok(tickets.to_vec());
        }
        let wanted: Vec<i64> = tickets.iter().map(|ticket| ticket.delivery.0).collect();
        let rows = self.sql.run(
            "SELECT d.seq, e.seq, length(CAST(e.data AS BLOB)) FROM json_each(?1) AS j
                CROSS JOIN delivery AS d ON d.seq = j.value CROSS JOIN event AS e ON e.seq = d.event",
            &[Value::Text(to_json(&wanted)?)],
        )?;
        let (mut bytes, mut events, mut over) = (0, BTreeSet::new(), BTreeSet::<Seq>::new());
        for row in &rows {
            // An event is carried once, however many webhooks want it.
            if events.contains(&row.seq(1)?) {
                continue;
            }
            let own = row.number(2)? as usize;
            if bytes > 0 && bytes + own > CLAIM_BYTES_MAX {
                over.insert(row.seq(0)?);
                continue;
            }
            bytes += own;
            events.insert(row.seq(1)?);
        }
        let (over, fitting): (Vec<LeaseTicket>, Vec<LeaseTicket>) =
            tickets.iter().partition(|ticket| over.contains(&ticket.delivery));
        if !over.is_empty() {
            self.unlease(&over, now, now)?;
        }
        Ok(fitting)
    }
}

#[cfg(test)]
mod tests {
    use postern_core::event::NewEvent;

    use super::*;
    use crate::InlineLimit;
    use crate::support::build::{START, create, json, lease, ledger, webhook};

    #[test]
    fn a_claim_is_bounded_in_bytes_and_what_is_over_is_due_again_at_once() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("one", "a"));
        create(&mut ledger, webhook("two", "a"));
        let text = format!("\"{}\"", "x".repeat(256 * 1_024 - 2));
        for _ in 0..20 {
            let event = NewEvent::new(String::from("a"), json(&text));
            ledger.ingest(vec![event], InlineLimit(0), START).unwrap();
        }
        let (mut claimed, mut claims) = (0, 0);
        loop {
            let tickets = lease(&mut ledger, START);
            if tickets.is_empty() {
                break;
            }
            let set = ledger.claim(&tickets, START).unwrap();
            let bytes: usize = set.events.iter().map(|event| event.data.get().len()).sum();
            assert!(bytes <= CLAIM_BYTES_MAX, "{bytes}");
            assert!(claims > 0 || (set.events.len(), set.works.len()) == (16, 32), "an event counts once");
            assert!(set.works.iter().all(|work| work.attempt == 1), "no number is used up");
            claimed += set.works.len();
            claims += 1;
        }
        assert_eq!((claimed, claims), (40, 2));
    }
}
