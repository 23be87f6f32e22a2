//! A build of a submission in isolation: with nothing in sight but the stage, the toolchain, the sources of dependencies
//! and what was compiled of these once for all, none of which it can write.
//!
//! Cargo wants one folder with everything in it. So each build is given one of its own, whose dependencies are links to
//! those that were compiled for all: cargo finds them fresh, and compiles the submission's own package only. The folder
//! is new for each build, and gone after it: nothing in it is seen by the next submission.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};
use lab_sandbox::{Bounds, Confinement, Group, Limits, Network, Sandbox, View};
use tokio::process::Command;

use super::environment;
use super::toolchain::Toolchain;
use super::{BuildError, Built, Job, diagnosis, run_cargo};
use crate::context::RunContext;
use crate::engine::PROCESSES;
use crate::events::EventKind;
use crate::platform;
use crate::report::Diagnostics;

/// The folders in cargo's that hold what was compiled, each unit by itself.
const UNITS: [&str; 3] = ["deps", ".fingerprint", "build"];
/// What cargo knows of the compiler, which it would ask again.
const KNOWN: &str = ".rustc_info.json";
/// How cargo compiles, beside what the workspace says: what it would put aside for a second build goes with the folder, and
/// nobody debugs a program that is graded. Both are a third of what compiling a submission costs.
pub(crate) const SETTINGS: [(&str, &str); 2] = [("CARGO_INCREMENTAL", "0"), ("CARGO_PROFILE_DEV_DEBUG", "false")];
/// What a build may use, beside what compiling may take.
const LIMITS: Limits = Limits {
    core_bytes: Some(0),
    file_bytes: Some(4 << 30),
    open_files: None,
    memory_bytes: None,
    processor_seconds: Some(3_600),
    processes: Some(1_000),
    temporary_bytes: Some(1 << 30),
};
/// What a build has beside what compiling the submission's own code may take, for cargo and what stays in `/tmp`, in bytes.
const MEMORY_BESIDE: u64 = 2 << 30;
/// The largest program that is taken, in bytes.
const LARGEST: u64 = 2 << 30;

/// Builds `job` in its sandbox.
pub(super) async fn build(job: &Job, run: &RunContext) -> Result<Built, BuildError> {
    let began = Instant::now();
    settle(job, false).await?;
    let prepared = job.clone();
    on_files(move || prepare(&prepared)).await.map_err(|error| cannot("prepare", &job.build, &error))?;
    let bounds = bounds(job);
    let group = bounds.map(Group::make).transpose().map(Option::flatten);
    let group = group.map_err(|error| cannot("make a control group for", &job.build, &error))?;
    let sandbox = match (&group, bounds) {
        (Some(group), _) => job.sandbox.in_group(group),
        (None, Some(bounds)) => job.sandbox.bounded(bounds),
        (None, None) => job.sandbox.clone(),
    };
    let job = &Job { sandbox, ..job.clone() };
    let ended = run_cargo(job, None, run).await?;
    let took = began.elapsed();
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    run.emit(EventKind::BuildFinished { what: job.what.clone(), took_ms });
    let named = ended.messages.program(&job.package).is_some();
    if !(named && ended.succeeded()) {
        return Err(diagnosis::diagnose(job, &ended));
    }
    let taking = job.clone();
    let held = on_files(move || take(&taking)).await.map_err(|error| no_program(job, &error))?;
    Ok(Built { executable: job.program(), held, took })
}

/// What cargo and all that it starts may take together, if it compiles a submission's code.
fn bounds(job: &Job) -> Option<Bounds> {
    let memory_bytes = job.bounds?.memory.saturating_add(MEMORY_BESIDE);
    let memory_bytes = platform::memory().map_or(memory_bytes, |all| memory_bytes.min(all / 4 * 3));
    Some(Bounds { memory_bytes, processes: PROCESSES })
}

/// Has cargo write the stage's Cargo.lock, which a build cannot: no code of anybody's runs for that. With `fetch` it
/// downloads what is missing.
pub(super) async fn settle(job: &Job, fetch: bool) -> Result<(), BuildError> {
    if job.locked && !fetch {
        return Ok(());
    }
    let confinement = Confinement {
        folder: job.root.clone().into(),
        environment: environment::of_build(false),
        limits: Limits::NO_CORE,
        orphan_signal: lab_process::Signal::TERM,
        view: View::default(),
        network: Some(Network::of_this_machine()),
    };
    let mut cargo = Sandbox::none().command(environment::cargo(), &confinement);
    cargo.args(["fetch", "--quiet"]).args((!fetch).then_some("--offline"));
    cargo.stdin(Stdio::null());
    let output = Command::from(cargo).kill_on_drop(true).output().await;
    let output = output.map_err(|error| BuildError::Infrastructure(diagnosis::no_cargo(&error)))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(BuildError::Infrastructure(Diagnostics {
        message: format!("cargo cannot have the dependencies of {}", job.what),
        details: said.lines().take(25).map(str::to_owned).collect(),
        hints: vec!["check the network connection and run the command again".into()],
        ..Diagnostics::default()
    }))
}

/// Cargo for `job`, as it stands in the sandbox.
pub(super) fn cargo(job: &Job) -> io::Result<std::process::Command> {
    let toolchain = Toolchain::of(&job.root)?;
    let mut environment = environment::of_isolated_build();
    environment.extend(toolchain.variables().map(|(name, value)| (name.into(), value)));
    environment.extend(SETTINGS.map(|(name, value)| (name.into(), value.into())));
    let settings = job.build.with_file_name("cargo-settings.toml");
    let mut readable = toolchain.readable();
    readable.extend([job.root.clone().into(), settings.clone().into()]);
    readable.extend(job.shared.clone().map(PathBuf::from));
    let confinement = Confinement {
        folder: job.root.clone().into(),
        environment,
        limits: LIMITS,
        orphan_signal: lab_process::Signal::TERM,
        view: View { programs: true, readable, writable: vec![job.build.clone().into(), job.target.clone().into()] },
        network: None,
    };
    std::fs::write(&settings, toolchain.settings.as_deref().unwrap_or_default())?;
    let mut command = job.sandbox.command(toolchain.cargo(), &confinement);
    command.arg("--config").arg(&settings);
    Ok(command)
}

/// Makes the folders that the build writes, new and empty but for the links to what is compiled already.
fn prepare(job: &Job) -> io::Result<()> {
    for folder in [&job.build, &job.target] {
        clear(folder)?;
        std::fs::create_dir_all(folder)?;
    }
    if let Some(shared) = &job.shared {
        mirror(shared, &job.build)?;
    }
    job.sandbox.give(job.build.as_std_path())?;
    job.sandbox.give(job.target.as_std_path())
}

/// Removes `folder`, whatever is in it.
pub(super) fn clear(folder: &Utf8Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Links every unit that was compiled in the build folder `shared` into `own`.
fn mirror(shared: &Utf8Path, own: &Utf8Path) -> io::Result<()> {
    for units in UNITS {
        let (from, to) = (shared.join("debug").join(units), own.join("debug").join(units));
        std::fs::create_dir_all(&to)?;
        let Ok(entries) = from.read_dir_utf8() else { continue };
        for entry in entries {
            let entry = entry?;
            std::os::unix::fs::symlink(entry.path(), to.join(entry.file_name()))?;
        }
    }
    if let Ok(known) = std::fs::read(shared.join(KNOWN)) {
        std::fs::write(own.join(KNOWN), known)?;
    }
    Ok(())
}

/// Copies the program to where the build cannot reach it. What stands in its place may be anything: a link to a file of
/// ours, or a pipe that nobody writes to.
fn take(job: &Job) -> io::Result<Utf8PathBuf> {
    let place = Path::new("debug").join(&job.package);
    let mut program = lab_files::open_below(job.target.as_std_path(), &place)?;
    if program.metadata()?.len() > LARGEST {
        return Err(io::Error::other("what stands in the program's place is too large for a program"));
    }
    let held = job.held.join(&job.package);
    let mut copy = std::fs::File::create_new(&held)?;
    io::copy(&mut io::Read::take(&mut program, LARGEST), &mut copy)?;
    let mut permissions = copy.metadata()?.permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    copy.set_permissions(permissions)?;
    Ok(held)
}

async fn on_files<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

fn cannot(doing: &str, folder: &Utf8Path, error: &io::Error) -> BuildError {
    let message = format!("cannot {doing} {folder}: {error}");
    BuildError::Infrastructure(Diagnostics { message, ..Diagnostics::default() })
}

/// Cargo said that there is a program, and there is none that could be taken: the build has put something else there,
/// unless the disk is full.
fn no_program(job: &Job, error: &io::Error) -> BuildError {
    if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        return cannot("copy the program to", &job.held, error);
    }
    BuildError::Code(Diagnostics {
        message: format!("the build of {} leaves no program that could be started: {error}", job.what),
        ..Diagnostics::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(place: &Utf8Path) -> Job {
        let target = place.join("out");
        std::fs::create_dir_all(target.join("debug")).unwrap();
        std::fs::create_dir_all(place.join("held")).unwrap();
        Job {
            what: "the program".into(),
            root: place.join("tree"),
            package: "program".into(),
            target,
            build: place.join("build"),
            held: place.join("held"),
            locked: true,
            own: false,
            sandbox: Sandbox::none(),
            shared: None,
            wrapper: None,
            bounds: None,
        }
    }

    #[test]
    fn no_link_and_no_pipe_is_taken_for_a_program() {
        let keep = tempfile::tempdir().unwrap();
        let place = Utf8Path::from_path(keep.path()).unwrap();
        let job = job(place);
        let program = job.target.join("debug/program");
        std::os::unix::fs::symlink("/etc/passwd", &program).unwrap();
        assert!(take(&job).is_err());
        std::fs::remove_file(&program).unwrap();
        let pipe = std::process::Command::new("mkfifo").arg(&program).status().unwrap();
        assert!(pipe.success() && take(&job).is_err());
        std::fs::remove_file(&program).unwrap();
        std::fs::remove_dir(job.target.join("debug")).unwrap();
        std::os::unix::fs::symlink("/etc", job.target.join("debug")).unwrap();
        assert!(take(&Job { package: "passwd".into(), ..job.clone() }).is_err());
        std::fs::remove_file(job.target.join("debug")).unwrap();
        std::fs::create_dir(job.target.join("debug")).unwrap();
        std::fs::write(&program, "a program").unwrap();
        assert_eq!(std::fs::read(take(&job).unwrap()).unwrap(), b"a program");
    }

    #[test]
    fn a_build_is_given_links_to_what_is_compiled_already() {
        let keep = tempfile::tempdir().unwrap();
        let place = Utf8Path::from_path(keep.path()).unwrap();
        let shared = place.join("shared");
        std::fs::create_dir_all(shared.join("debug/.fingerprint/serde-1")).unwrap();
        std::fs::create_dir_all(shared.join("debug/deps")).unwrap();
        std::fs::write(shared.join("debug/deps/libserde-1.rlib"), "compiled").unwrap();
        mirror(&shared, &place.join("own")).unwrap();
        let library = place.join("own/debug/deps/libserde-1.rlib");
        assert!(library.is_symlink() && std::fs::read(library).unwrap() == b"compiled");
        assert!(place.join("own/debug/.fingerprint/serde-1").is_dir());
    }
}
