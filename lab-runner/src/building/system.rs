//! What a build needs of the machine, asked of the machine itself: nothing that a compiler or a build script writes
//! decides whether a disk is full.

use std::io::{self, Write as _};

use camino::{Utf8Path, Utf8PathBuf};

use super::Job;
use crate::disk;

/// With less than this free a build may well have failed for want of space: what it wrote is gone by the time that we
/// ask. A lab's program and what is compiled on the way to it take about as much. In bytes.
const ROOM: u64 = 256 << 20;
/// The fewest free inodes with which a build may not have failed for want of them.
const FILES: u64 = 1_000;
/// What is written to see whether anything can be, in bytes: a quota shows in nothing but that.
const PROBE: usize = 1 << 20;

/// What is wrong with the machine, and what may help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub message: String,
    pub hint: String,
}

/// What keeps a build of `job` from being written.
pub(super) fn disk(job: &Job) -> Option<Fault> {
    let temporary = Utf8PathBuf::try_from(std::env::temp_dir()).ok();
    [Some(job.target.clone()), Some(job.build.clone()), temporary]
        .into_iter()
        .flatten()
        .filter_map(|folder| folder.ancestors().find(|ancestor| ancestor.is_dir()).map(Utf8Path::to_owned))
        .find_map(|folder| unwritable(&folder).or_else(|| full(&folder)))
}

fn full(folder: &Utf8Path) -> Option<Fault> {
    let facts = rustix::fs::statvfs(folder.as_std_path()).ok()?;
    let free = facts.f_bavail.saturating_mul(facts.f_frsize);
    // Some file systems have no number of inodes.
    let files = facts.f_files == 0 || facts.f_favail >= FILES;
    if free >= ROOM && files {
        return None;
    }
    let message = if files {
        format!("the disk is full: {} MiB are left for {folder}", free >> 20)
    } else {
        format!("the disk is full: {} more files can be made in {folder}", facts.f_favail)
    };
    Some(Fault { message, hint: SPACE.into() })
}

const SPACE: &str = "free up some disk space; `cargo clean` frees the most";

fn unwritable(folder: &Utf8Path) -> Option<Fault> {
    let write = || -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&vec![0; PROBE])?;
        file.flush()
    };
    let error = write().err()?;
    let message = match error.kind() {
        io::ErrorKind::StorageFull => format!("the disk of {folder} is full"),
        io::ErrorKind::QuotaExceeded => format!("the disk quota for {folder} is used up"),
        io::ErrorKind::ReadOnlyFilesystem => format!("{folder} cannot be written"),
        io::ErrorKind::PermissionDenied => format!("{folder} cannot be written: it belongs to somebody else"),
        _ => return None,
    };
    let hint = disk::remedies(&error, folder).pop()?;
    Some(Fault { message, hint })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_can_be_written_is_none_of_these_faults() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(unwritable(Utf8Path::from_path(folder.path()).unwrap()), None);
    }

    #[test]
    fn a_full_device_is_told_by_its_error_kind() {
        // /dev/full refuses every write with ENOSPC, and no folder: the kind is what counts.
        let mut full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        assert_eq!(full.write_all(b"x").unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
