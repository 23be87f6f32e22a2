//! The user's cache, and the folders in it.

use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::account::{Account, can_reach};
use crate::error::ProviderError;
use crate::platform::{self, MEMORY};

/// Less free memory than this is left alone.
const MEMORY_WANTED: u64 = 1 << 30;

/// The folders that services keep things in.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    root: PathBuf,
    account: Account,
    /// Whether `LAB_CACHE_DIR` named it: then nothing is shared with the user's other cache.
    named: bool,
}

impl Cache {
    /// Finds the cache: `LAB_CACHE_DIR`, or the system's place for this user.
    pub(crate) fn locate() -> Result<Self, ProviderError> {
        let account = Account::for_servers();
        let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(root) = variable("LAB_CACHE_DIR") {
            let root = std::path::absolute(&root).map_err(|error| ProviderError::io("find LAB_CACHE_DIR", &error))?;
            return Ok(Self { root, account, named: true });
        }
        let root = if account == Account::Nobody {
            Some(PathBuf::from("/var/cache"))
        } else if let Some(cache) = variable("XDG_CACHE_HOME").filter(|path| path.is_absolute()) {
            Some(cache)
        } else {
            variable("HOME").map(|home| home.join(platform::caches()))
        };
        let root = root.ok_or_else(|| {
            ProviderError::new("there is no place for a cache: neither HOME nor XDG_CACHE_HOME is set")
                .hint("set LAB_CACHE_DIR to a folder")
                .specific()
        })?;
        Ok(Self { root: root.join("backend-labs"), account, named: false })
    }

    /// Its topmost folder, which may not exist yet.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The account that servers run under.
    pub(crate) fn account(&self) -> Account {
        self.account
    }

    /// A folder of the cache that servers may pass through, made if it is not there.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf, ProviderError> {
        self.make(&self.root)?;
        can_reach(self.account, &self.root)?;
        let folder = self.root.join(name);
        self.make(&folder)?;
        Ok(folder)
    }

    /// Makes sure that it can be written, and that `bytes` more have room in it.
    pub(crate) fn require_room(&self, bytes: u64) -> Result<(), ProviderError> {
        self.folder("programs")?;
        let free = rustix::fs::statvfs(&self.root).ok().map(|facts| facts.f_bavail.saturating_mul(facts.f_frsize));
        match free.filter(|free| *free < bytes) {
            None => Ok(()),
            Some(free) => Err(ProviderError::new(format!(
                "{} MB are free in {}, and {} MB are needed",
                free >> 20,
                self.root.display(),
                bytes >> 20
            ))
            .full()),
        }
    }

    /// Where private instances live: in memory if there is enough of it, because a database is made for every check.
    pub(crate) fn instances(&self) -> Result<PathBuf, ProviderError> {
        match self.memory() {
            Some(folder) if self.make(&folder).is_ok() && self.is_ours(&folder) && is_writable(&folder) => Ok(folder),
            _ => self.folder("instances"),
        }
    }

    /// Every folder that instances may have been made in, whichever of them is used now.
    pub(crate) fn instance_folders(&self) -> Vec<PathBuf> {
        [self.memory_folder(), self.root.join("instances")].into_iter().filter(|folder| self.is_ours(folder)).collect()
    }

    fn memory(&self) -> Option<PathBuf> {
        let free = rustix::fs::statvfs(MEMORY).ok().map(|facts| facts.f_bavail.saturating_mul(facts.f_frsize))?;
        (free >= MEMORY_WANTED).then(|| self.memory_folder())
    }

    fn memory_folder(&self) -> PathBuf {
        let user = rustix::process::geteuid().as_raw();
        let name = if self.named {
            let digest = hex::encode(Sha256::digest(self.root.as_os_str().as_encoded_bytes()));
            format!("backend-labs-{user}-{}", &digest[..8])
        } else {
            format!("backend-labs-{user}")
        };
        Path::new(MEMORY).join(name)
    }

    fn make(&self, folder: &Path) -> Result<(), ProviderError> {
        let made = DirBuilder::new().recursive(true).mode(self.account.passage()).create(folder);
        made.and_then(|()| self.open_passage(folder)).map_err(|error| {
            let failed = ProviderError::io(format_args!("create the folder {}", folder.display()), &error);
            match error.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::NotADirectory => failed.unwritable(),
                _ => failed,
            }
        })
    }

    /// The umask may have taken bits away that an unprivileged server needs.
    fn open_passage(&self, folder: &Path) -> io::Result<()> {
        let metadata = fs::metadata(folder)?;
        let wanted = self.account.passage();
        if metadata.permissions().mode() & wanted == wanted || !owned_by_us(&metadata) {
            return Ok(());
        }
        fs::set_permissions(folder, fs::Permissions::from_mode(wanted))
    }

    /// In a place where everybody may make folders, another user may have made ours first.
    fn is_ours(&self, folder: &Path) -> bool {
        fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_dir() && owned_by_us(&metadata))
    }
}

/// Whether files can be made in `folder`: on a read-only file system, not even root can.
fn is_writable(folder: &Path) -> bool {
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok()
}

fn owned_by_us(metadata: &fs::Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw()
}
