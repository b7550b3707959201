//! Times as they are typed into the query bar and as they stand in the address: so long before now, which
//! stays so in a link, or a moment.

use postern_core::time::Timestamp;

use crate::screens::period::{local_text, utc_of};
use crate::words;

/// What a time may be, in words that say what to write.
pub(super) const RULE: &str =
    "is not a time: write 15m, 1h or 7d for so long ago, or a time such as 2026-11-30T10:00";

/// A time of the address: `1h` for an hour before it is asked for, or RFC 3339.
pub(super) fn at(text: &str, now: Timestamp) -> Option<Timestamp> {
    match ago_ms(text) {
        Some(ms) => Some(now.plus_ms(-ms)),
        None => Timestamp::parse_rfc3339(text),
    }
}

/// What was typed, as the address has it. A date or a time without an offset is local; `offset_min` are the
/// minutes that local time is ahead of UTC.
pub(super) fn of_typed(typed: &str, now: Timestamp, offset_min: impl Fn(Timestamp) -> i64) -> Option<String> {
    if ago_ms(typed).is_some() {
        return Some(String::from(typed));
    }
    let today = |ago_ms: i64| {
        let then = now.plus_ms(-ago_ms);
        local_text(then, offset_min(then)).chars().take(10).collect::<String>()
    };
    let local = match typed {
        "today" => format!("{}T00:00", today(0)),
        "yesterday" => format!("{}T00:00", today(DAY_MS)),
        _ if typed.len() == 10 => format!("{typed}T00:00"),
        _ if typed.len() == 5 => format!("{}T{typed}", today(0)),
        _ => typed.replacen(' ', "T", 1),
    };
    let at = Timestamp::parse_rfc3339(&local).or_else(|| utc_of(&local, offset_min))?;
    Some(at.to_rfc3339())
}

/// A time of the address as it would be typed; the local one for a moment.
pub(super) fn typed_of(text: &str, offset_min: impl Fn(Timestamp) -> i64) -> String {
    match Timestamp::parse_rfc3339(text) {
        Some(at) => local_text(at, offset_min(at)),
        None => String::from(text),
    }
}

/// A time of the address in words: `1 h ago`, `2026-11-30 10:00:00`.
pub(super) fn said(text: &str, offset_min: impl Fn(Timestamp) -> i64) -> String {
    match (ago_ms(text), Timestamp::parse_rfc3339(text)) {
        (Some(ms), _) => format!("{} ago", words::span(u64::try_from(ms / 1_000).unwrap_or_default())),
        (None, Some(at)) => words::date_time(at, offset_min(at)),
        (None, None) => String::from(text),
    }
}

const DAY_MS: i64 = 86_400_000;

/// Milliseconds of a length with its unit. A number alone could be anything.
fn ago_ms(text: &str) -> Option<i64> {
    let has_unit = text.ends_with(|last: char| last.is_ascii_lowercase());
    let seconds = words::seconds_of(text).filter(|_| has_unit)?;
    Some(i64::from(seconds) * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T14:07:31.204Z.
    const NOW: Timestamp = Timestamp(1_795_270_051_204);

    fn typed(text: &str) -> Option<String> {
        of_typed(text, NOW, |_| 60)
    }

    #[test]
    fn a_length_stays_one_and_is_counted_from_when_it_is_asked_for() {
        assert_eq!(typed("1h").as_deref(), Some("1h"));
        assert_eq!(at("1h", NOW), Some(NOW.plus_ms(-3_600_000)));
        assert_eq!(at("15m", NOW.plus_ms(1)), Some(NOW.plus_ms(1 - 900_000)));
        assert_eq!(said("90m", |_| 60), "1 h 30 min ago");
    }

    #[test]
    fn a_local_time_becomes_a_moment() {
        for (text, expected) in [
            ("2026-11-21T15:00", "2026-11-21T14:00:00.000Z"),
            ("2026-11-21 15:00", "2026-11-21T14:00:00.000Z"),
            ("2026-11-21", "2026-11-20T23:00:00.000Z"),
            ("2026-11-21T15:00:00Z", "2026-11-21T15:00:00.000Z"),
            ("today", "2026-11-20T23:00:00.000Z"),
            ("yesterday", "2026-11-19T23:00:00.000Z"),
            ("08:30", "2026-11-21T07:30:00.000Z"),
        ] {
            assert_eq!(typed(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(typed_of("2026-11-21T14:00:00.000Z", |_| 60), "2026-11-21T15:00:00");
        assert_eq!(said("2026-11-21T14:00:00.000Z", |_| 60), "2026-11-21 15:00:00");
    }

    #[test]
    fn what_is_not_a_time_is_none() {
        for text in ["", "soon", "60", "1 fortnight", "2026-13-01", "25:00", "-1h", "ééééé", "h"] {
            assert_eq!(typed(text), None, "{text}");
            assert_eq!(at(text, NOW), None, "{text}");
        }
    }
}
