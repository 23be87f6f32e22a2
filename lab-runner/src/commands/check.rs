//! `cargo lab check`: grades one submission and tells the result.

use std::sync::Arc;

use super::choose;
use crate::cli::CheckArgs;
use crate::context::RunContext;
use crate::engine::Engine;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::reporter::{Reporter, Style};

/// Grades what `args` name.
pub(super) async fn run(args: CheckArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let style =
        Style { format: args.format, quiet: args.quiet, all_hints: args.hints, narrate: false, folder: args.report };
    let reporter = Arc::new(Reporter::new(style));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let (lab, checks) = choose::lab_and_checks(&workspace, &args.names)?;
    let source = choose::source(&args.source, &lab)?;
    let request = choose::request(&args.grading, source, checks);
    let engine = Engine::new(workspace, args.grading.services)?;
    let graded = engine.grade(&lab, &request, &run).await;
    engine.shutdown().await;
    let report = graded?;
    reporter.finish()?;
    Ok(report.exit_code())
}
