//! Lock files: one holder at a time, among all processes of a machine.
//!
//! The lock is the operating system's (`flock`) and ends with its holder, however that dies. So a lock that is free
//! belongs to nobody, and whatever stands beside it was left by a process that is gone.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct FileLock {
    path: PathBuf,
    file: File,
}

impl FileLock {
    /// Locks the file `path`, made now if it is not there, and waits for whoever holds it.
    ///
    /// # Errors
    /// The file cannot be made or locked.
    pub fn acquire(path: impl Into<PathBuf>) -> io::Result<Self> {
        Self::settle(path.into(), |path| {
            let file = open_or_create(path)?;
            file.lock()?;
            Ok(Some(file))
        })?
        .ok_or_else(|| io::Error::other("a lock that waits was not taken"))
    }

    /// As [`FileLock::acquire`], together with others who lock it so.
    ///
    /// # Errors
    /// The file cannot be made or locked.
    pub fn acquire_shared(path: impl Into<PathBuf>) -> io::Result<Self> {
        Self::settle(path.into(), |path| {
            let file = open_or_create(path)?;
            file.lock_shared()?;
            Ok(Some(file))
        })?
        .ok_or_else(|| io::Error::other("a lock that waits was not taken"))
    }

    /// Locks the file `path`, made now if it is not there; `None` if somebody holds it.
    ///
    /// # Errors
    /// The file cannot be made or locked.
    pub fn try_acquire(path: impl Into<PathBuf>) -> io::Result<Option<Self>> {
        Self::settle(path.into(), |path| try_lock(open_or_create(path)?))
    }

    /// As [`FileLock::try_acquire`], for a file that must be there already.
    ///
    /// # Errors
    /// There is no such file, or it cannot be locked.
    pub fn try_acquire_existing(path: impl Into<PathBuf>) -> io::Result<Option<Self>> {
        Self::settle(path.into(), |path| try_lock(OpenOptions::new().write(true).open(path)?))
    }

    /// The file that is locked.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the file and lets go of the lock.
    ///
    /// # Errors
    /// The file cannot be removed; the lock is gone all the same.
    pub fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }

    /// Repeats `lock` until what it has locked is the file that has the name: the file may be removed between being
    /// opened and being locked, and then another process may hold its successor.
    fn settle(path: PathBuf, lock: impl Fn(&Path) -> io::Result<Option<File>>) -> io::Result<Option<Self>> {
        loop {
            let Some(file) = lock(&path)? else { return Ok(None) };
            if fs::metadata(&path).is_ok_and(|named| file.metadata().is_ok_and(|ours| same_file(&named, &ours))) {
                return Ok(Some(Self { path, file }));
            }
        }
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // A child that was forked meanwhile may still hold a copy of the descriptor: closing ours would not be enough.
        let _ = self.file.unlock();
    }
}

fn open_or_create(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path)
}

fn try_lock(file: File) -> io::Result<Option<File>> {
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn same_file(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn a_held_lock_is_refused_and_a_free_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = FileLock::acquire(&path).unwrap();
        assert!(FileLock::try_acquire(&path).unwrap().is_none());
        drop(held);
        assert!(FileLock::try_acquire(&path).unwrap().is_some());
    }

    #[test]
    fn shared_holders_keep_a_single_one_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let holders = [FileLock::acquire_shared(&path).unwrap(), FileLock::acquire_shared(&path).unwrap()];
        assert!(FileLock::try_acquire(&path).unwrap().is_none());
        drop(holders);
        assert!(FileLock::try_acquire(&path).unwrap().is_some());
    }

    #[test]
    fn who_waited_for_a_file_that_was_removed_holds_its_successor() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = FileLock::acquire(&path).unwrap();
        let (told, tell) = mpsc::channel();
        let waiting = {
            let path = path.clone();
            thread::spawn(move || {
                told.send(()).unwrap();
                FileLock::acquire(path).unwrap()
            })
        };
        tell.recv().unwrap();
        first.remove().unwrap();
        let second = waiting.join().unwrap();
        assert!(path.exists());
        assert!(FileLock::try_acquire(&path).unwrap().is_none());
        drop(second);
    }

    #[test]
    fn a_file_that_is_not_there_is_not_made_by_looking() {
        let folder = tempfile::tempdir().unwrap();
        assert!(FileLock::try_acquire_existing(folder.path().join("lock")).is_err());
        assert!(!folder.path().join("lock").exists());
    }
}
