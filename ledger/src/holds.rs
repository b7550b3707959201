//! Why a delivery that is due is not sent: the reason that its page shows. What holds it is decided in
//! `lease` and `memory::gate`; here it is only said, in the order in which a person would have to deal with
//! it.

use postern_core::explain::Hold;
use postern_core::health::{AT_ONCE_MAX, Cause};
use postern_core::id::{Kind, Seq};

use crate::error::LedgerError;
use crate::project::Ledger;
use crate::row::delivery::head_of;
use crate::sql::{Sql, Value, first};

impl<S: Sql> Ledger<S> {
    /// What holds an open delivery of `webhook`; `None` where nothing does, or its webhook was deleted. A
    /// webhook that takes no calls holds every one, also those that are not due yet.
    pub(crate) fn hold_of(&self, delivery: Seq, webhook: Seq) -> Result<Option<Hold>, LedgerError> {
        let Some(member) = self.roster.get(webhook) else { return Ok(None) };
        let rules = member.rules();
        if !member.enabled() {
            if !member.is_readable() {
                let reason = self.stored_webhook_at(webhook)?.and_then(|webhook| webhook.disabled_reason);
                return Ok(Some(Hold::Disabled { reason }));
            }
            let rows = self
                .sql
                .run("SELECT disabled_reason FROM webhook WHERE seq = ?1", &[Value::from(webhook)])?;
            let reason = first(rows)
                .map(|row| row.text_or_none(0).map(|text| text.map(String::from)))
                .transpose()?
                .flatten();
            return Ok(Some(Hold::Disabled { reason }));
        }
        if !rules.takes_calls {
            return Ok(Some(Hold::Paused));
        }
        let rows = self
            .sql
            .run("SELECT parked, order_key FROM delivery WHERE seq = ?1", &[Value::from(delivery)])?;
        let Some(row) = first(rows) else { return Ok(None) };
        if !row.flag(0)? {
            return Ok(None);
        }
        let health = self.gates.health(webhook);
        match health.cause {
            Some(Cause::Failing) => {
                return Ok(Some(Hold::Failing {
                    failures: health.failures_in_a_row,
                    next_call_at: health.next_call_at,
                }));
            }
            Some(Cause::Throttled) => return Ok(Some(Hold::Throttled { next_call_at: health.next_call_at })),
            None => {}
        }
        if let Some(order_key) = row.text_or_none(1)?
            && let Some(head) = head_of(&self.sql, webhook, order_key)?
            && head < delivery
        {
            return Ok(Some(Hold::Ordered { behind: self.ids.id(Kind::Delivery, head) }));
        }
        // Leases that are not claimed fill the limit too, so the one that is set is named even where fewer
        // calls are made.
        let until = rules.concurrency.unwrap_or(AT_ONCE_MAX);
        if let Some(limit) = health.at_once.filter(|limit| *limit < until)
            && (rules.rate.is_none() || self.gates.claimed(webhook) >= limit)
        {
            return Ok(Some(Hold::SlowStart { limit, until }));
        }
        Ok(match (rules.concurrency, rules.rate) {
            (Some(limit), Some(_)) if self.gates.claimed(webhook) >= limit => {
                Some(Hold::ConcurrencyLimited { limit })
            }
            (_, Some(limit)) => Some(Hold::RateLimited { limit }),
            (_, None) => {
                let limit = self.gates.limit_at_once(webhook, rules);
                (self.gates.claimed(webhook) >= limit || rules.concurrency.is_some())
                    .then_some(Hold::ConcurrencyLimited { limit })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use postern_core::delivery::Outcome;
    use postern_core::time::Timestamp;
    use postern_core::webhook::{Definition, RateLimit};

    use super::*;
    use crate::InlineLimit;
    use crate::support::build::{START, attempt_due, create, in_order, lease, ledger, post, webhook};

    fn headline(ledger: &Ledger<impl Sql>, delivery: Seq) -> String {
        ledger.delivery(&ledger.ids.id(Kind::Delivery, delivery)).unwrap().reason.headline
    }

    /// Two deliveries of a webhook like this one, the first of them leased and claimed where it can be: what
    /// is said of the second.
    fn second_of(definition: Definition) -> String {
        let mut ledger = ledger();
        create(&mut ledger, definition);
        let events = vec![in_order("order.paid", "k"), in_order("order.paid", "k")];
        let deliveries = ledger.ingest(events, InlineLimit(0), START).unwrap().changed;
        let tickets = lease(&mut ledger, START);
        ledger.claim(&tickets, START).unwrap();
        headline(&ledger, deliveries[1])
    }

    #[test]
    fn a_delivery_that_waits_for_its_webhook_says_what_for() {
        let held = |definition: Definition| {
            let text = second_of(definition);
            text.strip_prefix("Not called yet. Held: ").map_or(text.clone(), String::from)
        };
        assert_eq!(held(Definition { paused: true, ..webhook("w", "*") }), "the webhook is paused");
        let limit = RateLimit { calls: 1, per_s: 60 };
        assert_eq!(
            held(Definition { rate_limit: Some(limit), ..webhook("w", "*") }),
            "the webhook has had its 1 call in 60 s"
        );
        let one = Definition { concurrency_limit: Some(1), ..webhook("w", "*") };
        assert_eq!(held(one), "1 call to the webhook is under way, as many as it may get at once");
        let ordered = held(Definition { ordered: true, ..webhook("w", "*") });
        assert!(
            ordered.starts_with("dlv_") && ordered.ends_with(", which has the same order key, has not ended"),
            "{ordered}"
        );
        assert_eq!(held(webhook("w", "*")), "The first attempt is under way");
    }

    #[test]
    fn a_delivery_of_a_webhook_that_is_unwell_says_so() {
        for (status, times, expected) in [
            (
                500,
                5,
                "Held: the webhook failed 5 times in a row, so it gets one call at a time, the next one at ",
            ),
            (
                429,
                1,
                "Held: the receiver is overloaded, so the webhook gets one call at a time, the next one at ",
            ),
        ] {
            let mut ledger = ledger();
            create(&mut ledger, webhook("w", "*"));
            let mut now = START;
            for _ in 0..times {
                post(&mut ledger, "order.paid");
                attempt_due(&mut ledger, now, Outcome::Answered { status });
                now = now.plus_ms(100);
            }
            let delivery = post(&mut ledger, "order.paid")[0];
            lease(&mut ledger, now);
            let text = headline(&ledger, delivery);
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn a_delivery_of_a_webhook_that_starts_slowly_does_not_ask_for_a_higher_limit() {
        let after_an_outage = |definition: Definition| {
            let mut ledger = ledger();
            let webhook = create(&mut ledger, definition);
            for _ in 0..5 {
                post(&mut ledger, "order.paid");
                attempt_due(&mut ledger, START, Outcome::Answered { status: 500 });
            }
            post(&mut ledger, "order.paid");
            let now = ledger.gates.health(webhook).next_call_at.unwrap();
            attempt_due(&mut ledger, now, Outcome::Answered { status: 200 });
            for _ in 0..2 {
                post(&mut ledger, "order.paid");
            }
            let waiting = post(&mut ledger, "order.paid")[0];
            let tickets = lease(&mut ledger, now);
            ledger.claim(&tickets, now).unwrap();
            ledger.delivery(&ledger.ids.id(Kind::Delivery, waiting)).unwrap().reason
        };
        let reason = after_an_outage(webhook("w", "*"));
        assert!(
            reason.headline.ends_with(
                "Held: Postern is starting slowly after an outage, with 2 calls to the webhook at once"
            ),
            "{reason:?}"
        );
        assert!(reason.advice.contains("until 50 calls at once are allowed"), "{reason:?}");
        let own = after_an_outage(Definition { concurrency_limit: Some(5), ..webhook("w", "*") });
        assert!(own.advice.contains("until 5 calls at once are allowed"), "{own:?}");
        let less = after_an_outage(Definition { concurrency_limit: Some(1), ..webhook("w", "*") });
        assert!(less.headline.ends_with("as many as it may get at once"), "{less:?}");
    }

    #[test]
    fn a_delivery_of_a_webhook_that_was_disabled_says_who_did_it() {
        let mut ledger = ledger();
        create(&mut ledger, webhook("w", "*"));
        post(&mut ledger, "order.paid");
        let waiting = post(&mut ledger, "order.paid")[0];
        ledger.update_webhook("w", Definition { enabled: false, ..webhook("w", "*") }, None, START).unwrap();
        assert_eq!(headline(&ledger, waiting), "Not called yet. Held: the webhook is disabled");
        ledger.update_webhook("w", webhook("w", "*"), None, START).unwrap();
        let first = lease(&mut ledger, START)[0];
        let work = ledger.claim(&[first], START).unwrap().works.remove(0);
        let gone = crate::support::build::attempt(work.attempt, Outcome::Answered { status: 410 }, START);
        ledger
            .report(vec![crate::Report { delivery: work.delivery, attempt: gone }], Timestamp(START.0 + 40))
            .unwrap();
        lease(&mut ledger, START.plus_ms(3_600_000));
        assert_eq!(
            headline(&ledger, waiting),
            "Not called yet. Held: Postern disabled the webhook: the receiver answered 410 Gone"
        );
    }
}
