//! Works in, reports out: the loop that all lanes share (inline after a 202, both queues, tests).
//!
//! An invocation may have six connections open (docs/platform.md 2.4), so at most [`SENDS_MAX`] calls run at once.
//! Webhooks that hang must not keep the others waiting. So the webhooks take turns, and where there are several, none
//! gets more than [`SENDS_PER_WEBHOOK`] of the connections; tickets are claimed only when there is room, because a
//! claim that is not followed by a call within its lease counts as a lost attempt; and once half of the connections
//! hang, the tickets that are left go back to their queue ([`Run::hand_over`]), where another invocation with six free
//! connections takes them. What is known to be quick goes first there, what is known to hang last.
//!
//! What is done is reported in as few calls as possible: with the next claim where there is one, as soon as nothing
//! else has finished for [`REPORT_AFTER_MS`], and together with what other invocations finish ([`reports`]).
//!
//! What fails here fails towards the ledger: a lease that ends without a report makes the attempt due again.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;

use futures_util::future::{self, Either, LocalBoxFuture};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use postern_core::contract::{self, Rendering, Source};
use postern_core::delivery::{self, Attempt, Outcome, SentRequest, Trigger};
use postern_core::egress::{self, Policy};
use postern_core::id::Seq;
use postern_core::run::{
    self, CALL_TIMEOUT_S, CallRecord, CallbackAttempt, CallbackKind, Next, Target, Webhooks,
};
use postern_core::time::Timestamp;
use postern_core::webhook::{Contract, Definition, ProjectName};
use postern_ledger::{Lane, LeaseTicket, Report, RunCall, TestWork, Work, WorkEvent, WorkSet};
use worker::Env;

use crate::clock;
use crate::config::{self, ConfigFault, Settings};
use crate::definitions;
use crate::log::{self, RequestId};
use crate::meter;
use crate::project_do::attempts::{ClaimAttempts, ReportAttempts};
use crate::project_do::call::{self, CallError};
use crate::project_do::runs::ReportRunCall;
use crate::project_do::trials::ReportTrial;
use crate::queue::{self, Message};
use crate::reports;
use crate::seal::{self, Owner};
use crate::sender::{self, Exchange};

/// Calls that run at once in one invocation.
const SENDS_MAX: usize = 6;
/// Calls to one webhook that run at once while others wait: half, so that two hanging webhooks are needed to stop a third.
const SENDS_PER_WEBHOOK: usize = 3;
/// Tickets of a claim for webhooks that are known to answer within [`QUICK_MS`]: 48 of them at six at once take 4 s. Of all
/// others as many are claimed as there are free connections.
const CLAIM_QUICK: usize = 8 * SENDS_MAX;
/// Below this a call is quick.
const QUICK_MS: u32 = 500;
/// A call that takes longer than this hangs, as far as the others are concerned.
const HANGS_AFTER_MS: i64 = 1_000;
/// So many hanging calls let the other tickets go back to their queue.
const HANGING_MAX: usize = SENDS_MAX / 2;
/// How often a ticket is put back. Each time takes a second, and the shortest lease is 31 s.
const HOPS_MAX: u32 = 20;
/// How often a run with waiting tickets looks for hanging calls.
const LOOK_EVERY_MS: u32 = 500;
/// How long a webhook's pace is known, from the last time it was seen.
const PACE_KNOWN_MS: i64 = 60_000;
/// Webhooks whose pace is known at most.
const PACES_MAX: usize = 1_000;
/// How long a finished attempt waits for others to be reported with.
const REPORT_AFTER_MS: u32 = 100;

/// What every run needs.
#[derive(Clone)]
pub(crate) struct Dispatcher {
    env: Env,
    settings: Rc<Settings>,
    policy: Rc<Policy>,
    id: RequestId,
}

/// A work that was claimed, with its event.
struct Ready {
    project: ProjectName,
    work: Work,
    event: Rc<WorkEvent>,
}

/// Something that was waited for.
enum Step {
    Claimed { project: ProjectName, outcome: Result<WorkSet, CallError> },
    Attempted { project: ProjectName, webhook: Seq, delivery: Seq, report: Option<Box<Report>> },
    HandedOver,
    Reported,
}

/// A ticket from a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Queued {
    /// Whose.
    pub(crate) project: ProjectName,
    /// What may be claimed.
    pub(crate) ticket: LeaseTicket,
    /// How often it was put back.
    pub(crate) hops: u32,
}

impl From<Message> for Queued {
    fn from(message: Message) -> Self {
        Self { project: message.project, ticket: message.ticket, hops: message.hops }
    }
}

/// How a webhook has answered lately. The order is the one in which tickets are claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Pace {
    /// Within [`QUICK_MS`].
    Quick,
    /// Neither of the others, or not seen.
    Unknown,
    /// Not within [`HANGS_AFTER_MS`].
    Hanging,
}

thread_local! {
    /// What this isolate has seen of webhooks, and when. Only order and size of claims follow from it.
    static PACES: RefCell<HashMap<(ProjectName, Seq), (Pace, Timestamp)>> = RefCell::new(HashMap::new());
}

fn note_pace(project: &ProjectName, webhook: Seq, pace: Pace, now: Timestamp) {
    PACES.with_borrow_mut(|paces| {
        if paces.len() >= PACES_MAX {
            paces.clear();
        }
        paces.insert((project.clone(), webhook), (pace, now));
    });
}

fn pace_of(project: &ProjectName, webhook: Seq, now: Timestamp) -> Pace {
    PACES.with_borrow(|paces| match paces.get(&(project.clone(), webhook)) {
        Some((pace, seen)) if now.ms_since(*seen) < PACE_KNOWN_MS => *pace,
        _ => Pace::Unknown,
    })
}

impl Dispatcher {
    /// A dispatcher for one invocation. `host` is the one of the request at hand, if there is one.
    ///
    /// # Errors
    /// The deployment's secrets are missing or wrong.
    pub(crate) fn new(env: &Env, id: &RequestId, host: Option<&str>) -> Result<Self, ConfigFault> {
        let settings = Settings::of(env)?;
        let policy = Rc::new(settings.policy(host));
        Ok(Self { env: env.clone(), settings, policy, id: id.clone() })
    }

    /// Makes the calls of `work`, claimed already, and reports them.
    pub(crate) async fn run_works(self, project: ProjectName, work: WorkSet) {
        let mut run = Run::new(self, Vec::new());
        run.take(&project, work);
        run.finish().await;
    }

    /// Claims `tickets`, makes their calls and reports them.
    pub(crate) async fn run_tickets(self, tickets: Vec<Queued>) {
        Run::new(self, tickets).finish().await;
    }

    /// Makes the calls of `tests` and reports each at once: somebody is watching.
    pub(crate) async fn run_tests(self, project: ProjectName, tests: Vec<TestWork>) {
        let runs = tests.into_iter().map(|test| self.run_test(&project, test));
        futures_util::stream::iter(runs).buffer_unordered(SENDS_MAX).collect::<()>().await;
    }

    async fn run_test(&self, project: &ProjectName, test: TestWork) {
        let owner = Owner { project, id: &test.sealed_under };
        let call = OneCall {
            sealed: &test.definition,
            owner,
            event: &test.event,
            message_id: &test.message_id,
            number: test.number,
            trigger: Trigger::Schedule,
        };
        let attempt = self.call(call).await;
        let report = ReportTrial { test: test.test, number: test.number, attempt };
        if let Err(error) = call::ask_as_postern(&self.env, &self.id, project, report).await {
            log::warn(
                &self.id,
                "a test could not be reported",
                &[("project", &project.as_str()), ("error", &error)],
            );
        }
    }

    /// Makes the calls of runs, reports each at once, and goes on with those that follow.
    pub(crate) async fn run_calls(self, project: ProjectName, calls: Vec<RunCall>) {
        let mut under_way: FuturesUnordered<_> =
            calls.into_iter().map(|call| self.run_call(&project, call)).collect();
        while let Some(following) = under_way.next().await {
            under_way.extend(following.into_iter().map(|call| self.run_call(&project, call)));
        }
    }

    /// One call of a run's callback; gives those that follow at once.
    async fn run_call(&self, project: &ProjectName, call: RunCall) -> Vec<RunCall> {
        let fields: [(&str, &dyn std::fmt::Display); 2] =
            [("project", &project.as_str()), ("run", &call.sealed_under)];
        if call.lease_until.ms_since(clock::now()) < i64::from(CALL_TIMEOUT_S) * 1_000 {
            log::warn(&self.id, "a run's callback was left to its lease: there was no time for it", &fields);
            return Vec::new();
        }
        let owner = Owner { project, id: &call.sealed_under };
        let sealed = call.target.authorization.as_deref();
        let exchange = match sealed
            .map(|sealed| seal::open_text(&self.settings.keyring, owner, seal::AUTHORIZATION, sealed))
            .transpose()
        {
            Ok(authorization) => {
                let target = Target { url: call.target.url.clone(), authorization };
                self.call_target(&target, &call.message_id, call.body.as_deref()).await
            }
            Err(fault) => {
                Exchange::not_made(Outcome::PlatformFailed { message: format!("a stored secret {fault}") })
            }
        };
        let retry_after =
            exchange.response.as_ref().and_then(|response| delivery::retry_after(response, clock::now()));
        let attempt = CallbackAttempt {
            number: call.number,
            started_at: exchange.started_at,
            duration_ms: exchange.duration_ms,
            answer: CallbackAttempt::kept(exchange.response.as_ref()),
            retry_after_s: None,
            body_note: exchange.response.and_then(|response| response.body_note),
            outcome: exchange.outcome,
            request_id: Some(String::from(self.id.as_str())),
        };
        let attempt = Box::new(CallRecord::new(attempt, retry_after));
        let report = ReportRunCall { run: call.run, kind: call.kind, number: call.number, attempt };
        match call::ask_as_postern(&self.env, &self.id, project, report).await {
            Ok(calls) => calls,
            Err(error) => {
                log::warn(
                    &self.id,
                    "a run's callback could not be reported; its lease will end",
                    &[("error", &error)],
                );
                Vec::new()
            }
        }
    }

    /// Looks whether the addresses of a run answer, `finished` first; gives what the run says where one does not. Their
    /// credentials are plain.
    pub(crate) async fn probe(&self, webhooks: &Webhooks) -> Option<String> {
        for kind in [CallbackKind::ProbeFinished, CallbackKind::ProbeUpdate] {
            let Some(target) = kind.target(webhooks) else { continue };
            let exchange = self.call_target(target, "", None).await;
            // Somebody waits for the answer: each is called once.
            let standing = run::CallTerms { kind, tries: u32::MAX, schedule_s: None, seed: 0 };
            if run::decide(standing, &exchange.outcome, None) != Next::Delivered {
                return Some(run::not_accessible(kind.field(), &target.url));
            }
        }
        None
    }

    /// A GET, or a POST of `body`, to an address of a run whose credentials are plain.
    async fn call_target(&self, target: &Target, message_id: &str, body: Option<&str>) -> Exchange {
        let url = match egress::check(&target.url, &self.policy) {
            Ok(checked) => checked.url,
            Err(refusal) => return Exchange::not_made(Outcome::Blocked { message: refusal.to_string() }),
        };
        let mut headers = vec![(String::from("user-agent"), String::from(contract::USER_AGENT))];
        let mut header = |name: &str, value: String| headers.push((String::from(name), value));
        header("accept", String::from(contract::ACCEPT));
        if let Some(authorization) = &target.authorization {
            header("authorization", authorization.clone());
        }
        let Some(body) = body else { return sender::get(&url, headers, CALL_TIMEOUT_S).await };
        header("content-type", String::from("application/json"));
        header("webhook-id", String::from(message_id));
        header("webhook-timestamp", clock::now().unix_s().to_string());
        let callback = contract::Callback { headers, shown_headers: Vec::new(), body: String::from(body) };
        sender::post(&url, &callback, CALL_TIMEOUT_S).await
    }

    async fn claim(self, project: ProjectName, reports: Vec<Report>, tickets: Vec<LeaseTicket>) -> Step {
        let claim = ClaimAttempts { reports, tickets };
        let outcome = call::ask_as_postern(&self.env, &self.id, &project, claim).await;
        Step::Claimed { project, outcome }
    }

    /// Reports, and carries what other invocations of this isolate have left for the project meanwhile.
    async fn report(self, project: ProjectName, reports: Vec<Report>) -> Step {
        if let Some(turn) = reports::leave(&project, reports, clock::now()) {
            loop {
                let reports = turn.next(clock::now());
                if reports.is_empty() {
                    break;
                }
                self.report_now(&project, reports).await;
            }
        }
        Step::Reported
    }

    async fn report_now(&self, project: &ProjectName, reports: Vec<Report>) {
        let count = reports.len();
        if let Err(error) =
            call::ask_as_postern(&self.env, &self.id, project, ReportAttempts { reports }).await
        {
            let fields: [(&str, &dyn std::fmt::Display); 3] =
                [("project", &project.as_str()), ("reports", &count), ("error", &error)];
            log::warn(&self.id, "attempts could not be reported; their leases will end", &fields);
        }
    }

    /// Sends tickets back to the queues they came from.
    async fn hand_over(self, tickets: Vec<Queued>) -> Step {
        for (binding, lane) in [(config::DELIVERIES, Lane::First), (config::RETRIES, Lane::Retry)] {
            let tickets = tickets.iter().filter(|queued| queued.ticket.lane == lane).cloned();
            let messages: Vec<_> = tickets
                .map(|Queued { project, ticket, hops }| Message { project, ticket, hops: hops + 1 })
                .collect();
            if let Err(error) = queue::send(&self.env, binding, &messages).await {
                log::warn(
                    &self.id,
                    "tickets could not be handed over; their leases will end",
                    &[("error", &log::chain(&error))],
                );
            }
        }
        Step::HandedOver
    }

    async fn attempt(self, ready: Ready) -> Step {
        let Ready { project, work, event } = ready;
        let report = self.attempt_work(&project, &work, &event).await;
        Step::Attempted {
            project,
            webhook: work.webhook,
            delivery: work.delivery,
            report: report.map(Box::new),
        }
    }

    /// One attempt of a delivery. `None`: there is nothing to report, because the webhook is gone or cannot be known.
    async fn attempt_work(&self, project: &ProjectName, work: &Work, event: &WorkEvent) -> Option<Report> {
        let fields: [(&str, &dyn std::fmt::Display); 2] =
            [("project", &project.as_str()), ("webhook", &work.webhook_id)];
        if !is_in_time(work, clock::now()) {
            log::warn(&self.id, "an attempt was left to its lease: there was no time for it", &fields);
            return None;
        }
        let keyring = &self.settings.keyring;
        let found = definitions::find(
            &self.env,
            &self.id,
            keyring,
            project,
            work.webhook,
            &work.webhook_id,
            work.webhook_version,
        )
        .await;
        let stored = match found {
            Ok(stored) => stored?,
            Err(error) => {
                log::warn(
                    &self.id,
                    "a definition could not be found",
                    &[("webhook", &work.webhook_id), ("error", &error)],
                );
                return None;
            }
        };
        let owner = Owner { project, id: &work.webhook_id };
        let call = OneCall {
            sealed: &stored.definition,
            owner,
            event,
            message_id: &work.message_id,
            number: work.attempt,
            trigger: work.trigger,
        };
        let attempt = self.call(call).await;
        meter::attempted(
            &attempt.outcome,
            attempt.duration_ms,
            is_delivered(stored.definition.contract, &attempt.outcome),
        );
        Some(Report { delivery: work.delivery, attempt })
    }

    /// One call from a sealed definition. Whatever happens becomes an attempt.
    async fn call(&self, call: OneCall<'_>) -> Attempt {
        let started_at = clock::now();
        match self.prepare(&call, started_at) {
            Ok((url, callback, request)) => {
                let exchange = sender::post(&url, &callback, call.sealed.timeout_s).await;
                Attempt {
                    number: call.number,
                    trigger: call.trigger,
                    started_at: exchange.started_at,
                    duration_ms: exchange.duration_ms,
                    outcome: exchange.outcome,
                    request: Some(request),
                    response: exchange.response,
                    request_id: Some(String::from(self.id.as_str())),
                }
            }
            Err(outcome) => {
                if let Outcome::PlatformFailed { message } = &outcome {
                    log::error(
                        &self.id,
                        "a callback could not be made",
                        &[("owner", &call.owner.id), ("error", message)],
                    );
                }
                Attempt {
                    number: call.number,
                    trigger: call.trigger,
                    started_at,
                    duration_ms: 0,
                    outcome,
                    request: None,
                    response: None,
                    request_id: Some(String::from(self.id.as_str())),
                }
            }
        }
    }

    /// Everything before the network: the policy as it is now, the secrets, the exact bytes.
    fn prepare(
        &self,
        call: &OneCall<'_>,
        now: Timestamp,
    ) -> Result<(String, contract::Callback, SentRequest), Outcome> {
        let target = egress::check(&call.sealed.url, &self.policy)
            .map_err(|refusal| Outcome::Blocked { message: refusal.to_string() })?;
        let plain = seal::unseal(&self.settings.keyring, call.owner, call.sealed)
            .map_err(|fault| Outcome::PlatformFailed { message: format!("a stored secret {fault}") })?;
        let rendering = Rendering::for_event(&plain, &call.event.kind);
        let callback = self.build(&plain, &rendering, call, now)?;
        let body_bytes = u32::try_from(callback.body.len()).unwrap_or(u32::MAX);
        let request = SentRequest {
            url: target.url.clone(),
            headers: callback.shown_headers.clone(),
            rendering,
            body_bytes,
        };
        Ok((target.url, callback, request))
    }

    #[expect(clippy::unused_self, reason = "reads as one of the steps of `prepare`")]
    fn build(
        &self,
        plain: &Definition,
        rendering: &Rendering,
        call: &OneCall<'_>,
        now: Timestamp,
    ) -> Result<contract::Callback, Outcome> {
        let event = call.event;
        let source = Source {
            kind: &event.kind,
            accepted_at: event.accepted_at,
            data: &event.data,
            object: event.object.as_ref(),
        };
        contract::build(plain, rendering, &source, call.message_id, now)
            .map_err(|fault| Outcome::PlatformFailed { message: format!("the signing secret {fault}") })
    }
}

/// What one call is made of.
struct OneCall<'a> {
    sealed: &'a Definition,
    owner: Owner<'a>,
    event: &'a WorkEvent,
    message_id: &'a str,
    number: u32,
    trigger: Trigger,
}

/// Whether the receiver took it.
const fn is_delivered(contract: Contract, outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Answered { status } if contract::counts_as_delivered(contract, *status))
}

/// Whether a call that begins now can end within its lease. One that can't would be made twice.
const fn is_in_time(work: &Work, now: Timestamp) -> bool {
    work.lease_until.ms_since(now) >= work.timeout_s as i64 * 1_000
}

/// A call that has begun.
struct Running {
    project: ProjectName,
    webhook: Seq,
    delivery: Seq,
    since: Timestamp,
}

/// One run of a [`Dispatcher`]: the state between the steps.
struct Run {
    dispatcher: Dispatcher,
    /// Not claimed yet: by pace, and in turn by webhook.
    tickets: VecDeque<Queued>,
    /// Claimed, not begun.
    ready: VecDeque<Ready>,
    running: Vec<Running>,
    is_claiming: bool,
    per_webhook: usize,
    done: BTreeMap<ProjectName, Vec<Report>>,
    steps: FuturesUnordered<LocalBoxFuture<'static, Step>>,
}

impl Run {
    fn new(dispatcher: Dispatcher, tickets: Vec<Queued>) -> Self {
        let now = clock::now();
        let mut ordered = in_turn(tickets, |queued| queued.ticket.webhook);
        ordered.sort_by_cached_key(|queued| pace_of(&queued.project, queued.ticket.webhook, now)); // stable
        let mut run = Self {
            dispatcher,
            tickets: ordered.into(),
            ready: VecDeque::new(),
            running: Vec::new(),
            is_claiming: false,
            per_webhook: SENDS_MAX,
            done: BTreeMap::new(),
            steps: FuturesUnordered::new(),
        };
        run.share();
        run
    }

    /// How many of the connections one webhook may have: all, where there is no other.
    fn share(&mut self) {
        let ready = self.ready.iter().map(|ready| ready.work.webhook);
        let mut webhooks = self.tickets.iter().map(|queued| queued.ticket.webhook).chain(ready);
        let is_alone = webhooks.next().is_none_or(|first| webhooks.all(|other| other == first));
        self.per_webhook = if is_alone { SENDS_MAX } else { SENDS_PER_WEBHOOK };
    }

    fn take(&mut self, project: &ProjectName, set: WorkSet) {
        let events: BTreeMap<Seq, Rc<WorkEvent>> =
            set.events.into_iter().map(|event| (event.seq, Rc::new(event))).collect();
        let now = clock::now();
        let mut works = in_turn(set.works, |work| work.webhook);
        // A quick call must not stand behind one that may hang: it would wait for its connection.
        works.sort_by_cached_key(|work| pace_of(project, work.webhook, now)); // stable
        for work in works {
            if let Some(event) = events.get(&work.event) {
                self.ready.push_back(Ready { project: project.clone(), event: Rc::clone(event), work });
            }
        }
        self.share();
    }

    async fn finish(mut self) {
        loop {
            self.start_calls();
            self.start_claim();
            self.hand_over();
            if self.steps.is_empty() {
                if self.done.is_empty() {
                    return;
                }
                self.start_reports();
            }
            if let Some(step) = self.next_step().await {
                self.note(step);
            } else {
                self.start_reports();
            }
        }
    }

    /// The next thing that happens; `None`: time has passed, and finished attempts have waited long enough.
    async fn next_step(&mut self) -> Option<Step> {
        let patience_ms = match (self.done.is_empty(), self.tickets.is_empty()) {
            (false, _) => REPORT_AFTER_MS,
            (true, false) => LOOK_EVERY_MS,
            (true, true) => return self.steps.next().await,
        };
        match future::select(self.steps.next(), clock::sleep(patience_ms)).await {
            Either::Left((step, _)) => step,
            Either::Right(((), _)) => None,
        }
    }

    fn note(&mut self, step: Step) {
        match step {
            Step::Claimed { project, outcome } => {
                self.is_claiming = false;
                match outcome {
                    Ok(works) => self.take(&project, works),
                    Err(error) => {
                        let fields: [(&str, &dyn std::fmt::Display); 2] =
                            [("project", &project.as_str()), ("error", &error)];
                        log::warn(
                            &self.dispatcher.id,
                            "tickets could not be claimed; their leases will end",
                            &fields,
                        );
                    }
                }
            }
            Step::Attempted { project, webhook, delivery, report } => {
                self.running.retain(|running| running.delivery != delivery);
                if let Some(report) = report {
                    let pace = match i64::from(report.attempt.duration_ms) {
                        quick_ms if quick_ms < i64::from(QUICK_MS) => Pace::Quick,
                        hanging_ms if hanging_ms >= HANGS_AFTER_MS => Pace::Hanging,
                        _ => Pace::Unknown,
                    };
                    note_pace(&project, webhook, pace, clock::now());
                    self.done.entry(project).or_default().push(*report);
                }
            }
            Step::HandedOver | Step::Reported => {}
        }
    }

    fn start_calls(&mut self) {
        while self.running.len() < SENDS_MAX {
            let has_room = |ready: &Ready| {
                let of_webhook = self.running.iter().filter(|running| running.webhook == ready.work.webhook);
                of_webhook.count() < self.per_webhook
            };
            let Some(ready) = self.ready.iter().position(has_room).and_then(|at| self.ready.remove(at))
            else {
                return;
            };
            self.running.push(Running {
                project: ready.project.clone(),
                webhook: ready.work.webhook,
                delivery: ready.work.delivery,
                since: clock::now(),
            });
            self.steps.push(self.dispatcher.clone().attempt(ready).boxed_local());
        }
    }

    /// Claims more as soon as nothing claimed is waiting and there is room, and reports in the same call.
    fn start_claim(&mut self) {
        let room = SENDS_MAX.saturating_sub(self.running.len());
        if self.is_claiming || !self.ready.is_empty() || room == 0 {
            return;
        }
        let Some(project) = self.tickets.front().map(|queued| queued.project.clone()) else {
            return;
        };
        let now = clock::now();
        let (mut claimed, mut others) = (Vec::new(), Vec::new());
        self.tickets.retain(|queued| {
            let (taken, size) = if pace_of(&queued.project, queued.ticket.webhook, now) == Pace::Quick {
                (&mut claimed, CLAIM_QUICK)
            } else {
                (&mut others, room)
            };
            let is_taken = queued.project == project && taken.len() < size;
            if is_taken {
                taken.push(queued.ticket);
            }
            !is_taken
        });
        claimed.extend(others);
        let reports = self.done.remove(&project).unwrap_or_default();
        self.is_claiming = true;
        self.steps.push(self.dispatcher.clone().claim(project, reports, claimed).boxed_local());
    }

    /// Sends what is not claimed back to its queue once half of the connections hang. A ticket that has been put back
    /// often is left to its lease instead: by then the ledger offers it anew.
    fn hand_over(&mut self) {
        if self.tickets.is_empty() {
            return;
        }
        let now = clock::now();
        let hanging: Vec<&Running> =
            self.running.iter().filter(|running| now.ms_since(running.since) >= HANGS_AFTER_MS).collect();
        if hanging.len() < HANGING_MAX {
            return;
        }
        for running in hanging {
            note_pace(&running.project, running.webhook, Pace::Hanging, now);
        }
        let tickets: Vec<Queued> = self.tickets.drain(..).filter(|queued| queued.hops < HOPS_MAX).collect();
        self.steps.push(self.dispatcher.clone().hand_over(tickets).boxed_local());
    }

    fn start_reports(&mut self) {
        for (project, reports) in std::mem::take(&mut self.done) {
            self.steps.push(self.dispatcher.clone().report(project, reports).boxed_local());
        }
    }
}

/// The same things in an order in which the webhooks take turns, those that came first in each.
fn in_turn<T>(things: Vec<T>, webhook: impl Fn(&T) -> Seq) -> Vec<T> {
    let mut turns = BTreeMap::<Seq, usize>::new();
    let mut ordered: Vec<(usize, T)> = things
        .into_iter()
        .map(|thing| {
            let turn = turns.entry(webhook(&thing)).or_default();
            *turn += 1;
            (*turn, thing)
        })
        .collect();
    ordered.sort_by_key(|(turn, _)| *turn); // stable
    ordered.into_iter().map(|(_, thing)| thing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhooks_take_turns() {
        let things = vec![(1, 'a'), (1, 'b'), (1, 'c'), (2, 'd'), (3, 'e'), (3, 'f')];
        let ordered: String =
            in_turn(things, |(webhook, _)| Seq(*webhook)).into_iter().map(|(_, name)| name).collect();
        assert_eq!(ordered, "adebfc");
        let things = vec![(3, 'a'), (1, 'b'), (1, 'c')];
        let ordered: String =
            in_turn(things, |(webhook, _)| Seq(*webhook)).into_iter().map(|(_, name)| name).collect();
        assert_eq!(ordered, "abc");
    }

    #[test]
    fn a_pace_is_known_for_a_minute() {
        let project = ProjectName::parse("p1").unwrap();
        let now = Timestamp(1_000_000);
        assert_eq!(pace_of(&project, Seq(1), now), Pace::Unknown);
        note_pace(&project, Seq(1), Pace::Hanging, now);
        assert_eq!(pace_of(&project, Seq(1), now.plus_ms(59_999)), Pace::Hanging);
        assert_eq!(pace_of(&project, Seq(1), now.plus_ms(60_000)), Pace::Unknown);
        note_pace(&project, Seq(1), Pace::Quick, now);
        assert_eq!(pace_of(&project, Seq(1), now), Pace::Quick);
        assert!(Pace::Quick < Pace::Unknown && Pace::Unknown < Pace::Hanging);
    }

    #[test]
    fn a_call_that_might_outlive_its_lease_is_not_begun() {
        let work = Work {
            delivery: Seq(1),
            attempt: 1,
            trigger: Trigger::Schedule,
            message_id: String::new(),
            event: Seq(1),
            webhook: Seq(1),
            webhook_id: String::new(),
            webhook_version: 1,
            timeout_s: 10,
            lease_until: Timestamp(40_000),
        };
        assert!(is_in_time(&work, Timestamp(30_000)));
        assert!(!is_in_time(&work, Timestamp(30_001)));
    }

    #[test]
    fn a_ticket_is_not_put_back_beyond_the_shortest_lease() {
        assert!(i64::from(HOPS_MAX) * HANGS_AFTER_MS < 1_000 + postern_ledger::LEASE_SLACK_MS);
    }
}
