//! What one request may make us do: steps are counted, not time, so that the same request is taken or refused
//! everywhere.
//!
//! A step is about a nanosecond of native code. Looking at something is paid for before looking: [`LOOK`] for
//! each value, element, member or rule, and for texts by their bytes. A budget that is spent stays spent, and
//! its owner must ask [`Budget::is_spent`] before believing an answer.

use std::cell::Cell;

/// Steps that matching one event with the schema of its type and with all webhooks of its project may take.
pub const EVENT_STEPS_MAX: u64 = 8_000_000;
/// Steps of all events of one request together. A request with one event can't reach it.
pub const REQUEST_STEPS_MAX: u64 = 2 * EVENT_STEPS_MAX;
/// Steps of a dry run: matching as when the event is posted, and then saying why.
pub const DRY_RUN_STEPS_MAX: u64 = EVENT_STEPS_MAX + EVENT_STEPS_MAX / 2;
/// Steps of a look at one value, element, member or rule.
pub(crate) const LOOK: u64 = 20;
/// Bytes that are compared or counted in one step.
const BYTES_A_STEP: usize = 8;

/// Steps that are left.
#[derive(Debug)]
pub struct Budget {
    given: u64,
    left: Cell<u64>,
    is_spent: Cell<bool>,
}

impl Budget {
    /// A budget of `steps`.
    #[must_use]
    pub const fn new(steps: u64) -> Self {
        Self { given: steps, left: Cell::new(steps), is_spent: Cell::new(false) }
    }

    /// The budget of one event.
    #[must_use]
    pub const fn of_event() -> Self {
        Self::new(EVENT_STEPS_MAX)
    }

    /// A budget that is never spent: for what is bounded otherwise.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self::new(u64::MAX)
    }

    /// Pays `steps`; `false` where they are not left.
    pub(crate) fn pay(&self, steps: u64) -> bool {
        match self.left.get().checked_sub(steps) {
            Some(left) if !self.is_spent.get() => {
                self.left.set(left);
                true
            }
            _ => {
                self.is_spent.set(true);
                false
            }
        }
    }

    /// Pays for `bytes` that are compared or counted.
    pub(crate) fn pay_bytes(&self, bytes: usize) -> bool {
        self.pay(steps_of(bytes))
    }

    /// Pays for a look at something that is found by `bytes` of a name.
    pub(crate) fn pay_look(&self, bytes: usize) -> bool {
        self.pay(LOOK.saturating_add(steps_of(bytes)))
    }

    /// Whether more was asked for than there was: what was found out meanwhile is worth nothing.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.is_spent.get()
    }

    /// Steps that were paid.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.given - self.left.get()
    }
}

const fn steps_of(bytes: usize) -> u64 {
    (bytes / BYTES_A_STEP) as u64 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_that_is_spent_stays_spent() {
        let budget = Budget::new(30);
        assert!(budget.pay_look(0) && !budget.is_spent() && budget.used() == 21);
        assert!(!budget.pay_look(0) && budget.is_spent());
        assert!(!budget.pay(1), "although nine are left");
        assert_eq!(budget.used(), 21);
        assert!(Budget::unlimited().pay_bytes(usize::MAX));
    }
}
