//! Why a command ended without doing what it was asked for.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use lexopt::Arg;

/// What every fallible step of `xtask` returns.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// The reason a command ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What is wrong and what to do about it, in words for the person at the terminal. Exit code 1.
    Sentence(String),
    /// A signal asked us to end; there is nothing to say. Exit code 128 + the signal, as shells count.
    Stopped {
        /// The signal's number.
        signal: i32,
    },
}

impl Failure {
    /// A failure that says `sentence`.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self::Sentence(sentence.into())
    }

    /// The refusal of an argument of `command`, which takes only what `takes` lists.
    pub(crate) fn argument(command: &str, takes: &str, argument: Arg<'_>) -> Self {
        let cause = argument.unexpected();
        Self::Sentence(format!("{}; `{command}` takes {takes}.", capitalised(&cause)))
    }

    /// The failure of doing something (`"read"`) to a file or folder.
    pub(crate) fn path(verb: &str, path: &Path, cause: &io::Error) -> Self {
        Self::Sentence(format!("Could not {verb} {}: {cause}.", path.display()))
    }

    /// The code this process ends with.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Sentence(_) => ExitCode::FAILURE,
            Self::Stopped { signal } => ExitCode::from(u8::try_from(128 + signal).unwrap_or(u8::MAX)),
        }
    }
}

impl From<lexopt::Error> for Failure {
    fn from(cause: lexopt::Error) -> Self {
        Self::Sentence(format!("{}.", capitalised(&cause)))
    }
}

/// What a library says of a command line, as the start of a sentence.
fn capitalised(cause: &lexopt::Error) -> String {
    let text = cause.to_string();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sentence(sentence) => f.write_str(sentence),
            Self::Stopped { signal } => write!(f, "stopped by signal {signal}"),
        }
    }
}
