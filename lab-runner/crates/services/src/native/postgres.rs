//! A private Postgres.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lab_process::Signal;

use super::super::Provider;
use super::super::Service;
use super::super::cache::Cache;
use super::super::chain::Found;
use super::super::instance::{Instance, StopSignals, Trouble, scrub};
use super::super::probe::{self, Answer};
use super::super::problem::Problem;
use super::super::slot::Slot;
use super::super::tell::Tell;
use super::copy;
use super::find::Program;
use super::template::{self, ADMINISTRATOR, Template};

/// Fast shutdown, then immediate shutdown (PostgreSQL manual, 19.5).
pub(super) const STOP: StopSignals = StopSignals { ask: Signal::INT, insist: Signal::QUIT };
/// Generous: a start takes 50 ms, on a busy machine with a slow disk a few seconds.
const START: Duration = Duration::from_secs(30);
/// A port may be taken between its choice and its use.
const TRIES: usize = 5;
/// The system databases' folders: with more than these, a run has left a database behind.
const SYSTEM_DATABASES: usize = 3;

/// Nothing here needs to outlive a crash.
pub(super) const SETTINGS: [&str; 15] = [
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    // Plans shall depend on what a check does, not on when a worker came by.
    "autovacuum=off",
    "jit=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "min_wal_size=8MB",
    "max_wal_size=256MB",
    "shared_buffers=32MB",
    "huge_pages=off",
    "max_connections=500",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_checkpoints=off",
];

/// What only an instance of our own needs.
const PRIVATE_SETTINGS: [&str; 4] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "logging_collector=off",
    // In the data folder, which is removed: segments of a killed server would stay in the system otherwise.
    "dynamic_shared_memory_type=mmap",
];

pub(super) fn start(program: &Program, provider: Provider, cache: &Cache, tell: &Tell) -> Result<Found, Problem> {
    let template = template::get(program, cache, tell)?;
    let root = cache.instances()?;
    let name = format!("postgres-{}-{}", program.version_text(), template.facts.id);
    let slot = Slot::acquire(&root, &name, cache.account().passage())
        .map_err(|error| Problem::io("make a folder for Postgres", &error))?;
    let mut slot = fill(slot, &template, cache)?;
    for _ in 0..TRIES {
        let port = probe::free_port().map_err(|error| Problem::io("find a free port", &error))?;
        let data = slot.folder().join("data");
        let command = command(program, &data, port);
        let instance =
            Instance::spawn(command, slot, cache.account(), STOP, is_in_order).map_err(|(slot, problem)| {
                let _ = slot.remove(STOP.insist);
                problem
            })?;
        match instance.wait_until(START, || is_ready(&data, port)) {
            Ok(()) => {
                let password = &template.facts.password;
                let url = format!("postgres://{ADMINISTRATOR}:{password}@127.0.0.1:{port}/postgres");
                let service = Service { url, provider, version: Some(program.name.clone()) };
                return Ok(Found { service, instance: Some(instance), lease: None });
            }
            Err(Trouble::PortTaken) => slot = instance.stop_for_retry(),
            Err(trouble) => {
                instance.stop();
                return Err(trouble.explain(&program.name));
            }
        }
    }
    let _ = slot.remove(STOP.insist);
    Err(Trouble::PortTaken.explain(&program.name))
}

/// Uses what the last run has left in order, or copies the template.
fn fill(slot: Slot, template: &Template, cache: &Cache) -> Result<Slot, Problem> {
    if slot.take_clean() {
        return Ok(slot);
    }
    let filled = slot
        .clear(STOP.insist)
        .and_then(|()| copy::folder(&template.data, &slot.folder().join("data"), cache.account()))
        .map_err(|error| Problem::io("copy the template database", &error));
    match filled {
        Ok(()) => Ok(slot),
        Err(problem) => {
            let _ = slot.remove(STOP.insist);
            Err(problem)
        }
    }
}

fn command(program: &Program, data: &Path, port: u16) -> Command {
    let mut command = Command::new(&program.path);
    scrub(&mut command);
    command.arg("-D").arg(data).arg("-p").arg(port.to_string());
    for setting in SETTINGS.iter().chain(&PRIVATE_SETTINGS) {
        command.args(["-c", setting]);
    }
    // The workers of 18's default are six more processes, and slower to start than they are useful.
    if program.version.first().is_some_and(|&major| major >= 18) {
        command.args(["-c", "io_method=sync"]);
    }
    command
}

/// The postmaster says in the eighth line of its lock file when it takes connections (pidfile.h).
fn is_ready(data: &Path, port: u16) -> bool {
    let status = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    status.lines().nth(7).is_some_and(|line| line.trim_end() == "ready")
        && matches!(probe::postgres("127.0.0.1", port, Duration::from_secs(5)), Ok(Answer::Expected))
}

/// Whether the stopped instance can serve the next run: no database was left behind in it.
fn is_in_order(slot: &Slot) -> bool {
    let data = slot.folder().join("data");
    let databases = fs::read_dir(data.join("base")).map(|entries| {
        entries.filter_map(Result::ok).filter(|entry| entry.file_name().to_string_lossy() != "pgsql_tmp").count()
    });
    slot.number() < 2 && !data.join("postmaster.pid").exists() && databases.is_ok_and(|count| count == SYSTEM_DATABASES)
}
