//! `cargo lab fmt`: formats starters, suites and solutions, and has the mutants follow.

use std::sync::Arc;

use lab_runner::cli::FmtArgs;
use lab_runner::commands::choose;
use lab_runner::context::RunContext;
use lab_runner::error::Error;
use lab_runner::events::EventKind;
use lab_runner::exit::ExitCode;
use lab_runner::interrupt::Interrupt;
use lab_runner::reporter::{Reporter, Style};

use super::mutant;
use crate::formatting;

/// Formats the labs that `args` name, or tells with exit code 1 that one is not formatted.
pub(super) fn run(args: FmtArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let labs = choose::labs(&workspace, &args.labs)?;
    let (mut files, mut mutants) = (Vec::new(), Vec::new());
    for lab in &labs {
        let edition = formatting::edition(&workspace.root, &lab.folder);
        let changed = formatting::rustfmt(&formatting::sources(&lab.folder), &edition, !args.check)?;
        // Their patches were made for the solution as it stood.
        if !args.check && changed.iter().any(|path| path.starts_with(lab.solution())) {
            mutants.extend(mutant::refresh_lab(&workspace, lab, &[], true)?);
        }
        files.extend(changed.iter().map(|path| workspace.relative(path).to_owned()));
    }
    let formatted = files.is_empty() || !args.check;
    let all_fit = mutants.iter().all(|mutant| mutant.cannot.is_none());
    run.emit(EventKind::LabsFormatted { files, written: !args.check });
    if !mutants.is_empty() {
        run.emit(EventKind::MutantsRefreshed { mutants, written: true });
    }
    reporter.finish()?;
    Ok(if formatted && all_fit { ExitCode::Passed } else { ExitCode::NotPassed })
}
