//! The benchmark's command line.

use std::time::Duration;

use crate::stack::Host;

/// What to measure.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Events a second, one run each, in order.
    pub rates: Vec<u32>,
    /// How long each run publishes.
    pub duration: Duration,
    /// On what.
    pub hosts: Vec<Host>,
    /// Webhooks that each event goes to.
    pub fanout: usize,
    /// Bytes of an event's body, about.
    pub body_bytes: usize,
}

/// What `--help` and a wrong argument show.
pub const USAGE: &str = "cargo xtask bench [--rates 50,100,200,400] [--duration SECONDS=10] [--runtime wrangler|miniflare|both] [--fanout 1] [--body-bytes 1024]";

impl Default for Options {
    fn default() -> Self {
        Self {
            rates: vec![50, 100, 200, 400],
            duration: Duration::from_secs(10),
            hosts: vec![Host::Wrangler, Host::Miniflare],
            fanout: 1,
            body_bytes: 1024,
        }
    }
}

impl Options {
    /// Reads the arguments that follow the program's name.
    ///
    /// # Errors
    /// A sentence that names the wrong argument.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} wants a value"))?;
            let wrong = || format!("{name} cannot be {value:?}");
            match name.as_str() {
                "--rates" => options.rates = value.split(',').map(positive).collect::<Option<_>>().ok_or_else(wrong)?,
                "--duration" => options.duration = Duration::from_secs(u64::from(positive(&value).ok_or_else(wrong)?)),
                "--fanout" => options.fanout = positive(&value).and_then(|count| usize::try_from(count).ok()).ok_or_else(wrong)?,
                "--body-bytes" => options.body_bytes = positive(&value).and_then(|count| usize::try_from(count).ok()).ok_or_else(wrong)?,
                "--runtime" => {
                    options.hosts = match value.as_str() {
                        "wrangler" => vec![Host::Wrangler],
                        "miniflare" => vec![Host::Miniflare],
                        "both" => vec![Host::Wrangler, Host::Miniflare],
                        _ => return Err(wrong()),
                    };
                }
                _ => return Err(format!("there is no {name}")),
            }
        }
        Ok(options)
    }
}

fn positive(text: &str) -> Option<u32> {
    text.trim().parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn what_is_not_said_keeps_its_default() {
        let options = parse("--rates 10,20 --runtime miniflare").expect("right arguments");
        assert_eq!(options, Options { rates: vec![10, 20], hosts: vec![Host::Miniflare], ..Options::default() });
    }

    #[test]
    fn a_wrong_argument_is_named() {
        for (line, name) in [
            ("--rates 0", "--rates"),
            ("--fanout x", "--fanout"),
            ("--speed 1", "--speed"),
            ("--duration", "--duration"),
            ("--runtime edge", "--runtime"),
        ] {
            assert!(parse(line).expect_err(line).contains(name), "{line}");
        }
    }
}
