//! The program `lab-instructor`, which has the commands of instructors and CI: audits, batches, kits, mutants. It is built
//! when one of them is first asked for, so that no learner's first verdict waits for it.

use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::Arc;

use camino::Utf8PathBuf;

use crate::context::RunContext;
use crate::error::Error;
use crate::events::EventKind;
use crate::exit::ExitCode;
use crate::helper::Helper;
use crate::interrupt::Interrupt;
use crate::reporter::{Reporter, Style};
use crate::scratch::Scratch;
use crate::workspace::Workspace;

/// Becomes that program, with this process's arguments: signals, the terminal, the exit code and whoever waits for this
/// process have to do with one process, as for any other command. Returns only if that is not possible.
///
/// # Errors
/// There is no workspace, the program cannot be built, or the user interrupts.
pub(crate) async fn take_over(interrupt: &Interrupt) -> Result<ExitCode, Error> {
    Workspace::root()?;
    let program = program(interrupt).await?;
    if interrupt.is_raised() {
        return Err(Error::Interrupted);
    }
    let error = Command::new(&program).args(std::env::args_os().skip(1)).exec();
    Err(infrastructure(format!("cannot start {program}: {error}")))
}

/// The program, built if it has to be.
async fn program(interrupt: &Interrupt) -> Result<Utf8PathBuf, Error> {
    let helper = Helper::find("lab-instructor", "instructor", "what instructors and CI use");
    let helper = helper.ok_or_else(|| infrastructure("where this program is cannot be told".to_owned()))?;
    if let Some(program) = helper.fresh() {
        return Ok(program);
    }
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), interrupt);
    run.emit(EventKind::Step { text: "compiling what instructors and CI use, once".to_owned() });
    let scratch = Workspace::discover()?.lab_folder().join("scratch");
    let held = Scratch::create(&scratch).map_err(|source| Error::io("write to", &scratch, source))?;
    let built = helper.build(held.path().to_owned(), &run).await;
    reporter.finish()?;
    match built {
        Err(_) if interrupt.is_raised() => Err(Error::Interrupted),
        built => built.map_err(infrastructure),
    }
}

fn infrastructure(message: String) -> Error {
    Error::Infrastructure { message, hints: Vec::new() }
}
