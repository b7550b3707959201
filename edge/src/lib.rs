//! The Worker: what stands between HTTP, queues, alarms and the network on one side, and `core` and `ledger`
//! on the other.
//!
//! In scope: connecting. `http` and `facade` read requests and write answers, `project_do` holds a project's
//! ledger and its clock, `dispatch` turns works into calls, `sender` makes them. Out of scope: rules
//! (`core`), what is stored and in which order (`ledger`), pixels (`app`).
//!
//! This file holds the entry points only. Each gives `Ok` whatever happens: an `Err` becomes a bare 500 or,
//! from a queue, a panic (docs/platform.md 1.9, trap 7), and a panic takes every request of the isolate with
//! it (trap 6). That is also why nothing in this crate may panic: see the lints below.

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

mod body;
mod caller;
mod clock;
mod config;
mod consumer;
mod cron;
mod definition_kv;
mod definitions;
mod dispatch;
mod facade;
mod http;
mod log;
mod meter;
mod presence;
mod project_do;
mod queue;
mod router;
mod seal;
mod sender;
mod session;
mod url;

pub use project_do::Project;

use worker::{Context, Env, MessageBatch, ScheduleContext, ScheduledEvent, event};

use crate::log::RequestId;
use crate::meter::Billed;

fn new_id() -> RequestId {
    RequestId::new(clock::random().unwrap_or_default())
}

/// Runs once per isolate.
#[event(start)]
fn start() {
    log::panics();
    clock::wake_by_promise();
}

/// Every HTTP request.
#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, context: Context) -> worker::Result<web_sys::Response> {
    meter::count(Billed::WorkerRequests, 1);
    Ok(router::handle(request, &env, &context, new_id()).await)
}

/// Every batch of every queue.
#[event(queue)]
async fn queue(batch: MessageBatch<()>, env: Env, context: Context) -> worker::Result<()> {
    meter::count(Billed::WorkerRequests, 1);
    consumer::consume(&batch, &env, &context, &new_id()).await;
    Ok(())
}

/// Once a minute.
#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    meter::count(Billed::WorkerRequests, 1);
    cron::tick(&env, &new_id()).await;
}
