//! A temporary folder that goes with its host, however that ends: what one has left that was killed, the next one removes.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use tempfile::TempDir;

const PREFIX: &str = "box-office-merge-";
/// A file that is locked as long as its folder is in use. Whoever ends lets go of it, also if killed (flock(2)).
const LOCK: &str = "lock";

/// The folder.
#[derive(Debug)]
pub struct Folder {
    folder: TempDir,
    // Behind the folder: it is let go of when that is gone.
    _lock: File,
}

impl Folder {
    /// An empty one, but for its lock.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new() -> io::Result<Self> {
        Self::in_place(&std::env::temp_dir())
    }

    fn in_place(place: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(place)?;
        let unfinished = folder.path().join("lock.new");
        let lock = File::create(&unfinished)?;
        lock.lock()?;
        // Nobody ever sees it under its name and not locked.
        fs::rename(unfinished, folder.path().join(LOCK))?;
        Ok(Self { folder, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes the folders that are in nobody's use any more.
pub fn remove_leftovers() {
    remove_leftovers_of(&std::env::temp_dir());
}

fn remove_leftovers_of(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else { return };
    let ours = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    for path in ours.map(|entry| entry.path()).filter(|path| is_left(path)) {
        if let Err(error) = fs::remove_dir_all(&path) {
            tracing::warn!(path = %path.display(), %error, "what a host has left behind cannot be removed");
        }
    }
}

fn is_left(folder: &Path) -> bool {
    File::open(folder.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_use_stays_and_what_a_killed_host_has_left_goes() {
        let place = tempfile::tempdir().unwrap();
        let used = Folder::in_place(place.path()).unwrap();
        let left = place.path().join("box-office-merge-left");
        fs::create_dir_all(left.join("checkout")).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        let strange = place.path().join("somebody-elses");
        fs::create_dir(&strange).unwrap();
        fs::write(strange.join(LOCK), "").unwrap();
        remove_leftovers_of(place.path());
        assert!(used.path().exists() && strange.exists() && !left.exists());
        let path = used.path().to_owned();
        drop(used);
        assert!(!path.exists());
    }
}
