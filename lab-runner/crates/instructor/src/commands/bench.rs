//! `cargo lab bench`: how fast grading is.

use std::sync::Arc;

use clap::ValueEnum as _;
use lab_runner::cli::BenchArgs;
use lab_runner::commands::choose;
use lab_runner::context::RunContext;
use lab_runner::engine::Engine;
use lab_runner::error::Error;
use lab_runner::events::EventKind;
use lab_runner::exit::ExitCode;
use lab_runner::interrupt::Interrupt;
use lab_runner::reporter::{Format, Reporter, Style};

use crate::bench;

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
