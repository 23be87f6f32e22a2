//! `cargo lab export kit`: writes the kit that learners get, or brings a new version of the course into one.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use lab_services::ProviderChoice;

use super::choose;
use crate::cli::{ExportArgs, ExportCommand, KitArgs};
use crate::context::RunContext;
use crate::engine::Engine;
use crate::error::Error;
use crate::events::EventKind;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::learner_kit::{self, Export, LearnerKit};
use crate::reporter::{Reporter, Style};

/// Writes what `args` ask for.
pub(super) async fn run(args: ExportArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let ExportCommand::Kit(args) = args.command;
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let folder = absolute(&args.folder)?;
    if LearnerKit::at(&workspace.root).is_some() {
        update_from_kit(&args, &workspace.root, &folder, &run)?;
    } else {
        let engine = Engine::new(workspace, ProviderChoice::default())?;
        let exported = tokio::select! {
            exported = export(&args, &engine, &folder, &run) => exported,
            () = interrupt.wait() => Err(Error::Interrupted),
        };
        engine.shutdown().await;
        exported?;
    }
    reporter.finish()?;
    Ok(ExitCode::Passed)
}

/// A kit cannot make another, but it can be what another is updated to.
fn update_from_kit(args: &KitArgs, root: &Utf8Path, folder: &Utf8Path, run: &RunContext) -> Result<(), Error> {
    if !args.update {
        learner_kit::refuse("`cargo lab export kit` without --update")?;
    }
    if root.canonicalize_utf8().ok() == folder.canonicalize_utf8().ok() {
        return Err(Error::Usage {
            message: format!("{folder} is this kit itself"),
            hints: vec!["run it in the new kit, and name the folder of the old one".to_owned()],
        });
    }
    let updated = learner_kit::update(root, folder)?;
    run.emit(EventKind::KitUpdated { kit: Box::new(updated) });
    Ok(())
}

async fn export(args: &KitArgs, engine: &Engine, folder: &Utf8Path, run: &RunContext) -> Result<(), Error> {
    let labs = choose::labs(&engine.workspace, &args.labs)?;
    refuse_folder(args, folder)?;
    refuse_uncommitted(args, engine)?;
    let parent = folder.parent().unwrap_or(folder);
    let unwritable = |source| Error::io("write to", parent, source);
    std::fs::create_dir_all(parent).map_err(unwritable)?;
    // Whole or not at all.
    let coming = tempfile::Builder::new().prefix(".kit-").tempdir_in(parent).map_err(unwritable)?;
    let new = Utf8Path::from_path(coming.path()).unwrap_or(parent).join("kit");
    std::fs::create_dir(&new).map_err(unwritable)?;
    let export = Export { labs, uncommitted: args.allow_dirty };
    let mut exported = learner_kit::write(engine, &export, &new, run).await?;
    if args.update {
        let updated = learner_kit::update(&new, folder)?;
        run.emit(EventKind::KitUpdated { kit: Box::new(updated) });
        return Ok(());
    }
    learner_kit::begin_history(&new)?;
    std::fs::rename(&new, folder).map_err(|source| Error::io("write", folder, source))?;
    exported.folder = folder.to_owned();
    run.emit(EventKind::KitExported { kit: Box::new(exported) });
    Ok(())
}

/// A kit goes to a folder that is not there or empty; an update, to a kit.
fn refuse_folder(args: &KitArgs, folder: &Utf8Path) -> Result<(), Error> {
    if args.update {
        return match LearnerKit::at(folder) {
            Some(_) => Ok(()),
            None => Err(Error::usage(format!("{folder} is no learner kit"))),
        };
    }
    let taken =
        folder.symlink_metadata().is_ok() && folder.read_dir_utf8().map_or(true, |mut inside| inside.next().is_some());
    if !taken {
        return Ok(());
    }
    let hint = LearnerKit::at(folder).map(|_| format!("`cargo lab export kit {folder} --update` brings it up to date"));
    Err(Error::Usage { message: format!("{folder} is there already"), hints: hint.into_iter().collect() })
}

/// A kit names the commit that it was made of, and is to be made of it.
fn refuse_uncommitted(args: &KitArgs, engine: &Engine) -> Result<(), Error> {
    match learner_kit::git_state(&engine.workspace) {
        Some((_, true)) if !args.allow_dirty => Err(Error::Usage {
            message: "not everything is committed here, and a kit is made of a commit".to_owned(),
            hints: vec!["`--allow-dirty` takes the files as they are".to_owned()],
        }),
        _ => Ok(()),
    }
}

/// `folder` as seen from the root of the file system.
fn absolute(folder: &Utf8Path) -> Result<Utf8PathBuf, Error> {
    camino::absolute_utf8(folder).map_err(|source| Error::io("find", folder, source))
}
