//! The machine of one invocation, and what is said to it and by it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use postern_core::id::Seq;
use postern_core::time::Timestamp;
use postern_core::webhook::ProjectName;
use postern_ledger::{Report, Work, WorkEvent, WorkSet};

use crate::backoff::{Jitter, backoff_ms};
use crate::message::Queued;
use crate::pace::{HANGS_AFTER_MS, Pace, Paces};
use crate::size::take_what_fits;

/// How often a ticket is put back. Each time takes a second, and the shortest lease is 31 s.
pub(super) const HOPS_MAX: u32 = 20;
/// How often tickets are claimed in vain before they go back to their queue.
const CLAIM_TRIES: u32 = 3;
/// How often an invocation that waits for calls looks whether they hang.
const LOOK_EVERY_MS: i64 = 500;
/// So long nothing else must have finished before attempts are reported without a claim.
const QUIET_MS: i64 = 100;
/// No finished attempt waits longer than this.
const REPORT_WITHIN_MS: i64 = 1_000;
/// A claim that has taken longer than this keeps no connection and no report from the others.
const CLAIM_HANGS_AFTER_MS: i64 = 5_000;
/// Kept free at the end of an invocation for its last report.
const LAST_REPORT_MS: i64 = 2_000;
/// A call that may take longer than this has to start early to fit into an invocation.
const LONG_S: u32 = 25;
/// So many of them go before others: they have no time to wait.
const LONG_FIRST_MAX: usize = 2;
/// When it has to have started.
const LONG_STARTS_WITHIN_MS: i64 = 3_000;
/// What is kept free for the report of a long one.
const LONG_REPORT_MS: i64 = 500;
/// Nothing is claimed when less than this is left: calls take 10 s at most by default.
const CLAIMS_UNTIL_MS: i64 = 10_000 + LAST_REPORT_MS;

/// What one invocation may do at once.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Calls that run at once.
    pub calls: usize,
    /// Calls to one webhook that run at once while others wait: about half, so that two hanging webhooks
    /// are needed to stop a third.
    pub calls_per_webhook: usize,
    /// Attempts that are claimed and have not started at most, of webhooks that are known to be quick.
    pub quick: usize,
    /// So many hanging calls let the other tickets go back to their queue.
    pub hanging: usize,
    /// Projects that are asked for work at once.
    pub claims: usize,
}

impl Bounds {
    /// Those of the platform: six connections (docs/platform.md 2.4) less one. 40 quick calls, five at
    /// once, take 4 s.
    pub const PLATFORM: Self = Self { calls: 5, calls_per_webhook: 3, quick: 40, hanging: 3, claims: 5 };
}

/// The time that an invocation has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    began: Timestamp,
    ends: Timestamp,
}

impl Shift {
    /// An invocation that ends at `ends`, whatever it is doing.
    #[must_use]
    pub const fn new(began: Timestamp, ends: Timestamp) -> Self {
        Self { began, ends }
    }

    /// A call may start that takes at most so long: for how many seconds; `None` where it would not end in
    /// time.
    fn patience_s(self, now: Timestamp, timeout_s: u32) -> Option<u32> {
        let left_ms = self.ends.ms_since(now);
        let timeout_ms = i64::from(timeout_s) * 1_000;
        if timeout_ms + LAST_REPORT_MS <= left_ms {
            return Some(timeout_s);
        }
        // An invocation is hardly longer than the longest timeout: the last second of it is given away.
        let is_early = now.ms_since(self.began) <= LONG_STARTS_WITHIN_MS;
        let fits_s = u32::try_from((left_ms - LONG_REPORT_MS) / 1_000).ok()?.min(timeout_s);
        (timeout_s > LONG_S && is_early && fits_s > LONG_S).then_some(fits_s)
    }

    /// Whether a call that starts now can end within its lease and within the invocation. One that can't
    /// would be made twice.
    fn has_time_for(self, work: &Work, now: Timestamp) -> bool {
        let fits_lease = work.lease_until.ms_since(now) >= i64::from(work.timeout_s) * 1_000;
        fits_lease && self.patience_s(now, work.timeout_s).is_some()
    }

    fn takes_claims(self, now: Timestamp) -> bool {
        self.ends.ms_since(now) >= CLAIMS_UNTIL_MS
    }
}

/// A work that was claimed, with its event.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Whose.
    pub project: ProjectName,
    /// The call to make.
    pub work: Work,
    /// What it tells.
    pub event: Rc<WorkEvent>,
}

/// A report, with the end of its lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// What came of the attempt.
    pub report: Report,
    /// When the ledger takes the attempt for lost.
    pub until: Timestamp,
}

/// A call of this invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId(u64);

/// What the invocation has to do.
#[derive(Debug)]
pub enum Do {
    /// Make a call, and tell [`Heard::Called`].
    Call {
        /// Names it.
        call: CallId,
        /// What to call.
        ready: Box<Ready>,
        /// Seconds that it may take.
        timeout_s: u32,
    },
    /// Report and claim in one call of the project, and tell [`Heard::Claimed`] or [`Heard::NotClaimed`].
    Claim {
        /// Whom to ask.
        project: ProjectName,
        /// What is done.
        reports: Vec<Parcel>,
        /// What to take.
        tickets: Vec<Queued>,
    },
    /// Put tickets back into their queues, and tell [`Heard::Done`].
    HandBack {
        /// Which.
        tickets: Vec<Queued>,
    },
    /// Leave reports for the project, and tell [`Heard::Done`] when they are on their way or somebody else
    /// carries them.
    Report {
        /// Whose.
        project: ProjectName,
        /// What is done.
        reports: Vec<Parcel>,
    },
    /// Give back what was claimed and will not start, and tell [`Heard::Done`].
    Unclaim {
        /// Whose.
        project: ProjectName,
        /// Which.
        works: Vec<Work>,
    },
    /// Nothing more is to be done before so many milliseconds have passed, unless something is heard.
    Sleep {
        /// How long.
        ms: u32,
    },
}

/// Why a project could not be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It may work another time; whether it was done this time is not known.
    Passing,
    /// It will not work another time either.
    Lasting,
}

/// What came of something that was to be done.
#[derive(Debug)]
pub enum Heard {
    /// A call has ended.
    Called {
        /// Which.
        call: CallId,
        /// `None`: there is nothing to report, because the webhook is gone or cannot be known.
        report: Option<Box<Report>>,
    },
    /// A claim yielded these.
    Claimed {
        /// Whose.
        project: ProjectName,
        /// What may be called.
        works: WorkSet,
    },
    /// A claim failed.
    NotClaimed {
        /// Whose.
        project: ProjectName,
        /// Why.
        fault: Fault,
        /// For the wait before the next.
        jitter: Jitter,
    },
    /// Something that is not waited for has ended.
    Done,
}

/// A call under way.
#[derive(Debug)]
pub(super) struct Running {
    project: ProjectName,
    webhook: Seq,
    lease_until: Timestamp,
    since: Timestamp,
    is_long: bool,
}

/// A claim under way.
#[derive(Debug)]
struct Claiming {
    since: Timestamp,
    reports: Vec<Parcel>,
    tickets: Vec<Queued>,
    /// Connections that its calls will take.
    reserved: usize,
}

/// A project that could not be asked.
#[derive(Clone, Copy, Debug)]
struct Resting {
    failures: u32,
    until: Timestamp,
}

/// One invocation of the dispatcher.
#[derive(Debug)]
pub struct Desk {
    bounds: Bounds,
    pub(super) shift: Shift,
    /// Not claimed: by pace, and in turn by webhook.
    tickets: VecDeque<Queued>,
    /// Claimed, not started.
    ready: VecDeque<Ready>,
    pub(super) running: BTreeMap<CallId, Running>,
    calls: u64,
    claiming: BTreeMap<ProjectName, Claiming>,
    resting: BTreeMap<ProjectName, Resting>,
    /// Finished, not reported.
    done: BTreeMap<ProjectName, Vec<Parcel>>,
    /// When the oldest of `done` came in.
    done_since: Timestamp,
    heard_at: Timestamp,
    /// Things that were started and have not ended, beside calls and claims.
    others: usize,
}

impl Desk {
    /// A desk that is to take these tickets.
    #[must_use]
    pub fn new(bounds: Bounds, shift: Shift, tickets: Vec<Queued>, paces: &Paces, now: Timestamp) -> Self {
        let mut tickets = in_turn(tickets, |queued| (queued.project.clone(), queued.ticket.webhook));
        tickets.sort_by_cached_key(|queued| paces.of(&queued.project, queued.ticket.webhook, now)); // stable
        Self {
            bounds,
            shift,
            tickets: tickets.into(),
            ready: VecDeque::new(),
            running: BTreeMap::new(),
            calls: 0,
            claiming: BTreeMap::new(),
            resting: BTreeMap::new(),
            done: BTreeMap::new(),
            done_since: now,
            heard_at: now,
            others: 0,
        }
    }

    /// Takes works that are claimed already.
    pub fn take(&mut self, project: &ProjectName, set: WorkSet, paces: &Paces, now: Timestamp) {
        let events: BTreeMap<Seq, Rc<WorkEvent>> =
            set.events.into_iter().map(|event| (event.seq, Rc::new(event))).collect();
        let mut works = in_turn(set.works, |work| work.webhook);
        // A quick call must not stand behind one that may hang: it would wait for its connection.
        works.sort_by_cached_key(|work| paces.of(project, work.webhook, now)); // stable
        for work in works {
            if let Some(event) = events.get(&work.event) {
                self.ready.push_back(Ready { project: project.clone(), event: Rc::clone(event), work });
            }
        }
    }

    /// Whether nothing is left to do or to wait for.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.tickets.is_empty()
            && self.ready.is_empty()
            && self.running.is_empty()
            && self.claiming.is_empty()
            && self.done.is_empty()
            && self.others == 0
    }

    /// What is to be done now.
    pub fn next(&mut self, paces: &mut Paces, now: Timestamp) -> Vec<Do> {
        let mut todo = Vec::new();
        let hanging = self.note_hanging(paces, now);
        let shift = self.shift;
        self.unclaim(|ready| shift.has_time_for(&ready.work, now), &mut todo);
        self.start_calls(now, &mut todo);
        if hanging.len() >= self.bounds.calls {
            self.unclaim(|_ready| false, &mut todo);
        } else {
            self.unclaim(|ready| !hanging.contains(&(ready.project.clone(), ready.work.webhook)), &mut todo);
        }
        self.leave_hanging_claims(now);
        if hanging.is_empty() && shift.takes_claims(now) {
            self.start_claims(paces, now, &mut todo);
        } else {
            self.hand_back(|_queued| true, &mut todo);
        }
        self.hand_back_unclaimable(&mut todo);
        self.send_reports(now, &mut todo);
        todo.extend(self.patience(now));
        todo
    }

    /// Takes note of what came of something.
    pub fn heard(&mut self, heard: Heard, paces: &mut Paces, now: Timestamp) {
        self.heard_at = now;
        match heard {
            Heard::Called { call, report } => self.called(call, report, paces, now),
            Heard::Claimed { project, works } => {
                self.claiming.remove(&project);
                self.resting.remove(&project);
                self.take(&project, works, paces, now);
            }
            Heard::NotClaimed { project, fault, jitter } => self.not_claimed(&project, fault, jitter, now),
            Heard::Done => self.others = self.others.saturating_sub(1),
        }
    }

    fn called(&mut self, call: CallId, report: Option<Box<Report>>, paces: &mut Paces, now: Timestamp) {
        let Some(running) = self.running.remove(&call) else { return };
        let Some(report) = report else { return };
        let pace = Pace::of(i64::from(report.attempt.duration_ms));
        paces.note(&running.project, running.webhook, pace, now);
        let parcel = Parcel { report: *report, until: running.lease_until };
        self.keep_to_report(&running.project, vec![parcel], now);
    }

    /// The reports go on by themselves; the tickets are claimed again, or are left where that is of no use.
    fn not_claimed(&mut self, project: &ProjectName, fault: Fault, jitter: Jitter, now: Timestamp) {
        let Some(claim) = self.claiming.remove(project) else { return };
        if fault == Fault::Lasting {
            self.tickets.retain(|queued| queued.project != *project);
            return;
        }
        self.keep_to_report(project, claim.reports, now);
        for queued in claim.tickets.into_iter().rev() {
            self.tickets.push_front(queued);
        }
        let failures = self.resting.get(project).map_or(0, |resting| resting.failures) + 1;
        let until = now.plus_ms(backoff_ms(failures, jitter));
        self.resting.insert(project.clone(), Resting { failures, until });
    }

    /// Keeps finished attempts until they are reported. Those of a claim that failed or hangs may arrive
    /// twice: the operation is compare-and-set.
    fn keep_to_report(&mut self, project: &ProjectName, reports: Vec<Parcel>, now: Timestamp) {
        if reports.is_empty() {
            return;
        }
        if self.done.is_empty() {
            self.done_since = now;
        }
        self.done.entry(project.clone()).or_default().extend(reports);
    }

    /// What a claim holds that hangs: connections that other projects could use, and reports that would be
    /// lost with this invocation.
    fn leave_hanging_claims(&mut self, now: Timestamp) {
        let mut left = Vec::new();
        for (project, claim) in &mut self.claiming {
            if now.ms_since(claim.since) >= CLAIM_HANGS_AFTER_MS {
                claim.reserved = 0;
                left.push((project.clone(), std::mem::take(&mut claim.reports)));
            }
        }
        for (project, reports) in left {
            self.keep_to_report(&project, reports, now);
        }
    }

    /// The webhooks of the calls that hang, one for each call, where so many do that others should not wait
    /// for them.
    fn note_hanging(&self, paces: &mut Paces, now: Timestamp) -> Vec<(ProjectName, Seq)> {
        let hangs = |running: &&Running| now.ms_since(running.since) >= HANGS_AFTER_MS;
        let hanging: Vec<_> = self
            .running
            .values()
            .filter(hangs)
            .map(|running| (running.project.clone(), running.webhook))
            .collect();
        if hanging.len() < self.bounds.hanging {
            return Vec::new();
        }
        for (project, webhook) in &hanging {
            paces.note(project, *webhook, Pace::Hanging, now);
        }
        hanging
    }

    /// Gives back what is claimed and not to be kept.
    fn unclaim(&mut self, is_kept: impl Fn(&Ready) -> bool, todo: &mut Vec<Do>) {
        let mut given_back: BTreeMap<ProjectName, Vec<Work>> = BTreeMap::new();
        self.ready.retain(|ready| {
            let is_kept = is_kept(ready);
            if !is_kept {
                given_back.entry(ready.project.clone()).or_default().push(ready.work.clone());
            }
            is_kept
        });
        for (project, works) in given_back {
            self.others += 1;
            todo.push(Do::Unclaim { project, works });
        }
    }

    fn running_of(&self, project: &ProjectName, webhook: Seq) -> usize {
        let is_of = |running: &&Running| running.webhook == webhook && running.project == *project;
        self.running.values().filter(is_of).count()
    }

    fn ready_of(&self, project: &ProjectName, webhook: Seq) -> usize {
        self.ready.iter().filter(|ready| ready.work.webhook == webhook && ready.project == *project).count()
    }

    /// How many of the connections one webhook may have: all, where no other waits.
    fn share(&self) -> usize {
        let tickets = self.tickets.iter().chain(self.claiming.values().flat_map(|claim| &claim.tickets));
        let waiting = tickets.map(|queued| (&queued.project, queued.ticket.webhook));
        let mut waiting = waiting.chain(self.ready.iter().map(|ready| (&ready.project, ready.work.webhook)));
        let is_alone = waiting.next().is_none_or(|first| waiting.all(|other| other == first));
        if is_alone { self.bounds.calls } else { self.bounds.calls_per_webhook }
    }

    fn start_calls(&mut self, now: Timestamp, todo: &mut Vec<Do>) {
        let share = self.share();
        while self.running.len() < self.bounds.calls {
            let has_room = |ready: &Ready| self.running_of(&ready.project, ready.work.webhook) < share;
            let long = self.running.values().filter(|running| running.is_long).count();
            let long_first = |ready: &Ready| long < LONG_FIRST_MAX && is_long(ready) && has_room(ready);
            let next =
                self.ready.iter().position(long_first).or_else(|| self.ready.iter().position(has_room));
            let Some(ready) = next.and_then(|at| self.ready.remove(at)) else { return };
            // Whatever does not fit was given back.
            let timeout_s = self.shift.patience_s(now, ready.work.timeout_s).unwrap_or(ready.work.timeout_s);
            self.calls += 1;
            let call = CallId(self.calls);
            self.running.insert(
                call,
                Running {
                    project: ready.project.clone(),
                    webhook: ready.work.webhook,
                    lease_until: ready.work.lease_until,
                    since: now,
                    is_long: is_long(&ready),
                },
            );
            todo.push(Do::Call { call, ready: Box::new(ready), timeout_s });
        }
    }

    /// Connections that no call has or is going to have.
    fn room(&self) -> usize {
        let reserved: usize = self.claiming.values().map(|claim| claim.reserved).sum();
        self.bounds.calls.saturating_sub(self.running.len() + reserved)
    }

    /// Claims while there is room, of several projects at once, and reports in the same calls.
    fn start_claims(&mut self, paces: &Paces, now: Timestamp, todo: &mut Vec<Do>) {
        let mut passed: BTreeSet<ProjectName> = BTreeSet::new();
        while self.claiming.len() < self.bounds.claims && self.room() > 0 {
            let may_be_asked = |queued: &&Queued| {
                let project = &queued.project;
                !passed.contains(project)
                    && !self.claiming.contains_key(project)
                    && self.resting.get(project).is_none_or(|resting| resting.until <= now)
            };
            let next = self.tickets.iter().find(may_be_asked).map(|queued| queued.project.clone());
            let Some(project) = next else { return };
            let (tickets, reserved) = self.choose(&project, paces, now);
            if tickets.is_empty() {
                passed.insert(project);
                continue;
            }
            let reports = self.done.get_mut(&project).map(take_what_fits).unwrap_or_default();
            self.done.retain(|_project, left| !left.is_empty());
            let claiming =
                Claiming { since: now, reports: reports.clone(), tickets: tickets.clone(), reserved };
            self.claiming.insert(project.clone(), claiming);
            todo.push(Do::Claim { project, reports, tickets });
        }
    }

    /// Takes the tickets of a project that are claimed next, with the connections that they will have: of
    /// each webhook no more than may start, but of those that are known to be quick enough for some
    /// seconds.
    fn choose(&mut self, project: &ProjectName, paces: &Paces, now: Timestamp) -> (Vec<Queued>, usize) {
        let (room, share) = (self.room(), self.share());
        let claimed: usize = self.claiming.values().map(|claim| claim.tickets.len()).sum();
        let mut quick_left = self.bounds.quick.saturating_sub(self.ready.len() + claimed);
        let mut others_left = room;
        // What each webhook may start, and whether it is quick.
        let mut left: BTreeMap<Seq, (usize, Pace)> = BTreeMap::new();
        let (mut quick, mut others) = (Vec::new(), Vec::new());
        let tickets = std::mem::take(&mut self.tickets);
        for queued in tickets {
            let webhook = queued.ticket.webhook;
            if queued.project != *project {
                self.tickets.push_back(queued);
                continue;
            }
            let (may_start, pace) = left.entry(webhook).or_insert_with(|| {
                let taken = self.running_of(project, webhook) + self.ready_of(project, webhook);
                (share.saturating_sub(taken), paces.of(project, webhook, now))
            });
            if *pace == Pace::Quick && *may_start > 0 && quick_left > 0 {
                quick_left -= 1;
                quick.push(queued);
            } else if *pace != Pace::Quick && *may_start > 0 && others_left > 0 {
                *may_start -= 1;
                others_left -= 1;
                others.push(queued);
            } else {
                self.tickets.push_back(queued);
            }
        }
        let reserved = (quick.len().min(self.bounds.calls_per_webhook) + others.len()).min(room);
        quick.extend(others);
        (quick, reserved)
    }

    /// Sends tickets back to their queue. One that has been put back often is left to its lease instead: by
    /// then the ledger offers it anew.
    fn hand_back(&mut self, is_meant: impl Fn(&Queued) -> bool, todo: &mut Vec<Do>) {
        let mut tickets = Vec::new();
        self.tickets.retain(|queued| {
            let is_kept = !is_meant(queued);
            if !is_kept && queued.hops < HOPS_MAX {
                tickets.push(queued.clone());
            }
            is_kept
        });
        if !tickets.is_empty() {
            self.others += 1;
            todo.push(Do::HandBack { tickets });
        }
    }

    /// Tickets of a project that can't be asked.
    fn hand_back_unclaimable(&mut self, todo: &mut Vec<Do>) {
        let given_up: Vec<ProjectName> = self
            .resting
            .iter()
            .filter(|(_project, resting)| resting.failures >= CLAIM_TRIES)
            .map(|(project, _resting)| project.clone())
            .collect();
        if !given_up.is_empty() {
            self.hand_back(|queued| given_up.contains(&queued.project), todo);
        }
    }

    /// Reports where nothing follows that would take the reports along, or they have waited for long.
    fn send_reports(&mut self, now: Timestamp, todo: &mut Vec<Do>) {
        let is_idle = self.running.is_empty() && self.claiming.is_empty() && self.tickets.is_empty();
        let is_quiet = now.ms_since(self.heard_at) >= QUIET_MS;
        let is_late = now.ms_since(self.done_since) >= REPORT_WITHIN_MS;
        if !(is_idle || is_quiet || is_late) {
            return;
        }
        for (project, reports) in std::mem::take(&mut self.done) {
            self.others += 1;
            todo.push(Do::Report { project, reports });
        }
    }

    /// Until when nothing is to be done.
    fn patience(&self, now: Timestamp) -> Option<Do> {
        let reports = (!self.done.is_empty())
            .then(|| self.heard_at.plus_ms(QUIET_MS).min(self.done_since.plus_ms(REPORT_WITHIN_MS)));
        let waits = !self.tickets.is_empty() || !self.ready.is_empty() || !self.claiming.is_empty();
        let looks = waits.then(|| now.plus_ms(LOOK_EVERY_MS));
        let rests = self.tickets.iter().filter_map(|queued| self.resting.get(&queued.project));
        let rested = rests.map(|resting| resting.until).filter(|until| *until > now).min();
        let until = [reports, looks, rested].into_iter().flatten().min()?;
        let ms = until.ms_since(now).clamp(1, LOOK_EVERY_MS);
        Some(Do::Sleep { ms: u32::try_from(ms).unwrap_or(1) })
    }
}

/// Whether a call has to start early in its invocation.
const fn is_long(ready: &Ready) -> bool {
    ready.work.timeout_s > LONG_S
}

/// The same things in an order in which their owners take turns, those that came first in each.
pub(super) fn in_turn<T, K: Ord>(things: Vec<T>, owner: impl Fn(&T) -> K) -> Vec<T> {
    let mut turns = BTreeMap::<K, usize>::new();
    let mut ordered: Vec<(usize, T)> = things
        .into_iter()
        .map(|thing| {
            let turn = turns.entry(owner(&thing)).or_default();
            *turn += 1;
            (*turn, thing)
        })
        .collect();
    ordered.sort_by_key(|(turn, _thing)| *turn); // stable
    ordered.into_iter().map(|(_turn, thing)| thing).collect()
}
