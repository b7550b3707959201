//! `cargo xtask build`: brings `dist` and `edge/build` up to date, and `.dev.vars` for a development build.
//! It is what `wrangler dev` and `wrangler deploy` call when a person runs them (`build` in wrangler.jsonc).

use std::env;
use std::process::ExitCode;

use lexopt::{Arg, Parser};

use crate::builds::{self, Profile};
use crate::failure::{Failure, Result};
use crate::tools::Toolbox;
use crate::variables::Variables;

/// What was asked for on the command line.
pub(crate) struct Options {
    profile: Profile,
}

impl Options {
    /// Reads the arguments after `build`. Without one, what wrangler deploys is a release.
    ///
    /// # Errors
    /// One sentence about the first that is not understood.
    pub(crate) fn parse(mut arguments: Parser) -> Result<Self> {
        let mut profile = profile_for(env::var("WRANGLER_COMMAND").ok().as_deref());
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("release") => profile = Profile::Release,
                other => return Err(Failure::argument("build", "--release", other)),
            }
        }
        Ok(Self { profile })
    }
}

/// The profile for what wrangler does; `None`: it was not wrangler that called.
fn profile_for(wrangler_command: Option<&str>) -> Profile {
    match wrangler_command {
        None | Some("dev") => Profile::Dev,
        Some(_) => Profile::Release,
    }
}

/// Builds.
///
/// # Errors
/// A tool is missing, or a build failed.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    if options.profile == Profile::Dev {
        // `wrangler dev` reads the file when it has built.
        Variables::of_development()?;
    }
    let tools = Toolbox::prepare()?;
    builds::build_all(&tools, options.profile)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deployed_is_a_release() {
        assert_eq!(profile_for(Some("deploy")), Profile::Release);
        assert_eq!(profile_for(Some("versions upload")), Profile::Release);
        assert_eq!(profile_for(Some("dev")), Profile::Dev);
        assert_eq!(profile_for(None), Profile::Dev);
    }

    #[test]
    fn build_takes_one_argument() {
        let parse = |words: &[&str]| Options::parse(Parser::from_args(words));
        assert_eq!(parse(&["--release"]).expect("it is known").profile, Profile::Release);
        assert!(parse(&["--fast"]).err().expect("it is unknown").to_string().contains("--fast"));
    }
}
