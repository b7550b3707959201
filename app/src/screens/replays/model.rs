//! What a replay is to send again: as it is typed, as JSON, and in words.

use postern_core::api::page::Page;
use postern_core::api::replay::{COUNTED_MAX, ReplayCount, ReplayState, ReplayView};
use postern_core::delivery::State;
use postern_core::fault::{Fault, InputFault};
use postern_core::filter::EventPattern;
use postern_core::replay::{self, ReplayQuery};
use postern_core::time::Timestamp;
use reactive_stores::Store;
use serde_json::{Map, Value, json};

use crate::routes::Query;
use crate::screens::find::{Subject, Token, chips};
use crate::screens::period::{local_text, utc_of};
use crate::ui::badge::Tone;
use crate::words::{self, state_word};

/// What is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Deliveries that ended.
    Ended,
    /// Events that a webhook wants and has no delivery of.
    Missing,
}

impl Kind {
    /// As it stands in the address.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Missing => "missing",
        }
    }

    /// Reads it from there.
    pub(super) fn parse(name: &str) -> Option<Self> {
        [Self::Ended, Self::Missing].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// The form as it is filled in. Times and patterns are texts until they are parsed: half of one must stay as
/// it was typed.
#[derive(Clone, Debug, PartialEq, Eq, Store)]
pub(super) struct ReplayDraft {
    /// What is sent again.
    pub(super) kind: Kind,
    /// A webhook's name; empty for all.
    pub(super) webhook: String,
    /// Local date and time, as `<input type=datetime-local>` has it; empty for none.
    pub(super) since: String,
    /// As `since`.
    pub(super) until: String,
    /// Which of [`replay::STATES`].
    pub(super) states: [bool; replay::STATES.len()],
    /// Patterns, separated by white space or commas.
    pub(super) types: String,
}

impl ReplayDraft {
    /// What the address asks for, where local time is `offset_min` minutes ahead of UTC.
    ///
    /// A state of the address is the only one that is chosen then; without one, all but `delivered` are: what
    /// arrived is seldom meant to be sent again.
    pub(super) fn of(page: &Query, offset_min: impl Fn(Timestamp) -> i64) -> Self {
        let text = |key: &str| page.value(key).unwrap_or_default();
        let time = |key: &str| {
            page.value(key)
                .and_then(|text| Timestamp::parse_rfc3339(&text))
                .map(|at| local_text(at, offset_min(at)))
        };
        let state = page
            .value("state")
            .and_then(|state| State::parse(&state))
            .filter(|state| replay::STATES.contains(state));
        let is_on = |known: State| state.map_or(known != State::Delivered, |state| state == known);
        Self {
            kind: page.value("replay").and_then(|name| Kind::parse(&name)).unwrap_or(Kind::Ended),
            webhook: text("webhook"),
            since: time("since").unwrap_or_default(),
            until: time("until").unwrap_or_default(),
            states: replay::STATES.map(is_on),
            types: text("type"),
        }
    }

    /// The body that counts what would be sent, and sends nothing.
    pub(super) fn count_json(&self, offset_min: impl Fn(Timestamp) -> i64) -> Value {
        let mut body = self.json(offset_min);
        body["dry_run"] = json!(true);
        body
    }

    /// The body that starts it.
    pub(super) fn json(&self, offset_min: impl Fn(Timestamp) -> i64) -> Value {
        let mut body = Map::new();
        let mut set = |key: &str, value: Value| drop(body.insert(String::from(key), value));
        if !self.webhook.trim().is_empty() {
            set("webhook", json!(self.webhook.trim()));
        }
        for (key, typed) in [("since", &self.since), ("until", &self.until)] {
            if !typed.trim().is_empty() {
                // Text that is not a time is sent as it was typed, so that the parser says so.
                set(
                    key,
                    utc_of(typed, &offset_min).map_or_else(|| json!(typed), |at| json!(at.to_rfc3339())),
                );
            }
        }
        if self.kind == Kind::Missing {
            set("missing", json!(true));
        } else {
            let states = replay::STATES
                .iter()
                .zip(self.states)
                .filter(|(_, is_on)| *is_on)
                .map(|(state, _)| state.as_str());
            set("states", states.collect());
        }
        let types: Vec<&str> = self
            .types
            .split(|c: char| c.is_whitespace() || c == ',')
            .filter(|part| !part.is_empty())
            .collect();
        if !types.is_empty() {
            set("types", json!(types));
        }
        Value::Object(body)
    }
}

/// The filters of the list of deliveries that a replay cannot follow, in words.
pub(super) fn beyond(page: &Query, offset_min: impl Fn(Timestamp) -> i64) -> Vec<String> {
    let is_ended = page
        .value(Token::State.key())
        .is_none_or(|state| State::parse(&state).is_some_and(|state| replay::STATES.contains(&state)));
    let can_follow = |token: Token| match token {
        Token::Since | Token::Until | Token::Webhook | Token::Type => true,
        Token::State => is_ended,
        Token::Status | Token::Attempts | Token::Label | Token::Object | Token::Event | Token::Text => false,
    };
    let chips = chips(Subject::Deliveries, page, offset_min);
    chips.into_iter().filter(|chip| !can_follow(chip.token)).map(|chip| chip.words).collect()
}

/// What the edge would say is wrong with a body.
pub(super) fn faults(body: &Value) -> Vec<Fault> {
    match replay::parse(&body.to_string()) {
        Ok(_) => Vec::new(),
        Err(InputFault::Invalid(faults)) => faults.into_named(),
        Err(InputFault::Malformed(detail)) => vec![Fault::new("", detail)],
    }
}

/// How many there are.
pub(super) fn count_words(count: ReplayCount, kind: Kind) -> String {
    let (one, many, would) = match kind {
        Kind::Ended => ("delivery", "deliveries", "sent again"),
        Kind::Missing => ("event", "events", "sent"),
    };
    let number = words::number(u64::from(count.count));
    let what = if count.count == 1 { one } else { many };
    match (count.count, count.capped) {
        (0, true) => format!("There are too many {many} to count: none of those looked at would be {would}."),
        (0, false) if kind == Kind::Ended => String::from("No delivery fits: nothing would be sent."),
        (0, false) => String::from("It has missed nothing: every event that it wants has a delivery."),
        (_, false) => format!("{number} {what} would be {would}."),
        (_, true) => format!("At least {number} {what} would be {would}."),
    }
}

/// Whether a replay may send anything.
pub(super) const fn may_send(count: ReplayCount) -> bool {
    count.count > 0 || count.capped
}

/// What the button says that sends them.
///
/// The number stands on the button itself, so that nobody presses it for another number than the one that was
/// counted. Where counting stopped early, all of them are sent and no number is promised.
pub(super) fn start_words(count: ReplayCount, kind: Kind) -> String {
    let number = words::number(u64::from(count.count));
    match (count.count, kind) {
        (_, Kind::Ended) if count.capped => String::from("Send all that fit again"),
        (_, Kind::Missing) if count.capped => String::from("Send all that are missing"),
        (1, Kind::Ended) => String::from("Send 1 delivery again"),
        (1, Kind::Missing) => String::from("Send 1 event"),
        (_, Kind::Ended) => format!("Send {number} deliveries again"),
        (_, Kind::Missing) => format!("Send {number} events"),
    }
}

/// How long a replay that has ended stays in sight.
const RECENT_MS: i64 = 10 * 60_000;

/// The ids of the replays that run or have just ended, and of those that ended earlier.
///
/// Ids and not the replays: the rows follow the list by themselves, and the two lists change only when one
/// moves from the first to the second.
pub(super) fn recent_and_earlier(replays: &[ReplayView], now: Timestamp) -> (Vec<String>, Vec<String>) {
    let is_recent =
        |replay: &&ReplayView| replay.ended_at.is_none_or(|ended_at| now.ms_since(ended_at) < RECENT_MS);
    let (recent, earlier): (Vec<&ReplayView>, Vec<&ReplayView>) = replays.iter().partition(is_recent);
    let ids = |replays: Vec<&ReplayView>| replays.into_iter().map(|replay| replay.id.clone()).collect();
    (ids(recent), ids(earlier))
}

/// What a replay is about.
///
/// A sentence for the row of a replay, which outlives the form in which it was chosen: it says everything
/// that was asked for and nothing that was not.
pub(super) fn query_words(query: &ReplayQuery, date_time: impl Fn(Timestamp) -> String) -> String {
    let what = if query.missing {
        String::from("Events without a delivery")
    } else {
        let states: Vec<String> =
            query.states.iter().map(|state| state_word(*state).1.to_ascii_lowercase()).collect();
        format!("Deliveries that were {}", states.join(" or ").replace("gave up", "given up"))
    };
    let webhook = query.webhook.as_ref().map(|webhook| format!(" to {webhook}")).unwrap_or_default();
    let types: Vec<&str> = query.types.iter().map(EventPattern::as_str).collect();
    let types = if types.is_empty() { String::new() } else { format!(", of {}", types.join(" or ")) };
    let when = match (query.since, query.until) {
        (Some(since), Some(until)) => format!(", from {} to {}", date_time(since), date_time(until)),
        (Some(since), None) => format!(", since {}", date_time(since)),
        (None, Some(until)) => format!(", before {}", date_time(until)),
        (None, None) => String::new(),
    };
    format!("{what}{webhook}{types}{when}")
}

/// Where a replay stands, as a word.
pub(super) fn standing(replay: &ReplayView) -> (Tone, String) {
    match replay.state {
        ReplayState::Running => (Tone::Busy, String::from("Running")),
        ReplayState::Done => (Tone::Good, String::from("Done")),
        ReplayState::Cancelled => (Tone::Idle, String::from("Cancelled")),
    }
}

/// How far a replay is.
///
/// Running, it says how many were looked at, because that is what moves; ended, only what was sent. `+`
/// stands where counting stopped at its limit.
pub(super) fn progress_words(replay: &ReplayView) -> String {
    let (scanned, total) = (words::number(u64::from(replay.scanned)), words::number(u64::from(replay.total)));
    let more = if replay.total >= COUNTED_MAX { "+" } else { "" };
    let sent = words::number(u64::from(replay.replayed));
    match replay.state {
        ReplayState::Running => format!("{scanned} of {total}{more} looked at, {sent} sent"),
        ReplayState::Done => format!("{sent} sent"),
        ReplayState::Cancelled => format!("{sent} sent before it was cancelled"),
    }
}

/// Puts a change into the list: a known replay in its place, a new one on top. Never goes back from an end to
/// running.
pub(super) fn take_in(list: &mut Page<ReplayView>, replay: &ReplayView) {
    match list.items.iter_mut().find(|known| known.id == replay.id) {
        Some(known) if known.state == ReplayState::Running && known.scanned <= replay.scanned => {
            *known = replay.clone();
        }
        Some(_) => {}
        None => list.items.insert(0, replay.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp(1_795_270_051_204);

    fn draft() -> ReplayDraft {
        ReplayDraft::of(&Query::default(), |_| 60)
    }

    #[test]
    fn nothing_typed_is_what_did_not_arrive() {
        assert_eq!(draft().count_json(|_| 60), json!({ "states": ["dead", "cancelled"], "dry_run": true }));
        assert_eq!(faults(&draft().count_json(|_| 60)), []);
    }

    #[test]
    fn the_address_fills_the_form() {
        let page = Query::default()
            .with("replay", Some("missing"))
            .with("webhook", Some("orders"))
            .with("since", Some(&AT.to_rfc3339()))
            .with("type", Some("order.*"));
        let draft = ReplayDraft::of(&page, |_| 60);
        assert_eq!(draft.since, "2026-11-21T15:07:31.204");
        let body = draft.json(|_| 60);
        assert_eq!(
            body,
            json!({ "webhook": "orders", "since": AT.to_rfc3339(), "missing": true, "types": ["order.*"] })
        );
        assert_eq!(faults(&body), []);
        let only = ReplayDraft::of(&Query::default().with("state", Some("delivered")), |_| 0);
        assert_eq!(only.states, [false, false, true]);
    }

    #[test]
    fn filters_that_a_replay_cannot_follow_are_named() {
        let named = |page: &str| beyond(&Query::parse(page), |_| 0);
        assert_eq!(named("?state=dead&since=1h&webhook=a&type=order.paid&open=dlv_1"), [""; 0]);
        assert_eq!(named("?state=under_way&status=5xx"), ["state: Under way", "status: 5xx"]);
    }

    #[test]
    fn what_is_missing_needs_a_webhook() {
        let missing = ReplayDraft { kind: Kind::Missing, ..draft() };
        let found = faults(&missing.count_json(|_| 0));
        assert_eq!(found.iter().map(|fault| fault.pointer.as_str()).collect::<Vec<_>>(), ["/webhook"]);
    }

    #[test]
    fn a_replay_says_what_it_is_about() {
        let query = ReplayQuery {
            webhook: Some(String::from("orders")),
            since: Some(AT),
            until: None,
            states: vec![State::Dead, State::Cancelled],
            types: EventPattern::parse("order.*").into_iter().collect(),
            missing: false,
        };
        let said = query_words(&query, |at| words::date_time(at, 0));
        assert_eq!(
            said,
            "Deliveries that were given up or cancelled to orders, of order.*, since 2026-11-21 14:07:31"
        );
        assert_eq!(
            count_words(ReplayCount::at_least(100_000), Kind::Ended),
            "At least 100,000 deliveries would be sent again."
        );
    }

    #[test]
    fn a_replay_never_goes_back_from_its_end() {
        let view = |state: &str, scanned: u32| -> ReplayView {
            serde_json::from_value(json!({
                "id": "rpl_1", "state": state, "query": {}, "total": 9, "scanned": scanned, "replayed": scanned, "created_at": AT, "ended_at": null
            }))
            .expect("a replay")
        };
        let mut list = Page::new(vec![view("running", 3)], None);
        take_in(&mut list, &view("running", 2));
        assert_eq!(list.items[0].scanned, 3);
        take_in(&mut list, &view("done", 9));
        take_in(&mut list, &view("running", 9));
        assert_eq!(standing(&list.items[0]).1, "Done");
    }

    #[test]
    fn the_button_says_how_many_would_be_sent() {
        let count = |number| ReplayCount::exactly(number);
        assert_eq!(start_words(count(1), Kind::Missing), "Send 1 event");
        assert_eq!(start_words(count(1_200), Kind::Ended), "Send 1,200 deliveries again");
        assert_eq!(
            count_words(count(0), Kind::Missing),
            "It has missed nothing: every event that it wants has a delivery."
        );
        assert_eq!(count_words(count(1), Kind::Ended), "1 delivery would be sent again.");
        assert!(!may_send(count(0)) && may_send(count(1)));
    }

    #[test]
    fn a_count_that_stopped_early_promises_no_number_and_still_lets_the_replay_start() {
        let count = ReplayCount::at_least;
        assert_eq!(start_words(count(1_200), Kind::Ended), "Send all that fit again");
        assert_eq!(start_words(count(0), Kind::Missing), "Send all that are missing");
        assert_eq!(count_words(count(1), Kind::Missing), "At least 1 event would be sent.");
        assert_eq!(
            count_words(count(0), Kind::Ended),
            "There are too many deliveries to count: none of those looked at would be sent again."
        );
        assert!(may_send(count(0)));
    }

    #[test]
    fn a_replay_that_has_just_ended_stays_in_sight() {
        let view = |id: &str, ended_at: Option<Timestamp>| -> ReplayView {
            let state = if ended_at.is_some() { "done" } else { "running" };
            serde_json::from_value(json!({
                "id": id, "state": state, "query": {}, "total": 9, "scanned": 9, "replayed": 9, "created_at": AT, "ended_at": ended_at
            }))
            .expect("a replay")
        };
        let all = [view("rpl_3", None), view("rpl_2", Some(AT)), view("rpl_1", Some(AT.plus_ms(-RECENT_MS)))];
        let ids = |ids: &[&str]| ids.iter().map(|id| String::from(*id)).collect::<Vec<_>>();
        assert_eq!(recent_and_earlier(&all, AT), (ids(&["rpl_3", "rpl_2"]), ids(&["rpl_1"])));
    }

    #[test]
    fn an_address_with_an_unknown_kind_asks_for_deliveries_that_ended() {
        assert_eq!(ReplayDraft::of(&Query::default().with("replay", Some("all")), |_| 0).kind, Kind::Ended);
        assert_eq!(
            [Kind::Ended, Kind::Missing].map(|kind| Kind::parse(kind.as_str())),
            [Some(Kind::Ended), Some(Kind::Missing)]
        );
    }
}
