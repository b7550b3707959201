//! The first load, by a browser that has nothing of the page yet: bytes, requests, and how soon there is
//! something to see.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use serde_json::json;

use super::builds::{Build, kb};
use super::traffic::Traffic;
use super::watched::Watched;
use crate::bench::options::Part;
use crate::bench::report::Report;
use crate::bench::report::median;
use crate::client::Project;

/// Loads of each screen, of whose times the medians are shown.
const LOADS: usize = 5;

/// What is loaded first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Screen {
    /// The first screen after a sign-in.
    Overview,
    /// The list of deliveries, which needs a part that is loaded later otherwise.
    Deliveries,
}

impl Screen {
    const ALL: [Self; 2] = [Self::Overview, Self::Deliveries];

    const fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Deliveries => "deliveries",
        }
    }
}

/// What one load needed.
#[derive(Debug)]
struct Load {
    fetched: Fetched,
    /// When the largest element was painted.
    painted_ms: f64,
    /// When the first row of the list was there.
    list_ms: Option<f64>,
}

/// What the browser fetched.
#[derive(Debug, Deserialize)]
struct Fetched {
    files: Vec<File>,
    /// How often the API answered.
    answers: usize,
}

#[derive(Debug, Deserialize)]
struct File {
    path: String,
    /// As they were sent.
    bytes: f64,
}

/// Loads both screens of each build, in turns.
pub(super) async fn measure(builds: &[Build], report: &mut Report) {
    report.say(format!("first load, nothing cached; times are medians of {LOADS}; goal: at most 300 KB after gzip -9 (overview)"));
    report.say(format!(
        "{:<8} {:<11} {:>5} {:>8} {:>10} {:>10} {:>9} {:>9}",
        "build", "screen", "files", "answers", "as sent", "gzip -9", "LCP", "the list"
    ));
    let mut traffics = Vec::new();
    for build in builds {
        traffics.push(Traffic::set_up(&build.stack).await);
    }
    for screen in Screen::ALL {
        let mut loads: Vec<Vec<Load>> = builds.iter().map(|_build| Vec::new()).collect();
        for _ in 0..LOADS {
            for (traffic, loads) in traffics.iter().zip(&mut loads) {
                loads.push(load(&traffic.project, screen, report).await);
            }
        }
        for (build, loads) in builds.iter().zip(&loads) {
            show(build, screen, loads, report);
        }
    }
}

/// Loads a screen in a window of its own.
async fn load(project: &Project, screen: Screen, report: &Report) -> Load {
    let window = Watched::open(None).await;
    match screen {
        Screen::Overview => window.load_overview(project).await,
        Screen::Deliveries => window.load_deliveries(project).await,
    }
    let fetched =
        serde_json::from_value(window.ask("fetched()").await).expect("the probe says what was fetched");
    let (painted_ms, list_ms) = (window.number("paintedAt").await, window.ask("listAt").await.as_f64());
    window.close(report).await;
    Load { fetched, painted_ms, list_ms: list_ms.filter(|_| screen == Screen::Deliveries) }
}

fn show(build: &Build, screen: Screen, loads: &[Load], report: &mut Report) {
    let Some(Load { fetched, .. }) = loads.last() else { return };
    let sent: f64 = fetched.files.iter().map(|file| file.bytes).sum();
    let zipped: f64 = fetched.files.iter().map(|file| zipped_bytes(&build.folder, &file.path)).sum();
    let painted_ms = median(loads.iter().map(|load| load.painted_ms));
    let list_ms = Some(median(loads.iter().filter_map(|load| load.list_ms))).filter(|ms| ms.is_finite());
    report.say(format!(
        "{:<8} {:<11} {:>5} {:>8} {:>10} {:>10} {painted_ms:>6.0} ms {:>9}",
        build.name,
        screen.name(),
        fetched.files.len(),
        fetched.answers,
        kb(sent),
        kb(zipped),
        list_ms.map_or_else(|| String::from("-"), |ms| format!("{ms:.0} ms")),
    ));
    report.keep(
        Part::Page.name(),
        json!({
            "build": build.name, "screen": screen.name(), "files": fetched.files.len(), "answers": fetched.answers,
            "sent_bytes": sent, "gzip_bytes": zipped, "lcp_ms": painted_ms, "list_ms": list_ms
        }),
    );
}

/// What the file that is served at `path` weighs after `gzip -9`. If there is no such file,
/// the document is served.
fn zipped_bytes(folder: &Path, path: &str) -> f64 {
    let file = Some(folder.join(path.trim_start_matches('/')))
        .filter(|file| file.is_file())
        .unwrap_or_else(|| folder.join("index.html"));
    let zipped = Command::new("gzip").args(["-9", "-c"]).arg(&file).output().expect("gzip is installed");
    let bytes = zipped.stdout.len();
    assert!(
        zipped.status.success(),
        "gzip must read {} ({} bytes)",
        file.display(),
        fs::metadata(&file).map_or(0, |meta| meta.len())
    );
    f64::from(u32::try_from(bytes).unwrap_or(u32::MAX))
}
