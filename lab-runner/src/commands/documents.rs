//! `cargo lab completions` and `cargo lab man`.

use std::sync::Arc;

use crate::cli::{self, CompletionsArgs, ManArgs};
use crate::context::RunContext;
use crate::error::Error;
use crate::events::EventKind;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::reporter::{Reporter, Style};
use crate::workspace::Workspace;

/// Prints the completions for the shell that `args` name.
pub(super) fn completions(args: &CompletionsArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let labs = Workspace::discover()?.labs;
    let labs: Vec<String> = labs.iter().map(|lab| lab.id().to_owned()).collect();
    print(cli::completions(args.shell, &labs), interrupt)
}

/// Prints the man page, or writes all of them.
pub(super) fn man(args: ManArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    match args.dir {
        Some(folder) => {
            cli::write_man_pages(&folder).map_err(|source| Error::io("write the man pages to", &folder, source))?;
            Ok(ExitCode::Passed)
        }
        None => print(cli::man_page().map_err(|error| Error::Fault(error.to_string()))?, interrupt),
    }
}

fn print(text: String, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), &interrupt);
    run.emit(EventKind::DocumentMade { text });
    reporter.finish()?;
    Ok(ExitCode::Passed)
}
