//! `cargo lab next`: the first task that is not done, where it begins, and which check tells.

use std::sync::Arc;

use super::choose;
use crate::cli::NextArgs;
use crate::context::RunContext;
use crate::error::Error;
use crate::events::EventKind;
use crate::exit::ExitCode;
use crate::guide::LabGuide;
use crate::interrupt::Interrupt;
use crate::learner::next::NextStep;
use crate::reporter::{Reporter, Style};
use crate::state::State;
use crate::suite::Suite;
use crate::workspace::{Lab, Workspace};

/// Shows the next step in the lab that `args` name.
pub(super) fn run(args: NextArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let state = State::of(&workspace);
    let lab = match args.lab {
        Some(name) => choose::lab(&workspace, Some(&name))?,
        None => at_hand(&workspace, &state)?,
    };
    let (checks, _) = Suite::known_checks(&workspace, &lab);
    let guide = LabGuide::new(&workspace, &lab, &checks, Some(&lab.folder));
    let mut step = NextStep::new(&workspace, &lab, &guide, &state.lab(lab.id()));
    step.next_lab = first_open(&workspace, &state).map(|lab| lab.id().to_owned());
    run.emit(EventKind::NextShown { step: Box::new(step) });
    reporter.finish()?;
    Ok(ExitCode::Passed)
}

/// The lab of the current folder or the last run; where none is meant, the first that is not done.
fn at_hand(workspace: &Workspace, state: &State) -> Result<Lab, Error> {
    match (choose::lab(workspace, None), first_open(workspace, state)) {
        (Err(_), Some(open)) => Ok(open.clone()),
        (chosen, _) => chosen,
    }
}

fn first_open<'a>(workspace: &'a Workspace, state: &State) -> Option<&'a Lab> {
    let is_open = |lab: &&Lab| state.lab(lab.id()).score.is_none_or(|(score, max)| score < max);
    workspace.labs.iter().find(is_open)
}
