//! Jobs that wait for each other and otherwise run side by side, as many as the machine has room for.
//!
//! On two cores much of a test run waits: for a receiver that hangs on purpose, for a browser, for the one
//! thread of a link. A job says what it waits for by name, and how much of the machine it takes; it may bring
//! further jobs when it ends. One of load 0 takes nothing: it starts at once, and runs beside the others at
//! low priority.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Result};

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
}

impl Tally {
    /// Both added up.
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

/// What a job found: its count, and a few words, or all it printed if something failed.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) tally: Tally,
    pub(crate) text: String,
}

impl Finding {
    /// One check that passed.
    pub(crate) fn passed(text: impl Into<String>) -> Self {
        Self { tally: Tally { passed: 1, failed: 0 }, text: text.into() }
    }

    /// One check that failed.
    fn failed(text: String) -> Self {
        Self { tally: Tally { passed: 0, failed: 1 }, text }
    }
}

/// What a job comes to: its finding, and jobs that are known only now.
pub(crate) type Outcome<'a> = (Finding, Vec<Job<'a>>);

/// The work of a job.
pub(crate) type Work<'a> = Box<dyn FnOnce() -> Result<Outcome<'a>> + Send + 'a>;

/// One thing to do.
pub(crate) struct Job<'a> {
    name: String,
    after: Vec<&'static str>,
    load: u32,
    work: Work<'a>,
}

impl<'a> Job<'a> {
    /// A job of load 1 that waits for nothing.
    pub(crate) fn new(name: impl Into<String>, work: impl FnOnce() -> Result<Finding> + Send + 'a) -> Self {
        Self::that_brings_more(name, move || work().map(|finding| (finding, Vec::new())))
    }

    /// The same, with jobs to do after it.
    pub(crate) fn that_brings_more(
        name: impl Into<String>,
        work: impl FnOnce() -> Result<Outcome<'a>> + Send + 'a,
    ) -> Self {
        Self { name: name.into(), after: Vec::new(), load: 1, work: Box::new(work) }
    }

    /// Starts only when these have ended well.
    pub(crate) fn after(self, names: &[&'static str]) -> Self {
        Self { after: names.to_vec(), ..self }
    }

    /// Takes so much of the machine.
    pub(crate) fn load(self, load: u32) -> Self {
        Self { load, ..self }
    }
}

/// How a job ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its name.
    pub(crate) name: String,
    /// What it found; `None`: it was not run, because what it waits for failed.
    pub(crate) finding: Option<Finding>,
    /// From the start of the run to its own.
    pub(crate) started: Duration,
    /// How long it took.
    pub(crate) took: Duration,
}

impl Ended {
    /// Whether others may go on after it.
    fn is_well(&self) -> bool {
        self.finding.as_ref().is_some_and(|finding| finding.tally.failed == 0)
    }
}

/// Runs the jobs, those first that come first, and tells `on_end` of each. A job that is too large for the
/// room that is left runs alone.
///
/// # Errors
/// Only a signal that asked us to end; any other failure of a job is its finding.
pub(crate) fn run(jobs: Vec<Job<'_>>, room: u32, mut on_end: impl FnMut(&Ended)) -> Result<Vec<Ended>> {
    let started = Instant::now();
    let mut waiting = jobs;
    let mut ended: Vec<Ended> = Vec::new();
    let mut stopped = None;
    thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        let (mut taken, mut running) = (0, 0_u32);
        loop {
            // A job that is larger than the machine runs alone.
            let left = |taken| if taken == 0 { u32::MAX } else { room.saturating_sub(taken) };
            while let Some(at) = next_of(&waiting, &ended, left(taken)).filter(|_| stopped.is_none()) {
                let job = waiting.remove(at);
                taken += job.load;
                running += 1;
                let tell = tell.clone();
                scope.spawn(move || {
                    let (started_at, load, name) = (started.elapsed(), job.load, job.name);
                    let result = (job.work)();
                    // The loop below waits for as many words as jobs were started.
                    drop(tell.send((name, load, started_at, result)));
                });
            }
            if running == 0 {
                break;
            }
            let Ok((name, load, started_at, result)) = told.recv() else { break };
            taken -= load;
            running -= 1;
            let took = started.elapsed().saturating_sub(started_at);
            let finding = match result {
                Ok((finding, more)) => {
                    waiting.extend(more);
                    finding
                }
                Err(Failure::Sentence(text)) => Finding::failed(text),
                Err(signal @ Failure::Stopped { .. }) => {
                    stopped = Some(signal);
                    continue;
                }
            };
            ended.push(Ended { name, finding: Some(finding), started: started_at, took });
            ended.last().into_iter().for_each(&mut on_end);
        }
    });
    if let Some(signal) = stopped {
        return Err(signal);
    }
    for job in waiting {
        ended.push(Ended { name: job.name, finding: None, started: started.elapsed(), took: Duration::ZERO });
        ended.last().into_iter().for_each(&mut on_end);
    }
    Ok(ended)
}

/// The first that may start. A job that waits for one that failed, or for an unknown one, never may.
fn next_of(waiting: &[Job<'_>], ended: &[Ended], room: u32) -> Option<usize> {
    let is_ready = |job: &Job<'_>| {
        job.after.iter().all(|name| ended.iter().any(|other| other.name == *name && other.is_well()))
    };
    waiting.iter().position(|job| is_ready(job) && job.load <= room)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn names(ended: &[Ended]) -> Vec<(&str, bool)> {
        ended.iter().map(|job| (job.name.as_str(), job.finding.is_some())).collect()
    }

    #[test]
    fn a_job_starts_when_what_it_waits_for_has_ended_well() {
        let order = Mutex::new(Vec::new());
        let note = |name: &'static str| {
            order.lock().expect("no job panics").push(name);
            Ok(Finding::passed(""))
        };
        let jobs = vec![
            Job::new("c", || note("c")).after(&["a", "b"]),
            Job::that_brings_more("a", || Ok((note("a")?, vec![Job::new("d", || note("d")).after(&["c"])]))),
            Job::new("b", || note("b")).after(&["a"]),
        ];
        let ended = run(jobs, 2, |_job| ()).expect("nothing stops it");
        assert_eq!(*order.lock().expect("no job panics"), ["a", "b", "c", "d"]);
        assert_eq!(names(&ended), [("a", true), ("b", true), ("c", true), ("d", true)]);
    }

    #[test]
    fn what_waits_for_a_failure_is_not_run_and_the_rest_is() {
        let jobs = vec![
            Job::new("broken", || Err(Failure::new("why"))),
            Job::new("never", || Ok(Finding::passed(""))).after(&["broken"]),
            Job::new("unknown", || Ok(Finding::passed(""))).after(&["nobody"]),
            Job::new("other", || Ok(Finding::passed(""))),
        ];
        let mut told = Vec::new();
        let ended = run(jobs, 1, |job| told.push(job.name.clone())).expect("nothing stops it");
        assert_eq!(names(&ended), [("broken", true), ("other", true), ("never", false), ("unknown", false)]);
        assert_eq!(told, ["broken", "other", "never", "unknown"]);
        let tally = ended
            .iter()
            .filter_map(|job| job.finding.as_ref())
            .fold(Tally::default(), |sum, finding| sum.plus(finding.tally));
        assert_eq!(tally, Tally { passed: 1, failed: 1 });
    }

    #[test]
    fn no_more_runs_at_once_than_there_is_room_for() {
        let (now, most) = (AtomicU32::new(0), AtomicU32::new(0));
        let job = |load: u32| {
            let (now, most) = (&now, &most);
            Job::new(format!("load {load}"), move || {
                most.fetch_max(now.fetch_add(load, Ordering::SeqCst) + load, Ordering::SeqCst);
                thread::yield_now();
                now.fetch_sub(load, Ordering::SeqCst);
                Ok(Finding::passed(""))
            })
            .load(load)
        };
        let jobs = [1, 2, 1, 1, 2, 1, 3, 1].map(job).into_iter().collect();
        let ended = run(jobs, 3, |_job| ()).expect("nothing stops it");
        assert_eq!(ended.len(), 8);
        assert!(most.load(Ordering::SeqCst) <= 3);
        let large = run(vec![job(9)], 3, |_job| ()).expect("nothing stops it");
        assert_eq!(names(&large), [("load 9", true)], "what never fits runs alone");
    }

    #[test]
    fn what_takes_nothing_is_waited_for_and_hinders_nothing() {
        let (tell, told) = mpsc::channel::<()>();
        let background = Job::new("background", move || {
            told.recv().map_err(|_gone| Failure::new("the other job did not run"))?;
            Ok(Finding::passed(""))
        });
        let other = Job::new("other", move || {
            tell.send(()).map_err(|_gone| Failure::new("the background job has ended"))?;
            Ok(Finding::passed(""))
        });
        let last = Job::new("last", || Ok(Finding::passed(""))).after(&["background"]);
        let ended =
            run(vec![background.load(0), other.load(9), last], 1, |_job| ()).expect("nothing stops it");
        assert!(ended.len() == 3 && ended.iter().all(Ended::is_well), "{ended:?}");
        assert_eq!(ended.last().map(|job| job.name.as_str()), Some("last"));
    }

    #[test]
    fn a_signal_ends_the_run() {
        let jobs = vec![
            Job::new("a", || Err(Failure::Stopped { signal: 15 })),
            Job::new("b", || Ok(Finding::passed(""))).after(&["a"]),
        ];
        assert!(matches!(run(jobs, 2, |_job| ()), Err(Failure::Stopped { signal: 15 })));
    }
}
