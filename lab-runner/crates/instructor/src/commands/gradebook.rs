//! `cargo lab gradebook`: one table of what many batches came to.

use std::sync::Arc;

use lab_runner::cli::GradebookArgs;
use lab_runner::commands::choose;
use lab_runner::context::RunContext;
use lab_runner::engine::Engine;
use lab_runner::error::Error;
use lab_runner::events::EventKind;
use lab_runner::exit::ExitCode;
use lab_runner::interrupt::Interrupt;
use lab_runner::reporter::{Reporter, Style};
use lab_services::ProviderChoice;

use crate::results::{self, GradebookSources};

/// Makes the gradebook that `args` ask for.
pub(super) async fn run(args: GradebookArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), &interrupt);
    // Nothing is graded, and so no service is started.
    let engine = Engine::new(choose::open(&run)?, ProviderChoice::default())?;
    let files = [("--roster", args.roster), ("--policy", args.policy), ("--submitted", args.submitted)];
    let files = files.into_iter().filter_map(|(option, path)| Some((option, path?))).collect();
    let sources = GradebookSources { reports: args.reports, to: args.report, files, key: args.key };
    let made = results::gradebook(&engine, &sources, &run).await;
    engine.shutdown().await;
    run.emit(EventKind::ResultConverted { text: made?.text });
    reporter.finish()?;
    Ok(ExitCode::Passed)
}
