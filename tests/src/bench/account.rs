//! The exact account of one run: a slot for every event and for every callback that is expected of it.
//!
//! Times are nanoseconds on the one monotonic clock of the process that publishes and receives.

use std::collections::{BTreeSet, HashMap};

/// Which webhooks an event is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Targets {
    /// Each event is for all of the first so many.
    All(usize),
    /// Event `n` is for webhook `n` modulo `of` only. Nothing is expected of `except`, and what reaches it is
    /// not booked.
    InTurn {
        /// How many take turns.
        of: usize,
        /// The one that does not count.
        except: Option<usize>,
    },
}

impl Targets {
    /// Callbacks that event `number` makes.
    #[must_use]
    pub fn count(self, number: usize) -> usize {
        match self {
            Self::All(count) => count,
            Self::InTurn { of, except } => usize::from(except != Some(number % of)),
        }
    }

    /// Whether what reaches `webhook` is not booked.
    fn excepts(self, webhook: usize) -> bool {
        matches!(self, Self::InTurn { except: Some(except), .. } if except == webhook)
    }

    /// The slot of `webhook` among the callbacks of event `number`.
    fn slot(self, number: usize, webhook: usize) -> Option<usize> {
        match self {
            Self::All(count) => Some(webhook).filter(|webhook| *webhook < count),
            Self::InTurn { of, .. } => (number % of == webhook).then_some(0),
        }
    }
}

/// One run's slots. Fill it with [`Account::accepted`], [`Account::refused`] and [`Account::arrived`], then
/// [`Account::close`] it.
#[derive(Debug)]
pub struct Account {
    targets: Targets,
    events: Vec<Event>,
    /// What arrived and belongs to no slot.
    foreign: Vec<String>,
    /// Which slot each `webhook-id` was first seen in.
    messages: HashMap<String, (usize, usize)>,
    arrived_pairs: usize,
}

#[derive(Clone, Debug, Default)]
struct Event {
    due_ns: u64,
    outcome: Option<Outcome>,
    callbacks: Vec<Option<Callback>>,
}

#[derive(Clone, Debug)]
enum Outcome {
    Accepted { at_ns: u64, id: String },
    Refused(String),
}

#[derive(Clone, Debug)]
struct Callback {
    at_ns: u64,
    message: String,
    count: u32,
}

/// What a closed account says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Closed {
    /// Events scheduled.
    pub offered: usize,
    /// Answered 202.
    pub accepted: usize,
    /// Answered otherwise, or not at all.
    pub refused: usize,
    /// The first refusal.
    pub first_refusal: Option<String>,
    /// (event, webhook) pairs that arrived.
    pub arrived: usize,
    /// Pairs of accepted events that did not arrive.
    pub missing: usize,
    /// Arrivals beyond the first of a pair, under the same `webhook-id`: allowed, at least once is the
    /// promise.
    pub repeated: usize,
    /// From due to 202, sorted.
    pub accept_ns: Vec<u64>,
    /// From due to the first arrival, sorted.
    pub end_to_end_ns: Vec<u64>,
    /// The same for the first and the last quarter of the schedule: they part where the system falls behind.
    pub quarters_ns: (Vec<u64>, Vec<u64>),
    /// When each pair that arrived was due, and when it did.
    pub callbacks_ns: Vec<(u64, u64)>,
    /// Why the run proves nothing; empty for a valid run.
    pub void: Vec<String>,
}

impl Account {
    /// An account of events that are due at these times.
    #[must_use]
    pub fn new(due_ns: Vec<u64>, targets: Targets) -> Self {
        let event =
            |(number, due_ns)| Event { due_ns, outcome: None, callbacks: vec![None; targets.count(number)] };
        let events = due_ns.into_iter().enumerate().map(event).collect();
        Self { targets, events, foreign: Vec::new(), messages: HashMap::new(), arrived_pairs: 0 }
    }

    /// Event `number` is due at another time than was said: it is posted now, when the one before has
    /// arrived.
    pub fn due(&mut self, number: usize, due_ns: u64) {
        self.events[number].due_ns = due_ns;
    }

    /// Event `number` was accepted as `id`.
    pub fn accepted(&mut self, number: usize, at_ns: u64, id: String) {
        self.events[number].outcome = Some(Outcome::Accepted { at_ns, id });
    }

    /// Event `number` was not accepted.
    pub fn refused(&mut self, number: usize, why: String) {
        self.events[number].outcome = Some(Outcome::Refused(why));
    }

    /// A callback for event `number` reached webhook `webhook` under `message`.
    pub fn arrived(&mut self, number: Option<usize>, webhook: Option<usize>, message: &str, at_ns: u64) {
        if webhook.is_some_and(|webhook| self.targets.excepts(webhook)) {
            return;
        }
        let slot =
            |number: usize, webhook: usize| Some((number, webhook, self.targets.slot(number, webhook)?));
        let found = number.filter(|number| *number < self.events.len()).zip(webhook);
        let Some((number, webhook, slot)) = found.and_then(|(number, webhook)| slot(number, webhook)) else {
            self.foreign.push(format!("a callback under {message} belongs to no event of this run"));
            return;
        };
        let owner = *self.messages.entry(String::from(message)).or_insert((number, webhook));
        if owner != (number, webhook) {
            self.foreign.push(format!("{message} names event {} and event {number}", owner.0));
        }
        let slot = &mut self.events[number].callbacks[slot];
        match slot {
            None => {
                *slot = Some(Callback { at_ns, message: String::from(message), count: 1 });
                self.arrived_pairs += 1;
            }
            Some(callback) => {
                callback.count += 1;
                if callback.message != message {
                    self.foreign.push(format!(
                        "event {number} reached webhook {webhook} under {} and {message}",
                        callback.message
                    ));
                }
            }
        }
    }

    /// Pairs that arrived so far.
    #[must_use]
    pub const fn arrived_pairs(&self) -> usize {
        self.arrived_pairs
    }

    /// Pairs that accepted events make.
    #[must_use]
    pub fn expected_pairs(&self) -> usize {
        let is_accepted = |event: &&Event| matches!(event.outcome, Some(Outcome::Accepted { .. }));
        self.events.iter().filter(is_accepted).map(|event| event.callbacks.len()).sum()
    }

    /// Adds everything up. `stored` is what the system itself says it holds: event ids.
    #[must_use]
    pub fn close(self, stored: &BTreeSet<String>) -> Closed {
        let mut closed = Closed { offered: self.events.len(), void: self.foreign, ..Closed::default() };
        let (early, late) = (self.events.len() / 4, self.events.len() - self.events.len() / 4);
        let mut ids = BTreeSet::new();
        for (number, event) in self.events.iter().enumerate() {
            let arrived = event.callbacks.iter().flatten();
            closed.arrived += arrived.clone().count();
            closed.repeated += arrived.clone().map(|callback| callback.count as usize - 1).sum::<usize>();
            match &event.outcome {
                None => closed.void.push(format!("event {number} has no outcome")),
                Some(Outcome::Refused(why)) => {
                    closed.refused += 1;
                    closed.first_refusal.get_or_insert_with(|| why.clone());
                    if arrived.clone().next().is_some() {
                        closed.void.push(format!("event {number} was refused ({why}) and arrived"));
                    }
                }
                Some(Outcome::Accepted { at_ns, id }) => {
                    closed.accepted += 1;
                    closed.accept_ns.push(at_ns.saturating_sub(event.due_ns));
                    if !ids.insert(id.clone()) {
                        closed.void.push(format!("{id} was given to two events"));
                    }
                    closed.missing += event.callbacks.iter().filter(|callback| callback.is_none()).count();
                }
            }
            for callback in arrived {
                let latency_ns = callback.at_ns.saturating_sub(event.due_ns);
                closed.end_to_end_ns.push(latency_ns);
                closed.callbacks_ns.push((event.due_ns, callback.at_ns));
                if number < early {
                    closed.quarters_ns.0.push(latency_ns);
                } else if number >= late {
                    closed.quarters_ns.1.push(latency_ns);
                }
            }
        }
        if closed.missing > 0 {
            closed.void.push(format!("{} callbacks of accepted events are missing", closed.missing));
        }
        if &ids != stored {
            closed.void.push(format!(
                "{} ids were answered with 202 and {} are stored; {} are on both lists",
                ids.len(),
                stored.len(),
                ids.intersection(stored).count()
            ));
        }
        for list in [
            &mut closed.accept_ns,
            &mut closed.end_to_end_ns,
            &mut closed.quarters_ns.0,
            &mut closed.quarters_ns.1,
        ] {
            list.sort_unstable();
        }
        closed
    }
}

/// The value below which `percent` of the sorted values lie, in milliseconds.
#[must_use]
pub fn percentile_ms(sorted_ns: &[u64], percent: usize) -> Option<f64> {
    let rank = (sorted_ns.len() * percent).div_ceil(100).max(1);
    #[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^52 ns")]
    sorted_ns.get(rank - 1).map(|ns| *ns as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// What makes a clean account a bad one.
    type Spoil = fn(&mut Account);

    fn ids(count: usize) -> BTreeSet<String> {
        (0..count).map(|number| format!("evt_{number}")).collect()
    }

    /// Two events to two webhooks, all well.
    fn clean() -> Account {
        let mut account = Account::new(vec![0, 10 * MS], Targets::All(2));
        for number in 0..2 {
            account.accepted(number, (10 * number as u64 + 1) * MS, format!("evt_{number}"));
            for webhook in 0..2 {
                account.arrived(
                    Some(number),
                    Some(webhook),
                    &format!("msg_{number}_{webhook}"),
                    (10 * number as u64 + 3) * MS,
                );
            }
        }
        account
    }

    #[test]
    fn a_clean_run_adds_up() {
        let closed = clean().close(&ids(2));
        assert_eq!(
            (closed.accepted, closed.arrived, closed.missing, closed.repeated, closed.void.as_slice()),
            (2, 4, 0, 0, [].as_slice())
        );
        assert_eq!(
            (percentile_ms(&closed.accept_ns, 50), percentile_ms(&closed.end_to_end_ns, 99)),
            (Some(1.0), Some(3.0))
        );
    }

    #[test]
    fn a_second_arrival_under_the_same_id_is_only_a_repetition() {
        let mut account = clean();
        account.arrived(Some(1), Some(0), "msg_1_0", 99 * MS);
        let closed = account.close(&ids(2));
        assert_eq!((closed.repeated, closed.void.len(), closed.end_to_end_ns.len()), (1, 0, 4));
    }

    #[test]
    fn whatever_does_not_add_up_makes_the_run_void() {
        let cases: [(&str, Spoil); 6] = [
            ("a foreign callback", |account| account.arrived(None, Some(0), "msg_x", 0)),
            ("a webhook nobody made", |account| account.arrived(Some(0), Some(2), "msg_x", 0)),
            ("a second id for one pair", |account| account.arrived(Some(0), Some(0), "msg_x", 0)),
            ("one id for two events", |account| account.arrived(Some(1), Some(0), "msg_0_0", 0)),
            ("a refused event that arrived", |account| account.refused(1, String::from("500"))),
            ("one event id for two events", |account| account.accepted(1, 0, String::from("evt_0"))),
        ];
        for (what, spoil) in cases {
            let mut account = clean();
            spoil(&mut account);
            assert!(!account.close(&ids(2)).void.is_empty(), "{what}");
        }
    }

    #[test]
    fn missing_callbacks_and_outcomes_make_the_run_void() {
        let mut account = Account::new(vec![0, 0], Targets::All(1));
        account.accepted(0, 0, String::from("evt_0"));
        let closed = account.close(&ids(1));
        assert_eq!((closed.missing, closed.void.len()), (1, 2));
    }

    #[test]
    fn what_the_system_holds_must_be_what_it_accepted() {
        assert_eq!(clean().close(&ids(3)).void.len(), 1);
        assert_eq!(clean().close(&ids(1)).void.len(), 1);
    }

    #[test]
    fn a_refused_event_is_counted_and_named() {
        let mut account = Account::new(vec![0], Targets::All(1));
        account.refused(0, String::from("503"));
        let closed = account.close(&BTreeSet::new());
        assert_eq!((closed.refused, closed.first_refusal.as_deref(), closed.void.len()), (1, Some("503"), 0));
    }

    #[test]
    fn events_in_turn_are_expected_of_one_webhook_each_and_of_the_excepted_one_not_at_all() {
        let mut account = Account::new(vec![0; 4], Targets::InTurn { of: 2, except: Some(1) });
        for number in 0..4 {
            account.accepted(number, 0, format!("evt_{number}"));
        }
        assert_eq!(account.expected_pairs(), 2);
        account.arrived(Some(0), Some(0), "msg_0", MS);
        account.arrived(Some(2), Some(0), "msg_2", MS);
        account.arrived(Some(1), Some(1), "msg_1", MS);
        assert_eq!(account.close(&ids(4)).void, [""; 0]);
        let mut wrong = Account::new(vec![0; 2], Targets::InTurn { of: 2, except: None });
        wrong.arrived(Some(0), Some(1), "msg_0", MS);
        assert_eq!(wrong.foreign.len(), 1, "webhook 1 has no turn at event 0");
    }

    #[test]
    fn a_percentile_is_a_value_that_occurred() {
        let sorted: Vec<u64> = (1..=100).map(|ms| ms * MS).collect();
        assert_eq!(
            (percentile_ms(&sorted, 50), percentile_ms(&sorted, 99), percentile_ms(&sorted, 100)),
            (Some(50.0), Some(99.0), Some(100.0))
        );
        assert_eq!((percentile_ms(&[], 50), percentile_ms(&[7 * MS], 1)), (None, Some(7.0)));
    }
}
