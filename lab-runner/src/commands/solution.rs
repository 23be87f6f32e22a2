//! `cargo lab solution`: the model answer beside the learner's own files, once these have passed.

use std::sync::Arc;

use camino::Utf8Path;

use super::choose;
use crate::cli::SolutionArgs;
use crate::context::RunContext;
use crate::error::Error;
use crate::events::EventKind;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::learner::compare;
use crate::reporter::{Reporter, Style};
use crate::state::State;
use crate::submission;
use crate::workspace::Lab;

/// Compares the files that `args` name.
pub(super) fn run(args: SolutionArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let (lab, files) = choose::lab_and_files(&workspace, &args.names)?;
    if !lab.solution().is_dir() {
        return Err(Error::Usage {
            message: format!("this course comes without the solution of {}", lab.id()),
            hints: vec!["whoever gave you the course has it".to_owned()],
        });
    }
    if !args.anyway {
        refuse_unfinished(&lab, &State::of(&workspace))?;
    }
    let (mut own, mut solution) = (submission::working_tree(&lab)?, submission::solution(&lab)?);
    let known: Vec<&Utf8Path> = own.0.keys().chain(solution.0.keys()).map(AsRef::as_ref).collect();
    let wanted = choose::wanted_files(&known, &files)?;
    own.0.retain(|path, _| wanted.contains(path));
    solution.0.retain(|path, _| wanted.contains(path));
    let files = compare::compare(&own, &solution);
    run.emit(EventKind::SolutionCompared { lab: lab.id().to_owned(), files });
    reporter.finish()?;
    Ok(ExitCode::Passed)
}

/// Whoever looks too early learns less.
fn refuse_unfinished(lab: &Lab, state: &State) -> Result<(), Error> {
    let so_far = match state.lab(lab.id()).score {
        Some((score, max)) if score == max => return Ok(()),
        Some((score, max)) => format!("{score} of {max} points so far"),
        None => "it was not checked yet".to_owned(),
    };
    let id = lab.id();
    Err(Error::Usage {
        message: format!("the solution of {id} opens once all of its checks have passed: {so_far}"),
        hints: vec![
            "`cargo lab hint` shows one more hint".to_owned(),
            format!("`cargo lab solution {id} --anyway` shows it all the same"),
        ],
    })
}
