//! What stands before every route: limits for addresses that guess tokens or flood what needs none.
//!
//! Counted in this isolate's memory (`core::limit`). The platform's rate-limiting binding is not used: it cannot say whether a
//! limit is reached without counting, its numbers are fixed at deployment, and only failures must count here.

use std::cell::RefCell;
use std::collections::VecDeque;

use postern_core::limit::Limiter;
use postern_core::live_ticket::{self, Offered};
use postern_core::problem::ProblemType;
use postern_core::time::Timestamp;
use postern_core::token;

use super::problem::ApiError;
use super::request::Incoming;
use crate::config::Limits;

thread_local! {
    static FAILURES: RefCell<Limiter> = RefCell::new(Limiter::default());
    static PUBLIC: RefCell<Limiter> = RefCell::new(Limiter::default());
    /// SHA-256 of tickets that were given out, the newest last. Not among the tokens that were right: each comes once.
    static EXPECTED: RefCell<VecDeque<String>> = const { RefCell::new(VecDeque::new()) };
}

/// Tickets that are remembered at most: a page comes back with its own within a moment.
const EXPECTED_MAX: usize = 200;

/// What is known of a request before it is answered.
pub(super) struct Guard {
    address: Option<String>,
    /// What the caller shows: `Authorization`, or the WebSocket's ticket.
    shown: Option<String>,
    /// Whether that is a ticket.
    is_ticket: bool,
    limits: Limits,
    is_post: bool,
}

/// Too many; so many seconds until the next.
pub(super) struct TooMany(pub(super) u32);

impl TooMany {
    /// As the API says it.
    pub(super) fn error(&self) -> ApiError {
        ApiError::problem(ProblemType::TooManyRequests, format!("too many attempts from your address; wait {} s", self.0))
    }
}

impl Guard {
    pub(super) fn of(incoming: &Incoming, limits: Limits) -> Self {
        let authorization = incoming.authorization().map(String::from);
        let is_ticket = authorization.is_none();
        let shown = authorization.or_else(|| incoming.header("sec-websocket-protocol").map(credential_of));
        Self { address: incoming.address().map(String::from), shown, is_ticket, limits, is_post: incoming.method == "POST" }
    }

    /// Whether the request may go on. `is_public`: its path needs no token.
    pub(super) fn check(&self, is_public: bool, now: Timestamp) -> Result<(), TooMany> {
        let Some(address) = &self.address else { return Ok(()) };
        if is_public {
            return PUBLIC.with_borrow_mut(|limiter| limiter.take(address, self.limits.public_per_min, now)).map_err(TooMany);
        }
        let token = || self.shown.as_deref().map(token::hash).unwrap_or_default();
        let max = self.limits.failures_per_min;
        // The token is hashed only where the answer depends on it.
        FAILURES.with_borrow(|limiter| {
            let blocked = limiter.is_over(address, max, "", now).and_then(|_seconds| limiter.is_over(address, max, &token(), now));
            let blocked = blocked.filter(|_seconds| !(self.is_ticket && self.shown.as_deref().is_some_and(was_expected)));
            blocked.map_or(Ok(()), |seconds| Err(TooMany(seconds)))
        })
    }

    /// Takes note of the answer: 401 to somebody who showed something is a guess.
    pub(super) fn note(&self, status: u16, now: Timestamp) {
        let Some(address) = &self.address else { return };
        if status == 401 && (self.shown.is_some() || self.is_post) {
            let _over = FAILURES.with_borrow_mut(|limiter| limiter.take(address, self.limits.failures_per_min, now));
        } else if let Some(shown) = self.shown.as_deref().filter(|_shown| status < 400 && !self.is_ticket) {
            FAILURES.with_borrow_mut(|limiter| limiter.was_right(address, || token::hash(shown), now));
        }
    }
}

/// Of a WebSocket's subprotocols the ticket; all of them where there is none.
fn credential_of(protocols: String) -> String {
    match live_ticket::offered(&protocols) {
        Offered::Ticket(ticket) => String::from(ticket),
        Offered::Nothing | Offered::Wrong | Offered::Token => protocols,
    }
}

/// A ticket was given out: it is no guess when it comes back, also from an address where somebody guesses.
pub(super) fn expect(ticket: &str) {
    EXPECTED.with_borrow_mut(|expected| {
        if expected.len() >= EXPECTED_MAX {
            expected.pop_front();
        }
        expected.push_back(token::hash(ticket));
    });
}

/// Whether this isolate gave the ticket out and it did not come back yet. It opens once, so it is forgotten.
fn was_expected(ticket: &str) -> bool {
    let hash = token::hash(ticket);
    EXPECTED.with_borrow_mut(|expected| {
        let found = expected.iter().position(|known| *known == hash);
        found.and_then(|at| expected.remove(at)).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(address: &str, shown: Option<&str>) -> Guard {
        let limits = Limits { failures_per_min: 2, public_per_min: 2 };
        Guard { address: Some(String::from(address)), shown: shown.map(String::from), is_ticket: false, limits, is_post: false }
    }

    #[test]
    fn a_ticket_that_was_given_out_passes_once_where_somebody_guesses() {
        let now = Timestamp(0);
        let shows = |ticket: &str| Guard { is_ticket: true, ..guard("192.0.2.3", Some(ticket)) };
        for _ in 0..2 {
            shows("guess").note(401, now);
        }
        expect("given");
        assert!(shows("guess").check(false, now).is_err());
        assert!(shows("given").check(false, now).is_ok());
        shows("given").note(101, now);
        assert!(shows("given").check(false, now).is_err(), "it was used");
    }

    #[test]
    fn guesses_are_counted_and_right_tokens_go_on() {
        let now = Timestamp(0);
        let (guess, right) = (guard("192.0.2.1", Some("Bearer wrong")), guard("192.0.2.1", Some("Bearer right")));
        guess.note(401, now);
        right.note(200, now);
        guard("192.0.2.1", None).note(401, now);
        assert!(guess.check(false, now).is_ok(), "nothing was shown, so nothing was guessed");
        guess.note(401, now);
        assert!(guess.check(false, now).is_err() && right.check(false, now).is_ok());
        assert!(guess.check(true, now).is_ok(), "what needs no token is counted apart");
        assert!(guard("192.0.2.2", Some("Bearer wrong")).check(false, now).is_ok());
    }

    #[test]
    fn what_needs_no_token_is_limited_too() {
        let caller = guard("192.0.2.9", None);
        assert!(caller.check(true, Timestamp(0)).is_ok() && caller.check(true, Timestamp(0)).is_ok());
        assert!(caller.check(true, Timestamp(0)).is_err_and(|too_many| too_many.0 == 61));
    }

    #[test]
    fn a_ticket_is_counted_as_what_it_is_whatever_stands_beside_it() {
        let ticket = live_ticket::mint(&[7; 32]);
        assert_eq!(credential_of(format!("postern.v1, ticket.{ticket}")), ticket);
        assert_eq!(credential_of(String::from("postern.v1, ticket.guess")), "postern.v1, ticket.guess");
    }
}
