//! `cargo lab run`: a server with its services up, for curl and psql; or a program, in our place.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::Arc;

use camino::Utf8Path;
use lab_protocol::Target;

use super::choose;
use crate::cli::{GradingArgs, RunArgs};
use crate::context::RunContext;
use crate::engine::{Engine, Served};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::reporter::{Reporter, Style};
use crate::submission::Source;

/// Serves what `args` name until Ctrl-C.
pub(super) async fn run(args: RunArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let lab = choose::lab(&workspace, args.lab.as_deref())?;
    let source = match args.command {
        Some(command) => Source::Command(command),
        None if args.solution => Source::Solution,
        None => Source::WorkingTree,
    };
    let grading = GradingArgs { seed: None, services: args.services, jobs: Some(1), time_limit: None };
    let request = choose::request(&grading, source, Vec::new());
    let engine = Engine::new(workspace, args.services)?;
    let env: BTreeMap<String, String> = args.env.into_iter().collect();
    if lab.manifest.program.is_some() {
        return match engine.start_line(&lab, &request, &run).await? {
            Some(target) => Err(take_our_place(target, env, &args.arguments)),
            None => Ok(ExitCode::NotRunnable),
        };
    }
    if !args.arguments.is_empty() {
        return Err(Error::usage(format!("{} is a server, which gets variables (`--env`) and no arguments", lab.id())));
    }
    let served = engine.serve(&lab, &request, env, &run).await;
    engine.shutdown().await;
    match served? {
        // Ctrl-C is how it is meant to end.
        Served::Ended => Ok(ExitCode::Passed),
        Served::NotRunnable => Ok(ExitCode::NotRunnable),
    }
}

/// Becomes the program, so that its streams, its signals and its exit code are those of the terminal. It runs in the folder
/// that we were called in. Gives why that cannot be, if it cannot.
fn take_our_place(target: Target, env: BTreeMap<String, String>, arguments: &[String]) -> Error {
    let Target::Launch { argv, env: own, .. } = target else { return Error::usage("there is no program to run") };
    let Some((program, first)) = argv.split_first() else { return Error::usage("there is no program to run") };
    let error = Command::new(program).args(first).args(arguments).envs(own).envs(env).exec();
    Error::io("start", Utf8Path::new(program), error)
}
