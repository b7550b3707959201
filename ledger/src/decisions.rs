//! Why each webhook got an event, or did not: judged by what the webhooks are now. Which definition decided
//! when the event came is not stored.

use std::collections::{BTreeMap, BTreeSet};

use postern_core::api::event::{EventDecision, EventDecisions};
use postern_core::api::page::LIMIT_NONE;
use postern_core::budget::{Budget, DRY_RUN_STEPS_MAX};
use postern_core::event::NewEvent;
use postern_core::filter::{self, EventFacts};
use postern_core::id::{Kind, Seq};
use postern_core::query::PageQuery;

use crate::error::LedgerError;
use crate::project::Ledger;
use crate::sql::Sql;

impl<S: Sql> Ledger<S> {
    /// What each webhook, or the one named `webhook`, makes of a stored event, by its definition of now, and
    /// which delivery it has of it. Where there are more than an answer holds, those that got the event or
    /// want it come before the others.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] for an unknown event or webhook, [`LedgerError::StateConflict`] where it
    /// takes too many steps to say why; the database fails.
    pub fn decisions(&self, id: &str, webhook: Option<&str>) -> Result<EventDecisions, LedgerError> {
        let stored = self.event(id)?;
        let data = stored.data.ok_or(LedgerError::Corrupt { what: "an event has no data" })?;
        let event =
            NewEvent { object: stored.object, labels: stored.labels, ..NewEvent::new(stored.kind, data) };
        let facts = EventFacts::from_event(&event).with_budget(Budget::new(DRY_RUN_STEPS_MAX));
        let all = PageQuery { limit: LIMIT_NONE, cursor: None };
        // Newest first, so that a later delivery to the same webhook gives way to the first.
        let got: BTreeMap<String, String> = self
            .deliveries_of_event(id, &all)?
            .items
            .into_iter()
            .map(|delivery| (delivery.webhook_id, delivery.id))
            .collect();
        let members = if let Some(name) = webhook {
            vec![self.member_named(name)?]
        } else {
            let got = got.keys().filter_map(|id| self.ids().seq(Kind::Webhook, id));
            let first: BTreeSet<Seq> = self.roster.matching(&facts).into_iter().chain(got).collect();
            self.members_to_explain(&facts, &first)
        };
        let webhooks = members
            .into_iter()
            .map(|(seq, member)| {
                let matching = filter::explain(member.definition(), &facts);
                let webhook_id = self.ids().id(Kind::Webhook, seq);
                let (created_at, updated_at) = self.webhook_times(seq)?;
                Ok(EventDecision {
                    delivery_id: got.get(&webhook_id).cloned(),
                    webhook: String::from(member.name()),
                    webhook_id,
                    enabled: member.enabled(),
                    matched: matching.matched,
                    reasons: matching.reasons,
                    created_at,
                    updated_at,
                })
            })
            .collect::<Result<_, LedgerError>>()?;
        if facts.overspent("").is_some() {
            let why = "it takes too long to say why: ask for one webhook (?webhook=NAME)";
            return Err(LedgerError::StateConflict { why });
        }
        Ok(EventDecisions { webhooks })
    }
}

#[cfg(test)]
mod tests {
    use postern_core::webhook::Definition;

    use super::*;
    use crate::support::build::{START, attempt_due, create, ledger, post, webhook};

    #[test]
    fn an_event_says_who_got_it_and_why_others_did_not() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("wants", "order.*"));
        create(&mut ledger, webhook("other", "user.created"));
        create(&mut ledger, Definition { enabled: false, ..webhook("disabled", "*") });
        let delivery = post(&mut ledger, "order.paid")[0];
        create(&mut ledger, webhook("came.later", "order.paid"));
        let id = ledger.list_events(&crate::EventFilter::default(), 1, None).unwrap().items.remove(0).id;
        let decisions = ledger.decisions(&id, None).unwrap().webhooks;
        let says: Vec<(&str, bool, bool, bool)> = decisions
            .iter()
            .map(|of| (of.webhook.as_str(), of.delivery_id.is_some(), of.enabled, of.matched))
            .collect();
        assert_eq!(
            says,
            [
                ("came.later", false, true, true),
                ("disabled", false, false, true),
                ("other", false, true, false),
                ("wants", true, true, true)
            ]
        );
        assert_eq!(decisions[3].delivery_id, Some(ledger.ids().id(Kind::Delivery, delivery)));
        let reason = decisions[2].reasons.iter().find(|reason| !reason.holds);
        assert!(reason.is_some_and(|reason| reason.text.contains("user.created")), "{reason:?}");
        // It is judged by the definition of now: the delivery stays.
        let patterns = webhook("wants", "nothing");
        ledger.update_webhook("wants", patterns, None, START.plus_ms(1)).unwrap();
        let one = ledger.decisions(&id, Some("wants")).unwrap().webhooks;
        assert_eq!((one.len(), one[0].matched, one[0].delivery_id.is_some()), (1, false, true));
        assert!(one[0].updated_at > one[0].created_at);
        attempt_due(&mut ledger, START.plus_ms(1), postern_core::delivery::Outcome::Answered { status: 200 });
        for (event, webhook, what) in [("evt_1", None, "event"), (id.as_str(), Some("nobody"), "webhook")] {
            assert_eq!(ledger.decisions(event, webhook).map(|_of| ()), Err(LedgerError::NotFound { what }));
        }
    }
}
