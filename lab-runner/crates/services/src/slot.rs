//! Slots: numbered folders for private instances. Whoever holds a slot's lock has its folder to itself.
//!
//! The lock is the system's and ends with its holder, however that dies. So a folder whose lock is free belongs to
//! nobody: if it is not marked clean, a run was killed in it, and the next run clears it away.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use lab_process::Signal;

use super::identity::Identity;

/// More runs of one user than this at once are not expected on any machine.
const SLOTS: u32 = 256;
/// A clean folder that nobody wanted for so long is removed.
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// A locked slot.
#[derive(Debug)]
pub(super) struct Slot {
    folder: PathBuf,
    lock: PathBuf,
    number: u32,
    _held: File,
}

impl Slot {
    /// Locks the first free slot of `name` under `root`.
    pub(super) fn acquire(root: &Path, name: &str, mode: u32) -> io::Result<Self> {
        for number in 0..SLOTS {
            let stem = format!("{name}-{number}");
            if let Some(slot) = Self::take(root, &stem, number)? {
                fs::DirBuilder::new().recursive(true).mode(mode).create(&slot.folder)?;
                return Ok(slot);
            }
        }
        Err(io::Error::other("every slot is taken"))
    }

    /// Locks one slot, if it is free.
    fn take(root: &Path, stem: &str, number: u32) -> io::Result<Option<Self>> {
        let lock = root.join(format!("{stem}.lock"));
        loop {
            let held = OpenOptions::new().create(true).truncate(false).write(true).open(&lock)?;
            match held.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // It may have been removed between being opened and being locked; then another may hold its successor.
            if fs::metadata(&lock).is_ok_and(|there| held.metadata().is_ok_and(|ours| ours.ino() == there.ino())) {
                return Ok(Some(Self { folder: root.join(stem), lock, number, _held: held }));
            }
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Counts from 0.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Where the identity of the slot's server is kept.
    pub(super) fn identity_file(&self) -> PathBuf {
        self.folder.join("pid")
    }

    fn clean_file(&self) -> PathBuf {
        self.folder.join("clean")
    }

    /// Whether the slot was left in order, and takes the mark away: from now on it is in use.
    pub(super) fn take_clean(&self) -> bool {
        fs::remove_file(self.clean_file()).is_ok()
    }

    /// Says that the slot is in order and its contents can be used again.
    pub(super) fn mark_clean(&self) -> io::Result<()> {
        fs::write(self.clean_file(), "")
    }

    /// Ends a server that a killed run has left, and empties the folder.
    pub(super) fn clear(&self, signal: Signal) -> io::Result<()> {
        self.end_leftover(signal);
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.is_dir() && !path.is_symlink() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
        }
        Ok(())
    }

    fn end_leftover(&self, signal: Signal) -> bool {
        let leftover = Identity::load(&self.identity_file()).filter(Identity::is_running);
        if let Some(identity) = &leftover {
            identity.end(signal);
        }
        leftover.is_some()
    }

    /// Removes the slot with all it holds. Whether a server still ran in it.
    pub(super) fn remove(self, signal: Signal) -> io::Result<bool> {
        let ran = self.end_leftover(signal);
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        fs::remove_file(&self.lock)?;
        Ok(ran)
    }
}

/// Which free slots to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sweep {
    /// Those that a killed run has left, and those nobody has wanted for days.
    Stale,
    /// All that nobody uses.
    All,
}

/// What a sweep has removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Swept {
    /// Folders removed.
    pub(super) folders: usize,
    /// Servers that had been left running, and were ended.
    pub(super) servers: usize,
    /// Slots that another run holds.
    pub(super) in_use: usize,
}

/// Removes the free slots under `root` whose name begins with `prefix`.
pub(super) fn sweep(root: &Path, prefix: &str, which: Sweep, signal: Signal) -> io::Result<Swept> {
    let mut swept = Swept::default();
    for entry in fs::read_dir(root)? {
        let name = entry?.file_name();
        let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(".lock")) else { continue };
        if !stem.starts_with(prefix) {
            continue;
        }
        let Some(slot) = Slot::take(root, stem, 0)? else {
            swept.in_use += 1;
            continue;
        };
        if which == Sweep::Stale && is_worth_keeping(&slot) {
            continue;
        }
        swept.folders += usize::from(slot.folder().exists());
        swept.servers += usize::from(slot.remove(signal)?);
    }
    Ok(swept)
}

fn is_worth_keeping(slot: &Slot) -> bool {
    let marked = fs::metadata(slot.clean_file()).and_then(|metadata| metadata.modified());
    marked.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age < KEPT_FOR))
}
