//! `cargo xtask`: everything that is done to Postern from outside of it.
//!
//! `dev` goes from a fresh clone to a page in the browser, `build` makes what is served, `serve` serves it on
//! a machine of one's own, `test` runs every check there is, `simulate` looks for seeds that break the
//! ledger, `fuzz` for input that breaks a parser, `bench` measures, `deploy` puts the Worker at the edge,
//! `tidy` checks what the compiler cannot. Each finds or installs the tools it needs.
//!
//! Nothing here is shipped, and no rule of Postern lives here: a failure is a sentence for a person, not a
//! type to match on.
//!
//! Start reading at [`dev`] (what happens between the command and the `ready` line) and [`process`] (how
//! nothing is left behind when it ends).

mod against;
mod bench;
mod build;
mod builds;
mod circles;
mod citations;
mod deploy;
mod dev;
mod environment;
mod failure;
mod files;
mod fuzz;
mod http;
mod page;
mod process;
mod report;
mod schedule;
mod seed;
mod serve;
mod signatures;
mod simulate;
mod size;
mod sizes;
mod source;
mod test;
mod test_program;
mod tidy;
mod tools;
mod trunk;
mod variables;
mod workerd;
mod workspace;
mod wrangler;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use failure::{Failure, Result};
use lexopt::Parser;

const USAGE: &str = "\
cargo xtask dev     [--port 8787] [--state .state] [--fresh] [--release]   build, start, print a link that signs you in
cargo xtask build   [--release]                                            what is served, once
cargo xtask serve   [--data postern-data] [--listen 127.0.0.1:8080] [--certificate PEM --key PEM] [--behind-proxy]
                    [--allow-private] [--built]                            for good, on a machine of your own
cargo xtask test    [--only core|ledger|edge|app|fuzz|e2e|clients|browser|tidy] every check, or one part
cargo xtask simulate [--seeds 10000] [--from 0]                            the simulation; 0 seeds never end
cargo xtask fuzz    [--seconds 60 | --inputs N] [--only TARGET] [--keep]   every parser of outside text, each for so long
cargo xtask bench   [arguments of the benchmark]                           measure a release build
cargo xtask deploy  [--dry-run]                                            release build, then `wrangler deploy`
cargo xtask tidy                                                           what the compiler does not check";

fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = env::args_os().skip(1).collect();
    if arguments.first().is_some_and(|first| first == process::SUPERVISE) {
        return process::supervise(arguments.split_off(1));
    }
    match run(arguments) {
        Ok(code) => code,
        Err(failure) => {
            if let Failure::Sentence(sentence) = &failure {
                report::complain(sentence);
            }
            failure.exit_code()
        }
    }
}

fn run(arguments: Vec<OsString>) -> Result<ExitCode> {
    let mut arguments = arguments.into_iter();
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<OsString> = arguments.collect();
    let is_help = |word: &OsString| word == "--help" || word == "-h";
    let asks_for_help = command == "help" || is_help(&command) || rest.iter().any(is_help);
    if command.is_empty() || asks_for_help {
        report::say(if command == "bench" { bench::USAGE } else { USAGE });
        return Ok(ExitCode::SUCCESS);
    }
    process::stop_on_signals()?;
    let parser = Parser::from_args(&rest);
    match command.display().to_string().as_str() {
        "dev" => dev::run(&dev::Options::parse(parser)?),
        "build" => build::run(&build::Options::parse(parser)?),
        "serve" => serve::run(&serve::Options::parse(parser)?),
        "test" => test::run(&test::Options::parse(parser)?),
        "simulate" => simulate::run(&simulate::Options::parse(parser)?),
        "fuzz" => fuzz::run(&fuzz::Options::parse(parser)?),
        "bench" => bench::run(&rest),
        "deploy" => deploy::run(&deploy::Options::parse(parser)?),
        "tidy" => tidy::run(parser),
        // Not in the usage: Trunk calls it.
        "trunk-hook" => page::run_hook(),
        unknown => Err(Failure::new(format!("There is no command `{unknown}`. There are:\n{USAGE}"))),
    }
}
