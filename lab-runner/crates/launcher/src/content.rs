//! What a file holds, and how to tell without reading it again.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds in which a file may be changed twice and still show one time only: FAT counts in two seconds, and
/// kernels in ticks of their own.
pub(crate) const GRANULARITY: i128 = 2_000_000_000;

/// What the system says of a file. As long as nothing of this changes, its content does not: the time of the last
/// change cannot be set by a program, unlike that of the last modification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub inode: u64,
    pub length: u64,
    /// Nanoseconds since 1970. Tools that copy set it back (`cp -p`, unzip, rsync).
    pub modified: i128,
    /// Nanoseconds since 1970.
    pub changed: i128,
}

impl Stamp {
    /// The stamp of the file or folder at `path`, or `None` if there is none.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Some(Self {
            inode: metadata.ino(),
            length: metadata.len(),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        })
    }

    /// Whether the file could be changed once more without a trace in its stamp.
    pub(crate) fn is_recent(&self) -> bool {
        now() - self.changed < GRANULARITY
    }

    /// Whether cargo, which compares times of modification, may take a file that was changed since `built` for an old
    /// one: its time was set back, or the clock was.
    pub(crate) fn is_overlooked(&self, built: i128) -> bool {
        self.modified <= built || self.modified + GRANULARITY < self.changed
    }
}

/// Nanoseconds since 1970.
fn now() -> i128 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i128::try_from(elapsed.as_nanos()).unwrap_or(i128::MAX)
}

/// The hash of what the file at `path` holds, or of the names in the folder at `path`. `None` if there is neither.
///
/// FNV-1a of 128 bits: nobody gains by making two files of their own look alike, so that it need not be cryptographic.
///
/// # Errors
/// What the system says, such as a lack of permission.
pub(crate) fn hash(path: &Path) -> io::Result<Option<u128>> {
    let mut hash = Fnv::new();
    match read(path, &mut hash) {
        Ok(()) => Ok(Some(hash.0)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(path: &Path, hash: &mut Fnv) -> io::Result<()> {
    if fs::metadata(path)?.is_dir() {
        let mut names = fs::read_dir(path)?
            .map(|entry| entry.map(|entry| entry.file_name().into_encoded_bytes()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        for name in names {
            hash.add(&name);
            hash.add(b"/");
        }
        return Ok(());
    }
    let mut content = Vec::new();
    File::open(path)?.read_to_end(&mut content)?;
    hash.add(&content);
    Ok(())
}

struct Fnv(u128);

impl Fnv {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

    fn new() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(Self::PRIME);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        let mut hash = Fnv::new();
        hash.add(b"foobar");
        // Test vector of the authors (draft-eastlake-fnv, appendix C).
        assert_eq!(hash.0, 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18);
    }

    #[test]
    fn what_is_not_there_has_no_hash() {
        assert_eq!(hash(Path::new("/no/such/file")).unwrap(), None);
    }
}
