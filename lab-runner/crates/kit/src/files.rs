//! What is in a folder that the submission's programs may write: looked at, and damaged, as a check wants it. Whatever they have
//! put there, no link is followed and no pipe is waited for.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind::{IsADirectory, NotADirectory, NotFound, PermissionDenied, UnexpectedEof};
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use lab_check::{CheckResult, Failure};
use lab_files::{CopyError, change_below, each_below, open_below, remove_below};
use sha2::{Digest as _, Sha256};

/// The most that is read of a folder, in bytes: as much as one of a check's may hold.
const MOST: u64 = 1 << 30;

/// The files in a folder that the submission may write.
///
/// ```
/// # use lab_kit::prelude::*;
/// # use lab_kit::Files;
/// # async fn example(lab: &Lab) -> CheckResult<()> {
/// let folder = lab.folder()?;
/// lab.program().arg("backup").env("BACKUP_DIR", &folder.display().to_string()).run().await?;
/// let backup = Files::of(&folder);
/// let before = backup.contents()?;
/// expect_that(!before.is_empty(), "the backup is empty")?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Files(PathBuf);

/// What one file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// How many bytes.
    pub size: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
}

impl Files {
    /// Those in `folder`.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// All of them, by their paths from the folder: to be compared with what is there later.
    ///
    /// # Errors
    /// The learner's failure if they are too many or too large, or are not there or closed to us, as the program has left
    /// them; ours, if the machine fails.
    pub fn contents(&self) -> CheckResult<BTreeMap<PathBuf, Content>> {
        let mut contents = BTreeMap::new();
        let mut left = MOST;
        let read = each_below(&self.0, &mut |path, file| {
            let content = content(file, left).map_err(CopyError::Source)?.ok_or(CopyError::TooMuch)?;
            left -= content.size;
            contents.insert(path.to_owned(), content);
            Ok(())
        });
        let what = "what the program has written cannot be looked at";
        read.map_err(|error| match error {
            CopyError::Source(error) => fault(what, error),
            error => Failure::learner(format!("{what}: {error}")),
        })?;
        Ok(contents)
    }

    /// Whether there is a file at `path`.
    #[must_use]
    pub fn has(&self, path: impl AsRef<Path>) -> bool {
        open_below(&self.0, path.as_ref()).is_ok()
    }

    /// Changes the byte at `position` of a file. Done twice, it is what it was.
    ///
    /// # Errors
    /// The learner's failure if there is no such file, or it is not so long: something of theirs has changed it since it was
    /// looked at. Ours, if the machine fails.
    pub fn flip(&self, path: &Path, position: u64) -> CheckResult {
        let flip = || {
            let file = change_below(&self.0, path)?;
            let mut byte = [0];
            file.read_exact_at(&mut byte, position)?;
            file.write_all_at(&[!byte[0]], position)
        };
        flip().map_err(|error| fault(&format!("a byte of {} cannot be changed", path.display()), error))
    }

    /// Removes a file.
    ///
    /// # Errors
    /// As of [`Files::flip`].
    pub fn remove(&self, path: &Path) -> CheckResult {
        let removed = remove_below(&self.0, path);
        removed.map_err(|error| fault(&format!("{} cannot be removed", path.display()), error))
    }
}

/// Whose fault it is that a file could not be read or changed: that of whoever has put it there and may take it away, unless
/// the machine failed.
fn fault(what: &str, error: io::Error) -> Failure {
    let theirs = [NotFound, PermissionDenied, NotADirectory, IsADirectory, UnexpectedEof];
    if theirs.contains(&error.kind()) {
        return Failure::learner(what)
            .expected("the files stay as they were when the program that has written them ended")
            .actual(error.to_string());
    }
    Failure::ours(what, &error)
}

/// What `file` holds; nothing if that is more than `most` bytes.
fn content(file: File, most: u64) -> io::Result<Option<Content>> {
    let (mut hash, mut size, mut buffer) = (Sha256::new(), 0, vec![0; 64 << 10]);
    let mut file = file.take(most.saturating_add(1));
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((size <= most).then(|| Content { size, sha256: hash.finalize().into() }));
        }
        size += count as u64;
        hash.update(&buffer[..count]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_changed_and_changed_back() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("base")).unwrap();
        std::fs::write(folder.path().join("base/1"), "abc").unwrap();
        let (files, path) = (Files::of(folder.path()), Path::new("base/1"));
        let before = files.contents().unwrap();
        assert_eq!(before[path].size, 3);
        files.flip(path, 1).unwrap();
        assert_eq!(std::fs::read(folder.path().join(path)).unwrap(), [b'a', !b'b', b'c']);
        assert_ne!(files.contents().unwrap(), before);
        files.flip(path, 1).unwrap();
        assert_eq!(files.contents().unwrap(), before);
        assert!(files.flip(path, 3).is_err() && files.has(path));
        files.remove(path).unwrap();
        assert!(!files.has(path) && files.contents().unwrap().is_empty());
    }

    #[test]
    fn what_goes_away_is_theirs_and_what_breaks_is_ours() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::of(folder.path());
        let gone = Path::new("gone");
        let failures =
            [files.flip(gone, 0), files.remove(gone), Files::of(&folder.path().join(gone)).contents().map(drop)];
        assert!(failures.into_iter().all(|failure| failure.unwrap_err().is_learners()));
        // EIO, ENFILE, EMFILE, ENOSPC.
        for broken in [5, 23, 24, 28] {
            assert!(!fault("it cannot be read", io::Error::from_raw_os_error(broken)).is_learners());
        }
    }

    #[test]
    fn no_more_is_read_than_a_folder_may_hold() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "abc").unwrap();
        let read = |most| content(File::open(&path).unwrap(), most).unwrap();
        assert!(read(2).is_none() && read(3).is_some_and(|content| content.size == 3));
    }
}
