//! Removes what runs that were killed have left at an engine.

use std::ffi::OsString;
use std::process::ExitCode;

use lab_sandbox::ContainerOwner;

use crate::engine::Engine;
use crate::fail;

/// Removes the containers whose owners are gone, at the engine that `arguments` name, and prints their ids.
#[expect(clippy::print_stdout, reason = "what it was asked for")]
pub(crate) fn run(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let engine = arguments.next().unwrap_or_default();
    let swept = Engine::at(&engine.to_string_lossy()).and_then(|engine| engine.sweep(ContainerOwner::is_gone));
    match swept {
        Ok(removed) => {
            removed.iter().for_each(|id| println!("{id}"));
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error.to_string()),
    }
}
