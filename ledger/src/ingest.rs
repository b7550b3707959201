//! Accepting events: the event and a delivery for every webhook that wants it, in one commit.

use std::collections::BTreeMap;

use postern_core::api::event::EventAccepted;
use postern_core::budget::{Budget, EVENT_STEPS_MAX, REQUEST_STEPS_MAX};
use postern_core::delivery::Trigger;
use postern_core::event::{NewEvent, ObjectRef};
use postern_core::fault::Faults;
use postern_core::filter::EventFacts;
use postern_core::id::{Kind, Seq};
use postern_core::time::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::LedgerError;
use crate::project::Ledger;
use crate::quotas::bytes_of;
use crate::row::delivery::{self, KeysTaken, Line, Plan, Planned, head_of};
use crate::row::event::{data_of, insert_event, labels_of, object_of};
use crate::row::text::to_json;
use crate::sql::{Sql, Value, atomically};
use crate::work::{Work, WorkEvent, WorkSet};

/// How many first attempts the caller is willing to make itself, in the request that brought the events. 0:
/// none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InlineLimit(pub u32);

/// What became of a batch of events.
#[derive(Clone, Debug)]
pub struct Ingested {
    /// One per event, in their order.
    pub accepted: Vec<EventAccepted>,
    /// Leased to the caller and claimed already: to be called now and reported.
    pub works: WorkSet,
    /// The new deliveries.
    pub changed: Vec<Seq>,
}

/// What is known of an idempotency key.
struct Known {
    seq: Seq,
    deliveries: u32,
    kind: String,
    object: Option<ObjectRef>,
    order_key: Option<String>,
    labels: BTreeMap<String, String>,
    data: Box<RawValue>,
}

impl Known {
    fn has_content_of(&self, event: &NewEvent) -> bool {
        self.kind == event.kind
            && self.object == event.object
            && self.order_key == event.order_key
            && self.labels == event.labels
            && same_json(&self.data, &event.data)
    }
}

/// A batch on its way in: what was accepted of it, and what is planned and not stored yet.
struct Batch {
    accepted: Vec<EventAccepted>,
    accepted_at: Timestamp,
    /// By idempotency key, those of the batch itself among them.
    known: BTreeMap<String, Known>,
    /// Key, number of deliveries, event.
    new_events: Vec<(Seq, u32, NewEvent)>,
    planned: Vec<Planned>,
    keys_taken: KeysTaken,
    works: WorkSet,
    inline_left: usize,
    schema_faults: Faults,
    /// Of the [`Budget`] of the call.
    steps_left: u64,
}

impl Batch {
    fn new(
        known: BTreeMap<String, Known>,
        accepted_at: Timestamp,
        inline: InlineLimit,
        events: usize,
    ) -> Self {
        Self {
            accepted: Vec::with_capacity(events),
            accepted_at,
            known,
            new_events: Vec::new(),
            planned: Vec::new(),
            keys_taken: KeysTaken::new(),
            works: WorkSet::default(),
            inline_left: inline.0 as usize,
            schema_faults: Faults::default(),
            steps_left: REQUEST_STEPS_MAX,
        }
    }
}

impl<S: Sql> Ledger<S> {
    /// Accepts events, all or none of them. Each is matched against the webhooks of this very moment.
    ///
    /// An event whose key is known is not stored again: the first one's id comes back with `duplicate` set.
    /// Keys are compared within the batch too.
    ///
    /// Where all webhooks of an event are healthy (their last attempt was delivered in under a second), have
    /// neither limits nor order nor anything that waits, and the works of the call stay within `inline`, the
    /// event's deliveries are leased to the caller.
    ///
    /// # Errors
    /// [`LedgerError::Quota`]; [`LedgerError::IdempotencyConflict`]; [`LedgerError::SchemaViolated`] where
    /// data does not fit the schema of its type, or takes too many steps to be compared with it and with the
    /// webhooks; the database fails.
    pub fn ingest(
        &mut self,
        events: Vec<NewEvent>,
        inline: InlineLimit,
        now: Timestamp,
    ) -> Result<Ingested, LedgerError> {
        self.admit_events(events.len(), now)?;
        let told = self.watch_fullness(now)?;
        let known = self.known_keys(&events)?;
        let mut batch = Batch::new(known, self.stamp(now), inline, events.len());
        for (index, event) in events.into_iter().enumerate() {
            self.take_in(&mut batch, index, event, now)?;
        }
        if !batch.schema_faults.is_empty() {
            return Err(LedgerError::SchemaViolated { faults: batch.schema_faults });
        }
        self.store_batch(&batch, now)?;
        self.meters.note_open(batch.planned.len());
        for delivery in &batch.planned {
            match delivery.plan {
                Plan::Inline { until } => self.gates.lease_inline(delivery.webhook, delivery.seq, until),
                Plan::Held(line) => self.gates.hold(delivery.webhook, line),
                Plan::Due { .. } | Plan::Behind | Plan::Leased { .. } | Plan::Ended(_) => {}
            }
        }
        let changed =
            told.into_iter().chain(batch.planned.into_iter().map(|delivery| delivery.seq)).collect();
        Ok(Ingested { accepted: batch.accepted, works: batch.works, changed })
    }

    /// Matches the event at `index` of a batch and plans its deliveries, unless its key is known.
    fn take_in(
        &mut self,
        batch: &mut Batch,
        index: usize,
        event: NewEvent,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        if let Some(known) = event.idempotency_key.as_ref().and_then(|key| batch.known.get(key)) {
            if !known.has_content_of(&event) {
                return Err(LedgerError::IdempotencyConflict { index });
            }
            let id = self.ids.id(Kind::Event, known.seq);
            batch.accepted.push(EventAccepted { id, deliveries: known.deliveries, duplicate: true });
            return Ok(());
        }
        let data_at = format!("/events/{index}/data");
        let facts =
            EventFacts::from_event(&event).with_budget(Budget::new(batch.steps_left.min(EVENT_STEPS_MAX)));
        batch.schema_faults.absorb(self.check_data(&facts, &data_at)?);
        let seq = self.next_key(now);
        let webhooks = self.roster.matching(&facts);
        if let Some(fault) = facts.overspent(&data_at) {
            return Err(LedgerError::SchemaViolated { faults: fault.into() });
        }
        batch.steps_left = batch.steps_left.saturating_sub(facts.budget().used());
        self.admit_deliveries(batch.planned.len() + webhooks.len())?;
        let deliveries = u32::try_from(webhooks.len()).unwrap_or(u32::MAX);
        let id = self.ids.id(Kind::Event, seq);
        self.plan_deliveries(batch, (seq, &event), webhooks, now)?;
        if let Some(key) = &event.idempotency_key {
            let NewEvent { kind, object, order_key, labels, data, .. } = event.clone();
            batch.known.insert(key.clone(), Known { seq, deliveries, kind, object, order_key, labels, data });
        }
        batch.accepted.push(EventAccepted { id, deliveries, duplicate: false });
        batch.new_events.push((seq, deliveries, event));
        Ok(())
    }

    /// Plans a delivery of an event for each of `webhooks`: all of them leased to the caller, or none.
    fn plan_deliveries(
        &self,
        batch: &mut Batch,
        (seq, event): (Seq, &NewEvent),
        webhooks: Vec<Seq>,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let is_inline = !webhooks.is_empty()
            && webhooks.len() <= batch.inline_left
            && webhooks.iter().all(|webhook| self.is_fit_for_inline(*webhook));
        for webhook in webhooks {
            let delivery = self.next_key(now);
            let Some(member) = self.roster.get(webhook) else { continue };
            if is_inline {
                let until = now.plus_ms(member.lease_ms(1));
                batch.works.works.push(Work {
                    delivery,
                    attempt: 1,
                    trigger: Trigger::Schedule,
                    message_id: self.ids.id(Kind::Message, delivery),
                    event: seq,
                    webhook,
                    webhook_id: self.ids.id(Kind::Webhook, webhook),
                    webhook_version: member.version,
                    timeout_s: member.timeout_s(),
                    lease_until: until,
                });
                batch.inline_left = batch.inline_left.saturating_sub(1);
                let plan = Plan::Inline { until };
                batch.planned.push(Planned {
                    seq: delivery,
                    event: seq,
                    webhook,
                    plan,
                    in_order: false,
                    late: false,
                });
            } else {
                let plan = self.plan_delivery(
                    delivery,
                    seq,
                    webhook,
                    event.order_key.as_deref(),
                    &mut batch.keys_taken,
                    now,
                )?;
                batch.planned.push(plan);
            }
        }
        if is_inline {
            batch.works.events.push(WorkEvent {
                seq,
                id: self.ids.id(Kind::Event, seq),
                kind: event.kind.clone(),
                data: event.data.clone(),
                object: event.object.clone(),
                accepted_at: batch.accepted_at,
            });
        }
        Ok(())
    }

    /// Stores what is new of a batch. Only what would make the project grow is refused: an event that is
    /// known already is not.
    fn store_batch(&self, batch: &Batch, now: Timestamp) -> Result<(), LedgerError> {
        let Batch { new_events, planned, .. } = batch;
        if new_events.is_empty() {
            return Ok(());
        }
        self.admit_open(planned.len(), now)?;
        let data = new_events.iter().map(|(_seq, _deliveries, event)| event.data.get().len()).sum();
        self.admit_bytes(bytes_of(new_events.len() + planned.len(), data), now)?;
        atomically(&self.sql, |sql| {
            for (seq, deliveries, event) in new_events {
                insert_event(sql, *seq, *deliveries, event, batch.accepted_at)?;
            }
            delivery::insert(sql, planned, now)
        })
    }

    /// Whether the request that brings the event may make the first attempt.
    fn is_fit_for_inline(&self, webhook: Seq) -> bool {
        let is_free = |member: &crate::memory::roster::Member| {
            !member.ordered() && self.gates.is_free_for_inline(webhook, member.rules())
        };
        let does_well = self.roster.is_healthy(webhook) && self.gates.health(webhook).failures_in_a_row == 0;
        does_well && !self.gates.holds(webhook, Line::Live) && self.roster.get(webhook).is_some_and(is_free)
    }

    /// Where a new delivery to `webhook` starts. `taken` knows what is planned in the same commit.
    pub(crate) fn plan_delivery(
        &self,
        seq: Seq,
        event: Seq,
        webhook: Seq,
        order_key: Option<&str>,
        taken: &mut KeysTaken,
        now: Timestamp,
    ) -> Result<Planned, LedgerError> {
        let member = self.roster.get(webhook);
        let order_key = order_key.filter(|_key| member.is_some_and(crate::memory::roster::Member::ordered));
        let mut plan = Plan::Due { at: now };
        // Nothing overtakes what waits for its webhook.
        let is_free = |member: &crate::memory::roster::Member| self.gates.is_free(webhook, member.rules());
        if self.gates.holds(webhook, Line::Live) || !member.is_some_and(is_free) {
            plan = Plan::Held(Line::Live);
        }
        if let Some(key) = order_key
            && (!taken.insert((webhook, String::from(key))) || head_of(&self.sql, webhook, key)?.is_some())
        {
            plan = Plan::Behind;
        }
        Ok(Planned { seq, event, webhook, plan, in_order: order_key.is_some(), late: false })
    }

    /// The events that hold the keys of `events` already.
    fn known_keys(&self, events: &[NewEvent]) -> Result<BTreeMap<String, Known>, LedgerError> {
        let keys: Vec<&str> = events.iter().filter_map(|event| event.idempotency_key.as_deref()).collect();
        if keys.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows = self.sql.run(
            "SELECT idempotency_key, seq, deliveries, type, object, order_key, labels, data FROM event
             WHERE idempotency_key IN (SELECT value FROM json_each(?1)) AND idempotency_key IS NOT NULL",
            &[Value::Text(to_json(&keys)?)],
        )?;
        rows.iter()
            .map(|row| {
                let known = Known {
                    seq: row.seq(1)?,
                    deliveries: row.number(2)?,
                    kind: String::from(row.text(3)?),
                    object: object_of(row.text_or_none(4)?)?,
                    order_key: row.text_or_none(5)?.map(String::from),
                    labels: labels_of(row.text_or_none(6)?)?,
                    data: data_of(row.text(7)?)?,
                };
                Ok((String::from(row.text(0)?), known))
            })
            .collect()
    }
}

/// Whether two texts are the same JSON: a producer that repeats an event may write its spaces, the order of
/// its members and the escapes of its strings differently. Numbers are the same where they are written the
/// same; a member that is given twice is not the same as one that is given once.
///
/// What is not known to be the same counts as different: it is refused with a conflict, where else an event
/// would be lost.
fn same_json(one: &RawValue, other: &RawValue) -> bool {
    if one.get() == other.get() {
        return true;
    }
    let read = |text: &RawValue| serde_json::from_str::<Written>(text.get());
    matches!((read(one), read(other)), (Ok(one), Ok(other)) if one == other)
}

/// JSON with every member that was given, in the order of the names; those of one name stay in their order.
#[derive(PartialEq)]
enum Written {
    Null,
    Flag(bool),
    /// A number as text, or a string.
    Text(String),
    Items(Vec<Self>),
    Members(Vec<(String, Self)>),
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Written;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Written, E> {
                Ok(Written::Null)
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Written, E> {
                Ok(Written::Flag(flag))
            }

            fn visit_str<E>(self, text: &str) -> Result<Written, E> {
                Ok(Written::Text(format!("\"{text}")))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Written, E> {
                Ok(Written::Text(number.to_string()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Written, E> {
                Ok(Written::Text(number.to_string()))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Written, A::Error> {
                let mut read = Vec::new();
                while let Some(item) = items.next_element()? {
                    read.push(item);
                }
                Ok(Written::Items(read))
            }

            // A number beyond 64 bits comes as a map with its text (`serde_json`, feature
            // `arbitrary_precision`).
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Written, A::Error> {
                let mut members: Vec<(String, Written)> = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                members.sort_by(|(one, _), (other, _)| one.cmp(other));
                Ok(Written::Members(members))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use postern_core::delivery::{Outcome, State};
    use postern_core::webhook::{Definition, ObjectFilter};

    use super::*;
    use crate::support::build::{
        START, attempt, attempt_due, create, event, json, keyed, lease, ledger, post, webhook,
    };

    #[test]
    fn an_event_goes_to_the_webhooks_that_want_it_now() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("a", "order.*"));
        create(&mut ledger, webhook("b", "user.created"));
        create(&mut ledger, Definition { enabled: false, ..webhook("c", "*") });
        let object = ObjectFilter { kind: None, name: Some(String::from("d1")), version: None };
        create(&mut ledger, Definition { object, ..webhook("d", "order.paid") });
        let about = |name: &str| {
            Some(ObjectRef { kind: String::from("deployment"), name: String::from(name), version: None })
        };
        let events = vec![
            event("order.paid"),
            NewEvent { object: about("d1"), ..event("order.paid") },
            event("nobody.cares"),
        ];
        let ingested = ledger.ingest(events, InlineLimit(0), START).unwrap();
        let counts: Vec<u32> = ingested.accepted.iter().map(|accepted| accepted.deliveries).collect();
        assert_eq!(counts, [1, 2, 0]);
        assert_eq!(ingested.changed.len(), 3);
        let views = ledger.delivery_views(&ingested.changed).unwrap();
        assert!(
            views.iter().all(|view| view.state == State::Pending
                && view.next_at == Some(START)
                && view.attempts == 0)
        );
        create(&mut ledger, webhook("e", "order.paid"));
        assert_eq!(post(&mut ledger, "order.paid").len(), 2);
    }

    #[test]
    fn a_known_key_gives_the_first_event_again() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("a", "*"));
        let mut ingest = |event: NewEvent, at| ledger.ingest(vec![event], InlineLimit(0), at).unwrap();
        let first = ingest(keyed("order.paid", "k"), START);
        let spaced = NewEvent { data: json("{ \"n\": 1 }"), ..keyed("order.paid", "k") };
        for again in [keyed("order.paid", "k"), spaced] {
            let repeated = ingest(again, START.plus_ms(9));
            assert_eq!(repeated.accepted, [EventAccepted { duplicate: true, ..first.accepted[0].clone() }]);
            assert!(repeated.changed.is_empty() && repeated.works.works.is_empty());
        }
    }

    #[test]
    fn a_key_with_other_content_refuses_the_whole_batch() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("a", "*"));
        ledger.ingest(vec![keyed("order.paid", "k")], InlineLimit(0), START).unwrap();
        let others = [
            keyed("order.sent", "k"),
            NewEvent { data: json("2"), ..keyed("order.paid", "k") },
            NewEvent { object: Some(ObjectRef::default()), ..keyed("order.paid", "k") },
        ];
        for other in others {
            let refused =
                ledger.ingest(vec![event("fine"), other], InlineLimit(6), START).map(|_ingested| ());
            assert_eq!(refused, Err(LedgerError::IdempotencyConflict { index: 1 }));
        }
        assert_eq!(ledger.list_events(&crate::EventFilter::default(), 50, None).unwrap().items.len(), 1);
        let within = ledger
            .ingest(vec![keyed("a", "new"), keyed("b", "new")], InlineLimit(0), START)
            .map(|_ingested| ());
        assert_eq!(within, Err(LedgerError::IdempotencyConflict { index: 1 }));
    }

    #[test]
    fn what_is_written_differently_is_the_same_only_where_it_surely_is() {
        for (one, other, is_same) in [
            (r#"{"a":1,"b":[true,null]}"#, "{ \"b\" : [ true , null ],\n \"a\":1 }", true),
            (r#"{"a":{"c":1,"d":2}}"#, r#"{"a":{"d":2,"c":1}}"#, true),
            (r#""\u00e4\/""#, "\"ä/\"", true),
            (r#"{"\u0061":1}"#, r#"{"a":1}"#, true),
            ("[1,2]", "[2,1]", false),
            ("[1]", "[1,1]", false),
            ("{}", "[]", false),
            ("\"1\"", "1", false),
            ("true", "false", false),
            ("12345678901234567890123", "12345678901234567890124", false),
            (r#"{"id":18446744073709551616}"#, r#"{"id":18446744073709551617}"#, false),
            ("0.1000000000000000055", "0.1000000000000000056", false),
            ("1e400", "1e401", false),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#, false),
            (r#"{"a":2}"#, r#"{"a":1,"a":2}"#, false),
            (r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#, false),
            (r#"{"a":1,"a":2}"#, r#"{"a":1, "a":2}"#, true),
            (r#"{"a":1,"b":2}"#, r#"{"a":1,"c":2}"#, false),
        ] {
            assert_eq!(same_json(&json(one), &json(other)), is_same, "{one} {other}");
            assert_eq!(same_json(&json(other), &json(one)), is_same, "{other} {one}");
        }
        let mut ledger = ledger();
        let of = |data: &str| vec![NewEvent { data: json(data), ..keyed("a", "k") }];
        ledger.ingest(of(r#"{"id":12345678901234567890123}"#), InlineLimit(0), START).unwrap();
        let other =
            ledger.ingest(of(r#"{"id":12345678901234567890124}"#), InlineLimit(0), START).map(|_ingested| ());
        assert_eq!(other, Err(LedgerError::IdempotencyConflict { index: 0 }));
    }

    #[test]
    fn a_key_twice_in_a_batch_is_one_event() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("a", "*"));
        let ingested = ledger.ingest(vec![keyed("a", "k"), keyed("a", "k")], InlineLimit(0), START).unwrap();
        assert_eq!(ingested.accepted[0].id, ingested.accepted[1].id);
        assert_eq!((ingested.accepted[0].duplicate, ingested.accepted[1].duplicate), (false, true));
        assert_eq!(ingested.changed.len(), 1);
    }

    #[test]
    fn the_inline_lane_is_for_few_and_healthy_webhooks() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("a", "*"));
        create(&mut ledger, webhook("b", "order.*"));
        let mut works = |kinds: &[&str], limit| {
            let events = kinds.iter().map(|kind| event(kind)).collect();
            ledger.ingest(events, InlineLimit(limit), START).unwrap().works.works.len()
        };
        assert_eq!(works(&["order.paid"], 0), 0);
        assert_eq!(works(&["order.paid"], 1), 0, "all of an event's deliveries, or none");
        assert_eq!(works(&["order.paid"], 2), 2);
        assert_eq!(
            works(&["order.paid", "order.paid", "user.created"], 3),
            3,
            "the limit is that of the call"
        );
    }

    #[test]
    fn a_request_makes_the_calls_of_its_event_until_two_hundred_are_under_way() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        let mut post = |now| ledger.ingest(vec![event("a")], InlineLimit(2), now).unwrap().works.works;
        let works: Vec<Work> = (0..200).flat_map(|_event| post(START)).collect();
        assert_eq!(works.len(), 200, "also those beyond the calls at once of the queues");
        assert!(post(START).is_empty());
        assert!(lease(&mut ledger, START).is_empty(), "it waits for the webhook");
        let ended = works[..151].iter().map(|work| crate::Report {
            delivery: work.delivery,
            attempt: attempt(1, Outcome::Answered { status: 200 }, START),
        });
        ledger.report(ended.collect(), START).unwrap();
        assert_eq!(lease(&mut ledger, START).len(), 1, "below the calls at once of all it goes on");
    }

    #[test]
    fn an_inline_work_is_complete_claimed_and_leased() {
        let mut ledger = ledger();
        let key = create(&mut ledger, webhook("a", "*"));
        let ingested = ledger.ingest(vec![event("order.paid")], InlineLimit(6), START).unwrap();
        let work = &ingested.works.works[0];
        assert_eq!((work.attempt, work.webhook, work.webhook_version, work.timeout_s), (1, key, 1, 10));
        assert_eq!(work.lease_until, START.plus_ms(40_000));
        assert_eq!(work.message_id, ledger.ids().id(Kind::Message, work.delivery));
        let event = ingested.works.event(work.event).unwrap();
        assert_eq!((event.data.get(), event.accepted_at), ("{\"n\":1}", START));
        assert_eq!(event.id, ingested.accepted[0].id);
        assert!(lease(&mut ledger, START.plus_ms(39_999)).is_empty());
    }

    #[test]
    fn a_webhook_whose_last_attempt_was_slow_or_failed_leaves_the_inline_lane_until_it_does_well() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("a", "*"));
        let is_inline = |ledger: &mut Ledger<_>, now| {
            !ledger.ingest(vec![event("order.paid")], InlineLimit(6), now).unwrap().works.works.is_empty()
        };
        post(&mut ledger, "a");
        attempt_due(&mut ledger, START, Outcome::Answered { status: 503 });
        assert!(!is_inline(&mut ledger, START));
        attempt_due(&mut ledger, START, Outcome::Answered { status: 200 });
        assert!(is_inline(&mut ledger, START));
        assert!(
            lease(&mut ledger, START.plus_ms(60_000)).len() >= 2,
            "the inline work is lost, the first one waits again"
        );
        assert!(!is_inline(&mut ledger, START));
    }

    #[test]
    fn an_event_that_is_delivered_inline_costs_five_written_rows() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        let store = std::rc::Rc::clone(&ledger.sql);
        for number in 0..3 {
            let now = START.plus_ms(number * 1_000);
            let written = store.count_rows_written(|| {
                let work = ledger
                    .ingest(vec![event("order.paid")], InlineLimit(1), now)
                    .unwrap()
                    .works
                    .works
                    .remove(0);
                let report = crate::Report {
                    delivery: work.delivery,
                    attempt: attempt(1, Outcome::Answered { status: 200 }, now),
                };
                ledger.report(vec![report], now).unwrap();
            });
            assert_eq!(written, 5, "event, delivery, its webhook's index, the report, the hour's counts");
        }
        let queued = store.count_rows_written(|| {
            ledger.ingest(vec![event("order.paid")], InlineLimit(0), START).unwrap();
            attempt_due(&mut ledger, START, Outcome::Answered { status: 200 });
        });
        // In the index of due work, moved within it (out and in), out of it; the lease, the claim; and, once
        // a minute, the note of how far inline leases are known to have ended.
        assert_eq!(queued, 12);
    }

    #[test]
    fn an_inline_lease_survives_a_restart_and_ends_in_time() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        ledger.outbox_done(crate::row::outbox::PROJECT_ITEM, 1).unwrap();
        let ingested =
            ledger.ingest(vec![event("order.paid"), event("order.sent")], InlineLimit(6), START).unwrap();
        let (kept, lost) = (&ingested.works.works[0], &ingested.works.works[1]);
        let mut ledger = Ledger::open(std::rc::Rc::clone(&ledger.sql)).unwrap().unwrap();
        let ended = START.plus_ms(40_000);
        assert_eq!(ledger.delivery_views(&[lost.delivery]).unwrap()[0].next_at, Some(ended));
        let report = crate::Report {
            delivery: kept.delivery,
            attempt: attempt(1, Outcome::Answered { status: 200 }, START),
        };
        ledger.report(vec![report], START).unwrap();
        for entry in ledger.outbox_due(START, 9).unwrap() {
            ledger.outbox_done(entry.item, entry.version).unwrap();
        }
        assert_eq!(ledger.next_wake(START).unwrap(), Some((ended, "the lease of a delivery ends")));
        assert!(lease(&mut ledger, ended.plus_ms(-1)).is_empty());
        let tickets = lease(&mut ledger, ended);
        assert_eq!(
            tickets.iter().map(|ticket| (ticket.delivery, ticket.attempt)).collect::<Vec<_>>(),
            [(lost.delivery, 2)]
        );
        let mut ledger = Ledger::open(std::rc::Rc::clone(&ledger.sql)).unwrap().unwrap();
        assert_eq!(ledger.gates.inline_wake(), None);
        assert!(ledger.inline_checked.0 >= kept.delivery, "the next start looks at what came later only");
        assert_eq!(ledger.claim(&tickets, ended).unwrap().works.len(), 1);
    }

    #[test]
    fn webhooks_with_limits_order_or_something_that_waits_are_not_called_inline() {
        let limit = postern_core::webhook::RateLimit { calls: 5, per_s: 1 };
        for definition in [
            Definition { rate_limit: Some(limit), ..webhook("w", "*") },
            Definition { concurrency_limit: Some(5), ..webhook("w", "*") },
            Definition { ordered: true, ..webhook("w", "*") },
            Definition { paused: true, ..webhook("w", "*") },
        ] {
            let mut ledger = ledger();
            create(&mut ledger, definition);
            assert!(ledger.ingest(vec![event("a")], InlineLimit(6), START).unwrap().works.works.is_empty());
        }
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        ledger.pause_webhook("w", None, START).unwrap();
        post(&mut ledger, "a");
        ledger.resume_webhook("w", None, START).unwrap();
        assert!(
            ledger.ingest(vec![event("a")], InlineLimit(6), START).unwrap().works.works.is_empty(),
            "one waits before it"
        );
    }

    #[test]
    fn ten_thousand_webhooks_get_one_event_in_one_commit() {
        let mut ledger = ledger();
        for number in 0..10_000 {
            create(&mut ledger, webhook(&format!("w{number}"), "order.paid"));
        }
        let deliveries = post(&mut ledger, "order.paid");
        assert_eq!(deliveries.len(), 10_000);
        let tickets = ledger.lease_due(START, 20_000).unwrap().tickets;
        assert_eq!(tickets.len(), 10_000);
        assert_eq!(ledger.claim(&tickets, START).unwrap().works.len(), 10_000);
    }
}
