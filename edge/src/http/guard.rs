//! What stands before every route: limits for addresses that guess tokens or flood what needs none.
//!
//! Counted in this isolate's memory (`core::limit`). The platform's rate-limiting binding is not used: it cannot say whether a
//! limit is reached without counting, its numbers are fixed at deployment, and only failures must count here.

use std::cell::RefCell;

use postern_core::limit::Limiter;
use postern_core::problem::ProblemType;
use postern_core::time::Timestamp;
use postern_core::token;

use super::problem::ApiError;
use super::request::Incoming;
use crate::config::Limits;

thread_local! {
    static FAILURES: RefCell<Limiter> = RefCell::new(Limiter::default());
    static PUBLIC: RefCell<Limiter> = RefCell::new(Limiter::default());
}

/// What is known of a request before it is answered.
pub(super) struct Guard {
    address: Option<String>,
    /// What the caller shows: `Authorization`, or the WebSocket's subprotocols.
    shown: Option<String>,
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
        let shown = incoming.authorization().map(String::from).or_else(|| incoming.header("sec-websocket-protocol"));
        Self { address: incoming.address().map(String::from), shown, limits, is_post: incoming.method == "POST" }
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
            blocked.map_or(Ok(()), |seconds| Err(TooMany(seconds)))
        })
    }

    /// Takes note of the answer: 401 to somebody who showed something is a guess.
    pub(super) fn note(&self, status: u16, now: Timestamp) {
        let Some(address) = &self.address else { return };
        if status == 401 && (self.shown.is_some() || self.is_post) {
            let _over = FAILURES.with_borrow_mut(|limiter| limiter.take(address, self.limits.failures_per_min, now));
        } else if let Some(shown) = self.shown.as_deref().filter(|_shown| status < 400) {
            FAILURES.with_borrow_mut(|limiter| limiter.was_right(address, || token::hash(shown), now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(address: &str, shown: Option<&str>) -> Guard {
        let limits = Limits { failures_per_min: 2, public_per_min: 2 };
        Guard { address: Some(String::from(address)), shown: shown.map(String::from), limits, is_post: false }
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
}
