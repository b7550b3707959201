//! Drives the machines of the engine: what one invocation does until nothing is left.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::future::{self, Either, LocalBoxFuture};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use postern_core::egress::Policy;
use postern_core::time::Timestamp;
use postern_core::webhook::ProjectName;
use postern_engine::{
    Bounds, Carried, Carry, Desk, Do, Heard, Jitter, Mailbox, Paces, Parcel, Queued, Shift, put_back,
};
use postern_ledger::{Lane, WorkSet};
use worker::Env;

use crate::clock::{self, Sleep};
use crate::config::{self, ConfigFault, Settings};
use crate::log::{self, RequestId};
use crate::queue;

/// An invocation ends so long after its handler has (docs/platform.md 1.4).
const ENDS_AFTER_MS: i64 = 30_000;

thread_local! {
    /// What this isolate has seen of webhooks.
    static PACES: RefCell<Paces> = const { RefCell::new(Paces::new()) };
    /// What this isolate has to report.
    static MAILBOX: RefCell<Mailbox> = const { RefCell::new(Mailbox::new()) };
}

/// What every run needs.
#[derive(Clone)]
pub(crate) struct Dispatcher {
    pub(super) env: Env,
    pub(super) settings: Rc<Settings>,
    pub(super) policy: Rc<Policy>,
    pub(super) id: RequestId,
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

    /// Makes the calls of `work`, claimed already by an invocation that started at `began`, and reports them.
    pub(crate) async fn run_works(self, project: ProjectName, work: WorkSet, began: Timestamp) {
        let desk = PACES.with_borrow(|paces| {
            let now = clock::now();
            let shift = Shift::new(began, began.plus_ms(ENDS_AFTER_MS));
            let mut desk = Desk::new(Bounds::PLATFORM, shift, Vec::new(), paces, now);
            desk.take(&project, work, paces, now);
            desk
        });
        self.drive(desk).await;
    }

    /// Claims `tickets`, makes their calls and reports them, in an invocation whose handler ends after
    /// `handler_ms`.
    pub(crate) async fn run_tickets(self, tickets: Vec<Queued>, handler_ms: i64) {
        let now = clock::now();
        let shift = Shift::new(now, now.plus_ms(handler_ms + ENDS_AFTER_MS));
        let desk = PACES.with_borrow(|paces| Desk::new(Bounds::PLATFORM, shift, tickets, paces, now));
        self.drive(desk).await;
    }

    /// Does what the desk says until there is nothing left.
    async fn drive(self, mut desk: Desk) {
        let mut under_way = FuturesUnordered::new();
        // One timer at a time, which is kept while it is early enough: a look that comes too soon costs less
        // than a timer for each thing that is heard.
        let mut timer: Option<(Timestamp, Sleep)> = None;
        while !desk.is_over() {
            let (mut patience_ms, now) = (None, clock::now());
            for todo in PACES.with_borrow_mut(|paces| desk.next(paces, now)) {
                match self.start(todo) {
                    Start::UnderWay(step) => under_way.push(step),
                    Start::Patience(ms) => patience_ms = Some(ms),
                }
            }
            let heard = match patience_ms {
                Some(ms) => {
                    let until = now.plus_ms(i64::from(ms));
                    let is_early_enough = timer.as_ref().is_some_and(|(ends, _)| *ends <= until);
                    let (_ends, elapsed) = match timer.take().filter(|_| is_early_enough) {
                        Some(kept) => timer.insert(kept),
                        None => timer.insert((until, clock::sleep(ms))),
                    };
                    let heard = if under_way.is_empty() {
                        // Without a future the stream would say at once that it is over, and nothing would
                        // wait.
                        elapsed.await;
                        None
                    } else {
                        match future::select(under_way.next(), elapsed).await {
                            Either::Left((heard, _)) => heard,
                            Either::Right(((), _)) => None,
                        }
                    };
                    timer = timer.filter(|_| heard.is_some());
                    heard
                }
                None => under_way.next().await,
            };
            if let Some(heard) = heard {
                PACES.with_borrow_mut(|paces| desk.heard(heard, paces, clock::now()));
            } else if patience_ms.is_none() {
                // Nothing is under way and nothing is waited for.
                return;
            }
        }
    }

    fn start(&self, todo: Do) -> Start {
        let this = self.clone();
        Start::UnderWay(match todo {
            Do::Sleep { ms } => return Start::Patience(ms),
            Do::Call { call, ready, timeout_s } => async move {
                let report = this.attempt(&ready, timeout_s).await.map(Box::new);
                Heard::Called { call, report }
            }
            .boxed_local(),
            Do::Claim { project, reports, tickets } => async move {
                match this.claim(&project, reports, &tickets).await {
                    Ok(works) => Heard::Claimed { project, works },
                    Err(fault) => Heard::NotClaimed { project, fault, jitter: jitter() },
                }
            }
            .boxed_local(),
            Do::HandBack { tickets } => async move {
                this.hand_back(&tickets).await;
                Heard::Done
            }
            .boxed_local(),
            Do::Report { project, reports } => async move {
                this.report(&project, reports).await;
                Heard::Done
            }
            .boxed_local(),
            Do::Unclaim { project, claims } => async move {
                this.unclaim(&project, claims).await;
                Heard::Done
            }
            .boxed_local(),
        })
    }

    /// Reports, and carries what other invocations of this isolate leave for the project meanwhile.
    async fn report(&self, project: &ProjectName, parcels: Vec<Parcel>) {
        let Some(turn) = MAILBOX.with_borrow_mut(|mailbox| mailbox.leave(project, parcels, clock::now()))
        else {
            return;
        };
        loop {
            match MAILBOX.with_borrow_mut(|mailbox| mailbox.next(&turn, clock::now())) {
                Carry::Now(reports) => {
                    let carried = match self.report_now(project, reports).await {
                        Ok(()) => Carried::Taken,
                        Err(fault) => Carried::Not(fault, jitter()),
                    };
                    MAILBOX.with_borrow_mut(|mailbox| mailbox.carried(&turn, carried, clock::now()));
                }
                Carry::After(ms) => clock::sleep(ms).await,
                Carry::Over => return,
            }
        }
    }

    /// Sends tickets back to the queues they came from.
    async fn hand_back(&self, tickets: &[Queued]) {
        for (binding, lane) in [(config::DELIVERIES, Lane::First), (config::RETRIES, Lane::Retry)] {
            if let Err(refused) = queue::send(&self.env, binding, &put_back(tickets, lane)).await {
                log::warn(
                    &self.id,
                    "tickets could not be handed over; their leases will end",
                    &[("error", &log::chain(&refused.error))],
                );
            }
        }
    }
}

/// What became of something to be done.
enum Start {
    UnderWay(LocalBoxFuture<'static, Heard>),
    Patience(u32),
}

/// Without randomness all callers wait equally long, and nothing else is worse.
fn jitter() -> Jitter {
    Jitter::of(clock::random::<4>().map_or(500, u32::from_le_bytes))
}
