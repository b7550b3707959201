//! What stands before every route: limits for addresses that guess tokens or flood what needs none.
//!
//! Counted in this isolate's memory (`core::limit`). The platform's rate-limiting binding is not used: it
//! cannot say whether a limit is reached without counting, its numbers are fixed at deployment, and only
//! failures must count here.

use std::cell::RefCell;
use std::collections::VecDeque;

use postern_core::limit::Limiter;
use postern_core::problem::ProblemType;
use postern_core::time::Timestamp;
use postern_core::token;

use super::problem::ApiError;
use super::request::Incoming;
use super::standing::{Shown, Standing};
use crate::config::Limits;

thread_local! {
    static FAILURES: RefCell<Limiter> = RefCell::new(Limiter::default());
    static PUBLIC: RefCell<Limiter> = RefCell::new(Limiter::default());
    /// SHA-256 of tickets that were given out, the newest last. Not among the tokens that were right: each
    /// comes once.
    static EXPECTED: RefCell<VecDeque<String>> = const { RefCell::new(VecDeque::new()) };
}

/// Tickets that are remembered at most: a page comes back with its own within a moment.
const EXPECTED_MAX: usize = 200;

/// What is known of a request before it is answered.
pub(crate) struct Guard {
    address: Option<String>,
    shown: Shown,
    standing: Standing,
    limits: Limits,
}

/// Too many; so many seconds until the next.
pub(crate) struct TooMany(pub(crate) u32);

impl TooMany {
    /// As the API says it.
    pub(crate) fn error(&self) -> ApiError {
        ApiError::problem(
            ProblemType::TooManyRequests,
            format!("too many attempts from your address; wait {} s", self.0),
        )
    }
}

impl Guard {
    pub(crate) fn of(incoming: &Incoming, limits: Limits) -> Self {
        let shown = Shown::of(incoming.authorization(), incoming.header("sec-websocket-protocol").as_deref());
        Self {
            address: incoming.address().map(String::from),
            shown,
            standing: incoming.standing.clone(),
            limits,
        }
    }

    /// What the caller shows of itself.
    pub(crate) const fn shown(&self) -> &Shown {
        &self.shown
    }

    /// Whether the request may go on whose path needs no token.
    pub(crate) fn check_public(&self, now: Timestamp) -> Result<(), TooMany> {
        let Some(address) = &self.address else { return Ok(()) };
        PUBLIC
            .with_borrow_mut(|limiter| limiter.take(address, self.limits.public_per_min, now))
            .map_err(TooMany)
    }

    /// Whether the request may go on whose path needs a token.
    pub(crate) fn check(&self, now: Timestamp) -> Result<(), TooMany> {
        let Some(address) = &self.address else { return Ok(()) };
        let token = || self.shown.one().map(token::hash).unwrap_or_default();
        let max = self.limits.failures_per_min;
        // The token is hashed only where the answer depends on it.
        FAILURES.with_borrow(|limiter| {
            let blocked = limiter
                .is_over(address, max, "", now)
                .and_then(|_seconds| limiter.is_over(address, max, &token(), now));
            let blocked = blocked.filter(|_seconds| !self.shown.ticket().is_some_and(was_expected));
            blocked.map_or(Ok(()), |seconds| Err(TooMany(seconds)))
        })
    }

    /// Takes note of the answer. Whatever a caller is refused whose credential nobody has confirmed counts as
    /// a guess: what the refusal says does not matter, and neither does whether there was a credential at
    /// all.
    pub(crate) fn note(&self, status: u16, now: Timestamp) {
        let Some(address) = &self.address else { return };
        if self.standing.is_verified() {
            if let Some(shown) = self.shown.one() {
                FAILURES.with_borrow_mut(|limiter| limiter.was_right(address, || token::hash(shown), now));
            }
        } else if (400..500).contains(&status) && status != 429 {
            let _over =
                FAILURES.with_borrow_mut(|limiter| limiter.take(address, self.limits.failures_per_min, now));
        }
    }
}

/// A ticket was given out: it is not a guess when it comes back, even from an address where somebody guesses.
pub(crate) fn expect(ticket: &str) {
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
        Guard {
            address: Some(String::from(address)),
            shown: Shown::of(shown, None),
            standing: Standing::default(),
            limits,
        }
    }

    fn verified(address: &str, shown: &str) -> Guard {
        let guard = guard(address, Some(shown));
        guard.standing.verify();
        guard
    }

    #[test]
    fn a_ticket_that_was_given_out_passes_once_where_somebody_guesses() {
        let now = Timestamp(0);
        let shows =
            |ticket: &str| Guard { shown: Shown::Ticket(String::from(ticket)), ..guard("192.0.2.3", None) };
        for _ in 0..2 {
            shows("guess").note(401, now);
        }
        expect("given");
        assert!(shows("guess").check(now).is_err());
        assert!(shows("given").check(now).is_ok());
        let used = shows("given");
        used.standing.verify();
        used.note(101, now);
        assert!(shows("given").check(now).is_err(), "it was used");
    }

    #[test]
    fn guesses_are_counted_and_right_tokens_go_on() {
        let now = Timestamp(0);
        let (guess, right) =
            (guard("192.0.2.1", Some("Bearer wrong")), verified("192.0.2.1", "Bearer right"));
        guess.note(401, now);
        right.note(200, now);
        right.note(422, now);
        assert!(guess.check(now).is_ok(), "who is known may be refused");
        guess.note(401, now);
        assert!(guess.check(now).is_err() && right.check(now).is_ok());
        assert!(guess.check_public(now).is_ok(), "what needs no token is counted apart");
        assert!(guard("192.0.2.2", Some("Bearer wrong")).check(now).is_ok());
    }

    #[test]
    fn every_refusal_of_somebody_unknown_counts() {
        let now = Timestamp(0);
        for (last, status) in [400, 401, 403, 404, 405, 413, 415, 422].into_iter().enumerate() {
            for shown in [None, Some("Bearer wrong")] {
                let caller = guard(&format!("198.51.100.{last}{}", u8::from(shown.is_some())), shown);
                caller.note(status, now);
                caller.note(200, now);
                caller.note(429, now);
                caller.note(503, now);
                assert!(caller.check(now).is_ok(), "{status}");
                caller.note(status, now);
                assert!(caller.check(now).is_err(), "{status}");
            }
        }
    }

    #[test]
    fn a_guess_does_not_hide_behind_a_token_that_is_right() {
        let now = Timestamp(0);
        let (address, right) = ("203.0.113.1", verified("203.0.113.1", "Bearer right"));
        guard(address, Some("Bearer wrong")).note(401, now);
        right.note(200, now);
        guard(address, Some("Bearer wrong")).note(401, now);
        assert!(right.check(now).is_ok());
        let both = Guard {
            shown: Shown::of(Some("Bearer right"), Some("postern.v1, bearer.guess")),
            ..guard(address, None)
        };
        assert!(both.check(now).is_err());
    }

    #[test]
    fn what_needs_no_token_is_limited_too() {
        let caller = guard("192.0.2.9", None);
        assert!(caller.check_public(Timestamp(0)).is_ok() && caller.check_public(Timestamp(0)).is_ok());
        assert!(caller.check_public(Timestamp(0)).is_err_and(|too_many| too_many.0 == 61));
    }

    #[test]
    fn a_ticket_is_counted_as_what_it_is_whatever_stands_beside_it() {
        let ticket = postern_core::live_ticket::mint(&[7; 32]);
        assert_eq!(
            Shown::of(None, Some(&format!("postern.v1, ticket.{ticket}"))).ticket(),
            Some(ticket.as_str())
        );
        assert_eq!(
            Shown::of(None, Some("postern.v1, ticket.guess")).one(),
            None,
            "it is no token that goes on"
        );
    }
}
