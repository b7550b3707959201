//! A build of the dashboard that is served, and its bytes in words.

use std::path::PathBuf;

use crate::stack::Stack;

/// A build of the dashboard while it is served.
pub(super) struct Build {
    /// As the tables name it.
    pub(super) name: &'static str,
    /// Where its files are.
    pub(super) folder: PathBuf,
    pub(super) stack: Stack,
}

impl Build {
    pub(super) async fn serve(name: &'static str, folder: PathBuf) -> Self {
        let stack = Stack::start_serving(&folder).await;
        Self { name, folder, stack }
    }
}

/// Bytes as kilobytes, for a table.
pub(super) fn kb(bytes: f64) -> String {
    format!("{:.0} KB", bytes / 1_000.0)
}

/// Bytes as megabytes, for a table.
pub(super) fn mb(bytes: f64) -> String {
    format!("{:.1} MB", bytes / 1_000_000.0)
}
