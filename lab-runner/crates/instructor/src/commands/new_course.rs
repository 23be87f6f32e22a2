//! `cargo lab new-course`: writes a course that has a repository of its own.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use lab_runner::cli::NewCourseArgs;
use lab_runner::context::RunContext;
use lab_runner::error::Error;
use lab_runner::events::{CreatedCourse, EventKind};
use lab_runner::exit::ExitCode;
use lab_runner::helper;
use lab_runner::interrupt::Interrupt;
use lab_runner::learner_kit::begin_history;
use lab_runner::reporter::{Reporter, Style};
use lab_runner::submission;

use super::export::is_taken;
use crate::course;

/// The longest title, in characters: it has a line of its own everywhere.
const LONGEST_TITLE: usize = 60;

/// Writes the course that `args` describe. Whole or not at all.
pub(super) fn run(args: &NewCourseArgs, interrupt: &Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), interrupt);
    let title = title(args)?;
    let folder = place(&args.folder)?;
    if is_taken(&folder) {
        return Err(Error::usage(format!("{folder} is there already")));
    }
    let sources = helper::sources().and_then(|path| path.canonicalize_utf8().ok());
    let sources = sources.ok_or_else(|| Error::Fault("where the grader's sources are cannot be told".to_owned()))?;
    let files = course::files(&folder, &title, &sources)?;
    let parent = folder.parent().unwrap_or(&folder);
    let coming = tempfile::Builder::new().prefix(".course-").tempdir_in(parent);
    let coming = coming.map_err(|source| Error::io("write to", parent, source))?;
    let new = Utf8Path::from_path(coming.path()).unwrap_or(parent).join("new");
    submission::write_tree(&new, &files)?;
    begin_history(&new, "Begin with a course without labs")?;
    std::fs::rename(&new, &folder).map_err(|source| Error::io("write", &folder, source))?;
    run.emit(EventKind::CourseCreated { course: Box::new(CreatedCourse { folder, title, sources }) });
    reporter.finish()?;
    Ok(ExitCode::Passed)
}

/// The course's title: as it was given, or else its folder's name in words.
fn title(args: &NewCourseArgs) -> Result<String, Error> {
    let named = || args.folder.file_name().unwrap_or("Labs").replace(['-', '_'], " ");
    let title = args.title.clone().unwrap_or_else(named).trim().to_owned();
    if title.is_empty() || title.chars().count() > LONGEST_TITLE || title.chars().any(char::is_control) {
        return Err(Error::usage(format!("a title is one line of at most {LONGEST_TITLE} characters")));
    }
    Ok(title)
}

/// `folder` from the root of the file system, without links on the way to it: cargo takes `..` by the names in a path.
fn place(folder: &Utf8Path) -> Result<Utf8PathBuf, Error> {
    let unusable = |source| Error::io("write to", folder, source);
    let absolute = camino::absolute_utf8(folder).map_err(unusable)?;
    let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else {
        return Err(Error::usage(format!("{folder} is no folder that can be made")));
    };
    std::fs::create_dir_all(parent).map_err(unusable)?;
    Ok(parent.canonicalize_utf8().map_err(unusable)?.join(name))
}
