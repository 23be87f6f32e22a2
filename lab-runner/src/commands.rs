//! What `cargo lab` can do: one module for each command. All that grade call the one engine.

mod audit;
mod bench;
mod check;
mod choose;
mod grade;
mod hint;
mod machine;
mod mutant;
mod overview;
mod run;
mod watch;

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
    if args.command.as_ref().is_some_and(starts_servers) {
        limits::check()?;
    }
    match args.command {
        None => overview::run(interrupt),
        Some(Command::Check(args)) => check::run(args, interrupt).await,
        Some(Command::Grade(args)) => grade::run(args, interrupt).await,
        Some(Command::Watch(args)) => watch::run(args, interrupt).await,
        Some(Command::Audit(args)) => audit::run(args, interrupt).await,
        Some(Command::Mutant(args)) => mutant::run(args, interrupt),
        Some(Command::Hint(args)) => hint::run(args, interrupt).await,
        Some(Command::Run(args)) => run::run(args, interrupt).await,
        Some(Command::Down(args)) => machine::down(args, interrupt).await,
        Some(Command::Doctor(args)) => machine::doctor(args, interrupt).await,
        Some(Command::Bench(args)) => bench::run(args, interrupt).await,
    }
}

/// Whether `command` starts servers, which takes more open files than some machines allow.
fn starts_servers(command: &Command) -> bool {
    use Command::{Audit, Bench, Check, Grade, Run, Watch};
    matches!(command, Check(_) | Watch(_) | Grade(_) | Audit(_) | Bench(_) | Run(_))
}
