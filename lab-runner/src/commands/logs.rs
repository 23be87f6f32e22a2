//! `cargo lab logs`: what the server wrote in the last run, check by check.

use std::sync::Arc;

use super::choose;
use crate::cli::LogsArgs;
use crate::context::RunContext;
use crate::error::Error;
use crate::events::EventKind;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::learner::logs;
use crate::reporter::{Reporter, Style};
use crate::state::State;
use crate::suggest;
use crate::suite::{Suite, SuiteError};

/// Shows the log that `args` name.
pub(super) fn run(args: LogsArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let (lab, names) = choose::lab_and_checks(&workspace, &args.names)?;
    let check = names.first().map(String::as_str);
    let folder = State::of(&workspace).runs();
    let log = logs::last(&folder, lab.id(), check).map_err(|source| Error::io("read", &folder, source))?;
    let Some(log) = log else {
        let (checks, _) = Suite::known_checks(&workspace, &lab);
        let known = || checks.iter().map(|check| check.id.as_str());
        if let Some(name) = check.filter(|name| !checks.is_empty() && !known().any(|known| known == *name)) {
            let suggestion = suggest::did_you_mean(name, known());
            return Err(SuiteError::UnknownCheck { name: name.into(), lab: lab.id().to_owned(), suggestion }.into());
        }
        let asked = check.map(|check| format!(" {check}")).unwrap_or_default();
        return Err(Error::Usage {
            message: format!("no run of {}{asked} is on record", lab.id()),
            hints: vec![format!("run `cargo lab check {}{asked}` first", lab.id())],
        });
    };
    run.emit(EventKind::LogsShown { log: Box::new(log) });
    reporter.finish()?;
    Ok(ExitCode::Passed)
}
