//! `cargo lab reset`: brings the starter back, and keeps what is thrown away.

use std::sync::Arc;

use camino::Utf8Path;

use super::choose;
use crate::cli::ResetArgs;
use crate::context::RunContext;
use crate::error::Error;
use crate::events::EventKind;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::learner::reset;
use crate::learner::starter::Starter;
use crate::reporter::{Reporter, Style, ask, can_ask};
use crate::state::State;
use crate::submission::{self, SubmissionError, Tree};

/// Brings back the files that `args` name.
pub(super) fn run(args: ResetArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let (lab, files) = choose::lab_and_files(&workspace, &args.names)?;
    let state = State::of(&workspace);
    let Some(Starter { tree: starter, origin }) = Starter::find(&lab, &state)? else {
        return Err(Error::Usage {
            message: format!("the starter of {} is not known here", lab.id()),
            hints: vec![
                "it is known in a git checkout of the course, and of a lab that was checked before it was edited"
                    .into(),
            ],
        });
    };
    let own = match submission::working_tree(&lab) {
        // A lab whose files are all gone needs its starter all the more.
        Err(SubmissionError::NothingEditable { .. }) => Tree::default(),
        own => own?,
    };
    let known: Vec<&Utf8Path> = own.0.keys().chain(starter.0.keys()).map(AsRef::as_ref).collect();
    let wanted = choose::wanted_files(&known, &files)?;
    let changes = reset::plan(&own, &starter, |path| wanted.iter().any(|wanted| wanted == path));
    let folder = workspace.relative(&lab.folder).to_owned();
    run.emit(EventKind::ResetPlanned { folder, origin, changes: changes.clone() });
    if changes.is_empty() {
        return Ok(ExitCode::Passed);
    }
    if !args.yes && !can_ask() {
        return Err(Error::Usage {
            message: "nothing was changed: there is no terminal to ask on".into(),
            hints: vec!["`--yes` does it without asking".into()],
        });
    }
    let done = args.yes || ask("bring these files back? What is there now is kept");
    let keep = state.thrown_away(lab.id()).join(chrono::Utc::now().format("%Y%m%dT%H%M%S%3fZ").to_string());
    let kept = done && {
        let carried_out = reset::carry_out(&lab.folder, &changes, &own, &starter, &keep);
        carried_out.map_err(|(path, source)| Error::io("write", &path, source))?
    };
    run.emit(EventKind::ResetFinished { lab: lab.id().to_owned(), done, kept: kept.then_some(keep) });
    reporter.finish()?;
    Ok(ExitCode::Passed)
}
