//! `cargo lab mutant`: makes the patches of mutants, and keeps them in step with the solutions they change.

mod draft;

use std::sync::Arc;

use lab_protocol::in_full;
use lab_runner::cli::{MutantArgs, MutantCommand, RefreshArgs};
use lab_runner::commands::choose;
use lab_runner::context::RunContext;
use lab_runner::error::Error;
use lab_runner::events::{EventKind, MutantRefresh};
use lab_runner::exit::ExitCode;
use lab_runner::interrupt::Interrupt;
use lab_runner::reporter::{Format, Reporter, Style};
use lab_runner::submission::mutant::Mutant;
use lab_runner::submission::{self, SubmissionError};
use lab_runner::suggest;
use lab_runner::workspace::{Lab, Workspace};

use crate::mutants::{History, refresh as refresh_one};

/// Does what `args` ask of mutants.
pub(super) async fn run(args: MutantArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    match args.command {
        MutantCommand::New(args) => draft::new(args, interrupt).await,
        MutantCommand::Edit(args) => draft::edit(args, interrupt).await,
        MutantCommand::Save(args) => draft::save(args, interrupt).await,
        MutantCommand::Show(args) => draft::show(args, interrupt),
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
    let labs = choose::labs(&workspace, &args.labs)?;
    let mut mutants = Vec::new();
    for lab in &labs {
        mutants.extend(refresh_lab(&workspace, lab, &args.mutants, !args.dry_run)?);
    }
    if let Some(name) = args.mutants.iter().find(|name| !mutants.iter().any(|mutant| mutant.name == **name)) {
        return Err(unknown(name, &labs));
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

/// Carries the patches of `lab` over, those in `only` if that is not empty, and rewrites them if told to `write`.
pub(super) fn refresh_lab(
    workspace: &Workspace,
    lab: &Lab,
    only: &[String],
    write: bool,
) -> Result<Vec<MutantRefresh>, Error> {
    let solution = submission::solution(lab)?;
    let mut history = History::of(lab);
    let mut results = Vec::new();
    for path in Mutant::paths(lab).map_err(SubmissionError::from)? {
        let name = path.file_stem().unwrap_or_default().to_owned();
        if !only.is_empty() && !only.contains(&name) {
            continue;
        }
        let mutant = Mutant::load(&path);
        let refreshed = mutant.and_then(|mutant| refresh_one(&mutant, &solution, &lab.manifest.editable, &mut history));
        let place = workspace.relative(&path).to_owned();
        let mut result = MutantRefresh { lab: lab.id().to_owned(), name, path: place, refreshed: None, cannot: None };
        match refreshed {
            Ok(refreshed) => {
                if let Some(patch) = refreshed.patch().filter(|_| write) {
                    std::fs::write(&path, patch).map_err(|error| Error::io("write", &path, error))?;
                }
                result.refreshed = Some(refreshed);
            }
            Err(error) => result.cannot = Some(in_full(&error).replace(&format!("{}/", workspace.root), "")),
        }
        results.push(result);
    }
    Ok(results)
}
