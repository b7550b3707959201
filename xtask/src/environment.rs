//! What the tests run in: a browser, virtual environments of Python, and variables that say where everything
//! is.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::builds::Output;
use crate::failure::{Failure, Result};
use crate::files;
use crate::process::{self, must_succeed};
use crate::report;
use crate::tools::{Apt, Toolbox};
use crate::workspace::{self, Fingerprint};
use crate::wrangler;

/// Tells the tests (and the benchmark) where everything is. CONTRIBUTING.md lists these variables.
pub(crate) fn set(command: &mut Command, tools: &Toolbox, browser: Option<&Browser>) {
    command
        .env("POSTERN_ROOT", workspace::root())
        .env("POSTERN_NODE", &tools.node)
        .env("POSTERN_WRANGLER", Toolbox::wrangler())
        .env("POSTERN_VECTORS", Output::Vectors.folder())
        .env("POSTERN_VENVS", venv_links());
    if let Ok(own) = std::env::current_exe() {
        command.env("POSTERN_XTASK", own);
    }
    if let Some(browser) = browser {
        command.env("POSTERN_CHROMIUM", &browser.chromium).env("POSTERN_CHROMEDRIVER", &browser.chromedriver);
    }
    wrangler::set_quiet(command);
    wrangler::set_built(command);
    command.env("PATH", tools.path());
}

/// The browser of the browser tests.
pub(crate) struct Browser {
    chromium: PathBuf,
    chromedriver: PathBuf,
}

impl Browser {
    /// From the environment, from `PATH`, or from Debian's packages.
    ///
    /// # Errors
    /// It is absent and could not be installed.
    pub(crate) fn find_or_install() -> Result<Self> {
        if let Some(found) = Self::find() {
            return Ok(found);
        }
        if let Some(mut apt) = Apt::find()? {
            report::announce("installing Chromium");
            apt.install(&["chromium".to_owned(), "chromium-driver".to_owned()])?;
        }
        Self::find().ok_or_else(|| {
            Failure::new("The browser tests need Chromium and its chromedriver: install both, or name them in POSTERN_CHROMIUM and POSTERN_CHROMEDRIVER.")
        })
    }

    pub(crate) fn find() -> Option<Self> {
        let program = |variable: &str, names: &[&str]| {
            std::env::var_os(variable)
                .map(PathBuf::from)
                .or_else(|| names.iter().find_map(|name| workspace::on_path(name)))
        };
        Some(Self {
            chromium: program(
                "POSTERN_CHROMIUM",
                &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
            )?,
            chromedriver: program("POSTERN_CHROMEDRIVER", &["chromedriver"])?,
        })
    }
}

/// `$POSTERN_VENVS`: `ubiops/requirements-4.1.0` leads to the virtual environment of that file.
fn venv_links() -> PathBuf {
    workspace::target().join("venvs")
}

/// One virtual environment for each `tests/clients/<client>/requirements*.txt`, kept in the cache under the
/// hash of what it was made of.
pub(crate) fn virtual_environments() -> Result<()> {
    let clients = workspace::root().join("tests/clients");
    for client in subfolders(&clients) {
        let mut files: Vec<PathBuf> = fs::read_dir(&client)
            .map_err(|cause| Failure::path("read", &client, &cause))?
            .flatten()
            .map(|entry| entry.path())
            .collect();
        files.sort();
        for requirements in files {
            let is_requirements = requirements
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("requirements"))
                && requirements.extension().is_some_and(|end| end == "txt");
            if !is_requirements {
                continue;
            }
            let venv = virtual_environment(&requirements)?;
            let link = venv_links()
                .join(client.file_name().unwrap_or_default())
                .join(requirements.file_stem().unwrap_or_default());
            let folder = link.parent().unwrap_or(Path::new("."));
            files::make_folder(folder)?;
            drop(fs::remove_file(&link));
            symlink(&venv, &link).map_err(|cause| Failure::path("make", &link, &cause))?;
        }
    }
    Ok(())
}

fn subfolders(dir: &Path) -> Vec<PathBuf> {
    // No folder, no clients: the part that needs them finds no tests and says so.
    let mut folders: Vec<PathBuf> = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn virtual_environment(requirements: &Path) -> Result<PathBuf> {
    let python = workspace::on_path("python3")
        .ok_or_else(|| Failure::new("The clients' tests need python3: install it."))?;
    let mut ask = process::command(&python);
    ask.arg("--version");
    let mut print = Fingerprint::new();
    print.add(must_succeed(ask, "python3 --version")?.as_bytes());
    print.add(&files::read(requirements)?);
    let venv = workspace::cache()?.join("venvs").join(print.hex());
    let complete = venv.join(".complete");
    if complete.exists() {
        return Ok(venv);
    }
    report::announce(format!("a virtual environment for {}", requirements.display()));
    drop(fs::remove_dir_all(&venv));
    let create = || {
        let mut create = process::command(&python);
        create.args(["-m", "venv"]).arg(&venv);
        must_succeed(create, "python3 -m venv")
    };
    if let Err(failure) = create() {
        // Debian's python comes without what `venv` needs.
        let Some(mut apt) = Apt::find()? else { return Err(failure) };
        apt.install(&["python3-venv".to_owned()])?;
        create()?;
    }
    let mut install = process::command(venv.join("bin/python"));
    install.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]);
    // A file that starts so names everything that is needed, and packages that would ask for much more.
    if fs::read_to_string(requirements).is_ok_and(|text| text.starts_with("# --no-deps")) {
        install.arg("--no-deps");
    }
    install.arg("-r").arg(requirements);
    must_succeed(install, "pip install")?;
    files::write(&complete, "")?;
    Ok(venv)
}
