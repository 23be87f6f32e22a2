//! The program `lab-containers`, which is built only when a container is to be started for the first time.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lab_launcher::Artifact;
use lab_protocol::ContainerSpec;

use super::engine::ContainerEngine;
use super::waiting::{self, Wait};
use crate::command::{self, Outcome, last_lines};
use crate::environment::{self, Purpose};
use crate::error::ProviderError;
use crate::progress::ProgressSender;

/// A cold build takes a minute or two on two cores.
const BUILD_TIMEOUT: Duration = Duration::from_secs(1200);
/// Longer than the helper itself waits.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// How often a build reports its progress.
const REPORT_INTERVAL: Duration = Duration::from_secs(15);

/// Several services need it at the same time; one of them builds it.
static BUILDING: Mutex<()> = Mutex::new(());

/// Has the helper start the container of `spec`, or start it again if it was stopped.
pub(super) fn start(
    spec: &ContainerSpec,
    engine: &ContainerEngine,
    progress: &ProgressSender,
) -> Result<(), ProviderError> {
    let program = {
        let _building = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
        built(progress)?
    };
    progress.report(format!("starting the container {}", spec.name));
    let failed = |error: io::Error| ProviderError::io("start the container helper", &error);
    let mut stdin: File = tempfile::tempfile().map_err(failed)?;
    let text = serde_json::to_vec(spec).map_err(|error| ProviderError::new(error.to_string()))?;
    stdin.write_all(&text).and_then(|()| io::Seek::rewind(&mut stdin)).map_err(failed)?;
    let mut command = Command::new(&program);
    environment::restrict(&mut command, Purpose::ContainerHelper);
    command.env("DOCKER_HOST", engine.docker_host()).stdin(stdin);
    let outcome = command::run_with_input(&mut command, START_TIMEOUT, |_, _| {}).map_err(failed)?;
    if outcome.succeeded() {
        return Ok(());
    }
    Err(explain(spec, engine, &outcome))
}

/// The container's own output says more than the helper's, if it has any.
fn explain(spec: &ContainerSpec, engine: &ContainerEngine, outcome: &Outcome) -> ProviderError {
    let facts = engine.inspect(&spec.name);
    let code = facts.ok().and_then(|facts| facts.body["State"]["ExitCode"].as_i64().filter(|code| *code != 0));
    let log = engine.log(&spec.name).unwrap_or_default();
    match code {
        Some(code) => ProviderError::new(format!(
            "the container {} exited with code {code}; its last output:{}",
            spec.name,
            last_lines(&log)
        )),
        None => ProviderError::new(format!("the container could not be started:{}", last_lines(&outcome.text))),
    }
}

/// Whether the helper is there, if not necessarily of the newest sources: to compile it again takes seconds.
pub(super) fn is_compiled() -> bool {
    place().is_ok_and(|program| program.exists())
}

fn built(progress: &ProgressSender) -> Result<PathBuf, ProviderError> {
    let program = place()?;
    let root = workspace();
    let helper = Artifact::new(&program, &root);
    if helper.is_fresh() {
        return Ok(program);
    }
    if !root.join("lab-runner/crates/containers/Cargo.toml").exists() {
        return if program.exists() {
            Ok(program)
        } else {
            Err(ProviderError::new(
                "the program lab-containers, which starts containers, is missing from this installation",
            ))
        };
    }
    let mut inputs = helper.before_build(|| waiting::tell_of_another_build(progress));
    let cargo = |error: io::Error| ProviderError::io("run cargo", &error);
    if clean(inputs.overlooked(), &program, &root, progress).map_err(cargo)? {
        inputs.cleaned();
    }
    let outcome = build(&program, &root, inputs.incremental(), progress).map_err(cargo)?;
    if !outcome.succeeded() || !program.exists() {
        let ending = outcome.ending(BUILD_TIMEOUT);
        return Err(ProviderError::new(format!(
            "lab-containers, which starts containers, could not be compiled ({ending}):{}",
            last_lines(&outcome.text)
        )));
    }
    // Without a record the next run asks cargo again: slower, never wrong.
    let _ = inputs.finish(&program);
    Ok(program)
}

/// Has cargo forget `packages`, which it would take for unchanged.
fn clean<'a>(
    packages: impl Iterator<Item = &'a str>,
    program: &Path,
    root: &Path,
    progress: &ProgressSender,
) -> io::Result<bool> {
    let mut cargo = cargo("clean", program, root);
    packages.for_each(|package| {
        cargo.args(["--package", package]);
    });
    // Without a package it would clean everything.
    if !cargo.get_args().any(|argument| argument == "--package") {
        return Ok(true);
    }
    let mut wait = Wait::new(progress);
    Ok(command::run(&mut cargo, BUILD_TIMEOUT, |process, _| wait.look(process))?.succeeded())
}

fn cargo(subcommand: &str, program: &Path, root: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    environment::restrict(&mut cargo, Purpose::Toolchain);
    cargo.arg(subcommand).current_dir(root);
    let folder = program.parent().unwrap_or(root);
    if folder.file_name().is_some_and(|profile| profile == "release") {
        cargo.arg("--release");
    }
    if let Some(target) = folder.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    cargo
}

fn build(
    program: &Path,
    root: &Path,
    (variable, value): (&str, &OsStr),
    progress: &ProgressSender,
) -> io::Result<Outcome> {
    if !program.exists() {
        progress.report("compiling lab-containers, which starts containers: once, about a minute");
    }
    let mut cargo = cargo("build", program, root);
    cargo.env(variable, value);
    // The whole workspace is selected so that its members agree on features; the program alone is built.
    cargo.args(["--workspace", "--bin", "lab-containers"]);
    let (mut reported, mut wait) = (Duration::ZERO, Wait::new(progress));
    command::run(&mut cargo, BUILD_TIMEOUT, |process, since| {
        wait.look(process);
        if since.saturating_sub(reported) >= REPORT_INTERVAL {
            reported = since;
            progress.report(format!("compiling lab-containers: {} s", since.as_secs()));
        }
    })
}

/// Beside the runner's own executable; a test's is one folder further down.
fn place() -> Result<PathBuf, ProviderError> {
    let own =
        env::current_exe().and_then(fs::canonicalize).map_err(|error| ProviderError::io("find the runner", &error))?;
    let folder = own.parent().map(Path::to_owned).unwrap_or_default();
    let folder =
        if folder.ends_with("deps") { folder.parent().map(Path::to_owned).unwrap_or_default() } else { folder };
    Ok(folder.join("lab-containers"))
}

/// The launcher says where the runner's sources are; without it, they are where it was compiled.
fn workspace() -> PathBuf {
    let named = ["LAB_SOURCES", "LAB_WORKSPACE"].iter().find_map(env::var_os);
    named.map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.."), PathBuf::from)
}
