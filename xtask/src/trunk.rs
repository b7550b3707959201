//! Trunk, which builds the page: found, or downloaded as its project publishes it. Where neither can be had,
//! xtask does its part (`page.rs`), so that nobody waits for it.
//!
//! It is compiled only by a whole test run, which compares the pages of both ways: that takes minutes.

use std::env::consts::{ARCH, OS};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::failure::{Failure, Result};
use crate::files;
use crate::process::{self, capture, must_succeed};
use crate::report;
use crate::tools;
use crate::workspace;

/// `trunk-version` in Trunk.toml.
pub(crate) const VERSION: &str = "0.21.14";
/// When a download that failed is tried again.
const TRIED_AGAIN_AFTER: Duration = Duration::from_hours(1);
/// Its name as a package and as a program.
const NAME: &str = "trunk";

/// A program as Trunk's project publishes it.
struct Release {
    /// The system that it runs on: [`OS`] and [`ARCH`].
    runs_on: (&'static str, &'static str),
    /// The end of the archive's name.
    target: &'static str,
    /// What the archive's bytes must be: as published beside it.
    sha256: &'static str,
}

/// The archives of [`VERSION`]: <https://github.com/trunk-rs/trunk/releases/tag/v0.21.14>
const RELEASES: [Release; 4] = [
    Release {
        runs_on: ("linux", "x86_64"),
        target: "x86_64-unknown-linux-gnu",
        sha256: "f2b4680cd239693a646a2795e4633c625328d7b2a044fbe749fa3a2fe9e7036b",
    },
    Release {
        runs_on: ("linux", "aarch64"),
        target: "aarch64-unknown-linux-gnu",
        sha256: "b1d8e60e454f7fc182d9a4d95d1506ffbae947d8ba90f8f6f02da93b60f980f9",
    },
    Release {
        runs_on: ("macos", "x86_64"),
        target: "x86_64-apple-darwin",
        sha256: "f1ba0e3bbe24e0ae219c6d22c33e24e2825c1608dd27c2556e323495110f1a95",
    },
    Release {
        runs_on: ("macos", "aarch64"),
        target: "aarch64-apple-darwin",
        sha256: "764e299dd50d89442a4e96a236349f57961984b701e74d3dbdb39cd1c9f5101e",
    },
];

/// The pinned Trunk: on `PATH`, else in the cache.
///
/// # Errors
/// There is no place for a cache, or a signal.
pub(crate) fn find() -> Result<Option<PathBuf>> {
    let cached = tools::tool_file(NAME, NAME, VERSION)?;
    for trunk in workspace::on_path(NAME).into_iter().chain([cached]).filter(|file| file.exists()) {
        if is_ours(&trunk)? {
            return Ok(Some(trunk));
        }
    }
    Ok(None)
}

/// Whether this program is Trunk at the pinned version. Other programs have this name, too.
fn is_ours(trunk: &Path) -> Result<bool> {
    let mut ask = process::command(trunk);
    ask.arg("--version");
    Ok(capture(ask, "trunk --version")?.text.trim() == format!("{NAME} {VERSION}"))
}

/// The pinned Trunk, downloaded if it is absent, and how that went.
///
/// # Errors
/// There is no place for a cache, or a signal.
pub(crate) fn find_or_download() -> Result<(Option<PathBuf>, &'static str)> {
    if let Some(found) = find()? {
        return Ok((Some(found), "found"));
    }
    let tried = workspace::cache()?.join("trunk-tried");
    if is_recent(&tried) {
        return Ok((None, "could not be downloaded just now: xtask does its part"));
    }
    let how = match download() {
        Ok(Download::Unavailable) => "can't be downloaded here: xtask does its part",
        Ok(Download::Taken) => match find()? {
            Some(trunk) => return Ok((Some(trunk), "downloaded")),
            None => "does not run here: xtask does its part",
        },
        Err(stopped @ Failure::Stopped { .. }) => return Err(stopped),
        Err(failure) => {
            report::complain(failure.to_string());
            "can't be used: xtask does its part"
        }
    };
    files::write(
        &tried,
        "A download of Trunk failed. It is tried again after an hour, or without this file.\n",
    )?;
    Ok((None, how))
}

/// Whether a file was written within the last hour: what fails is not tried by each command.
fn is_recent(file: &Path) -> bool {
    let age = file.metadata().and_then(|meta| meta.modified()).ok().and_then(|at| at.elapsed().ok());
    age.is_some_and(|age| age < TRIED_AGAIN_AFTER)
}

/// How a download went.
enum Download {
    /// The program is in the cache.
    Taken,
    /// There is none for this machine, or no way to where it is published.
    Unavailable,
}

/// Downloads the archive for this machine, and puts the program into the cache.
fn download() -> Result<Download> {
    let Some(release) = RELEASES.iter().find(|release| release.runs_on == (OS, ARCH)) else {
        return Ok(Download::Unavailable);
    };
    let folder = workspace::cache()?.join(format!("trunk-download-{}", std::process::id()));
    files::empty_folder(&folder)?;
    let archive = folder.join("archive");
    let mut fetch = process::command("curl");
    fetch
        .args(["--fail", "--silent", "--show-error", "--location", "--proto", "=https"])
        // Nobody waits long where there is no way out.
        .args([
            "--connect-timeout",
            "3",
            "--max-time",
            "90",
            "--speed-limit",
            "20000",
            "--speed-time",
            "10",
            "--output",
        ])
        .arg(&archive)
        .arg(format!(
            "https://github.com/trunk-rs/trunk/releases/download/v{VERSION}/trunk-{}.tar.gz",
            release.target
        ));
    let taken = match must_succeed(fetch, "the download of Trunk") {
        Ok(_nothing) => take(&archive, release, &folder).map(|()| Download::Taken),
        Err(stopped @ Failure::Stopped { .. }) => Err(stopped),
        Err(_no_way) => Ok(Download::Unavailable),
    };
    files::remove_folder(&folder)?;
    taken
}

/// Puts the program of an archive into the cache, by way of `folder`.
fn take(archive: &Path, release: &Release, folder: &Path) -> Result<()> {
    check(archive, release.sha256)?;
    let mut tar = process::command("tar");
    tar.arg("-xzf").arg(archive).arg("-C").arg(folder).arg(NAME);
    must_succeed(tar, "tar")?;
    let (unpacked, program) = (folder.join(NAME), tools::tool_file(NAME, NAME, VERSION)?);
    files::make_folder(program.parent().unwrap_or(folder))?;
    fs::rename(&unpacked, &program).map_err(|cause| Failure::path("move", &unpacked, &cause))
}

/// Refuses an archive whose bytes are not what was published.
fn check(archive: &Path, sha256: &str) -> Result<()> {
    let mut seen = String::new();
    for byte in Sha256::digest(files::read(archive)?) {
        _ = write!(seen, "{byte:02x}");
    }
    if seen == sha256 {
        return Ok(());
    }
    Err(Failure::new(format!("What was downloaded is not Trunk {VERSION}: its SHA-256 is {seen}.")))
}

/// The pinned Trunk, compiled if it is absent: at low priority, and in a folder of its own, which is kept
/// until it is done, so that the next call goes on where this one was ended.
///
/// # Errors
/// What cargo said.
pub(crate) fn find_or_compile() -> Result<PathBuf> {
    if let Some(found) = find()? {
        return Ok(found);
    }
    let target = workspace::cache()?.join("trunk-build");
    let mut install = process::command("cargo");
    // Only the compiler is in no hurry: a cargo that is starved holds the lock of the package cache all the
    // longer, and every other build waits for that.
    install.env("RUSTC_WRAPPER", "nice");
    tools::cargo_install(&mut install, NAME, VERSION, &target)?;
    // Without its look for newer versions it needs less.
    install.args(["--no-default-features", "--features", "rustls"]);
    must_succeed(install, "cargo install trunk")?;
    files::remove_folder(&target)?;
    find()?.ok_or_else(|| Failure::new("trunk was installed but does not run."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trunk_toml_asks_for_the_trunk_that_is_found() {
        let text = workspace::read(&workspace::root().join("Trunk.toml")).expect("Trunk.toml");
        assert!(text.lines().any(|line| line == format!("trunk-version = \"^{VERSION}\"")), "{text}");
    }

    #[test]
    fn only_what_was_published_is_taken() {
        let archive = std::env::temp_dir().join(format!("postern-trunk-{}", std::process::id()));
        files::write(&archive, "abc").expect("a file");
        // The test vector of FIPS 180-2, B.1.
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let refused = check(&archive, RELEASES[0].sha256).expect_err("other bytes").to_string();
        assert!(refused.contains(sha256), "{refused}");
        check(&archive, sha256).expect("the bytes that were published");
        files::remove(&archive).expect("the file goes");
    }

    #[test]
    fn each_archive_has_a_whole_checksum() {
        for release in &RELEASES {
            let digits = release.sha256.bytes().filter(u8::is_ascii_hexdigit).count();
            assert_eq!((digits, release.sha256.len()), (64, 64), "{}", release.target);
        }
    }
}
