//! Dry runs: what an event would do, webhook by webhook, without storing or sending anything.
//!
//! The ledger says who would get the event, why, and when attempts would be made; what the request would look
//! like is for the caller to make, who can open the sealed definitions.

use std::collections::BTreeSet;

use postern_core::api::dry_run::{DEFINITIONS_BYTES_MAX, DryRunAttempt, WEBHOOKS_MAX};
use postern_core::budget::{Budget, DRY_RUN_STEPS_MAX};
use postern_core::event::NewEvent;
use postern_core::fault::Faults;
use postern_core::filter::{self, EventFacts, Match};
use postern_core::id::{Kind, Seq};
use postern_core::retry;
use postern_core::time::Timestamp;
use postern_core::webhook::Definition;
use serde::{Deserialize, Serialize};

use crate::error::LedgerError;
use crate::memory::roster::Member;
use crate::project::Ledger;
use crate::sql::Sql;
use crate::work::WorkEvent;

/// What an event would do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DryRun {
    /// The event, with an id that it would not get.
    pub event: WorkEvent,
    /// The `webhook-id` for the requests, which nothing else has.
    pub message_id: String,
    /// Webhooks by name; where there are more than an answer holds, those that match come before the others.
    pub webhooks: Vec<DryRunOf>,
}

/// What it would do with one webhook.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DryRunOf {
    /// Its name.
    pub webhook: String,
    /// `whk_…`
    pub webhook_id: String,
    /// Whether it is enabled.
    pub enabled: bool,
    /// Its definition, sealed, to make the request with; `None` where it does not match, and where those
    /// before it are longer than [`DEFINITIONS_BYTES_MAX`].
    pub definition: Option<Definition>,
    /// Whether it wants the event, and why.
    pub matching: Match,
    /// When attempts would be made if each failed at once; empty where none would.
    pub timeline: Vec<DryRunAttempt>,
}

/// Where the data of the event stands in the body: a dry run is of a single event.
const DATA_AT: &str = "/data";

impl<S: Sql> Ledger<S> {
    /// What `event` would do now, to every webhook or to the one named `webhook`.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] for an unknown webhook, [`LedgerError::SchemaViolated`] where the data
    /// does not fit; the database fails.
    pub fn dry_run(
        &mut self,
        event: NewEvent,
        webhook: Option<&str>,
        now: Timestamp,
    ) -> Result<DryRun, LedgerError> {
        let facts = EventFacts::from_event(&event);
        let misfits = self.check_data(&facts, DATA_AT)?;
        // As when it is posted: what is too much there is refused here.
        let wanting = self.roster.matching(&facts);
        let misfits = facts.overspent(DATA_AT).map_or(misfits, Faults::from);
        if !misfits.is_empty() {
            return Err(LedgerError::SchemaViolated { faults: misfits });
        }
        // Saying why is more work than finding out, and is not done for an event that is posted: it has what
        // is left of the request.
        let used = facts.budget().used();
        let facts = facts.with_budget(Budget::new(DRY_RUN_STEPS_MAX.saturating_sub(used)));
        let (seq, message) = (self.reserve(now), self.reserve(now));
        let members = match webhook {
            Some(name) => vec![self.member_named(name)?],
            None => self.members_to_explain(&facts, &BTreeSet::from_iter(wanting)),
        };
        let mut room = DEFINITIONS_BYTES_MAX;
        let webhooks = members
            .into_iter()
            .map(|(seq, member)| {
                let matching = filter::explain(member.definition(), &facts);
                let definition =
                    if matching.matched { self.definition_within(seq, &mut room)? } else { None };
                Ok(DryRunOf {
                    webhook: String::from(member.name()),
                    webhook_id: self.ids.id(Kind::Webhook, seq),
                    enabled: member.enabled(),
                    definition,
                    timeline: self.timeline_of(member, &matching, message, now),
                    matching,
                })
            })
            .collect::<Result<Vec<DryRunOf>, LedgerError>>()?;
        if let Some(fault) = facts.overspent(DATA_AT) {
            return Err(LedgerError::SchemaViolated { faults: fault.into() });
        }
        let id = self.ids.id(Kind::Event, seq);
        Ok(DryRun {
            message_id: self.ids.id(Kind::Message, message),
            event: WorkEvent {
                seq,
                id,
                kind: event.kind,
                data: event.data,
                object: event.object,
                accepted_at: now,
            },
            webhooks,
        })
    }

    /// The webhooks that an answer explains, by name: all of them, or as many as it holds, those in `first`
    /// and the disabled ones that want the event before the others. The enabled ones that want it are in
    /// `first`.
    pub(crate) fn members_to_explain(
        &self,
        facts: &EventFacts<'_>,
        first: &BTreeSet<Seq>,
    ) -> Vec<(Seq, &Member)> {
        let (wanting, others): (Vec<_>, Vec<_>) = self
            .roster
            .named_in_order()
            .partition(|(seq, member)| first.contains(seq) || (!member.enabled() && member.wants(facts)));
        let mut shown: Vec<_> = wanting.into_iter().chain(others).take(WEBHOOKS_MAX as usize).collect();
        shown.sort_by(|(_, one), (_, other)| one.name().cmp(other.name()));
        shown
    }

    /// The webhook of this name.
    pub(crate) fn member_named(&self, name: &str) -> Result<(Seq, &Member), LedgerError> {
        let found = self.roster.named(name).and_then(|seq| Some((seq, self.roster.get(seq)?)));
        found.ok_or(LedgerError::NotFound { what: "webhook" })
    }

    /// A stored definition, as long as there is room for more of them.
    fn definition_within(&self, webhook: Seq, room: &mut usize) -> Result<Option<Definition>, LedgerError> {
        if *room == 0 {
            return Ok(None);
        }
        let Some((stored, bytes)) = self.stored_webhook_and_length(webhook)? else { return Ok(None) };
        *room = room.saturating_sub(bytes);
        Ok(Some(stored.definition))
    }

    fn timeline_of(
        &self,
        member: &Member,
        matching: &Match,
        message: Seq,
        now: Timestamp,
    ) -> Vec<DryRunAttempt> {
        let definition = member.definition();
        if !matching.matched || !definition.enabled {
            return Vec::new();
        }
        let schedule = definition.retry_schedule_s.as_deref().or(self.settings.retry_schedule_s.as_deref());
        let times = if definition.retry {
            retry::timeline(schedule, message.0.cast_unsigned(), now)
        } else {
            vec![now]
        };
        (1..).zip(times).map(|(attempt, at)| DryRunAttempt { attempt, at }).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::support::build::{START, create, event, ledger, webhook};
    use postern_core::project::{ScheduleChange, SettingsPatch};

    fn names(run: &DryRun) -> Vec<&str> {
        run.webhooks.iter().map(|of| of.webhook.as_str()).collect()
    }

    #[test]
    fn every_webhook_says_whether_it_would_get_the_event_and_nothing_is_stored() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("wants", "order.*"));
        create(&mut ledger, webhook("other", "user.created"));
        create(&mut ledger, Definition { enabled: false, ..webhook("disabled", "*") });
        create(&mut ledger, Definition { paused: true, retry: false, ..webhook("paused", "*") });
        let run = ledger.dry_run(event("order.paid"), None, START).unwrap();
        assert_eq!(names(&run), ["disabled", "other", "paused", "wants"]);
        let says: Vec<(bool, usize)> =
            run.webhooks.iter().map(|of| (of.matching.matched, of.timeline.len())).collect();
        assert_eq!(says, [(true, 0), (false, 0), (true, 1), (true, 10)]);
        let with_request: Vec<bool> = run.webhooks.iter().map(|of| of.definition.is_some()).collect();
        assert_eq!(with_request, [true, false, true, true]);
        assert!(run.webhooks.iter().all(|of| !of.matching.reasons.is_empty()));
        assert!(ledger.list_events(&crate::EventFilter::default(), 1, None).unwrap().items.is_empty());
        assert!(run.message_id.starts_with("msg_") && run.event.accepted_at == START);
    }

    #[test]
    fn the_timeline_follows_the_webhook_s_schedule_or_else_the_project_s() {
        let mut ledger = ledger();
        ledger
            .update_settings(
                SettingsPatch { schedule: Some(ScheduleChange::Waits(vec![10])), ..SettingsPatch::default() },
                START,
            )
            .unwrap();
        create(&mut ledger, webhook("a", "*"));
        create(&mut ledger, Definition { retry_schedule_s: Some(vec![60, 60]), ..webhook("b", "*") });
        let run = ledger.dry_run(event("order.paid"), None, START).unwrap();
        assert_eq!(run.webhooks.iter().map(|of| of.timeline.len()).collect::<Vec<_>>(), [2, 3]);
        let second = run.webhooks[0].timeline[1];
        assert_eq!(second.attempt, 2);
        assert!((8_000..=12_000).contains(&second.at.ms_since(START)), "{second:?}");
    }

    #[test]
    fn one_webhook_can_be_asked_alone() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("a", "*"));
        create(&mut ledger, webhook("b", "*"));
        assert_eq!(names(&ledger.dry_run(event("x"), Some("b"), START).unwrap()), ["b"]);
        let unknown = ledger.dry_run(event("x"), Some("c"), START).map(|_run| ());
        assert_eq!(unknown, Err(LedgerError::NotFound { what: "webhook" }));
    }

    #[test]
    fn of_too_many_webhooks_those_that_match_are_shown() {
        let mut ledger = ledger();
        for number in 0..250 {
            create(&mut ledger, webhook(&format!("a{number:03}"), "other"));
        }
        for number in 0..50 {
            create(&mut ledger, webhook(&format!("z{number:03}"), "order.paid"));
        }
        let run = ledger.dry_run(event("order.paid"), None, START).unwrap();
        assert_eq!(run.webhooks.len(), 200);
        assert_eq!(run.webhooks.iter().filter(|of| of.matching.matched).count(), 50);
        assert!(names(&run).is_sorted());
    }

    #[test]
    fn long_definitions_are_read_until_they_fill_an_answer() {
        let mut ledger = ledger();
        let labels: BTreeMap<String, String> =
            (0..32).map(|number| (format!("k{number}"), "v".repeat(256))).collect();
        for number in 0..100 {
            let name = format!("w{number:03}");
            create(&mut ledger, Definition { labels: labels.clone(), ..webhook(&name, "*") });
        }
        let length =
            ledger.stored_webhook_and_length(ledger.roster.named("w000").unwrap()).unwrap().unwrap().1;
        let run = ledger.dry_run(event("order.paid"), None, START).unwrap();
        let read = run.webhooks.iter().filter(|of| of.definition.is_some()).count();
        assert_eq!(read, DEFINITIONS_BYTES_MAX.div_ceil(length), "{length} bytes each");
        assert!(read < 100 && run.webhooks.iter().all(|of| of.matching.matched && !of.timeline.is_empty()));
        let alone = ledger.dry_run(event("order.paid"), Some("w099"), START).unwrap();
        assert_eq!(alone.webhooks[0].definition.as_ref().map(|of| &of.labels), Some(&labels));
    }
}
