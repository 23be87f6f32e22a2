//! Slots: numbered folders for private instances. Whoever holds a slot's lock has its folder to itself.
//!
//! A folder whose lock is free belongs to nobody: if it is not marked clean, a run was killed in it, and the next run
//! clears it away.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use lab_files::FileLock;
use lab_process::Signal;

use crate::process_identity::ProcessIdentity;

/// More runs of one user than this at once are not expected on any machine.
const SLOTS: u32 = 256;
/// A clean folder that nobody wanted for so long is removed.
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// A locked slot.
#[derive(Debug)]
pub(crate) struct Slot {
    folder: PathBuf,
    number: u32,
    lock: FileLock,
}

impl Slot {
    /// Locks the first free slot of `name` under `root`. A new folder gets `mode`.
    pub(crate) fn acquire(root: &Path, name: &str, mode: u32) -> io::Result<Self> {
        for number in 0..SLOTS {
            if let Some(slot) = Self::try_acquire(root, &format!("{name}-{number}"), number)? {
                fs::DirBuilder::new().recursive(true).mode(mode).create(&slot.folder)?;
                // The umask takes bits away from a new folder's mode, and a server may run under another account.
                fs::set_permissions(&slot.folder, fs::Permissions::from_mode(mode))?;
                return Ok(slot);
            }
        }
        Err(io::Error::other(format!("all {SLOTS} folders are in use")))
    }

    /// Locks one slot, if it is free.
    fn try_acquire(root: &Path, stem: &str, number: u32) -> io::Result<Option<Self>> {
        let lock = FileLock::try_acquire(root.join(format!("{stem}.lock")))?;
        Ok(lock.map(|lock| Self { folder: root.join(stem), number, lock }))
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the server works, and all that it may write.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Counts from 0.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// Where the identity of the slot's server is recorded.
    pub(crate) fn identity_file(&self) -> PathBuf {
        self.folder.join("pid")
    }

    /// Where the files are listed that its server has made outside of the folder.
    fn elsewhere_file(&self) -> PathBuf {
        self.folder.join("elsewhere")
    }

    /// Notes `files` that the slot's server will make outside of the folder, to be removed with it.
    pub(crate) fn note_elsewhere(&self, files: &[PathBuf]) -> io::Result<()> {
        let lines: String = files.iter().map(|file| format!("{}\n", file.display())).collect();
        fs::write(self.elsewhere_file(), lines)
    }

    /// Removes them. The folder is ours alone, and so is the list.
    fn remove_elsewhere(&self) {
        for file in fs::read_to_string(self.elsewhere_file()).unwrap_or_default().lines() {
            let _ = fs::remove_file(file);
        }
    }

    fn clean_file(&self) -> PathBuf {
        self.folder.join("clean")
    }

    /// Whether the slot was left in order, and takes the mark away: from now on it is in use.
    pub(crate) fn take_clean(&self) -> bool {
        fs::remove_file(self.clean_file()).is_ok()
    }

    /// Marks the slot as one whose data can be used again.
    pub(crate) fn mark_clean(&self) -> io::Result<()> {
        fs::write(self.clean_file(), "")
    }

    /// Ends a server that a killed run has left, and empties the folder.
    pub(crate) fn clear(&self, signal: Signal) -> io::Result<()> {
        self.end_leftover(signal);
        self.remove_elsewhere();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.is_dir() && !path.is_symlink() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
        }
        Ok(())
    }

    fn end_leftover(&self, signal: Signal) -> bool {
        let leftover = ProcessIdentity::load(&self.identity_file()).filter(ProcessIdentity::is_running);
        if let Some(identity) = &leftover {
            identity.end(signal);
        }
        leftover.is_some()
    }

    /// Removes the slot with all it holds. Whether a server still ran in it.
    pub(crate) fn remove(self, signal: Signal) -> io::Result<bool> {
        let ran = self.end_leftover(signal);
        self.remove_elsewhere();
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        self.lock.remove()?;
        Ok(ran)
    }
}

/// Which free slots to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SweepScope {
    /// Those that a killed run has left, and those nobody has wanted for days.
    Stale,
    /// All that nobody uses.
    All,
}

/// What a sweep has removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SweepReport {
    /// Folders removed.
    pub(crate) folders: usize,
    /// Servers that had been left running, and were ended.
    pub(crate) servers: usize,
    /// Slots that another run holds.
    pub(crate) in_use: usize,
}

/// Removes the free slots under `root` whose name begins with `prefix`; servers left in them are ended with `signal`.
pub(crate) fn sweep(root: &Path, prefix: &str, scope: SweepScope, signal: Signal) -> io::Result<SweepReport> {
    let mut report = SweepReport::default();
    for entry in fs::read_dir(root)? {
        let name = entry?.file_name();
        let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(".lock")) else { continue };
        if !stem.starts_with(prefix) {
            continue;
        }
        let Some(slot) = Slot::try_acquire(root, stem, 0)? else {
            report.in_use += 1;
            continue;
        };
        if scope == SweepScope::Stale && is_worth_keeping(&slot) {
            continue;
        }
        report.folders += usize::from(slot.folder().exists());
        report.servers += usize::from(slot.remove(signal)?);
    }
    Ok(report)
}

fn is_worth_keeping(slot: &Slot) -> bool {
    let marked = fs::metadata(slot.clean_file()).and_then(|metadata| metadata.modified());
    marked.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age < KEPT_FOR))
}
