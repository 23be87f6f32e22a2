//! Tools for the history of a repository with a work tree: the one that they are run in.
//!
//! All of them leave things in good order, however they end: they work beside the user's files (`aside`), and change
//! references and files at the very end, all or none. Only `culprit` needs the work tree itself, and puts it back.

mod aside;
mod backport;
mod culprit;
mod error;
mod land;
mod purge;
mod rewrite;
mod unmerge;
mod work_tree;

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};

use error::ToolError;

const USAGE: &str = "usage: culprit GOOD BAD COMMAND [ARGUMENT]…
       backport COMMIT BRANCH…
       unmerge MERGE
       land BRANCH
       purge PATH
or without arguments, to serve";

/// Runs the tool called `tool`.
pub fn run(tool: &OsStr, arguments: Vec<OsString>) -> ExitCode {
    match attempt(tool, arguments) {
        Ok(lines) => finish(&lines, ExitCode::SUCCESS),
        Err(error) => {
            // There may be nobody to read it.
            let _ = writeln!(io::stderr(), "{}: {error}", tool.display());
            finish(error.lines(), error.exit_code())
        }
    }
}

fn finish(lines: &[String], code: ExitCode) -> ExitCode {
    let mut out = io::stdout().lock();
    match lines.iter().try_for_each(|line| writeln!(out, "{line}")) {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

fn attempt(tool: &OsStr, arguments: Vec<OsString>) -> Result<Vec<String>, ToolError> {
    // Whoever presses Ctrl-C stops git as well, which is in the same group. We go on for as long as it takes to tidy up.
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, interrupted.clone())?;
    }
    let text = arguments.iter().map(|argument| argument.to_str()).collect::<Option<Vec<_>>>();
    match (tool.to_str(), text.as_deref()) {
        (Some("culprit"), _) => match &arguments[..] {
            [good, bad, program, rest @ ..] => culprit::run(good, bad, program, rest, &interrupted),
            _ => Err(ToolError::usage(USAGE)),
        },
        (Some("backport"), Some([commit, branches @ ..])) if !branches.is_empty() => backport::run(commit, branches),
        (Some("unmerge"), Some([merge])) => unmerge::run(merge),
        (Some("land"), Some([branch])) => land::run(branch),
        (Some("purge"), _) => match &arguments[..] {
            [path] => purge::run(path),
            _ => Err(ToolError::usage(USAGE)),
        },
        _ => Err(ToolError::usage(USAGE)),
    }
}
