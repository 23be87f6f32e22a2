//! `cargo lab check`: grades one submission and tells the result.

use super::choose;
use crate::cli::CheckArgs;
use crate::engine::Engine;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::reporter::{Reporter, Style};

/// Grades what `args` name.
pub(super) async fn run(args: CheckArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let style = Style { format: args.format, quiet: args.quiet, all_hints: args.hints, folder: args.report };
    let reporter = Reporter::new(style);
    let workspace = choose::open(&reporter)?;
    let (lab, checks) = choose::lab_and_checks(&workspace, &args.names)?;
    let source = choose::source(&args.source, &lab)?;
    let request = choose::request(&args.grading, source, checks);
    let engine = Engine::new(workspace, args.grading.services, args.grading.yes, interrupt)?;
    let graded = engine.grade(&lab, &request, &reporter).await;
    engine.shutdown().await;
    let report = graded?;
    reporter.save(&report)?;
    Ok(report.exit_code())
}
