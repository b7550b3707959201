//! The settings and the export as they are typed, as what is sent, and what is wrong with them.

use postern_core::api::project::ProjectSettings;
use postern_core::delivery::State;
use postern_core::fault::{Fault, InputFault};
use postern_core::project;
use postern_core::retry::DEFAULT_WAITS_S;
use postern_core::time::Timestamp;
use reactive_stores::Store;
use serde_json::{Value, json};

use crate::routes::Query;
use crate::screens::period::{self, utc_of};
use crate::screens::schedule;
use crate::words::state_word;

/// Whose schedule holds for webhooks without one of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ScheduleOf {
    /// Postern's.
    #[default]
    Postern,
    /// The project's own.
    Project,
}

impl ScheduleOf {
    /// Its name in the form.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Postern => "posterns",
            Self::Project => "own",
        }
    }

    /// Reads the name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        [Self::Postern, Self::Project].into_iter().find(|whose| whose.as_str() == name)
    }
}

/// The settings as they are typed. Waits and days are texts until they are parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Store)]
pub(super) struct SettingsDraft {
    /// Whose schedule holds.
    pub(super) schedule: ScheduleOf,
    /// Waits, as `schedule` reads them; kept while Postern's schedule holds.
    pub(super) waits: String,
    /// Days that things are kept.
    pub(super) days: String,
}

impl SettingsDraft {
    /// The draft that changes nothing of `settings`.
    ///
    /// Postern's waits are filled in where the project has none of its own: whoever chooses its own starts
    /// from what holds now.
    pub(super) fn of(settings: &ProjectSettings) -> Self {
        let own = settings.retry_schedule_s.as_deref();
        Self {
            schedule: if own.is_some() { ScheduleOf::Project } else { ScheduleOf::Postern },
            waits: schedule::text(own.unwrap_or(DEFAULT_WAITS_S)),
            days: settings.retention_days.to_string(),
        }
    }

    /// The waits that would hold; `None` while they are not times.
    pub(super) fn waits_s(&self) -> Option<Vec<u32>> {
        match self.schedule {
            ScheduleOf::Project => schedule::parse(&self.waits),
            ScheduleOf::Postern => Some(DEFAULT_WAITS_S.to_vec()),
        }
    }

    /// The body of the change. Text that is not a number is sent as it was typed, so that the parser says
    /// what it should be.
    pub(super) fn json(&self) -> Value {
        let waits = match self.schedule {
            ScheduleOf::Project => schedule::json(&self.waits),
            ScheduleOf::Postern => Value::Null,
        };
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

/// What a file is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ExportOf {
    /// Events, with their data.
    #[default]
    Events,
    /// Deliveries, with their attempts.
    Deliveries,
}

impl ExportOf {
    /// Its name in the form and in the name of the file.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Deliveries => "deliveries",
        }
    }

    /// Reads the name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        [Self::Events, Self::Deliveries].into_iter().find(|of| of.as_str() == name)
    }
}

/// Which deliveries a file has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum StateFilter {
    /// All of them.
    #[default]
    Any,
    /// Those in one state.
    Only(State),
}

impl StateFilter {
    /// What can be chosen. States that last for a moment only are not worth a file.
    pub(super) const ALL: [Self; 4] =
        [Self::Any, Self::Only(State::Delivered), Self::Only(State::Dead), Self::Only(State::Waiting)];

    /// Its name in the form and for the API; empty for all.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::Only(state) => state.as_str(),
        }
    }

    /// Reads the name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|filter| filter.as_str() == name)
    }

    /// What stands beside its button.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Any => "Any state",
            Self::Only(state) => state_word(state).1,
        }
    }
}

/// An export as it is typed. Times are texts until they are parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Store)]
pub(super) struct ExportDraft {
    /// What the file is of.
    pub(super) of: ExportOf,
    /// Local date and time; empty means from the first.
    pub(super) since: String,
    /// Local date and time; empty means until now.
    pub(super) until: String,
    /// An event type; empty means all.
    pub(super) types: String,
    /// A webhook's name; empty means all. Counts for deliveries only, like the state.
    pub(super) webhook: String,
    /// Which deliveries.
    pub(super) state: StateFilter,
}

impl ExportDraft {
    /// The query of the API, where local time is `offset_min` minutes ahead of UTC.
    pub(super) fn query(&self, offset_min: impl Fn(Timestamp) -> i64) -> Query {
        let time = |typed: &str| utc_of(typed, &offset_min).map(Timestamp::to_rfc3339);
        let query = Query::default()
            .with("since", time(&self.since).as_deref())
            .with("until", time(&self.until).as_deref())
            .with("type", Some(self.types.trim()));
        match self.of {
            ExportOf::Events => query,
            ExportOf::Deliveries => {
                query.with("webhook", Some(self.webhook.trim())).with("state", Some(self.state.as_str()))
            }
        }
    }

    /// What is wrong with the times.
    pub(super) fn faults(&self, offset_min: impl Fn(Timestamp) -> i64) -> Vec<Fault> {
        period::faults(&self.since, &self.until, offset_min)
    }

    /// What the file is called.
    ///
    /// The day is that of UTC. The name of a project has no character that a file's may not have.
    pub(super) fn file_name(&self, project: &str, now: Timestamp) -> String {
        let day: String = now.to_rfc3339().chars().take(10).collect();
        format!("{project}-{}-{day}.ndjson", self.of.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(waits: &str, days: &str) -> SettingsDraft {
        SettingsDraft { schedule: ScheduleOf::Project, waits: String::from(waits), days: String::from(days) }
    }

    fn pointers(faults: &[Fault]) -> Vec<&str> {
        faults.iter().map(|fault| fault.pointer.as_str()).collect()
    }

    #[test]
    fn untouched_settings_say_what_holds() {
        let draft = SettingsDraft::of(&ProjectSettings::default());
        assert_eq!(draft.json(), json!({ "retry_schedule_s": null, "retention_days": 30 }));
        assert_eq!(draft.faults(), []);
        let settings = ProjectSettings {
            retry_schedule_s: Some(vec![5, 60]),
            retention_days: 7,
            ..ProjectSettings::default()
        };
        assert_eq!(SettingsDraft::of(&settings), own("5 s, 1 min", "7"));
    }

    #[test]
    fn what_is_typed_is_judged_as_at_the_edge() {
        assert_eq!(own("5, 2 h", "7").json(), json!({ "retry_schedule_s": [5, 7_200], "retention_days": 7 }));
        assert_eq!(own("", "7").faults(), [], "one attempt");
        assert_eq!(
            pointers(&own("soon, 8 d", "x").faults()),
            ["/retry_schedule_s/0", "/retry_schedule_s/1", "/retention_days"]
        );
    }

    #[test]
    fn an_export_asks_for_what_was_typed() {
        let mut export = ExportDraft { state: StateFilter::Only(State::Dead), ..ExportDraft::default() };
        export.since = String::from("2026-11-21T15:00");
        assert_eq!(export.query(|_| 60).text(), "?since=2026-11-21T14%3A00%3A00.000Z");
        export.of = ExportOf::Deliveries;
        assert_eq!(export.query(|_| 60).value("state").as_deref(), Some("dead"));
        export.until = String::from("2026-11-21T14:00");
        assert_eq!(pointers(&export.faults(|_| 60)), ["/until"]);
        assert_eq!(
            export.file_name("demo", Timestamp(1_795_270_051_204)),
            "demo-deliveries-2026-11-21.ndjson"
        );
    }

    #[test]
    fn a_time_that_is_not_one_is_refused_before_anything_is_fetched() {
        let export = ExportDraft { since: String::from("soon"), ..ExportDraft::default() };
        assert_eq!(pointers(&export.faults(|_| 0)), ["/since"]);
        assert_eq!(ExportDraft::default().faults(|_| 0), []);
    }

    #[test]
    fn every_choice_reads_its_own_name() {
        for whose in [ScheduleOf::Postern, ScheduleOf::Project] {
            assert_eq!(ScheduleOf::parse(whose.as_str()), Some(whose));
        }
        for of in [ExportOf::Events, ExportOf::Deliveries] {
            assert_eq!(ExportOf::parse(of.as_str()), Some(of));
        }
        for filter in StateFilter::ALL {
            assert_eq!(StateFilter::parse(filter.as_str()), Some(filter));
        }
        assert_eq!((StateFilter::parse("leased"), StateFilter::Any.words()), (None, "Any state"));
    }
}
