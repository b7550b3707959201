//! The roster: the part of each webhook that is kept in memory, so that matching an event and leasing a
//! delivery cost no query.
//!
//! Small on purpose (10,000 webhooks fit a Durable Object's 128 MB): headers, labels and secrets stay in the
//! database.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use postern_core::delivery::RetryTerms;
use postern_core::event::is_operational;
use postern_core::filter::{self, EventFacts};
use postern_core::health::Health;
use postern_core::id::Seq;
use postern_core::time::Timestamp;
use postern_core::webhook::{Contract, Definition};

use crate::memory::gate::Rules;
use crate::row::webhook::StoredWebhook;

/// Milliseconds that a lease is longer than the webhook's timeout: for the way through a queue and back.
pub const LEASE_SLACK_MS: i64 = 30_000;

/// One webhook in memory.
#[derive(Debug)]
pub(crate) struct Member {
    /// Its current version.
    pub(crate) version: u32,
    /// The definition without headers, labels and secrets.
    definition: Definition,
    is_readable: bool,
    /// Whether it was Postern that disabled it.
    is_given_up: bool,
    /// What an inbox must know of it, where it calls one.
    caller: Option<Caller>,
}

/// What is kept of a webhook that calls an inbox, which may be the project's own.
#[derive(Debug)]
struct Caller {
    /// The path of the inbox.
    inbox: String,
    has_secret: bool,
    /// Names of its headers in lower case, and whether each is protected.
    headers: Vec<(String, bool)>,
}

impl Caller {
    fn of(definition: &Definition) -> Option<Self> {
        let headers =
            definition.headers.iter().map(|header| (header.key.to_ascii_lowercase(), header.protected));
        Some(Self {
            inbox: String::from(inbox_of(&definition.url)?),
            has_secret: definition.secret.is_some(),
            headers: headers.collect(),
        })
    }
}

/// What the webhooks say that call one inbox.
#[derive(Debug, Default)]
struct Callers {
    count: u32,
    /// Those with a secret.
    with_secret: BTreeSet<Seq>,
    /// How many have a header of this name protected, and how many have it open.
    headers: BTreeMap<String, [u32; 2]>,
}

impl Callers {
    fn put(&mut self, webhook: Seq, caller: &Caller) {
        self.count += 1;
        if caller.has_secret {
            self.with_secret.insert(webhook);
        }
        for (name, is_protected) in &caller.headers {
            let [protected, open] = self.headers.entry(name.clone()).or_default();
            *if *is_protected { protected } else { open } += 1;
        }
    }

    /// Takes out what [`Callers::put`] put in.
    fn remove(&mut self, webhook: Seq, caller: &Caller) {
        self.count = self.count.saturating_sub(1);
        self.with_secret.remove(&webhook);
        for (name, is_protected) in &caller.headers {
            if let Some([protected, open]) = self.headers.get_mut(name) {
                let count = if *is_protected { protected } else { open };
                *count = count.saturating_sub(1);
            }
        }
        self.headers.retain(|_name, counts| *counts != [0, 0]);
    }
}

impl Member {
    /// The definition without headers, labels and secrets.
    pub(crate) const fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Whether its stored definition could be read ([`StoredWebhook::is_readable`]).
    pub(crate) const fn is_readable(&self) -> bool {
        self.is_readable
    }

    /// Whether it is disabled, and not by a person.
    pub(crate) const fn is_given_up(&self) -> bool {
        self.is_given_up
    }

    pub(crate) fn name(&self) -> &str {
        self.definition.name.as_str()
    }

    pub(crate) fn url(&self) -> &str {
        &self.definition.url
    }

    pub(crate) const fn contract(&self) -> Contract {
        self.definition.contract
    }

    pub(crate) const fn enabled(&self) -> bool {
        self.definition.enabled
    }

    pub(crate) const fn ordered(&self) -> bool {
        self.definition.ordered
    }

    /// What its gate goes by.
    pub(crate) const fn rules(&self) -> Rules {
        let definition = &self.definition;
        Rules {
            takes_calls: definition.enabled && !definition.paused,
            rate: definition.rate_limit,
            concurrency: definition.concurrency_limit,
        }
    }

    /// Whether it wants the event, apart from whether it is enabled.
    pub(crate) fn wants(&self, event: &EventFacts<'_>) -> bool {
        filter::matches(&self.definition, event)
    }

    /// Whether a 410 that ends at `now` disables it.
    pub(crate) fn gone_disables(&self, health: &Health, now: Timestamp) -> bool {
        health.gone_disables(&self.definition, now)
    }

    /// Whether it is disabled by a second 410 only.
    pub(crate) const fn confirms_gone(&self) -> bool {
        self.definition.confirm_gone
    }

    pub(crate) const fn timeout_s(&self) -> u32 {
        self.definition.timeout_s
    }

    /// Milliseconds that an attempt's timeout takes.
    pub(crate) fn timeout_ms(&self) -> i64 {
        i64::from(self.definition.timeout_s) * 1_000
    }

    /// Milliseconds of a lease that is offered for the `offer`-th time (from 1). Doubled each time, up to 16
    /// times as long: where nobody claims in time there is a backlog, and more messages would only lengthen
    /// it.
    pub(crate) fn lease_ms(&self, offer: u32) -> i64 {
        (self.timeout_ms() + LEASE_SLACK_MS) << offer.saturating_sub(1).min(4)
    }

    /// What `core::delivery::decide` needs to know of a webhook without a first 410; `project` is the
    /// project's schedule.
    pub(crate) fn standing<'a>(
        &'a self,
        project: Option<&'a [u32]>,
        delivery: Seq,
        scheduled_attempts: u32,
    ) -> RetryTerms<'a> {
        RetryTerms {
            gone_disables: !self.definition.confirm_gone,
            contract: self.definition.contract,
            retry: self.definition.retry,
            schedule_s: self.definition.retry_schedule_s.as_deref().or(project),
            scheduled_attempts,
            seed: delivery.0.cast_unsigned(),
        }
    }
}

/// Where a webhook stands in a [`TypeIndex`].
enum Place {
    Exact(String),
    Below(String),
    Everything,
}

/// The places of an enabled webhook; a disabled one has none.
fn places(definition: &Definition) -> Vec<Place> {
    let mut places = Vec::new();
    for pattern in definition.events.iter().filter(|_pattern| definition.enabled) {
        let text = pattern.as_str();
        match text.strip_suffix(".*") {
            Some(stem) => places.push(Place::Below(String::from(stem))),
            None if text == "*" => places.push(Place::Everything),
            None => {
                places.push(Place::Exact(String::from(text)));
                places.extend(filter::ways_to_end(definition.contract, text).into_iter().map(Place::Exact));
            }
        }
    }
    places
}

/// Enabled webhooks by what their patterns start with, so that an event asks those alone that may want its
/// type: a batch of a hundred types must not ask ten thousand webhooks a hundred times.
#[derive(Debug, Default)]
struct TypeIndex {
    /// By the type that a pattern names.
    exact: BTreeMap<String, BTreeSet<Seq>>,
    /// By what stands before the `.*` of a pattern.
    below: BTreeMap<String, BTreeSet<Seq>>,
    /// Those that want everything.
    everything: BTreeSet<Seq>,
}

impl TypeIndex {
    fn put(&mut self, webhook: Seq, definition: &Definition) {
        for place in places(definition) {
            let seqs = match place {
                Place::Exact(kind) => self.exact.entry(kind).or_default(),
                Place::Below(stem) => self.below.entry(stem).or_default(),
                Place::Everything => &mut self.everything,
            };
            seqs.insert(webhook);
        }
    }

    fn remove(&mut self, webhook: Seq, definition: &Definition) {
        for place in places(definition) {
            let (map, key) = match place {
                Place::Exact(kind) => (&mut self.exact, kind),
                Place::Below(stem) => (&mut self.below, stem),
                Place::Everything => {
                    self.everything.remove(&webhook);
                    continue;
                }
            };
            let is_empty = map.get_mut(&key).is_some_and(|seqs| {
                seqs.remove(&webhook);
                seqs.is_empty()
            });
            if is_empty {
                map.remove(&key);
            }
        }
    }

    /// Those that may want an event of type `kind`, in the order of their keys.
    fn candidates(&self, kind: &str) -> Vec<Seq> {
        let stems = kind.match_indices('.').filter_map(|(at, _dot)| self.below.get(kind.get(..at)?));
        let everything = (!is_operational(kind)).then_some(&self.everything);
        let mut found: Vec<Seq> =
            self.exact.get(kind).into_iter().chain(stems).chain(everything).flatten().copied().collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Scheme, host and port of a URL that the egress policy has normalised.
pub(crate) fn origin_of(url: &str) -> &str {
    let authority = url.find("://").map_or(0, |at| at + 3);
    let end = url
        .get(authority..)
        .and_then(|rest| rest.find(['/', '?', '#']))
        .map_or(url.len(), |at| authority + at);
    url.get(..end).unwrap_or(url)
}

/// The path of the inbox that a URL leads to (`/in/p1.key`), or would if it is one of ours.
fn inbox_of(url: &str) -> Option<&str> {
    const START: &str = "/in/";
    let path = url.get(origin_of(url).len()..)?;
    let key = path.strip_prefix(START)?;
    let end = key.find(['/', '?', '#']).unwrap_or(key.len());
    path.get(..START.len() + end)
}

/// Every webhook of the project.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    members: BTreeMap<Seq, Member>,
    by_name: BTreeMap<String, Seq>,
    by_type: TypeIndex,
    /// How many there are of each origin.
    origins: BTreeMap<String, u32>,
    /// By the path of an inbox, so that a request that anybody may send asks no webhook.
    callers: BTreeMap<String, Callers>,
    /// Webhooks whose latest attempt failed or was slow.
    ailing: BTreeSet<Seq>,
}

impl Roster {
    /// Adds or replaces a webhook.
    pub(crate) fn put(&mut self, webhook: &StoredWebhook) {
        self.remove(webhook.seq);
        let definition = Definition {
            headers: Vec::new(),
            labels: BTreeMap::new(),
            secret: None,
            previous_secrets: Vec::new(),
            ..webhook.definition.clone()
        };
        self.by_name.insert(String::from(definition.name.as_str()), webhook.seq);
        self.by_type.put(webhook.seq, &definition);
        *self.origins.entry(String::from(origin_of(&definition.url))).or_default() += 1;
        let (version, is_readable) = (webhook.version, webhook.is_readable());
        let is_given_up = !definition.enabled && webhook.disabled_reason.is_some();
        let caller = Caller::of(&webhook.definition);
        if let Some(caller) = &caller {
            self.callers.entry(caller.inbox.clone()).or_default().put(webhook.seq, caller);
        }
        self.members.insert(webhook.seq, Member { version, definition, is_readable, is_given_up, caller });
    }

    /// Forgets a webhook.
    pub(crate) fn remove(&mut self, webhook: Seq) {
        if let Some(member) = self.members.remove(&webhook) {
            self.by_name.remove(member.name());
            self.by_type.remove(webhook, &member.definition);
            if let Some(caller) = &member.caller
                && let Some(callers) = self.callers.get_mut(&caller.inbox)
            {
                callers.remove(webhook, caller);
                if callers.count == 0 {
                    self.callers.remove(&caller.inbox);
                }
            }
            let origin = origin_of(member.url());
            let left = self.of_origin(origin).saturating_sub(1);
            if left == 0 {
                self.origins.remove(origin);
            } else if let Some(count) = self.origins.get_mut(origin) {
                *count = left;
            }
        }
        self.ailing.remove(&webhook);
    }

    /// How many webhooks there are.
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    /// How many webhooks there are of this origin.
    pub(crate) fn of_origin(&self, origin: &str) -> u32 {
        self.origins.get(origin).copied().unwrap_or_default()
    }

    /// How many webhooks the origin has that has the most.
    pub(crate) fn most_of_one_origin(&self) -> u32 {
        self.origins.values().copied().max().unwrap_or_default()
    }

    /// Webhooks with a secret that call the inbox at this path.
    pub(crate) fn signing_callers(&self, inbox: &str) -> impl ExactSizeIterator<Item = Seq> {
        self.callers.get(inbox).map(|callers| callers.with_secret.iter().copied()).unwrap_or_default()
    }

    /// Whether a webhook that calls the inbox at this path has a header of this name protected; `None` where
    /// none has such a header.
    pub(crate) fn callers_protect(&self, inbox: &str, header: &str) -> Option<bool> {
        let counts = self.callers.get(inbox)?.headers.get(&header.to_ascii_lowercase())?;
        Some(counts.first().is_some_and(|protected| *protected > 0))
    }

    pub(crate) fn get(&self, webhook: Seq) -> Option<&Member> {
        self.members.get(&webhook)
    }

    pub(crate) fn named(&self, name: &str) -> Option<Seq> {
        self.by_name.get(name).copied()
    }

    /// Every webhook, by name.
    pub(crate) fn named_in_order(&self) -> impl Iterator<Item = (Seq, &Member)> {
        self.named_after("")
    }

    /// Webhooks whose name comes after this one, by name.
    pub(crate) fn named_after(&self, name: &str) -> impl Iterator<Item = (Seq, &Member)> {
        let after = (Bound::Excluded(name), Bound::Unbounded);
        self.by_name.range::<str, _>(after).filter_map(|(_name, seq)| Some((*seq, self.members.get(seq)?)))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Seq, &Member)> {
        self.members.iter().map(|(seq, member)| (*seq, member))
    }

    /// Enabled webhooks that want an event, in the order of their keys. Worth nothing once the event's budget
    /// is spent ([`EventFacts::overspent`]).
    pub(crate) fn matching(&self, event: &EventFacts<'_>) -> Vec<Seq> {
        let mut candidates = self.by_type.candidates(event.kind);
        candidates.retain(|seq| self.members.get(seq).is_some_and(|member| member.wants(event)));
        candidates
    }

    /// Notes that the latest attempt of a webhook was delivered quickly.
    pub(crate) fn note_healthy(&mut self, webhook: Seq) {
        self.ailing.remove(&webhook);
    }

    /// Notes that the latest attempt of a webhook was slow or failed.
    pub(crate) fn note_ailing(&mut self, webhook: Seq) {
        if self.members.contains_key(&webhook) {
            self.ailing.insert(webhook);
        }
    }

    /// Whether the latest attempt was delivered quickly; an unknown webhook gets the benefit of the doubt.
    pub(crate) fn is_healthy(&self, webhook: Seq) -> bool {
        !self.ailing.contains(&webhook)
    }
}

#[cfg(test)]
mod tests {
    use postern_core::event::{NewEvent, ObjectRef};
    use postern_core::time::Timestamp;
    use postern_core::webhook::ObjectFilter;
    use proptest::prelude::*;

    use super::*;
    use crate::support::build::{event, json, webhook};

    fn matching(roster: &Roster, kind: &str) -> Vec<Seq> {
        roster.matching(&EventFacts::from_event(&event(kind)))
    }

    fn stored(seq: i64, definition: Definition) -> StoredWebhook {
        let at = Timestamp(0);
        StoredWebhook {
            seq: Seq(seq),
            id: String::new(),
            version: 1,
            definition,
            disabled_reason: None,
            created_at: at,
            updated_at: at,
        }
    }

    fn object(name: &str) -> ObjectRef {
        ObjectRef { kind: String::from("deployment"), name: String::from(name), version: None }
    }

    #[test]
    fn the_origin_of_a_url_is_what_stands_before_its_path() {
        for (url, origin) in [
            ("https://a.example/x/y", "https://a.example"),
            ("https://a.example?q", "https://a.example"),
            ("https://a.example#f", "https://a.example"),
            ("https://[::1]:8/x", "https://[::1]:8"),
            ("https://a.example", "https://a.example"),
            ("", ""),
        ] {
            assert_eq!(origin_of(url), origin);
        }
    }

    #[test]
    fn the_inbox_of_a_url_is_the_start_of_its_path() {
        for (url, inbox) in [
            ("https://host/in/p1.key", Some("/in/p1.key")),
            ("http://127.0.0.1:8787/in/p1.key/below?x=1", Some("/in/p1.key")),
            ("https://host/in/p1.key?x", Some("/in/p1.key")),
            ("https://host/in", None),
            ("https://host/inn/p1.key", None),
            ("https://host/other/in/p1.key", None),
            ("https://host", None),
        ] {
            assert_eq!(inbox_of(url), inbox, "{url}");
        }
    }

    #[test]
    fn what_the_callers_of_an_inbox_say_changes_with_them() {
        use postern_core::webhook::Header;

        let calling = |name: &str, headers: &[(&str, bool)]| {
            let headers = headers.iter().map(|(key, protected)| Header {
                key: String::from(*key),
                value: String::from("v"),
                protected: *protected,
            });
            Definition {
                url: String::from("https://host/in/p1.key"),
                headers: headers.collect(),
                ..webhook(name, "*")
            }
        };
        let says = |roster: &Roster, header| roster.callers_protect("/in/p1.key", header);
        let mut roster = Roster::default();
        roster.put(&stored(1, calling("a", &[("X-Mine", true), ("X-Open", false)])));
        roster.put(&stored(2, calling("b", &[("x-mine", false), ("X-OPEN", false)])));
        assert_eq!((says(&roster, "x-MINE"), says(&roster, "x-open")), (Some(true), Some(false)));
        assert_eq!((says(&roster, "x-else"), roster.callers_protect("/in/p1.other", "x-mine")), (None, None));
        roster.put(&stored(1, calling("a", &[])));
        assert_eq!(says(&roster, "x-mine"), Some(false));
        roster.remove(Seq(2));
        assert_eq!(says(&roster, "x-mine"), None);
        roster.remove(Seq(1));
        assert!(roster.callers.is_empty());
    }

    #[test]
    fn a_webhook_that_changes_is_found_by_its_new_patterns_only() {
        let mut roster = Roster::default();
        roster.put(&stored(1, webhook("a", "order.*")));
        assert_eq!(matching(&roster, "order.paid"), [Seq(1)]);
        roster.put(&stored(2, webhook("b", "order.paid")));
        assert_eq!(matching(&roster, "order.paid"), [Seq(1), Seq(2)]);
        roster.put(&stored(1, Definition { enabled: false, ..webhook("a", "order.*") }));
        assert_eq!(matching(&roster, "order.paid"), [Seq(2)]);
        roster.remove(Seq(2));
        assert!(matching(&roster, "order.paid").is_empty());
    }

    #[test]
    fn a_renamed_webhook_is_found_by_its_new_name_only() {
        let mut roster = Roster::default();
        roster.put(&stored(1, webhook("a", "*")));
        roster.put(&stored(1, webhook("b", "*")));
        assert_eq!((roster.named("a"), roster.named("b")), (None, Some(Seq(1))));
    }

    #[test]
    fn a_type_asks_only_the_webhooks_whose_patterns_may_take_it() {
        let mut roster = Roster::default();
        let ubiops = Definition { contract: Contract::Ubiops, ..webhook("u", "deployment_finished") };
        for (seq, definition) in
            (1..).zip([webhook("a", "order.*"), webhook("b", "order.paid"), webhook("c", "*"), ubiops])
        {
            roster.put(&stored(seq, definition));
        }
        let candidates = |roster: &Roster, kind: &str| -> Vec<i64> {
            roster.by_type.candidates(kind).into_iter().map(|seq| seq.0).collect()
        };
        assert_eq!(candidates(&roster, "order.paid"), [1, 2, 3]);
        assert_eq!(candidates(&roster, "order.paid.late"), [1, 3]);
        assert_eq!(candidates(&roster, "deployment_failed"), [3, 4]);
        assert_eq!(candidates(&roster, "postern.webhook.failing"), [0; 0]);
        for seq in 1..=4 {
            roster.remove(Seq(seq));
        }
        assert!(
            roster.by_type.exact.is_empty()
                && roster.by_type.below.is_empty()
                && roster.by_type.everything.is_empty()
        );
    }

    #[test]
    fn a_lease_that_nobody_claims_is_longer_each_time_up_to_a_limit() {
        let mut roster = Roster::default();
        roster.put(&stored(1, webhook("a", "*")));
        let lease_ms = |offer| roster.get(Seq(1)).map(|member| member.lease_ms(offer));
        assert_eq!([1, 2, 3, 5, 50].map(lease_ms), [40_000, 80_000, 160_000, 640_000, 640_000].map(Some));
    }

    #[test]
    fn labels_and_data_of_an_event_decide_too() {
        let mut roster = Roster::default();
        let labels = BTreeMap::from([(String::from("env"), String::from("prod"))]);
        roster.put(&stored(1, Definition { event_labels: labels.clone(), ..webhook("a", "*") }));
        let filter =
            postern_core::condition::Condition::parse(&serde_json::json!({"field": "amount", "gt": 100}), "")
                .unwrap();
        roster.put(&stored(2, Definition { filter: Some(filter), ..webhook("b", "*") }));
        let large = NewEvent { data: json("{\"amount\":101}"), ..event("order.paid") };
        assert_eq!(roster.matching(&EventFacts::from_event(&large)), [Seq(2)]);
        let labelled = NewEvent { labels, ..event("order.paid") };
        assert_eq!(roster.matching(&EventFacts::from_event(&labelled)), [Seq(1)]);
        assert!(matching(&roster, "order.paid").is_empty());
    }

    proptest! {
        #[test]
        fn the_roster_matches_as_each_webhook_does(
            webhooks in prop::collection::vec((prop::sample::select(vec!["a.b", "a.*", "a.b.*", "*", "c"]), any::<bool>(), 0..3usize), 0..12),
            kinds in prop::collection::vec(prop::sample::select(vec!["a", "a.b", "a.b.c", "c", "d.e"]), 1..6),
            with_object: bool,
        ) {
            let mut roster = Roster::default();
            let mut all = Vec::new();
            for (number, (pattern, enabled, filter)) in (1..).zip(webhooks) {
                let name = [None, Some("d1"), Some("d2")][filter].map(String::from);
                let object = ObjectFilter { kind: None, name, version: None };
                let definition = Definition { enabled, object, ..webhook(&format!("w{number}"), pattern) };
                roster.put(&stored(number, definition.clone()));
                all.push((Seq(number), definition));
            }
            let object = with_object.then(|| object("d1"));
            for kind in kinds {
                let about = NewEvent { object: object.clone(), ..event(kind) };
                let facts = EventFacts::from_event(&about);
                let wants = |definition: &Definition| definition.enabled && filter::matches(definition, &facts);
                let wanted: Vec<Seq> = all.iter().filter(|(_seq, definition)| wants(definition)).map(|(seq, _definition)| *seq).collect();
                prop_assert_eq!(roster.matching(&facts), wanted);
            }
        }
    }
}
