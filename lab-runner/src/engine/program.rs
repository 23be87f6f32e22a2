//! From a submission to something that a suite can start.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use lab_protocol::{PASSED_ON, Target};
use lab_services::ServiceId;

use super::Engine;
use super::stages::{Grading, Stop};
use crate::building::{self, BuildError, Built, Job};
use crate::context::RunContext;
use crate::error::Error;
use crate::events::EventKind;
use crate::report::{self, Outcome, RunOutcome};
use crate::submission::{ProgramSource, Source, Stage};
use crate::workspace::Lab;

/// A submission that can be started.
#[derive(Debug, Clone)]
pub struct Runnable {
    /// How the report names it.
    pub named: report::Submission,
    /// What the suite starts, or talks to.
    pub target: Target,
    /// The folder with its files, if we have it.
    pub tree: Option<PathBuf>,
    /// How long cargo took.
    pub cargo: Duration,
}

/// What the grader decides itself. A user's own setting would grade another server than the one that was started.
fn is_graders(name: &str) -> bool {
    matches!(name, "HOST" | "PORT")
        || ServiceId::all().iter().any(|service| service.description().server_variable == name)
}

/// Builds `source`, one at a time.
pub(super) async fn build(grading: &Grading<'_>) -> Result<Runnable, Stop> {
    let Grading { engine, lab, request, run, .. } = *grading;
    let source = &request.source;
    let _turn = engine.building.acquire().await;
    let prepared = {
        // A stage may have to be waited for, and files are read: not on the thread that everything else runs on.
        let (source, workspace, lab) = (source.clone(), engine.workspace.place(), lab.clone());
        let mut work = tokio::task::spawn_blocking(move || source.prepare(&workspace, &lab));
        let prepared = tokio::select! {
            prepared = &mut work => prepared,
            () = tokio::time::sleep(building::PROGRESS_DELAY) => {
                if let Some(holder) = lab_launcher::waited_for(std::process::id()) {
                    run.emit(EventKind::Step { text: format!("waiting for {holder} to finish building") });
                }
                work.await
            }
        };
        prepared.map_err(|error| Error::Fault(error.to_string()))??
    };
    let named = prepared.named;
    match prepared.program {
        ProgramSource::Running(_) if lab.manifest.program.is_some() => {
            let hint = format!("`cargo lab check {} --command '…'` grades a program in any language", lab.id());
            let message = format!("{} grades a program that is run and ends, which no URL names", lab.id());
            Err(Error::Usage { message, hints: vec![hint] }.into())
        }
        ProgramSource::Running(url) => {
            Ok(Runnable { named, target: Target::Attached { url }, tree: None, cargo: Duration::ZERO })
        }
        ProgramSource::Command(command) => {
            Ok(Runnable { named, target: by_shell(lab, &command)?, tree: None, cargo: Duration::ZERO })
        }
        ProgramSource::InPlace => {
            let built = in_place(grading, &named).await?;
            let by_hand = format!("cargo lab run {}", lab.id());
            let target = launch(lab, &built, &lab.folder, by_hand);
            Ok(Runnable { named, target, tree: Some(lab.folder.clone().into()), cargo: built.took })
        }
        ProgramSource::Staged(stage) => {
            let known = if engine.sandbox.isolates() { None } else { stage.product.hold(&run_folder(engine)?) };
            let built = match known {
                Some((executable, held)) => Built { executable, held, took: Duration::ZERO },
                None => {
                    let built = cargo(&stage_job(engine, lab, &stage)?, &named, run).await?;
                    // A build in isolation leaves nothing behind that could be looked at again.
                    if !engine.sandbox.isolates() {
                        stage.product.record(&built.executable, &built.held);
                    }
                    built
                }
            };
            // The stage may be given to the next submission while this one is being graded.
            let tree = freeze(&run_folder(engine)?, &stage).map_err(|error| Error::io("copy", &stage.lab, error))?;
            let by_hand = match source {
                Source::Solution => format!("cargo lab run {} --solution", lab.id()),
                _ => format!("cargo lab run {}", lab.id()),
            };
            let target = launch(lab, &built, &tree, by_hand);
            Ok(Runnable { named, target, tree: Some(tree.into()), cargo: built.took })
        }
    }
}

/// How cargo builds the working tree.
pub(super) fn own_job(engine: &Engine, lab: &Lab) -> Result<Job, Error> {
    Ok(Job {
        what: lab.package(),
        root: engine.workspace.root.clone(),
        package: lab.package(),
        target: engine.workspace.target.clone(),
        build: engine.workspace.target.clone(),
        held: run_folder(engine)?,
        locked: false,
        own: true,
        sandbox: engine.sandbox.clone(),
        shared: None,
        wrapper: None,
        bounds: Some(lab.manifest.limits.build()),
    })
}

/// How cargo builds a stage.
pub(super) fn stage_job(engine: &Engine, lab: &Lab, stage: &Stage) -> Result<Job, Error> {
    let isolated = engine.sandbox.isolates();
    Ok(Job {
        what: lab.package(),
        root: stage.root.clone(),
        package: lab.package(),
        target: stage.target.clone(),
        build: if isolated { stage.folder.join("build") } else { engine.workspace.target.clone() },
        shared: isolated.then(|| engine.compiled_dependencies(lab)).flatten(),
        held: run_folder(engine)?,
        locked: stage.locked,
        own: false,
        sandbox: engine.sandbox.clone(),
        wrapper: None,
        bounds: Some(lab.manifest.limits.build()),
    })
}

/// Builds the working tree; apart from the workspace, if another lab keeps cargo from loading that.
async fn in_place(grading: &Grading<'_>, named: &report::Submission) -> Result<Built, Stop> {
    let Grading { engine, lab, run, .. } = *grading;
    let refusal = match building::build(&own_job(engine, lab)?, run).await {
        Err(BuildError::Refused(refusal)) => refusal,
        built => return built.map_err(|error| failed(named, error)),
    };
    let cause = refusal.cause.as_deref().and_then(Utf8Path::from_path);
    if cause.is_some_and(|cause| cause.starts_with(&lab.folder)) {
        return Err(failed(named, BuildError::of_own_refusal(refusal)));
    }
    if !cause.is_some_and(|cause| cause.starts_with(engine.workspace.root.join("labs"))) {
        return Err(Error::from(refusal).into());
    }
    run.emit(EventKind::Warning {
        message: format!("{} is built apart from the other labs: {}", lab.id(), refusal.message),
        hints: vec![refusal.hint],
    });
    let (workspace, of) = (engine.workspace.place(), lab.clone());
    let stage = tokio::task::spawn_blocking(move || Stage::of_working_tree(&workspace, &of));
    let stage = stage.await.map_err(|error| Error::Fault(error.to_string()))??;
    cargo(&stage_job(engine, lab, &stage)?, named, run).await
}

async fn cargo(job: &Job, named: &report::Submission, run: &RunContext) -> Result<Built, Stop> {
    building::build(job, run).await.map_err(|error| failed(named, error))
}

fn failed(named: &report::Submission, error: BuildError) -> Stop {
    match error {
        BuildError::Interrupted => Error::Interrupted.into(),
        BuildError::Refused(refusal) => Error::from(refusal).into(),
        BuildError::Code(diagnostics) => stop(named, RunOutcome::Nothing(Outcome::BuildFailed, diagnostics)),
        BuildError::Infrastructure(diagnostics) => {
            stop(named, RunOutcome::Nothing(Outcome::InfrastructureError, diagnostics))
        }
    }
}

fn stop(named: &report::Submission, outcome: RunOutcome) -> Stop {
    Stop::Outcome(Box::new(named.clone()), Box::new(outcome))
}

/// How a built program is started.
fn launch(lab: &Lab, built: &Built, cwd: &Utf8Path, by_hand: String) -> Target {
    let own = PASSED_ON.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect();
    let (env, inherited) = environment(lab, own);
    Target::Launch { argv: vec![built.held.clone().into()], cwd: cwd.into(), env, inherited, by_hand }
}

/// A program of the user's own, with the user's own environment, in the folder where it was asked for.
fn by_shell(lab: &Lab, command: &str) -> Result<Target, Stop> {
    let cwd = std::env::current_dir().map_err(|error| Error::io("find", ".".into(), error))?;
    let foreign =
        |name: &str| name.starts_with("LAB_") || name.starts_with("CARGO_") || name == "CARGO" || is_graders(name);
    let own = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| !foreign(name))
        .collect();
    let (env, inherited) = environment(lab, own);
    let line = match lab.manifest.program {
        // It runs in folders of the checks' own.
        Some(_) => shell_line(&with_full_paths(command, &cwd)),
        None => shell_line(command),
    };
    let argv = vec!["sh".into(), "-c".into(), line, "sh".into()];
    let by_hand = format!("cargo lab run {} --command {}", lab.id(), quoted(command));
    Ok(Target::Launch { argv, cwd, env, inherited, by_hand })
}

/// `own` and, before these, the variables of the lab's manifest; and which of them are still those of `own`.
fn environment(lab: &Lab, mut own: BTreeMap<String, String>) -> (BTreeMap<String, String>, BTreeSet<String>) {
    let ours: BTreeMap<_, _> = manifest_env(lab).collect();
    let inherited = own.keys().filter(|name| !ours.contains_key(*name)).cloned().collect();
    own.extend(ours);
    (own, inherited)
}

/// `command` with the words in full that name something in `folder`, so that it means the same wherever it is run. A word
/// that needs quotes stays as it is.
fn with_full_paths(command: &str, folder: &Path) -> String {
    let plain = |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric() || "_./+,-".contains(c));
    let in_full = |word: &str| {
        let full = folder.join(word);
        // `python3` is a program of the system's even where a folder has that name.
        let is_meant = word.contains('/') || full.is_file();
        match full.to_str() {
            Some(text) if plain(word) && is_meant && full.exists() && plain(text) => text.to_owned(),
            _ => word.to_owned(),
        }
    };
    command.split(' ').map(in_full).collect::<Vec<_>>().join(" ")
}

/// `text` as one word of a shell's.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The line that the shell runs: it takes a check's own arguments, and where it can it gives its place to the program,
/// so that a signal to the server reaches the server.
fn shell_line(command: &str) -> String {
    const SPECIAL: [char; 11] = [';', '&', '|', '<', '>', '(', ')', '{', '}', '`', '\n'];
    const BUILT_IN: [&str; 16] = [
        "cd", "exec", "export", "if", "for", "while", "until", "case", "set", "unset", "eval", ".", "trap", "ulimit",
        "umask", "!",
    ];
    let first = command.split_whitespace().next().unwrap_or_default();
    let plain = !command.contains(SPECIAL) && !BUILT_IN.contains(&first) && !first.contains('=');
    if plain { format!("exec {command} \"$@\"") } else { format!("{command} \"$@\"") }
}

/// The manifest's own variables, `{random}` replaced.
fn manifest_env(lab: &Lab) -> impl Iterator<Item = (String, String)> {
    let random = || format!("{}{}", uuid::Uuid::new_v4().simple(), &uuid::Uuid::new_v4().simple().to_string()[..16]);
    lab.manifest.env().map(move |(name, value)| (name.clone(), value.replace("{random}", &random())))
}

/// Copies the stage's whole workspace, so that the lab's folder can be built from there as well, and gives that folder.
fn freeze(copy: &Utf8Path, stage: &Stage) -> std::io::Result<Utf8PathBuf> {
    // A build may have left links and pipes: the copy is of the submission's own files.
    lab_files::copy_folder(stage.root.as_std_path(), copy.as_std_path(), &mut |_, _| Ok(()))?;
    Ok(copy.join(stage.lab.strip_prefix(&stage.root).map_err(std::io::Error::other)?))
}

/// A folder of its own for each program and each tree: one engine may hold several.
pub(super) fn run_folder(engine: &Engine) -> Result<Utf8PathBuf, Error> {
    let folder = engine.scratch.folder(&uuid::Uuid::new_v4().simple().to_string()[..8]);
    folder.map_err(|error| Error::io("create a folder in", engine.scratch.path(), error))
}

#[cfg(test)]
mod tests {
    use super::{shell_line, with_full_paths};

    #[test]
    fn a_plain_command_takes_the_shells_place_and_a_compound_one_does_not() {
        assert_eq!(shell_line("python3 'my server.py'"), "exec python3 'my server.py' \"$@\"");
        assert_eq!(shell_line("cd app && node main.js"), "cd app && node main.js \"$@\"");
        assert_eq!(shell_line("WORKERS=2 ./server"), "WORKERS=2 ./server \"$@\"");
    }

    #[test]
    fn a_command_means_the_same_wherever_it_is_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        std::fs::create_dir(path.join("bin")).unwrap();
        std::fs::write(path.join("bin/tool"), "").unwrap();
        std::fs::write(path.join("main.py"), "").unwrap();
        let at = path.display();
        let full = |command| with_full_paths(command, &path);
        assert_eq!(full("python3 -u main.py --all"), format!("python3 -u {at}/main.py --all"));
        assert_eq!(full("./bin/tool"), format!("{at}/./bin/tool"));
        assert_eq!(full("/usr/bin/env bin 'main.py'"), "/usr/bin/env bin 'main.py'");
    }
}
