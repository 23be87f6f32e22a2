//! The commands of instructors and CI: one module for each.

mod audit;
mod bench;
mod export;
mod fmt;
mod grade;
mod gradebook;
mod mutant;
mod new;
mod new_course;
mod regrade;

use lab_runner::cli::{Args, Command};
use lab_runner::commands::prepare;
use lab_runner::error::Error;
use lab_runner::exit::ExitCode;
use lab_runner::interrupt::Interrupt;

/// Carries out what `args` ask for, if it is one of these commands.
///
/// # Errors
/// It cannot be carried out, or is the runner's own; the error knows its exit code.
pub async fn dispatch(args: Args, interrupt: Interrupt) -> Result<ExitCode, Error> {
    prepare(&args)?;
    match args.command {
        Some(Command::Audit(args)) => audit::run(args, interrupt).await,
        Some(Command::Bench(args)) => bench::run(args, interrupt).await,
        Some(Command::Export(args)) => export::run(args, interrupt).await,
        Some(Command::Fmt(args)) => fmt::run(args, interrupt),
        Some(Command::Grade(args)) => grade::run(args, interrupt).await,
        Some(Command::Gradebook(args)) => gradebook::run(args, interrupt).await,
        Some(Command::Mutant(args)) => mutant::run(args, interrupt).await,
        Some(Command::New(args)) => new::run(args, interrupt).await,
        Some(Command::NewCourse(args)) => new_course::run(&args, &interrupt),
        Some(Command::Regrade(args)) => regrade::run(args, interrupt).await,
        _ => Err(Error::usage("lab-instructor has the commands of instructors and CI; `cargo lab` has this one")),
    }
}
