//! Totals and histograms of ten random projects, compared with the rows themselves and with the lists that
//! they lead to.

#![expect(clippy::unwrap_used, reason = "what a random history needs fails as loudly as a test does")]

#[path = "support/random.rs"]
mod random;
#[path = "support/mod.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod support;

use std::collections::BTreeSet;
use std::rc::Rc;

use postern_core::api::delivery::{DeliveryView, StateCounts};
use postern_core::api::page::Page;
use postern_core::api::webhook::{HealthStatus, WebhookView};
use postern_core::delivery::{Outcome, State};
use postern_core::id::Kind;
use postern_core::query::{HistogramQuery, TotalsQuery, WebhookState};
use postern_core::search::{DeliveryFilter, StatusFilter};
use postern_core::time::Timestamp;
use postern_core::webhook::{Definition, RateLimit};
use postern_ledger::{InlineLimit, Ledger, Report, Sql as _, WebhookFilter};

use crate::random::Random;
use crate::support::build::{START, attempt, event, in_order, missing, project, webhook};
use crate::support::native::Native;

type Project = Ledger<Rc<Native>>;

const OPEN: [State; 3] = [State::Pending, State::Leased, State::Waiting];

/// A project with all that can happen to deliveries behind it, and when its history ends.
fn grown(random: &mut Random) -> (Project, Rc<Native>, Timestamp) {
    let store = Native::new();
    let mut ledger = Ledger::create(Rc::clone(&store), &project(), 7, START).unwrap();
    let limit = RateLimit { calls: 2, per_s: 60 };
    for definition in [
        webhook("plain", "*"),
        Definition { retry: false, ..webhook("once", "order.*") },
        Definition { ordered: true, ..webhook("ordered", "*") },
        Definition { rate_limit: Some(limit), ..webhook("slow", "order.*") },
        Definition { concurrency_limit: Some(1), ..webhook("alone", "user.*") },
        webhook("late", "nothing.yet"),
    ] {
        let seq = ledger.reserve(START);
        ledger.create_webhook(seq, definition, START).unwrap();
    }
    let mut now = START;
    for _step in 0..150 {
        now = now.plus_ms(*random.pick(&[0, 1, 40, 1_000, 60_000, 1_200_000]).unwrap());
        step(random, &mut ledger, now);
        if random.chance(3) {
            ledger = Ledger::open(Rc::clone(&store)).unwrap().unwrap();
        }
    }
    (ledger, store, now)
}

fn step(random: &mut Random, ledger: &mut Project, now: Timestamp) {
    let name = *random.pick(&["plain", "once", "ordered", "slow", "alone"]).unwrap();
    match random.below(12) {
        0..=4 => {
            let kind = *random.pick(&["order.paid", "user.created", "none.of.them"]).unwrap();
            let number = random.below(12) + 1;
            let events = (0..number).map(|at| if at % 3 == 0 { in_order(kind, "k") } else { event(kind) });
            let inline = InlineLimit(*random.pick(&[0, 6]).unwrap());
            ledger.ingest(events.collect(), inline, now).unwrap();
        }
        5..=7 => work(random, ledger, now),
        8 => {
            // Whether it may be paused, resumed or disabled now is not what is tested.
            let _refused = match random.below(4) {
                0 => ledger.pause_webhook(name, None, now).map(drop),
                1 => ledger.resume_webhook(name, None, now).map(drop),
                2 => change(ledger, name, false, now),
                _ => change(ledger, name, true, now),
            };
        }
        9 => {
            let listed = ledger.list_deliveries(&DeliveryFilter::default(), 50, None).unwrap().items;
            if let Some(delivery) = random.pick(&listed) {
                let _refused = if random.chance(50) {
                    ledger.cancel(&delivery.id, now).map(drop)
                } else {
                    ledger.resend(&delivery.id, now).map(drop)
                };
            }
        }
        10 if random.chance(20) => {
            ledger.update_webhook("late", webhook("late", "*"), None, now).unwrap();
            ledger.create_replay(missing("late"), now).unwrap();
            while ledger.replay_step(now, 100).unwrap().replay.is_some() {}
        }
        11 if random.chance(5) => drop(ledger.delete_webhook("alone", None, now)),
        _ => {}
    }
}

fn change(
    ledger: &mut Project,
    name: &str,
    enabled: bool,
    now: Timestamp,
) -> Result<(), postern_ledger::LedgerError> {
    let definition = ledger.stored_webhook(name)?.definition;
    ledger.update_webhook(name, Definition { enabled, ..definition }, None, now).map(drop)
}

/// Makes calls that are due. Some are lost on their way, some never end.
fn work(random: &mut Random, ledger: &mut Project, now: Timestamp) {
    let mut tickets = ledger.lease_due(now, 40).unwrap().tickets;
    tickets.retain(|_ticket| random.chance(90));
    let works = ledger.claim(&tickets, now).unwrap().works;
    let mut reports = Vec::new();
    for work in works {
        if random.chance(10) {
            continue;
        }
        let outcome = match random.below(100) {
            0..=54 => Outcome::Answered { status: 200 },
            55 => Outcome::Answered { status: 410 },
            56..=59 => Outcome::Answered { status: 429 },
            _ => Outcome::Answered { status: 503 },
        };
        reports.push(Report { delivery: work.delivery, attempt: attempt(work.attempt, outcome, now) });
    }
    ledger.report(reports, now.plus_ms(40)).unwrap();
}

/// Each delivery as it is stored: its id, when it was made, where it stands.
fn stored(ledger: &Project, store: &Native) -> Vec<(String, Timestamp, State)> {
    let rows = store
        .run(
            "SELECT d.seq, d.late, e.accepted_at_ms, d.state FROM delivery AS d JOIN event AS e ON e.seq = d.event",
            &[],
        )
        .unwrap();
    let read = |row: &postern_ledger::Row| {
        let (seq, is_late) = (row.seq(0).unwrap(), row.integer(1).unwrap() == 1);
        let made_at = if is_late { seq.unix_ms() } else { row.integer(2).unwrap() };
        let state = State::parse(row.text(3).unwrap()).unwrap();
        (ledger.ids().id(Kind::Delivery, seq), Timestamp(made_at), state)
    };
    rows.iter().map(read).collect()
}

/// All pages of a list.
fn all<T>(load: impl Fn(Option<&str>) -> Page<T>) -> Vec<T> {
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let page = load(cursor.as_deref());
        items.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return items;
        }
    }
}

/// What the list of a filter holds, all of its pages.
fn listed(ledger: &Project, filter: &DeliveryFilter) -> BTreeSet<String> {
    let pages = all(|cursor| ledger.list_deliveries(filter, 70, cursor).unwrap());
    pages.into_iter().map(|view: DeliveryView| view.id).collect()
}

fn number(ids: &BTreeSet<String>) -> u32 {
    u32::try_from(ids.len()).unwrap()
}

#[test]
fn totals_are_those_of_the_ledger_and_lead_to_exactly_the_rows_they_count() {
    let mut seen = StateCounts::default();
    let (mut down, mut late) = (0, 0);
    for seed in 0..10 {
        let random = &mut Random::new(seed);
        let (ledger, store, now) = grown(random);
        let rows = stored(&ledger, &store);
        for until in [now.plus_ms(1), now.plus_ms(-random.between(0, 20_000_000))] {
            let since = until.plus_ms(-random.between(1, 40_000_000));
            let totals = ledger.totals(&TotalsQuery { since, until }).unwrap();
            let ids = |fits: &dyn Fn(&(String, Timestamp, State)) -> bool| -> BTreeSet<String> {
                rows.iter().filter(|row| fits(row)).map(|row| row.0.clone()).collect()
            };
            let in_time = |row: &(String, Timestamp, State)| (since..until).contains(&row.1);

            // Delivered: a share of the deliveries of the time, and the list of those that were.
            let made: StateCounts =
                rows.iter().filter(|row| in_time(row)).map(|(_id, _at, state)| *state).collect();
            assert_eq!((totals.made.since, totals.made.counts), (since, made), "seed {seed}");
            let delivered = ids(&|row| in_time(row) && row.2 == State::Delivered);
            assert_eq!(listed(&ledger, &totals.delivered_filter()), delivered, "seed {seed}");
            assert_eq!(totals.made.counts.delivered, number(&delivered));

            // Gave up.
            let dead = ids(&|row| in_time(row) && row.2 == State::Dead);
            assert_eq!(listed(&ledger, &totals.dead_filter()), dead, "seed {seed}");
            assert_eq!((totals.dead.since, totals.dead.count), (since, number(&dead)));

            // Under way, of all times.
            let open = ids(&|row| !row.2.is_final());
            let states = OPEN.map(|state| DeliveryFilter { state: Some(state), ..DeliveryFilter::default() });
            let of_states: BTreeSet<String> =
                states.iter().flat_map(|filter| listed(&ledger, filter)).collect();
            assert_eq!(of_states, open, "seed {seed}");
            let oldest = rows.iter().filter(|row| !row.2.is_final()).map(|row| row.1).min();
            assert_eq!(
                (totals.open.count, totals.open.exact, totals.open.oldest_at),
                (number(&open), true, oldest),
                "seed {seed}"
            );

            // Down.
            let webhooks = |state: Option<WebhookState>| -> BTreeSet<String> {
                let filter = WebhookFilter { state, ..WebhookFilter::default() };
                let views = all(|cursor| ledger.list_webhooks(&filter, 2, cursor).unwrap());
                let is_down = |view: &WebhookView| {
                    view.health.status == HealthStatus::Failing
                        || (!view.enabled && view.disabled_reason.is_some())
                };
                views
                    .into_iter()
                    .filter(|view| state.is_some() || is_down(view))
                    .map(|view| view.name)
                    .collect()
            };
            let is_down = webhooks(None);
            assert_eq!(webhooks(Some(WebhookState::Down)), is_down, "seed {seed}");
            assert_eq!(totals.webhooks.down, number(&is_down));
            assert_eq!(totals.webhooks.all, ledger.detail().unwrap().counts.webhooks);

            seen.merge(&made);
            down += totals.webhooks.down;
        }
        late += store.run("SELECT 1 FROM delivery WHERE late = 1", &[]).unwrap().len();
    }
    // The histories are worth something.
    let StateCounts { pending, leased, waiting, delivered, dead, cancelled } = seen;
    let least = [pending, leased, waiting, delivered, dead, cancelled, down].into_iter().min();
    assert!(least > Some(5) && late > 0, "{seen:?}, {down} down, {late} late");
}

#[test]
fn each_bar_of_a_histogram_is_what_the_list_of_its_time_holds() {
    for seed in 0..10 {
        let random = &mut Random::new(seed);
        let (ledger, store, now) = grown(random);
        let rows = stored(&ledger, &store);
        let none = DeliveryFilter::default;
        let an_event = ledger.list_events(&postern_ledger::EventFilter::default(), 1, None).unwrap();
        for filter in [
            none(),
            DeliveryFilter { state: Some(State::Dead), ..none() },
            DeliveryFilter { state: Some(State::Waiting), ..none() },
            DeliveryFilter { webhook: Some(String::from("plain")), ..none() },
            DeliveryFilter { webhook: Some(String::from("nobody")), ..none() },
            DeliveryFilter { kind: Some(String::from("order.paid")), ..none() },
            DeliveryFilter { status: StatusFilter::parse("5xx"), attempts_min: Some(2), ..none() },
            DeliveryFilter { event: an_event.items.first().map(|event| event.id.clone()), ..none() },
        ] {
            let until = now.plus_ms(random.between(1, 100_000));
            let since = until.plus_ms(-random.between(1, 80_000_000));
            let of_time = DeliveryFilter { since: Some(since), until: Some(until), ..filter };
            let query = HistogramQuery { since, until, filter: of_time.clone() };
            let histogram = ledger.delivery_histogram(&query).unwrap();
            assert_eq!((histogram.exact, histogram.searched_to), (true, None));
            let ends = histogram.bins.iter().skip(1).map(|bin| bin.at).chain([until]);
            let mut sum = 0;
            for (bin, end) in histogram.bins.iter().zip(ends) {
                let of_bin = DeliveryFilter { since: Some(bin.at), until: Some(end), ..of_time.clone() };
                let ids = listed(&ledger, &of_bin);
                let counts: StateCounts =
                    rows.iter().filter(|row| ids.contains(&row.0)).map(|row| row.2).collect();
                assert_eq!(bin.counts, counts, "seed {seed}, {of_bin:?}");
                sum += bin.counts.all();
            }
            assert_eq!(sum, ledger.count_deliveries(&of_time).unwrap().count, "seed {seed}, {of_time:?}");
        }
    }
}

#[test]
fn where_there_are_too_many_the_total_says_from_when_on_it_counted() {
    use crate::support::build::create;
    use crate::support::history::add;

    let store = Native::new();
    let mut ledger = Ledger::create(Rc::clone(&store), &project(), 7, START).unwrap();
    let seq = create(&mut ledger, webhook("w", "*"));
    add(&store, seq, 20, "a", State::Dead);
    add(&store, seq, 100_500, "a", State::Delivered);
    ledger = add(&store, seq, 30, "a", State::Waiting);
    let (since, until) = (Timestamp::FIRST, Timestamp::LAST);
    let totals = ledger.totals(&TotalsQuery { since, until }).unwrap();
    let made = totals.made;
    assert!(made.since > since, "{totals:?}");
    // One row more was looked at: others of its time might follow it.
    assert_eq!((made.counts.all(), made.counts.waiting, made.counts.dead), (99_999, 30, 0));
    assert_eq!(ledger.count_deliveries(&totals.delivered_filter()).unwrap().count, made.counts.delivered);
    // What is rare has an index of its own, so it is counted whole.
    assert_eq!((totals.dead.since, totals.dead.count, totals.open.count), (since, 20, 30));
    let filter = DeliveryFilter { since: Some(since), until: Some(until), ..DeliveryFilter::default() };
    let histogram = ledger.delivery_histogram(&HistogramQuery { since, until, filter }).unwrap();
    assert_eq!((histogram.exact, histogram.searched_to), (false, Some(made.since)));
    assert_eq!(histogram.bins.iter().map(|bin| bin.counts.all()).sum::<u32>(), 99_999);
}
