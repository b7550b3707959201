//! `cargo xtask bench --only scale`: what a project's operations take as its history grows to a million
//! deliveries to 10,000 webhooks, on SQLite in memory.
//!
//! It shows that nothing grows with history; it does not show how fast a Durable Object is. That no statement
//! walks through a table that grows is a test of its own (`tests/query_plans.rs`, which asks SQLite for every
//! plan).
#![expect(clippy::print_stdout, reason = "a program that reports on its terminal")]
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads a clock; the ledger that it measures is handed the time"
)]

#[path = "../tests/support/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod support;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use postern_core::delivery::{Attempt, Outcome, ReceivedResponse, State};
use postern_core::id::Seq;
use postern_core::search::StatusFilter;
use postern_core::time::Timestamp;
use postern_ledger::{DeliveryFilter, InlineLimit, Ledger, LedgerError, Report, WebhookFilter};

use crate::support::build::{START, attempt, create, event, webhook};
use crate::support::native::Native;

/// Webhooks that make up the history, in groups: an event is for one group.
const WEBHOOKS: usize = 10_000;
const GROUP: usize = 100;
/// Deliveries of the project when it is measured.
const HISTORIES: [usize; 5] = [0, 1_000, 10_000, 100_000, 1_000_000];
/// Deliveries leased and reported at once while history is made.
const BATCH: u32 = 500;
/// How often each operation is measured.
const ROUNDS: usize = 200;
/// A page of a list.
const PAGE: u32 = 50;

/// One line of the table: an operation, and what it takes at each history.
struct Line {
    name: &'static str,
    cells: Vec<String>,
}

fn main() -> Result<(), LedgerError> {
    // `cargo test --benches` would call it, too; measuring is for `cargo bench`.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let store = Native::new();
    let mut project = Ledger::create(Rc::clone(&store), &support::build::project(), 7, START)?;
    for number in 0..WEBHOOKS {
        create(&mut project, webhook(&format!("w{number}"), &format!("group.g{}", number / GROUP)));
    }
    create(&mut project, webhook("single", "order.paid"));
    let mut now = START;
    publish(&mut project, now)?;
    let (mut made, mut events, mut middle) = (0, 0, None);
    let mut lines: Vec<Line> = Vec::new();
    let begun = Instant::now();
    for history in HISTORIES {
        while made < history {
            let kind = format!("group.g{}", events % (WEBHOOKS / GROUP));
            events += 1;
            let deliveries = project.ingest(vec![event(&kind)], InlineLimit(0), now)?.changed;
            made += deliveries.len();
            middle = if made <= history / 2 { deliveries.last().copied() } else { middle };
            now = now.plus_ms(7);
            finish(&mut project, now)?;
            store.take_touched();
        }
        measure(&mut project, &mut now, middle, &mut lines)?;
    }
    print_table(&lines);
    println!(
        "\n{made} deliveries of {events} events were made and measured in {:.0} s; median / p99 of {ROUNDS} each.",
        begun.elapsed().as_secs_f64()
    );
    println!(
        "A list of webhooks shows the latest 42 deliveries of each, a list of deliveries 50: both read more until there are so many."
    );
    println!(
        "A project that has gone quiet is opened (its webhooks read into memory) in {}.",
        opened(&store)?
    );
    Ok(())
}

/// Empties the outbox, as the alarm does.
fn publish(project: &mut Ledger<Rc<Native>>, now: Timestamp) -> Result<(), LedgerError> {
    loop {
        let entries = project.outbox_due(now, BATCH)?;
        if entries.is_empty() {
            return Ok(());
        }
        for entry in entries {
            project.outbox_done(entry.item, entry.version)?;
        }
    }
}

/// Leases, claims and reports everything that is due as delivered.
fn finish(project: &mut Ledger<Rc<Native>>, now: Timestamp) -> Result<(), LedgerError> {
    loop {
        let tickets = project.lease_due(now, BATCH)?.tickets;
        if tickets.is_empty() {
            return Ok(());
        }
        let works = project.claim(&tickets, now)?.works;
        let reports = works
            .iter()
            .map(|work| Report { delivery: work.delivery, attempt: answered(work.attempt, now) })
            .collect();
        project.report(reports, now.plus_ms(1))?;
    }
}

/// An attempt of an ordinary size.
fn answered(number: u32, now: Timestamp) -> Attempt {
    let header = |name: &str, value: &str| (String::from(name), String::from(value));
    let headers = vec![
        header("content-type", "application/json; charset=utf-8"),
        header("date", "Sat, 21 Nov 2026 14:07:31 GMT"),
        header("server", "nginx/1.27.3"),
        header("x-request-id", "0191d3f2-7c1e-7b52-9a44-0f2d6c1e8a11"),
    ];
    let response = ReceivedResponse {
        status: 200,
        headers,
        body: String::from("{\"received\":true}"),
        ..ReceivedResponse::default()
    };
    Attempt { response: Some(response), ..attempt(number, Outcome::Answered { status: 200 }, now) }
}

fn measure(
    project: &mut Ledger<Rc<Native>>,
    now: &mut Timestamp,
    middle: Option<Seq>,
    lines: &mut Vec<Line>,
) -> Result<(), LedgerError> {
    let (mut accepts, mut leases, mut reports, mut inline) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        *now = now.plus_ms(3);
        timed(&mut accepts, || project.ingest(vec![event("order.paid")], InlineLimit(0), *now))?;
        let tickets = timed(&mut leases, || project.lease_due(*now, BATCH))?.tickets;
        let works = project.claim(&tickets, *now)?.works;
        let report = works
            .iter()
            .map(|work| Report { delivery: work.delivery, attempt: answered(work.attempt, *now) })
            .collect();
        timed(&mut reports, || project.report(report, now.plus_ms(1)))?;
        *now = now.plus_ms(3);
        let works = timed(&mut inline, || project.ingest(vec![event("order.paid")], InlineLimit(6), *now))?
            .works
            .works;
        let report = works
            .iter()
            .map(|work| Report { delivery: work.delivery, attempt: answered(work.attempt, *now) })
            .collect();
        project.report(report, now.plus_ms(1))?;
        finish(project, *now)?;
    }
    note(lines, "accept an event", accepts);
    note(lines, "accept one inline", inline);
    note(lines, "lease what is due", leases);
    note(lines, "report an attempt", reports);
    lists(project, middle, lines)
}

fn lists(
    project: &Ledger<Rc<Native>>,
    middle: Option<Seq>,
    lines: &mut Vec<Line>,
) -> Result<(), LedgerError> {
    let of = |webhook: Option<&str>, state| DeliveryFilter {
        state,
        webhook: webhook.map(String::from),
        ..DeliveryFilter::default()
    };
    // A cursor is the id of the last that was shown.
    let middle = middle.map(|seq| project.ids().uuid(seq).to_string());
    let pages: [(&'static str, DeliveryFilter, Option<&str>); 5] = [
        ("deliveries, newest", of(None, None), None),
        ("deliveries, from the middle", of(None, None), middle.as_deref()),
        ("deliveries of one webhook", of(Some("w4711"), None), None),
        ("deliveries, delivered", of(None, Some(State::Delivered)), None),
        ("deliveries, dead (there is none)", of(None, Some(State::Dead)), None),
    ];
    for (name, filter, cursor) in pages {
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            timed(&mut times, || project.list_deliveries(&filter, PAGE, cursor))?;
        }
        note(lines, name, times);
    }
    searches(project, lines)?;
    let (mut events, mut webhooks, mut wakes) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        timed(&mut events, || project.list_events(&postern_ledger::EventFilter::default(), PAGE, None))?;
        timed(&mut webhooks, || project.list_webhooks(&WebhookFilter::default(), PAGE, None))?;
        timed(&mut wakes, || project.next_wake(START))?;
    }
    note(lines, "events, newest", events);
    note(lines, "webhooks, first page", webhooks);
    note(lines, "when to wake", wakes);
    Ok(())
}

/// What is searched for in the last hour of the project, and counted. Nothing has the label or the text: each
/// page looks at as many rows as it may.
fn searches(project: &Ledger<Rc<Native>>, lines: &mut Vec<Line>) -> Result<(), LedgerError> {
    let newest = project.list_deliveries(&DeliveryFilter::default(), 1, None)?;
    let since = newest.items.first().map(|delivery| delivery.created_at.plus_ms(-3_600_000));
    let of_hour = || DeliveryFilter { since, ..DeliveryFilter::default() };
    let label = BTreeMap::from([(String::from("customer"), String::from("acme"))]);
    let piece = Some(String::from("acme-9"));
    let wanted: [(&'static str, &'static str, DeliveryFilter); 4] = [
        ("last hour, all", "count of it", of_hour()),
        ("last hour, by label", "count by label", DeliveryFilter { labels: label, ..of_hour() }),
        ("last hour, by text", "count by text", DeliveryFilter { piece, ..of_hour() }),
        (
            "last hour, answered 5xx",
            "count of 5xx",
            DeliveryFilter { status: StatusFilter::parse("5xx"), ..of_hour() },
        ),
    ];
    for (name, counted, filter) in wanted {
        let (mut pages, mut counts) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            timed(&mut pages, || project.list_deliveries(&filter, PAGE, None))?;
            timed(&mut counts, || project.count_deliveries(&filter))?;
        }
        note(lines, name, pages);
        note(lines, counted, counts);
    }
    Ok(())
}

/// How long it takes to open the ledger anew.
fn opened(store: &Rc<Native>) -> Result<String, LedgerError> {
    let mut times = Vec::new();
    for _ in 0..5 {
        timed(&mut times, || Ledger::open(Rc::clone(store)))?;
    }
    times.sort_unstable();
    Ok(format!("{:.0} ms", times[times.len() / 2].as_secs_f64() * 1_000.0))
}

fn timed<T>(
    times: &mut Vec<Duration>,
    work: impl FnOnce() -> Result<T, LedgerError>,
) -> Result<T, LedgerError> {
    let begun = Instant::now();
    let done = work();
    times.push(begun.elapsed());
    done
}

fn note(lines: &mut Vec<Line>, name: &'static str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let us = |percent: usize| times[(times.len() * percent).div_ceil(100).max(1) - 1].as_secs_f64() * 1e6;
    let cell = format!("{:.0} / {:.0} µs", us(50), us(99));
    match lines.iter_mut().find(|line| line.name == name) {
        Some(line) => line.cells.push(cell),
        None => lines.push(Line { name, cells: vec![cell] }),
    }
}

fn print_table(lines: &[Line]) {
    print!("{:<34}", "deliveries in the project");
    for history in HISTORIES {
        print!(" {history:>18}");
    }
    println!();
    for line in lines {
        print!("{:<34}", line.name);
        for cell in &line.cells {
            print!(" {cell:>18}");
        }
        println!();
    }
}
