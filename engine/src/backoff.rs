//! How long to wait before a call is tried again.

/// The first wait.
const FIRST_MS: u32 = 200;
/// The longest wait, before jitter.
const LONGEST_MS: u32 = 10_000;

/// A random number from 0 to 999, so that callers that failed together do not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jitter(u32);

impl Jitter {
    /// The jitter of any random number.
    #[must_use]
    pub const fn of(random: u32) -> Self {
        Self(random % 1_000)
    }
}

/// Milliseconds to wait after `failures` failures in a row: doubled each time, and half to one and a half
/// of it.
#[must_use]
pub fn backoff_ms(failures: u32, jitter: Jitter) -> i64 {
    let doublings = failures.saturating_sub(1).min(10);
    let wait_ms = (FIRST_MS << doublings).min(LONGEST_MS);
    i64::from(wait_ms * (500 + jitter.0) / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_spread() {
        let waits = |jitter| [1, 2, 3, 6, 7, 40].map(|failures| backoff_ms(failures, Jitter::of(jitter)));
        assert_eq!(waits(500), [200, 400, 800, 6_400, 10_000, 10_000]);
        assert_eq!(waits(0), [100, 200, 400, 3_200, 5_000, 5_000]);
        assert_eq!(backoff_ms(1, Jitter::of(1_999)), 299);
    }
}
