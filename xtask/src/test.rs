//! `cargo xtask test`: every check there is, one after the other, with a count at the end.
//!
//! A check that fails shows what it printed and the others still run. The last line is always `N passed, N failed`: each test
//! of a `cargo test` counts as one, each other check (formatting, a size) too. A part that finds no test has failed.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use crate::builds::{self, Output, Profile};
use crate::deploy;
use crate::failure::{Failure, Result};
use crate::fuzz;
use crate::process::{self, capture, must_succeed};
use crate::report;
use crate::tidy;
use crate::tools::{Apt, Toolbox};
use crate::workspace::{self, Fingerprint};
use crate::wrangler;

/// What a browser may fetch before the dashboard's first screen is there, each file after `gzip -9`.
const FIRST_LOAD_GZIP_BYTES_MAX: u64 = 250_000;
/// What the Worker may weigh after `gzip -9`. The platform's limit is ten times that; start-up time is what it buys.
const WORKER_GZIP_BYTES_MAX: u64 = 1_000_000;

/// A part of the checks, as `--only` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Formatting, lints, the repository's own rules, `xtask`'s tests.
    Tidy,
    /// The domain.
    Core,
    /// The ledger and its simulation.
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
    const ALL: [Self; 9] =
        [Self::Tidy, Self::Core, Self::Ledger, Self::Edge, Self::App, Self::Fuzz, Self::E2e, Self::Clients, Self::Browser];

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
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        let words: Vec<&str> = arguments.iter().flat_map(|argument| argument.split('=')).collect();
        match words[..] {
            [] => Ok(Self { parts: Part::ALL.to_vec() }),
            ["--only", name] => match Part::ALL.into_iter().find(|part| part.name() == name) {
                Some(part) => Ok(Self { parts: vec![part] }),
                None => Err(Failure::new(format!("There is no part `{name}`; there are {}.", Part::ALL.map(Part::name).join(", ")))),
            },
            _ => Err(Failure::new(format!("`test` takes --only PART, not `{}`.", arguments.join(" ")))),
        }
    }
}

/// Runs the parts and counts.
///
/// # Errors
/// Only a signal, or tools that cannot be had: whatever else fails is counted.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let started = Instant::now();
    let mut run = Run { tally: Tally::default(), tools: None, outputs_that_failed: Vec::new() };
    if options.parts.iter().any(|part| part.needs_tools()) {
        match Toolbox::prepare() {
            Ok(tools) => run.tools = Some(tools),
            Err(stopped @ Failure::Stopped { .. }) => return Err(stopped),
            Err(failure) => run.check("tools", || Err(failure))?,
        }
    }
    for part in &options.parts {
        report::say(part.name());
        run.part(*part)?;
    }
    report::say(format!("\nTook {}.", report::seconds(started.elapsed())));
    report::say(format!("{} passed, {} failed", run.tally.passed, run.tally.failed));
    Ok(if run.tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u32,
    failed: u32,
}

impl Tally {
    const ONE_PASSED: Self = Self { passed: 1, failed: 0 };
}

/// What a check found: its count, and a few words, or all it printed if something failed.
struct Finding {
    tally: Tally,
    text: String,
}

/// A run of the checks.
struct Run {
    tally: Tally,
    tools: Option<Toolbox>,
    outputs_that_failed: Vec<Output>,
}

impl Run {
    /// Does one check, says what came of it, and counts it. A failure counts as one failed.
    fn check(&mut self, name: &str, check: impl FnOnce() -> Result<Finding>) -> Result<()> {
        let started = Instant::now();
        let finding = match check() {
            Ok(finding) => finding,
            Err(stopped @ Failure::Stopped { .. }) => return Err(stopped),
            Err(Failure::Sentence(text)) => Finding { tally: Tally { passed: 0, failed: 1 }, text },
        };
        self.tally.passed += finding.tally.passed;
        self.tally.failed += finding.tally.failed;
        let time = report::seconds(started.elapsed());
        if finding.tally.failed == 0 {
            report::say(format!("  ✓ {name:<28} {:<32} {time}", finding.text));
        } else {
            report::say(format!(
                "{}\n  ✗ {name:<28} {} of {} failed {time}",
                end_of(&finding.text),
                finding.tally.failed,
                finding.tally.passed + finding.tally.failed
            ));
        }
        Ok(())
    }

    fn part(&mut self, part: Part) -> Result<()> {
        self.bring_up_to_date(part.outputs())?;
        match part {
            Part::Tidy => self.tidy(),
            Part::Core => {
                self.check("unit and property tests", || cargo_test(&["--package", "postern-core", "--features", "openapi"]))?;
                self.check("the example executor's tests", || cargo_test(&["--package", "postern-executor"]))
            }
            Part::Ledger => self.check("unit tests, simulation", || cargo_test(&["--package", "postern-ledger"])),
            Part::Edge => {
                self.check("native tests", || cargo_test(&["--package", "postern-edge"]))?;
                self.check_size(Output::Worker, |file| ends_in(file, &["js", "wasm"]), WORKER_GZIP_BYTES_MAX)?;
                self.with_tools("wrangler deploy --dry-run", |tools| {
                    let output = deploy::dry_run(tools)?;
                    if output.succeeded { Ok(passed("goes through")) } else { Err(Failure::new(output.text)) }
                })
            }
            Part::App => {
                self.check("native tests", || cargo_test(&["--package", "postern-app"]))?;
                self.check_size(Output::Dashboard, is_loaded_first, FIRST_LOAD_GZIP_BYTES_MAX)
            }
            Part::Fuzz => self.check("parsers of outside text", fuzz_shortly),
            Part::E2e | Part::Clients | Part::Browser => self.against_a_stack(part),
        }
    }

    fn tidy(&mut self) -> Result<()> {
        for (claim, rule) in tidy::RULES {
            self.check(claim, || {
                let broken = rule()?;
                if broken.is_empty() { Ok(passed("")) } else { Err(Failure::new(broken.join("\n"))) }
            })?;
        }
        self.check("formatting", || {
            let mut fmt = cargo();
            fmt.args(["fmt", "--all", "--check"]);
            must_succeed(fmt, "cargo fmt").map(|_| passed(""))
        })?;
        self.check("clippy, native", || {
            let mut clippy = cargo();
            clippy.args(["clippy", "--quiet", "--keep-going", "--workspace", "--all-targets", "--features", "postern-core/openapi"]);
            clippy.args(["--", "--deny", "warnings"]);
            must_succeed(clippy, "cargo clippy").map(|_| passed(""))
        })?;
        self.with_tools("clippy, wasm32", lint_for_wasm)?;
        self.check("xtask's own tests", || cargo_test(&["--package", "postern-xtask"]))
    }

    /// A check that needs the tools. Without them it is not counted again: that they are missing was.
    fn with_tools(&mut self, name: &str, check: impl FnOnce(&Toolbox) -> Result<Finding>) -> Result<()> {
        // Taken for the time of the check, which counts into `self`.
        let Some(tools) = self.tools.take() else {
            report::say(format!("  - {name:<28} not run: a tool is missing"));
            return Ok(());
        };
        let result = self.check(name, || check(&tools));
        self.tools = Some(tools);
        result
    }

    /// Release builds of these outputs.
    fn bring_up_to_date(&mut self, outputs: &[Output]) -> Result<()> {
        for output in outputs.iter().filter(|output| !self.outputs_that_failed.contains(output)).collect::<Vec<_>>() {
            let failed_before = self.tally.failed;
            self.with_tools(&format!("{}, release build", output.name()), |tools| {
                builds::fetch_crates()?;
                builds::bring_up_to_date(tools, *output, Profile::Release).map(|_| passed(""))
            })?;
            if self.tally.failed > failed_before {
                self.outputs_that_failed.push(*output);
            }
        }
        Ok(())
    }

    fn check_size(&mut self, output: Output, counts: fn(&Path) -> bool, bytes_max: u64) -> Result<()> {
        if self.outputs_that_failed.contains(&output) || self.tools.is_none() {
            report::say(format!("  - {:<28} not measured: it was not built", "gzip size"));
            return Ok(());
        }
        self.check("gzip size", || {
            let sizes = gzip_sizes(&output.folder(), counts)?;
            let sum: u64 = sizes.iter().map(|(_, bytes)| bytes).sum();
            if sizes.is_empty() || sum > bytes_max {
                let files: Vec<String> = sizes.iter().map(|(name, bytes)| format!("{bytes:>9} {name}")).collect();
                return Err(Failure::new(format!("{}\n{sum:>9} bytes in all, and {bytes_max} are allowed", files.join("\n"))));
            }
            Ok(passed(&format!("{sum} of {bytes_max} bytes")))
        })
    }

    fn against_a_stack(&mut self, part: Part) -> Result<()> {
        debug_assert!(part.needs_a_stack());
        if !self.outputs_that_failed.is_empty() {
            return self.check("tests", || Err(Failure::new("They need a stack, and its build failed.")));
        }
        self.with_tools("tests", |tools| {
            let browser = if part == Part::Browser { Some(Browser::find_or_install()?) } else { None };
            virtual_environments()?;
            let targets: Vec<String> = targets()?.into_iter().filter(|target| Part::of_target(target) == Some(part)).collect();
            if targets.is_empty() {
                return Err(Failure::new(format!("There is no test of the part `{}`.", part.name())));
            }
            let mut test = cargo();
            test.args(["test", "--no-fail-fast", "--package", "postern-tests"]);
            if part == Part::E2e && workspace::root().join("tests/src/lib.rs").exists() {
                test.arg("--lib");
            }
            for target in &targets {
                test.args(["--test", target]);
            }
            set_environment(&mut test, tools, browser.as_ref());
            run_tests(test)
        })
    }
}

fn passed(text: &str) -> Finding {
    Finding { tally: Tally::ONE_PASSED, text: text.to_owned() }
}

/// The last lines of a long output: what went wrong is at its end.
fn end_of(text: &str) -> String {
    const LINES_MAX: usize = 400;
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines.get(lines.len().saturating_sub(LINES_MAX)..).unwrap_or_default().join("\n")
}

/// Each target with its corpus and a little time; `cargo xtask fuzz` takes more.
fn fuzz_shortly() -> Result<Finding> {
    const SECONDS: u64 = 3;
    let found = fuzz::feed(&fuzz::Options { seconds: SECONDS, only: None, keep: false })?;
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

// --- cargo ---

/// `cargo` with the default toolchain, in the repository.
pub(crate) fn cargo() -> Command {
    let mut command = process::command("cargo");
    command.current_dir(workspace::root());
    command
}

fn cargo_test(arguments: &[&str]) -> Result<Finding> {
    let mut test = cargo();
    test.args(["test", "--no-fail-fast"]).args(arguments);
    run_tests(test)
}

fn run_tests(test: Command) -> Result<Finding> {
    let output = capture(test, "cargo test")?;
    let (tally, ignored) = count(&output.text);
    let complaint = match (tally, ignored) {
        (Tally { failed: 0, .. }, _) if !output.succeeded => "cargo test failed without a failed test.",
        (Tally { passed: 0, failed: 0 }, _) => "No test was found.",
        (_, 1..) => "Tests are ignored; a test runs or is deleted.",
        _ => "",
    };
    if complaint.is_empty() {
        let text = if tally.failed == 0 { format!("{} passed", tally.passed) } else { output.text };
        return Ok(Finding { tally, text });
    }
    Ok(Finding { tally: Tally { failed: tally.failed + 1, ..tally }, text: format!("{}\n{complaint}", output.text) })
}

/// Adds up the `test result:` lines: passed and failed, and how many were ignored.
fn count(output: &str) -> (Tally, u32) {
    let mut tally = Tally::default();
    let mut ignored = 0;
    for line in output.lines().filter(|line| line.starts_with("test result:")) {
        let number_before = |word: &str| -> u32 {
            line.split([';', '.'])
                .filter_map(|part| part.trim().strip_suffix(word))
                .find_map(|number| number.trim().parse().ok())
                .unwrap_or(0)
        };
        tally.passed += number_before("passed");
        tally.failed += number_before("failed");
        ignored += number_before("ignored");
    }
    (tally, ignored)
}

/// The crates that run as wasm32, linted as such: what is behind `cfg(target_arch)` is seen by nobody else.
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
    must_succeed(clippy, "cargo clippy").map(|_| passed(""))
}

// --- end to end ---

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

/// Tells the tests (and the benchmark) where everything is. CONTRIBUTING.md lists these variables.
pub(crate) fn set_environment(command: &mut Command, tools: &Toolbox, browser: Option<&Browser>) {
    command
        .env("POSTERN_ROOT", workspace::root())
        .env("POSTERN_NODE", &tools.node)
        .env("POSTERN_WRANGLER", Toolbox::wrangler())
        .env("POSTERN_VECTORS", Output::Vectors.folder())
        .env("POSTERN_VENVS", venv_links());
    if let Ok(own) = std::env::current_exe() {
        command.env("POSTERN_XTASK", own);
    }
    if let Some(browser) = browser {
        command.env("POSTERN_CHROMIUM", &browser.chromium).env("POSTERN_CHROMEDRIVER", &browser.chromedriver);
    }
    wrangler::set_quiet(command);
    command.env("PATH", tools.path());
}

/// The browser of the browser tests.
pub(crate) struct Browser {
    chromium: PathBuf,
    chromedriver: PathBuf,
}

impl Browser {
    /// From the environment, from `PATH`, or from Debian's packages.
    ///
    /// # Errors
    /// There is none, and none could be installed.
    fn find_or_install() -> Result<Self> {
        if let Some(found) = Self::find() {
            return Ok(found);
        }
        if let Some(mut apt) = Apt::find()? {
            report::announce("installing Chromium");
            apt.install(&["chromium".to_owned(), "chromium-driver".to_owned()])?;
        }
        Self::find().ok_or_else(|| {
            Failure::new("The browser tests need Chromium and its chromedriver: install both, or name them in POSTERN_CHROMIUM and POSTERN_CHROMEDRIVER.")
        })
    }

    fn find() -> Option<Self> {
        let program = |variable: &str, names: &[&str]| {
            std::env::var_os(variable).map(PathBuf::from).or_else(|| names.iter().find_map(|name| workspace::on_path(name)))
        };
        Some(Self {
            chromium: program("POSTERN_CHROMIUM", &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])?,
            chromedriver: program("POSTERN_CHROMEDRIVER", &["chromedriver"])?,
        })
    }
}

/// `$POSTERN_VENVS`: `ubiops/requirements-4.1.0` leads to the virtual environment of that file.
fn venv_links() -> PathBuf {
    workspace::target().join("venvs")
}

/// One virtual environment for each `tests/clients/<client>/requirements*.txt`, kept in the cache under the hash of what it
/// was made of.
fn virtual_environments() -> Result<()> {
    let clients = workspace::root().join("tests/clients");
    for client in subfolders(&clients) {
        let mut files: Vec<PathBuf> =
            fs::read_dir(&client).map_err(|cause| Failure::path("read", &client, &cause))?.flatten().map(|entry| entry.path()).collect();
        files.sort();
        for requirements in files {
            let is_requirements = requirements.file_name().is_some_and(|name| name.to_string_lossy().starts_with("requirements"))
                && requirements.extension().is_some_and(|end| end == "txt");
            if !is_requirements {
                continue;
            }
            let venv = virtual_environment(&requirements)?;
            let link = venv_links().join(client.file_name().unwrap_or_default()).join(requirements.file_stem().unwrap_or_default());
            let folder = link.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(folder).map_err(|cause| Failure::path("make", folder, &cause))?;
            drop(fs::remove_file(&link));
            symlink(&venv, &link).map_err(|cause| Failure::path("make", &link, &cause))?;
        }
    }
    Ok(())
}

fn subfolders(dir: &Path) -> Vec<PathBuf> {
    // No folder, no clients: the part that needs them finds no tests and says so.
    let mut folders: Vec<PathBuf> =
        fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn virtual_environment(requirements: &Path) -> Result<PathBuf> {
    let python = workspace::on_path("python3").ok_or_else(|| Failure::new("The clients' tests need python3: install it."))?;
    let mut ask = process::command(&python);
    ask.arg("--version");
    let mut print = Fingerprint::new();
    print.add(must_succeed(ask, "python3 --version")?.as_bytes());
    print.add(&fs::read(requirements).map_err(|cause| Failure::path("read", requirements, &cause))?);
    let venv = workspace::cache()?.join("venvs").join(print.hex());
    let complete = venv.join(".complete");
    if complete.exists() {
        return Ok(venv);
    }
    report::announce(format!("a virtual environment for {}", requirements.display()));
    drop(fs::remove_dir_all(&venv));
    let create = || {
        let mut create = process::command(&python);
        create.args(["-m", "venv"]).arg(&venv);
        must_succeed(create, "python3 -m venv")
    };
    if let Err(failure) = create() {
        // Debian's python comes without what `venv` needs.
        let Some(mut apt) = Apt::find()? else { return Err(failure) };
        apt.install(&["python3-venv".to_owned()])?;
        create()?;
    }
    let mut install = process::command(venv.join("bin/python"));
    install.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]);
    // A file that begins so names everything that is needed, and packages that would ask for much more.
    if fs::read_to_string(requirements).is_ok_and(|text| text.starts_with("# --no-deps")) {
        install.arg("--no-deps");
    }
    install.arg("-r").arg(requirements);
    must_succeed(install, "pip install")?;
    fs::write(&complete, "").map_err(|cause| Failure::path("write", &complete, &cause))?;
    Ok(venv)
}

// --- sizes ---

/// The files of a folder that count, and what each weighs after `gzip -9`.
fn gzip_sizes(folder: &Path, counts: fn(&Path) -> bool) -> Result<Vec<(String, u64)>> {
    let mut sizes = Vec::new();
    for file in builds::files_under(folder)?.into_iter().filter(|file| counts(file)) {
        let path = folder.join(&file);
        let zipped = Command::new("gzip").args(["-9", "-c"]).arg(&path).output().map_err(|cause| Failure::path("gzip", &path, &cause))?;
        sizes.push((file.display().to_string(), zipped.stdout.len() as u64));
    }
    Ok(sizes)
}

fn ends_in(file: &Path, endings: &[&str]) -> bool {
    file.extension().is_some_and(|end| endings.iter().any(|wanted| end == *wanted))
}

/// Whether a file of the dashboard is fetched before the first screen is there; what wasm-split split off is not. (That a
/// browser does as this says is tested in `dashboard_journey`.)
fn is_loaded_first(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let is_split_off = ["split_", "chunk_"].iter().any(|start| name.starts_with(start));
    ends_in(file, &["html", "js", "wasm", "css"]) && !is_split_off
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_results_of_all_test_programs_are_added_up() {
        let output = "running 3 tests\ntest result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.01s\n\
                      noise\ntest result: FAILED. 10 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.20s\n";
        assert_eq!(count(output), (Tally { passed: 13, failed: 2 }, 1));
        assert_eq!(count("error: could not compile"), (Tally::default(), 0));
    }

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
    fn only_takes_one_known_part() {
        let parse = |words: &[&str]| Options::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
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
