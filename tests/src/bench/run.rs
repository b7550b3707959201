//! One run: a fresh project, a schedule, publishers that keep to it, a receiver that books what arrives.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use postern_core::api::event::EventView;
use postern_core::api::page::Page;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::account::{Account, Closed, Targets, percentile_ms};
use crate::client::Project;
use crate::sink::Behaviour;
use crate::sink::http::{Received, Server};
use crate::stack::Stack;
use crate::wait::until;

/// Callbacks before the clock starts, about: the Worker is loaded, connections are open.
const WARM_UP_CALLBACKS: usize = 400;
/// Events for them, at most.
const WARM_UP_EVENTS_MAX: usize = 40;
/// The wait for callbacks ends after so long without one: longer than a lost first attempt's lease, and than
/// the pause between two probes of a webhook that failed.
const SILENCE: Duration = Duration::from_mins(2);
/// A schedule that the publisher itself missed by more (p99) measured the publisher.
const LAG_MS_MAX: f64 = 20.0;
/// Calls of the API at once, where their speed is not what is measured.
const SETTING_UP: usize = 16;

/// What a run does.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Events a second.
    pub rate: u32,
    /// How long it publishes.
    pub duration: Duration,
    /// Webhooks of the project.
    pub webhooks: usize,
    /// Whether each event is for one webhook, in turn, instead of for all.
    pub in_turn: bool,
    /// Events of one call: 1 is `POST events`, more `POST events/batch`.
    pub batch: usize,
    /// Bytes of an event, about.
    pub body_bytes: usize,
    /// This webhook never answers and has the longest timeout; nothing is expected of it.
    pub hanging: Option<usize>,
    /// This webhook is not looked at, so that a run without a hanging one compares with a run with it.
    pub except: Option<usize>,
    /// The receiver is away from the first to the second time after the start.
    pub outage: Option<(Duration, Duration)>,
    /// Seconds before each further attempt; the default schedule if absent.
    pub retry_schedule_s: Option<Vec<u32>>,
}

impl Plan {
    /// `rate` events a second to `webhooks` webhooks, nothing special.
    #[must_use]
    pub const fn new(rate: u32, webhooks: usize, duration: Duration, body_bytes: usize) -> Self {
        Self {
            rate,
            duration,
            webhooks,
            in_turn: false,
            batch: 1,
            body_bytes,
            hanging: None,
            except: None,
            outage: None,
            retry_schedule_s: None,
        }
    }

    /// Callbacks that each event makes.
    #[must_use]
    pub const fn fanout(&self) -> usize {
        if self.in_turn { 1 } else { self.webhooks }
    }

    fn targets(&self) -> Targets {
        if self.in_turn {
            Targets::InTurn { of: self.webhooks, except: self.hanging.or(self.except) }
        } else {
            Targets::All(self.webhooks)
        }
    }

    /// The type of event `number`.
    fn kind(&self, number: usize) -> String {
        if self.in_turn { format!("order.w{}", number % self.webhooks) } else { String::from("order.paid") }
    }
}

/// A finished run.
#[derive(Debug)]
pub struct Run {
    /// What it did.
    pub plan: Plan,
    /// The closed account.
    pub account: Closed,
    /// Callbacks a second that arrived while events were published.
    pub callbacks_per_s: f64,
    /// CPU time of the stack for each callback that arrived, in milliseconds: what is left to compare where
    /// other work on the machine blurs the latencies.
    pub cpu_ms_per_callback: f64,
    /// How late the publisher sent, p99, in milliseconds.
    pub lag_p99_ms: f64,
    /// What followed the outage, if there was one.
    pub drain: Option<Drain>,
}

/// What followed an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drain {
    /// Callbacks that had not arrived when the receiver came back.
    pub backlog: usize,
    /// From then to the first of them.
    pub first: Duration,
    /// From then to the last of them.
    pub last: Duration,
}

impl Run {
    /// Whether everything offered was accepted and delivered while it was offered (but for 5 %), and the last
    /// quarter waited no longer than the first (twice as long and 20 ms are allowed for).
    #[must_use]
    pub fn kept_up(&self) -> bool {
        let medians =
            (percentile_ms(&self.account.quarters_ns.0, 50), percentile_ms(&self.account.quarters_ns.1, 50));
        let steady = matches!(medians, (Some(first), Some(last)) if last <= 2.0 * first + 20.0);
        let in_time = self.callbacks_per_s >= 0.95 * self.offered_callbacks_per_s();
        self.account.void.is_empty()
            && self.account.refused == 0
            && steady
            && in_time
            && !self.publisher_was_late()
    }

    /// Callbacks a second that were asked for.
    #[must_use]
    pub fn offered_callbacks_per_s(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a count of webhooks")]
        let fanout = self.plan.fanout() as f64;
        f64::from(self.plan.rate) * fanout
    }

    /// Whether the figures are the publisher's and not the system's.
    #[must_use]
    pub fn publisher_was_late(&self) -> bool {
        self.lag_p99_ms > LAG_MS_MAX
    }
}

/// What the warm-up events reached: (event, path).
type Warmed = Mutex<BTreeSet<(usize, String)>>;

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

    fn book(&self, received: &Received, warm_up: &Warmed) {
        let at_ns =
            u64::try_from(received.at.saturating_duration_since(self.clock).as_nanos()).unwrap_or(u64::MAX);
        let body: Option<Body> = serde_json::from_slice(&received.body).ok();
        let webhook = received.path().strip_prefix("/hook/").and_then(|number| number.parse().ok());
        let message = received.header("webhook-id").unwrap_or_default();
        match body {
            Some(Body { data }) if data.run == format!("{}-warm", self.run) => {
                warm_up
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert((data.n, String::from(received.path())));
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

/// A receiver that can be away.
struct Receiver {
    address: SocketAddr,
    server: Option<Server>,
    shared: Arc<Shared>,
    warmed: Arc<Warmed>,
    hanging: Option<String>,
}

impl Receiver {
    async fn start(shared: &Arc<Shared>, hanging: Option<usize>) -> Self {
        let (shared, warmed) = (Arc::clone(shared), Arc::new(Mutex::new(BTreeSet::new())));
        let hanging = hanging.map(|number| format!("/hook/{number}"));
        let mut receiver =
            Self { address: SocketAddr::from(([127, 0, 0, 1], 0)), server: None, shared, warmed, hanging };
        receiver.come_back().await;
        receiver
    }

    async fn come_back(&mut self) {
        let (shared, warmed, hanging) =
            (Arc::clone(&self.shared), Arc::clone(&self.warmed), self.hanging.clone());
        let server = Server::start_at(self.address, move |received| {
            if hanging.as_deref() == Some(received.path()) {
                return Behaviour::Hang;
            }
            shared.book(&received, &warmed);
            Behaviour::status(200)
        })
        .await;
        self.address = server.address();
        self.server = Some(server);
    }

    fn url(&self, webhook: usize) -> String {
        format!("http://{}/hook/{webhook}", self.address)
    }

    fn warmed(&self) -> usize {
        self.warmed.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// Everything that a run needs, with webhooks created and warmed up.
struct Rig {
    project: Project,
    shared: Arc<Shared>,
    receiver: Receiver,
    pad: String,
    warm_ids: BTreeSet<String>,
}

impl Rig {
    async fn set_up(stack: &Stack, plan: &Plan) -> Self {
        let project = stack.project("bench").await;
        let shared =
            Arc::new(Shared { account: Mutex::new(None), clock: Instant::now(), run: project.name.clone() });
        let receiver = Receiver::start(&shared, plan.hanging).await;
        create_webhooks(&project, plan, &receiver).await;
        let pad = "x".repeat(plan.body_bytes.saturating_sub(80));
        let warm_ids = warm_up(&project, plan, &shared.run, &pad).await;
        let expected = warm_ids.len() * plan.fanout();
        until("the warm-up events arrive", SILENCE, async || receiver.warmed() == expected).await;
        Self { project, shared, receiver, pad, warm_ids }
    }

    /// Compares with what the system says it holds.
    async fn close(self) -> Closed {
        let mut stored = stored_ids(&self.project).await;
        stored.retain(|id| !self.warm_ids.contains(id));
        self.shared.account().take().expect("the account is open until here").close(&stored)
    }
}

/// Posts `rounds` events one after the other, each when all callbacks of the one before have arrived. The
/// schedule of `plan` plays no part.
pub async fn one_by_one(stack: &Stack, plan: &Plan, rounds: usize) -> Closed {
    let rig = Rig::set_up(stack, plan).await;
    let shared = &rig.shared;
    *shared.account() = Some(Account::new(vec![0; rounds], plan.targets()));
    for number in 0..rounds {
        let data = json!({ "run": shared.run, "n": number, "pad": rig.pad });
        if let Some(account) = shared.account().as_mut() {
            account.due(number, shared.now_ns());
        }
        let accepted = rig.project.event(&plan.kind(number), data).await;
        if let Some(account) = shared.account().as_mut() {
            account.accepted(number, shared.now_ns(), accepted.id);
        }
        settle(shared).await;
    }
    rig.close().await
}

/// Does what `plan` says and accounts for everything.
pub async fn measure(stack: &Stack, plan: &Plan) -> Run {
    measure_from(stack, plan, async || {}).await
}

/// The same; `warmed_up` is called when everything is set up and nothing is published yet.
pub async fn measure_from(stack: &Stack, plan: &Plan, warmed_up: impl AsyncFnOnce()) -> Run {
    let mut rig = Rig::set_up(stack, plan).await;
    warmed_up().await;
    let shared = Arc::clone(&rig.shared);
    let count = usize::try_from(u64::from(plan.rate) * plan.duration.as_secs()).expect("a count of events");
    let start_ns = shared.now_ns() + 200_000_000;
    // A batch is due when its last event would be: none of them waits for one that is not there yet.
    let due_ns: Vec<u64> = (0..count)
        .map(|number| {
            let last_of_batch = (number / plan.batch + 1) * plan.batch - 1;
            start_ns + last_of_batch as u64 * 1_000_000_000 / u64::from(plan.rate)
        })
        .collect();
    *shared.account() = Some(Account::new(due_ns.clone(), plan.targets()));
    let cpu_before = stack.cpu();
    let published = publish(&rig.project, plan, &shared, &due_ns, &rig.pad);
    let (mut lags_ns, came_back_ns) = match plan.outage {
        None => (published.await, None),
        Some((from, to)) => {
            let outage = async {
                let at = |after: Duration| {
                    tokio::time::sleep_until((shared.clock + Duration::from_nanos(start_ns) + after).into())
                };
                at(from).await;
                rig.receiver.server = None;
                at(to).await;
                rig.receiver.come_back().await;
                shared.now_ns()
            };
            let (lags_ns, came_back_ns) = tokio::join!(published, outage);
            (lags_ns, Some(came_back_ns))
        }
    };
    let end_ns = start_ns + u64::try_from(plan.duration.as_nanos()).unwrap_or(u64::MAX);
    settle(&shared).await;
    let cpu = stack.cpu().saturating_sub(cpu_before);

    // What still hangs would be called again for days.
    if let Some(webhook) = plan.hanging {
        rig.project.delete(&format!("webhooks/w{webhook}")).await.expect(204);
    }
    let account = rig.close().await;
    lags_ns.sort_unstable();
    let inside = account.callbacks_ns.iter().filter(|(_, at_ns)| *at_ns <= end_ns).count();
    let cpu_ms_per_callback =
        cpu.as_secs_f64() * 1000.0 / f64::from(u32::try_from(account.arrived.max(1)).unwrap_or(u32::MAX));
    let callbacks_per_s = f64::from(u32::try_from(inside).unwrap_or(u32::MAX)) / plan.duration.as_secs_f64();
    let drain = came_back_ns.map(|at_ns| drain(&account, at_ns));
    Run {
        plan: plan.clone(),
        cpu_ms_per_callback,
        callbacks_per_s,
        lag_p99_ms: percentile_ms(&lags_ns, 99).unwrap_or_default(),
        drain,
        account,
    }
}

/// What arrived after `came_back_ns` of what was due before.
fn drain(account: &Closed, came_back_ns: u64) -> Drain {
    let late = account
        .callbacks_ns
        .iter()
        .filter(|(due_ns, at_ns)| *due_ns <= came_back_ns && *at_ns > came_back_ns);
    let after: Vec<u64> = late.map(|(_, at_ns)| at_ns - came_back_ns).collect();
    let at = |ns: Option<&u64>| Duration::from_nanos(ns.copied().unwrap_or_default());
    Drain { backlog: after.len(), first: at(after.iter().min()), last: at(after.iter().max()) }
}

async fn create_webhooks(project: &Project, plan: &Plan, receiver: &Receiver) {
    let create = |webhook: usize| {
        let mut draft = json!({ "name": format!("w{webhook}"), "url": receiver.url(webhook), "events": [plan.kind(webhook)] });
        if plan.hanging == Some(webhook) {
            draft["timeout_s"] = json!(30);
        }
        if let Some(schedule) = &plan.retry_schedule_s {
            draft["retry_schedule_s"] = json!(schedule);
        }
        async move { project.post("webhooks", &draft).await.expect(201) }
    };
    stream::iter((0..plan.webhooks).map(create)).buffer_unordered(SETTING_UP).collect::<Vec<_>>().await;
}

/// Posts some events that do not count, to every webhook but a hanging one; gives their ids.
async fn warm_up(project: &Project, plan: &Plan, run: &str, pad: &str) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let spared = (WARM_UP_CALLBACKS / plan.webhooks.max(1)).clamp(1, WARM_UP_EVENTS_MAX);
    let count = if plan.in_turn { plan.webhooks.max(spared) } else { spared };
    let is_left_out = |number: &usize| plan.in_turn && plan.hanging == Some(number % plan.webhooks);
    for number in (0..count).filter(|number| !is_left_out(number)) {
        let data = json!({ "run": format!("{run}-warm"), "n": number, "pad": pad });
        ids.insert(project.event(&plan.kind(number), data).await.id);
    }
    ids
}

/// Posts every event, or batch, at its time and waits for the last answer; returns how late each was sent.
async fn publish(
    project: &Project,
    plan: &Plan,
    shared: &Arc<Shared>,
    due_ns: &[u64],
    pad: &str,
) -> Vec<u64> {
    let path = project.path(if plan.batch == 1 { "events" } else { "events/batch" });
    let (mut lags_ns, mut posts) = (Vec::with_capacity(due_ns.len()), Vec::with_capacity(due_ns.len()));
    for first in (0..due_ns.len()).step_by(plan.batch) {
        let numbers = first..(first + plan.batch).min(due_ns.len());
        let data = |number: usize| json!({ "run": shared.run, "n": number, "pad": pad });
        let event = |number: usize| json!({ "type": plan.kind(number), "data": data(number) });
        let body = if plan.batch == 1 {
            event(first)
        } else {
            json!({ "events": numbers.clone().map(event).collect::<Vec<_>>() })
        };
        let body = body.to_string();
        tokio::time::sleep_until((shared.clock + Duration::from_nanos(due_ns[first])).into()).await;
        lags_ns.push(shared.now_ns().saturating_sub(due_ns[first]));
        let (api, path, shared) = (project.api.clone(), path.clone(), Arc::clone(shared));
        posts.push(tokio::spawn(async move {
            let answer =
                api.try_send(Method::POST, &path, &[("content-type", "application/json")], body).await;
            let at_ns = shared.now_ns();
            let mut account = shared.account();
            let account = account.as_mut().expect("the account is open while events are posted");
            match answer {
                Ok(reply) if reply.status == 202 => {
                    let answer = reply.json();
                    let ids: Vec<&Value> = answer["items"].as_array().map_or_else(
                        || vec![&answer["id"]],
                        |items| items.iter().map(|item| &item["id"]).collect(),
                    );
                    for (number, id) in numbers.zip(ids) {
                        account.accepted(number, at_ns, String::from(id.as_str().unwrap_or_default()));
                    }
                }
                Ok(reply) => numbers
                    .for_each(|number| account.refused(number, format!("{} {}", reply.status, reply.body))),
                Err(fault) => numbers.for_each(|number| account.refused(number, fault.to_string())),
            }
        }));
    }
    for post in posts {
        post.await.expect("a post is booked");
    }
    lags_ns
}

/// Waits until all expected callbacks came, or no more come.
async fn settle(shared: &Shared) {
    let (mut seen, mut changed) = (0, Instant::now());
    loop {
        let (arrived, expected) = shared
            .account()
            .as_ref()
            .map_or((0, 0), |account| (account.arrived_pairs(), account.expected_pairs()));
        if arrived != seen {
            (seen, changed) = (arrived, Instant::now());
        }
        if arrived >= expected || changed.elapsed() > SILENCE {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The ids of all events that producers posted to the project: its own (`postern.…`) are not theirs.
async fn stored_ids(project: &Project) -> BTreeSet<String> {
    let (mut ids, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let page: Page<EventView> =
            project.get(&format!("events?limit=200{cursor}")).await.expect(200).read();
        ids.extend(
            page.items.into_iter().filter(|event| !event.kind.starts_with("postern.")).map(|event| event.id),
        );
        match page.next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}
