//! The order in which the builds are measured.

use super::builds::Build;
use super::{first_load, live, memory};
use crate::artefacts;
use crate::bench::options::{Against, Options};
use crate::bench::report::Report;

/// Measures the build that was just made, and the one of `--against` if there is one.
pub async fn measure(options: &Options, report: &mut Report) {
    let mut builds = vec![Build::serve("this", artefacts::dashboard()).await];
    if let Some(Against::Dashboard(folder)) = &options.against {
        report.say(format!("\"against\" is {}", folder.display()));
        builds.push(Build::serve("against", folder.clone()).await);
    }
    first_load::measure(&builds, report).await;
    live::measure(&builds, options, report).await;
    memory::measure(&builds, report).await;
}
