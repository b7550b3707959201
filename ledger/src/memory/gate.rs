//! Gates: what each webhook may be given now, kept in memory.
//!
//! A gate is closed while its webhook is disabled or paused, while it is probed and a call is under way or
//! not due yet, and while its limits leave no slot. A due delivery that finds its gate closed is *held*: it
//! leaves the index of due work, so that a million deliveries of one webhook cost the others nothing, and
//! comes back when the gate opens.
//!
//! Nothing here is a second truth. [`crate::Ledger::open`] rebuilds it: leases and held deliveries from the
//! deliveries themselves, health and the calls of rate limits from their tables.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use postern_core::health::{AT_ONCE_MAX, Health};
use postern_core::id::Seq;
use postern_core::time::Timestamp;
use postern_core::webhook::RateLimit;

use crate::memory::window::Window;
use crate::row::delivery::{DeliveryRow, Line, Plan};
use crate::row::webhook::StoredWebhook;

/// What the definition says about a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Enabled and not paused.
    pub(crate) takes_calls: bool,
    pub(crate) rate: Option<RateLimit>,
    pub(crate) concurrency: Option<u32>,
}

/// What a gate lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// So many more leases, now.
    Now(usize),
    /// Nothing before this instant.
    At(Timestamp),
    /// Nothing until something happens that is not a matter of time: a report, the end of a lease, a person.
    Later,
}

/// One webhook's gate.
#[derive(Debug, Default)]
struct Gate {
    health: Health,
    /// Leases that were handed out and have not ended.
    out: BTreeMap<Seq, Lease>,
    /// How many of `out` are not claimed, by when they were handed out.
    ahead: BTreeMap<Timestamp, usize>,
    /// The sum of them.
    unclaimed: usize,
    /// Milliseconds from a lease to its claim, of late.
    latency_ms: i64,
    /// The calls that the rate limit counts.
    window: Window,
    /// Calls of deliveries that ended while they were made (somebody cancelled them, or an earlier attempt
    /// turned out to have been taken), by delivery and number, with the ends of their leases: each takes a
    /// place until its report comes. A start forgets them.
    left: BTreeMap<(Seq, u32), Timestamp>,
    /// Live deliveries that were leased since a replayed one was, up to [`LIVE_IN_A_ROW`]; `None`: not known
    /// after a start.
    live_in_a_row: Option<u32>,
}

/// A lease, as its gate knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lease {
    /// Nobody has claimed it yet.
    Ahead {
        since: Timestamp,
        line: Line,
    },
    Claimed,
}

impl Gate {
    /// Forgets that a lease was ahead of its claim.
    fn leave_ahead(&mut self, since: Timestamp) {
        self.unclaimed -= 1;
        if let Some(count) = self.ahead.get_mut(&since) {
            *count -= 1;
            if *count == 0 {
                self.ahead.remove(&since);
            }
        }
    }

    /// Calls under way of deliveries that have ended.
    fn left_at(&self, now: Timestamp) -> usize {
        self.left.values().filter(|until| **until > now).count()
    }

    /// When its places are looked at again that are taken now.
    fn closed(&self, now: Timestamp) -> Opening {
        let first = self.left.values().filter(|until| **until > now).min();
        first.map_or(Opening::Later, |until| Opening::At(*until))
    }

    /// When what is leased now will be claimed.
    const fn arrival(&self, now: Timestamp) -> Timestamp {
        now.plus_ms(self.latency_ms)
    }

    /// The calls that its limit will count, where leases are claimed as long after they were handed out as
    /// others of late. The oldest `ended` of them are left out.
    fn expected_window(&self, rate: RateLimit, now: Timestamp, mut ended: usize) -> Cow<'_, Window> {
        // The usual case, which is asked for each held webhook after each write.
        if self.ahead.is_empty() {
            return Cow::Borrowed(&self.window);
        }
        let expected = self.ahead.iter().filter_map(|(since, count)| {
            let left = count.saturating_sub(ended);
            ended = ended.saturating_sub(*count);
            (left > 0).then(|| (self.arrival(*since).max(now), u32::try_from(left).unwrap_or(u32::MAX)))
        });
        Cow::Owned(self.window.with_expected(rate, expected))
    }

    /// What the rate limit leaves for leases that are handed out now: the limit counts calls, so a lease
    /// takes the place of a call at the time of its claim. Never more than a claim could still refuse
    /// ([`Gates::may_begin`] decides).
    fn leases_within(&self, rate: RateLimit, now: Timestamp, used: Used) -> Opening {
        let (calls, length_ms) = (rate.calls as usize, i64::from(rate.per_s) * 1_000);
        let windows_ahead = usize::try_from(self.latency_ms.max(0) / length_ms.max(1)).unwrap_or(0) + 2;
        let most = if self.latency_ms == 0 { calls } else { calls.saturating_mul(windows_ahead) };
        if used.ahead >= most {
            return Opening::Later;
        }
        let arrival = self.arrival(now);
        let window = self.expected_window(rate, now, self.unclaimed.saturating_sub(used.ahead));
        let counted = window.used(rate, arrival);
        if counted < calls {
            return Opening::Now((calls - counted).min(most - used.ahead));
        }
        // The window must lose so many of its oldest calls that one slot is free.
        let frees_at = window.frees_at(rate, arrival, counted + 1 - calls);
        frees_at.map_or(Opening::Later, |at| Opening::At(at.plus_ms(-self.latency_ms)))
    }

    const fn is_probed(&self) -> bool {
        self.health.level > 0
    }

    /// Whether it lets through what comes, if its webhook sets no limit and may have `most` calls under way.
    fn is_free(&self, most: usize) -> bool {
        let under_way = self.out.len() - self.unclaimed;
        !self.is_probed() && self.health.at_once.is_none() && under_way < most && self.unclaimed < AHEAD_MAX
    }

    /// What the gate lets through beside what is `used`.
    fn opening(&self, rules: Rules, now: Timestamp, used: Used) -> Opening {
        if !rules.takes_calls {
            return Opening::Later;
        }
        let mut slots = usize::MAX;
        if self.is_probed() {
            if used.all() > 0 {
                return self.closed(now);
            }
            if let Some(at) = self.health.next_call_at.filter(|at| *at > now) {
                return Opening::At(at);
            }
            slots = 1;
        }
        if let Some(limit) = self.limit_at_once(rules) {
            slots = slots.min((limit as usize).saturating_sub(used.all()));
        }
        if used.under_way() >= AT_ONCE_MAX as usize && rules.concurrency.is_none() {
            slots = 0;
        }
        // Tickets are some time on their way: those of a quick receiver are handed out ahead of its calls.
        slots = slots.min(AHEAD_MAX.saturating_sub(used.ahead));
        if slots == 0 {
            return self.closed(now);
        }
        match rules.rate.map(|rate| self.leases_within(rate, now, used)) {
            None => Opening::Now(slots),
            Some(Opening::Now(leases)) => Opening::Now(slots.min(leases)),
            Some(closed) => closed,
        }
    }

    /// Leases and calls at once that somebody has set: a person, or an outage that has just ended.
    fn limit_at_once(&self, rules: Rules) -> Option<u32> {
        match (rules.concurrency, self.health.at_once) {
            (Some(limit), Some(at_once)) => Some(limit.min(at_once)),
            (limit, at_once) => limit.or(at_once),
        }
    }
}

/// Milliseconds from a lease to its claim that are believed at most.
const LATENCY_MAX_MS: i64 = 30_000;
/// 2⁶⁴ divided by the golden ratio: a product's high bits depend on all of a number's.
const HASH: u64 = 0x9E37_79B9_7F4A_7C15;
/// Leases of a webhook that nobody has claimed yet, at most. Ten times as many as calls at once: its tickets
/// may be a second on their way, and its calls take 100 ms.
const AHEAD_MAX: usize = 10 * AT_ONCE_MAX as usize;
/// Leases of a webhook under way, below which the request that brings an event makes its calls itself. More
/// than the calls at once of others: a lease ends when its report is taken, which under load is long after
/// its receiver has answered, and only webhooks that answer within a second are called so. What comes beyond
/// waits for the queues, where a delivery costs several times as much: a machine that was late for a moment
/// would never be in time again.
const INLINE_MAX: usize = 4 * AT_ONCE_MAX as usize;
/// Where live and replayed deliveries wait for slots, a replayed one follows so many live ones: it is not
/// starved, and a live one waits for a single slot more than if there was no replay.
pub(crate) const LIVE_IN_A_ROW: u32 = 3;
/// Leases of replayed deliveries that nobody has claimed yet, at most, in all the project: half of what one
/// webhook may have ahead. The other half of its tickets stays for what is live.
const REPLAYED_AHEAD_MAX: usize = AHEAD_MAX / 2;

/// What of a gate is used.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    /// Calls that were claimed and have not ended.
    claimed: usize,
    /// Leases that nobody has claimed yet.
    ahead: usize,
    /// Calls that are claimed in the commit at hand.
    begun: usize,
}

impl Used {
    const fn all(self) -> usize {
        self.claimed + self.ahead + self.begun
    }

    const fn under_way(self) -> usize {
        self.claimed + self.begun
    }
}

/// What a commit changes in memory, to be done after it (`effects`).
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Leases that ended: webhook, delivery.
    pub(crate) ended: Vec<(Seq, Seq)>,
    /// Calls that go on although their deliveries have ended: webhook, delivery and number, end of the
    /// lease.
    pub(crate) left: Vec<(Seq, (Seq, u32), Timestamp)>,
    /// Calls that were reported: webhook, delivery and number.
    pub(crate) returned: Vec<(Seq, (Seq, u32))>,
    /// Leases that are handed out now: webhook, delivery, line, order key.
    pub(crate) leased: Vec<(Seq, Seq, Line, Option<String>)>,
    /// Webhooks that have held deliveries now, and in which line.
    pub(crate) held: BTreeSet<(Seq, Line)>,
    /// Webhooks that have none there any more.
    pub(crate) drained: BTreeSet<(Seq, Line)>,
    /// Live deliveries of webhooks that were leased since a replayed one was.
    pub(crate) live_in_a_row: BTreeMap<Seq, u32>,
    /// How webhooks do now.
    pub(crate) health: BTreeMap<Seq, Health>,
    /// The calls that rate limits count now.
    pub(crate) windows: BTreeMap<Seq, Window>,
    /// Webhooks that were disabled.
    pub(crate) disabled: Vec<StoredWebhook>,
    /// Whether the latest attempt of a webhook was delivered quickly.
    pub(crate) notes: Vec<(Seq, bool)>,
    /// Deliveries that changed beside those that the operation is about.
    pub(crate) changed: Vec<Seq>,
}

impl Effects {
    /// A lease ended.
    pub(crate) fn end(&mut self, webhook: Seq, delivery: Seq) {
        self.ended.push((webhook, delivery));
    }

    /// A delivery ends, but not by its latest attempt: where that is being made, its call goes on and keeps
    /// its place.
    pub(crate) fn end_beside_call(&mut self, row: &DeliveryRow) {
        self.end(row.webhook, row.seq);
        if let Plan::Leased { until, claimed: true } | Plan::Inline { until } = row.plan {
            self.left.push((row.webhook, (row.seq, row.attempt), until));
        }
    }

    /// The webhook has held deliveries in this line.
    pub(crate) fn hold(&mut self, webhook: Seq, line: Line) {
        self.drained.remove(&(webhook, line));
        self.held.insert((webhook, line));
    }

    /// The webhook has no held deliveries in this line.
    pub(crate) fn drained(&mut self, webhook: Seq, line: Line) {
        self.held.remove(&(webhook, line));
        self.drained.insert((webhook, line));
    }

    pub(crate) fn holds(&self, webhook: Seq, line: Line) -> bool {
        self.held.contains(&(webhook, line))
    }

    /// Whether this commit disabled the webhook.
    pub(crate) fn disabled(&self, webhook: Seq) -> bool {
        self.disabled.iter().any(|disabled| disabled.seq == webhook)
    }
}

/// Every gate of the project, and the leases that are in no index.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    /// Where nothing is known of a webhook, there is no gate.
    by_webhook: BTreeMap<Seq, Gate>,
    /// Webhooks that may have held deliveries, and in which lines.
    held: BTreeMap<Seq, BTreeSet<Line>>,
    /// Leases that nobody has claimed yet: all, and those of replayed deliveries.
    ahead: usize,
    replayed_ahead: usize,
    /// How many of the latter there may be, as the last round found it.
    replayed_ahead_max: Cell<Option<usize>>,
    /// Where the next round through `held` starts.
    served: Cell<Option<Seq>>,
    /// Inline leases, with their ends.
    inline: BTreeMap<Seq, Timestamp>,
    /// Leased deliveries that go by an order key, with it.
    keys: BTreeMap<Seq, String>,
    /// The same by webhook and key: one each, but where a replay or a person asked for an older one
    /// meanwhile.
    by_key: BTreeMap<(Seq, String), BTreeSet<Seq>>,
    inline_ends: BTreeSet<(Timestamp, Seq)>,
}

impl Gates {
    fn gate(&mut self, webhook: Seq) -> &mut Gate {
        self.by_webhook.entry(webhook).or_default()
    }

    /// Forgets a webhook.
    pub(crate) fn remove(&mut self, webhook: Seq) {
        self.held.remove(&webhook);
        let out = self.by_webhook.remove(&webhook).map(|gate| gate.out).unwrap_or_default();
        for (delivery, lease) in out {
            self.note_left(lease);
            self.end(webhook, delivery);
        }
    }

    // Health.

    pub(crate) fn health(&self, webhook: Seq) -> Health {
        self.by_webhook.get(&webhook).map(|gate| gate.health).unwrap_or_default()
    }

    pub(crate) fn set_health(&mut self, webhook: Seq, health: Health) {
        if !health.is_plain() || self.by_webhook.contains_key(&webhook) {
            self.gate(webhook).health = health;
        }
    }

    // Leases.

    /// A lease was handed out that nobody has claimed yet.
    pub(crate) fn lease(&mut self, webhook: Seq, delivery: Seq, line: Line, now: Timestamp) {
        let gate = self.gate(webhook);
        let before = gate.out.insert(delivery, Lease::Ahead { since: now, line });
        if let Some(Lease::Ahead { since, .. }) = before {
            gate.leave_ahead(since);
        }
        *gate.ahead.entry(now).or_default() += 1;
        gate.unclaimed += 1;
        if let Some(before) = before {
            self.note_left(before);
        }
        self.ahead += 1;
        self.replayed_ahead += usize::from(line == Line::Replayed);
    }

    /// A lease is not what it was any more.
    fn note_left(&mut self, before: Lease) {
        if let Lease::Ahead { line, .. } = before {
            self.ahead -= 1;
            self.replayed_ahead -= usize::from(line == Line::Replayed);
        }
    }

    /// A lease was claimed.
    pub(crate) fn claim(&mut self, webhook: Seq, delivery: Seq, now: Timestamp) {
        let gate = self.gate(webhook);
        let before = gate.out.insert(delivery, Lease::Claimed);
        if let Some(Lease::Ahead { since, .. }) = before {
            gate.leave_ahead(since);
            let latency_ms = now.ms_since(since).clamp(0, LATENCY_MAX_MS);
            let is_first = gate.latency_ms == 0;
            gate.latency_ms = if is_first { latency_ms } else { (3 * gate.latency_ms + latency_ms) / 4 };
        }
        if let Some(before) = before {
            self.note_left(before);
        }
    }

    /// A lease is claimed that was claimed before the object started.
    pub(crate) fn know_claimed(&mut self, webhook: Seq, delivery: Seq) {
        self.gate(webhook).out.insert(delivery, Lease::Claimed);
    }

    /// A delivery has ended while its call is made.
    pub(crate) fn leave(&mut self, webhook: Seq, call: (Seq, u32), until: Timestamp, now: Timestamp) {
        let left = &mut self.gate(webhook).left;
        left.retain(|_call, until| *until > now);
        left.insert(call, until);
    }

    /// A call was reported.
    pub(crate) fn returned(&mut self, webhook: Seq, call: (Seq, u32)) {
        if let Some(gate) = self.by_webhook.get_mut(&webhook) {
            gate.left.remove(&call);
        }
    }

    /// A lease ended, however. Does nothing where there is none.
    pub(crate) fn end(&mut self, webhook: Seq, delivery: Seq) {
        if let Some(gate) = self.by_webhook.get_mut(&webhook)
            && let Some(lease) = gate.out.remove(&delivery)
        {
            if let Lease::Ahead { since, .. } = lease {
                gate.leave_ahead(since);
            }
            self.note_left(lease);
        }
        if let Some(until) = self.inline.remove(&delivery) {
            self.inline_ends.remove(&(until, delivery));
        }
        if let Some(key) = self.keys.remove(&delivery) {
            let key = (webhook, key);
            let is_empty = self.by_key.get_mut(&key).is_some_and(|deliveries| {
                deliveries.remove(&delivery);
                deliveries.is_empty()
            });
            if is_empty {
                self.by_key.remove(&key);
            }
        }
    }

    // Order.

    /// A leased delivery goes by an order key.
    pub(crate) fn note_key(&mut self, webhook: Seq, delivery: Seq, key: String) {
        self.keys.insert(delivery, key.clone());
        self.by_key.entry((webhook, key)).or_default().insert(delivery);
    }

    /// Leased deliveries with this order key.
    pub(crate) fn leased_with_key(&self, webhook: Seq, key: &str) -> impl Iterator<Item = Seq> {
        self.by_key.get(&(webhook, String::from(key))).into_iter().flatten().copied()
    }

    /// A lease was handed out that no index holds.
    pub(crate) fn lease_inline(&mut self, webhook: Seq, delivery: Seq, until: Timestamp) {
        self.know_claimed(webhook, delivery);
        self.inline.insert(delivery, until);
        self.inline_ends.insert((until, delivery));
    }

    /// Inline leases that have ended, at most `limit` of them.
    pub(crate) fn inline_ended(&self, now: Timestamp, limit: usize) -> Vec<Seq> {
        self.inline_ends
            .iter()
            .take_while(|(until, _delivery)| *until <= now)
            .take(limit)
            .map(|(_until, delivery)| *delivery)
            .collect()
    }

    /// When the first inline lease ends.
    pub(crate) fn inline_wake(&self) -> Option<Timestamp> {
        self.inline_ends.first().map(|(until, _delivery)| *until)
    }

    /// How many inline leases are open.
    pub(crate) fn inline_count(&self) -> u32 {
        u32::try_from(self.inline.len()).unwrap_or(u32::MAX)
    }

    /// Deliveries that are leased inline, oldest first.
    pub(crate) fn inline_leases(&self) -> impl Iterator<Item = Seq> {
        self.inline.keys().copied()
    }

    /// The oldest delivery that is leased inline.
    pub(crate) fn oldest_inline(&self) -> Option<Seq> {
        self.inline.first_key_value().map(|(delivery, _until)| *delivery)
    }

    // What may pass.

    /// Whether deliveries of the webhook need no gate at all.
    pub(crate) fn is_free(&self, webhook: Seq, rules: Rules) -> bool {
        self.is_free_below(webhook, rules, AT_ONCE_MAX as usize)
    }

    /// Whether the request that brings an event may call the webhook, as far as its gate knows.
    pub(crate) fn is_free_for_inline(&self, webhook: Seq, rules: Rules) -> bool {
        self.is_free_below(webhook, rules, INLINE_MAX)
    }

    fn is_free_below(&self, webhook: Seq, rules: Rules, most: usize) -> bool {
        rules.takes_calls
            && rules.rate.is_none()
            && rules.concurrency.is_none()
            && self.by_webhook.get(&webhook).is_none_or(|gate| gate.is_free(most))
    }

    /// What a webhook may be given now.
    pub(crate) fn opening(&self, webhook: Seq, rules: Rules, now: Timestamp) -> Opening {
        self.opening_without(webhook, rules, now, 0, 0)
    }

    /// As [`Gates::opening`], as if `ended` of its leases had ended, `unclaimed` of them without a claim.
    pub(crate) fn opening_without(
        &self,
        webhook: Seq,
        rules: Rules,
        now: Timestamp,
        ended: usize,
        unclaimed: usize,
    ) -> Opening {
        let Some(gate) = self.by_webhook.get(&webhook) else {
            return Gate::default().opening(rules, now, Used::default());
        };
        let ahead = gate.unclaimed.saturating_sub(unclaimed);
        let claimed = gate.out.len().saturating_sub(ended).saturating_sub(ahead) + gate.left_at(now);
        gate.opening(rules, now, Used { claimed, ahead, begun: 0 })
    }

    /// Whether one more leased delivery may be called now, where `begun` calls start in the same commit.
    /// Leases that nobody claimed do not count against it.
    pub(crate) fn may_begin(&self, webhook: Seq, rules: Rules, now: Timestamp, begun: usize) -> bool {
        let plain = Gate::default();
        let gate = self.by_webhook.get(&webhook).unwrap_or(&plain);
        let claimed = gate.out.len() - gate.unclaimed + gate.left_at(now);
        let used = Used { claimed, ahead: 0, begun };
        let is_within = |rate: RateLimit| gate.window.used(rate, now) + begun < rate.calls as usize;
        let opening = gate.opening(Rules { rate: None, ..rules }, now, used);
        matches!(opening, Opening::Now(_)) && rules.rate.is_none_or(is_within)
    }

    /// Calls at once that hold back what waits for this webhook: a limit that somebody set, or the bound of
    /// all.
    pub(crate) fn limit_at_once(&self, webhook: Seq, rules: Rules) -> u32 {
        let gate = self.by_webhook.get(&webhook);
        let limit = gate.map_or(rules.concurrency, |gate| gate.limit_at_once(rules));
        limit.unwrap_or(AT_ONCE_MAX)
    }

    /// How many calls are under way.
    pub(crate) fn claimed(&self, webhook: Seq) -> u32 {
        let claimed =
            self.by_webhook.get(&webhook).map_or(0, |gate| gate.out.len() - gate.unclaimed + gate.left.len());
        u32::try_from(claimed).unwrap_or(u32::MAX)
    }

    /// When the gate of a webhook with held deliveries is to be looked at; `None` where time alone does not
    /// open it.
    pub(crate) fn opens_at(&self, webhook: Seq, rules: Rules, now: Timestamp) -> Option<Timestamp> {
        if !self.holds(webhook, Line::Live) && self.replayed_left() == 0 {
            return None;
        }
        match self.opening(webhook, rules, now) {
            Opening::Now(_) => Some(now),
            Opening::At(at) => Some(at),
            Opening::Later => None,
        }
    }

    // The calls of rate limits.

    /// The window of a webhook once `calls` more have started at `now`.
    pub(crate) fn window_with(&self, webhook: Seq, rate: RateLimit, now: Timestamp, calls: u32) -> Window {
        self.by_webhook
            .get(&webhook)
            .map_or_else(Window::default, |gate| gate.window.clone())
            .with(rate, now, calls)
    }

    /// The window of a webhook as it is after the clock went back, where that changes it.
    pub(crate) fn window_set_back(&self, webhook: Seq, rate: RateLimit, now: Timestamp) -> Option<Window> {
        let window = &self.by_webhook.get(&webhook)?.window;
        window.is_ahead(rate, now).then(|| window.with(rate, now, 0))
    }

    pub(crate) fn set_window(&mut self, webhook: Seq, window: Window) {
        self.gate(webhook).window = window;
    }

    /// The webhook has no rate limit any more. One that it gets later counts from then on.
    pub(crate) fn forget_window(&mut self, webhook: Seq) {
        if let Some(gate) = self.by_webhook.get_mut(&webhook) {
            gate.window = Window::default();
        }
    }

    // Held deliveries.

    /// The webhook has held deliveries in this line, or may have.
    pub(crate) fn hold(&mut self, webhook: Seq, line: Line) {
        self.held.entry(webhook).or_default().insert(line);
    }

    /// The webhook calls in no order any more: its leased deliveries have no key in their rows either.
    pub(crate) fn forget_keys(&mut self, webhook: Seq) {
        self.by_key.retain(|(of, _key), _deliveries| *of != webhook);
        for delivery in self.by_webhook.get(&webhook).into_iter().flat_map(|gate| gate.out.keys()) {
            self.keys.remove(delivery);
        }
    }

    /// The webhook has no held deliveries in this line.
    pub(crate) fn hold_none(&mut self, webhook: Seq, line: Line) {
        if let Some(lines) = self.held.get_mut(&webhook) {
            lines.remove(&line);
            if lines.is_empty() {
                self.held.remove(&webhook);
            }
        }
    }

    pub(crate) fn holds(&self, webhook: Seq, line: Line) -> bool {
        self.held.get(&webhook).is_some_and(|lines| lines.contains(&line))
    }

    /// Says how many leases of replayed deliveries may wait for their claim, where a round may hand out
    /// `limit` more of all: half of both, so that what is live never finds the queue full of a replay.
    pub(crate) fn share_ahead(&self, limit: usize) {
        let half = self.ahead.saturating_add(limit) / 2;
        self.replayed_ahead_max.set(Some(half.clamp(1, REPLAYED_AHEAD_MAX)));
    }

    /// How many more replayed deliveries may be leased.
    pub(crate) fn replayed_left(&self) -> usize {
        self.replayed_ahead_max.get().map_or(1, |most| most.saturating_sub(self.replayed_ahead))
    }

    /// Live deliveries of the webhook that were leased since a replayed one was, up to [`LIVE_IN_A_ROW`].
    pub(crate) fn live_in_a_row(&self, webhook: Seq, now: Timestamp) -> u32 {
        // An object that sleeps between two calls would always start the same way: the time says where.
        let by_time = || u32::try_from(now.0.unsigned_abs().wrapping_mul(HASH) >> 62).unwrap_or(0);
        let known = self.by_webhook.get(&webhook).and_then(|gate| gate.live_in_a_row);
        known.unwrap_or_else(by_time).min(LIVE_IN_A_ROW)
    }

    pub(crate) fn set_live_in_a_row(&mut self, webhook: Seq, leases: u32) {
        self.gate(webhook).live_in_a_row = Some(leases);
    }

    /// Webhooks that may have held deliveries, each once, starting after the one that was served last.
    pub(crate) fn holding(&self) -> impl Iterator<Item = Seq> {
        let from = self.served.get().unwrap_or(Seq::ZERO);
        let after = self.held.range((std::ops::Bound::Excluded(from), std::ops::Bound::Unbounded));
        after.chain(self.held.range(..=from)).map(|(webhook, _lines)| *webhook)
    }

    /// The next round starts after this webhook.
    pub(crate) fn served(&self, webhook: Seq) {
        self.served.set(Some(webhook));
    }
}

#[cfg(test)]
mod tests {
    use postern_core::health::Cause;

    use super::*;

    const WEBHOOK: Seq = Seq(1);
    const OPEN: Rules = Rules { takes_calls: true, rate: None, concurrency: None };

    const fn at(ms: i64) -> Timestamp {
        Timestamp(1_000_000 + ms)
    }

    const fn rate(calls: u32, per_s: u32) -> Rules {
        Rules { rate: Some(RateLimit { calls, per_s }), ..OPEN }
    }

    /// A call starts.
    fn begin(gates: &mut Gates, delivery: i64, rules: Rules, now: Timestamp) {
        gates.claim(WEBHOOK, Seq(delivery), now);
        if let Some(rate) = rules.rate {
            gates.set_window(WEBHOOK, gates.window_with(WEBHOOK, rate, now, 1));
        }
    }

    #[test]
    fn without_rules_everything_passes() {
        let gates = Gates::default();
        assert!(gates.is_free(WEBHOOK, OPEN));
        assert_eq!(gates.opening(WEBHOOK, OPEN, at(0)), Opening::Now(AHEAD_MAX), "but for the bound of all");
        assert_eq!(gates.opening(WEBHOOK, Rules { takes_calls: false, ..OPEN }, at(0)), Opening::Later);
    }

    #[test]
    fn a_window_slides_and_tickets_reserve_their_slot() {
        let mut gates = Gates::default();
        let rules = rate(3, 10);
        for (delivery, ms) in [(1, 0), (2, 4_000)] {
            gates.lease(WEBHOOK, Seq(delivery), Line::Live, at(ms));
            begin(&mut gates, delivery, rules, at(ms));
            gates.end(WEBHOOK, Seq(delivery));
        }
        assert_eq!(gates.opening(WEBHOOK, rules, at(5_000)), Opening::Now(1));
        gates.lease(WEBHOOK, Seq(3), Line::Live, at(5_000));
        assert_eq!(
            gates.opening(WEBHOOK, rules, at(5_000)),
            Opening::At(at(10_000)),
            "the ticket has the last slot"
        );
        assert!(gates.may_begin(WEBHOOK, rules, at(5_000), 0));
        begin(&mut gates, 3, rules, at(5_000));
        assert!(!gates.may_begin(WEBHOOK, rules, at(9_999), 0));
        assert_eq!(gates.opening(WEBHOOK, rules, at(10_000)), Opening::Now(1));
        assert_eq!(gates.opening(WEBHOOK, rules, at(14_999)), Opening::Now(2));
    }

    #[test]
    fn tickets_alone_can_fill_a_window_and_then_time_does_not_help() {
        let mut gates = Gates::default();
        gates.lease(WEBHOOK, Seq(1), Line::Live, at(0));
        assert_eq!(gates.opening(WEBHOOK, rate(1, 10), at(0)), Opening::Later);
        gates.end(WEBHOOK, Seq(1));
        assert_eq!(gates.opening(WEBHOOK, rate(1, 10), at(0)), Opening::Now(1));
    }

    #[test]
    fn a_clock_that_goes_back_does_not_close_a_window_for_ever() {
        let mut gates = Gates::default();
        let rules = rate(1, 10);
        begin(&mut gates, 1, rules, at(100_000));
        gates.end(WEBHOOK, Seq(1));
        assert_eq!(gates.opening(WEBHOOK, rules, at(0)), Opening::At(at(10_000)));
        assert_eq!(
            gates.opening(WEBHOOK, rules, at(5_000)),
            Opening::At(at(15_000)),
            "nobody has noted when it went back"
        );
        let limit = rules.rate.unwrap();
        gates.set_window(WEBHOOK, gates.window_set_back(WEBHOOK, limit, at(5_000)).unwrap());
        assert_eq!(gates.window_set_back(WEBHOOK, limit, at(5_000)), None);
        assert_eq!(gates.opening(WEBHOOK, rules, at(14_999)), Opening::At(at(15_000)));
        assert_eq!(gates.opening(WEBHOOK, rules, at(15_000)), Opening::Now(1));
    }

    #[test]
    fn calls_at_once_are_leases_that_have_not_ended() {
        let mut gates = Gates::default();
        let rules = Rules { concurrency: Some(2), ..OPEN };
        gates.lease(WEBHOOK, Seq(1), Line::Live, at(0));
        gates.lease(WEBHOOK, Seq(2), Line::Live, at(0));
        assert_eq!(gates.opening(WEBHOOK, rules, at(0)), Opening::Later);
        assert!(gates.may_begin(WEBHOOK, rules, at(0), 0));
        gates.end(WEBHOOK, Seq(2));
        gates.end(WEBHOOK, Seq(2));
        assert_eq!(gates.opening(WEBHOOK, rules, at(0)), Opening::Now(1));
    }

    #[test]
    fn a_webhook_that_is_probed_gets_one_call_at_a_time_and_not_before_its_time() {
        let mut gates = Gates::default();
        let health = Health {
            failures_in_a_row: 5,
            failing_since: Some(at(0)),
            level: 1,
            cause: Some(Cause::Failing),
            next_call_at: Some(at(1_000)),
            ..Health::default()
        };
        gates.set_health(WEBHOOK, health);
        assert!(!gates.is_free(WEBHOOK, OPEN));
        assert_eq!(gates.opening(WEBHOOK, OPEN, at(999)), Opening::At(at(1_000)));
        assert_eq!(gates.opening(WEBHOOK, OPEN, at(1_000)), Opening::Now(1));
        gates.lease(WEBHOOK, Seq(1), Line::Live, at(0));
        gates.lease(WEBHOOK, Seq(2), Line::Live, at(0));
        assert_eq!(gates.opening(WEBHOOK, OPEN, at(1_000)), Opening::Later);
        assert!(gates.may_begin(WEBHOOK, OPEN, at(1_000), 0));
        assert!(!gates.may_begin(WEBHOOK, OPEN, at(1_000), 1), "not two in one commit");
        begin(&mut gates, 2, OPEN, at(1_000));
        assert!(!gates.may_begin(WEBHOOK, OPEN, at(1_000), 0));
    }

    #[test]
    fn an_inline_lease_is_known_until_it_ends() {
        let mut gates = Gates::default();
        gates.lease_inline(WEBHOOK, Seq(5), at(40));
        gates.lease_inline(WEBHOOK, Seq(6), at(30));
        assert_eq!((gates.inline_wake(), gates.oldest_inline()), (Some(at(30)), Some(Seq(5))));
        assert_eq!(gates.inline_ended(at(40), 1), [Seq(6)]);
        gates.end(WEBHOOK, Seq(6));
        assert_eq!(gates.inline_ended(at(40), 9), [Seq(5)]);
        gates.end(WEBHOOK, Seq(5));
        assert_eq!((gates.inline_wake(), gates.oldest_inline()), (None, None));
    }

    #[test]
    fn the_round_goes_on_after_the_one_that_was_served() {
        let mut gates = Gates::default();
        for webhook in 1..=3 {
            gates.hold(Seq(webhook), Line::Live);
        }
        gates.served(Seq(2));
        assert_eq!(gates.holding().collect::<Vec<_>>(), [Seq(3), Seq(1), Seq(2)]);
        gates.hold_none(Seq(3), Line::Live);
        assert_eq!(gates.holding().collect::<Vec<_>>(), [Seq(1), Seq(2)]);
        assert!(gates.holds(Seq(1), Line::Live) && !gates.holds(Seq(3), Line::Live));
    }
}
