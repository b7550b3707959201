//! One run: a fresh project, a schedule, publishers that keep to it, a receiver that books what arrives.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use postern_core::api::event::EventView;
use postern_core::api::page::Page;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::account::{Account, Closed, percentile_ms};
use super::options::Options;
use crate::client::Project;
use crate::sink::Behaviour;
use crate::sink::http::{Received, Server};
use crate::stack::Stack;
use crate::wait::until;

/// Events before the clock starts: the Worker is loaded, connections are open.
const WARM_UP: usize = 40;
/// The wait for callbacks ends when none came for so long: longer than a lost first attempt's lease.
const SILENCE: Duration = Duration::from_mins(1);
/// A schedule that the publisher itself missed by more (p99) measured the publisher.
const LAG_MS_MAX: f64 = 20.0;

/// A finished run.
#[derive(Debug)]
pub struct Run {
    /// Events a second that were offered.
    pub rate: u32,
    /// Callbacks that each event makes.
    pub fanout: u32,
    /// The closed account.
    pub account: Closed,
    /// Callbacks a second that arrived while events were published.
    pub callbacks_per_s: f64,
    /// CPU time of the stack for each callback that arrived, in milliseconds: what is left to compare where other work on
    /// the machine blurs the latencies.
    pub cpu_ms_per_callback: f64,
    /// How late the publisher sent, p99, in milliseconds.
    pub lag_p99_ms: f64,
}

impl Run {
    /// Whether everything offered was accepted and delivered while it was offered (but for 5 %), and the last quarter
    /// waited no longer than the first (twice as long and 20 ms are allowed for).
    #[must_use]
    pub fn kept_up(&self) -> bool {
        let medians = (percentile_ms(&self.account.quarters_ns.0, 50), percentile_ms(&self.account.quarters_ns.1, 50));
        let steady = matches!(medians, (Some(first), Some(last)) if last <= 2.0 * first + 20.0);
        let in_time = self.callbacks_per_s >= 0.95 * f64::from(self.rate) * f64::from(self.fanout);
        self.account.void.is_empty() && self.account.refused == 0 && steady && in_time && !self.publisher_was_late()
    }

    /// Whether the figures are the publisher's and not the system's.
    #[must_use]
    pub fn publisher_was_late(&self) -> bool {
        self.lag_p99_ms > LAG_MS_MAX
    }
}

/// What a callback of the benchmark carries.
#[derive(Deserialize)]
struct Body {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    run: String,
    n: usize,
}

struct Shared {
    account: Mutex<Option<Account>>,
    clock: Instant,
    run: String,
}

impl Shared {
    fn now_ns(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn account(&self) -> MutexGuard<'_, Option<Account>> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn book(&self, received: &Received, warm_up: &Mutex<BTreeSet<usize>>) {
        let at_ns = u64::try_from(received.at.saturating_duration_since(self.clock).as_nanos()).unwrap_or(u64::MAX);
        let body: Option<Body> = serde_json::from_slice(&received.body).ok();
        let webhook = received.path().strip_prefix("/hook/").and_then(|number| number.parse().ok());
        let message = received.header("webhook-id").unwrap_or_default();
        match body {
            Some(Body { data }) if data.run == format!("{}-warm", self.run) => {
                warm_up.lock().unwrap_or_else(PoisonError::into_inner).insert(data.n);
            }
            body => {
                let number = body.filter(|body| body.data.run == self.run).map(|body| body.data.n);
                if let Some(account) = self.account().as_mut() {
                    account.arrived(number, webhook, message, at_ns);
                }
            }
        }
    }
}

/// Publishes at `rate` and accounts for everything.
pub async fn measure(stack: &Stack, rate: u32, options: &Options) -> Run {
    let project = stack.project("bench").await;
    let shared = Arc::new(Shared { account: Mutex::new(None), clock: Instant::now(), run: project.name.clone() });
    let warmed = Arc::new(Mutex::new(BTreeSet::new()));
    let server = {
        let (shared, warmed) = (Arc::clone(&shared), Arc::clone(&warmed));
        Server::start(move |received| {
            shared.book(&received, &warmed);
            Behaviour::status(200)
        })
        .await
    };
    for webhook in 0..options.fanout {
        project.listen(&format!("w{webhook}"), &format!("{}/hook/{webhook}", server.base()), &json!({})).await;
    }
    let pad = "x".repeat(options.body_bytes.saturating_sub(80));
    let warm_ids = warm_up(&project, &shared.run, &pad).await;
    until("the warm-up events arrive", SILENCE, async || warmed.lock().unwrap_or_else(PoisonError::into_inner).len() == WARM_UP).await;

    let count = usize::try_from(u64::from(rate) * options.duration.as_secs()).expect("a count of events");
    let gap_ns = 1_000_000_000 / u64::from(rate);
    let start_ns = shared.now_ns() + 200_000_000;
    let due_ns: Vec<u64> = (0..count as u64).map(|number| start_ns + number * gap_ns).collect();
    *shared.account() = Some(Account::new(due_ns.clone(), options.fanout));
    let cpu_before = stack.cpu();
    let mut lags_ns = publish(&project, &shared, &due_ns, &pad).await;
    let end_ns = due_ns.last().map_or(start_ns, |last| last + gap_ns);
    settle(&shared).await;
    let cpu = stack.cpu().saturating_sub(cpu_before);

    let mut stored = stored_ids(&project).await;
    stored.retain(|id| !warm_ids.contains(id));
    let account = shared.account().take().expect("the account is open until here").close(&stored);
    lags_ns.sort_unstable();
    let inside = account.arrived_at_ns.iter().filter(|at_ns| **at_ns <= end_ns).count();
    let cpu_ms_per_callback = cpu.as_secs_f64() * 1000.0 / f64::from(u32::try_from(account.arrived.max(1)).unwrap_or(u32::MAX));
    let callbacks_per_s = f64::from(u32::try_from(inside).unwrap_or(u32::MAX)) / options.duration.as_secs_f64();
    let fanout = u32::try_from(options.fanout).unwrap_or(u32::MAX);
    Run { rate, fanout, cpu_ms_per_callback, callbacks_per_s, lag_p99_ms: percentile_ms(&lags_ns, 99).unwrap_or_default(), account }
}

async fn warm_up(project: &Project, run: &str, pad: &str) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for number in 0..WARM_UP {
        ids.insert(project.event("order.paid", json!({ "run": format!("{run}-warm"), "n": number, "pad": pad })).await.id);
    }
    ids
}

/// Posts every event at its time and waits for the last answer; returns how late each was sent.
async fn publish(project: &Project, shared: &Arc<Shared>, due_ns: &[u64], pad: &str) -> Vec<u64> {
    let (path, mut lags_ns, mut posts) = (project.path("events"), Vec::with_capacity(due_ns.len()), Vec::with_capacity(due_ns.len()));
    for (number, due) in due_ns.iter().enumerate() {
        let body = json!({ "type": "order.paid", "data": { "run": shared.run, "n": number, "pad": pad } }).to_string();
        tokio::time::sleep_until((shared.clock + Duration::from_nanos(*due)).into()).await;
        lags_ns.push(shared.now_ns().saturating_sub(*due));
        let (api, path, shared) = (project.api.clone(), path.clone(), Arc::clone(shared));
        posts.push(tokio::spawn(async move {
            let answer = api.try_send(Method::POST, &path, &[("content-type", "application/json")], body).await;
            let at_ns = shared.now_ns();
            let mut account = shared.account();
            let account = account.as_mut().expect("the account is open while events are posted");
            match answer {
                Ok(reply) if reply.status == 202 => {
                    account.accepted(number, at_ns, String::from(reply.json()["id"].as_str().unwrap_or_default()));
                }
                Ok(reply) => account.refused(number, format!("{} {}", reply.status, reply.body)),
                Err(fault) => account.refused(number, fault.to_string()),
            }
        }));
    }
    for post in posts {
        post.await.expect("a post is booked");
    }
    lags_ns
}

/// Waits until all expected callbacks came, or none comes any more.
async fn settle(shared: &Shared) {
    let (mut seen, mut changed) = (0, Instant::now());
    loop {
        let (arrived, expected) = shared.account().as_ref().map_or((0, 0), |account| (account.arrived_pairs(), account.expected_pairs()));
        if arrived != seen {
            (seen, changed) = (arrived, Instant::now());
        }
        if arrived >= expected || changed.elapsed() > SILENCE {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The ids of all events that the project holds.
async fn stored_ids(project: &Project) -> BTreeSet<String> {
    let (mut ids, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let page: Page<EventView> = project.get(&format!("events?limit=200{cursor}")).await.expect(200).read();
        ids.extend(page.items.into_iter().map(|event| event.id));
        match page.next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}
