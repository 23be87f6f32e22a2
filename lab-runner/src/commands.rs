//! What `cargo lab` can do: one module for each command. All that grade call the one engine.

mod check;
pub mod choose;
mod documents;
mod export;
mod hint;
mod logs;
mod machine;
mod next;
mod overview;
mod reset;
mod run;
mod solution;
mod test;
mod try_check;
mod verify;
mod watch;
mod web;

use crate::cli::{Args, Command};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::instructor;
use crate::interrupt::Interrupt;
use crate::learner_kit;
use crate::limits;

/// Does what comes before any command: raises limits, and refuses what `args` cannot have here.
///
/// # Errors
/// They ask for what learners do not get in a learner kit, or for servers with fewer open files than these take.
pub fn prepare(args: &Args) -> Result<(), Error> {
    limits::raise();
    if let Some(what) = args.command.as_ref().and_then(needs_the_course) {
        learner_kit::refuse(what)?;
    }
    if args.command.as_ref().is_some_and(starts_servers) {
        limits::check()?;
    }
    Ok(())
}

/// Carries out what `args` ask for. The program of the instructors' commands takes over for these.
///
/// # Errors
/// It cannot be carried out; the error knows its exit code.
pub async fn dispatch(args: Args, interrupt: Interrupt) -> Result<ExitCode, Error> {
    prepare(&args)?;
    match args.command {
        None => overview::run(interrupt),
        Some(Command::Check(args)) => check::run(args, interrupt).await,
        Some(Command::Verify(args)) => verify::run(args, interrupt).await,
        Some(Command::Watch(args)) => watch::run(args, interrupt).await,
        Some(Command::Export(args)) => export::run(args, interrupt).await,
        Some(Command::Test(args)) => test::run(args, interrupt).await,
        Some(Command::Hint(args)) => hint::run(args, interrupt).await,
        Some(Command::Completions(args)) => documents::completions(&args, interrupt),
        Some(Command::Man(args)) => documents::man(args, interrupt),
        Some(Command::Try(args)) => try_check::run(args, interrupt).await,
        Some(Command::Next(args)) => next::run(args, interrupt),
        Some(Command::Logs(args)) => logs::run(args, interrupt),
        Some(Command::Solution(args)) => solution::run(args, interrupt),
        Some(Command::Reset(args)) => reset::run(args, interrupt),
        Some(Command::Run(args)) => run::run(args, interrupt).await,
        Some(Command::Web(args)) => web::run(args, interrupt).await,
        Some(Command::Down(args)) => machine::down(args, interrupt).await,
        Some(Command::Doctor(args)) => machine::doctor(args, interrupt).await,
        Some(
            Command::Audit(_)
            | Command::Bench(_)
            | Command::Fmt(_)
            | Command::Grade(_)
            | Command::Gradebook(_)
            | Command::Mutant(_)
            | Command::New(_)
            | Command::NewCourse(_)
            | Command::Regrade(_),
        ) => instructor::take_over(&interrupt).await,
    }
}

/// Whether `command` starts servers, which takes more open files than some machines allow.
fn starts_servers(command: &Command) -> bool {
    use Command::{Audit, Bench, Check, Grade, Regrade, Run, Try, Watch};
    matches!(command, Check(_) | Watch(_) | Try(_) | Grade(_) | Regrade(_) | Audit(_) | Bench(_) | Run(_))
}

/// What of `command` needs the checks' source, the solutions or the mutants, which learners do not get.
fn needs_the_course(command: &Command) -> Option<&'static str> {
    match command {
        Command::Audit(_) => Some("`cargo lab audit`"),
        Command::Bench(_) => Some("`cargo lab bench`"),
        Command::Fmt(_) => Some("`cargo lab fmt`"),
        Command::Grade(_) => Some("`cargo lab grade`"),
        Command::Gradebook(_) => Some("`cargo lab gradebook`"),
        Command::Mutant(_) => Some("`cargo lab mutant`"),
        Command::New(_) => Some("`cargo lab new`"),
        Command::NewCourse(_) => Some("`cargo lab new-course`"),
        Command::Regrade(_) => Some("`cargo lab regrade`"),
        Command::Solution(_) => Some("`cargo lab solution`"),
        Command::Check(args) if args.held_out.is_some() => Some("`--held-out`"),
        Command::Check(args) if args.source.solution => Some("`--solution`"),
        Command::Run(args) if args.solution => Some("`--solution`"),
        Command::Test(args) if args.solution => Some("`--solution`"),
        _ => None,
    }
}
