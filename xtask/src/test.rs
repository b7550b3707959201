//! `cargo xtask test`: every check there is, with a count and the times at the end.
//!
//! The checks are jobs ([`schedule`]): what is compiled is compiled once, and what does not wait for each
//! other runs side by side. A check that fails shows what it printed and the others still run. The last line
//! is always `N passed, N failed`: each test of a test program counts as one, each other check (formatting, a
//! size) too. A part that finds no test has failed.
//!
//! Nothing here is bounded by time in what it tries: seeds and counts are fixed, so that every machine tries
//! the same.

use std::fs;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use lexopt::{Arg, Parser, ValueExt as _};

use crate::builds::{self, Output, Profile};
use crate::deploy;
use crate::environment::{self, Browser};
use crate::failure::{Failure, Result};
use crate::files;
use crate::fuzz;
use crate::page;
use crate::process::{self, capture, must_succeed};
use crate::report;
use crate::schedule::{self, Ended, Finding, Job, Tally};
use crate::size;
use crate::test_program::{self, Program, cargo, cargo_test};
use crate::tidy;
use crate::tools::{Apt, Toolbox};
use crate::trunk;
use crate::workspace;

/// Inputs that each fuzz target is fed here, beside its corpus; `cargo xtask fuzz` takes more.
const FUZZ_INPUTS: u64 = 60_000;
/// Jobs whose times are told at the end.
const TIMES_TOLD: usize = 15;
/// Test programs that take long: they start first, so that the run does not end with one of them alone.
const LONG: [&str; 10] = [
    "stack_chaos",
    "clients_schemathesis",
    "simulation",
    "dashboard_axe",
    "delivery_truth",
    "delivery_outcomes",
    "clients_up42",
    "clients_ubiops",
    "clients_actinia",
    "dashboard_engine",
];
/// Test programs that keep two cores busy by themselves.
const HEAVY: [&str; 2] = ["stack_chaos", "simulation"];
/// A part of the checks, as `--only` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Formatting, lints, the repository's own rules, `xtask`'s tests.
    Tidy,
    /// The domain.
    Core,
    /// The ledger, the engine around it, and their simulation.
    Ledger,
    /// The Worker: what is tested natively, its size, a deployment without the last step.
    Edge,
    /// The dashboard: what is tested natively, its size.
    App,
    /// HTTP against a running stack.
    E2e,
    /// The parsers of outside text: their corpora, and new input for some seconds each.
    Fuzz,
    /// Other systems' clients against a running stack.
    Clients,
    /// Chromium against a running stack.
    Browser,
}

impl Part {
    const ALL: [Self; 9] = [
        Self::Tidy,
        Self::Core,
        Self::Ledger,
        Self::Edge,
        Self::App,
        Self::Fuzz,
        Self::E2e,
        Self::Clients,
        Self::Browser,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Tidy => "tidy",
            Self::Core => "core",
            Self::Ledger => "ledger",
            Self::Edge => "edge",
            Self::App => "app",
            Self::E2e => "e2e",
            Self::Fuzz => "fuzz",
            Self::Clients => "clients",
            Self::Browser => "browser",
        }
    }

    /// The part that a test target of `tests/` belongs to, by the start of its name.
    pub(crate) fn of_target(target: &str) -> Option<Self> {
        match target.split('_').next()? {
            "api" | "delivery" | "stack" => Some(Self::E2e),
            "clients" => Some(Self::Clients),
            "dashboard" => Some(Self::Browser),
            _ => None,
        }
    }

    /// The part that a test program belongs to.
    fn of_program(program: &Program) -> Option<Self> {
        match (program.package.as_str(), program.target.as_str()) {
            ("core" | "examples/executor", _) => Some(Self::Core),
            ("ledger" | "engine", _) => Some(Self::Ledger),
            ("edge", _) => Some(Self::Edge),
            ("app", _) => Some(Self::App),
            ("tests", "postern_tests") => Some(Self::E2e),
            ("tests", target) => Self::of_target(target),
            _ => None,
        }
    }

    /// Whether it runs against a stack made of the built outputs.
    const fn needs_a_stack(self) -> bool {
        matches!(self, Self::E2e | Self::Clients | Self::Browser)
    }

    /// The outputs that it looks at or runs.
    const fn outputs(self) -> &'static [Output] {
        match self {
            Self::Tidy | Self::Core | Self::Ledger | Self::Fuzz => &[],
            Self::App => &[Output::Dashboard],
            // A deployment takes the dashboard along.
            Self::Edge | Self::Clients => &Output::SERVED,
            Self::E2e | Self::Browser => &[Output::Dashboard, Output::Worker, Output::Vectors],
        }
    }

    /// Whether it compiles to wasm32 or runs a tool that we bring.
    const fn needs_tools(self) -> bool {
        !matches!(self, Self::Core | Self::Ledger | Self::Fuzz)
    }

    /// The packages whose tests it runs; those against a stack name their targets, of which a part has some.
    fn selection(self) -> Result<Vec<String>> {
        let packages = |names: &[&str]| {
            names.iter().flat_map(|name| ["--package".to_owned(), (*name).to_owned()]).collect()
        };
        Ok(match self {
            Self::Tidy | Self::Fuzz => Vec::new(),
            Self::Core => [
                packages(&["postern-core", "postern-executor"]),
                vec!["--features=postern-core/openapi".to_owned()],
            ]
            .concat(),
            Self::Ledger => packages(&["postern-ledger", "postern-engine"]),
            Self::Edge => packages(&["postern-edge"]),
            Self::App => packages(&["postern-app"]),
            Self::E2e | Self::Clients | Self::Browser => {
                let mut found: Vec<String> = packages(&["postern-tests"]);
                if self == Self::E2e {
                    found.push("--lib".to_owned());
                }
                for target in targets()?.into_iter().filter(|target| Self::of_target(target) == Some(self)) {
                    found.extend(["--test".to_owned(), target]);
                }
                found
            }
        })
    }
}

/// What was asked for on the command line.
pub(crate) struct Options {
    parts: Vec<Part>,
}

impl Options {
    /// Reads the arguments after `test`.
    ///
    /// # Errors
    /// One sentence about the first that is not understood.
    pub(crate) fn parse(mut arguments: Parser) -> Result<Self> {
        let mut parts = Part::ALL.to_vec();
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("only") => parts = vec![part(&arguments.value()?.string()?)?],
                other => return Err(Failure::argument("test", "--only PART", other)),
            }
        }
        Ok(Self { parts })
    }
}

fn part(name: &str) -> Result<Part> {
    Part::ALL.into_iter().find(|part| part.name() == name).ok_or_else(|| {
        let names = Part::ALL.map(Part::name).join(", ");
        Failure::new(format!("There is no part `{name}`; there are {names}."))
    })
}

/// Runs the parts and counts.
///
/// # Errors
/// Only a signal: whatever else fails is counted.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let started = Instant::now();
    let tools = if options.parts.iter().any(|part| part.needs_tools()) {
        match Toolbox::prepare().and_then(|tools| builds::fetch_crates().map(|()| tools)) {
            Ok(tools) => Some(tools),
            Err(stopped @ Failure::Stopped { .. }) => return Err(stopped),
            Err(failure) => {
                report::complain(failure.to_string());
                None
            }
        }
    } else {
        None
    };
    let lacks_tools = tools.is_none() && options.parts.iter().any(|part| part.needs_tools());
    let room = thread::available_parallelism()
        .map_or(2, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX))
        .saturating_add(1);
    let ended = schedule::run(jobs(&options.parts, tools.as_ref())?, room, tell)?;
    tell_times(&ended, started.elapsed());
    let mut tally = ended
        .iter()
        .filter_map(|job| job.finding.as_ref())
        .fold(Tally::default(), |sum, finding| sum.plus(finding.tally));
    if lacks_tools {
        report::complain("Tools are missing, so what needs them was not run.");
        tally.failed += 1;
    }
    for part in without_a_test(&options.parts, &ended) {
        report::complain(format!("No test of the part `{}` was run.", part.name()));
        tally.failed += 1;
    }
    report::say(format!("\nTook {}.", report::seconds(started.elapsed())));
    report::say(format!("{} passed, {} failed", tally.passed, tally.failed));
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The parts of which nothing passed and nothing failed.
fn without_a_test<'a>(parts: &'a [Part], ended: &'a [Ended]) -> impl Iterator<Item = Part> + 'a {
    let is_tested = |part: &Part| {
        let start = format!("{}: ", part.name());
        ended.iter().any(|job| {
            job.name.starts_with(&start)
                && job.finding.as_ref().is_some_and(|found| found.tally != Tally::default())
        })
    };
    parts.iter().copied().filter(move |part| !is_tested(part))
}

/// Says what came of a job.
fn tell(job: &Ended) {
    let time = report::seconds(job.took);
    match &job.finding {
        None => report::say(format!("  - {:<44} not run: what it needs failed or is missing", job.name)),
        Some(finding) if finding.tally.failed == 0 => {
            report::say(format!("  ✓ {:<44} {:<32} {time}", job.name, finding.text));
        }
        Some(Finding { tally, text }) => {
            report::say(format!(
                "{}\n  ✗ {:<44} {} of {} failed {time}",
                end_of(text),
                job.name,
                tally.failed,
                tally.passed + tally.failed
            ));
        }
    }
}

/// Says where the time went: the longest jobs, and how much ran side by side.
fn tell_times(ended: &[Ended], all: Duration) {
    let mut longest: Vec<&Ended> = ended.iter().collect();
    longest.sort_by_key(|job| std::cmp::Reverse(job.took));
    let sum: Duration = ended.iter().map(|job| job.took).sum();
    report::say(format!(
        "\nwhere the time went ({} of work in {})",
        report::seconds(sum),
        report::seconds(all)
    ));
    for job in longest.into_iter().take(TIMES_TOLD) {
        report::say(format!(
            "  {:<44} {:>14}, from {}",
            job.name,
            report::seconds(job.took),
            report::seconds(job.started)
        ));
    }
}

/// Everything that the parts ask for.
fn jobs<'a>(parts: &[Part], tools: Option<&'a Toolbox>) -> Result<Vec<Job<'a>>> {
    let asks = |wanted: Part| parts.contains(&wanted);
    let mut jobs = Vec::new();
    let selections = selections(parts)?;
    let compiles_nothing = selections.is_empty();
    if !compiles_nothing {
        let (parts, tools) = (parts.to_vec(), tools);
        jobs.push(Job::that_brings_more(COMPILED, move || {
            let mut programs = Vec::new();
            for selection in &selections {
                programs
                    .extend(test_program::build(&selection.iter().map(String::as_str).collect::<Vec<_>>())?);
            }
            let jobs = program_jobs(programs, &parts, tools);
            Ok((Finding { tally: Tally::default(), text: format!("{} test programs", jobs.len()) }, jobs))
        }));
    }
    if let Some(tools) = tools {
        for output in [Output::Worker, Output::Dashboard, Output::Vectors] {
            if parts.iter().any(|part| part.outputs().contains(&output)) {
                jobs.push(build_job(tools, output));
            }
        }
        if parts.iter().any(|part| part.needs_a_stack()) {
            jobs.push(Job::new(ENVIRONMENTS, || {
                environment::virtual_environments().map(|()| Finding::passed(""))
            }));
        }
        if asks(Part::Browser) {
            jobs.push(Job::new(CHROMIUM, || Browser::find_or_install().map(|_found| Finding::passed(""))));
        }
    }
    if asks(Part::Tidy) {
        // Cargo builds one thing at a time: what waits for it would only take a place.
        let after: &[&'static str] = if compiles_nothing { &[] } else { &[COMPILED] };
        jobs.extend(tidy_jobs(tools, after));
    }
    if asks(Part::Fuzz) {
        jobs.push(Job::new("fuzz: parsers of outside text", fuzz_shortly));
    }
    if let Some(tools) = tools {
        if asks(Part::Edge) {
            jobs.push(Job::new("edge: gzip size", size::check_worker).after(&[Output::Worker.name()]));
            let dry_run = move || {
                let output = deploy::dry_run(tools)?;
                if output.succeeded {
                    Ok(Finding::passed("goes through"))
                } else {
                    Err(Failure::new(output.text))
                }
            };
            jobs.push(
                Job::new("edge: wrangler deploy --dry-run", dry_run).after(&Output::SERVED.map(Output::name)),
            );
        }
        if asks(Part::App) {
            jobs.push(
                Job::new("app: gzip size of the first load", size::check_first_load)
                    .after(&[Output::Dashboard.name()]),
            );
            jobs.extend(trunk_jobs(tools, parts));
        }
    }
    Ok(jobs)
}

/// Names of jobs that others wait for.
const COMPILED: &str = "test programs, compiled";
const ENVIRONMENTS: &str = "virtual environments";
const CHROMIUM: &str = "Chromium";
const TRUNK: &str = "trunk";
const ONE_PAGE: &str = "app: the same page with trunk and without";

/// What cargo is asked to build for these parts, one list of arguments a build. Crates that are shipped apart
/// are built apart: in one build they would have each other's features, and be tested as no one runs them
/// (the order of an object's members, say).
fn selections(parts: &[Part]) -> Result<Vec<Vec<String>>> {
    let is_of_stack = |part: &&Part| part.needs_a_stack();
    let mut selections = parts
        .iter()
        .filter(|part| !is_of_stack(part))
        .map(|part| part.selection())
        .collect::<Result<Vec<_>>>()?;
    let of_stack =
        parts.iter().filter(is_of_stack).map(|part| part.selection()).collect::<Result<Vec<_>>>()?;
    selections.push(of_stack.concat());
    selections.retain(|selection| !selection.is_empty());
    Ok(selections)
}

/// Trunk, and that the page is the same without it. If it is absent, the whole run compiles one beside
/// its other jobs, once for a machine; a part of it does not, because it would wait for minutes for that
/// alone.
fn trunk_jobs<'a>(tools: &'a Toolbox, parts: &[Part]) -> Vec<Job<'a>> {
    if tools.trunk.is_none() && parts != Part::ALL {
        report::say(format!(
            "  - {ONE_PAGE:<44} not run: there is no trunk here; `cargo xtask test` compiles one"
        ));
        return Vec::new();
    }
    // A machine that can't have a trunk builds the page without one, as a newcomer's does: that counts
    // neither way.
    let find = || match trunk::find_or_compile() {
        Ok(_trunk) => Ok(uncounted("is here")),
        Err(stopped @ Failure::Stopped { .. }) => Err(stopped),
        Err(failure) => {
            report::complain(failure.to_string());
            Ok(uncounted("could not be compiled"))
        }
    };
    let compare = move || compare_pages(tools);
    vec![Job::new(TRUNK, find).load(0), Job::new(ONE_PAGE, compare).after(&[TRUNK, Output::Dashboard.name()])]
}

/// What is said of a job that is not a test.
fn uncounted(text: &str) -> Finding {
    Finding { tally: Tally::default(), text: text.to_owned() }
}

/// Builds the page in the way that was not taken, and compares it file by file with the one in place.
fn compare_pages(tools: &Toolbox) -> Result<Finding> {
    let folder = workspace::stage().join("dashboard-compared");
    files::make_folder(&folder)?;
    if tools.trunk.is_some() {
        page::build_alone(tools, Profile::Release, &folder)?;
    } else if let Some(trunk) = trunk::find()? {
        page::build_with_trunk(&trunk, tools, Profile::Release, &folder)?;
    } else {
        return Ok(uncounted("not run: there is no trunk here"));
    }
    let mut compare = process::command("diff");
    compare.args(["--brief", "--recursive"]).arg(&folder).arg(Output::Dashboard.folder());
    must_succeed(compare, "The same page with trunk and without")?;
    Ok(Finding::passed(format!("{} files", files::under(&folder)?.len())))
}

fn build_job(tools: &Toolbox, output: Output) -> Job<'_> {
    let build = move || {
        builds::bring_up_to_date(tools, output, Profile::Release)
            .map(|_built| Finding::passed("release build"))
    };
    let job = Job::new(output.name(), build);
    // Cargo would make it wait, and it would take a place meanwhile.
    if output == Output::Vectors { job.after(&[Output::Worker.name()]) } else { job }
}

/// A job for each program of the parts, those that take long first.
fn program_jobs<'a>(mut programs: Vec<Program>, parts: &[Part], tools: Option<&'a Toolbox>) -> Vec<Job<'a>> {
    let rank = |program: &Program| LONG.iter().position(|name| *name == program.target).unwrap_or(LONG.len());
    programs.sort_by_key(rank);
    let job = |program: Program| {
        let part = Part::of_program(&program).filter(|part| parts.contains(part))?;
        let load = if HEAVY.contains(&program.target.as_str()) { 2 } else { 1 };
        let name = format!("{}: {}", part.name(), program.target);
        let mut after: Vec<&'static str> = Vec::new();
        if part.needs_a_stack() {
            after.extend(part.outputs().iter().map(|output| output.name()));
            after.push(ENVIRONMENTS);
        }
        if part == Part::Browser {
            after.push(CHROMIUM);
        }
        let run = move || {
            test_program::run(&program, |test| {
                if let Some(tools) = tools.filter(|_| part.needs_a_stack()) {
                    environment::set(test, tools, Browser::find().as_ref());
                }
            })
        };
        Some(Job::new(name, run).after(&after).load(load))
    };
    programs.into_iter().filter_map(job).collect()
}

fn tidy_jobs<'a>(tools: Option<&'a Toolbox>, after: &[&'static str]) -> Vec<Job<'a>> {
    let mut jobs: Vec<Job<'a>> = tidy::RULES
        .into_iter()
        .map(|(claim, rule)| {
            Job::new(format!("tidy: {claim}"), move || {
                let broken = rule()?;
                if broken.is_empty() { Ok(Finding::passed("")) } else { Err(Failure::new(broken.join("\n"))) }
            })
        })
        .collect();
    jobs.push(Job::new("tidy: formatting", || {
        let mut fmt = cargo();
        fmt.args(["fmt", "--all", "--check"]);
        must_succeed(fmt, "cargo fmt").map(|_| Finding::passed(""))
    }));
    jobs.push(
        Job::new("tidy: xtask's own tests", || cargo_test(&["--package", "postern-xtask"])).after(after),
    );
    let clippy_native = || {
        let mut clippy = cargo();
        clippy.args([
            "clippy",
            "--quiet",
            "--keep-going",
            "--workspace",
            "--all-targets",
            "--features",
            "postern-core/openapi",
        ]);
        clippy.args(["--", "--deny", "warnings"]);
        must_succeed(clippy, "cargo clippy").map(|_| Finding::passed(""))
    };
    jobs.push(Job::new("tidy: clippy, native", clippy_native).after(after));
    if let Some(tools) = tools {
        jobs.push(Job::new("tidy: clippy, wasm32", move || lint_for_wasm(tools)));
    }
    jobs
}

/// The last lines of a long output: what went wrong is at its end.
fn end_of(text: &str) -> String {
    const LINES_MAX: usize = 400;
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines.get(lines.len().saturating_sub(LINES_MAX)..).unwrap_or_default().join("\n")
}

/// Each target with its corpus and inputs that are the same everywhere.
fn fuzz_shortly() -> Result<Finding> {
    let found =
        fuzz::feed(&fuzz::Options { amount: fuzz::Amount::Inputs(FUZZ_INPUTS), only: None, keep: false })?;
    let (broken, sound): (Vec<_>, Vec<_>) = found.iter().partition(|target| target.finding.is_some());
    let count = |targets: &[_]| u32::try_from(targets.len()).unwrap_or(u32::MAX);
    let executions: u64 = found.iter().map(|target| target.executions).sum();
    let text = if broken.is_empty() {
        format!("{executions} inputs, no finding")
    } else {
        broken.iter().filter_map(|target| target.finding.as_deref()).collect::<Vec<_>>().join("\n")
    };
    Ok(Finding { tally: Tally { passed: count(&sound), failed: count(&broken) }, text })
}

/// The crates that run as wasm32, linted as such: what is behind `cfg(target_arch)` is checked nowhere else.
fn lint_for_wasm(tools: &Toolbox) -> Result<Finding> {
    let has_clippy = || {
        let mut ask = tools.wasm_cargo();
        ask.args(["clippy", "--version"]).current_dir(workspace::root());
        capture(ask, "cargo clippy --version").map(|output| output.succeeded)
    };
    if !has_clippy()? {
        let apt = if tools.wasm_toolchain.is_some() { Apt::find()? } else { None };
        if let Some(mut apt) = apt {
            apt.install(&["rust-web-clippy".to_owned()])?;
        } else {
            let mut add = process::command("rustup");
            add.args(["component", "add", "clippy"]).current_dir(workspace::root());
            must_succeed(add, "rustup component add clippy")?;
        }
    }
    let mut clippy = tools.wasm_cargo();
    clippy
        .args([
            "clippy",
            "--quiet",
            "--keep-going",
            "--target",
            "wasm32-unknown-unknown",
            "--package",
            "postern-edge",
            "--package",
            "postern-app",
        ])
        .args(["--package", "postern-vectors"])
        .args(["--", "--deny", "warnings"])
        .current_dir(workspace::root());
    must_succeed(clippy, "cargo clippy").map(|_| Finding::passed(""))
}

/// The names of the test targets of `tests/`.
///
/// # Errors
/// The folder cannot be read.
pub(crate) fn targets() -> Result<Vec<String>> {
    let dir = workspace::root().join("tests/tests");
    let mut names: Vec<String> = fs::read_dir(&dir)
        .map_err(|cause| Failure::path("read", &dir, &cause))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "rs") || path.join("main.rs").exists())
        .filter_map(|path| path.file_stem().map(|name| name.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_test_target_belongs_to_a_part_by_its_prefix() {
        assert_eq!(Part::of_target("api_webhooks"), Some(Part::E2e));
        assert_eq!(Part::of_target("delivery_signed"), Some(Part::E2e));
        assert_eq!(Part::of_target("stack_chaos"), Some(Part::E2e));
        assert_eq!(Part::of_target("clients_ubiops"), Some(Part::Clients));
        assert_eq!(Part::of_target("dashboard_axe"), Some(Part::Browser));
        assert_eq!(Part::of_target("misc"), None);
    }

    #[test]
    fn a_test_program_belongs_to_a_part() {
        let part = |package: &str, target: &str| {
            Part::of_program(&Program {
                package: package.to_owned(),
                target: target.to_owned(),
                file: PathBuf::new(),
            })
        };
        assert_eq!(part("core", "postern_core"), Some(Part::Core));
        assert_eq!(part("engine", "simulation"), Some(Part::Ledger));
        assert_eq!(part("tests", "postern_tests"), Some(Part::E2e));
        assert_eq!(part("tests", "dashboard_axe"), Some(Part::Browser));
        assert_eq!(part("app/markup", "postern_markup"), None);
    }

    #[test]
    fn a_part_of_which_nothing_ran_is_named() {
        let ended = |name: &str, finding| Ended {
            name: name.to_owned(),
            finding,
            started: Duration::ZERO,
            took: Duration::ZERO,
        };
        let none = Finding { tally: Tally::default(), text: String::new() };
        let all = [
            ended("core: postern_core", Some(Finding::passed(""))),
            ended("edge: x", Some(none)),
            ended("e2e: api_x", None),
        ];
        let parts = [Part::Core, Part::Edge, Part::E2e];
        assert_eq!(without_a_test(&parts, &all).collect::<Vec<_>>(), [Part::Edge, Part::E2e]);
    }

    #[test]
    fn only_takes_one_known_part() {
        let parse = |words: &[&str]| Options::parse(Parser::from_args(words));
        assert_eq!(parse(&[]).expect("everything").parts, Part::ALL);
        assert_eq!(parse(&["--only", "ledger"]).expect("one part").parts, [Part::Ledger]);
        assert_eq!(parse(&["--only=e2e"]).expect("one part").parts, [Part::E2e]);
        assert!(parse(&["--only", "everything"]).err().expect("refused").to_string().contains("clients"));
        assert!(parse(&["ledger"]).is_err());
    }

    #[test]
    fn long_output_is_cut_at_its_beginning() {
        let long = (0..1000).map(|number| format!("line {number}")).collect::<Vec<_>>().join("\n");
        let end = end_of(&long);
        assert!(end.starts_with("line 600") && end.ends_with("line 999"), "{end}");
    }
}
