//! `cargo lab run`: a server with its services up, for curl and psql.

use super::choose;
use crate::cli::{GradingArgs, RunArgs};
use crate::engine::{Engine, Served};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::reporter::Host;
use crate::submission::Source;

/// Serves what `args` name until Ctrl-C.
pub(super) async fn run(args: RunArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let host = Host::default();
    let workspace = choose::open(&host)?;
    let lab = choose::lab(&workspace, args.lab.as_deref())?;
    let source = match args.command {
        Some(command) => Source::Command(command),
        None if args.solution => Source::Solution,
        None => Source::WorkingTree,
    };
    let grading = GradingArgs { seed: None, services: args.services, jobs: Some(1), time_limit: None, yes: args.yes };
    let request = choose::request(&grading, source, Vec::new());
    let engine = Engine::new(workspace, args.services, args.yes, interrupt)?;
    let served = engine.serve(&lab, &request, &host).await;
    engine.shutdown().await;
    match served? {
        // Ctrl-C is how it is meant to end.
        Served::Ended => Ok(ExitCode::Passed),
        Served::NotRunnable(diagnostics) => {
            host.give_up(&diagnostics);
            Ok(ExitCode::NotRunnable)
        }
    }
}
