//! The roster: what of every webhook is kept in memory, so that matching an event and leasing a delivery cost no query.
//!
//! Small on purpose (10,000 webhooks fit a Durable Object's 128 MB): headers, labels and secrets stay in the database.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use postern_core::delivery::Standing;
use postern_core::filter::{self, EventFacts};
use postern_core::id::Seq;
use postern_core::webhook::{Contract, Definition};

use crate::gate::Rules;
use crate::quotas::origin_of;
use crate::webhooks::StoredWebhook;
use crate::work::LEASE_SLACK_MS;

/// Event types whose candidates are remembered at most. A project's catalogue has tens; a producer that makes up types
/// must not fill the memory.
const MEMO_TYPES_MAX: usize = 1_000;

/// One webhook in memory.
#[derive(Debug)]
pub(crate) struct Member {
    /// Its current version.
    pub(crate) version: u32,
    /// The definition without headers, labels and secrets.
    definition: Definition,
}

impl Member {
    /// The definition without headers, labels and secrets.
    pub(crate) const fn definition(&self) -> &Definition {
        &self.definition
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

    pub(crate) const fn timeout_s(&self) -> u32 {
        self.definition.timeout_s
    }

    /// Milliseconds that an attempt's timeout takes.
    pub(crate) fn timeout_ms(&self) -> i64 {
        i64::from(self.definition.timeout_s) * 1_000
    }

    /// Milliseconds of a lease that is offered for the `offer`-th time (from 1). Doubled each time, up to 16 times as
    /// long: where nobody claims in time there is a backlog, and more messages would only lengthen it.
    pub(crate) fn lease_ms(&self, offer: u32) -> i64 {
        (self.timeout_ms() + LEASE_SLACK_MS) << offer.saturating_sub(1).min(4)
    }

    /// What `core::delivery::decide` needs to know; `project` is the project's schedule.
    pub(crate) fn standing<'a>(&'a self, project: Option<&'a [u32]>, delivery: Seq, scheduled_attempts: u32) -> Standing<'a> {
        Standing {
            contract: self.definition.contract,
            retry: self.definition.retry,
            schedule_s: self.definition.retry_schedule_s.as_deref().or(project),
            scheduled_attempts,
            seed: delivery.0.cast_unsigned(),
        }
    }
}

/// Every webhook of the project.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    members: BTreeMap<Seq, Member>,
    by_name: BTreeMap<String, Seq>,
    /// Enabled webhooks that want an event type, about at least something.
    candidates: RefCell<BTreeMap<String, Vec<Seq>>>,
    /// How many there are of each origin.
    origins: BTreeMap<String, u32>,
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
        *self.origins.entry(String::from(origin_of(&definition.url))).or_default() += 1;
        self.members.insert(webhook.seq, Member { version: webhook.version, definition });
        self.candidates.get_mut().clear();
    }

    /// Forgets a webhook.
    pub(crate) fn remove(&mut self, webhook: Seq) {
        if let Some(member) = self.members.remove(&webhook) {
            self.by_name.remove(member.name());
            let origin = origin_of(member.url());
            let left = self.of_origin(origin).saturating_sub(1);
            if left == 0 {
                self.origins.remove(origin);
            } else if let Some(count) = self.origins.get_mut(origin) {
                *count = left;
            }
        }
        self.candidates.get_mut().clear();
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

    /// Enabled webhooks that want an event, in the order of their keys.
    pub(crate) fn matching(&self, event: &EventFacts<'_>) -> Vec<Seq> {
        let mut candidates = self.candidates.borrow_mut();
        if !candidates.contains_key(event.kind) {
            if candidates.len() >= MEMO_TYPES_MAX {
                candidates.clear();
            }
            let takes = |member: &Member| member.enabled() && filter::takes_type(&member.definition, event.kind);
            let found = self.members.iter().filter(|(_seq, member)| takes(member)).map(|(seq, _member)| *seq);
            candidates.insert(String::from(event.kind), found.collect());
        }
        let candidates = candidates.get(event.kind).map_or(&[][..], Vec::as_slice);
        let wants = |seq: &Seq| self.members.get(seq).is_some_and(|member| member.wants(event));
        candidates.iter().copied().filter(wants).collect()
    }

    /// Notes how the latest attempt of a webhook went.
    pub(crate) fn note(&mut self, webhook: Seq, went_well: bool) {
        if went_well {
            self.ailing.remove(&webhook);
        } else if self.members.contains_key(&webhook) {
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
        roster.matching(&EventFacts::of(&event(kind)))
    }

    fn stored(seq: i64, definition: Definition) -> StoredWebhook {
        let at = Timestamp(0);
        StoredWebhook { seq: Seq(seq), id: String::new(), version: 1, definition, disabled_reason: None, created_at: at, updated_at: at }
    }

    fn object(name: &str) -> ObjectRef {
        ObjectRef { kind: String::from("deployment"), name: String::from(name), version: None }
    }

    #[test]
    fn what_was_remembered_of_a_type_is_forgotten_when_a_webhook_changes() {
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
    fn producers_that_make_up_types_do_not_fill_the_memory() {
        let roster = Roster::default();
        for number in 0..MEMO_TYPES_MAX * 2 {
            matching(&roster, &format!("type{number}"));
        }
        assert!(roster.candidates.borrow().len() <= MEMO_TYPES_MAX);
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
        let filter = postern_core::condition::Condition::parse(&serde_json::json!({"field": "amount", "gt": 100}), "").unwrap();
        roster.put(&stored(2, Definition { filter: Some(filter), ..webhook("b", "*") }));
        let large = NewEvent { data: json("{\"amount\":101}"), ..event("order.paid") };
        assert_eq!(roster.matching(&EventFacts::of(&large)), [Seq(2)]);
        let labelled = NewEvent { labels, ..event("order.paid") };
        assert_eq!(roster.matching(&EventFacts::of(&labelled)), [Seq(1)]);
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
                let facts = EventFacts::of(&about);
                let wants = |definition: &Definition| definition.enabled && filter::matches(definition, &facts);
                let wanted: Vec<Seq> = all.iter().filter(|(_seq, definition)| wants(definition)).map(|(seq, _definition)| *seq).collect();
                prop_assert_eq!(roster.matching(&facts), wanted);
            }
        }
    }
}
