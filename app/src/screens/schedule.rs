//! Retry schedules for people: typed, said in one line, and laid out attempt by attempt. The forms of
//! webhooks and of settings share it.

use leptos::prelude::*;
use postern_core::fault::Fault;
use postern_core::retry::DEFAULT_WAITS_S;
use postern_core::webhook::field::SCHEDULE_WAIT_MAX_S;
use serde_json::Value;

use crate::ui::form::fault_of;
use crate::words;

/// A schedule as it is typed: `5 s, 5 min, 2 h`.
pub(crate) fn text(waits_s: &[u32]) -> String {
    waits_s.iter().map(|wait| words::exact(*wait)).collect::<Vec<_>>().join(", ")
}

/// The schedule that was typed, as JSON. Text that is not a time is sent as it was typed, so that the parser
/// says what it should be.
pub(crate) fn json(typed: &str) -> Value {
    let parts = typed.split([',', ';', '\n']).map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| words::seconds_of(part).map_or_else(|| Value::from(part), Value::from)).collect()
}

/// What is wrong with the schedule that was typed, among all that is wrong.
pub(crate) fn fault(faults: &[Fault]) -> Option<String> {
    let place = faults.iter().find_map(|fault| fault.pointer.strip_prefix("/retry_schedule_s"))?;
    if place.is_empty() {
        return fault_of(faults, "retry_schedule_s");
    }
    let longest = words::exact(SCHEDULE_WAIT_MAX_S);
    Some(format!(
        "Each must be a time from 1 s to {longest}, such as 5 s, 5 min or 2 h, with commas between them."
    ))
}

/// The waits that were typed, where all of them are times.
pub(crate) fn parse(typed: &str) -> Option<Vec<u32>> {
    json(typed)
        .as_array()?
        .iter()
        .map(|wait| wait.as_u64().and_then(|wait| u32::try_from(wait).ok()))
        .collect()
}

/// What stands below a schedule while it is typed: how it is understood, or what one looks like.
pub(crate) fn hint(typed: Memo<Option<Vec<u32>>>) -> Signal<String> {
    Signal::derive(move || {
        typed.get().map_or_else(
            || String::from("Such as 5 s, 5 min, 2 h, 1 d"),
            |waits| format!("Now: {}", summary(&waits)),
        )
    })
}

/// A schedule without waits, in words.
pub(crate) const ONE_ATTEMPT: &str = "one attempt";

/// A schedule in one line: `up to 10 attempts in 3 d 3 h`.
pub(crate) fn summary(waits_s: &[u32]) -> String {
    if waits_s.is_empty() {
        return String::from(ONE_ATTEMPT);
    }
    let total: u64 = waits_s.iter().map(|wait| u64::from(*wait)).sum();
    format!("up to {} attempts in about {}", waits_s.len() + 1, words::span(total))
}

/// The schedule of a webhook that retries, in one line: its own, else its project's, else Postern's. The
/// waits are in seconds. One that does not retry has [`ONE_ATTEMPT`], whatever schedules there are.
pub(crate) fn of_webhook(own: Option<&[u32]>, projects: Option<&[u32]>) -> String {
    match (own, projects) {
        (Some(own), _) => format!("{} (its own schedule)", summary(own)),
        (None, Some(projects)) => format!("{} (the project's schedule)", summary(projects)),
        (None, None) => summary(DEFAULT_WAITS_S),
    }
}

/// When each attempt comes if all before it failed at once, after the first one.
fn offsets_s(waits_s: &[u32]) -> Vec<u64> {
    let mut total = 0u64;
    waits_s
        .iter()
        .map(|wait| {
            total += u64::from(*wait);
            total
        })
        .collect()
}

/// Attempt by attempt: when each would come if all before it failed at once. The spread of the waits is left
/// out.
pub(crate) fn timeline(waits_s: &[u32]) -> AnyView {
    let later = offsets_s(waits_s).into_iter().enumerate().map(|(at, seconds)| {
        view! { <li><b>{format!("Attempt {}", at + 2)}</b>" "{words::span(seconds)}" later"</li> }.into_any()
    });
    view! {
        <ol class="timeline" aria-label="Attempts">
            <li><b>"Attempt 1"</b>" at once"</li>
            {later.collect_view()}
        </ol>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_reads_back_as_it_was_said() {
        assert_eq!(text(DEFAULT_WAITS_S), "5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 1 d");
        assert_eq!(parse(&text(DEFAULT_WAITS_S)).as_deref(), Some(DEFAULT_WAITS_S));
        assert_eq!(parse(""), Some(Vec::new()));
        assert_eq!(parse("5 s, soon"), None);
        assert_eq!(json("5 s, soon"), serde_json::json!([5, "soon"]));
    }

    #[test]
    fn what_is_not_a_wait_is_told_what_one_looks_like() {
        let at = |pointer: &str| [Fault::new(pointer, "must hold at most 20 waits, this holds 21")];
        assert!(
            fault(&at("/retry_schedule_s/3"))
                .is_some_and(|words| words.starts_with("Each must be a time from 1 s to 7 d"))
        );
        assert_eq!(
            fault(&at("/retry_schedule_s")).as_deref(),
            Some("Must hold at most 20 waits, this holds 21.")
        );
        assert_eq!(fault(&at("/name")), None);
    }

    #[test]
    fn a_schedule_is_said_in_one_line() {
        assert_eq!(summary(DEFAULT_WAITS_S), "up to 10 attempts in about 3 d 3 h");
        assert_eq!(of_webhook(Some(&[]), None), "one attempt (its own schedule)");
        assert_eq!(of_webhook(None, Some(&[60])), "up to 2 attempts in about 1 min (the project's schedule)");
        assert_eq!(offsets_s(&[5, 300, 60]), [5, 305, 365]);
    }
}
