//! What the screens of runs show, decided without a browser.

use postern_core::api::run::{CallbackView, RunDetail, RunView};
use postern_core::run::{CallbackKind, CallbackState, RunMode, RunState};
use postern_core::time::Timestamp;
use serde_json::value::RawValue;

use crate::routes::Query;
use crate::ui::badge::Tone;
use crate::ui::rows::store::Row;
use crate::words;

/// Where a run stands, as a word.
pub(super) fn standing(run: &RunView) -> (Tone, String) {
    let (tone, word) = match run.state {
        RunState::Accepted => (Tone::Idle, "Waiting"),
        RunState::Running => (Tone::Busy, "Running"),
        RunState::Finished => (Tone::Good, "Finished"),
        RunState::Error => (Tone::Bad, "Failed"),
        RunState::Terminated => (Tone::Idle, "Terminated"),
    };
    (tone, String::from(word))
}

/// The filter's values: what is shown, and the state as the address has it.
pub(super) const STATES: [(&str, Option<RunState>); 6] = [
    ("All", None),
    ("Waiting", Some(RunState::Accepted)),
    ("Running", Some(RunState::Running)),
    ("Finished", Some(RunState::Finished)),
    ("Failed", Some(RunState::Error)),
    ("Terminated", Some(RunState::Terminated)),
];

/// What a run is called: its label `name`, or else its id.
pub(super) fn title(run: &RunView) -> String {
    run.labels.get("name").filter(|name| !name.is_empty()).unwrap_or(&run.id).clone()
}

/// How far a run is, in words; nothing where nobody said it.
pub(super) fn progress_words(run: &RunView) -> String {
    run.progress
        .map(|progress| format!("step {} of {}, {} %", progress.step, progress.of, progress.percent))
        .unwrap_or_default()
}

/// How long a run has worked, up to `now` where it still does.
///
/// The three say different things because different questions are asked: how long it has waited, how long it
/// has worked, how long it took.
pub(super) fn time_words(run: &RunView, now: Timestamp) -> String {
    let Some(started_at) = run.started_at else {
        return format!("created {}", words::ago(now, run.created_at));
    };
    let ms = run.ended_at.unwrap_or(now).ms_since(started_at).max(0);
    let worked = words::duration(u32::try_from(ms).unwrap_or(u32::MAX));
    match run.ended_at {
        Some(ended_at) => format!("ended {}, took {worked}", words::ago(now, ended_at)),
        None => format!("at work for {worked}"),
    }
}

impl Row for RunView {
    fn id(&self) -> &str {
        &self.id
    }

    fn follows(&self, known: &Self) -> bool {
        known.updated_at <= self.updated_at
    }
}

/// Whether a run belongs to the list of those in `state`, or of all.
pub(super) fn fits(state: Option<RunState>, run: &RunView) -> bool {
    state.is_none_or(|state| state == run.state)
}

/// The query for the API: runs in `state`, or all, from a cursor on.
pub(super) fn api_query(state: Option<RunState>, cursor: Option<&str>) -> Query {
    Query::default()
        .with("limit", Some("50"))
        .with("state", state.map(RunState::as_str))
        .with("cursor", cursor)
}

/// What a callback tells, and whether it did.
pub(super) fn callback_words(callback: &CallbackView) -> (Tone, String, &'static str) {
    let what = match callback.kind {
        CallbackKind::ProbeFinished => "Probe of finished",
        CallbackKind::ProbeUpdate => "Probe of update",
        CallbackKind::Update => "Latest update",
        CallbackKind::Finished => "The end",
    };
    let (tone, word) = match (callback.state, callback.kind.is_probe()) {
        (CallbackState::Waiting, _) => (Tone::Busy, "Waiting"),
        (CallbackState::Leased, _) => (Tone::Busy, "Being called"),
        (CallbackState::Delivered, true) => (Tone::Good, "Passed"),
        (CallbackState::Delivered, false) => (Tone::Good, "Delivered"),
        (CallbackState::Failed, _) => (Tone::Bad, "Failed"),
        (CallbackState::Cancelled, _) => (Tone::Idle, "Cancelled"),
    };
    (tone, String::from(word), what)
}

/// Whether the page offers to send a callback again: what the API would refuse for certain is not offered.
///
/// The edge decides in the end. An update of a run that has ended is one that the end has replaced.
pub(super) fn can_resend(run: RunState, callback: &CallbackView) -> bool {
    let is_planned = callback.next_at.is_some();
    match (callback.kind, callback.state) {
        (CallbackKind::ProbeFinished | CallbackKind::ProbeUpdate, _)
        | (_, CallbackState::Leased | CallbackState::Cancelled) => false,
        (CallbackKind::Update, _) if run.is_final() => false,
        (_, CallbackState::Waiting) => is_planned,
        (_, CallbackState::Failed | CallbackState::Delivered) => true,
    }
}

/// Why a run stands where it stands, and what to do; nothing where there is nothing to say.
pub(super) fn advice(run: &RunView) -> &'static str {
    match (run.state, run.mode) {
        (RunState::Accepted, RunMode::Work) if run.claim > 0 => {
            "The executor said nothing for the length of its lease. The run is offered to the next one that asks."
        }
        (RunState::Accepted, RunMode::Work) => {
            "It waits for an executor: a program of yours that claims runs, does what their chains say and \
             reports its progress."
        }
        (RunState::Accepted, RunMode::Validation) => "Its addresses are being probed.",
        (RunState::Error, _) if run.started_at.is_none() => {
            "It never started. If an address could not be accessed: it must answer a GET with 200."
        }
        _ => "",
    }
}

/// The log as text, an entry a line; texts stand without their quotes.
pub(super) fn log_text(run: &RunDetail) -> String {
    let mut lines: Vec<String> = run.log.iter().map(|entry| line_of(entry)).collect();
    if run.log_dropped > 0 {
        lines.insert(
            0,
            format!("… {} older had to make room", words::count(run.log_dropped, "entry", "entries")),
        );
    }
    lines.join("\n")
}

/// A line of a run's log as it is shown.
///
/// An executor may log any JSON. A text is what most of them log, and quotes and escapes would only be in the
/// way.
fn line_of(entry: &RawValue) -> String {
    serde_json::from_str::<String>(entry.get()).unwrap_or_else(|_no_text| String::from(entry.get()))
}

/// A first run, for somebody who has none: the command that creates it.
pub(super) fn first_run(origin: &str, path: &str) -> String {
    let chain = r#"{"version": "1", "list": [{"id": "1", "exe": "/bin/sleep", "params": ["5"]}]}"#;
    [
        format!("curl -X POST {origin}{path} \\"),
        String::from("  -H \"authorization: Bearer $TOKEN\" -H 'content-type: application/json' \\"),
        format!("  -d '{{\"labels\": {{\"name\": \"my first run\"}}, \"chain\": {chain}}}'"),
    ]
    .join("\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use leptos::prelude::GetUntracked;
    use postern_core::run::Progress;

    use super::*;
    use crate::ui::rows::store::{Offered, Sorting, Store};

    const NOW: Timestamp = Timestamp(1_795_270_051_204);

    fn run(id: &str, state: RunState) -> RunView {
        RunView {
            id: String::from(id),
            state,
            mode: RunMode::Work,
            message: String::new(),
            progress: None,
            claim: 0,
            lease_until: None,
            labels: BTreeMap::new(),
            webhooks: None,
            created_at: NOW,
            started_at: None,
            updated_at: NOW,
            ended_at: None,
        }
    }

    #[test]
    fn a_run_that_changed_takes_its_place() {
        let mut store = Store::new(Sorting::Newest);
        store.replace(&[run("run_3", RunState::Running), run("run_1", RunState::Running)]);
        assert_eq!(store.offer(&run("run_4", RunState::Accepted)), Offered::Top);
        // Ids are ordered by time: an older run that starts to fit belongs further down.
        assert_eq!(store.offer(&run("run_2", RunState::Accepted)), Offered::Within);
        assert_eq!(store.offer(&run("run_1", RunState::Finished)), Offered::Known);
        assert_eq!(
            store.signal::<RunView>("run_1").map(|run| run.get_untracked().state),
            Some(RunState::Finished)
        );
    }

    #[test]
    fn a_list_of_one_state_has_only_runs_in_it() {
        assert!(
            fits(None, &run("run_1", RunState::Error))
                && fits(Some(RunState::Error), &run("run_1", RunState::Error))
        );
        assert!(!fits(Some(RunState::Running), &run("run_1", RunState::Error)));
        assert_eq!(api_query(Some(RunState::Error), Some("c")).text(), "?limit=50&state=error&cursor=c");
    }

    #[test]
    fn a_run_says_how_far_it_is_and_how_long_it_took() {
        let mut shown = run("run_1", RunState::Running);
        assert_eq!((progress_words(&shown).as_str(), title(&shown).as_str()), ("", "run_1"));
        shown.progress = Some(Progress::new(1, 4, None));
        shown.labels.insert(String::from("name"), String::from("tiles"));
        shown.started_at = Some(NOW);
        assert_eq!((progress_words(&shown).as_str(), title(&shown).as_str()), ("step 1 of 4, 25 %", "tiles"));
        assert!(time_words(&shown, NOW.plus_ms(2_000)).starts_with("at work for"));
        shown.ended_at = Some(NOW.plus_ms(1_000));
        assert!(time_words(&shown, NOW.plus_ms(60_000)).contains("took"));
    }

    #[test]
    fn every_state_has_its_word_and_its_filter() {
        let words: Vec<String> =
            RunState::ALL.into_iter().map(|state| standing(&run("run_1", state)).1).collect();
        let filters: Vec<&str> = STATES.into_iter().skip(1).map(|(word, _)| word).collect();
        assert_eq!(words, filters);
        assert_eq!(STATES.into_iter().filter_map(|(_, state)| state).collect::<Vec<_>>(), RunState::ALL);
    }

    #[test]
    fn what_the_api_would_refuse_is_not_offered() {
        let callback = |kind, state, next_at| CallbackView {
            kind,
            url: String::new(),
            state,
            next_at,
            reason: postern_core::run::reason(kind, state, next_at, &[]),
            attempts: Vec::new(),
        };
        let webhooks = postern_core::run::Webhooks {
            finished: postern_core::run::Target { url: String::new(), authorization: None },
            update: None,
            user: None,
            forgotten: false,
        };
        for kind in CallbackKind::ALL {
            for state in CallbackState::ALL {
                for run in RunState::ALL {
                    for next_at in [None, Some(NOW)] {
                        let offered = can_resend(run, &callback(kind, state, next_at));
                        let taken =
                            postern_core::run::may_resend(kind, run, state, next_at, &webhooks).is_ok();
                        assert!(taken || !offered, "{kind:?} {state:?} {run:?} {next_at:?}");
                    }
                }
            }
        }
        assert!(can_resend(RunState::Error, &callback(CallbackKind::Finished, CallbackState::Failed, None)));
    }

    #[test]
    fn the_first_run_is_one_that_is_accepted() {
        let command = first_run("https://h.example", "/v1/projects/demo/runs");
        let body = command.split("-d '").nth(1).and_then(|rest| rest.strip_suffix('\'')).unwrap_or_default();
        let entry =
            postern_core::run::Entry { origin: String::new(), path: String::new(), endpoint: String::new() };
        assert!(
            postern_core::run::parse::create(body, &postern_core::egress::Policy::default(), entry).is_ok(),
            "{body}"
        );
    }
}
