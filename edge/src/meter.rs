//! What the platform bills, counted where it is used, and shown by `GET /metrics` (for `ADMIN_TOKEN`).
//!
//! Rows are SQLite's own counts (`rowsRead`, `rowsWritten` of each cursor), everything else is counted at its one place of
//! use. A counter belongs to its isolate and begins at 0 with it: at the edge there are many, here there is one, which is
//! what `cargo xtask bench --only cost` needs. No decision depends on them.

use std::cell::Cell;
use std::fmt::Write as _;

/// Something that is billed (PLATFORM 2.6).
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
}

/// Counts `by` more of `what`.
pub(crate) fn count(what: Billed, by: u64) {
    COUNTS.with(|counts| {
        if let Some(counter) = counts.get(what as usize) {
            counter.set(counter.get().saturating_add(by));
        }
    });
}

/// The counters as Prometheus reads them: a line `postern_NAME_total VALUE` each.
pub(crate) fn exposition() -> String {
    let mut text = String::new();
    COUNTS.with(|counts| {
        for (what, counter) in Billed::ALL.into_iter().zip(counts) {
            let name = what.name();
            // Writing to a string does not fail.
            let _infallible = write!(text, "# TYPE postern_{name} counter\npostern_{name}_total {}\n", counter.get());
        }
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_counter_and_a_line_of_its_own() {
        for (index, what) in Billed::ALL.into_iter().enumerate() {
            assert_eq!(what as usize, index);
            count(what, index as u64 + 1);
        }
        count(Billed::RowsRead, 9);
        let text = exposition();
        assert!(text.contains("postern_rows_read_total 10\n") && text.contains("postern_worker_requests_total 7\n"), "{text}");
        assert_eq!(text.lines().count(), 2 * Billed::ALL.len());
    }
}
