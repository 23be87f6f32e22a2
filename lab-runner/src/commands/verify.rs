//! `cargo lab verify`: says whether results are what a grader has signed.

use std::sync::Arc;

use super::choose;
use crate::cli::VerifyArgs;
use crate::context::RunContext;
use crate::engine::Engine;
use crate::error::Error;
use crate::events::EventKind;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::reporter::{Reporter, Style};
use crate::results;
use lab_services::ProviderChoice;

/// Verifies what `args` name.
pub(super) async fn run(args: VerifyArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), &interrupt);
    // Nothing is graded, and so no service is started.
    let engine = Engine::new(choose::open(&run)?, ProviderChoice::default())?;
    let verified = results::verify(&engine, &args.files, &args.key, &run).await;
    engine.shutdown().await;
    let verified = verified?;
    run.emit(EventKind::ResultConverted { text: verified.text });
    reporter.finish()?;
    Ok(if verified.yes { ExitCode::Passed } else { ExitCode::NotPassed })
}
