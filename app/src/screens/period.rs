//! A stretch of time as a form asks for it: two fields, each of which may be left empty, in the time of who
//! fills them in.

use leptos::prelude::*;
use postern_core::fault::Fault;
use postern_core::time::Timestamp;

use crate::ui::field::{Bound, TextField};

/// The fields of the start and the end. The start counts, the end does not; each is a local text, as
/// [`local_text`] writes it.
#[component]
pub(crate) fn PeriodFields(
    /// The start.
    #[prop(into)]
    since: Bound<String>,
    /// The end.
    #[prop(into)]
    until: Bound<String>,
    /// What an empty start means, or which time of a thing is asked for.
    since_hint: &'static str,
    /// What is wrong with the start.
    since_fault: Signal<Option<String>>,
    /// What is wrong with the end.
    until_fault: Signal<Option<String>>,
) -> AnyView {
    view! {
        <div class="halves">
            <TextField label="Since" value=since kind="datetime-local" hint=since_hint fault=since_fault />
            <TextField label="Until" value=until kind="datetime-local" hint="Optional: otherwise until now" fault=until_fault />
        </div>
    }
    .into_any()
}

/// What is wrong with a start and an end as they are typed, where local time is `offset_min` minutes ahead of
/// UTC.
pub(crate) fn faults(since: &str, until: &str, offset_min: impl Fn(Timestamp) -> i64) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut read = |key: &str, typed: &str| {
        let at = utc_of(typed, &offset_min);
        if at.is_none() && !typed.trim().is_empty() {
            faults.push(Fault::new(format!("/{key}"), "must be a date and a time"));
        }
        at
    };
    let (since, until) = (read("since", since), read("until", until));
    if let (Some(since), Some(until)) = (since, until)
        && since >= until
    {
        faults.push(Fault::new("/until", "must be later than since"));
    }
    faults
}

/// A time as `<input type=datetime-local>` has it.
pub(crate) fn local_text(at: Timestamp, offset_min: i64) -> String {
    let text = at.plus_ms(offset_min * 60_000).to_rfc3339();
    let text = text.trim_end_matches('Z');
    String::from(text.strip_suffix(".000").unwrap_or(text))
}

/// The time that a local text means.
pub(crate) fn utc_of(local: &str, offset_min: impl Fn(Timestamp) -> i64) -> Option<Timestamp> {
    let local = local.trim();
    let seconds = if local.len() == 16 { ":00" } else { "" };
    let as_if_utc = Timestamp::parse_rfc3339(&format!("{local}{seconds}Z"))?;
    // The offset of the time itself, which differs from that of the text as if it were UTC around a change of
    // clocks.
    let near = as_if_utc.plus_ms(-offset_min(as_if_utc) * 60_000);
    Some(as_if_utc.plus_ms(-offset_min(near) * 60_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp(1_795_270_051_204);

    #[test]
    fn local_times_are_those_of_the_day_that_they_name() {
        // Clocks go forward by an hour at 01:00 UTC.
        let change = Timestamp(AT.0 - AT.0 % 86_400_000 + 3_600_000);
        let offset = |at: Timestamp| if at >= change { 120 } else { 60 };
        for ms in [-7_200_000, -1_000, 0, 1_000, 7_200_000] {
            let at = change.plus_ms(ms);
            assert_eq!(utc_of(&local_text(at, offset(at)), offset), Some(at), "{ms}");
        }
        assert_eq!(utc_of("2026-11-21T15:07", |_| 60), Timestamp::parse_rfc3339("2026-11-21T14:07:00Z"));
        assert_eq!(utc_of("soon", |_| 60), None);
    }
}
