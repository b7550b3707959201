//! `cargo xtask bench`: acceptance and end-to-end latency at given rates, under `wrangler dev` and under Miniflare's own API.
//!
//! Exit codes: 0 measured, 2 wrong arguments, 3 void (the account of sent and received does not add up).
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that reports on its terminal")]

use std::process::ExitCode;

use postern_tests::bench::options::{Options, USAGE};
use postern_tests::bench::{report, run};
use postern_tests::stack::Stack;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(wrong) => {
            eprintln!("{wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    println!("{}", report::head());
    let mut runs = Vec::new();
    for host in &options.hosts {
        let stack = Stack::start_on(*host).await;
        for rate in &options.rates {
            let run = run::measure(&stack, *rate, &options).await;
            println!("{}", report::line(*host, &run));
            runs.push((*host, run));
        }
    }
    println!("{}", report::json(&runs, options.fanout, options.body_bytes));
    if runs.iter().any(|(_, run)| !run.account.void.is_empty()) { ExitCode::from(3) } else { ExitCode::SUCCESS }
}
