//! The doors that read: each in a project with a long history, whose searches look at as many rows as they
//! may.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use postern_core::delivery::State;
use postern_core::event::{NewEvent, ObjectRef};
use postern_core::facade::ubiops;
use postern_core::filter::EventPattern;
use postern_core::query::{HistogramQuery, StatsQuery, TotalsQuery};
use postern_core::replay::ReplayQuery;
use postern_core::search::{ObjectFilter, StatusFilter};
use postern_core::time::Timestamp;
use postern_core::webhook::{Contract, Definition};
use postern_ledger::{DeliveryFilter, EventFilter, InlineLimit, Ledger, Sql as _, WebhookFilter};

use super::{Project, Request};
use crate::random::Random;
use crate::support::build::{START, create, json, webhook};
use crate::support::native::Native;

/// Deliveries of the history: twice as many as a count looks at.
const DELIVERIES: usize = 200_000;
/// Webhooks that each event is for.
const WEBHOOKS: usize = 10;
/// Webhooks of a project that is full of them.
const MANY_WEBHOOKS: usize = 10_000;
/// Bytes of an event's data: so many that a search for a text meets its limit of bytes and rows at once.
const DATA_BYTES: usize = 400;
/// Events that are stored at once.
const BATCH: usize = 100;

type Shared = Rc<RefCell<Project>>;

thread_local! {
    /// Made once: reading changes nothing in it.
    static HISTORY: OnceCell<Shared> = const { OnceCell::new() };
    static GIVEN_UP: OnceCell<Shared> = const { OnceCell::new() };
    static FULL: OnceCell<Shared> = const { OnceCell::new() };
}

fn history() -> Shared {
    HISTORY.with(|cell| Rc::clone(cell.get_or_init(|| Rc::new(RefCell::new(long_history(&Native::new()))))))
}

/// A history of which half was given up, and half is still open.
fn given_up() -> Shared {
    let make = || {
        let store = Native::new();
        let project = long_history(&store);
        let half = "UPDATE delivery SET state = 'dead', next_at_ms = NULL WHERE seq % 2 = 0";
        store.run(half, &[]).expect("half of them");
        Rc::new(RefCell::new(project))
    };
    GIVEN_UP.with(|cell| Rc::clone(cell.get_or_init(make)))
}

fn full() -> Shared {
    FULL.with(|cell| Rc::clone(cell.get_or_init(|| Rc::new(RefCell::new(full_of_webhooks())))))
}

fn project() -> Project {
    Ledger::create(Native::new(), &crate::support::build::project(), 7, START).expect("a project")
}

/// Labels that an event or a query has at most.
const LABELS_MAX: usize = 32;

fn labels(count: usize) -> BTreeMap<String, String> {
    (0..count).map(|number| (format!("label{number}"), format!("value {number}"))).collect()
}

fn long_history(store: &Rc<Native>) -> Project {
    let mut project =
        Ledger::create(Rc::clone(store), &crate::support::build::project(), 7, START).expect("a project");
    for number in 0..WEBHOOKS {
        create(&mut project, webhook(&format!("w{number}"), "*"));
    }
    let data = format!("{:?}", "x".repeat(DATA_BYTES));
    let (mut made, mut now) = (0, START);
    while made < DELIVERIES {
        let events = (0..BATCH).map(|number| NewEvent {
            labels: labels(LABELS_MAX),
            object: Some(ObjectRef {
                kind: String::from("invoice"),
                name: number.to_string(),
                version: None,
            }),
            ..NewEvent::new(format!("order.t{}", number % 50), json(&data))
        });
        let taken = project.ingest(events.collect(), InlineLimit(0), now).expect("a batch");
        made += taken.changed.len();
        now = now.plus_ms(40);
    }
    project
}

fn full_of_webhooks() -> Project {
    let mut project = project();
    for number in 0..MANY_WEBHOOKS {
        // Its event labels look like its labels to whoever searches the text of its definition.
        create(
            &mut project,
            Definition {
                contract: Contract::Ubiops,
                event_labels: labels(8),
                labels: [(String::from("label0"), String::from("other"))].into(),
                ..webhook(&format!("w{number}"), "deployment_request_completed")
            },
        );
    }
    project
}

fn some<T>(random: &mut Random, value: T) -> Option<T> {
    (random.below(3) == 0).then_some(value)
}

/// A search that finds nothing, or little, and so looks at all that it may.
fn filter(random: &mut Random) -> DeliveryFilter {
    DeliveryFilter {
        state: some(random, State::Dead),
        webhook: some(random, String::from("w0")),
        kind: some(random, String::from("order.t49")),
        status: some(random, StatusFilter::parse("5xx").expect("a status")),
        attempts_min: some(random, 3),
        since: some(random, START),
        labels: if random.below(2) == 0 { labels(LABELS_MAX) } else { BTreeMap::new() },
        piece: some(random, String::from("xxxxxxxxy")),
        object: some(random, ObjectFilter::parse("invoice/none").expect("an object")),
        ..DeliveryFilter::default()
    }
}

fn words(filter: &DeliveryFilter) -> String {
    serde_json::to_string(filter).unwrap_or_default()
}

pub(super) fn deliveries(random: &mut Random) -> Request {
    let (project, filter) = (history(), filter(random));
    Request::new(words(&filter), move || {
        drop(std::hint::black_box(project.borrow().list_deliveries(&filter, 200, None)));
    })
}

pub(super) fn count(random: &mut Random) -> Request {
    let (project, filter) = (history(), filter(random));
    Request::new(words(&filter), move || {
        drop(std::hint::black_box(project.borrow().count_deliveries(&filter)));
    })
}

pub(super) fn histogram(random: &mut Random) -> Request {
    let project = if random.below(2) == 0 { history() } else { given_up() };
    let filter = filter(random);
    let (since, until) = (filter.since.unwrap_or(Timestamp(0)), START.plus_ms(3_600_000));
    let filter = DeliveryFilter { since: Some(since), until: Some(until), ..filter };
    let query = HistogramQuery { since, until, filter };
    Request::new(words(&query.filter), move || {
        drop(std::hint::black_box(project.borrow().delivery_histogram(&query)));
    })
}

pub(super) fn totals(random: &mut Random) -> Request {
    let since = *random.pick(&[Timestamp(0), START, START.plus_ms(1_000)]).expect("a time");
    let project = if random.below(2) == 0 { history() } else { given_up() };
    let query = TotalsQuery { since, until: START.plus_ms(3_600_000) };
    Request::new(since.to_rfc3339(), move || {
        drop(std::hint::black_box(project.borrow().totals(&query)));
    })
}

pub(super) fn events(random: &mut Random) -> Request {
    let (project, filter) = (history(), filter(random));
    let filter = EventFilter {
        kind: filter.kind,
        labels: filter.labels,
        piece: filter.piece,
        object: filter.object,
        ..EventFilter::default()
    };
    Request::new(serde_json::to_string(&filter).unwrap_or_default(), move || {
        drop(std::hint::black_box(project.borrow().list_events(&filter, 200, None)));
    })
}

pub(super) fn stats(random: &mut Random) -> Request {
    let text = *random.pick(&["", "type=order.t1", "webhook=w1", "bucket=day"]).expect("a query");
    let (project, query) = (history(), StatsQuery::parse(text, START.plus_ms(3_600_000)).expect("a query"));
    Request::new(text, move || drop(std::hint::black_box(project.borrow().stats(&query))))
}

pub(super) fn replay_count(random: &mut Random) -> Request {
    let project = history();
    let query = ReplayQuery {
        webhook: some(random, String::from("w0")),
        since: None,
        until: None,
        states: State::ALL.to_vec(),
        types: if random.below(2) == 0 {
            vec![]
        } else {
            vec![EventPattern::parse("order.*").expect("a pattern")]
        },
        missing: false,
    };
    Request::new(serde_json::to_string(&query).unwrap_or_default(), move || {
        drop(std::hint::black_box(project.borrow().count_replay(query, START.plus_ms(86_400_000))));
    })
}

pub(super) fn webhooks(random: &mut Random) -> Request {
    let count = *random.pick(&[0usize, 1, 8]).expect("a count");
    let filter = WebhookFilter { labels: labels(count).into_iter().collect(), ..WebhookFilter::default() };
    let project = full();
    Request::new(format!("{count} labels, 10,000 webhooks"), move || {
        drop(std::hint::black_box(project.borrow().list_webhooks(&filter, 200, None)));
    })
}

pub(super) fn ubiops_list(random: &mut Random) -> Request {
    let text = random
        .pick(&["labels=label0:other,", "labels=label0:x,", "labels=,:,"])
        .map(|part| format!("{}{}", &part[..7], part[7..].repeat(60)))
        .expect("a query");
    let project = full();
    let filter = ubiops::ListFilter::parse(text.trim_end_matches(','));
    Request::new(format!("{} bytes of labels, 10,000 webhooks", text.len()), move || {
        let Ok(filter) = filter else { return };
        let asked =
            WebhookFilter { labels: filter.only_label().into_iter().collect(), ..WebhookFilter::default() };
        let mut cursor = None;
        loop {
            let page = project.borrow().list_webhooks(&asked, 200, cursor.as_deref()).expect("a page");
            std::hint::black_box(page.items.iter().filter(|view| filter.matches(view)).count());
            cursor = page.next;
            if cursor.is_none() {
                return;
            }
        }
    })
}
