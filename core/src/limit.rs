//! How often one network address may do something: counted by the minute, in memory.
//!
//! One isolate counts for itself. That is enough for what it is for: a token has 256 random bits, so a
//! guesser only costs work, and the work of one isolate is what is bounded. No row is written and no other
//! service asked, so that a flood costs nothing but its own answers.
//!
//! An address that failed too often may still use a token that was right from there lately: in a network
//! behind one address, a program with an old token must not lock out the others.

use std::collections::BTreeMap;

use crate::time::Timestamp;

/// Milliseconds of a window.
const WINDOW_MS: i64 = 60_000;
/// Addresses that are counted at most; beyond them those with the lowest counts start again.
const ADDRESSES_MAX: usize = 10_000;
/// Tokens that are known to be right, of one address, at most.
const KNOWN_MAX: usize = 16;

/// What is counted of one address, until its window ends.
#[derive(Debug)]
struct RateWindow {
    ends_at: Timestamp,
    count: u32,
    known: Vec<String>,
}

/// Counts by address.
#[derive(Debug, Default)]
pub struct Limiter {
    windows: BTreeMap<String, RateWindow>,
}

impl Limiter {
    /// Counts one. 0 means no limit.
    ///
    /// # Errors
    /// It is more than `max` in this window: the seconds until the next one.
    pub fn take(&mut self, address: &str, max: u32, now: Timestamp) -> Result<(), u32> {
        if max == 0 {
            return Ok(());
        }
        let window = self.window(address, now);
        window.count = window.count.saturating_add(1);
        if window.count > max { Err(seconds(window.ends_at, now)) } else { Ok(()) }
    }

    /// Whether `address` had `max` or more in this window and `token` has not succeeded from it: then the
    /// seconds until the next window. Counts nothing.
    #[must_use]
    pub fn is_over(&self, address: &str, max: u32, token: &str, now: Timestamp) -> Option<u32> {
        let window = self.windows.get(&key_of(address)).filter(|window| now < window.ends_at && max > 0)?;
        let is_blocked = window.count >= max && !window.known.iter().any(|known| known == token);
        is_blocked.then(|| seconds(window.ends_at, now))
    }

    /// Notes that `token` was right. Only where something was counted of the address: others need no
    /// exception.
    pub fn was_right(&mut self, address: &str, token: impl FnOnce() -> String, now: Timestamp) {
        if let Some(window) = self.windows.get_mut(&key_of(address)).filter(|window| now < window.ends_at) {
            let token = token();
            if window.known.len() < KNOWN_MAX && !window.known.contains(&token) {
                window.known.push(token);
            }
        }
    }

    fn window(&mut self, address: &str, now: Timestamp) -> &mut RateWindow {
        if self.windows.len() >= ADDRESSES_MAX {
            self.windows.retain(|_address, window| now < window.ends_at);
        }
        if self.windows.len() >= ADDRESSES_MAX {
            self.forget_half();
        }
        let fresh = || RateWindow { ends_at: now.plus_ms(WINDOW_MS), count: 0, known: Vec::new() };
        let window = self.windows.entry(key_of(address)).or_insert_with(fresh);
        if window.ends_at <= now {
            *window = RateWindow { known: std::mem::take(&mut window.known), ..fresh() };
        }
        window
    }

    /// Makes room: those of whom less was counted are forgotten, so that many addresses do not free one that
    /// is at its limit.
    fn forget_half(&mut self) {
        let mut counts: Vec<u32> = self.windows.values().map(|window| window.count).collect();
        let (_, middle, _) = counts.select_nth_unstable(ADDRESSES_MAX / 2);
        let middle = *middle;
        self.windows.retain(|_address, window| window.count > middle);
    }
}

fn seconds(ends_at: Timestamp, now: Timestamp) -> u32 {
    u32::try_from(ends_at.ms_since(now).div_euclid(1_000) + 1).unwrap_or(1)
}

/// What an address is counted under: an IPv6 host has a whole /64 to choose from.
fn key_of(address: &str) -> String {
    match address.parse::<std::net::Ipv6Addr>() {
        Ok(v6) if v6.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
        _ => String::from(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_270_051_204);

    #[test]
    fn a_window_takes_so_many_and_the_next_begins_anew() {
        let mut limiter = Limiter::default();
        for _ in 0..3 {
            assert_eq!(limiter.take("a", 3, NOW), Ok(()));
        }
        assert_eq!(limiter.take("a", 3, NOW.plus_ms(1_000)), Err(60));
        assert_eq!(limiter.take("b", 3, NOW), Ok(()), "another address");
        assert_eq!(limiter.take("a", 3, NOW.plus_ms(59_999)), Err(1));
        assert_eq!(limiter.take("a", 3, NOW.plus_ms(60_000)), Ok(()));
        assert_eq!(limiter.take("a", 0, NOW), Ok(()), "0 is no limit");
    }

    #[test]
    fn many_addresses_do_not_free_one_that_is_at_its_limit() {
        let mut limiter = Limiter::default();
        for _ in 0..5 {
            let _counted = limiter.take("guesser", 3, NOW);
        }
        for number in 0..3 * ADDRESSES_MAX {
            let _counted = limiter.take(&number.to_string(), 3, NOW);
        }
        assert!(limiter.windows.len() <= ADDRESSES_MAX);
        assert!(limiter.is_over("guesser", 3, "t", NOW).is_some());
    }

    #[test]
    fn who_failed_too_often_is_told_until_the_window_ends() {
        let mut limiter = Limiter::default();
        for _ in 0..2 {
            assert_eq!(limiter.is_over("a", 2, "t", NOW), None);
            let _counted = limiter.take("a", 2, NOW);
        }
        assert_eq!(limiter.is_over("a", 2, "t", NOW), Some(61));
        assert_eq!(limiter.is_over("a", 0, "t", NOW), None);
        assert_eq!(limiter.is_over("b", 2, "t", NOW), None);
        assert_eq!(limiter.is_over("a", 2, "t", NOW.plus_ms(60_000)), None);
    }

    #[test]
    fn a_token_that_was_right_from_there_goes_on() {
        let mut limiter = Limiter::default();
        limiter.was_right("a", || String::from("early"), NOW);
        let _counted = limiter.take("a", 1, NOW);
        limiter.was_right("a", || String::from("good"), NOW);
        assert_eq!(limiter.is_over("a", 1, "good", NOW), None);
        assert!(
            limiter.is_over("a", 1, "early", NOW).is_some(),
            "nothing was counted then, so nothing was noted"
        );
        let _counted = limiter.take("a", 1, NOW.plus_ms(60_000));
        assert_eq!(
            limiter.is_over("a", 1, "good", NOW.plus_ms(60_000)),
            None,
            "it stays known in the next window"
        );
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let mut limiter = Limiter::default();
        let _counted = limiter.take("2001:db8:1:2::1", 1, NOW);
        assert!(limiter.is_over("2001:db8:1:2:ffff::9", 1, "", NOW).is_some());
        assert!(limiter.is_over("2001:db8:1:3::1", 1, "", NOW).is_none());
        assert_eq!(key_of("::ffff:192.0.2.1"), "::ffff:192.0.2.1");
    }

    #[test]
    fn memory_is_bounded() {
        let mut limiter = Limiter::default();
        for number in 0..ADDRESSES_MAX + 5 {
            let _counted = limiter.take(&number.to_string(), 1, NOW);
        }
        assert!(limiter.windows.len() <= ADDRESSES_MAX);
    }
}
