//! `cargo lab export kit` in a kit: it cannot make another, but it can be what another is updated to.

use std::sync::Arc;

use camino::Utf8Path;

use super::choose;
use crate::cli::{ExportArgs, ExportCommand, KitArgs};
use crate::context::RunContext;
use crate::error::Error;
use crate::events::EventKind;
use crate::exit::ExitCode;
use crate::instructor;
use crate::interrupt::Interrupt;
use crate::learner_kit::{self, LearnerKit};
use crate::reporter::{Reporter, Style};
use crate::workspace::Workspace;

/// Brings the kit around us into the one that `args` name. Outside of a kit, what makes kits takes over.
pub(super) async fn run(args: ExportArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    if LearnerKit::at(&Workspace::root()?).is_none() {
        return instructor::take_over(&interrupt).await;
    }
    let args = match args.command {
        ExportCommand::Kit(args) => args,
        ExportCommand::Jplag(_) => return learner_kit::refuse("`cargo lab export jplag`").map(|()| ExitCode::Passed),
    };
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    update(&args, &workspace.root, &run)?;
    reporter.finish()?;
    Ok(ExitCode::Passed)
}

fn update(args: &KitArgs, root: &Utf8Path, run: &RunContext) -> Result<(), Error> {
    let folder = camino::absolute_utf8(&args.folder).map_err(|source| Error::io("find", &args.folder, source))?;
    if !args.update {
        learner_kit::refuse("`cargo lab export kit` without --update")?;
    }
    if root.canonicalize_utf8().ok() == folder.canonicalize_utf8().ok() {
        return Err(Error::Usage {
            message: format!("{folder} is this kit itself"),
            hints: vec!["run it in the new kit, and name the folder of the old one".to_owned()],
        });
    }
    let updated = learner_kit::update(root, &folder)?;
    run.emit(EventKind::KitUpdated { kit: Box::new(updated) });
    Ok(())
}
