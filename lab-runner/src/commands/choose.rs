//! From names on the command line to a lab, checks and a submission.

use camino::{Utf8Path, Utf8PathBuf};

use crate::cli::{GradingArgs, SourceArgs};
use crate::context::RunContext;
use crate::course::{self, Course};
use crate::engine::{Extent, Request};
use crate::error::{Error, ExpectedError as _};
use crate::events::EventKind;
use crate::state::State;
use crate::submission::Source;
use crate::suggest;
use crate::suite::Suite;
use crate::workspace::{Lab, SelectError, Workspace};
use std::time::Duration;

/// Opens the workspace around us, and warns of labs that cannot be used.
pub fn open(run: &RunContext) -> Result<Workspace, Error> {
    let workspace = Workspace::discover()?;
    for broken in &workspace.broken {
        let message = broken.error.message().replace(&format!("{}/", workspace.root), "");
        let place = workspace.relative(&broken.folder);
        run.emit(EventKind::Warning { message: format!("{place} is ignored: {message}"), hints: broken.error.hints() });
    }
    if let Some(message) = &workspace.state.note {
        run.emit(EventKind::Warning { message: message.clone(), hints: Vec::new() });
    }
    for path in State::of(&workspace).set_broken_aside() {
        let message = format!("your progress could not be read and was set aside: {}", workspace.relative(&path));
        run.emit(EventKind::Warning { message, hints: vec!["`cargo lab check LAB --all` counts it again".into()] });
    }
    Ok(workspace)
}

/// What is wrong with the manifest in `folder`.
pub fn broken(folder: &Utf8Path) -> Error {
    match crate::manifest::Manifest::load(&folder.join(crate::manifest::FILE_NAME)) {
        Err(error) => error.into(),
        Ok(_) => Error::usage(format!("{folder} was damaged and has been repaired")),
    }
}

/// The lab called `name`, or the one that is meant where none is named.
pub fn lab(workspace: &Workspace, name: Option<&str>) -> Result<Lab, Error> {
    let chosen = match name {
        Some(name) => workspace.select(name),
        None => workspace.select_unnamed(State::of(workspace).last_lab().as_deref()),
    };
    Ok(chosen?.clone())
}

/// The labs called `names`; all, where none is named.
pub fn labs(workspace: &Workspace, names: &[String]) -> Result<Vec<Lab>, Error> {
    match names {
        [] => Ok(workspace.labs.clone()),
        names => names.iter().map(|name| lab(workspace, Some(name))).collect(),
    }
}

/// The lab and the task that a name such as `LAB.2` means, where it is such a name.
pub fn task_of_name(workspace: &Workspace, names: &[String]) -> Option<(Lab, u32)> {
    let (name, task) = names.first()?.rsplit_once('.')?;
    let task = task.parse().ok()?;
    Some((workspace.select(name).ok()?.clone(), task))
}

/// The lab and the checks that `names` mean. The lab may be left out where it is clear: then all are checks.
pub fn lab_and_checks(workspace: &Workspace, names: &[String]) -> Result<(Lab, Vec<String>), Error> {
    let Some((first, rest)) = names.split_first() else { return Ok((lab(workspace, None)?, Vec::new())) };
    let unknown = match workspace.select(first) {
        Ok(lab) => return Ok((lab.clone(), rest.to_vec())),
        Err(error @ SelectError::Unknown { .. }) => error,
        Err(error) => return Err(error.into()),
    };
    // As far as is known without building anything.
    let Ok(lab) = lab(workspace, None) else { return Err(unknown.into()) };
    let (checks, complete) = Suite::known_checks(workspace, &lab);
    let like_a_lab = matches!(unknown, SelectError::Unknown { suggestion: Some(_), .. });
    // A suite that has changed since, or was never built, may have the check: it is asked once it is built.
    if checks.iter().any(|check| check.id == *first) || !(complete || like_a_lab) {
        return Ok((lab, names.to_vec()));
    }
    let nearest = suggest::nearest(first, checks.iter().map(|check| check.id.as_str()));
    match (nearest, &unknown) {
        (Some(check), SelectError::Unknown { suggestion: None, .. }) => Err(Error::Usage {
            message: format!("`{first}` is neither a lab nor a check of {}", lab.id()),
            hints: vec![format!("did you mean `{check}`?")],
        }),
        _ => Err(unknown.into()),
    }
}

/// The lab and the files that `names` mean: paths relative to the lab's folder. The lab may be
/// left out where it is clear: then all are files.
pub fn lab_and_files(workspace: &Workspace, names: &[String]) -> Result<(Lab, Vec<Utf8PathBuf>), Error> {
    let Some((first, rest)) = names.split_first() else { return Ok((lab(workspace, None)?, Vec::new())) };
    let (chosen, files) = match workspace.select(first) {
        Ok(lab) => (lab.clone(), rest),
        Err(error) => match lab(workspace, None) {
            // What looks like a path is no lab that was mistyped.
            Ok(lab) if first.contains(['/', '.']) => (lab, names),
            _ => return Err(error.into()),
        },
    };
    let files = files.iter().map(|file| in_lab(&chosen, file)).collect();
    Ok((chosen, files))
}

/// `file` relative to the folder of `lab`, whether it was given so, or as seen from the current folder.
fn in_lab(lab: &Lab, file: &str) -> Utf8PathBuf {
    let file = Utf8Path::new(file);
    let current = std::env::current_dir().ok().and_then(|path| Utf8PathBuf::try_from(path).ok());
    let seen = current.map(|current| current.join(file));
    let inside = seen.as_deref().and_then(|path| path.strip_prefix(&lab.folder).ok());
    inside.unwrap_or(file).components().collect()
}

/// The files among `known` that `wanted` name, or lie in a folder that they name; all, where none is named.
///
/// # Errors
/// One of them names nothing.
pub fn wanted_files(known: &[&Utf8Path], wanted: &[Utf8PathBuf]) -> Result<Vec<Utf8PathBuf>, Error> {
    if let Some(unknown) = wanted.iter().find(|wanted| !known.iter().any(|path| path.starts_with(wanted))) {
        let nearest = suggest::did_you_mean(unknown.as_str(), known.iter().map(|path| path.as_str()));
        let message = format!("no file of this lab that you may edit is called `{unknown}`");
        return Err(Error::Usage { message, hints: nearest.into_iter().collect() });
    }
    let is_wanted = |path: &&&Utf8Path| wanted.is_empty() || wanted.iter().any(|wanted| path.starts_with(wanted));
    Ok(known.iter().filter(is_wanted).map(|path| path.to_path_buf()).collect())
}

/// The submission that `args` name.
pub fn source(args: &SourceArgs, lab: &Lab) -> Result<Source, Error> {
    if args.solution {
        return Ok(Source::Solution);
    }
    if let Some(folder) = &args.submission {
        return Ok(Source::Folder(submission_folder(folder, lab)?));
    }
    if args.command.is_some() || args.url.is_some() {
        expect_that_programs_are_taken(lab)?;
    }
    if let Some(command) = &args.command {
        if command.trim().is_empty() {
            return Err(Error::usage("--command does not name a program"));
        }
        return Ok(Source::Command(command.clone()));
    }
    if let Some(url) = &args.url {
        if !url.starts_with("http://") {
            return Err(Error::Usage {
                message: format!("`{url}` is not a URL that can be graded"),
                hints: vec!["use one that begins with http://, such as http://127.0.0.1:8080".into()],
            });
        }
        return Ok(Source::Url(url.clone()));
    }
    Ok(Source::WorkingTree)
}

/// # Errors
/// The course takes nothing but Rust, which the grader builds itself.
fn expect_that_programs_are_taken(lab: &Lab) -> Result<(), Error> {
    // What is wrong with that file is told where the course is shown.
    let course = lab.folder.parent().and_then(|labs| Course::load(labs).ok()).unwrap_or_default();
    if course.takes_programs() {
        return Ok(());
    }
    Err(Error::Usage {
        message: format!(
            "{} takes submissions in {}, which the grader builds",
            course.title,
            course.languages.join(", ")
        ),
        hints: vec![format!("leave out --command and --url; `languages` in labs/{} says so", course::FILE_NAME)],
    })
}

/// A submission may be the lab's folder, or a whole workspace that has it.
fn submission_folder(folder: &Utf8Path, lab: &Lab) -> Result<Utf8PathBuf, Error> {
    let folder = folder
        .canonicalize_utf8()
        .map_err(|error| Error::usage(format!("cannot read --submission {folder}: {error}")))?;
    let inside = folder.join("labs").join(lab.package());
    Ok(if inside.is_dir() { inside } else { folder })
}

/// How `args` want `source` graded.
pub fn request(args: &GradingArgs, source: Source, checks: Vec<String>) -> Request {
    let plain = plain_request(source, checks);
    Request {
        seed: args.seed.unwrap_or(plain.seed),
        jobs: args.jobs.map_or(plain.jobs, usize::from),
        check_limit: args.time_limit.map(Duration::from_secs),
        ..plain
    }
}

/// `source` graded on `checks` as `cargo lab check` would without any flag.
pub fn plain_request(source: Source, checks: Vec<String>) -> Request {
    Request {
        source,
        checks,
        extent: Extent::Whole,
        first: Vec::new(),
        seed: new_seed(),
        jobs: default_jobs(),
        check_limit: None,
        record: true,
        held_out: None,
        places: false,
    }
}

/// Short enough to be typed again.
pub fn new_seed() -> u64 {
    let (high, ..) = uuid::Uuid::new_v4().as_fields();
    u64::from(high)
}

/// Checks wait more than they compute.
fn default_jobs() -> usize {
    4 * std::thread::available_parallelism().map_or(2, usize::from)
}
