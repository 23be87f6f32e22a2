//! The folder of an instance. In memory where there is room: a check's data is made for it and forgotten.
//!
//! A folder whose lock is free belongs to nobody: its check was killed, and the next one that makes a folder removes it.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Once;

use lab_files::FileLock;
use lab_process::Account;

use crate::platform::MEMORY;

/// Less free memory than this is left alone.
const MEMORY_WANTED: u64 = 1 << 30;

static SWEPT: Once = Once::new();

/// A folder that its server may write, and that is removed when it is dropped.
#[derive(Debug)]
pub struct Folder {
    /// Ours; the server's own folder is in it.
    outer: PathBuf,
    lock: Option<FileLock>,
}

impl Folder {
    /// Makes one. `what` stands in its name.
    ///
    /// # Errors
    /// A full disk, or no permission.
    pub fn new(what: &str) -> io::Result<Self> {
        let parent = parent()?;
        // Once for a process is enough.
        SWEPT.call_once(|| sweep(&parent));
        let name = format!("{what}-{}", &uuid::Uuid::new_v4().simple().to_string()[..12]);
        let lock = FileLock::acquire(parent.join(format!("{name}.lock")))?;
        let folder = Self { outer: parent.join(name), lock: Some(lock) };
        make(&folder.outer, Account::for_servers().passage())?;
        make(&folder.path(), 0o700)?;
        Account::for_servers().own(&folder.path())?;
        Ok(folder)
    }

    /// Where the server works, and all that it may write.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.outer.join("data")
    }

    /// Another folder of the server's, beside the first.
    ///
    /// # Errors
    /// It is there already, or the disk is full.
    pub fn beside(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.outer.join(name);
        make(&path, 0o700)?;
        Account::for_servers().own(&path)?;
        Ok(path)
    }

    /// Writes a file that only the server can read: arguments are everybody's to read.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let file = self.path().join(name);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?.write_all(text.as_bytes())?;
        Account::for_servers().own(&file)
    }

    /// The file for what the server called `name` prints. It is ours.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.outer.join(format!("{name}.log"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.outer);
        if let Some(lock) = self.lock.take() {
            let _ = lock.remove();
        }
    }
}

/// Where the folders of this user's instances are, in a place that their server can reach.
fn parent() -> io::Result<PathBuf> {
    let name = format!("backend-labs-checks-{}", rustix::process::geteuid().as_raw());
    let places = [is_roomy(Path::new(MEMORY)).then(|| PathBuf::from(MEMORY)), Some(std::env::temp_dir())];
    let mut last = io::Error::other("there is no place for the folders of instances");
    for place in places.into_iter().flatten() {
        let parent = place.join(&name);
        match make(&parent, Account::for_servers().passage()).and_then(|()| is_ours(&parent)) {
            Ok(()) => return Ok(parent),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn is_roomy(place: &Path) -> bool {
    let free = rustix::fs::statvfs(place).ok().map(|facts| facts.f_bavail.saturating_mul(facts.f_frsize));
    free.is_some_and(|free| free >= MEMORY_WANTED)
}

/// In a place where everybody may make folders, another user may have made ours first.
fn is_ours(folder: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(folder)?;
    if metadata.is_dir() && metadata.uid() == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(io::Error::other(format!("{} belongs to somebody else", folder.display())))
}

/// Makes a folder, whatever the umask takes away.
fn make(folder: &Path, mode: u32) -> io::Result<()> {
    match DirBuilder::new().mode(mode).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        result => result?,
    }
    fs::set_permissions(folder, Permissions::from_mode(mode))
}

/// Removes the folders whose locks nobody holds.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "lock") {
            continue;
        }
        if let Ok(Some(lock)) = FileLock::try_acquire_existing(&path) {
            let _ = fs::remove_dir_all(path.with_extension(""));
            let _ = lock.remove();
        }
    }
}
