//! Files and folders: a failure names the one that it is about.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};

/// The contents of a file.
///
/// # Errors
/// It can't be read.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).map_err(|cause| Failure::path("read", file, &cause))
}

/// Writes a file, whose folder is there.
///
/// # Errors
/// It can't be written.
pub(crate) fn write(file: &Path, contents: impl AsRef<[u8]>) -> Result<()> {
    fs::write(file, contents).map_err(|cause| Failure::path("write", file, &cause))
}

/// Copies a file, and makes the folder it goes to.
///
/// # Errors
/// One can't be read, or the other can't be written.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    make_folder(to.parent().unwrap_or(to))?;
    fs::copy(from, to).map(drop).map_err(|cause| Failure::path("copy", from, &cause))
}

/// Removes a file unless it is gone.
///
/// # Errors
/// It is there and stays.
pub(crate) fn remove(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => Err(Failure::path("remove", file, &cause)),
        _ => Ok(()),
    }
}

/// Makes a folder, and those that it is in, unless it is there.
///
/// # Errors
/// It can't be made.
pub(crate) fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|cause| Failure::path("make", folder, &cause))
}

/// Makes a folder that holds nothing.
///
/// # Errors
/// It can't be made.
pub(crate) fn empty_folder(folder: &Path) -> Result<()> {
    drop(fs::remove_dir_all(folder));
    make_folder(folder)
}

/// Removes a folder with all that is in it.
///
/// # Errors
/// It is not there, or something of it stays.
pub(crate) fn remove_folder(folder: &Path) -> Result<()> {
    fs::remove_dir_all(folder).map_err(|cause| Failure::path("remove", folder, &cause))
}

/// All files below a folder, relative to it.
///
/// # Errors
/// A folder cannot be read.
pub(crate) fn under(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(relative) = open.pop() {
        let dir = folder.join(&relative);
        for entry in fs::read_dir(&dir).map_err(|cause| Failure::path("read", &dir, &cause))?.flatten() {
            let path = relative.join(entry.file_name());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(path),
                _ => files.push(path),
            }
        }
    }
    files.sort();
    Ok(files)
}
