//! The benchmark's command line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt as _};

use crate::stack::Host;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// One event a call at growing rates, to 1 and to 10 webhooks.
    Rates,
    /// A hundred events a call at growing rates.
    Batch,
    /// One event to 1, 10, 100, 1,000 and 10,000 webhooks.
    Fanout,
    /// 99 webhooks with and without one beside them that hangs.
    Isolation,
    /// A receiver that is away, and how soon what waited has arrived.
    Outage,
    /// What the platform counts for each callback, in money.
    Cost,
    /// The least that any Worker must do, by the same load: what bounds the rates.
    Floor,
    /// From the start of the process to the first answer.
    Start,
    /// The same load by the yardstick that other systems were measured with.
    Yardstick,
    /// The dashboard in a browser: its first load, its live list, its memory.
    Page,
}

impl Part {
    /// In the order in which they run.
    pub const ALL: [Self; 10] = [
        Self::Rates,
        Self::Batch,
        Self::Fanout,
        Self::Isolation,
        Self::Outage,
        Self::Cost,
        Self::Floor,
        Self::Start,
        Self::Yardstick,
        Self::Page,
    ];

    /// As `--only` names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rates => "rates",
            Self::Batch => "batch",
            Self::Fanout => "fanout",
            Self::Isolation => "isolation",
            Self::Outage => "outage",
            Self::Cost => "cost",
            Self::Floor => "floor",
            Self::Start => "start",
            Self::Yardstick => "yardstick",
            Self::Page => "page",
        }
    }
}

/// What to measure.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Which parts, in order.
    pub parts: Vec<Part>,
    /// Events a second of the part `rates`, one run each, in order; or each part's own if absent.
    pub rates: Option<Vec<u32>>,
    /// How long each run publishes.
    pub duration: Duration,
    /// On what.
    pub hosts: Vec<Host>,
    /// Webhooks that each event of the part `rates` goes to; 1 and then 10 if absent.
    pub fanout: Option<usize>,
    /// Bytes of an event's body, about.
    pub body_bytes: usize,
    /// What is measured beside this build.
    pub against: Option<Against>,
}

/// Another build that is measured beside this one, in the same run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Against {
    /// Of the dashboard, in this folder: by the part `page`.
    Dashboard(PathBuf),
    /// Of the Worker, in a folder that `cargo xtask bench --against COMMIT` made and named by the commit: by
    /// the parts `floor` and `yardstick`.
    Worker(PathBuf),
}

/// A machine of one's own that reaches the benchmark's receivers.
pub const OWN_MACHINE: Host = Host::OwnMachine(&["--allow-private"]);

/// What a wrong argument shows, and `cargo xtask bench --help` before anything is built.
pub const USAGE: &str = include_str!("usage.txt");

impl Default for Options {
    fn default() -> Self {
        Self {
            parts: Part::ALL.to_vec(),
            rates: None,
            duration: Duration::from_secs(10),
            hosts: vec![Host::Wrangler, Host::Miniflare],
            fanout: None,
            body_bytes: 1024,
            against: None,
        }
    }
}

impl Options {
    /// Reads the arguments that follow the program's name.
    ///
    /// # Errors
    /// A sentence that names the wrong argument.
    pub fn parse(mut arguments: Parser) -> Result<Self, lexopt::Error> {
        let mut options = Self::default();
        let mut only = None;
        while let Some(argument) = arguments.next()? {
            let Arg::Long(name) = argument else { return Err(argument.unexpected()) };
            let name = String::from(name);
            // What refuses a value does not know whose it is.
            let refuse = |cause: lexopt::Error| format!("--{name}: {cause}");
            let mut value = || arguments.value();
            match name.as_str() {
                "only" => only = Some(value()?.parse_with(parts).map_err(refuse)?),
                "rates" => options.rates = Some(value()?.parse_with(rates).map_err(refuse)?),
                "duration" => options.duration = value()?.parse_with(seconds).map_err(refuse)?,
                "fanout" => options.fanout = Some(value()?.parse_with(count).map_err(refuse)?),
                "against" => options.against = Some(value()?.parse_with(against).map_err(refuse)?),
                "body-bytes" => options.body_bytes = value()?.parse_with(count).map_err(refuse)?,
                "runtime" => options.hosts = value()?.parse_with(hosts).map_err(refuse)?,
                _ => return Err(Arg::Long(&name).unexpected()),
            }
        }
        options.parts = match only {
            Some(parts) => parts,
            None if options.rates.is_some() || options.fanout.is_some() => vec![Part::Rates],
            None => options.parts,
        };
        Ok(options)
    }

    /// The folder of another build of the Worker.
    #[must_use]
    pub fn worker_then(&self) -> Option<&Path> {
        match &self.against {
            Some(Against::Worker(folder)) => Some(folder),
            Some(Against::Dashboard(_)) | None => None,
        }
    }

    /// The one runtime of a part that is measured on one only: Miniflare's own API, if it is among them, else
    /// the first.
    #[must_use]
    pub fn host(&self) -> Host {
        let first = self.hosts.first().copied().unwrap_or(Host::Miniflare);
        if self.hosts.contains(&Host::Miniflare) { Host::Miniflare } else { first }
    }
}

/// The parts that are not measured here: they need no server, and `cargo xtask bench` runs them in the
/// ledger.
const ELSEWHERE: [&str; 2] = ["scale", "worst"];

fn parts(text: &str) -> Result<Vec<Part>, String> {
    let named = |name: &str| {
        let found = Part::ALL.into_iter().find(|part| part.name() == name);
        found.ok_or_else(|| format!("there is no part {name:?}"))
    };
    text.split(',').filter(|name| !ELSEWHERE.contains(name)).map(named).collect()
}

fn hosts(text: &str) -> Result<Vec<Host>, &'static str> {
    match text {
        "wrangler" => Ok(vec![Host::Wrangler]),
        "miniflare" => Ok(vec![Host::Miniflare]),
        "own" => Ok(vec![OWN_MACHINE]),
        "both" => Ok(vec![Host::Wrangler, Host::Miniflare]),
        _ => Err("it is wrangler, miniflare, own or both"),
    }
}

fn against(folder: &str) -> Result<Against, &'static str> {
    let folder = PathBuf::from(folder);
    if folder.join("worker/index.js").is_file() {
        return Ok(Against::Worker(folder));
    }
    let is_dashboard = folder.join("index.html").is_file();
    is_dashboard.then_some(Against::Dashboard(folder)).ok_or("the folder holds no built dashboard or Worker")
}

fn rates(text: &str) -> Result<Vec<u32>, &'static str> {
    text.split(',').map(positive).collect()
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    positive(text).map(|seconds| Duration::from_secs(u64::from(seconds)))
}

fn positive(text: &str) -> Result<u32, &'static str> {
    text.trim().parse().ok().filter(|number| *number > 0).ok_or("it is a whole number from 1 on")
}

fn count(text: &str) -> Result<usize, &'static str> {
    usize::try_from(positive(text)?).map_err(|_too_large| "it is too large")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(Parser::from_args(line.split_whitespace())).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn what_is_not_said_keeps_its_default() {
        let options = parse("--only rates,cost --runtime miniflare").expect("right arguments");
        let parts = vec![Part::Rates, Part::Cost];
        assert_eq!(options, Options { parts, hosts: vec![Host::Miniflare], ..Options::default() });
    }

    #[test]
    fn a_part_that_runs_on_one_runtime_takes_what_is_asked_for() {
        for (line, host) in [
            ("", Host::Miniflare),
            ("--runtime own", OWN_MACHINE),
            ("--runtime wrangler", Host::Wrangler),
            ("--runtime both", Host::Miniflare),
        ] {
            assert_eq!(parse(line).expect("right arguments").host(), host, "{line}");
        }
    }

    #[test]
    fn rates_alone_are_measured_where_they_are_given() {
        assert_eq!(parse("--rates 10,20").expect("rates").parts, [Part::Rates]);
        assert_eq!(parse("--rates 10 --only batch,scale,worst").expect("rates").parts, [Part::Batch]);
        assert_eq!(parse("--duration 3").expect("a duration").parts, Part::ALL);
    }

    #[test]
    fn a_page_is_measured_beside_a_folder_with_a_document() {
        let options = parse("--only page --against ../app").expect("right arguments");
        let dashboard = Against::Dashboard(PathBuf::from("../app"));
        assert_eq!(options.worker_then(), None);
        assert_eq!(options.parts, [Part::Page]);
        assert_eq!(options.against, Some(dashboard));
        assert!(parse("--against ../core").expect_err("no page").contains("no built dashboard"));
    }

    #[test]
    fn a_worker_is_measured_beside_a_folder_with_another() {
        let folder = std::env::temp_dir().join(format!("postern-against-{}", std::process::id()));
        fs::create_dir_all(folder.join("worker")).expect("a folder");
        fs::write(folder.join("worker/index.js"), "").expect("a file");
        let options = parse(&format!("--only floor --against {}", folder.display()));
        fs::remove_dir_all(&folder).expect("its end");
        assert_eq!(options.expect("right arguments").worker_then(), Some(folder.as_path()));
    }

    #[test]
    fn a_wrong_argument_is_named() {
        for (line, name) in [
            ("--rates 0", "--rates"),
            ("--fanout x", "--fanout"),
            ("--speed 1", "--speed"),
            ("--duration", "--duration"),
            ("--runtime edge", "--runtime"),
            ("--only rates,speed", "--only"),
            ("--against /dev/null", "--against"),
        ] {
            assert!(parse(line).expect_err(line).contains(name), "{line}");
        }
    }
}
