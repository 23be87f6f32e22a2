//! `cargo lab bench`: how fast grading is.

use std::io::Write as _;

use clap::ValueEnum as _;

use super::choose;
use crate::bench;
use crate::cli::BenchArgs;
use crate::engine::Engine;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::reporter::{Format, Narrator, bench_table};

/// Measures the lab that `args` name.
pub(super) async fn run(args: BenchArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    if args.format == Format::Junit {
        return Err(Error::usage("a measurement is told as human or json"));
    }
    let listener = Narrator::new();
    let workspace = choose::open(&listener)?;
    let lab = choose::lab(&workspace, args.lab.as_deref())?;
    let services = args.services.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let engine = Engine::new(workspace, args.services, true, interrupt)?;
    let measured = bench::bench(&engine, &lab, args.repeat, &services, &listener).await;
    engine.shutdown().await;
    let measured = measured?;
    let text = match args.format {
        Format::Json => {
            serde_json::to_string_pretty(&measured).map_err(|error| Error::Fault(error.to_string()))? + "\n"
        }
        _ => bench_table(&measured),
    };
    let _ = write!(anstream::stdout(), "{text}");
    Ok(ExitCode::Passed)
}
