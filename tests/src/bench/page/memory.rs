//! What the page holds while 100,000 rows come through its list.

use std::time::{Duration, Instant};

use serde_json::json;

use super::builds::{Build, mb};
use super::watched::{Memory, Watched};
use crate::bench::options::Part;
use crate::bench::report::Report;

/// Rows that come.
const ROWS: usize = 100_000;
/// Rows that come at once; they are shown before the next ones come.
const BURST: usize = 500;
/// Rows between two looks.
const STEP: usize = 20_000;
/// Rows before the first one comes.
const ROWS_BEFORE: usize = 50;
/// A page that takes longer holds up everybody else.
const TIME_MAX: Duration = Duration::from_mins(2);

/// Measures each build.
pub(super) async fn measure(builds: &[Build], report: &mut Report) {
    report.say(format!("\nmemory after garbage collection, while {ROWS} rows come, {BURST} at once"));
    report.say(format!(
        "{:<8} {:>10} {:>10} {:>11} {:>11} {:>11}",
        "build", "came", "in list", "JavaScript", "document", "wasm"
    ));
    for build in builds {
        one(build, report).await;
    }
}

async fn one(build: &Build, report: &mut Report) {
    let project = build.stack.project("page").await;
    let window = Watched::open(Some(ROWS_BEFORE)).await;
    window.load_deliveries(&project).await;
    look(&window, build, 0, report).await;
    let started = Instant::now();
    for came in (BURST..=ROWS).step_by(BURST) {
        window.ask(&format!("burst({BURST})")).await;
        let is_over = started.elapsed() > TIME_MAX;
        if is_over || came.is_multiple_of(STEP) {
            look(&window, build, came, report).await;
        }
        if is_over {
            report.say(format!("         given up after {} s", TIME_MAX.as_secs()));
            break;
        }
    }
    window.close(report).await;
}

async fn look(window: &Watched, build: &Build, came: usize, report: &mut Report) {
    let (Memory { script, document, wasm }, rows) = (window.memory().await, window.number("rows()").await);
    report.say(format!(
        "{:<8} {came:>10} {rows:>10} {:>11} {:>11} {:>11}",
        build.name,
        mb(script),
        mb(document),
        mb(wasm)
    ));
    report.keep(
        Part::Page.name(),
        json!({
            "build": build.name, "came": came, "rows": rows, "script_bytes": script, "document_bytes": document, "wasm_bytes": wasm
        }),
    );
}
