//! `cargo lab export`: writes the kit that learners get, or brings a new version of the course into one; and lays
//! submissions out for the tool that finds those that are alike.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use lab_runner::cli::{ExportArgs, ExportCommand, JplagArgs, KitArgs};
use lab_runner::commands::choose;
use lab_runner::context::RunContext;
use lab_runner::engine::Engine;
use lab_runner::error::Error;
use lab_runner::events::EventKind;
use lab_runner::exit::ExitCode;
use lab_runner::interrupt::Interrupt;
use lab_runner::learner_kit::{LearnerKit, begin_history, update};
use lab_runner::reporter::{Reporter, Style};
use lab_services::ProviderChoice;

use crate::learner_kit::{self, Export};
use crate::{grade, release, similarity};

/// Writes what `args` ask for.
pub(super) async fn run(args: ExportArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    match args.command {
        ExportCommand::Kit(args) => kit(args, interrupt).await,
        ExportCommand::Jplag(args) => for_jplag(&args, &interrupt),
    }
}

/// Lays submissions out for JPlag.
fn for_jplag(args: &JplagArgs, interrupt: &Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), interrupt);
    let workspace = choose::open(&run)?;
    let lab = choose::lab(&workspace, args.lab.as_deref())?;
    let folder = absolute(&args.folder)?;
    if is_taken(&folder) {
        return Err(Error::usage(format!("{folder} is there already")));
    }
    let entries = grade::find(&args.paths, &lab, None)?;
    let layout = similarity::lay_out(&workspace, &lab, &entries, &folder, run.cancel())?;
    let code = if layout.unreadable.is_empty() { ExitCode::Passed } else { ExitCode::Usage };
    run.emit(EventKind::SubmissionsLaidOut { layout: Box::new(layout) });
    reporter.finish()?;
    Ok(code)
}

/// Writes a learner kit, or brings one up to date.
async fn kit(args: KitArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let folder = absolute(&args.folder)?;
    let engine = Engine::new(workspace, ProviderChoice::default())?;
    let exported = tokio::select! {
        exported = export(&args, &engine, &folder, &run) => exported,
        () = interrupt.wait() => Err(Error::Interrupted),
    };
    engine.shutdown().await;
    exported?;
    reporter.finish()?;
    Ok(ExitCode::Passed)
}

async fn export(args: &KitArgs, engine: &Engine, folder: &Utf8Path, run: &RunContext) -> Result<(), Error> {
    let labs = choose::labs(&engine.workspace, &args.labs)?;
    refuse_folder(args, folder)?;
    refuse_uncommitted(args, engine)?;
    if args.release {
        release::refuse_unfit(&labs)?;
    }
    let parent = folder.parent().unwrap_or(folder);
    let unwritable = |source| Error::io("write to", parent, source);
    std::fs::create_dir_all(parent).map_err(unwritable)?;
    // Whole or not at all.
    let coming = tempfile::Builder::new().prefix(".kit-").tempdir_in(parent).map_err(unwritable)?;
    let new = Utf8Path::from_path(coming.path()).unwrap_or(parent).join("kit");
    std::fs::create_dir(&new).map_err(unwritable)?;
    let export = Export { labs: labs.clone(), uncommitted: args.allow_dirty };
    let mut exported = learner_kit::write(engine, &export, &new, run).await?;
    if args.update {
        let updated = update(&new, folder)?;
        run.emit(EventKind::KitUpdated { kit: Box::new(updated) });
        return Ok(());
    }
    begin_history(&new, "Begin with the course as it was given out")?;
    std::fs::rename(&new, folder).map_err(|source| Error::io("write", folder, source))?;
    exported.folder = folder.to_owned();
    if args.release {
        for lab in &labs {
            exported.recorded.extend(release::record(lab)?.map(|path| engine.workspace.relative(&path).to_owned()));
        }
    }
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
    if !is_taken(folder) {
        return Ok(());
    }
    let hint = LearnerKit::at(folder).map(|_| format!("`cargo lab export kit {folder} --update` brings it up to date"));
    Err(Error::Usage { message: format!("{folder} is there already"), hints: hint.into_iter().collect() })
}

/// Whether something stands at `folder` that is not an empty folder.
pub(super) fn is_taken(folder: &Utf8Path) -> bool {
    folder.symlink_metadata().is_ok() && folder.read_dir_utf8().map_or(true, |mut inside| inside.next().is_some())
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
