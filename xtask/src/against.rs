//! `cargo xtask bench --against COMMIT`: the Worker of an older commit, built as that commit builds it, to be
//! measured beside the one of now.
//!
//! The commit is checked out below `target/against`, its Worker built in release with the tools that its own
//! xtask pins, and the checkout removed again. What is built stays for the next time; old builds share one
//! target folder, because most of what they compile is the same crates.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::builds;
use crate::failure::{Failure, Result};
use crate::process::{self, capture, must_succeed};
use crate::report;
use crate::tools::{Pins, Toolbox};
use crate::workspace;

/// Digits of a commit that name its folder, and that the benchmark shows.
const SHORT: usize = 12;
/// The argument that names the other build.
const ARGUMENT: &str = "--against";

/// Builds the Worker of a commit, which goes by its whole name, unless it is there; gives the folder that
/// holds it (`worker`) and its configuration (`wrangler.jsonc`), named by the commit.
///
/// # Errors
/// Its build failed.
pub(crate) fn worker(tools: &Toolbox, commit: &str) -> Result<PathBuf> {
    let short = commit.get(..SHORT).unwrap_or(commit);
    let folder = workspace::target().join("against").join(short);
    report::step(&format!("Worker of {short}"), || {
        if folder.join("worker").exists() {
            return Ok("built before".to_owned());
        }
        report::announce(format!("the Worker of {short} is built once, which takes some minutes"));
        let tree = Tree::check_out(commit, folder.join("tree"))?;
        build(tools, &tree.folder, &folder)?;
        Ok("built".to_owned())
    })?;
    Ok(folder)
}

/// The arguments with the folder of a build instead of the commit that they name.
pub(crate) fn with_folder(arguments: &[OsString], folder: &Path) -> Vec<OsString> {
    let mut is_value = false;
    let replaced = arguments.iter().map(|argument| {
        if std::mem::replace(&mut is_value, argument == ARGUMENT) {
            return folder.as_os_str().to_owned();
        }
        let has_value = argument.to_str().is_some_and(|text| text.starts_with(&format!("{ARGUMENT}=")));
        if has_value { joined(folder) } else { argument.clone() }
    });
    replaced.collect()
}

fn joined(folder: &Path) -> OsString {
    [OsStr::new(ARGUMENT), OsStr::new("="), folder.as_os_str()].into_iter().collect()
}

/// The whole name of a commit.
///
/// # Errors
/// There is no such commit here.
pub(crate) fn full_name(commit: &str) -> Result<String> {
    let told = Command::new("git")
        .current_dir(workspace::root())
        .args(["rev-parse", "--verify", "--quiet", "--end-of-options"])
        .arg(format!("{commit}^{{commit}}"))
        .output()
        .map_err(|cause| {
            Failure::new(format!("{ARGUMENT} needs git, which could not be started: {cause}."))
        })?;
    if told.status.success() {
        return Ok(String::from_utf8_lossy(&told.stdout).trim().to_owned());
    }
    Err(Failure::new(format!(
        "{ARGUMENT}: there is no folder and no commit `{commit}` here (a shallow clone has only the last ones)."
    )))
}

fn git() -> Command {
    let mut git = process::command("git");
    git.current_dir(workspace::root());
    git
}

/// A commit's files. They are gone when this is.
struct Tree {
    folder: PathBuf,
}

impl Tree {
    fn check_out(commit: &str, folder: PathBuf) -> Result<Self> {
        // By force: an earlier one may have ended without removing its own.
        let mut add = git();
        add.args(["worktree", "add", "--force", "--force", "--detach"]).arg(&folder).arg(commit);
        drop(fs::remove_dir_all(&folder));
        must_succeed(add, "git worktree add")?;
        Ok(Self { folder })
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let mut remove = git();
        remove.args(["worktree", "remove", "--force"]).arg(&self.folder);
        // What is left of it is replaced the next time.
        drop(capture(remove, "git worktree remove"));
    }
}

/// Builds the Worker of the files in `tree` into `folder`. A build appears there when it is complete.
fn build(tools: &Toolbox, tree: &Path, folder: &Path) -> Result<()> {
    let pins = pins_of(&workspace::read(&tree.join("xtask/src/tools.rs"))?);
    let incoming = folder.join("worker.incoming");
    drop(fs::remove_dir_all(&incoming));
    let mut build = tools.worker_build_of(&pins)?;
    build.args(["--release", "--out-dir"]).arg(&incoming).current_dir(tree.join("edge"));
    build.env("CARGO_TARGET_DIR", workspace::target().join("against/cargo"));
    must_succeed(build, "the older Worker's build")?;
    drop(fs::remove_dir_all(incoming.join(".tmp")));
    builds::strip_names(tools, &incoming.join("index_bg.wasm"))?;
    let (from, to) = (tree.join("wrangler.jsonc"), folder.join("wrangler.jsonc"));
    fs::copy(&from, &to).map_err(|cause| Failure::path("copy", &from, &cause))?;
    let place = folder.join("worker");
    fs::rename(&incoming, &place).map_err(|cause| Failure::path("make", &place, &cause))
}

/// The tools that an xtask pins, by its source; ours where it says none.
fn pins_of(source: &str) -> Pins {
    let pinned = |name: &str| {
        let line = source.lines().find(|line| line.contains(&format!("const {name}: ")))?;
        line.split('"').nth(1).map(String::from)
    };
    let ours = Pins::ours();
    Pins {
        wasm_bindgen: pinned("WASM_BINDGEN_VERSION").unwrap_or(ours.wasm_bindgen),
        worker_build: pinned("WORKER_BUILD_VERSION").unwrap_or(ours.worker_build),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_takes_the_place_of_the_commit_and_nothing_else_changes() {
        for (line, expected) in [
            ("--only floor --against abc --duration 4", "--only floor --against /f --duration 4"),
            ("--against=abc --only floor", "--against=/f --only floor"),
            ("--against --against", "--against /f"),
            ("--only floor", "--only floor"),
        ] {
            let words = |line: &str| -> Vec<OsString> { line.split(' ').map(OsString::from).collect() };
            assert_eq!(with_folder(&words(line), Path::new("/f")), words(expected), "{line}");
        }
    }

    #[test]
    fn an_older_xtask_says_which_tools_it_builds_with() {
        let source = "pub(crate) const WASM_BINDGEN_VERSION: &str = \"0.1.2\";\n\
                      const WORKER_BUILD_VERSION: &str = \"0.3.4\";";
        let found = Pins { wasm_bindgen: "0.1.2".to_owned(), worker_build: "0.3.4".to_owned() };
        assert_eq!(pins_of(source), found);
        assert_eq!(pins_of("const WORKER_BUILD: u8 = 1;"), Pins::ours());
        assert_eq!(pins_of(include_str!("tools.rs")), Pins::ours());
    }

    #[test]
    fn what_is_no_commit_is_named() {
        assert_eq!(full_name("HEAD").expect("this one").len(), 40);
        for none in ["no-such-branch", "--help", ""] {
            let said = full_name(none).expect_err(none).to_string();
            assert!(said.contains(&format!("no commit `{none}`")), "{said}");
        }
    }
}
