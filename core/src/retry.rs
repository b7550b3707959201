//! When the next attempt of a delivery is due.
//!
//! Pure arithmetic: the jitter comes from a seed, so a schedule can be shown before it happens and repeated
//! in a test.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Seconds before attempt 1, 2, …, from the end of the one before (Standard Webhooks' example schedule,
/// docs/wire.md D.3).
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

/// Seconds before attempt 2, 3, … of a test that retries: six attempts in about a minute, because somebody
/// is watching.
pub const TEST_WAITS_S: &[u32] = &[2, 5, 10, 20, 30];
/// A test does not wait longer than so many seconds for its next attempt: where the receiver asks for more
/// it has failed.
pub const TEST_WAIT_MAX_S: u32 = 60;

/// Milliseconds to wait before attempt `next_attempt` (1-based), jittered from `seed`, never shorter than
/// `retry_after_s`; `None` where the schedule has no such attempt.
///
/// `schedule` holds the seconds before attempt 2, 3, … ([`DEFAULT_WAITS_S`] where it is `None`); the first
/// attempt is due at once. `seed` and `next_attempt` decide the jitter: the same pair gives the same wait in
/// every process.
#[must_use]
pub fn wait_ms(
    next_attempt: u32,
    schedule: Option<&[u32]>,
    seed: u64,
    retry_after_s: Option<u32>,
) -> Option<i64> {
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

/// When each attempt of a webhook that retries would be made if every one before it failed at once, the
/// first at `from`.
#[must_use]
pub fn timeline(schedule: Option<&[u32]>, seed: u64, from: Timestamp) -> Vec<Timestamp> {
    let mut at = from;
    let mut attempts = Vec::new();
    let mut next_attempt = 1;
    while let Some(wait_ms) = wait_ms(next_attempt, schedule, seed, None) {
        at = at.plus_ms(wait_ms);
        attempts.push(at);
        next_attempt += 1;
    }
    attempts
}

/// Calls in a row that we could not make ourselves until the schedule counts them: four days of them.
const OUR_FAULTS_MAX: u32 = 100;
/// Milliseconds until a call is repeated that we could not make: doubled each time, from the first to the
/// second of these.
const OUR_FAULT_WAITS_MS: (i64, i64) = (30_000, 3_600_000);

/// Milliseconds until a call is repeated that we could not make
/// ([`crate::delivery::Outcome::is_our_fault`]), where `before` such calls came before it in a row; `None`:
/// the schedule counts it, so that no delivery goes on for ever.
#[must_use]
pub fn our_fault_wait_ms(before: u32) -> Option<i64> {
    let (first_ms, most_ms) = OUR_FAULT_WAITS_MS;
    (before < OUR_FAULTS_MAX).then(|| (first_ms << before.min(16)).min(most_ms))
}

/// Evenly spread bits from delivery and attempt: the finaliser of SplitMix64 over a sequence that the seed
/// starts.
const fn scramble(seed: u64, attempt: u32) -> u64 {
    let mut bits = seed.wrapping_add((attempt as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// What a `Retry-After` header says (RFC 9110 10.2.3), told at the moment when the answer came. A value that
/// is not understood is kept, so that the reason can name it, and the schedule's own wait holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RetryAfter {
    /// To wait so long from the moment when the answer came.
    Seconds {
        /// Rounded up, as it was asked for; 86,400 of them are waited at most.
        seconds: u32,
    },
    /// A date that had passed when the answer came: nothing is left to wait for.
    Past,
    /// No form that HTTP knows.
    NotUnderstood {
        /// The value, cut to 100 characters.
        value: String,
    },
}

/// Characters of a header value that are kept where the value is not understood.
pub const NOT_UNDERSTOOD_CHARS_MAX: usize = 100;
/// Values of one `Retry-After` that are looked at: the header comes once, but a proxy may add its own.
const VALUES_MAX: usize = 16;

impl RetryAfter {
    /// Reads the header's value in an answer that came at `now`: whole seconds, one of the three forms of
    /// an HTTP date, and, beyond what the RFC asks for, what receivers send by mistake: decimals (rounded
    /// up), a unit (`45s`, `2 minutes`, `1m30s`, `PT30S`), quotes, a plus sign, a time of RFC 3339 or in
    /// seconds since 1970, `UTC` or an offset such as `+0100` for `GMT`, and several values joined by
    /// commas or semicolons, as two header lines arrive (the longest wait counts).
    #[must_use]
    pub fn read(value: &str, now: Timestamp) -> Self {
        let value = value.trim_matches([' ', '\t']);
        let read = read_one(value, now).or_else(|| {
            // A date holds a comma itself, so each piece is tried alone and together with the next one.
            let pieces: Vec<&str> = value
                .split([',', ';'])
                .map(|piece| piece.trim_matches([' ', '\t']))
                .take(VALUES_MAX)
                .collect();
            let alone = pieces.iter().filter_map(|piece| read_one(piece, now));
            let dates = pieces
                .windows(2)
                .filter_map(|pair| http_date(&pair.join(", "), now))
                .map(|date| Self::until(date, now));
            alone.chain(dates).max_by_key(Self::wait_s)
        });
        read.unwrap_or_else(|| Self::NotUnderstood {
            value: value.chars().take(NOT_UNDERSTOOD_CHARS_MAX).collect(),
        })
    }

    /// Seconds to wait at least, at most [`RETRY_AFTER_MAX_S`]; `None` where the value is not understood.
    #[must_use]
    pub fn wait_s(&self) -> Option<u32> {
        match self {
            Self::Seconds { seconds } => Some((*seconds).min(RETRY_AFTER_MAX_S)),
            Self::Past => Some(0),
            Self::NotUnderstood { .. } => None,
        }
    }

    fn until(date: Timestamp, now: Timestamp) -> Self {
        match u64::try_from(date.ms_since(now)) {
            Ok(wait_ms @ 1..) => {
                Self::Seconds { seconds: u32::try_from(wait_ms.div_ceil(1_000)).unwrap_or(u32::MAX) }
            }
            _ => Self::Past,
        }
    }
}

/// From here on, a number of seconds is a time since 1970 and no wait: nobody waits for 30 years.
const UNIX_TIME_MIN_S: u32 = 1_000_000_000;

/// One value: a length of time or a date.
fn read_one(value: &str, now: Timestamp) -> Option<RetryAfter> {
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    if let Some(seconds) = length_s(value.strip_prefix('+').unwrap_or(value)) {
        return Some(if (UNIX_TIME_MIN_S..u32::MAX).contains(&seconds) {
            RetryAfter::until(Timestamp(i64::from(seconds) * 1_000), now)
        } else {
            RetryAfter::Seconds { seconds }
        });
    }
    let date = http_date(value, now).or_else(|| Timestamp::parse_rfc3339(value));
    date.map(|date| RetryAfter::until(date, now))
}

/// Seconds of a length of time such as `60`, `4.5`, `45s`, `2 minutes`, `1500ms`, `1h30m` or `PT30S` (ISO
/// 8601), rounded up.
fn length_s(value: &str) -> Option<u32> {
    // In a duration of ISO 8601, `T` only parts days from hours.
    let duration = value.strip_prefix(['P', 'p']).map(|duration| duration.replace(['T', 't'], ""));
    let mut rest = duration.as_deref().unwrap_or(value);
    let mut sum = 0_u32;
    loop {
        let (number, behind) = split_where(rest, |c| !c.is_ascii_digit() && c != '.');
        let (unit, behind) = split_where(behind.trim_start(), |c| !c.is_ascii_alphabetic());
        sum = sum.saturating_add(part_s(number, unit)?);
        rest = behind.trim_start();
        if rest.is_empty() {
            return Some(sum);
        }
        if unit.is_empty() {
            return None;
        }
    }
}

/// `text` before and from the first character that `is_next`.
fn split_where(text: &str, is_next: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(is_next).unwrap_or(text.len()))
}

/// Seconds of a number and its unit, rounded up.
fn part_s(number: &str, unit: &str) -> Option<u32> {
    let (factor, divisor): (u64, u64) = match unit.to_ascii_lowercase().as_str() {
        "" | "s" | "sec" | "secs" | "second" | "seconds" => (1, 1),
        "ms" | "msec" | "millisecond" | "milliseconds" => (1, 1_000),
        "m" | "min" | "mins" | "minute" | "minutes" => (60, 1),
        "h" | "hr" | "hrs" | "hour" | "hours" => (3_600, 1),
        "d" | "day" | "days" => (86_400, 1),
        _ => return None,
    };
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && decimals.is_empty()) || decimals.contains('.') {
        return None;
    }
    // More digits than a number has are still "very long"; no digit at all is nothing before a decimal
    // point.
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().unwrap_or(u64::MAX) };
    // A part of a unit counts to the nanosecond, and whatever is left of it as one more.
    let nanos = decimals.bytes().chain(std::iter::repeat(b'0')).take(9);
    let nanos = nanos.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    let rest = u64::from(decimals.bytes().skip(9).any(|digit| digit != b'0'));
    let part = ((nanos + rest) * factor).div_ceil(1_000_000_000);
    let length = whole.saturating_mul(factor).saturating_add(part).div_ceil(divisor);
    Some(u32::try_from(length).unwrap_or(u32::MAX))
}

/// Reads the three forms of an HTTP date (RFC 9110 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`, the obsolete
/// `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`. The name of the weekday is not checked.
fn http_date(text: &str, now: Timestamp) -> Option<Timestamp> {
    const DATE_BYTES_MAX: usize = 64;
    if text.len() > DATE_BYTES_MAX {
        return None;
    }
    let words: Vec<&str> = text.split([' ', ',', '-']).filter(|word| !word.is_empty()).collect();
    let (day, month, year, clock, zone) = match *words.as_slice() {
        [_, day, month, year, clock, zone] => (day, month, year, clock, zone),
        [_, month, day, clock, year] => (day, month, year, clock, "GMT"),
        _ => return None,
    };
    let ahead_s = match zone {
        "GMT" | "UTC" | "Z" => 0,
        zone => ahead_s(zone)?,
    };
    let year: i32 = match (year.len(), number(year)?) {
        (4, year) => year,
        (2, year) => full_year(year, now),
        _ => return None,
    };
    let month = MONTHS.iter().position(|name| *name == month)?;
    let month = time::Month::try_from(u8::try_from(month + 1).ok()?).ok()?;
    let date = time::Date::from_calendar_date(year, month, u8::try_from(number(day)?).ok()?).ok()?;
    let [hour, minute, second] = *clock.split(':').collect::<Vec<_>>().as_slice() else { return None };
    // 60 is a leap second, which Unix time does not have.
    let second = u8::try_from(number(second)?).ok()?.min(59);
    let clock =
        time::Time::from_hms(u8::try_from(number(hour)?).ok()?, u8::try_from(number(minute)?).ok()?, second)
            .ok()?;
    let utc_s = time::OffsetDateTime::new_utc(date, clock).unix_timestamp() - ahead_s;
    Some(Timestamp(utc_s * 1_000))
}

/// Seconds by which a zone is ahead of UTC (RFC 5322 3.3): `+0130`, or `0130` for one that is behind,
/// because a `-` is where a date is split.
fn ahead_s(zone: &str) -> Option<i64> {
    let digits = zone.strip_prefix('+').unwrap_or(zone);
    let (hours, minutes) = digits.split_at_checked(2).filter(|_| digits.len() == 4)?;
    let seconds = i64::from(number(hours)? * 60 + number(minutes)?) * 60;
    Some(if digits.len() < zone.len() { seconds } else { -seconds })
}

/// The year that two digits stand for: of this century, unless that is more than 50 years ahead (RFC 9110
/// 5.6.7).
fn full_year(digits: i32, now: Timestamp) -> i32 {
    let this_year =
        time::OffsetDateTime::from_unix_timestamp(now.unix_s()).map_or(2_000, time::OffsetDateTime::year);
    let year = this_year - this_year.rem_euclid(100) + digits;
    if year > this_year.saturating_add(50) { year - 100 } else { year }
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

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
        fn whatever_the_header_says_is_read_without_a_panic(value in ".{0,160}", now_ms: i64) {
            let read = RetryAfter::read(&value, Timestamp(now_ms));
            prop_assert!(read.wait_s().is_none_or(|seconds| seconds <= RETRY_AFTER_MAX_S));
            if let RetryAfter::NotUnderstood { value: kept } = read {
                prop_assert!(value.contains(&kept) && kept.chars().count() <= NOT_UNDERSTOOD_CHARS_MAX);
            }
        }

        #[test]
        fn decimals_are_never_rounded_down(seconds in 0u32..86_000, decimals in "[0-9]{1,12}") {
            let wait_s = RetryAfter::read(&format!("{seconds}.{decimals}"), Timestamp(0)).wait_s();
            let is_whole = decimals.bytes().all(|digit| digit == b'0');
            prop_assert_eq!(wait_s, Some(seconds + u32::from(!is_whole)));
        }
    }

    #[test]
    fn a_retry_after_that_says_no_time_to_wait_is_told_apart() {
        let now = Timestamp(1_795_270_051_204); // 2026-11-21T14:07:31.204Z
        for (value, read) in [
            ("600", RetryAfter::Seconds { seconds: 600 }),
            ("4.5", RetryAfter::Seconds { seconds: 5 }),
            ("99999999999", RetryAfter::Seconds { seconds: u32::MAX }),
            ("Saturday, 21-Nov-26 14:08:31 GMT", RetryAfter::Seconds { seconds: 60 }),
            ("Sunday, 06-Nov-94 08:49:37 GMT", RetryAfter::Past),
            ("Sun Nov  6 08:49:37 1994", RetryAfter::Past),
            ("60, 120", RetryAfter::Seconds { seconds: 120 }),
            ("60, soon", RetryAfter::Seconds { seconds: 60 }),
            ("Sat, 21 Nov 2026 14:08:31 GMT, 5", RetryAfter::Seconds { seconds: 60 }),
            ("45s", RetryAfter::Seconds { seconds: 45 }),
            ("2 minutes", RetryAfter::Seconds { seconds: 120 }),
            ("1.5 h", RetryAfter::Seconds { seconds: 5_400 }),
            ("0.0000000001m", RetryAfter::Seconds { seconds: 1 }),
            ("1500ms", RetryAfter::Seconds { seconds: 2 }),
            ("\"45\"", RetryAfter::Seconds { seconds: 45 }),
            ("+45", RetryAfter::Seconds { seconds: 45 }),
            ("2026-11-21T14:08:31Z", RetryAfter::Seconds { seconds: 60 }),
            ("2026-11-21T15:08:31+01:00", RetryAfter::Seconds { seconds: 60 }),
            ("Sat, 21 Nov 2026 14:08:31 +0000", RetryAfter::Seconds { seconds: 60 }),
            ("Sat, 21 Nov 2026 14:08:31 UTC", RetryAfter::Seconds { seconds: 60 }),
            ("45 parsecs", RetryAfter::NotUnderstood { value: String::from("45 parsecs") }),
            ("1.2.3", RetryAfter::NotUnderstood { value: String::from("1.2.3") }),
            ("-60", RetryAfter::NotUnderstood { value: String::from("-60") }),
            (" soon ", RetryAfter::NotUnderstood { value: String::from("soon") }),
            ("", RetryAfter::NotUnderstood { value: String::new() }),
            (".", RetryAfter::NotUnderstood { value: String::from(".") }),
        ] {
            assert_eq!(RetryAfter::read(value, now), read, "{value}");
        }
        let long = RetryAfter::read(&"x".repeat(9_000), now);
        assert_eq!(long, RetryAfter::NotUnderstood { value: "x".repeat(NOT_UNDERSTOOD_CHARS_MAX) });
    }

    #[test]
    fn a_timeline_is_what_would_happen_if_each_attempt_failed_at_once() {
        let from = Timestamp(1_795_270_051_204);
        assert_eq!(timeline(None, 7, from).len(), SCHEDULE_S.len());
        assert_eq!(timeline(Some(&[]), 7, from), [from]);
        let waits = [wait_ms(2, Some(&[9, 99]), 7, None), wait_ms(3, Some(&[9, 99]), 7, None)]
            .map(Option::unwrap_or_default);
        let expected = [from, from.plus_ms(waits[0]), from.plus_ms(waits[0] + waits[1])];
        assert_eq!(timeline(Some(&[9, 99]), 7, from), expected);
        assert_eq!(DEFAULT_WAITS_S, &SCHEDULE_S[1..]);
    }

    #[test]
    fn seeds_spread_the_waits_over_the_whole_range() {
        let waits: Vec<i64> = (0..1_000).filter_map(|seed| wait_ms(2, None, seed, None)).collect();
        let below = |limit_ms: i64| waits.iter().filter(|wait| **wait < limit_ms).count();
        assert!(
            (150..350).contains(&below(4_500))
                && (400..600).contains(&below(5_000))
                && (650..850).contains(&below(5_500))
        );
    }
}
