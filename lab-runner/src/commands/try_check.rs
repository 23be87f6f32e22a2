//! `cargo lab try`: the server in the very state of a check that fails, left standing to be looked at.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::choose;
use crate::cli::{GradingArgs, TryArgs};
use crate::context::RunContext;
use crate::engine::{Engine, Tried};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::learner::logs;
use crate::reporter::{Reporter, Style};
use crate::submission::Source;

/// Plays the check that `args` name, and keeps what it leaves until Enter or Ctrl-C.
pub(super) async fn run(args: TryArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let (lab, names) = choose::lab_and_checks(&workspace, &args.names)?;
    let engine = Engine::new(workspace, args.services)?;
    let Some(check) = names.first().cloned().or(engine.state.lab(lab.id()).next_check) else {
        let first = format!("run `cargo lab check {}` first, or name a check", lab.id());
        return Err(Error::Usage { message: "no check has failed yet".into(), hints: vec![first] });
    };
    let source = match args.command {
        Some(command) => Source::Command(command),
        None if args.solution => Source::Solution,
        None => Source::WorkingTree,
    };
    // The data of the run in which it failed.
    let seed = args.seed.or_else(|| logs::last_seed(&engine.state.runs(), lab.id(), &check));
    let grading = GradingArgs { seed, services: args.services, jobs: Some(1), time_limit: None };
    let request = choose::request(&grading, source, vec![check]);
    let tried = engine.hold(&lab, &request, args.hold, enter(), &run).await;
    engine.shutdown().await;
    let tried = tried?;
    reporter.finish()?;
    Ok(match tried {
        Tried::Passed => ExitCode::Passed,
        Tried::Failed => ExitCode::NotPassed,
        Tried::NotRunnable => ExitCode::NotRunnable,
    })
}

/// Returns when a line has come on standard input, or that is closed.
async fn enter() {
    let mut line = Vec::new();
    let _ = BufReader::new(tokio::io::stdin()).read_until(b'\n', &mut line).await;
}
