//! Postgres's own programs.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::ToolError;

/// A program of Postgres's that ends with us, and whose output is not mixed with ours.
pub fn program(folder: &Path, name: &'static str) -> Command {
    let mut command = Command::new(folder.join(name));
    command.kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::null()).env("LC_ALL", "C");
    command
}

/// Runs a program to its end.
///
/// # Errors
/// It cannot be started, or fails.
pub async fn run(folder: &Path, name: &'static str, command: &mut Command) -> Result<(), ToolError> {
    let status = command.status().await.map_err(|error| ToolError::Io(folder.join(name), error))?;
    if status.success() { Ok(()) } else { Err(ToolError::Program { program: name, status }) }
}

/// Looks whether a backup is what it was when it was made, by the hashes in its manifest. The log is not read for that: it
/// is read when it is replayed.
///
/// # Errors
/// It is not.
pub async fn verify(folder: &Path, backup: &Path) -> Result<(), ToolError> {
    let name = "pg_verifybackup";
    run(folder, name, program(folder, name).args(["--exit-on-error", "--no-parse-wal"]).arg(backup)).await
}
