//! What a built output weighs on the wire.

use std::path::Path;
use std::process::Command;

use crate::builds::Output;
use crate::failure::{Failure, Result};
use crate::files;
use crate::schedule::Finding;

/// What a browser may fetch before the dashboard's first screen is there, each file after `gzip -9`.
const FIRST_LOAD_GZIP_BYTES_MAX: u64 = 300_000;
/// What the Worker may weigh after `gzip -9`. The platform's limit is far above that; start-up time is what
/// it buys (`cargo xtask bench --only start`).
const WORKER_GZIP_BYTES_MAX: u64 = 1_400_000;

/// Checks the dashboard's first load.
///
/// # Errors
/// It is too heavy: each file with its weight.
pub(crate) fn check_first_load() -> Result<Finding> {
    check(Output::Dashboard, is_loaded_first, FIRST_LOAD_GZIP_BYTES_MAX)
}

/// Checks the Worker.
///
/// # Errors
/// It is too heavy: each file with its weight.
pub(crate) fn check_worker() -> Result<Finding> {
    check(Output::Worker, |file| ends_in(file, &["js", "wasm"]), WORKER_GZIP_BYTES_MAX)
}

fn check(output: Output, counts: fn(&Path) -> bool, bytes_max: u64) -> Result<Finding> {
    let sizes = gzip_sizes(&output.folder(), counts)?;
    let sum: u64 = sizes.iter().map(|(_, bytes)| bytes).sum();
    if sizes.is_empty() || sum > bytes_max {
        let files: Vec<String> = sizes.iter().map(|(name, bytes)| format!("{bytes:>9} {name}")).collect();
        return Err(Failure::new(format!(
            "{}\n{sum:>9} bytes in all, and {bytes_max} are allowed",
            files.join("\n")
        )));
    }
    Ok(Finding::passed(format!("{sum} of {bytes_max} bytes")))
}

/// The files of a folder that count, and what each weighs after `gzip -9`.
fn gzip_sizes(folder: &Path, counts: fn(&Path) -> bool) -> Result<Vec<(String, u64)>> {
    let mut sizes = Vec::new();
    for file in files::under(folder)?.into_iter().filter(|file| counts(file)) {
        let path = folder.join(&file);
        let zipped = Command::new("gzip")
            .args(["-9", "-c"])
            .arg(&path)
            .output()
            .map_err(|cause| Failure::path("gzip", &path, &cause))?;
        sizes.push((file.display().to_string(), zipped.stdout.len() as u64));
    }
    Ok(sizes)
}

fn ends_in(file: &Path, endings: &[&str]) -> bool {
    file.extension().is_some_and(|end| endings.iter().any(|wanted| end == *wanted))
}

/// Whether a file of the dashboard is fetched before the first screen is there; what wasm-split split off is
/// not. (That a browser does as this says is tested in `dashboard_journey`.)
fn is_loaded_first(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let is_split_off = ["split_", "chunk_"].iter().any(|start| name.starts_with(start));
    ends_in(file, &["html", "js", "wasm", "css"]) && !is_split_off
}
