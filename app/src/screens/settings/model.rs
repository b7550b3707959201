//! The settings and the export as they are typed, as what is sent, and what is wrong with them.

use postern_core::api::project::ProjectSettings;
use postern_core::fault::{Fault, InputFault};
use postern_core::project;
use postern_core::retry::DEFAULT_WAITS_S;
use postern_core::time::Timestamp;
use serde_json::{Value, json};

use crate::routes::Query;
use crate::screens::replays::model::utc_of;
use crate::screens::schedule;

/// The project takes Postern's schedule.
pub(super) const POSTERNS: &str = "posterns";
/// It has its own.
pub(super) const OWN: &str = "own";

/// The settings as they are typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Draft {
    /// [`POSTERNS`] or [`OWN`].
    pub(super) mode: String,
    /// Waits, as `schedule` reads them.
    pub(super) waits: String,
    /// Days.
    pub(super) days: String,
}

impl Draft {
    /// What changes nothing of `settings`.
    pub(super) fn of(settings: &ProjectSettings) -> Self {
        let own = settings.retry_schedule_s.as_deref();
        Self {
            mode: String::from(if own.is_some() { OWN } else { POSTERNS }),
            waits: schedule::text(own.unwrap_or(DEFAULT_WAITS_S)),
            days: settings.retention_days.to_string(),
        }
    }

    /// The waits that would hold; `None` while they are not times.
    pub(super) fn waits_s(&self) -> Option<Vec<u32>> {
        if self.mode == OWN { schedule::parse(&self.waits) } else { Some(DEFAULT_WAITS_S.to_vec()) }
    }

    /// The body of the change. What is no number goes as it was typed, so that the parser says what it should be.
    pub(super) fn json(&self) -> Value {
        let waits = if self.mode == OWN { schedule::json(&self.waits) } else { Value::Null };
        let days = self.days.trim();
        let days = days.parse::<u32>().map_or_else(|_| Value::from(days), Value::from);
        json!({ "retry_schedule_s": waits, "retention_days": days })
    }

    /// What the edge would say is wrong with it.
    pub(super) fn faults(&self) -> Vec<Fault> {
        match project::update(&self.json().to_string()) {
            Ok(_) => Vec::new(),
            Err(InputFault::Invalid(faults)) => faults.into_named(),
            Err(InputFault::Malformed(detail)) => vec![Fault::new("", detail)],
        }
    }
}

/// An export as it is typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Export {
    /// [`Export::EVENTS`] or [`Export::DELIVERIES`].
    pub(super) kind: String,
    /// Local date and time; empty for none.
    pub(super) since: String,
    /// As `since`.
    pub(super) until: String,
    /// An event type; empty for all.
    pub(super) types: String,
    /// A webhook's name; empty for all.
    pub(super) webhook: String,
    /// A state; empty for all.
    pub(super) state: String,
}

impl Export {
    /// Events.
    pub(super) const EVENTS: &str = "events";
    /// Deliveries.
    pub(super) const DELIVERIES: &str = "deliveries";

    /// Whether it is of deliveries.
    pub(super) fn is_of_deliveries(&self) -> bool {
        self.kind == Self::DELIVERIES
    }

    /// The query of the API, where local time is `offset_min` minutes ahead of UTC.
    pub(super) fn query(&self, offset_min: impl Fn(Timestamp) -> i64) -> Query {
        let time = |typed: &str| utc_of(typed, &offset_min).map(Timestamp::to_rfc3339);
        let query = Query::default()
            .with("since", time(&self.since).as_deref())
            .with("until", time(&self.until).as_deref())
            .with("type", Some(self.types.trim()));
        if !self.is_of_deliveries() {
            return query;
        }
        query.with("webhook", Some(self.webhook.trim())).with("state", Some(&self.state))
    }

    /// What is wrong with the times.
    pub(super) fn faults(&self, offset_min: impl Fn(Timestamp) -> i64) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut read = |key: &str, typed: &str| {
            let at = utc_of(typed, &offset_min);
            if at.is_none() && !typed.trim().is_empty() {
                faults.push(Fault::new(format!("/{key}"), "must be a date and a time"));
            }
            at
        };
        let (since, until) = (read("since", &self.since), read("until", &self.until));
        if let (Some(since), Some(until)) = (since, until)
            && since >= until
        {
            faults.push(Fault::new("/until", "must be later than since"));
        }
        faults
    }

    /// What the file is called.
    pub(super) fn file_name(&self, project: &str, now: Timestamp) -> String {
        let day: String = now.to_rfc3339().chars().take(10).collect();
        format!("{project}-{}-{day}.ndjson", self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(waits: &str, days: &str) -> Draft {
        Draft { mode: String::from(OWN), waits: String::from(waits), days: String::from(days) }
    }

    fn pointers(faults: &[Fault]) -> Vec<&str> {
        faults.iter().map(|fault| fault.pointer.as_str()).collect()
    }

    #[test]
    fn untouched_settings_say_what_holds() {
        let draft = Draft::of(&ProjectSettings::default());
        assert_eq!(draft.json(), json!({ "retry_schedule_s": null, "retention_days": 30 }));
        assert_eq!(draft.faults(), []);
        let settings = ProjectSettings { retry_schedule_s: Some(vec![5, 60]), retention_days: 7, ..ProjectSettings::default() };
        assert_eq!(Draft::of(&settings), own("5 s, 1 min", "7"));
    }

    #[test]
    fn what_is_typed_is_judged_as_at_the_edge() {
        assert_eq!(own("5, 2 h", "7").json(), json!({ "retry_schedule_s": [5, 7_200], "retention_days": 7 }));
        assert_eq!(own("", "7").faults(), [], "one attempt");
        assert_eq!(pointers(&own("soon, 8 d", "x").faults()), ["/retry_schedule_s/0", "/retry_schedule_s/1", "/retention_days"]);
    }

    #[test]
    fn an_export_asks_for_what_was_typed() {
        let mut export = Export { kind: String::from(Export::EVENTS), state: String::from("dead"), ..Export::default() };
        export.since = String::from("2026-11-21T15:00");
        assert_eq!(export.query(|_| 60).text(), "?since=2026-11-21T14%3A00%3A00.000Z");
        export.kind = String::from(Export::DELIVERIES);
        assert_eq!(export.query(|_| 60).value("state").as_deref(), Some("dead"));
        export.until = String::from("2026-11-21T14:00");
        assert_eq!(pointers(&export.faults(|_| 60)), ["/until"]);
        assert_eq!(export.file_name("demo", Timestamp(1_795_270_051_204)), "demo-deliveries-2026-11-21.ndjson");
    }
}
