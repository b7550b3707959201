//! What the platform bills, counted where it is used, and shown by `GET /metrics` (for `ADMIN_TOKEN`).
//!
//! Rows are SQLite's own counts (`rowsRead`, `rowsWritten` of each cursor), everything else is counted at its
//! one place of use. Beside it stand the events that this isolate accepted and the attempts that it made. A
//! counter belongs to its isolate and starts at 0 with it: at the edge there are many, here there is one,
//! which is what `cargo xtask bench --only cost` needs. No decision depends on them.

use std::cell::{Cell, RefCell};

use postern_core::delivery::Outcome;
use postern_core::metrics::{Counters, Exposition};
use postern_core::webhook::Contract;

/// Something that is billed (docs/platform.md 2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Billed {
    /// A row that SQLite read.
    RowsRead,
    /// A row or an index entry that SQLite wrote, or a setting of the alarm.
    RowsWritten,
    /// A read of KV.
    KvReads,
    /// A write, a deletion or a list of KV.
    KvWrites,
    /// A message written to, read from or deleted from a queue.
    QueueOperations,
    /// A call or an alarm of a project object.
    ObjectRequests,
    /// An invocation of the Worker: a request, a batch of a queue, a cron.
    WorkerRequests,
}

impl Billed {
    const ALL: [Self; 7] = [
        Self::RowsRead,
        Self::RowsWritten,
        Self::KvReads,
        Self::KvWrites,
        Self::QueueOperations,
        Self::ObjectRequests,
        Self::WorkerRequests,
    ];

    const fn help(self) -> &'static str {
        match self {
            Self::RowsRead => "Rows that SQLite read, in this isolate since it started.",
            Self::RowsWritten => {
                "Rows and index entries that SQLite wrote, and settings of alarms, in this isolate since it \
                 started."
            }
            Self::KvReads => "Reads of KV, by this isolate since it started.",
            Self::KvWrites => "Writes, deletions and lists of KV, by this isolate since it started.",
            Self::QueueOperations => {
                "Messages written to, read from or deleted from a queue, by this isolate since it started."
            }
            Self::ObjectRequests => "Calls and alarms of project objects, by this isolate since it started.",
            Self::WorkerRequests => {
                "Requests, batches and cron triggers of the Worker, in this isolate since it started."
            }
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::RowsRead => "rows_read",
            Self::RowsWritten => "rows_written",
            Self::KvReads => "kv_reads",
            Self::KvWrites => "kv_writes",
            Self::QueueOperations => "queue_operations",
            Self::ObjectRequests => "object_requests",
            Self::WorkerRequests => "worker_requests",
        }
    }
}

thread_local! {
    static COUNTS: [Cell<u64>; Billed::ALL.len()] = const { [const { Cell::new(0) }; Billed::ALL.len()] };
    static COUNTERS: RefCell<Counters> = const { RefCell::new(Counters::ZERO) };
}

/// Counts `by` more of `what`.
pub(crate) fn count(what: Billed, by: u64) {
    COUNTS.with(|counts| {
        if let Some(counter) = counts.get(what as usize) {
            counter.set(counter.get().saturating_add(by));
        }
    });
}

/// Counts events that were accepted.
pub(crate) fn accepted(events: u64) {
    change(|counters| counters.accepted = counters.accepted.saturating_add(events));
}

/// Counts an attempt.
pub(crate) fn attempted(contract: Contract, outcome: &Outcome, duration_ms: u32) {
    change(|counters| counters.add(contract, outcome, duration_ms));
}

fn change(by: impl FnOnce(&mut Counters)) {
    COUNTERS.with(|counters| {
        if let Ok(mut counters) = counters.try_borrow_mut() {
            by(&mut counters);
        }
    });
}

/// Writes what this isolate has counted.
pub(crate) fn expose(exposition: &mut Exposition) {
    COUNTS.with(|counts| {
        for (what, counter) in Billed::ALL.into_iter().zip(counts) {
            exposition.counter(
                &format!("postern_{}", what.name()),
                what.help(),
                [(String::new(), counter.get())],
            );
        }
    });
    let counters =
        COUNTERS.with(|counters| counters.try_borrow().map_or(Counters::ZERO, |counters| counters.clone()));
    exposition.counters("postern", "in this isolate since it started", [(String::new(), &counters)]);
}

#[cfg(test)]
mod tests {
    use postern_core::metrics::Form;

    use super::*;

    #[test]
    fn each_kind_has_a_counter_and_a_line_of_its_own() {
        for (index, what) in Billed::ALL.into_iter().enumerate() {
            assert_eq!(what as usize, index);
            count(what, index as u64 + 1);
        }
        count(Billed::RowsRead, 9);
        accepted(3);
        attempted(Contract::Standard, &Outcome::Answered { status: 503 }, 40);
        let mut exposition = Exposition::new(Form::Text);
        expose(&mut exposition);
        let text = exposition.finish();
        assert!(
            text.contains("\npostern_rows_read_total 10\n")
                && text.contains("\npostern_worker_requests_total 7\n"),
            "{text}"
        );
        assert!(
            text.contains("\npostern_events_accepted_total 3\n")
                && text.contains("\npostern_attempts_total{outcome=\"5xx\"} 1\n"),
            "{text}"
        );
        let count = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
        assert_eq!((count("# HELP "), count("# TYPE ")), (Billed::ALL.len() + 4, Billed::ALL.len() + 4));
    }
}
