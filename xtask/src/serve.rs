//! `cargo xtask serve`: the release on a machine of one's own, for good, without an account, Miniflare or
//! Node.
//!
//! It prepares a data folder and then *becomes* workerd: no process of ours stands between it and whoever
//! started it, so a signal, an exit code and the log are workerd's own.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use lexopt::{Arg, Parser, ValueExt as _};

use crate::builds::{self, Output, Profile};
use crate::failure::{Failure, Result};
use crate::report;
use crate::tools::Toolbox;
use crate::variables::Variables;
use crate::workerd::{self, Front, Machine, Reach, Tls};

/// Whether what is served is brought up to date first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Build {
    /// With the tools, which are found or installed.
    UpToDate,
    /// What was built before is served. Needs no tools but workerd.
    AsItIs,
}

/// What was asked for on the command line.
#[derive(Debug)]
pub(crate) struct Options {
    data: PathBuf,
    listen: String,
    tls: Option<Tls>,
    reach: Reach,
    front: Front,
    build: Build,
}

impl Options {
    /// Reads the arguments after `serve`. Relative paths count from the current folder.
    ///
    /// # Errors
    /// One sentence about the first that is not understood, or about a certificate without its key.
    pub(crate) fn parse(mut arguments: Parser) -> Result<Self> {
        let (mut certificate, mut key) = (None, None);
        let mut options = Self {
            data: PathBuf::from("postern-data"),
            listen: "127.0.0.1:8080".to_owned(),
            tls: None,
            reach: Reach::Public,
            front: Front::Clients,
            build: Build::UpToDate,
        };
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("data") => options.data = PathBuf::from(arguments.value()?),
                Arg::Long("listen") => options.listen = arguments.value()?.string()?,
                Arg::Long("certificate") => certificate = Some(PathBuf::from(arguments.value()?)),
                Arg::Long("key") => key = Some(PathBuf::from(arguments.value()?)),
                Arg::Long("allow-private") => options.reach = Reach::Everywhere,
                Arg::Long("behind-proxy") => options.front = Front::Proxy,
                Arg::Long("built") => options.build = Build::AsItIs,
                other => {
                    return Err(Failure::argument(
                        "serve",
                        "--data DIR, --listen ADDRESS, --certificate PEM, --key PEM, --allow-private, \
                         --behind-proxy and --built",
                        other,
                    ));
                }
            }
        }
        options.tls = match (certificate, key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some(Tls { certificate, key }),
            (Some(_), None) => return Err(Failure::new("--certificate needs --key PEM, its private key.")),
            (None, Some(_)) => return Err(Failure::new("--key needs --certificate PEM, its chain.")),
        };
        Ok(options)
    }
}

/// Prepares the data folder and becomes workerd; returns only where that fails.
///
/// # Errors
/// The first step that failed.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let served = match options.build {
        Build::UpToDate => {
            builds::build_all(&Toolbox::prepare()?, Profile::Release)?;
            Output::SERVED.map(|output| output.stage(Profile::Release))
        }
        Build::AsItIs => [
            built_before("POSTERN_DIST", Output::Dashboard)?,
            built_before("POSTERN_WORKER", Output::Worker)?,
        ],
    };
    let data = Data::at(&options.data)?;
    let lock = data.lock()?;
    let vars = Variables::of_own_machine(&data.variables(), options.reach)?;
    data.prepare(options, &vars, &served)?;

    let scheme = if options.tls.is_some() { "https" } else { "http" };
    report::say(format!("serves {scheme}://{} from {}", options.listen, data.0.display()));
    report::say(format!("the administrator's token and the sealing key: {}", data.variables().display()));
    let mut workerd = Command::new(workerd::program());
    // `--import-path`: what an absolute `embed` counts from. The lock is held by whoever holds the file.
    workerd.args(["serve", "--experimental", "--import-path", "/"]).arg(data.configuration());
    workerd.env_clear().envs(kept_environment()).envs(vars.iter()).current_dir(&data.0).stdin(lock);
    let cause = workerd.exec();
    Err(Failure::new(format!("Could not start {}: {cause}.", workerd::program().display())))
}

/// What of our environment concerns workerd: where the system's certificates are, and the like.
fn kept_environment() -> impl Iterator<Item = (OsString, OsString)> {
    const KEPT: [&str; 4] = ["SSL_CERT_FILE", "SSL_CERT_DIR", "PATH", "HOME"];
    env::vars_os().filter(|(name, _value)| KEPT.iter().any(|kept| name == kept))
}

/// The folder of an earlier build: the one that the variable names, as for the tests, else the last release.
fn built_before(variable: &str, output: Output) -> Result<PathBuf> {
    let folder = env::var_os(variable).map_or_else(|| output.stage(Profile::Release), PathBuf::from);
    if folder.join(output.entry_file()).exists() {
        return Ok(folder);
    }
    Err(Failure::new(format!(
        "No {} was built in {}: run `cargo xtask build --release`, or leave out --built.",
        output.name(),
        folder.display()
    )))
}

/// The folder that holds everything: `objects` and `values` are what is stored, `postern.env` the secrets,
/// `run` what this run needs and the next one makes anew.
struct Data(PathBuf);

impl Data {
    /// The folder of that name, made if it is not there, for its owner only.
    fn at(folder: &Path) -> Result<Self> {
        let made = |path: &Path| {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path)
                .map_err(|cause| Failure::path("make", path, &cause))
        };
        made(folder)?;
        let folder = folder.canonicalize().map_err(|cause| Failure::path("find", folder, &cause))?;
        for part in ["objects", "values", "run"] {
            made(&folder.join(part))?;
        }
        Ok(Self(folder))
    }

    fn variables(&self) -> PathBuf {
        self.0.join("postern.env")
    }

    fn configuration(&self) -> PathBuf {
        self.0.join("run/postern.capnp")
    }

    /// Keeps two from writing to one folder. The system lets go of the lock when the last process ends that
    /// holds the file.
    fn lock(&self) -> Result<File> {
        let path = self.0.join("run/lock");
        let file = File::create(&path).map_err(|cause| Failure::path("write", &path, &cause))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => Err(Failure::new(format!(
                "Another Postern uses {}: end that one, or choose another folder with --data DIR.",
                self.0.display()
            ))),
            Err(fs::TryLockError::Error(cause)) => Err(Failure::path("lock", &path, &cause)),
        }
    }

    /// Copies what is served, so that a build meanwhile changes nothing that runs, and writes the
    /// configuration.
    fn prepare(&self, options: &Options, vars: &Variables, served: &[PathBuf; 2]) -> Result<()> {
        let [page, worker] = [self.0.join("run/page"), self.0.join("run/worker")];
        for (output, (stage, place)) in Output::SERVED.iter().zip(served.iter().zip([&page, &worker])) {
            builds::put_in_place(stage, place, output.entry_file())?;
        }
        let absolute = |file: &Path| file.canonicalize().map_err(|cause| Failure::path("find", file, &cause));
        let tls = match &options.tls {
            None => None,
            Some(Tls { certificate, key }) => {
                Some(Tls { certificate: absolute(certificate)?, key: absolute(key)? })
            }
        };
        let machine = Machine {
            address: &options.listen,
            tls: tls.as_ref(),
            reach: options.reach,
            front: options.front,
            variables: vars.iter().map(|(name, _value)| name).collect(),
        };
        let text = workerd::configuration(&machine, &worker, &page)?;
        let file = self.configuration();
        fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&file)
            .and_then(|mut out| out.write_all(text.as_bytes()))
            .map_err(|cause| Failure::path("write", &file, &cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options> {
        Options::parse(Parser::from_args(words))
    }

    #[test]
    fn by_default_only_this_machine_reaches_it_and_it_reaches_the_internet() {
        let defaults = parse(&[]).expect("no arguments");
        assert_eq!(
            (defaults.data, defaults.listen.as_str(), defaults.reach, defaults.front, defaults.build),
            (PathBuf::from("postern-data"), "127.0.0.1:8080", Reach::Public, Front::Clients, Build::UpToDate)
        );
        assert!(defaults.tls.is_none());
    }

    #[test]
    fn a_certificate_and_its_key_come_together() {
        for (words, named) in [
            (vec!["--certificate", "c.pem"], "--key"),
            (vec!["--key", "k.pem"], "--certificate"),
            (vec!["--port", "80"], "--listen"),
        ] {
            let sentence = parse(&words).expect_err("refused").to_string();
            assert!(sentence.contains(named), "{words:?}: {sentence}");
        }
        let tls = parse(&["--certificate", "c.pem", "--key", "k.pem"]).expect("both").tls.expect("https");
        assert_eq!((tls.certificate, tls.key), (PathBuf::from("c.pem"), PathBuf::from("k.pem")));
    }

    #[test]
    fn a_data_folder_is_its_owners_alone_and_one_servers_at_a_time() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = env::temp_dir().join(format!("postern-xtask-{}-data", std::process::id()));
        let data = Data::at(&folder).expect("it is made");
        let mode = data.0.metadata().expect("its mode").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let first = data.lock().expect("it is free");
        let refused = data.lock().expect_err("it is taken").to_string();
        assert!(refused.contains("--data"), "{refused}");
        drop(first);
        data.lock().expect("it is free again");
        fs::remove_dir_all(&folder).expect("it is removed");
    }
}
