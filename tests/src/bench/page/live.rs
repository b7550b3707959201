//! The live list: how much of the main thread it takes while deliveries arrive.
//!
//! 400 rows and the events are real: the engine delivers, and tells the page. 10,000 rows and what comes to
//! them are made up by the probe in the page, so that nothing but the page is measured.

use std::time::{Duration, Instant};

use serde_json::json;

use super::builds::Build;
use super::traffic::{DELIVERIES_PER_S, EVENTS_PER_S, Traffic};
use super::watched::{PerMessage, Watched};
use crate::bench::options::{Options, Part};
use crate::bench::report::Report;

/// Rows of the list that is made up.
const ROWS: usize = 10_000;

/// What comes while the main thread is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coming {
    /// Nothing: what the page does by itself.
    Nothing,
    /// So many rows a second that are there already, with news.
    Changes(u32),
    /// So many new rows a second.
    Rows(u32),
}

impl Coming {
    fn words(self) -> String {
        match self {
            Self::Nothing => String::from("nothing comes"),
            Self::Changes(per_s) => format!("{per_s} changes/s"),
            Self::Rows(per_s) => format!("{per_s} new rows/s"),
        }
    }
}

/// Measures each build with each list.
pub(super) async fn measure(builds: &[Build], options: &Options, report: &mut Report) {
    report.say(
        "\nthe live list; busy: the main thread's share of the time, and of CPU time beside it; ms: of the main thread for each message,\n\
         with all that the page did besides, and what of it was the page's code, and styles and layout; goals: at most 15 % busy at 12 events/s, and 4 ms a message at 10,000 rows",
    );
    report.say(format!(
        "{:<8} {:>6} {:<24} {:>9} {:>7} {:>7} {:>8} {:>8} {:>8} {:>8} {:>9}",
        "build",
        "rows",
        "what comes",
        "messages",
        "busy",
        "CPU",
        "ms",
        "CPU ms",
        "script",
        "layout",
        "longest"
    ));
    for build in builds {
        real(build, options, report).await;
    }
    for build in builds {
        made_up(build, options, report).await;
    }
}

/// What the engine tells of real deliveries.
async fn real(build: &Build, options: &Options, report: &mut Report) {
    let traffic = Traffic::set_up(&build.stack).await;
    let window = Watched::open(None).await;
    window.load_deliveries(&traffic.project).await;
    window.load_older().await;
    watch(&window, build, &Coming::Nothing.words(), options.duration, report).await;
    let (publishing, started, arrived) = (traffic.publish(), Instant::now(), traffic.arrived());
    watch(&window, build, "12 events/s, real", options.duration, report).await;
    let arrived = f64::from(u32::try_from(traffic.arrived() - arrived).unwrap_or(u32::MAX));
    let per_s = arrived / started.elapsed().as_secs_f64();
    drop(publishing);
    report.say(format!("         {per_s:.1} deliveries/s meanwhile"));
    window.close(report).await;
}

/// What a long list does with messages that nobody sent.
async fn made_up(build: &Build, options: &Options, report: &mut Report) {
    let project = build.stack.project("page").await;
    let window = Watched::open(Some(ROWS)).await;
    window.load_deliveries(&project).await;
    for coming in [
        Coming::Nothing,
        Coming::Changes(DELIVERIES_PER_S),
        Coming::Rows(EVENTS_PER_S),
        Coming::Rows(DELIVERIES_PER_S),
    ] {
        match coming {
            Coming::Nothing => {}
            Coming::Changes(per_s) => drop(window.ask(&format!("stream({per_s}, false)")).await),
            Coming::Rows(per_s) => drop(window.ask(&format!("stream({per_s}, true)")).await),
        }
        watch(&window, build, &coming.words(), options.duration, report).await;
        window.ask("stop()").await;
    }
    window.close(report).await;
}

/// Watches the main thread for so long, and shows what was seen.
async fn watch(window: &Watched, build: &Build, what: &str, duration: Duration, report: &mut Report) {
    let work = window.work(duration).await;
    let rows = window.number("rows()").await;
    let each = work.per_message();
    let ms =
        |of: fn(PerMessage) -> f64| each.map_or_else(|| String::from("-"), |each| format!("{:.2}", of(each)));
    let longest =
        if work.longest_ms > 0.0 { format!("{:.0} ms", work.longest_ms) } else { String::from("< 50 ms") };
    report.say(format!(
        "{:<8} {rows:>6} {what:<24} {:>9} {:>5.1} % {:>5.1} % {:>8} {:>8} {:>8} {:>8} {longest:>9}",
        build.name,
        work.messages,
        work.busy() * 100.0,
        work.busy_cpu() * 100.0,
        ms(|each| each.task),
        ms(|each| each.cpu),
        ms(|each| each.script),
        ms(|each| each.layout),
    ));
    report.keep(
        Part::Page.name(),
        json!({
            "build": build.name, "rows": rows, "what": what, "messages": work.messages, "busy": work.busy(), "busy_cpu": work.busy_cpu(),
            "ms_per_message": each, "longest_task_ms": work.longest_ms
        }),
    );
}
