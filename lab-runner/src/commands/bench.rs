//! `cargo lab bench`: how fast grading is.

use std::sync::Arc;

use clap::ValueEnum as _;

use super::choose;
use crate::bench;
use crate::cli::BenchArgs;
use crate::context::RunContext;
use crate::engine::Engine;
use crate::error::Error;
use crate::events::EventKind;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::reporter::{Format, Reporter, Style};

/// Measures the lab that `args` name.
pub(super) async fn run(args: BenchArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    if args.format == Format::Junit {
        return Err(Error::usage("a measurement can be shown as human or json"));
    }
    let reporter = Arc::new(Reporter::new(Style { format: args.format, narrate: true, ..Style::default() }));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let lab = choose::lab(&workspace, args.lab.as_deref())?;
    let services = args.services.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let engine = Engine::new(workspace, args.services)?;
    let measured = bench::bench(&engine, &lab, args.repeat, &services, &run).await;
    engine.shutdown().await;
    run.emit(EventKind::BenchFinished { bench: Box::new(measured?) });
    reporter.finish()?;
    Ok(ExitCode::Passed)
}
