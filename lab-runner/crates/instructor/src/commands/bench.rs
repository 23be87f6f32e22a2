//! `cargo lab bench`: how fast grading is.

use std::sync::Arc;

use clap::ValueEnum as _;
use lab_runner::cli::{BenchArgs, BenchCommand, BenchGradeArgs};
use lab_runner::commands::choose;
use lab_runner::context::RunContext;
use lab_runner::engine::Engine;
use lab_runner::error::Error;
use lab_runner::events::EventKind;
use lab_runner::exit::ExitCode;
use lab_runner::interrupt::Interrupt;
use lab_runner::reporter::{Format, Reporter, Style};
use lab_services::ProviderChoice;

use crate::bench::{self, Measure};

/// Measures the lab that `args` name.
pub(super) async fn run(args: BenchArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    if let Some(BenchCommand::Grade(args)) = args.command {
        return grade(args, interrupt).await;
    }
    let reporter = reporter(args.format)?;
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let lab = choose::lab(&workspace, args.lab.as_deref())?;
    let services = named(args.services);
    let engine = Engine::new(workspace, args.services)?;
    let measured = bench::bench(&engine, &lab, args.repeat, &services, &run).await;
    engine.shutdown().await;
    run.emit(EventKind::BenchFinished { bench: Box::new(measured?) });
    reporter.finish()?;
    Ok(ExitCode::Passed)
}

/// Measures batches of copies of the solution of the lab that `args` name.
async fn grade(args: BenchGradeArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = reporter(args.format)?;
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let lab = choose::lab(&workspace, args.lab.as_deref())?;
    let engine = Engine::new(workspace, args.services)?;
    let BenchGradeArgs { submissions, jobs, usual, services, .. } = args;
    let how = Measure { submissions, jobs, usual, services: named(services) };
    let measured = bench::batch(&engine, &lab, &how, &run).await;
    engine.shutdown().await;
    run.emit(EventKind::BatchMeasured { batch: Box::new(measured?) });
    reporter.finish()?;
    Ok(ExitCode::Passed)
}

fn reporter(format: Format) -> Result<Arc<Reporter>, Error> {
    if format == Format::Junit {
        return Err(Error::usage("a measurement can be shown as human or json"));
    }
    Ok(Arc::new(Reporter::new(Style { format, narrate: true, ..Style::default() })))
}

/// As another `cargo lab` takes it.
fn named(services: ProviderChoice) -> String {
    services.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
