//! `cargo lab mutant`: keeps the patches of mutants in step with the solutions they change.

use std::sync::Arc;

use super::choose;
use crate::cli::{MutantArgs, MutantCommand, RefreshArgs};
use crate::context::RunContext;
use crate::error::Error;
use crate::events::{EventKind, MutantRefresh};
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::reporter::{Format, Reporter, Style};
use crate::submission::mutant::{History, Mutant, Refreshed};
use crate::submission::{self, SubmissionError};
use crate::suggest;
use crate::workspace::Lab;

/// Does what `args` ask of mutants.
pub(super) fn run(args: MutantArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    match args.command {
        MutantCommand::Refresh(args) => refresh(args, interrupt),
    }
}

/// Carries patches over to the solutions as they are now. Exit code 1 says that some cannot be.
fn refresh(args: RefreshArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    if args.format == Format::Junit {
        return Err(Error::usage("what became of patches can be shown as human or json"));
    }
    let reporter = Arc::new(Reporter::new(Style { format: args.format, ..Style::default() }));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let labs = match args.labs.as_slice() {
        [] => workspace.labs.clone(),
        names => names.iter().map(|name| choose::lab(&workspace, Some(name))).collect::<Result<_, _>>()?,
    };
    let mut mutants = Vec::new();
    for lab in &labs {
        mutants.extend(of_lab(lab, &args)?);
    }
    if let Some(name) = args.mutants.iter().find(|name| !mutants.iter().any(|mutant| mutant.name == **name)) {
        return Err(unknown(name, &labs));
    }
    for mutant in &mut mutants {
        mutant.path = workspace.relative(&mutant.path).to_owned();
        mutant.cannot = mutant.cannot.take().map(|why| why.replace(&format!("{}/", workspace.root), ""));
    }
    let all_fit = mutants.iter().all(|mutant| mutant.cannot.is_none());
    run.emit(EventKind::MutantsRefreshed { mutants, written: !args.dry_run });
    reporter.finish()?;
    Ok(if all_fit { ExitCode::Passed } else { ExitCode::NotPassed })
}

fn unknown(name: &str, labs: &[Lab]) -> Error {
    let known: Vec<String> =
        labs.iter().filter_map(|lab| Mutant::all(lab).ok()).flatten().flatten().map(|mutant| mutant.name).collect();
    let ids: Vec<&str> = labs.iter().map(Lab::id).collect();
    let hints = suggest::did_you_mean(name, known.iter().map(String::as_str)).into_iter().collect();
    Error::Usage { message: format!("{} has no mutant `{name}`", ids.join(", ")), hints }
}

fn of_lab(lab: &Lab, args: &RefreshArgs) -> Result<Vec<MutantRefresh>, Error> {
    let solution = submission::solution(lab)?;
    let mut history = History::of(lab);
    let mut results = Vec::new();
    for path in Mutant::paths(lab).map_err(SubmissionError::from)? {
        let name = path.file_stem().unwrap_or_default().to_owned();
        if !args.mutants.is_empty() && !args.mutants.contains(&name) {
            continue;
        }
        let mutant = Mutant::load(&path);
        let refreshed = mutant.and_then(|mutant| mutant.refresh(&solution, &lab.manifest.editable, &mut history));
        let mut result = MutantRefresh { lab: lab.id().to_owned(), name, path, refreshed: None, cannot: None };
        match refreshed {
            Ok(refreshed) => {
                write(&result, &refreshed, args.dry_run)?;
                result.refreshed = Some(refreshed);
            }
            Err(error) => result.cannot = Some(error.to_string()),
        }
        results.push(result);
    }
    Ok(results)
}

fn write(result: &MutantRefresh, refreshed: &Refreshed, dry_run: bool) -> Result<(), Error> {
    match refreshed.patch() {
        Some(patch) if !dry_run => {
            std::fs::write(&result.path, patch).map_err(|error| Error::io("write", &result.path, error))
        }
        _ => Ok(()),
    }
}
