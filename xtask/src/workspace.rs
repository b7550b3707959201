//! Where things are: the repository's folders, the cargo target folder and the cache of tools.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// A path as it is below [`root`], to look at and to show.
pub(crate) fn relative(path: &Path) -> &Path {
    path.strip_prefix(root()).unwrap_or(path)
}

/// The text of a file.
///
/// # Errors
/// It can't be read.
pub(crate) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|cause| Failure::path("read", path, &cause))
}

/// Cargo's target folder.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// Where finished builds wait until they are put in place, one folder per output and profile.
pub(crate) fn stage() -> PathBuf {
    target().join("stage")
}

/// The folder of the tools that are installed for Postern, shared by all clones: `$POSTERN_CACHE`, else
/// `~/.cache/postern`.
///
/// # Errors
/// Without either variable there is no place for them.
pub(crate) fn cache() -> Result<PathBuf> {
    if let Some(dir) = env::var_os("POSTERN_CACHE") {
        return Ok(env::current_dir().unwrap_or_default().join(dir));
    }
    let home = env::home_dir().ok_or_else(|| {
        Failure::new("There is no home folder: set POSTERN_CACHE to a folder for the tools.")
    })?;
    Ok(home.join(".cache").join("postern"))
}

/// The first executable of this name on `PATH`.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(name)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// A 64-bit FNV-1a hash: enough to notice that an input changed and to name a cached file, and the same in
/// every release of Rust, which the standard library's hasher does not promise. Not for anything that
/// somebody could attack.
#[derive(Clone, Copy)]
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    /// The fingerprint of nothing.
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Takes in one more value. Its length counts too, so `("ab", "c")` is not `("a", "bc")`.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        for byte in (bytes.len() as u64).to_le_bytes().iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// Sixteen hexadecimal digits.
    pub(crate) fn hex(self) -> String {
        format!("{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_tells_where_one_value_ends_and_the_next_begins() {
        let of = |parts: &[&str]| {
            let mut print = Fingerprint::new();
            for part in parts {
                print.add(part.as_bytes());
            }
            print.hex()
        };
        assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&[]), of(&[""]));
    }

    #[test]
    fn only_executables_are_found_on_the_path() {
        assert!(on_path("sh").is_some());
        assert_eq!(on_path("no-such-program-of-postern"), None);
    }
}
