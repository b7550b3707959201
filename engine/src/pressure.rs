//! Back-pressure between a ledger and the queue: how many tickets may be under way.
//!
//! Where all that is due is leased, a backlog waits in the queue until its leases end, and is sent again:
//! more messages, no more calls. So a project hands over only as many tickets as are claimed within some
//! seconds. How many that are is measured: each ticket's time from lease to claim, and the claims of a
//! second. A ticket that nobody claimed for as long as the shortest lease is taken for lost and counts no
//! more.
//!
//! Memory only: a new object measures anew, and hands over too much once at most.

use std::collections::BTreeMap;

use postern_core::id::Seq;
use postern_core::time::Timestamp;
use postern_ledger::{LEASE_SLACK_MS, LeaseTicket};

/// How many tickets of a project may be under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketBounds {
    /// While claims come soon.
    pub plain: usize,
    /// However slow the claims are.
    pub least: usize,
    /// However many claims there are: each is kept in memory.
    pub most: usize,
    /// Leasing goes on where so many are free.
    pub room: usize,
}

impl TicketBounds {
    /// Those of the Worker.
    pub const PLATFORM: Self = Self { plain: 500, least: 30, most: 5_000, room: 10 };
}

/// A claim that comes later than this says that the queue is long.
const SLOW_MS: i64 = 5_000;
/// Tickets are handed over for so many seconds of claims: well below the shortest lease of 31 s.
const AHEAD_S: i64 = 10;
/// What is measured, is measured over so long.
const WINDOW_MS: i64 = 5_000;
/// A ticket is taken for lost.
const LOST_AFTER_MS: i64 = 1_000 + LEASE_SLACK_MS;

/// What a window of time has shown.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    claims: i64,
    slowest_ms: i64,
}

/// How many tickets may be under way.
#[derive(Debug)]
pub(crate) struct Pressure {
    bounds: TicketBounds,
    under_way: BTreeMap<(Seq, u32), Timestamp>,
    /// Tickets that may be under way where the last claims came soon.
    plain: usize,
    window_began: Timestamp,
    now: Seen,
    before: Seen,
}

impl Pressure {
    pub(crate) fn new(bounds: TicketBounds) -> Self {
        let (now, before) = (Seen::default(), Seen::default());
        let (under_way, plain) = (BTreeMap::new(), bounds.plain);
        Self { bounds, under_way, plain, window_began: Timestamp(0), now, before }
    }

    /// Tickets were leased.
    pub(crate) fn leased(&mut self, tickets: &[LeaseTicket], now: Timestamp) {
        self.under_way.extend(tickets.iter().map(|ticket| ((ticket.delivery, ticket.attempt), now)));
    }

    /// Tickets were claimed, or given back.
    pub(crate) fn forget(&mut self, tickets: &[LeaseTicket]) {
        for ticket in tickets {
            self.under_way.remove(&(ticket.delivery, ticket.attempt));
        }
    }

    /// Tickets came back from the queue.
    pub(crate) fn claimed(&mut self, tickets: &[LeaseTicket], now: Timestamp) {
        self.roll(now);
        for ticket in tickets {
            // One that was taken for lost has come late.
            let leased_at = self.under_way.remove(&(ticket.delivery, ticket.attempt));
            let took_ms = leased_at.map_or(LOST_AFTER_MS, |at| now.ms_since(at));
            self.now.claims += 1;
            self.now.slowest_ms = self.now.slowest_ms.max(took_ms);
        }
    }

    fn roll(&mut self, now: Timestamp) {
        let age_ms = now.ms_since(self.window_began);
        if (0..WINDOW_MS).contains(&age_ms) {
            return;
        }
        let is_next = (WINDOW_MS..2 * WINDOW_MS).contains(&age_ms);
        self.before = if is_next { self.now } else { Seen::default() };
        // A queue that was long is trusted again step by step, or it would be filled again at once.
        let was_slow = self.before.slowest_ms >= SLOW_MS;
        self.plain = if was_slow { self.bounds.least } else { (2 * self.plain).min(self.bounds.plain) };
        self.now = Seen::default();
        self.window_began = now;
    }

    /// Whether so few more tickets may be handed over that it is not worth a round.
    pub(crate) fn is_full(&mut self, now: Timestamp) -> bool {
        self.room(now) < self.bounds.room
    }

    /// How many more tickets may be handed over.
    pub(crate) fn room(&mut self, now: Timestamp) -> usize {
        self.roll(now);
        // A clock that went back must not keep tickets for ever.
        let before = self.under_way.len();
        self.under_way.retain(|_ticket, at| (0..LOST_AFTER_MS).contains(&now.ms_since(*at)));
        if self.under_way.len() < before {
            self.now.slowest_ms = self.now.slowest_ms.max(LOST_AFTER_MS);
        }
        self.cap().saturating_sub(self.under_way.len())
    }

    fn cap(&self) -> usize {
        let claims = self.now.claims.max(self.before.claims);
        let ahead = usize::try_from(claims * 1_000 / WINDOW_MS * AHEAD_S).unwrap_or(self.bounds.most);
        let is_slow = self.now.slowest_ms.max(self.before.slowest_ms) >= SLOW_MS;
        let least = if is_slow { self.bounds.least } else { self.plain };
        ahead.clamp(least, self.bounds.most)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use postern_ledger::Lane;

    use super::*;

    fn tickets(keys: std::ops::Range<i64>) -> Vec<LeaseTicket> {
        let lane = Lane::First;
        keys.map(|key| LeaseTicket { delivery: Seq(key), attempt: 1, webhook: Seq(1), lane }).collect()
    }

    #[test]
    fn a_ticket_takes_room_until_it_is_claimed_or_lost() {
        let mut pressure = Pressure::new(TicketBounds::PLATFORM);
        let now = Timestamp(1_000_000);
        assert_eq!(pressure.room(now), TicketBounds::PLATFORM.plain);
        pressure.leased(&tickets(0..400), now);
        assert_eq!(pressure.room(now), 100);
        pressure.claimed(&tickets(0..10), now.plus_ms(100));
        assert_eq!(pressure.room(now.plus_ms(100)), 110);
        pressure.forget(&tickets(10..20));
        assert_eq!(pressure.room(now.plus_ms(100)), 120);
        let late = now.plus_ms(LOST_AFTER_MS);
        assert_eq!(
            pressure.room(late),
            TicketBounds::PLATFORM.least,
            "what is lost counts no more, and says that the queue is long"
        );
        assert!(
            pressure.room(late.plus_ms(2 * WINDOW_MS)) > TicketBounds::PLATFORM.least,
            "little by little"
        );
    }

    /// A burst that is due at once, and a queue in order whose consumers make `per_s` calls a second:
    /// tickets that were handed over for each delivery, and seconds until all are called.
    fn burst(deliveries: i64, per_s: usize) -> (f64, i64) {
        let mut pressure = Pressure::new(TicketBounds::PLATFORM);
        let mut due: VecDeque<i64> = (0..deliveries).collect();
        let mut queue: VecDeque<(i64, Timestamp)> = VecDeque::new();
        let mut leased: VecDeque<(i64, Timestamp)> = VecDeque::new();
        let mut called = std::collections::BTreeSet::new();
        let (mut handed_over, mut second) = (0_i64, 0);
        while i64::try_from(called.len()).unwrap() < deliveries {
            let now = Timestamp(1_000_000 + second * 1_000);
            // Leases of 40 s that ended are due again.
            while leased.front().is_some_and(|(_key, at)| now.ms_since(*at) >= 40_000) {
                let (key, _at) = leased.pop_front().unwrap();
                if !called.contains(&key) {
                    due.push_front(key);
                }
            }
            let count = pressure.room(now).min(due.len());
            for key in due.drain(..count) {
                queue.push_back((key, now));
                leased.push_back((key, now));
                pressure.leased(&tickets(key..key + 1), now);
                handed_over += 1;
            }
            for _call in 0..per_s {
                // A ticket of a delivery that is called already costs nothing.
                while queue.front().is_some_and(|(key, _at)| called.contains(key)) {
                    queue.pop_front();
                }
                let Some((key, _at)) = queue.pop_front() else { break };
                pressure.claimed(&tickets(key..key + 1), now);
                called.insert(key);
            }
            second += 1;
        }
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let each = handed_over as f64 / deliveries as f64;
        (each, second)
    }

    #[test]
    fn a_burst_is_handed_over_once_and_the_consumers_are_never_idle() {
        for (deliveries, per_s, at_least_s) in
            [(50_000, 150, 334), (20_000, 20, 1_000), (10_000, 5, 2_000), (100_000, 400, 250)]
        {
            let (each, took_s) = burst(deliveries, per_s);
            assert!(each <= 1.1, "{deliveries} at {per_s}/s: {each} tickets a delivery");
            assert!(took_s <= at_least_s * 11 / 10, "{deliveries} at {per_s}/s: {took_s} s");
        }
    }
}
