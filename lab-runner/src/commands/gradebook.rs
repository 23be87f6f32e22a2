//! `cargo lab gradebook`: one table of what many batches came to.

use std::sync::Arc;

use super::choose;
use crate::cli::GradebookArgs;
use crate::context::RunContext;
use crate::engine::Engine;
use crate::error::Error;
use crate::events::EventKind;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::reporter::{Reporter, Style};
use crate::results::{self, GradebookSources};
use lab_services::ProviderChoice;

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
