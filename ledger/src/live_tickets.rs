//! Tickets for the live feed ([`postern_core::live_ticket`]): each is stored by its hash, with whose it is,
//! and opens once.
//!
//! A table and not memory: the object may sleep ten seconds after the ticket was made, and one that was used
//! must not open again after the object has woken up.

use postern_core::id::{Kind, Seq};
use postern_core::live_ticket::LIFE_MS;
use postern_core::time::Timestamp;

use crate::error::LedgerError;
use crate::project::Ledger;
use crate::row::live_ticket;
use crate::sql::{Sql, Value, first};
use crate::tokens::Verified;

/// Tickets of one token (or of `ADMIN_TOKEN`) that nobody used yet, at most: a page needs one at a time.
const OF_ONE_MAX: u32 = 100;
/// Tickets of a project that nobody used yet, at most: twice as many as may listen.
const OPEN_MAX: u32 = 1_000;

/// Whose ticket it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketHolder {
    /// `ADMIN_TOKEN`
    Admin,
    /// The token with this id (`tok_…`), which still opens the project.
    Token(String),
}

impl<S: Sql> Ledger<S> {
    /// Stores a ticket by its hash (`postern_core::token::hash`) for `token`, or for `ADMIN_TOKEN` where it
    /// is `None`. Gives when it expires; `None` where too many wait to be used.
    ///
    /// # Errors
    /// The database fails.
    pub fn create_live_ticket(
        &mut self,
        hash: &str,
        token: Option<&Verified>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, LedgerError> {
        let owner = token.map(|token| token.seq);
        live_ticket::delete_expired(&self.sql, now)?;
        let rows = self.sql.run(
            "SELECT count(*), count(*) FILTER (WHERE token IS ?1) FROM live_ticket",
            &[Value::from(owner)],
        )?;
        let counts = first(rows).ok_or(LedgerError::Corrupt { what: "a count has no row" })?;
        if counts.number(0)? >= OPEN_MAX || counts.number(1)? >= OF_ONE_MAX {
            return Ok(None);
        }
        let expires_at = now.plus_ms(LIFE_MS);
        live_ticket::insert(&self.sql, hash, owner, expires_at)?;
        Ok(Some(expires_at))
    }

    /// Takes the ticket with this hash: from now on it is used up. `None` where there is none (any more),
    /// it has expired, or its token opens nothing any more.
    ///
    /// # Errors
    /// The database fails.
    pub fn take_live_ticket(
        &mut self,
        hash: &str,
        now: Timestamp,
    ) -> Result<Option<TicketHolder>, LedgerError> {
        // A guess costs a look, never a written row.
        let rows = self
            .sql
            .run("SELECT token, expires_at_ms FROM live_ticket WHERE hash = ?1", &[Value::from(hash)])?;
        let Some(row) = rows.first() else { return Ok(None) };
        let (owner, expires_at) = (row.integer_or_none(0)?.map(Seq), row.timestamp(1)?);
        live_ticket::delete(&self.sql, hash)?;
        if expires_at <= now {
            return Ok(None);
        }
        let holder =
            owner.map_or(TicketHolder::Admin, |seq| TicketHolder::Token(self.ids.id(Kind::Token, seq)));
        Ok(match &holder {
            TicketHolder::Token(id) if !self.holds_token(id, now) => None,
            _ => Some(holder),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use postern_core::token::{Role, TokenDraft};

    use super::*;
    use crate::support::build::{START, ledger};

    fn draft(expires_at: Option<Timestamp>) -> TokenDraft {
        TokenDraft { name: String::from("page"), role: Role::Read, expires_at }
    }

    #[test]
    fn a_ticket_opens_once_also_after_the_object_slept() {
        let mut made = ledger();
        let token = made.create_token("hash", draft(None), START).unwrap();
        let verified = made.verify_token("hash", START).unwrap();
        let expires_at = made.create_live_ticket("t1", Some(&verified), START).unwrap();
        assert_eq!(expires_at, Some(START.plus_ms(LIFE_MS)));
        made.create_live_ticket("t2", None, START).unwrap();
        let later = START.plus_ms(LIFE_MS - 1);
        let mut woken = Ledger::open(Rc::clone(&made.sql)).unwrap().unwrap();
        assert_eq!(woken.take_live_ticket("t1", later), Ok(Some(TicketHolder::Token(token.id))));
        let mut woken = Ledger::open(Rc::clone(&made.sql)).unwrap().unwrap();
        assert_eq!(woken.take_live_ticket("t1", later), Ok(None), "used");
        assert_eq!(woken.take_live_ticket("t2", later), Ok(Some(TicketHolder::Admin)));
        assert_eq!(woken.take_live_ticket("t3", later), Ok(None), "never made");
    }

    #[test]
    fn a_ticket_opens_nothing_once_it_or_its_token_is_over() {
        let mut ledger = ledger();
        let token = ledger.create_token("revoked", draft(None), START).unwrap();
        ledger.create_token("short", draft(Some(START.plus_ms(5_000))), START).unwrap();
        for (hash, of) in [("t1", "revoked"), ("t2", "revoked"), ("t3", "short")] {
            let verified = ledger.verify_token(of, START).unwrap();
            ledger.create_live_ticket(hash, Some(&verified), START).unwrap();
        }
        assert_eq!(ledger.take_live_ticket("t1", START.plus_ms(LIFE_MS)), Ok(None), "expired");
        ledger.delete_token(&token.id, START).unwrap();
        assert_eq!(ledger.take_live_ticket("t2", START), Ok(None), "its token was revoked");
        assert_eq!(ledger.take_live_ticket("t3", START.plus_ms(5_000)), Ok(None), "its token has expired");
    }

    #[test]
    fn tickets_that_nobody_uses_are_bounded_and_go_by_themselves() {
        let mut ledger = ledger();
        for number in 0..OF_ONE_MAX {
            assert!(ledger.create_live_ticket(&format!("a{number}"), None, START).unwrap().is_some());
        }
        assert_eq!(ledger.create_live_ticket("more", None, START), Ok(None), "of one token");
        for of in 0..OPEN_MAX / OF_ONE_MAX {
            ledger.create_token(&format!("hash{of}"), draft(None), START).unwrap();
            let verified = ledger.verify_token(&format!("hash{of}"), START).unwrap();
            for number in 0..OF_ONE_MAX {
                let stored =
                    ledger.create_live_ticket(&format!("{of}-{number}"), Some(&verified), START).unwrap();
                assert_eq!(stored.is_some(), of + 1 < OPEN_MAX / OF_ONE_MAX, "of the project");
            }
        }
        let later = START.plus_ms(LIFE_MS);
        assert!(ledger.create_live_ticket("later", None, later).unwrap().is_some());
        assert_eq!(
            ledger.sql.run("SELECT hash FROM live_ticket", &[]).unwrap().len(),
            1,
            "what expired is gone"
        );
    }

    #[test]
    fn a_guess_writes_nothing() {
        let mut ledger = ledger();
        let native = Rc::clone(&ledger.sql);
        assert_eq!(
            native.count_rows_written(|| assert_eq!(ledger.take_live_ticket("guess", START), Ok(None))),
            0
        );
    }
}
