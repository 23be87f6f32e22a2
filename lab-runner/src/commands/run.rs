//! `cargo lab run`: a server with its services up, for curl and psql.

use std::sync::Arc;

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
    let served = engine.serve(&lab, &request, args.env.into_iter().collect(), &run).await;
    engine.shutdown().await;
    match served? {
        // Ctrl-C is how it is meant to end.
        Served::Ended => Ok(ExitCode::Passed),
        Served::NotRunnable => Ok(ExitCode::NotRunnable),
    }
}
