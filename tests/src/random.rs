//! Seeded randomness: a run that failed is repeated by its seed.

use std::time::{SystemTime, UNIX_EPOCH};

/// Names the environment variable that fixes the seed.
pub const SEED_VARIABLE: &str = "POSTERN_SEED";

/// A small generator (`SplitMix64`): the same seed gives the same numbers everywhere.
#[derive(Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// A generator that repeats the run of `seed`.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub const fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }
}

/// The seed of this run: `POSTERN_SEED`, else the clock.
#[must_use]
pub fn seed() -> u64 {
    let wanted =
        std::env::var(SEED_VARIABLE).ok().map(|text| text.parse().expect("POSTERN_SEED must be a number"));
    wanted.unwrap_or_else(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| u64::from(since.subsec_nanos()) ^ since.as_secs())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_numbers() {
        let numbers = |seed| {
            let mut random = Random::seeded(seed);
            [random.next(), random.between(0, 9), random.between(5, 5)]
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
        assert_eq!(numbers(7)[2], 5);
    }
}
