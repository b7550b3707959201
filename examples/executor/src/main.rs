//! The example executor as a program: see the library for what it does.

#![expect(clippy::print_stderr, reason = "a program for a terminal tells there how it is used")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (is_once, base, project, token) = match words[..] {
        ["--once", base, project, token] => (true, base, project, token),
        [base, project, token] => (false, base, project, token),
        _ => {
            eprintln!("usage: postern-executor [--once] BASE_URL PROJECT TOKEN");
            return ExitCode::FAILURE;
        }
    };
    let done = postern_executor::serve(base, project, token, || is_once);
    eprintln!("{done} done");
    ExitCode::SUCCESS
}
