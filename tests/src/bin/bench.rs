//! `cargo xtask bench`: acceptance and end-to-end latency at growing rates, fan-out, isolation, the drain
//! after an outage, cost, the page in a browser; under `wrangler dev` and under Miniflare's own API. See
//! [`postern_tests::bench`].
//!
//! Exit codes: 0 measured, 2 wrong arguments, 3 void (the account of sent and received does not add up).
#![expect(clippy::print_stderr, reason = "a program that complains on its terminal")]

use std::process::ExitCode;

use postern_tests::bench::options::{Options, USAGE};
use postern_tests::bench::parts;
use postern_tests::bench::report::Report;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let options = match Options::parse(lexopt::Parser::from_env()) {
        Ok(options) => options,
        Err(wrong) => {
            eprintln!("{wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let mut report = Report::default();
    report.begin();
    for part in &options.parts {
        parts::measure(*part, &options, &mut report).await;
    }
    report.say(format!("\n{}", report.json()));
    if report.is_void() { ExitCode::from(3) } else { ExitCode::SUCCESS }
}
