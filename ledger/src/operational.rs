//! Operational events: what happens to webhooks and deliveries, told as ordinary events that a webhook can
//! subscribe to.
//!
//! They are written in the commit of what they tell, so none is missing and none is told twice. Three rules
//! keep them from feeding on themselves:
//!
//! - a webhook gets no event about itself;
//! - a delivery of an operational event that is given up is not told;
//! - a webhook that becomes or ceases to be failing or throttled by the delivery of an operational event is
//!   not told. (That it was disabled is: somebody must enable it before it can happen again.)

use postern_core::api::operational::{DeliveryDeadData, WebhookDisabledData, WebhookHealthData};
use postern_core::budget::Budget;
use postern_core::delivery::{Attempt, DisableCause};
use postern_core::event::{NewEvent, Operational, is_operational};
use postern_core::filter::EventFacts;
use postern_core::health::{Health, Transition};
use postern_core::id::{Kind, Seq};
use postern_core::time::Timestamp;
use serde::Serialize;

use crate::error::{LedgerError, damaged};
use crate::memory::gate::Effects;
use crate::project::Ledger;
use crate::row::attempts::{answered, in_short};
use crate::row::delivery::{self, DeliveryRow, KeysTaken, Plan};
use crate::row::event::insert_event;
use crate::sql::Sql;

/// What a transition is about.
pub(crate) struct About<'a> {
    pub(crate) webhook: Seq,
    /// How the attempt ended that caused it, in a few words.
    pub(crate) result: &'a str,
    pub(crate) health: &'a Health,
    pub(crate) before: &'a Health,
}

impl<S: Sql> Ledger<S> {
    /// A delivery was given up. Inside the caller's transaction.
    pub(crate) fn announce_dead(
        &self,
        sql: &S,
        effects: &mut Effects,
        row: &DeliveryRow,
        last: &Attempt,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        if is_operational(&row.kind) {
            return Ok(());
        }
        let data = DeliveryDeadData {
            delivery_id: self.ids.id(Kind::Delivery, row.seq),
            event_id: self.ids.id(Kind::Event, row.event),
            kind: row.kind.clone(),
            webhook: self.roster.get(row.webhook).map(|member| String::from(member.name())),
            webhook_id: self.ids.id(Kind::Webhook, row.webhook),
            attempts: last.number,
            last_status: answered(last),
            last_result: in_short(&last.outcome),
        };
        self.announce(sql, effects, Some(row.webhook), Operational::DeliveryDead, &data, now)
    }

    /// A webhook was disabled by Postern. Inside the caller's transaction.
    pub(crate) fn announce_disabled(
        &self,
        sql: &S,
        effects: &mut Effects,
        webhook: Seq,
        cause: DisableCause,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let health = effects.health.get(&webhook).copied().unwrap_or_else(|| self.gates.health(webhook));
        let (name, webhook_id, url) = self.subject(webhook);
        let since = health.failing_since.unwrap_or(now);
        let data = WebhookDisabledData {
            webhook: name,
            webhook_id,
            url,
            reason: String::from(cause.reason()),
            cause,
            since,
        };
        self.announce(sql, effects, Some(webhook), Operational::WebhookDisabled, &data, now)
    }

    /// A webhook became or ceased to be failing or throttled. Inside the caller's transaction.
    pub(crate) fn announce_transition(
        &self,
        sql: &S,
        effects: &mut Effects,
        transition: Transition,
        about: &About<'_>,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let kind = match transition {
            Transition::Failing => Operational::WebhookFailing,
            Transition::Recovered => Operational::WebhookRecovered,
            Transition::Throttled => Operational::WebhookThrottled,
            Transition::DisabledForDays => return Ok(()),
        };
        // What came before a recovery says more than the clean slate after it.
        let told = if kind == Operational::WebhookRecovered { about.before } else { about.health };
        let (webhook, webhook_id, url) = self.subject(about.webhook);
        let data = WebhookHealthData {
            webhook,
            webhook_id,
            url,
            failures: told.failures_in_a_row,
            failing_since: told.failing_since,
            next_call_at: about.health.next_call_at,
            last_result: String::from(about.result),
        };
        self.announce(sql, effects, Some(about.webhook), kind, &data, now)
    }

    /// The webhook that an event is about: its name, its id and its URL.
    fn subject(&self, webhook: Seq) -> (Option<String>, String, Option<String>) {
        let member = self.roster.get(webhook);
        let name = member.map(|member| String::from(member.name()));
        (name, self.ids.id(Kind::Webhook, webhook), member.map(|member| String::from(member.url())))
    }

    /// Stores the event with a delivery for every webhook that wants it, except the one that it is about, if
    /// it is about one, and those that this very commit disables.
    pub(crate) fn announce(
        &self,
        sql: &S,
        effects: &mut Effects,
        about: Option<Seq>,
        kind: Operational,
        data: &impl Serialize,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let data = serde_json::to_value(data).map_err(damaged("an operational event has no JSON form"))?;
        let event = NewEvent::operational(kind, &data);
        let seq = self.next_key(now);
        // Small, and ours: nobody could be told that it takes too much.
        let facts = EventFacts::from_event(&event).with_budget(Budget::unlimited());
        let wanted = self.roster.matching(&facts).into_iter();
        let wanted = wanted.filter(|webhook| Some(*webhook) != about && !effects.disabled(*webhook));
        let mut taken = KeysTaken::new();
        let planned = wanted
            .map(|webhook| self.plan_delivery(self.next_key(now), seq, webhook, None, &mut taken, now))
            .collect::<Result<Vec<_>, _>>()?;
        insert_event(sql, seq, u32::try_from(planned.len()).unwrap_or(u32::MAX), &event, self.stamp(now))?;
        delivery::insert(sql, &planned, now)?;
        self.meters.note_open(planned.len());
        for delivery in planned {
            effects.changed.push(delivery.seq);
            if delivery.plan == Plan::Held {
                effects.hold(delivery.webhook);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use postern_core::delivery::Outcome;
    use postern_core::webhook::Definition;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::support::build::{START, attempt, create, lease, ledger, post, webhook};
    use crate::support::native::Native;
    use crate::{Report, Value};

    /// Leases, claims and reports everything that is due for one webhook.
    fn answer(ledger: &mut Ledger<Rc<Native>>, webhook: Seq, status: u16, now: Timestamp) {
        let tickets: Vec<_> =
            lease(ledger, now).into_iter().filter(|ticket| ticket.webhook == webhook).collect();
        for work in ledger.claim(&tickets, now).unwrap().works {
            let attempt = attempt(work.attempt, Outcome::Answered { status }, now);
            ledger.report(vec![Report { delivery: work.delivery, attempt }], now).unwrap();
        }
    }

    /// Operational events in their order, with the names of the webhooks that they went to.
    fn told(ledger: &Ledger<Rc<Native>>) -> Vec<(String, Json, Vec<String>)> {
        let rows = ledger
            .sql
            .run("SELECT seq, type, data FROM event WHERE type GLOB 'postern.*' ORDER BY seq", &[])
            .unwrap();
        let names = |event: Seq| {
            let rows = ledger
                .sql
                .run("SELECT webhook FROM delivery WHERE event = ?1", &[Value::from(event)])
                .unwrap();
            rows.iter()
                .map(|row| String::from(ledger.roster.get(row.seq(0).unwrap()).unwrap().name()))
                .collect()
        };
        rows.iter()
            .map(|row| {
                let data = serde_json::from_str(row.text(2).unwrap()).unwrap();
                (String::from(row.text(1).unwrap()), data, names(row.seq(0).unwrap()))
            })
            .collect()
    }

    #[test]
    fn what_happens_to_a_webhook_is_told_to_others_and_not_to_itself() {
        let mut ledger = ledger();
        let both =
            |name: &str| Definition { events: webhook(name, "order.*").events, ..webhook(name, "order.*") };
        let mut sick = both("sick");
        sick.events.extend(webhook("x", "postern.*").events);
        let sick = create(&mut ledger, Definition { retry: false, ..sick });
        create(&mut ledger, webhook("ops", "postern.webhook.*"));
        create(&mut ledger, webhook("all", "*"));
        post(&mut ledger, "order.paid");
        answer(&mut ledger, sick, 429, START);
        let later = START.plus_ms(2_000);
        post(&mut ledger, "order.sent");
        answer(&mut ledger, sick, 200, later);
        post(&mut ledger, "order.sent");
        answer(&mut ledger, sick, 410, later);
        let told = told(&ledger);
        let kinds: Vec<&str> = told.iter().map(|(kind, _data, _to)| kind.as_str()).collect();
        let expected = [
            "postern.delivery.dead",
            "postern.webhook.throttled",
            "postern.webhook.recovered",
            "postern.delivery.dead",
            "postern.webhook.disabled",
        ];
        assert_eq!(kinds, expected);
        for (kind, data, to) in &told {
            let is_about_a_webhook = kind.starts_with("postern.webhook.");
            assert_eq!(to, if is_about_a_webhook { &["ops"][..] } else { &[] }, "{kind}");
            assert_eq!(
                (&data["webhook"], data["webhook_id"].as_str()),
                (&json!("sick"), Some(ledger.ids().id(Kind::Webhook, sick).as_str()))
            );
        }
        assert_eq!(
            (&told[0].1["last_status"], &told[0].1["attempts"], &told[0].1["type"]),
            (&json!(429), &json!(1), &json!("order.paid"))
        );
        assert_eq!(told[4].1["cause"], "gone");
        assert_eq!(told[1].1["last_result"], "429 Too Many Requests");
    }

    #[test]
    fn two_webhooks_that_hear_of_each_other_fall_silent() {
        let mut ledger = ledger();
        let listen = |name: &str| {
            let mut definition = webhook(name, "order.*");
            definition.events.extend(webhook(name, "postern.*").events);
            Definition { retry: false, ..definition }
        };
        let pair = [create(&mut ledger, listen("a")), create(&mut ledger, listen("b"))];
        post(&mut ledger, "order.paid");
        for round in 0..200 {
            let now = START.plus_ms(round * 700_000);
            for webhook in pair {
                answer(&mut ledger, webhook, if round % 2 == 0 { 429 } else { 200 }, now);
            }
        }
        let told = told(&ledger);
        assert!(told.len() <= 4, "{told:#?}");
    }
}
