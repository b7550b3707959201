//! Query strings of lists: paging and filters, every bad or unknown parameter named at `?name`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumString, IntoStaticStr, VariantArray};

use crate::api::audit::SubjectKind;
use crate::api::page::{LIMIT_DEFAULT, LIMIT_MAX, LIMIT_NONE, Page};
use crate::api::stats::{BUCKETS_MAX, BucketWidth};
use crate::delivery::State;
use crate::fault::{Fault, Faults};
use crate::id::Kind;
use crate::search::{
    DeliveryFilter, EventFilter, OBJECT_RULE, ObjectFilter, PIECE_CHARS_MAX, PIECE_CHARS_MIN, STATUS_RULE,
    StatusFilter,
};
use crate::time::{TIME_RULE, Timestamp};
use crate::webhook::ProjectName;
use crate::webhook::field::LABELS_MAX;
use crate::{metrics, route, variants};

/// Characters of a cursor or of a search at most.
pub(crate) const TEXT_CHARS_MAX: usize = 256;

/// Which part of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageQuery {
    /// Items at most: 1 to 200, or [`LIMIT_NONE`].
    pub limit: u32,
    /// Where the page before ended; opaque to callers.
    pub cursor: Option<String>,
}

impl Default for PageQuery {
    fn default() -> Self {
        Self { limit: LIMIT_DEFAULT, cursor: None }
    }
}

impl PageQuery {
    /// Reads a query that knows only `limit` and `cursor`.
    ///
    /// # Errors
    /// Every bad or unknown parameter.
    pub fn parse(query: &str) -> Result<Self, Faults> {
        let mut parameters = Parameters::parse(query)?;
        let page = parameters.page();
        parameters.finish(page)
    }

    /// The same for a list that is given whole where the caller names no limit.
    ///
    /// # Errors
    /// Every bad or unknown parameter.
    pub fn parse_whole(query: &str) -> Result<Self, Faults> {
        let mut parameters = Parameters::parse(query)?;
        let page = parameters.page_or(LIMIT_NONE);
        parameters.finish(page)
    }

    /// The part of `items` that this asks for, where they are at hand and sorted by `name`: a cursor is the
    /// last name of the page before.
    #[must_use]
    pub fn page_of<T>(&self, mut items: Vec<T>, name: impl Fn(&T) -> &str) -> Page<T> {
        if let Some(after) = &self.cursor {
            items.retain(|item| name(item) > after.as_str());
        }
        let limit = self.limit as usize;
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_last| has_more).map(|last| String::from(name(last)));
        Page::new(items, next)
    }
}

/// Which webhooks. What is `None` or empty does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookQuery {
    /// Which part of the list.
    pub page: PageQuery,
    /// Part of the name, URL or description, without case.
    pub search: Option<String>,
    /// All of these labels.
    pub labels: Vec<(String, String)>,
    /// A pattern as the webhook lists it.
    pub event: Option<String>,
    /// The object filter's type.
    pub object_type: Option<String>,
    /// The object filter's name.
    pub object_name: Option<String>,
    /// How they are.
    pub state: Option<WebhookState>,
}

/// How webhooks are that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(EnumCount, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum WebhookState {
    /// They take events.
    Enabled,
    /// They take none.
    Disabled,
    /// They fail, or were disabled by Postern: somebody should look.
    Down,
}

impl WebhookState {
    /// All of them.
    pub const ALL: [Self; Self::COUNT] = variants::array(Self::VARIANTS);

    /// The spelling in a query.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

impl WebhookQuery {
    /// Reads the query of `GET webhooks`; `label=key:value` may be given many times.
    ///
    /// # Errors
    /// Every bad or unknown parameter.
    pub fn parse(query: &str) -> Result<Self, Faults> {
        let mut parameters = Parameters::parse(query)?;
        let state = parameters.one("state").and_then(|state| {
            let found = state.parse().ok();
            if found.is_none() {
                let states = WebhookState::ALL.map(WebhookState::as_str).join(", ");
                parameters.fault("state", format!("must be one of {states}"));
            }
            found
        });
        let found = Self {
            page: parameters.page(),
            search: parameters.text("search"),
            labels: parameters.labels().into_iter().collect(),
            event: parameters.text("event"),
            object_type: parameters.text("object_type"),
            object_name: parameters.text("object_name"),
            state,
        };
        parameters.finish(found)
    }
}

/// Which deliveries, and which part of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryQuery {
    /// Which part of the list.
    pub page: PageQuery,
    /// Which are in it.
    pub filter: DeliveryFilter,
}

impl DeliveryQuery {
    /// Reads the query of `GET deliveries`.
    ///
    /// # Errors
    /// Every bad or unknown parameter.
    pub fn parse(query: &str) -> Result<Self, Faults> {
        let mut parameters = Parameters::parse(query)?;
        let found = Self { filter: parameters.delivery_filter(), page: parameters.page() };
        parameters.finish(found)
    }

    /// Reads the query of `GET deliveries/count`: the same filters, no part.
    ///
    /// # Errors
    /// Every bad or unknown parameter.
    pub fn parse_count(query: &str) -> Result<DeliveryFilter, Faults> {
        let mut parameters = Parameters::parse(query)?;
        let found = parameters.delivery_filter();
        parameters.finish(found)
    }
}

/// Which deliveries are counted by the time in which they were made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistogramQuery {
    /// Made at this time or later.
    pub since: Timestamp,
    /// Made before this time.
    pub until: Timestamp,
    /// Which of them; its own times are these two.
    pub filter: DeliveryFilter,
}

impl HistogramQuery {
    /// Reads the query of `GET deliveries/histogram`: the filters of the list, and the 24 h before `until`
    /// or `now` where it says no time.
    ///
    /// # Errors
    /// Every bad or unknown parameter.
    pub fn parse(query: &str, now: Timestamp) -> Result<Self, Faults> {
        let mut parameters = Parameters::parse(query)?;
        let mut filter = parameters.delivery_filter();
        let (since, until) = last_day(filter.since, filter.until, now);
        (filter.since, filter.until) = (Some(since), Some(until));
        parameters.finish(Self { since, until, filter })
    }
}

/// Of which time the totals of deliveries are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotalsQuery {
    /// Made at this time or later.
    pub since: Timestamp,
    /// Made before this time.
    pub until: Timestamp,
}

impl TotalsQuery {
    /// Reads the query of `GET totals`: the 24 h before `until` or `now` where it says no time.
    ///
    /// # Errors
    /// Every bad or unknown parameter.
    pub fn parse(query: &str, now: Timestamp) -> Result<Self, Faults> {
        let mut parameters = Parameters::parse(query)?;
        let (since, until) = parameters.span();
        let (since, until) = last_day(since, until, now);
        parameters.finish(Self { since, until })
    }
}

/// A time that ends now, or an instant after a start that is still to come, where nobody says when; and that
/// is a day long where nobody says how long. At the ends of all time it is shorter, or empty.
fn last_day(since: Option<Timestamp>, until: Option<Timestamp>, now: Timestamp) -> (Timestamp, Timestamp) {
    let until =
        until.unwrap_or_else(|| since.map_or(now, |since| now.max(since.plus_ms(1)))).min(Timestamp::LAST);
    (since.unwrap_or_else(|| until.plus_ms(-BucketWidth::Day.ms()).max(Timestamp::FIRST)), until)
}

/// Which events, and which part of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventQuery {
    /// Which part of the list.
    pub page: PageQuery,
    /// Which are in it.
    pub filter: EventFilter,
}

impl EventQuery {
    /// Reads the query of `GET events`.
    ///
    /// # Errors
    /// Every bad or unknown parameter.
    pub fn parse(query: &str) -> Result<Self, Faults> {
        let mut parameters = Parameters::parse(query)?;
        let found = Self { filter: parameters.event_filter(), page: parameters.page() };
        parameters.finish(found)
    }
}

/// Which entries of the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditQuery {
    /// Which part of the list.
    pub page: PageQuery,
    /// What kind of thing something was done to.
    pub subject: Option<SubjectKind>,
    /// Its name.
    pub name: Option<String>,
}

impl AuditQuery {
    /// Reads the query of `GET audit`; `subject` is a kind (`subject=token`), or a kind and a name
    /// (`subject=webhook:w`).
    ///
    /// # Errors
    /// Every bad or unknown parameter.
    pub fn parse(query: &str) -> Result<Self, Faults> {
        let mut parameters = Parameters::parse(query)?;
        let sent = parameters.text("subject");
        let (kind, name) = match sent.as_deref().map(|sent| sent.split_once(':').unwrap_or((sent, ""))) {
            Some((kind, name)) => (Some(kind), Some(name).filter(|name| !name.is_empty())),
            None => (None, None),
        };
        let subject = kind.and_then(SubjectKind::parse);
        if kind.is_some() && subject.is_none() {
            let kinds = SubjectKind::ALL.map(SubjectKind::as_str).join(", ");
            parameters
                .fault("subject", format!("must be one of {kinds}, or one of them, a colon and a name"));
        } else if sent.as_deref().is_some_and(|sent| sent.ends_with(':')) && name.is_none() {
            parameters.fault("subject", "must have a name behind the colon");
        }
        let found = Self { page: parameters.page(), subject, name: name.map(String::from) };
        parameters.finish(found)
    }
}

/// Which part of a project's statistics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatsQuery {
    /// The webhook's name.
    pub webhook: Option<String>,
    /// The event type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Where the first bucket starts.
    pub since: Timestamp,
    /// The last bucket holds what was just before.
    pub until: Timestamp,
    /// The width of the buckets.
    pub bucket: BucketWidth,
}

impl StatsQuery {
    /// Reads the query of `GET stats`: the 24 h before `now`, by the hour, where it says nothing else.
    /// `since` is rounded down to the start of a bucket.
    ///
    /// # Errors
    /// Every bad or unknown parameter; a time of more than [`BUCKETS_MAX`] buckets.
    pub fn parse(query: &str, now: Timestamp) -> Result<Self, Faults> {
        let mut parameters = Parameters::parse(query)?;
        let bucket = parameters.one("bucket").and_then(|text| match text.as_str() {
            "hour" => Some(BucketWidth::Hour),
            "day" => Some(BucketWidth::Day),
            _ => {
                parameters.fault("bucket", "must be hour or day");
                None
            }
        });
        let bucket = bucket.unwrap_or_default();
        let (since, until) = parameters.times();
        let until = until.unwrap_or(now);
        let since = bucket.start_of(since.unwrap_or_else(|| until.plus_ms(-BucketWidth::Day.ms())));
        if until.ms_since(since) > i64::from(BUCKETS_MAX) * bucket.ms() {
            parameters.fault(
                "since",
                format!("must be at most {BUCKETS_MAX} buckets before until; ask for days, or for less"),
            );
        }
        let found =
            Self { webhook: parameters.text("webhook"), kind: parameters.text("type"), since, until, bucket };
        if since >= until {
            parameters.fault("until", "must be later than since");
        }
        parameters.finish(found)
    }
}

/// How an export writes the data of its events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(EnumCount, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum DataForm {
    /// As the JSON value that it is.
    #[default]
    Json,
    /// As a string that holds the text that the producer wrote, byte for byte: for readers whose number types
    /// would round the value, or refuse it.
    Text,
}

impl DataForm {
    /// All of them.
    pub const ALL: [Self; Self::COUNT] = variants::array(Self::VARIANTS);

    /// The spelling in a query.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// Which events or deliveries are exported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportQuery {
    /// Accepted at this time or later.
    pub since: Option<Timestamp>,
    /// Accepted before this time.
    pub until: Option<Timestamp>,
    /// The event type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Where a delivery stands; never of events.
    pub state: Option<State>,
    /// The webhook's name; never of events.
    pub webhook: Option<String>,
    /// How the data of events is written. Not for deliveries, which have no data.
    #[serde(default)]
    pub data: DataForm,
}

impl ExportQuery {
    /// Reads the query of `GET events/export`: `since`, `until`, `type`, `data`.
    ///
    /// # Errors
    /// Every bad or unknown parameter.
    pub fn parse_events(query: &str) -> Result<Self, Faults> {
        let mut parameters = Parameters::parse(query)?;
        let found = Self { data: parameters.data_form(), ..Self::common(&mut parameters) };
        parameters.finish(found)
    }

    /// Reads the query of `GET deliveries/export`: `since`, `until`, `type`, `state` and `webhook`.
    ///
    /// # Errors
    /// Every bad or unknown parameter.
    pub fn parse_deliveries(query: &str) -> Result<Self, Faults> {
        let mut parameters = Parameters::parse(query)?;
        let found = Self {
            state: parameters.state(),
            webhook: parameters.text("webhook"),
            ..Self::common(&mut parameters)
        };
        parameters.finish(found)
    }

    fn common(parameters: &mut Parameters) -> Self {
        let (since, until) = parameters.span();
        Self { since, until, kind: parameters.text("type"), ..Self::default() }
    }
}

/// Which webhooks a dry run asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DryRunQuery {
    /// Only this one, by name.
    pub webhook: Option<String>,
}

impl DryRunQuery {
    /// Reads the query of `POST events/dry-run` and of `GET events/{id}/decisions`.
    ///
    /// # Errors
    /// Every bad or unknown parameter.
    pub fn parse(query: &str) -> Result<Self, Faults> {
        let mut parameters = Parameters::parse(query)?;
        let found = Self { webhook: parameters.text("webhook") };
        parameters.finish(found)
    }
}

/// Whether whoever deletes a project has named it twice.
///
/// # Errors
/// `confirm` is missing or is not the name of `project`; an unknown parameter.
pub fn confirmed(query: &str, project: &ProjectName) -> Result<(), Faults> {
    let mut parameters = Parameters::parse(query)?;
    if parameters.one("confirm").as_deref() != Some(project.as_str()) {
        parameters.fault("confirm", "must be the name of the project that is to be deleted");
    }
    parameters.finish(())
}

/// What the operator's metrics hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricsQuery {
    /// How many projects are asked, the first by name.
    pub projects: usize,
}

impl MetricsQuery {
    /// Reads the query of `GET /metrics`: `projects`, 0 to [`metrics::PROJECTS_MAX`], which it is where
    /// nobody says.
    ///
    /// # Errors
    /// Every bad or unknown parameter.
    pub fn parse(query: &str) -> Result<Self, Faults> {
        let mut parameters = Parameters::parse(query)?;
        let projects = parameters.one("projects").map_or(Some(metrics::PROJECTS_MAX), |text| {
            text.parse().ok().filter(|projects| *projects <= metrics::PROJECTS_MAX)
        });
        if projects.is_none() {
            parameters.fault("projects", format!("must be 0 to {}", metrics::PROJECTS_MAX));
        }
        parameters.finish(Self { projects: projects.unwrap_or_default() })
    }
}

/// Refuses every parameter, for calls without parameters.
///
/// # Errors
/// Every parameter, and a query that can't be decoded.
pub fn none(query: &str) -> Result<(), Faults> {
    Parameters::parse(query)?.finish(())
}

/// The decoded parameters, taken out one by one.
pub(crate) struct Parameters {
    pairs: Vec<(String, String)>,
    known: Vec<&'static str>,
    faults: Faults,
}

impl Parameters {
    /// Decodes a raw query without its `?`: `+` is a space, `%xx` a byte.
    pub(crate) fn parse(query: &str) -> Result<Self, Faults> {
        let mut pairs = Vec::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let decode = |text: &str| route::decode_segment(&text.replace('+', " "));
            match (decode(key), decode(value)) {
                (Some(key), Some(value)) => pairs.push((key, value)),
                _ => return Err(Fault::new("?", "holds a broken % escape").into()),
            }
        }
        Ok(Self { pairs, known: Vec::new(), faults: Faults::default() })
    }

    pub(crate) fn fault(&mut self, key: &str, detail: impl Into<String>) {
        self.faults.push_with(|| Fault::new(format!("?{key}"), detail));
    }

    /// Every value of `key`.
    fn many(&mut self, key: &'static str) -> Vec<String> {
        self.known.push(key);
        self.pairs.iter().filter(|(found, _)| found == key).map(|(_, value)| value.clone()).collect()
    }

    /// The only value of `key`.
    pub(crate) fn one(&mut self, key: &'static str) -> Option<String> {
        let mut values = self.many(key);
        if values.len() > 1 {
            self.fault(key, "is given twice");
        }
        values.pop()
    }

    /// Whether any parameter is given twice, known or not.
    pub(crate) fn has_twice(&self) -> bool {
        let names: BTreeSet<&str> = self.pairs.iter().map(|(name, _)| name.as_str()).collect();
        names.len() < self.pairs.len()
    }

    /// A text that restricts; empty means not given.
    fn text(&mut self, key: &'static str) -> Option<String> {
        let text = self.one(key).filter(|text| !text.is_empty())?;
        if text.chars().count() > TEXT_CHARS_MAX {
            self.fault(key, format!("must be at most {TEXT_CHARS_MAX} characters"));
        }
        Some(text)
    }

    /// `key:value`; the value may hold colons.
    pub(crate) fn label(&mut self, parameter: &'static str, text: &str) -> Option<(String, String)> {
        match text.split_once(':') {
            Some((key, value)) if !key.is_empty() => Some((String::from(key), String::from(value))),
            _ => {
                self.fault(parameter, "must be key:value");
                None
            }
        }
    }

    fn state(&mut self) -> Option<State> {
        let text = self.one("state")?;
        let state = State::parse(&text);
        if state.is_none() {
            self.fault("state", format!("must be one of {}", State::ALL.map(State::as_str).join(", ")));
        }
        state
    }

    fn data_form(&mut self) -> DataForm {
        let Some(text) = self.one("data") else { return DataForm::default() };
        text.parse().unwrap_or_else(|_unknown| {
            self.fault("data", format!("must be one of {}", DataForm::ALL.map(DataForm::as_str).join(", ")));
            DataForm::default()
        })
    }

    /// `since` and `until`.
    fn times(&mut self) -> (Option<Timestamp>, Option<Timestamp>) {
        let mut time = |key: &'static str| {
            let text = self.text(key)?;
            let time = Timestamp::parse_rfc3339(&text);
            if time.is_none() {
                self.fault(key, TIME_RULE);
            }
            time
        };
        (time("since"), time("until"))
    }

    /// `since` and `until`, the one before the other.
    fn span(&mut self) -> (Option<Timestamp>, Option<Timestamp>) {
        let (since, until) = self.times();
        if let (Some(since), Some(until)) = (since, until)
            && since >= until
        {
            self.fault("until", "must be later than since");
        }
        (since, until)
    }

    fn event_filter(&mut self) -> EventFilter {
        let (since, until) = self.span();
        EventFilter {
            since,
            until,
            kind: self.text("type"),
            labels: self.labels(),
            object: self.read("object", OBJECT_RULE, ObjectFilter::parse),
            piece: self.piece(),
        }
    }

    fn delivery_filter(&mut self) -> DeliveryFilter {
        let state = self.state();
        let webhook = self.text("webhook");
        let EventFilter { since, until, kind, labels, object, piece } = self.event_filter();
        DeliveryFilter {
            state,
            webhook,
            kind,
            event: self.read("event", "must be the id of an event (evt_…)", |text| {
                text.starts_with(Kind::Event.prefix()).then(|| String::from(text))
            }),
            status: self.read("status", STATUS_RULE, StatusFilter::parse),
            attempts_min: self.read("attempts_min", "must be a whole number", |text| text.parse().ok()),
            since,
            until,
            labels,
            object,
            piece,
        }
    }

    /// The only value of `key` as `parse` reads it; where that does not, `rule` says what it takes. Empty
    /// means not given.
    fn read<T>(
        &mut self,
        key: &'static str,
        rule: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.one(key).filter(|text| !text.is_empty())?;
        let found = parse(&text);
        if found.is_none() {
            self.fault(key, rule);
        }
        found
    }

    /// Every `label=key:value`, at most as many as anything may have. One key can't have two values.
    fn labels(&mut self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for pair in self.many("label") {
            let Some((key, value)) = self.label("label", &pair) else { continue };
            if found.insert(key, value.clone()).is_some_and(|other| other != value) {
                self.fault("label", "asks for two values of one key");
            }
        }
        if found.len() > LABELS_MAX {
            self.fault("label", format!("must be given at most {LABELS_MAX} times"));
        }
        found
    }

    /// `text`: a piece of a payload.
    fn piece(&mut self) -> Option<String> {
        let text = self.one("text").filter(|text| !text.is_empty())?;
        if !(PIECE_CHARS_MIN..=PIECE_CHARS_MAX).contains(&text.chars().count()) {
            self.fault("text", format!("must be {PIECE_CHARS_MIN} to {PIECE_CHARS_MAX} characters"));
        }
        Some(text)
    }

    pub(crate) fn page(&mut self) -> PageQuery {
        self.page_or(LIMIT_DEFAULT)
    }

    fn page_or(&mut self, limit_default: u32) -> PageQuery {
        let cursor = self.text("cursor");
        let limit = self.one("limit").and_then(|text| {
            let limit = text.parse::<u32>().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
            if limit.is_none() {
                self.fault("limit", format!("must be 1 to {LIMIT_MAX}"));
            }
            limit
        });
        PageQuery { limit: limit.unwrap_or(limit_default), cursor }
    }

    /// `found`, if nothing was wrong and every parameter was asked for.
    pub(crate) fn finish<T>(self, found: T) -> Result<T, Faults> {
        let Self { pairs, known, mut faults } = self;
        for (key, _) in pairs.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            faults.push_with(|| {
                let known = if known.is_empty() { String::from("none") } else { known.join(", ") };
                Fault::new(format!("?{key}"), format!("is not a known parameter; known are {known}"))
            });
        }
        if faults.is_empty() { Ok(found) } else { Err(faults) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fault::pointers;

    #[test]
    fn an_empty_query_asks_for_the_first_page_of_everything() {
        assert_eq!(PageQuery::parse(""), Ok(PageQuery { limit: 50, cursor: None }));
        assert_eq!(PageQuery::parse_whole(""), Ok(PageQuery { limit: LIMIT_NONE, cursor: None }));
        assert_eq!(
            PageQuery::parse_whole("limit=2&cursor=a"),
            Ok(PageQuery { limit: 2, cursor: Some(String::from("a")) })
        );
        assert_eq!(PageQuery::parse_whole("limit=201&x=1").map_err(|faults| faults.len()), Err(2));
        assert_eq!(WebhookQuery::parse("&"), Ok(WebhookQuery::default()));
        assert_eq!(
            DeliveryQuery::parse("state=&cursor=").map_err(|faults| faults.len()),
            Err(1),
            "an empty state is none"
        );
        assert_eq!(EventQuery::parse("type=&cursor="), Ok(EventQuery::default()));
    }

    #[test]
    fn what_is_counted_without_a_time_is_of_the_last_day() {
        let now = Timestamp(1_795_270_051_204);
        let (day, at) = (BucketWidth::Day.ms(), |text: &str| Timestamp::parse_rfc3339(text));
        let of = |query: &str| {
            let histogram = HistogramQuery::parse(query, now).map(|found| {
                assert_eq!((found.filter.since, found.filter.until), (Some(found.since), Some(found.until)));
                (Some(found.since), Some(found.until))
            });
            let totals = TotalsQuery::parse(query, now).map(|found| (Some(found.since), Some(found.until)));
            assert_eq!(histogram, totals, "{query}");
            histogram
        };
        let (early, late) = ("2026-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z");
        assert_eq!(of(""), Ok((Some(now.plus_ms(-day)), Some(now))));
        assert_eq!(of(&format!("since={early}")), Ok((at(early), Some(now))));
        assert_eq!(of(&format!("until={early}")), Ok((at("2025-12-31T00:00:00Z"), at(early))));
        // A time that is still to come is empty, and no fault.
        assert_eq!(of(&format!("since={late}")), Ok((at(late), at("2027-01-01T00:00:00.001Z"))));
        // What is asked at the ends of all time can be written, too.
        for query in ["until=0000-01-01T00:00:00Z", "since=9999-12-31T23:59:59.999Z"] {
            assert!(
                of(query).is_ok_and(|(since, until)| {
                    [since, until].into_iter().flatten().all(|time| at(&time.to_rfc3339()) == Some(time))
                }),
                "{query}"
            );
        }
        let wrong = format!("since={late}&until={early}&limit=1");
        assert_eq!(pointers(HistogramQuery::parse(&wrong, now)), ["?until", "?limit"]);
        assert_eq!(pointers(TotalsQuery::parse("since=1h&state=dead", now)), ["?since", "?state"]);
        let filter = HistogramQuery::parse("state=dead&label=a:1", now).map(|found| found.filter.state);
        assert_eq!(filter, Ok(Some(State::Dead)));
    }

    #[test]
    fn the_audit_log_is_asked_by_kind_and_name() {
        let asked = |query: &str| AuditQuery::parse(query).map(|found| (found.subject, found.name));
        assert_eq!(asked(""), Ok((None, None)));
        assert_eq!(asked("subject=token"), Ok((Some(SubjectKind::Token), None)));
        assert_eq!(
            asked("subject=webhook:a%3Ab"),
            Ok((Some(SubjectKind::Webhook), Some(String::from("a:b"))))
        );
        assert_eq!(pointers(AuditQuery::parse("subject=w&limit=0&x=1")), ["?subject", "?limit", "?x"]);
        assert_eq!(pointers(AuditQuery::parse("subject=webhook:")), ["?subject"]);
    }

    #[test]
    fn every_filter_is_read_and_decoded() {
        let found = WebhookQuery::parse(
            "search=a+b%26&label=env:prod&label=url:http%3A%2F%2Fx&event=order.*&object_type=t&object_name=n&state=disabled&limit=200&cursor=c",
        );
        let label = |key: &str, value: &str| (String::from(key), String::from(value));
        assert_eq!(
            found,
            Ok(WebhookQuery {
                page: PageQuery { limit: 200, cursor: Some(String::from("c")) },
                search: Some(String::from("a b&")),
                labels: vec![label("env", "prod"), label("url", "http://x")],
                event: Some(String::from("order.*")),
                object_type: Some(String::from("t")),
                object_name: Some(String::from("n")),
                state: Some(WebhookState::Disabled),
            })
        );
        let found = DeliveryQuery::parse("state=waiting&webhook=w&type=order.paid").map(|found| found.filter);
        assert!(found.is_ok_and(|found| found.state == Some(State::Waiting)
            && found.webhook.as_deref() == Some("w")
            && found.kind.as_deref() == Some("order.paid")));
    }

    #[test]
    fn deliveries_are_searched_by_time_answer_event_and_content() {
        let query = "since=2026-11-01T00:00:00Z&until=2026-11-02T00:00:00Z&event=evt_1&status=5xx&attempts_min=3\
            &label=customer:acme&label=url:http://x&object=order/o-1&text=a%20b";
        let wanted = DeliveryFilter {
            since: Timestamp::parse_rfc3339("2026-11-01T00:00:00Z"),
            until: Timestamp::parse_rfc3339("2026-11-02T00:00:00Z"),
            event: Some(String::from("evt_1")),
            status: Some(StatusFilter::Class(5)),
            attempts_min: Some(3),
            labels: [("customer", "acme"), ("url", "http://x")]
                .map(|(key, value)| (String::from(key), String::from(value)))
                .into(),
            object: ObjectFilter::parse("order/o-1"),
            piece: Some(String::from("a b")),
            ..DeliveryFilter::default()
        };
        assert_eq!(DeliveryQuery::parse_count(query), Ok(wanted.clone()));
        let page = PageQuery { limit: 9, cursor: Some(String::from("c")) };
        let asked = DeliveryQuery::parse(&format!("{query}&limit=9&cursor=c"));
        assert_eq!(asked, Ok(DeliveryQuery { page, filter: wanted }));
        let empty = "since=&until=&event=&status=&attempts_min=&object=&text=";
        assert_eq!(DeliveryQuery::parse_count(empty), Ok(DeliveryFilter::default()));
        for (query, expected) in [
            ("status=6xx&event=dlv_1&attempts_min=-1", vec!["?event", "?status", "?attempts_min"]),
            ("since=2026-11-02T00:00:00Z&until=2026-11-02T00:00:00Z", vec!["?until"]),
            ("text=ab", vec!["?text"]),
            ("object=/x", vec!["?object"]),
            ("label=a", vec!["?label"]),
            ("label=a:1&label=a:2", vec!["?label"]),
            ("label=a:1&label=a:1", vec![]),
            ("limit=9&cursor=c&request_id=r", vec!["?limit", "?cursor", "?request_id"]),
        ] {
            let faults = DeliveryQuery::parse_count(query)
                .map_or_else(|faults| pointers(Err::<(), _>(faults)), |_found| Vec::new());
            assert_eq!(faults, expected, "{query}");
        }
        assert_eq!(pointers(DeliveryQuery::parse(&format!("text={}", "x".repeat(201)))), ["?text"]);
    }

    #[test]
    fn events_are_searched_by_time_and_content() {
        let query = "since=2026-11-01T00:00:00Z&type=a&label=k:v&object=order&text=%C3%A9%C3%A9%C3%A9";
        let found = EventQuery::parse(query).map(|found| found.filter);
        assert!(found.is_ok_and(|found| found.since.is_some()
            && found.until.is_none()
            && found.kind.as_deref() == Some("a")
            && found.labels.len() == 1
            && found.object == ObjectFilter::parse("order")
            && found.piece.as_deref() == Some("ééé")));
        // What only deliveries have, and what is not stored of an event.
        assert_eq!(
            pointers(EventQuery::parse("state=dead&status=500&request_id=r")),
            ["?state", "?status", "?request_id"]
        );
    }

    #[test]
    fn every_bad_parameter_is_named() {
        for (query, expected) in [
            ("limit=0", vec!["?limit"]),
            ("limit=201", vec!["?limit"]),
            ("limit=x", vec!["?limit"]),
            ("limit=1&limit=2", vec!["?limit"]),
            ("label=x", vec!["?label"]),
            ("label=:x", vec!["?label"]),
            ("state=waiting", vec!["?state"]),
            ("nonsense=1&limit=-1", vec!["?limit", "?nonsense"]),
            ("search=%ff", vec!["?"]),
            ("search=%2", vec!["?"]),
        ] {
            assert_eq!(pointers(WebhookQuery::parse(query)), expected, "{query}");
        }
        assert_eq!(pointers(WebhookQuery::parse(&format!("search={}", "x".repeat(257)))), ["?search"]);
        assert_eq!(pointers(WebhookQuery::parse("label=a:1&label=a:2")), ["?label"]);
        let labels = |count: usize| {
            let all: Vec<String> = (0..count).map(|number| format!("label=k{number}:v")).collect();
            all.join("&")
        };
        assert!(WebhookQuery::parse(&labels(LABELS_MAX)).is_ok());
        assert_eq!(pointers(WebhookQuery::parse(&labels(LABELS_MAX + 1))), ["?label"]);
        assert_eq!(pointers(DeliveryQuery::parse("state=lost")), ["?state"]);
        assert_eq!(pointers(none("a=1")), ["?a"]);
        assert_eq!(none(""), Ok(()));
    }

    #[test]
    fn a_list_at_hand_is_cut_into_pages_that_hold_each_item_once() {
        let all = ["a", "b", "c", "d", "e"];
        let ask =
            |limit, cursor: Option<String>| PageQuery { limit, cursor }.page_of(all.to_vec(), |name| name);
        for limit in [1, 2, 4, 5, 6, LIMIT_NONE] {
            let (mut found, mut cursor) = (Vec::new(), None);
            loop {
                let page = ask(limit, cursor);
                assert!(!page.items.is_empty() && page.items.len() <= limit as usize, "{limit}: {page:?}");
                found.extend(page.items);
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(found, all, "{limit}");
        }
        assert_eq!(
            ask(2, Some(String::from("bb"))),
            Page::new(vec!["c", "d"], Some(String::from("d"))),
            "an item that was deleted since"
        );
        assert_eq!(ask(2, Some(String::from("e"))), Page::new(Vec::new(), None));
    }

    const NOW: Timestamp = Timestamp(1_795_270_051_204);

    #[test]
    fn statistics_are_of_the_last_day_by_the_hour_where_nobody_says() {
        let query = StatsQuery::parse("", NOW).unwrap_or_else(|faults| panic!("{faults:?}"));
        assert_eq!(
            (query.since.to_rfc3339().as_str(), query.until, query.bucket),
            ("2026-11-20T14:00:00.000Z", NOW, BucketWidth::Hour)
        );
        let query = StatsQuery::parse(
            "bucket=day&since=2026-11-01T12:00:00%2B01:00&until=2026-11-03T00:00:00Z&webhook=w&type=a",
            NOW,
        );
        assert!(query.is_ok_and(|query| query.since.to_rfc3339() == "2026-11-01T00:00:00.000Z"
            && (query.webhook.as_deref(), query.kind.as_deref(), query.bucket)
                == (Some("w"), Some("a"), BucketWidth::Day)));
        for (query, expected) in [
            ("bucket=week", vec!["?bucket"]),
            ("since=2025-11-01T00:00:00Z", vec!["?since"]),
            ("since=2027-01-01T00:00:00Z", vec!["?until"]),
            ("since=x&until=1&limit=1", vec!["?since", "?until", "?limit"]),
        ] {
            assert_eq!(pointers(StatsQuery::parse(query, NOW)), expected, "{query}");
        }
        assert!(StatsQuery::parse("bucket=day&since=2025-11-01T00:00:00Z", NOW).is_ok());
    }

    #[test]
    fn exports_know_their_own_filters_only() {
        let query = "since=2026-11-01T00:00:00Z&until=2026-11-02T00:00:00Z&type=a";
        assert!(
            ExportQuery::parse_events(query)
                .is_ok_and(|query| query.since < query.until && query.kind.as_deref() == Some("a"))
        );
        assert!(
            ExportQuery::parse_deliveries(&format!("{query}&state=dead&webhook=w"))
                .is_ok_and(|query| query.state == Some(State::Dead))
        );
        assert_eq!(pointers(ExportQuery::parse_events("state=dead&webhook=w")), ["?state", "?webhook"]);
        assert_eq!(ExportQuery::parse_events("data=text").map(|query| query.data), Ok(DataForm::Text));
        assert_eq!(ExportQuery::parse_events("data=json").map(|query| query.data), Ok(DataForm::Json));
        assert_eq!(pointers(ExportQuery::parse_events("data=")), ["?data"]);
        assert_eq!(pointers(ExportQuery::parse_events("data=xml")), ["?data"]);
        assert_eq!(pointers(ExportQuery::parse_deliveries("data=text")), ["?data"]);
        assert_eq!(pointers(ExportQuery::parse_deliveries("state=lost&cursor=c")), ["?state", "?cursor"]);
        assert_eq!(
            pointers(ExportQuery::parse_deliveries("since=2026-11-02T00:00:00Z&until=2026-11-02T00:00:00Z")),
            ["?until"]
        );
        assert_eq!(DryRunQuery::parse("webhook=a+b"), Ok(DryRunQuery { webhook: Some(String::from("a b")) }));
        assert_eq!(pointers(DryRunQuery::parse("event=a")), ["?event"]);
    }

    #[test]
    fn the_operators_metrics_say_how_many_projects() {
        let projects = |query| MetricsQuery::parse(query).map(|query| query.projects);
        assert_eq!((projects(""), projects("projects=0"), projects("projects=20")), (Ok(20), Ok(0), Ok(20)));
        for query in ["projects=21", "projects=-1", "projects=", "projects=x"] {
            assert_eq!(pointers(MetricsQuery::parse(query)), ["?projects"], "{query}");
        }
        assert_eq!(pointers(MetricsQuery::parse("project=a")), ["?project"]);
    }

    proptest! {
        #[test]
        fn no_query_makes_it_panic(query in ".{0,60}") {
            let _found = StatsQuery::parse(&query, NOW);
            let _found = HistogramQuery::parse(&query, NOW);
            let _found = ExportQuery::parse_deliveries(&query);
            let _found = StatsQuery::parse(&format!("since={query}"), NOW);
            let _found = WebhookQuery::parse(&query);
            let _found = DeliveryQuery::parse(&query);
            let _found = DeliveryQuery::parse(&format!("text={query}&object={query}&status={query}&label={query}"));
            let _found = EventQuery::parse(&query);
        }
    }
}
