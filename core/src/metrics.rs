//! Metrics as Prometheus reads them: what a project counts, and the two text forms.
//!
//! The forms are Prometheus' text format 0.0.4 and `OpenMetrics` 1.0, which differ in where `_total` stands,
//! in how they end and in what they are called
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>,
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>). Labels have few values: a project's name and
//! one of the outcomes; never a webhook, a type or a URL.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::accept;
use crate::contract::counts_as_delivered;
use crate::delivery::Outcome;
use crate::stats::{Histogram, OutcomeClass, Outcomes};
use crate::webhook::Contract;

/// Things of a kind that one reading counts at most; where there are more, it says so many.
pub const COUNTED_MAX: u32 = 10_000;
/// Projects that one reading asks at most.
pub const PROJECTS_MAX: usize = 20;

/// How metrics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Prometheus' text format 0.0.4.
    Text,
    /// `OpenMetrics` 1.0.
    OpenMetrics,
}

impl Form {
    /// The form that an `Accept` header asks for: `OpenMetrics` where it names it, as Prometheus does, else
    /// text.
    #[must_use]
    pub fn of_accept(accept: Option<&str>) -> Self {
        if accept::names(accept, "application/openmetrics-text") { Self::OpenMetrics } else { Self::Text }
    }

    /// Its content type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Counts that only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Events that were accepted.
    pub accepted: u64,
    /// Attempts whose delivery was taken by its receiver.
    pub delivered: u64,
    /// Attempts by how they ended.
    pub outcomes: Outcomes,
    /// How long those took that got an answer.
    pub latency: Histogram,
}

impl Counters {
    /// None of anything.
    pub const ZERO: Self =
        Self { accepted: 0, delivered: 0, outcomes: Outcomes::ZERO, latency: Histogram::ZERO };

    /// Counts one attempt for a webhook with this contract.
    pub fn add(&mut self, contract: Contract, outcome: &Outcome, duration_ms: u32) {
        let class = OutcomeClass::from_outcome(outcome);
        let is_delivered =
            matches!(outcome, Outcome::Answered { status } if counts_as_delivered(contract, *status));
        self.delivered = self.delivered.saturating_add(is_delivered.into());
        self.outcomes.add(class);
        if class.has_latency() {
            self.latency.add(duration_ms);
        }
    }
}

/// What a project says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectMetrics {
    /// What grew since the project was first asked.
    pub counters: Counters,
    /// Deliveries that have not ended, up to [`COUNTED_MAX`].
    pub open: u32,
    /// Of them, those that wait for their webhook's gate or for an older one of their order key, up to
    /// [`COUNTED_MAX`].
    pub held: u32,
    /// Deliveries that were given up and are still kept, up to [`COUNTED_MAX`].
    pub dead: u32,
    /// Deliveries that are due and were given to no dispatcher, up to [`COUNTED_MAX`].
    pub due: u32,
    /// Milliseconds since the oldest of those became due.
    pub oldest_due_ms: u64,
    /// Deliveries that a dispatcher was given and has not started, up to [`COUNTED_MAX`]: what is in the
    /// queues.
    pub queued: u32,
    /// Deliveries that are being sent, up to [`COUNTED_MAX`].
    pub sending: u32,
    /// Bytes that the store takes.
    #[serde(default)]
    pub stored_bytes: u64,
    /// Bytes that it may take; 0: no limit.
    #[serde(default)]
    pub stored_bytes_limit: u64,
    /// Unix milliseconds before which ended deliveries and events were given up early; 0: none were.
    #[serde(default)]
    pub kept_since_ms: u64,
}

impl Serialize for Counters {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.accepted, self.delivered, self.outcomes.to_text(), self.latency.to_text()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Counters {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (accepted, delivered, outcomes, latency) =
            <(u64, u64, String, String)>::deserialize(deserializer)?;
        let damaged = || serde::de::Error::custom("must be counts");
        Ok(Self {
            accepted,
            delivered,
            outcomes: Outcomes::parse(&outcomes).ok_or_else(damaged)?,
            latency: Histogram::parse(&latency).ok_or_else(damaged)?,
        })
    }
}

/// One number of what a project says of itself.
type Part = fn(&ProjectMetrics) -> f64;

/// A text of metrics that is being written. Each name is written once, with all of its samples.
pub struct Exposition {
    form: Form,
    text: String,
}

/// What a name stands for.
#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Exposition {
    /// An empty one.
    #[must_use]
    pub const fn new(form: Form) -> Self {
        Self { form, text: String::new() }
    }

    /// Counts that only grow; `name` is without `_total`. Each sample has its labels, written by [`label`].
    pub fn counter(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = (String, u64)>) {
        self.head(name, help, Kind::Counter);
        for (labels, value) in samples {
            self.sample(&format!("{name}_total"), &labels, &value.to_string());
        }
    }

    /// Numbers that go up and down.
    pub fn gauge(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = (String, f64)>) {
        self.head(name, help, Kind::Gauge);
        for (labels, value) in samples {
            self.sample(name, &labels, &value.to_string());
        }
    }

    /// How long something took, in seconds. A bucket holds what took at most its bound; durations are whole
    /// milliseconds.
    pub fn latency(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (String, Histogram)>,
    ) {
        self.head(name, help, Kind::Histogram);
        let bucket = format!("{name}_bucket");
        for (labels, histogram) in samples {
            let comma = if labels.is_empty() { "" } else { "," };
            for (bound_ms, count) in histogram.cumulative() {
                self.sample(
                    &bucket,
                    &format!("{labels}{comma}le=\"{}\"", seconds(bound_ms.into())),
                    &count.to_string(),
                );
            }
            let count = histogram.count().to_string();
            self.sample(&bucket, &format!("{labels}{comma}le=\"+Inf\""), &count);
            self.sample(&format!("{name}_sum"), &labels, &seconds(histogram.sum_ms()).to_string());
            self.sample(&format!("{name}_count"), &labels, &count);
        }
    }

    fn head(&mut self, name: &str, help: &str, kind: Kind) {
        let kind_word = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        // In the text format a counter is called as its sample is; in OpenMetrics its samples have a suffix.
        let total = if matches!((kind, self.form), (Kind::Counter, Form::Text)) { "_total" } else { "" };
        // Writing to a string does not fail.
        let _infallible =
            write!(self.text, "# HELP {name}{total} {help}\n# TYPE {name}{total} {kind_word}\n");
    }

    fn sample(&mut self, name: &str, labels: &str, value: &str) {
        let _infallible = if labels.is_empty() {
            writeln!(self.text, "{name} {value}")
        } else {
            writeln!(self.text, "{name}{{{labels}}} {value}")
        };
    }

    /// Everything that any counter has, whatever counted it.
    pub fn counters<'a>(
        &mut self,
        prefix: &str,
        whose: &str,
        counted: impl IntoIterator<Item = (String, &'a Counters)>,
    ) {
        let counted: Vec<(String, &Counters)> = counted.into_iter().collect();
        let of = |part: fn(&Counters) -> u64| {
            counted.iter().map(move |(labels, counters)| (labels.clone(), part(counters)))
        };
        self.counter(
            &format!("{prefix}_events_accepted"),
            &format!("Events that were accepted, {whose}."),
            of(|counters| counters.accepted),
        );
        let outcomes = counted.iter().flat_map(|(labels, counters)| {
            let comma = if labels.is_empty() { "" } else { "," };
            OutcomeClass::ALL.into_iter().map(move |class| {
                (format!("{labels}{comma}{}", label("outcome", class.as_str())), counters.outcomes.get(class))
            })
        });
        self.counter(
            &format!("{prefix}_attempts"),
            &format!("Attempts by how they ended, {whose}."),
            outcomes,
        );
        let delivered = of(|counters| counters.delivered);
        self.counter(
            &format!("{prefix}_deliveries_delivered"),
            &format!("Deliveries that their receiver accepted, {whose}."),
            delivered,
        );
        let latency = counted.iter().map(|(labels, counters)| (labels.clone(), counters.latency));
        self.latency(
            &format!("{prefix}_attempt_duration_seconds"),
            &format!("How long answered attempts took, {whose}."),
            latency,
        );
    }

    /// What projects say of themselves, each by its name; `None` is one that did not answer.
    pub fn projects(&mut self, projects: &[(String, Option<ProjectMetrics>)]) {
        let labelled: Vec<(String, &ProjectMetrics)> = projects
            .iter()
            .filter_map(|(name, found)| Some((label("project", name), found.as_ref()?)))
            .collect();
        let up = projects
            .iter()
            .map(|(name, found)| (label("project", name), f64::from(u8::from(found.is_some()))));
        self.gauge("postern_project_up", "Whether the project answered.", up);
        self.counters(
            "postern_project",
            "as the project has counted them",
            labelled.iter().map(|(labels, of)| (labels.clone(), &of.counters)),
        );
        let gauges: [(&str, &str, Part); 10] = [
            ("deliveries_open", "Deliveries that have not ended, up to 10,000.", |of| of.open.into()),
            (
                "deliveries_held",
                "Open deliveries that wait for their webhook or for an older one of their key, up to 10,000.",
                |of| of.held.into(),
            ),
            ("deliveries_dead", "Deliveries that Postern gave up on and still keeps, up to 10,000.", |of| {
                of.dead.into()
            }),
            ("deliveries_due", "Due deliveries that no dispatcher was given, up to 10,000.", |of| {
                of.due.into()
            }),
            (
                "deliveries_queued",
                "Deliveries that a dispatcher was given and has not started, up to 10,000.",
                |of| of.queued.into(),
            ),
            ("deliveries_sending", "Deliveries that are being sent, up to 10,000.", |of| of.sending.into()),
            (
                "oldest_due_age_seconds",
                "When the oldest due delivery that no dispatcher was given became due; 0 if there is no \
                 such delivery.",
                |of| seconds(of.oldest_due_ms),
            ),
            ("stored_bytes", "Bytes that the project's store takes.", |of| whole(of.stored_bytes)),
            (
                "stored_bytes_limit",
                "Bytes that it may take (QUOTA_STORED_BYTES); 0 if there is no limit.",
                |of| whole(of.stored_bytes_limit),
            ),
            (
                "kept_since_timestamp_seconds",
                "Since when ended deliveries and events are kept, where the store is too small for the retention; else 0.",
                |of| seconds(of.kept_since_ms),
            ),
        ];
        for (name, help, part) in gauges {
            self.gauge(
                &format!("postern_project_{name}"),
                help,
                labelled.iter().map(|(labels, of)| (labels.clone(), part(of))),
            );
        }
    }

    /// The whole text.
    #[must_use]
    pub fn finish(mut self) -> String {
        if self.form == Form::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

/// `name="value"`, with what the formats escape.
#[must_use]
pub fn label(name: &str, value: &str) -> String {
    format!("{name}=\"{}\"", value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n"))
}

#[expect(clippy::cast_precision_loss, reason = "sums of milliseconds need no more digits than a float has")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "a store has fewer bytes than a float counts exactly")]
const fn whole(bytes: u64) -> f64 {
    bytes as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters() -> Counters {
        let mut counters = Counters { accepted: 3, delivered: 1, ..Counters::default() };
        for (class, ms) in [(OutcomeClass::Success, 12), (OutcomeClass::ReceiverFailed, 70_000)] {
            counters.outcomes.add(class);
            counters.latency.add(ms);
        }
        counters
    }

    fn written(form: Form) -> String {
        let mut exposition = Exposition::new(form);
        exposition.counter("postern_rows_read", "Rows.", [(String::new(), 7)]);
        let of = ProjectMetrics {
            counters: counters(),
            open: 4,
            oldest_due_ms: 1_500,
            ..ProjectMetrics::default()
        };
        exposition.projects(&[(String::from("a"), Some(of)), (String::from("b"), None)]);
        exposition.finish()
    }

    #[test]
    fn a_counter_is_called_as_each_form_calls_it() {
        let (text, open) = (written(Form::Text), written(Form::OpenMetrics));
        assert!(
            text.starts_with("# HELP postern_rows_read_total Rows.\n# TYPE postern_rows_read_total counter\npostern_rows_read_total 7\n"),
            "{text}"
        );
        assert!(
            open.starts_with("# HELP postern_rows_read Rows.\n# TYPE postern_rows_read counter\npostern_rows_read_total 7\n"),
            "{open}"
        );
        assert!(!text.contains("# EOF") && open.ends_with("\n# EOF\n"));
    }

    #[test]
    fn a_project_is_read_with_every_outcome_and_bucket() {
        let text = written(Form::Text);
        for line in [
            "postern_project_up{project=\"a\"} 1",
            "postern_project_up{project=\"b\"} 0",
            "postern_project_events_accepted_total{project=\"a\"} 3",
            "postern_project_attempts_total{project=\"a\",outcome=\"2xx\"} 1",
            "postern_project_attempts_total{project=\"a\",outcome=\"timed_out\"} 0",
            "postern_project_attempt_duration_seconds_bucket{project=\"a\",le=\"0.007\"} 0",
            "postern_project_attempt_duration_seconds_bucket{project=\"a\",le=\"0.015\"} 1",
            "postern_project_attempt_duration_seconds_bucket{project=\"a\",le=\"65.535\"} 1",
            "postern_project_attempt_duration_seconds_bucket{project=\"a\",le=\"+Inf\"} 2",
            "postern_project_attempt_duration_seconds_sum{project=\"a\"} 70.012",
            "postern_project_attempt_duration_seconds_count{project=\"a\"} 2",
            "postern_project_deliveries_open{project=\"a\"} 4",
            "postern_project_oldest_due_age_seconds{project=\"a\"} 1.5",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        let different: std::collections::BTreeSet<&&str> = names.iter().collect();
        assert_eq!(names.len(), different.len(), "each name once");
        assert_eq!(text.lines().filter(|line| line.starts_with("# HELP ")).count(), names.len());
    }

    #[test]
    fn the_form_is_the_one_that_is_asked_for() {
        assert_eq!(Form::of_accept(None), Form::Text);
        assert_eq!(Form::of_accept(Some("*/*")), Form::Text);
        // Prometheus 3.
        let asked = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        assert_eq!(Form::of_accept(Some(asked)), Form::OpenMetrics);
        assert_eq!(Form::of_accept(Some("application/openmetrics-text;q=0, text/plain")), Form::Text);
    }

    #[test]
    fn what_a_label_may_not_hold_is_escaped() {
        assert_eq!(label("a", "x\"\\\ny"), r#"a="x\"\\\ny""#);
    }

    #[test]
    fn counts_read_back_as_they_were_written() {
        let of = ProjectMetrics { counters: counters(), held: 2, ..ProjectMetrics::default() };
        let text = serde_json::to_string(&of).unwrap_or_default();
        assert_eq!(serde_json::from_str::<ProjectMetrics>(&text).ok(), Some(of));
    }
}
