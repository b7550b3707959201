//! Builds what is served, the dashboard (`dist`) and the Worker (`edge/build`), and what the tests run
//! (`tests/vectors`), when their inputs changed.
//!
//! A build never happens in place: it goes to a folder under `target/stage` of its own for each output and
//! profile, and is copied over when it is complete. So what is served stays whole while a build runs and when
//! it fails, switching between profiles costs a copy, and files that did not change are not touched, which
//! spares wrangler a reload.
//!
//! Whether inputs changed is decided by their contents: a stamp beside each stage folder remembers them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::SystemTime;

use crate::failure::{Failure, Result};
use crate::files;
use crate::page;
use crate::process::{self, must_succeed};
use crate::report;
use crate::tools::{Toolbox, WASM_TARGET};
use crate::workspace::{self, Fingerprint};

/// What is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// `app`, a page: `dist`.
    Dashboard,
    /// `edge`, a Worker: `edge/build`.
    Worker,
    /// `tests/vectors`, a module for the tests: `vectors` in cargo's target folder. Always a release build,
    /// as what is shipped.
    Vectors,
}

/// How it is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quick to build.
    Dev,
    /// Small and quick to run: what is deployed, measured and tested.
    Release,
}

/// Whether there was anything to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Built {
    /// The inputs are those of the last build.
    Before,
    /// Just now.
    Now,
}

impl Output {
    /// Those that make up a running Postern.
    pub(crate) const SERVED: [Self; 2] = [Self::Dashboard, Self::Worker];

    /// What people call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Dashboard => "dashboard",
            Self::Worker => "Worker",
            Self::Vectors => "vectors",
        }
    }

    /// Where it is used from.
    pub(crate) fn folder(self) -> PathBuf {
        match self {
            Self::Dashboard => workspace::root().join("dist"),
            Self::Worker => workspace::root().join("edge/build"),
            Self::Vectors => workspace::target().join("vectors"),
        }
    }

    /// The files and folders that it is made from, except Cargo.lock.
    fn inputs(self) -> &'static [&'static str] {
        match self {
            Self::Dashboard => &["app", "core", "public", "Cargo.toml", "Trunk.toml", ".cargo"],
            Self::Worker => &["edge", "engine", "ledger", "core", "Cargo.toml", ".cargo"],
            Self::Vectors => &["tests/vectors", "core", "Cargo.toml", ".cargo"],
        }
    }

    /// The file that makes the others reachable: replaced last, so that it never names a file that is not
    /// there yet.
    pub(crate) const fn entry_file(self) -> &'static str {
        match self {
            Self::Dashboard => "index.html",
            Self::Worker => "index.js",
            Self::Vectors => "postern_vectors.js",
        }
    }

    /// Where it is built before it is put in place.
    pub(crate) fn stage(self, profile: Profile) -> PathBuf {
        let profile = match profile {
            Profile::Dev => "dev",
            Profile::Release => "release",
        };
        workspace::stage().join(format!("{}-{profile}", self.name().to_lowercase()))
    }
}

/// Brings what is served up to date and in place, and says how long each took.
///
/// # Errors
/// What the failing build printed, both builds' if both fail.
pub(crate) fn build_all(tools: &Toolbox, profile: Profile) -> Result<()> {
    report::say("builds");
    fetch_crates()?;
    // Cargo builds one at a time; what comes after it (wasm-bindgen, wasm-opt) overlaps with the other's
    // compilation.
    let results: Vec<Result<()>> = thread::scope(|scope| {
        let builds = Output::SERVED.map(|output| scope.spawn(move || report_build(tools, output, profile)));
        builds
            .into_iter()
            .map(|build| build.join().unwrap_or_else(|_| Err(Failure::new("A build thread panicked."))))
            .collect()
    });
    process::go_on()?;
    let sentences: Vec<String> =
        results.into_iter().filter_map(|result| result.err().map(|failure| failure.to_string())).collect();
    if sentences.is_empty() { Ok(()) } else { Err(Failure::new(sentences.join("\n\n"))) }
}

/// Compiles what is served, as its builds will, while tools are installed: that alone leaves a core idle
/// again and again. What does not compile is told by the build that follows.
///
/// # Errors
/// What cargo said.
pub(crate) fn compile_ahead(wasm_cargo: &dyn Fn() -> Command) -> Result<()> {
    fetch_crates()?;
    page::compile(wasm_cargo(), Profile::Dev)?;
    let mut worker = wasm_cargo();
    worker.current_dir(workspace::root().join("edge")).args(["build", "--lib", "--target", WASM_TARGET]);
    // As worker-build sets it: wasm-bindgen's macros read it.
    worker.env("WASM_BINDGEN_USE_JS_SYS", "1");
    must_succeed(worker, "the Worker's compilation").map(drop)
}

fn report_build(tools: &Toolbox, output: Output, profile: Profile) -> Result<()> {
    report::step(output.name(), || {
        Ok(match bring_up_to_date(tools, output, profile)? {
            Built::Before => "nothing changed",
            Built::Now => "built",
        }
        .to_owned())
    })
}

/// Downloads the crates that the lock file names, so that a build waits for the compiler only.
///
/// # Errors
/// What cargo said.
pub(crate) fn fetch_crates() -> Result<()> {
    let mut fetch = process::command("cargo");
    fetch.arg("fetch").current_dir(workspace::root());
    must_succeed(fetch, "cargo fetch").map(drop)
}

/// Builds one output if its inputs changed since its last successful build, and puts it in place.
///
/// # Errors
/// What the build printed. What is in place stays as it was.
pub(crate) fn bring_up_to_date(tools: &Toolbox, output: Output, profile: Profile) -> Result<Built> {
    let stage = output.stage(profile);
    let stamp = stage.with_extension("stamp");
    let sources = sources_of(output, tools)?;
    let is_current = fs::read_to_string(&stamp).is_ok_and(|found| found == with_lock_file(sources))
        && stage.join(output.entry_file()).exists();
    if !is_current {
        drop(fs::remove_file(&stamp));
        files::make_folder(&stage)?;
        match output {
            Output::Dashboard => page::build(tools, profile, &stage)?,
            Output::Worker => build_worker(tools, profile, &stage)?,
            Output::Vectors => build_vectors(tools, &stage)?,
        }
        // The lock file may have been completed by the build itself; the sources are those from before it, so
        // that an edit during the build counts as one that is not built yet.
        files::write(&stamp, with_lock_file(sources))?;
    }
    put_in_place(&stage, &output.folder(), output.entry_file())?;
    Ok(if is_current { Built::Before } else { Built::Now })
}

fn build_worker(tools: &Toolbox, profile: Profile, stage: &Path) -> Result<()> {
    let mut build = tools.worker_build();
    build.current_dir(workspace::root().join("edge"));
    match profile {
        Profile::Dev => build.arg("--dev").env("NO_MINIFY", "1"),
        Profile::Release => build.arg("--release"),
    };
    build.arg("--out-dir").arg(stage);
    let result = must_succeed(build, "the Worker's build");
    // A failed build leaves its lock there, and the next one would wait for it.
    drop(fs::remove_dir_all(stage.join(".tmp")));
    result?;
    if profile == Profile::Release { strip_names(tools, &stage.join("index_bg.wasm")) } else { Ok(()) }
}

/// Takes the names of functions out: 84 KB of what is loaded at a start, for nothing but a profile.
/// worker-build always keeps them.
///
/// # Errors
/// What wasm-opt said.
pub(crate) fn strip_names(tools: &Toolbox, wasm: &Path) -> Result<()> {
    let mut strip = tools.wasm_opt();
    strip.args(["--strip-debug", "--strip-producers", "--all-features"]).arg(wasm).arg("-o").arg(wasm);
    must_succeed(strip, "wasm-opt").map(drop)
}

fn build_vectors(tools: &Toolbox, stage: &Path) -> Result<()> {
    let mut build = tools.wasm_cargo();
    build
        .args(["build", "--release", "--package", "postern-vectors", "--target", "wasm32-unknown-unknown"])
        .current_dir(workspace::root());
    must_succeed(build, "the vectors' build")?;
    let mut bind = tools.wasm_bindgen();
    bind.args(["--target", "web", "--no-typescript", "--out-dir"]).arg(stage);
    bind.arg(workspace::target().join("wasm32-unknown-unknown/release/postern_vectors.wasm"));
    must_succeed(bind, "wasm-bindgen for the vectors").map(drop)
}

/// Makes `place` hold exactly the files of `stage`, touching only those that differ.
///
/// # Errors
/// A file can't be read or written.
pub(crate) fn put_in_place(stage: &Path, place: &Path, entry_file: &str) -> Result<()> {
    files::make_folder(place)?;
    let mut wanted = files::under(stage)?;
    wanted.sort_by_key(|file| (file == Path::new(entry_file), file.clone()));
    // On the same file system as `place`, so that a rename makes a whole file appear, but not inside it,
    // where it would be served.
    let incoming = place.with_extension("incoming");
    for file in &wanted {
        let (from, to) = (stage.join(file), place.join(file));
        let bytes = files::read(&from)?;
        if fs::read(&to).is_ok_and(|found| found == bytes) {
            continue;
        }
        if let Some(parent) = to.parent() {
            files::make_folder(parent)?;
        }
        fs::write(&incoming, &bytes)
            .and_then(|()| fs::rename(&incoming, &to))
            .map_err(|cause| Failure::path("write", &to, &cause))?;
    }
    for file in files::under(place)? {
        if !wanted.contains(&file) {
            let file = place.join(file);
            fs::remove_file(&file).map_err(|cause| Failure::path("remove", &file, &cause))?;
            // Only an empty folder can be removed so.
            drop(file.parent().map(fs::remove_dir));
        }
    }
    Ok(())
}

// --- noticing changes ---

/// The contents of an output's sources and the tools that build it.
fn sources_of(output: Output, tools: &Toolbox) -> Result<Fingerprint> {
    let mut print = Fingerprint::new();
    print.add(tools.fingerprint().as_bytes());
    if output == Output::Dashboard && tools.trunk.is_some() {
        // So that what is in place was made as it would be made now: `test` compares it with the other way.
        print.add(b"trunk");
    }
    for file in input_files(output.inputs()) {
        print.add(file.as_os_str().as_encoded_bytes());
        print.add(&files::read(&file)?);
    }
    Ok(print)
}

fn with_lock_file(mut sources: Fingerprint) -> String {
    sources.add(&fs::read(workspace::root().join("Cargo.lock")).unwrap_or_default());
    sources.hex()
}

/// The files below the given ones, without tests, earlier builds and hidden files (an editor's, say).
fn input_files(inputs: &[&str]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open: Vec<PathBuf> = inputs.iter().map(|input| workspace::root().join(input)).collect();
    while let Some(path) = open.pop() {
        // A name may be gone again before we look: then it is not an input.
        let Ok(entries) = fs::read_dir(&path) else {
            if path.is_file() {
                files.push(path);
            }
            continue;
        };
        open.extend(
            entries
                .flatten()
                .filter(|entry| {
                    let name = entry.file_name();
                    let name = name.to_string_lossy();
                    !(name.starts_with('.')
                        || name.ends_with('~')
                        || ["build", "build.incoming", "target", "tests", "benches", "dist"]
                            .contains(&&*name))
                })
                .map(|entry| entry.path()),
        );
    }
    files.sort();
    files
}

/// What all inputs look like from the outside: cheap enough to take twice a second.
#[derive(PartialEq, Eq)]
pub(crate) struct Glance(Vec<(PathBuf, u64, Option<SystemTime>)>);

impl Glance {
    /// A look at every file that what is served is made from.
    pub(crate) fn take() -> Self {
        let mut inputs: Vec<&str> =
            Output::SERVED.iter().flat_map(|output| output.inputs().iter().copied()).collect();
        inputs.sort_unstable();
        inputs.dedup();
        let look = |file: PathBuf| {
            let meta = file.metadata().ok();
            (file, meta.as_ref().map_or(0, fs::Metadata::len), meta.and_then(|meta| meta.modified().ok()))
        };
        Self(input_files(&inputs).into_iter().map(look).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that is gone when the test is.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("postern-xtask-{}-{name}", std::process::id()));
            drop(fs::remove_dir_all(&dir));
            fs::create_dir_all(&dir).expect("a temporary folder");
            Self(dir)
        }

        fn write(&self, name: &str, text: &str) {
            let file = self.0.join(name);
            fs::create_dir_all(file.parent().expect("a parent")).expect("its folder");
            fs::write(file, text).expect("a file");
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn putting_a_build_in_place_leaves_exactly_its_files() {
        let (stage, place) = (Scratch::new("stage"), Scratch::new("place"));
        stage.write("index.html", "new");
        stage.write("icons/a.svg", "same");
        place.write("index.html", "old");
        place.write("icons/a.svg", "same");
        place.write("app/of-yesterday/app.wasm", "stale");

        put_in_place(&stage.0, &place.0, "index.html").expect("it is put in place");

        assert_eq!(
            files::under(&place.0).expect("files"),
            [PathBuf::from("icons/a.svg"), PathBuf::from("index.html")]
        );
        assert_eq!(fs::read_to_string(place.0.join("index.html")).expect("the page"), "new");
        assert!(!place.0.join("app/of-yesterday").exists(), "nor a folder without files");
    }

    #[test]
    fn a_file_that_did_not_change_is_not_touched() {
        let (stage, place) = (Scratch::new("same-stage"), Scratch::new("same-place"));
        stage.write("index.js", "same");
        place.write("index.js", "same");
        let long_ago = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        fs::File::options()
            .write(true)
            .open(place.0.join("index.js"))
            .and_then(|file| file.set_modified(long_ago))
            .expect("an old file");

        put_in_place(&stage.0, &place.0, "index.js").expect("it is put in place");

        assert_eq!(
            place.0.join("index.js").metadata().and_then(|meta| meta.modified()).expect("its time"),
            long_ago
        );
    }

    #[test]
    fn tests_are_no_inputs_of_a_build() {
        assert!(
            input_files(&["engine", "ledger", "core"])
                .iter()
                .all(|file| !file.components().any(|part| part.as_os_str() == "tests"))
        );
    }
}
