//! Removes what runs that were killed have left at an engine.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::engine::Engine;
use crate::fail;

/// Removes the containers and volumes whose owners are gone, at the engine that `arguments` name, and prints what they were.
#[expect(clippy::print_stdout, reason = "what it was asked for")]
pub(crate) fn run(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let engine = arguments.next().unwrap_or_default();
    let swept = Engine::at(&engine.to_string_lossy()).and_then(|engine| engine.sweep());
    match swept {
        Ok(removed) => {
            removed.iter().for_each(|one| println!("{} {}", one.what, one.name));
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error.to_string()),
    }
}
