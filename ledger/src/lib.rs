//! The state machine of one Postern project over SQL: ingest, lease, claim, report, resend, lists, and what
//! to publish.
//!
//! In scope: every rule about what is stored and in which order, so that nothing accepted is lost and nothing
//! is sent twice without need. A [`Ledger`] is the only writer of its database. Out of scope: HTTP, clocks
//! and randomness (times and keys are arguments), queues and KV (the ledger says what to send and what to
//! publish; `edge` does it).
//!
//! The life of a delivery:
//!
//! ```text
//! ingest ─▶ pending ──lease_due──▶ leased ──claim──▶ leased, claimed ──report──▶ delivered | waiting | dead
//!              ▲                     │ lease ends          │ lease ends                        │
//!              │                     ▼                     ▼                                   │
//!              │             same number again    recorded as lost, next number                │
//!              └────────────── due again: lease_due ◀──────────────────────────────────────────┘
//! ```
//!
//! What is due may have to wait all the same: for its webhook (disabled, paused, failing, throttled, at a
//! limit) or for an older delivery with its order key. It leaves the index of due work then (`memory::gate`),
//! and `lease_due` takes it up again when its turn comes. First attempts of well-behaved webhooks skip all of
//! this: `ingest` leases them to its caller.
//!
//! Each operation that writes more than one row does so in one transaction; what is kept in memory (the
//! roster of webhooks, their gates, the tokens, the last key) is changed after the commit and rebuilt by
//! [`Ledger::open`].
//!
//! Three floors: `row` (one file a table: types, readers, writers), `memory` (what is kept of it), and above
//! both the operations, a file a subject, as methods of [`Ledger`]. `cargo xtask tidy` checks that the lower
//! two import no operation.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable
    )
)]

// The tests' support module is shared with the simulation, where this crate has its outside name.
#[cfg(test)]
extern crate self as postern_ledger;

mod ageing;
mod audit;
mod claim_bytes;
mod config;
mod decisions;
mod deliveries;
mod dry_run;
mod effects;
mod error;
mod event_types;
mod events;
mod export;
mod giving_back;
mod holds;
mod idempotency;
mod inboxes;
mod ingest;
mod lease;
mod live_tickets;
mod memory;
mod metrics;
mod operational;
mod outbox;
mod pages;
mod project;
mod quotas;
mod removal;
mod replay;
mod report;
mod resealing;
mod retention;
mod row;
mod runs;
mod schema;
mod search;
mod settings;
mod sql;
mod stats;
#[cfg(test)]
#[path = "../tests/support/mod.rs"]
#[expect(dead_code, reason = "the simulation uses the rest")]
mod support;
mod timeline;
mod tokens;
mod totals;
mod trials;
mod webhooks;
mod work;

pub use audit::AuditFilter;
pub use config::ConfigStep;
pub use dry_run::{DryRun, DryRunOf};
pub use error::LedgerError;
pub use export::{ExportFilter, Exported};
pub use giving_back::{GivenBack, Why};
pub use idempotency::KEY_HOURS;
pub use inboxes::{InboxAddress, InboxChange};
pub use ingest::{Ingested, InlineLimit};
pub use lease::Leased;
pub use live_tickets::TicketHolder;
pub use memory::acting::Acting;
pub use memory::roster::LEASE_SLACK_MS;
pub use outbox::{OutboxEntry, OutboxItem};
pub use postern_core::search::{DeliveryFilter, EventFilter};
pub use project::Ledger;
pub use removal::{leftovers, leftovers_removed};
pub use replay::Replayed;
pub use report::Reported;
pub use retention::{STATS_DAYS, TESTS_DAYS};
pub use row::leftover::Leftover;
pub use row::webhook::StoredWebhook;
pub use runs::{Claimed, DueRuns, RunCall, RunTurn};
pub use sql::{Row, Sql, SqlError, Value};
pub use tokens::Verified;
pub use trials::{DueTests, TestDraft, TestWork};
pub use webhooks::WebhookFilter;
pub use work::{Lane, LeaseTicket, Report, Work, WorkEvent, WorkSet};
