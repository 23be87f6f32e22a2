//! A folder for one run's own files, gone when the run is over, however it ends.
//!
//! The folder holds a lock that the system lets go of with its owner. Whoever comes next removes folders whose lock is
//! free: those of runs that were killed.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use lab_files::FileLock;

const LOCK: &str = "owner.lock";

/// A run's own folder, removed on drop.
#[derive(Debug)]
pub struct Scratch {
    path: Utf8PathBuf,
    _lock: FileLock,
}

impl Scratch {
    /// Makes a folder below `parent`, after removing those that nobody owns any more.
    ///
    /// # Errors
    /// The folder cannot be made: a full disk, or no permission.
    pub fn create(parent: &Utf8Path) -> io::Result<Self> {
        std::fs::create_dir_all(parent)?;
        sweep(parent);
        // Under a name that no sweep looks at, until the lock is held.
        let name = format!("{}-{}", std::process::id(), &uuid::Uuid::new_v4().simple().to_string()[..8]);
        let (hidden, path) = (parent.join(format!(".{name}")), parent.join(&name));
        std::fs::create_dir(&hidden)?;
        let lock = FileLock::acquire(hidden.join(LOCK))?;
        std::fs::rename(&hidden, &path)?;
        Ok(Self { path, _lock: lock })
    }

    /// The folder.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// A new folder in it.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn folder(&self, name: &str) -> io::Result<Utf8PathBuf> {
        let path = self.path.join(name);
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// Removes all that is in it: what runs that are over have left there.
    pub fn clear(&self) {
        for entry in self.path.read_dir_utf8().into_iter().flatten().flatten() {
            if entry.file_name() != LOCK {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next run.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Removes the folders in `parent` whose owners have died.
fn sweep(parent: &Utf8Path) {
    let Ok(entries) = parent.read_dir_utf8() else { return };
    for entry in entries.flatten().filter(|entry| !entry.file_name().starts_with('.')) {
        if let Ok(Some(_abandoned)) = FileLock::try_acquire_existing(entry.path().join(LOCK)) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parent() -> (tempfile::TempDir, Utf8PathBuf) {
        let keep = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(keep.path().to_owned()).unwrap();
        (keep, path)
    }

    #[test]
    fn a_living_owners_folder_stays_and_a_dead_ones_goes() {
        let (_keep, parent) = parent();
        let living = Scratch::create(&parent).unwrap();
        let dead = parent.join("1-dead");
        std::fs::create_dir(&dead).unwrap();
        std::fs::write(dead.join(LOCK), "").unwrap();
        let next = Scratch::create(&parent).unwrap();
        assert!(living.path().is_dir() && next.path().is_dir() && !dead.exists());
    }

    #[test]
    fn a_folder_goes_with_its_owner() {
        let (_keep, parent) = parent();
        let scratch = Scratch::create(&parent).unwrap();
        let path = scratch.path().to_owned();
        std::fs::write(path.join("file"), "x").unwrap();
        drop(scratch);
        assert!(!path.exists());
    }
}
