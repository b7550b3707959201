//! How times, sizes and shares are said. Plain functions of values: the clock is an argument.

use postern_core::time::Timestamp;

/// How long ago `then` was, seen from `now`: `now`, `12 s ago`, `3 min ago`, `2 h ago`, `5 d ago`.
pub(crate) fn ago(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.ms_since(then).max(0) / 1_000;
    match seconds {
        0..=1 => String::from("just now"),
        2..=59 => format!("{seconds} s ago"),
        60..=3_599 => format!("{} min ago", seconds / 60),
        3_600..=86_399 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// Time left until `then`: `0:41`, `29:05`, `4:59:30`; `now` once it has come.
pub(crate) fn countdown(now: Timestamp, then: Timestamp) -> String {
    // Rounded up, so that "0:01" stays until the moment itself.
    let seconds = then.ms_since(now).saturating_add(999).div_euclid(1_000);
    if seconds <= 0 {
        return String::from("now");
    }
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// A duration as people say it: `63 ms`, `1.92 s`, `10.0 s`.
pub(crate) fn duration(ms: u32) -> String {
    match ms {
        0..=999 => format!("{ms} ms"),
        1_000..=9_994 => format!("{}.{:02} s", (ms + 5) / 1_000, (ms + 5) % 1_000 / 10),
        _ => format!("{}.{} s", (ms + 50) / 1_000, (ms + 50) % 1_000 / 100),
    }
}

/// A wait from a schedule: `at once`, `5 s`, `30 min`, `2 h`.
pub(crate) fn wait(seconds: u32) -> String {
    match seconds {
        0 => String::from("at once"),
        1..=59 => format!("{seconds} s"),
        60..=3_599 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    }
}

/// A size: `842 B`, `1.4 KiB`.
pub(crate) fn bytes(count: u32) -> String {
    if count < 1_024 { format!("{count} B") } else { format!("{}.{} KiB", count / 1_024, count % 1_024 * 10 / 1_024) }
}

/// A share in per cent with one decimal, rounded down so that only everything is `100 %`; `—` of nothing.
pub(crate) fn percent(part: u32, whole: u32) -> String {
    if whole == 0 {
        return String::from("—");
    }
    let tenths = u64::from(part) * 1_000 / u64::from(whole);
    if tenths.is_multiple_of(10) { format!("{} %", tenths / 10) } else { format!("{}.{} %", tenths / 10, tenths % 10) }
}

/// `1 webhook`, `2 webhooks`.
pub(crate) fn count(number: u32, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

/// The time of day with milliseconds, `14:07:31.204`, where local time is `offset_min` minutes ahead of UTC.
pub(crate) fn time_of_day(at: Timestamp, offset_min: i64) -> String {
    let text = at.plus_ms(offset_min * 60_000).to_rfc3339();
    text.get(11..23).map(String::from).unwrap_or_default()
}

/// Date and time to the second, `2026-11-21 14:07:31`, where local time is `offset_min` minutes ahead of UTC.
pub(crate) fn date_time(at: Timestamp, offset_min: i64) -> String {
    let text = at.plus_ms(offset_min * 60_000).to_rfc3339();
    match (text.get(..10), text.get(11..19)) {
        (Some(date), Some(time)) => format!("{date} {time}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_270_051_204);

    #[test]
    fn the_past_is_said_in_the_largest_fitting_unit() {
        let said = |ms: i64| ago(NOW, NOW.plus_ms(-ms));
        assert_eq!(said(400), "just now");
        assert_eq!(said(12_000), "12 s ago");
        assert_eq!(said(3 * 60_000 + 1), "3 min ago");
        assert_eq!(said(26 * 3_600_000), "1 d ago");
        assert_eq!(said(-5_000), "just now");
    }

    #[test]
    fn a_countdown_ends_with_now() {
        let said = |ms: i64| countdown(NOW, NOW.plus_ms(ms));
        assert_eq!(said(41_000), "0:41");
        assert_eq!(said(1), "0:01");
        assert_eq!(said(0), "now");
        assert_eq!(said(-9_000), "now");
        assert_eq!(said(4 * 3_600_000 + 59_000), "4:00:59");
    }

    #[test]
    fn durations_keep_three_figures() {
        for (ms, said) in [
            (63, "63 ms"),
            (999, "999 ms"),
            (1_920, "1.92 s"),
            (9_994, "9.99 s"),
            (9_995, "10.0 s"),
            (10_049, "10.0 s"),
            (30_000, "30.0 s"),
        ] {
            assert_eq!(duration(ms), said);
        }
    }

    #[test]
    fn only_everything_is_a_hundred_per_cent() {
        assert_eq!(percent(9_999, 10_000), "99.9 %");
        assert_eq!(percent(42, 42), "100 %");
        assert_eq!(percent(0, 3), "0 %");
        assert_eq!(percent(0, 0), "—");
    }

    #[test]
    fn times_are_said_in_local_time() {
        assert_eq!(time_of_day(NOW, 60), "15:07:31.204");
        assert_eq!(date_time(NOW, -15 * 60), "2026-11-20 23:07:31");
    }

    #[test]
    fn sizes_and_waits_are_short() {
        assert_eq!((bytes(842), bytes(1_434)), (String::from("842 B"), String::from("1.4 KiB")));
        assert_eq!((wait(0), wait(300), wait(7_200)), (String::from("at once"), String::from("5 min"), String::from("2 h")));
        assert_eq!(count(1, "delivery", "deliveries"), "1 delivery");
    }
}
