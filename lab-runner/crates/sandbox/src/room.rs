//! Folders that hold no more than so much, whoever writes to them and however: memory with a limit stands in their place.

use std::io;
use std::path::{Path, PathBuf};

use crate::platform;

/// How many files a folder with a limit holds.
const FILES: u64 = 100_000;

/// What a folder holds, in memory. It is gone when this is dropped, and the folder is what it was.
#[derive(Debug)]
pub struct Room(PathBuf);

impl Room {
    /// Has `folder`, which is empty, hold so many `bytes` at most.
    ///
    /// # Errors
    /// This process sees what all others see: [`prepare`] was not called, or did not work.
    pub(crate) fn make(folder: &Path, bytes: u64) -> io::Result<Self> {
        platform::mount_memory(folder, bytes, FILES)?;
        Ok(Self(folder.to_owned()))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // If it is not let go of, it is when this process ends.
        let _ = platform::unmount(&self.0);
    }
}

/// Lets this process, which must not have started a thread yet, put memory in the place of folders, as itself and what it
/// starts see them, and nobody else. Somebody who is not root has to have been given rights by
/// [`prepare_networks`](crate::prepare_networks).
///
/// # Errors
/// The system does not let it.
pub fn prepare() -> io::Result<()> {
    platform::enter_mounts()
}
