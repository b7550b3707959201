//! How far the calls of a webhook are spaced.

use serde::{Deserialize, Serialize};

/// The level that spacing grows to at most.
pub const LEVEL_MAX: u8 = 10;

/// Milliseconds between two calls of a failing webhook at most.
pub const FAILING_SPACING_MAX_MS: i64 = 60_000;

/// Milliseconds between two calls of a throttled webhook at most, where its receiver names no time.
pub const THROTTLED_SPACING_MAX_MS: i64 = 600_000;

/// Why a webhook is called less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// Its receiver, or a proxy before it, is overloaded.
    Throttled,
    /// It failed many times in a row.
    Failing,
}

/// Milliseconds from one call to the next at a level: 1 s, doubled with each level above the first, up to a
/// ceiling; 0 at level 0.
#[must_use]
pub const fn spacing_ms(level: u8, cause: Cause) -> i64 {
    let ceiling_ms = match cause {
        Cause::Failing => FAILING_SPACING_MAX_MS,
        Cause::Throttled => THROTTLED_SPACING_MAX_MS,
    };
    let doublings = match level {
        0 => return 0,
        1..=LEVEL_MAX => level - 1,
        _ => LEVEL_MAX - 1,
    };
    let spacing_ms = 1_000 << doublings;
    if spacing_ms < ceiling_ms { spacing_ms } else { ceiling_ms }
}
