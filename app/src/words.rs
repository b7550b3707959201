//! How states, times, sizes and shares are said. Plain functions of values: the clock is an argument.

use postern_core::api::webhook::{HealthStatus, WebhookView};
use postern_core::delivery::State;
use postern_core::time::Timestamp;

use crate::ui::badge::Tone;

/// What a person calls a state, and what it means.
///
/// Not the API's word: `leased` and `dead` are right in a program and say nothing to a person. Filters in the
/// address keep the API's.
pub(crate) const fn state_word(state: State) -> (Tone, &'static str) {
    match state {
        State::Pending => (Tone::Busy, "Pending"),
        State::Leased => (Tone::Busy, "Calling"),
        State::Waiting => (Tone::Busy, "Waiting"),
        State::Delivered => (Tone::Good, "Delivered"),
        State::Dead => (Tone::Bad, "Gave up"),
        State::Cancelled => (Tone::Idle, "Cancelled"),
    }
}

/// Why deliveries of a webhook are held, in a few words.
///
/// Only for a delivery that is held. Health comes before limits: a webhook that fails is at its limit of one
/// call as well, and that is not why.
pub(crate) fn hold_words(webhook: &WebhookView) -> &'static str {
    if !webhook.enabled {
        return "webhook disabled";
    }
    if webhook.paused {
        return "webhook paused";
    }
    match webhook.health.status {
        HealthStatus::Failing => "webhook failing",
        HealthStatus::Throttled => "webhook throttled",
        HealthStatus::Disabled | HealthStatus::Paused | HealthStatus::Healthy if webhook.ordered => {
            "waits for its turn"
        }
        HealthStatus::Disabled | HealthStatus::Paused | HealthStatus::Healthy => "at a limit",
    }
}

/// How long ago `then` was, seen from `now`: `now`, `12 s ago`, `3 min ago`, `2 h ago`, `5 d ago`.
///
/// A time that has not come yet, because the clocks of browser and server differ, is "just now".
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
///
/// Hours, minutes and seconds, as a clock shows them: it is watched while it runs.
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
///
/// Rounded, in milliseconds up to a second and with a digit less from ten seconds on: three digits are as
/// much as anybody compares.
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

/// A span of time in its two largest units: `45 s`, `1 min 30 s`, `2 h`, `3 d 4 h`.
pub(crate) fn span(seconds: u64) -> String {
    /// Units of a span, in seconds, the largest first.
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let at = UNITS.iter().position(|(length, _)| seconds >= *length).unwrap_or(UNITS.len() - 1);
    let (length, unit) = UNITS[at];
    let rest = seconds % length;
    match UNITS.get(at + 1).map(|(length, unit)| (rest / length, unit)).filter(|(count, _)| *count > 0) {
        Some((count, smaller)) => format!("{} {unit} {count} {smaller}", seconds / length),
        None => format!("{} {unit}", seconds / length),
    }
}

/// Seconds in as few letters as say them exactly: `90 s`, `5 min`, `2 h`, `3 d`. [`seconds_of`] reads it.
pub(crate) fn exact(seconds: u32) -> String {
    match seconds {
        0 => String::from("0 s"),
        _ if seconds.is_multiple_of(86_400) => format!("{} d", seconds / 86_400),
        _ if seconds.is_multiple_of(3_600) => format!("{} h", seconds / 3_600),
        _ if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}

/// The seconds that a person means by `90`, `90 s`, `5min`, `2 h` or `3 d`.
pub(crate) fn seconds_of(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let length = match unit.trim() {
        "" | "s" | "sec" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<u32>().ok()?.checked_mul(length)
}

/// A number with its thousands apart: `128,402`.
///
/// The comma whatever the browser's language is: the page is in English.
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut said = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            said.push(',');
        }
        said.push(digit);
    }
    said
}

/// A size, rounded down: `842 B`, `1.4 KiB`, `7.4 GiB`.
pub(crate) fn bytes(count: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| count >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", count / unit, count % unit * 10 / unit),
        None => format!("{count} B"),
    }
}

/// An English text as a sentence: `must be a URL` reads `Must be a URL.`
///
/// For what parsers say of a field, which fits into a longer sentence as well.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| String::from(first.to_ascii_uppercase())).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

/// A share in per cent with one decimal, rounded down so that only everything is `100 %`; `—` of nothing.
///
/// Computed in whole numbers: a share of counts has no other precision, and the standard library's printer of
/// floats brings 10 KB.
pub(crate) fn percent(part: impl Into<u64>, whole: impl Into<u64>) -> String {
    let (part, whole) = (part.into(), whole.into());
    if whole == 0 {
        return String::from("—");
    }
    let tenths = part.saturating_mul(1_000) / whole;
    if tenths.is_multiple_of(10) {
        format!("{} %", tenths / 10)
    } else {
        format!("{}.{} %", tenths / 10, tenths % 10)
    }
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
        let said = |part: u32, whole: u32| percent(part, whole);
        assert_eq!(said(9_999, 10_000), "99.9 %");
        assert_eq!(said(42, 42), "100 %");
        assert_eq!(said(0, 3), "0 %");
        assert_eq!(said(0, 0), "—");
    }

    #[test]
    fn spans_are_said_in_their_two_largest_units() {
        for (seconds, said) in [
            (0, "0 s"),
            (45, "45 s"),
            (90, "1 min 30 s"),
            (7_200, "2 h"),
            (270_000, "3 d 3 h"),
            (86_460, "1 d"),
        ] {
            assert_eq!(span(seconds), said);
        }
    }

    #[test]
    fn a_wait_reads_back_as_it_was_said() {
        for seconds in [1, 59, 60, 90, 300, 3_600, 86_400, 604_800] {
            assert_eq!(seconds_of(&exact(seconds)), Some(seconds));
        }
        assert_eq!([" 5m", "2h", "7"].map(seconds_of), [Some(300), Some(7_200), Some(7)]);
        assert_eq!(["", "soon", "5 x", "-1", "99999999 d"].map(seconds_of), [None; 5]);
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(
            [0, 999, 1_000, 128_402, 1_000_000].map(number),
            ["0", "999", "1,000", "128,402", "1,000,000"]
        );
    }

    #[test]
    fn times_are_said_in_local_time() {
        assert_eq!(time_of_day(NOW, 60), "15:07:31.204");
        assert_eq!(date_time(NOW, -15 * 60), "2026-11-20 23:07:31");
    }

    #[test]
    fn sizes_and_waits_are_short() {
        assert_eq!((bytes(842), bytes(1_434)), (String::from("842 B"), String::from("1.4 KiB")));
        assert_eq!(
            (wait(0), wait(300), wait(7_200)),
            (String::from("at once"), String::from("5 min"), String::from("2 h"))
        );
        assert_eq!(count(1, "delivery", "deliveries"), "1 delivery");
    }
}
