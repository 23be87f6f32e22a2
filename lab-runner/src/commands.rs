//! What `cargo lab` can do: one module for each command. All that grade call the one engine.

mod audit;
mod bench;
mod check;
mod choose;
mod hint;
mod machine;
mod mutant;
mod overview;
mod run;

use crate::cli::{Args, Command};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::limits;

/// Carries out what `args` ask for.
///
/// # Errors
/// It cannot be carried out; the error knows its exit code.
pub async fn dispatch(args: Args, interrupt: Interrupt) -> Result<ExitCode, Error> {
    limits::raise();
    if matches!(args.command, Some(Command::Check(_) | Command::Audit(_) | Command::Bench(_) | Command::Run(_))) {
        limits::check()?;
    }
    match args.command {
        None => overview::run(interrupt),
        Some(Command::Check(args)) => check::run(args, interrupt).await,
        Some(Command::Audit(args)) => audit::run(args, interrupt).await,
        Some(Command::Mutant(args)) => mutant::run(args, interrupt),
        Some(Command::Hint(args)) => hint::run(args, interrupt).await,
        Some(Command::Run(args)) => run::run(args, interrupt).await,
        Some(Command::Down(args)) => machine::down(args, interrupt).await,
        Some(Command::Doctor(args)) => machine::doctor(args, interrupt).await,
        Some(Command::Bench(args)) => bench::run(args, interrupt).await,
    }
}
