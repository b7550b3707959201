//! The benchmark's command line.

use std::path::{Path, PathBuf};
use std::time::Duration;

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
    /// Events a second of the part `rates`, one run each, in order; each part's own where none are given.
    pub rates: Option<Vec<u32>>,
    /// How long each run publishes.
    pub duration: Duration,
    /// On what.
    pub hosts: Vec<Host>,
    /// Webhooks that each event of the part `rates` goes to; 1 and then 10 where it is not given.
    pub fanout: Option<usize>,
    /// Bytes of an event's body, about.
    pub body_bytes: usize,
    /// Another build of the dashboard, which the part `page` measures beside this one.
    pub against: Option<PathBuf>,
}

/// What `--help` and a wrong argument show.
pub const USAGE: &str = "\
cargo xtask bench [--only rates,batch,fanout,isolation,outage,cost,floor,start,yardstick,page,scale,worst]
                  [--rates 50,100,200,400] [--fanout 1] [--duration SECONDS=10] [--runtime wrangler|miniflare|both] [--body-bytes 1024]
                  [--against DIST_FOLDER]
Without --only everything is measured (about 40 minutes), or the rates alone where --rates or --fanout is given.
`scale` and `worst` need no server and run in the ledger; `yardstick` needs ../shared/hookbench.
`page` measures the dashboard under wrangler alone, and the build of --against beside it.";

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
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        let mut only = None;
        let mut arguments = arguments.into_iter();
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} wants a value"))?;
            let wrong = || format!("{name} cannot be {value:?}");
            match name.as_str() {
                "--only" => only = Some(parts(&value).ok_or_else(wrong)?),
                "--rates" => {
                    options.rates =
                        Some(value.split(',').map(positive).collect::<Option<_>>().ok_or_else(wrong)?);
                }
                "--duration" => {
                    options.duration = Duration::from_secs(u64::from(positive(&value).ok_or_else(wrong)?));
                }
                "--fanout" => options.fanout = Some(count(&value).ok_or_else(wrong)?),
                "--against" => options.against = Some(dashboard(&value)?),
                "--body-bytes" => options.body_bytes = count(&value).ok_or_else(wrong)?,
                "--runtime" => {
                    options.hosts = match value.as_str() {
                        "wrangler" => vec![Host::Wrangler],
                        "miniflare" => vec![Host::Miniflare],
                        "both" => vec![Host::Wrangler, Host::Miniflare],
                        _ => return Err(wrong()),
                    };
                }
                _ => return Err(format!("there is no {name}")),
            }
        }
        options.parts = match only {
            Some(parts) => parts,
            None if options.rates.is_some() || options.fanout.is_some() => vec![Part::Rates],
            None => options.parts,
        };
        Ok(options)
    }

    /// The one runtime of a part that is measured on one only: Miniflare's own API, if it is among them.
    #[must_use]
    pub fn host(&self) -> Host {
        if self.hosts.contains(&Host::Miniflare) { Host::Miniflare } else { Host::Wrangler }
    }
}

/// The parts that are not measured here: they need no server, and `cargo xtask bench` runs them in the ledger.
const ELSEWHERE: [&str; 2] = ["scale", "worst"];

fn parts(text: &str) -> Option<Vec<Part>> {
    let named = |name| Part::ALL.into_iter().find(|part| part.name() == name);
    text.split(',').filter(|name| !ELSEWHERE.contains(name)).map(named).collect()
}

fn dashboard(folder: &str) -> Result<PathBuf, String> {
    let is_built = Path::new(folder).join("index.html").is_file();
    is_built
        .then(|| PathBuf::from(folder))
        .ok_or_else(|| format!("--against names {folder:?}, which holds no built dashboard"))
}

fn positive(text: &str) -> Option<u32> {
    text.trim().parse().ok().filter(|number| *number > 0)
}

fn count(text: &str) -> Option<usize> {
    positive(text).and_then(|count| usize::try_from(count).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn what_is_not_said_keeps_its_default() {
        let options = parse("--only rates,cost --runtime miniflare").expect("right arguments");
        let parts = vec![Part::Rates, Part::Cost];
        assert_eq!(options, Options { parts, hosts: vec![Host::Miniflare], ..Options::default() });
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
        assert_eq!((options.parts, options.against), (vec![Part::Page], Some(PathBuf::from("../app"))));
        assert!(parse("--against ../core").expect_err("no page").contains("no built dashboard"));
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
