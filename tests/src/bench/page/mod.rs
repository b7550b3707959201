//! The dashboard in Chromium: what its first load weighs, and what the live list costs the main thread and
//! the memory.
//!
//! With `--against` another build is measured beside the one that was just made: both are served by the same
//! Worker and take turns, so that a machine that is busy for a while is busy for both. The files come from
//! `wrangler dev`, which compresses them as it sends them; `gzip -9` beside it is what the limit of the first
//! load counts (`xtask/src/size.rs`).

mod first_load;
mod live;
mod memory;
mod traffic;
mod watched;

use std::path::PathBuf;

use super::options::Options;
use super::report::Report;
use crate::artefacts;
use crate::stack::Stack;

/// A build of the dashboard while it is served.
struct Build {
    /// As the tables name it.
    name: &'static str,
    /// Where its files are.
    folder: PathBuf,
    stack: Stack,
}

impl Build {
    async fn serve(name: &'static str, folder: PathBuf) -> Self {
        let stack = Stack::start_serving(&folder).await;
        Self { name, folder, stack }
    }
}

/// Measures the build that was just made, and the one of `--against` if there is one.
pub async fn measure(options: &Options, report: &mut Report) {
    let mut builds = vec![Build::serve("this", artefacts::dashboard()).await];
    if let Some(folder) = &options.against {
        report.say(format!("\"against\" is {}", folder.display()));
        builds.push(Build::serve("against", folder.clone()).await);
    }
    first_load::measure(&builds, report).await;
    live::measure(&builds, options, report).await;
    memory::measure(&builds, report).await;
}

/// Bytes as kilobytes, for a table.
fn kb(bytes: f64) -> String {
    format!("{:.0} KB", bytes / 1_000.0)
}

/// Bytes as megabytes, for a table.
fn mb(bytes: f64) -> String {
    format!("{:.1} MB", bytes / 1_000_000.0)
}
