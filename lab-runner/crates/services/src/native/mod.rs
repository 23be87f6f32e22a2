//! Private throw-away instances of programs found on this machine.

mod copy;
mod find;
mod find_postgres;
mod find_redis;
mod postgres;
mod redis;
mod template;
mod version;

use std::path::Path;

use lab_process::Signal;

use super::Kind;
use super::Provider;
use super::cache::Cache;
use super::chain::Found;
use super::problem::Problem;
use super::slot::{self, Sweep};
use super::tell::Tell;

pub(super) use find::Program;

/// Starts `kind` from the newest program on this machine.
pub(super) fn start(kind: Kind, tell: &Tell) -> Result<Found, Problem> {
    let cache = Cache::locate()?;
    run(&find(kind)?, kind, Provider::Native, &cache, tell)
}

/// The newest program for `kind` on this machine.
pub(super) fn find(kind: Kind) -> Result<Program, Problem> {
    match kind {
        Kind::Postgres => find_postgres::newest(),
        Kind::Redis => find_redis::newest(),
    }
}

/// Looks at the program `path`, which was found by other means, and asks it for its version.
pub(super) fn examine(kind: Kind, path: &Path) -> Result<Program, Problem> {
    match kind {
        Kind::Postgres => find_postgres::examine(path.parent().unwrap_or(path)),
        Kind::Redis => find_redis::examine(path).map(Some),
    }
    .and_then(|found| found.ok_or_else(|| format!("{} is not there", path.display())))
    .map_err(Problem::new)
}

/// Starts a private instance of `program`.
pub(super) fn run(
    program: &Program,
    kind: Kind,
    provider: Provider,
    cache: &Cache,
    tell: &Tell,
) -> Result<Found, Problem> {
    match kind {
        Kind::Postgres => postgres::start(program, provider, cache, tell),
        Kind::Redis => redis::start(program, provider, cache),
    }
}

/// Clears away what killed runs have left of `kind`. What cannot be cleared now can be the next time.
pub(super) fn sweep(kind: Kind) {
    let Ok(cache) = Cache::locate() else { return };
    for folder in cache.instance_folders() {
        let _ = slot::sweep(&folder, prefix(kind), Sweep::Stale, insist(kind));
    }
}

/// How the slots of `kind` begin.
pub(super) fn prefix(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgres => "postgres-",
        Kind::Redis => "redis-",
    }
}

/// The signal that stops a leftover of `kind` at once.
pub(super) fn insist(kind: Kind) -> Signal {
    match kind {
        Kind::Postgres => postgres::STOP.insist,
        Kind::Redis => redis::STOP.insist,
    }
}

/// The settings that a Postgres in a container shares with a private one.
pub(super) fn settings_for_containers() -> impl Iterator<Item = &'static str> {
    postgres::SETTINGS.into_iter()
}
