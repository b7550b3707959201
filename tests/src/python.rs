//! Runs the clients' scripts (`tests/clients`) and reads the JSON summary that they end with.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::artefacts;

/// Runs `script` (a path from the root) with the environment of `requirements` and returns the last line of
/// its output as JSON. Panics with its whole output where it fails.
pub async fn run(requirements: &str, script: &str, arguments: &[&str]) -> Value {
    let mut command = Command::new(artefacts::python(requirements));
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONPATH", artefacts::root().join("tests/clients/rig"));
    command.arg(artefacts::root().join(script)).args(arguments);
    summary(script, command).await
}

/// Runs a Node.js script (a path from the root) and returns the last line of its output as JSON.
pub async fn run_node(script: &str, arguments: &[&str]) -> Value {
    let mut command = Command::new(artefacts::node());
    command.arg(artefacts::root().join(script)).args(arguments);
    summary(script, command).await
}

async fn summary(script: &str, mut command: Command) -> Value {
    command.current_dir(artefacts::root()).stdin(Stdio::null()).kill_on_drop(true);
    // A proxy of the machine is for package registries, not for loopback.
    for variable in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        command.env_remove(variable);
    }
    let output =
        command.output().await.unwrap_or_else(|fault| panic!("{script} could not be started: {fault}"));
    let (told, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success(),
        "{} failed ({}):\n{told}\n{complained}",
        Path::new(script).display(),
        output.status
    );
    let line = told.lines().last().unwrap_or_default();
    serde_json::from_str(line).unwrap_or_else(|fault| {
        panic!("{script} must end with a line of JSON ({fault}):\n{told}\n{complained}")
    })
}
