//! When the next attempt of a delivery is due.
//!
//! Pure arithmetic: the jitter comes from a seed, so a schedule can be shown before it happens and repeated in a test.

use crate::time::Timestamp;

/// Seconds before attempt 1, 2, …, from the end of the one before (Standard Webhooks' example schedule, PEERS 6.11).
pub const SCHEDULE_S: [u32; 10] = [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// `Retry-After` is honoured up to this many seconds.
pub const RETRY_AFTER_MAX_S: u32 = 86_400;
/// Jitter: the wait is multiplied by a factor between 0.8 and 1.2.
pub const JITTER_PERCENT: u32 = 20;

/// The default schedule as a webhook or a project would write it: seconds before attempt 2, 3, …
pub const DEFAULT_WAITS_S: &[u32] = {
    let [_, waits @ ..] = &SCHEDULE_S;
    waits
};

/// Seconds before attempt 2, 3, … of a test that retries: six attempts in about a minute, because somebody is watching.
pub const TEST_WAITS_S: &[u32] = &[2, 5, 10, 20, 30];
/// A test does not wait longer than so many seconds for its next attempt: where the receiver asks for more it has failed.
pub const TEST_WAIT_MAX_S: u32 = 60;

/// Milliseconds to wait before attempt `next_attempt` (1-based), jittered from `seed`, never shorter than
/// `retry_after_s`; `None` where the schedule has no such attempt.
///
/// `schedule` holds the seconds before attempt 2, 3, … ([`DEFAULT_WAITS_S`] where it is `None`); the first attempt is due at
/// once. `seed` and `next_attempt` decide the jitter: the same pair gives the same wait in every process.
#[must_use]
pub fn wait_ms(next_attempt: u32, schedule: Option<&[u32]>, seed: u64, retry_after_s: Option<u32>) -> Option<i64> {
    /// Parts per million: fine enough that the jitter of a day still falls on any 10 milliseconds.
    const WHOLE_PPM: u64 = 1_000_000;
    const JITTER_PPM: u64 = WHOLE_PPM / 100 * JITTER_PERCENT as u64;

    let base_s = match next_attempt {
        0 => return None,
        1 => 0,
        later => *schedule.unwrap_or(DEFAULT_WAITS_S).get(usize::try_from(later - 2).ok()?)?,
    };
    let factor_ppm = WHOLE_PPM - JITTER_PPM + scramble(seed, next_attempt) % (2 * JITTER_PPM + 1);
    let jittered_ms = u64::from(base_s) * 1_000 * factor_ppm / WHOLE_PPM;
    let asked_ms = u64::from(retry_after_s.unwrap_or(0).min(RETRY_AFTER_MAX_S)) * 1_000;
    i64::try_from(jittered_ms.max(asked_ms)).ok()
}

/// When each attempt would be made if every one before it failed at once, the first at `from`. One entry where `retries` is
/// false.
#[must_use]
pub fn timeline(retries: bool, schedule: Option<&[u32]>, seed: u64, from: Timestamp) -> Vec<Timestamp> {
    let mut at = from;
    let mut attempts = Vec::new();
    let mut next_attempt = 1;
    while let Some(wait_ms) = wait_ms(next_attempt, schedule, seed, None).filter(|_| retries || next_attempt == 1) {
        at = at.plus_ms(wait_ms);
        attempts.push(at);
        next_attempt += 1;
    }
    attempts
}

/// Evenly spread bits from delivery and attempt: the finaliser of SplitMix64 over a sequence that the seed starts.
const fn scramble(seed: u64, attempt: u32) -> u64 {
    let mut bits = seed.wrapping_add((attempt as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Reads a `Retry-After` value: seconds or an HTTP date (RFC 9110 10.2.3). Capped at [`RETRY_AFTER_MAX_S`].
#[must_use]
pub fn parse_retry_after(value: &str, now: Timestamp) -> Option<u32> {
    let value = value.trim_matches([' ', '\t']);
    let seconds = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a u64 has is still "very long".
        value.parse::<u64>().unwrap_or(u64::MAX)
    } else {
        let wait_ms = http_date(value)?.ms_since(now).max(0);
        u64::try_from(wait_ms).ok()?.div_ceil(1_000)
    };
    Some(u32::try_from(seconds).unwrap_or(u32::MAX).min(RETRY_AFTER_MAX_S))
}

/// Reads the three forms of an HTTP date (RFC 9110 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`, the obsolete
/// `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`. The name of the weekday is not checked.
fn http_date(text: &str) -> Option<Timestamp> {
    let words: Vec<&str> = text.split([' ', ',', '-']).filter(|word| !word.is_empty()).collect();
    let ([_, day, month, year, clock, "GMT"] | [_, month, day, clock, year]) = *words.as_slice() else { return None };
    let year: i32 = match (year.len(), number(year)?) {
        (4, year) => year,
        // Two digits: within the 50 years to come, else in the past (RFC 9110); no service of today means 19xx.
        (2, year) => 2000 + year,
        _ => return None,
    };
    let month = MONTHS.iter().position(|name| *name == month)?;
    let month = time::Month::try_from(u8::try_from(month + 1).ok()?).ok()?;
    let date = time::Date::from_calendar_date(year, month, u8::try_from(number(day)?).ok()?).ok()?;
    let [hour, minute, second] = *clock.split(':').collect::<Vec<_>>().as_slice() else { return None };
    // 60 is a leap second, which Unix time does not have.
    let second = u8::try_from(number(second)?).ok()?.min(59);
    let clock = time::Time::from_hms(u8::try_from(number(hour)?).ok()?, u8::try_from(number(minute)?).ok()?, second).ok()?;
    Some(Timestamp(time::OffsetDateTime::new_utc(date, clock).unix_timestamp() * 1_000))
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A number of one to four digits.
fn number(text: &str) -> Option<i32> {
    let fits = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LAST: u32 = 10;

    proptest! {
        #[test]
        fn a_wait_is_within_a_fifth_of_the_schedule(next_attempt in 1..=LAST, seed: u64) {
            let base_ms = i64::from(SCHEDULE_S[next_attempt as usize - 1]) * 1_000;
            let wait_ms = wait_ms(next_attempt, None, seed, None).unwrap_or(-1);
            prop_assert!(wait_ms * 10 >= base_ms * 8 && wait_ms * 10 <= base_ms * 12, "{wait_ms}");
        }

        #[test]
        fn retry_after_only_ever_lengthens_and_is_capped(next_attempt in 1..=LAST, seed: u64, asked_s: u32) {
            let plain_ms = wait_ms(next_attempt, None, seed, None).unwrap_or(-1);
            let asked_ms = i64::from(asked_s.min(RETRY_AFTER_MAX_S)) * 1_000;
            prop_assert_eq!(wait_ms(next_attempt, None, seed, Some(asked_s)), Some(plain_ms.max(asked_ms)));
        }

        #[test]
        fn there_is_no_wait_beyond_the_schedule(next_attempt in LAST + 1.., seed: u64) {
            prop_assert_eq!(wait_ms(next_attempt, None, seed, Some(1)), None);
            prop_assert_eq!(wait_ms(0, None, seed, None), None);
        }

        #[test]
        fn whatever_the_header_says_is_read_without_a_panic(value in ".{0,60}", now_ms: i64) {
            let seconds = parse_retry_after(&value, Timestamp(now_ms));
            prop_assert!(seconds.is_none_or(|seconds| seconds <= RETRY_AFTER_MAX_S));
        }
    }

    #[test]
    fn a_timeline_is_what_would_happen_if_each_attempt_failed_at_once() {
        let from = Timestamp(1_795_270_051_204);
        assert_eq!(timeline(true, None, 7, from).len(), SCHEDULE_S.len());
        for (retries, schedule) in [(false, None), (false, Some(&[5][..])), (true, Some(&[][..]))] {
            assert_eq!(timeline(retries, schedule, 7, from), [from]);
        }
        let waits = [wait_ms(2, Some(&[9, 99]), 7, None), wait_ms(3, Some(&[9, 99]), 7, None)].map(Option::unwrap_or_default);
        let expected = [from, from.plus_ms(waits[0]), from.plus_ms(waits[0] + waits[1])];
        assert_eq!(timeline(true, Some(&[9, 99]), 7, from), expected);
        assert_eq!(DEFAULT_WAITS_S, &SCHEDULE_S[1..]);
    }

    #[test]
    fn seeds_spread_the_waits_over_the_whole_range() {
        let waits: Vec<i64> = (0..1_000).filter_map(|seed| wait_ms(2, None, seed, None)).collect();
        let below = |limit_ms: i64| waits.iter().filter(|wait| **wait < limit_ms).count();
        assert!((150..350).contains(&below(4_500)) && (400..600).contains(&below(5_000)) && (650..850).contains(&below(5_500)));
    }
}
