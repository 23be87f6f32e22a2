//! The account that private servers run under: ours, or an unprivileged one when we are root.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use crate::error::ProviderError;

/// `nobody` and `nogroup` in the numbers that all Unix systems in use agree on closely enough. `initdb` insists on a
/// user that the password file knows, which rules out a number of our own.
const NOBODY: u32 = 65_534;

/// Who a private server runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    /// The user who runs us.
    Own,
    /// We are root, which Postgres refuses to be.
    Nobody,
}

impl Account {
    pub(crate) fn for_servers() -> Self {
        if rustix::process::geteuid().is_root() { Self::Nobody } else { Self::Own }
    }

    /// Has `command` run under this account.
    pub(crate) fn apply(self, command: &mut Command) {
        if self == Self::Nobody {
            command.uid(NOBODY).gid(NOBODY);
        }
    }

    /// Gives `path` itself (not what is in it) to this account.
    pub(crate) fn own(self, path: &Path) -> io::Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Nobody => chown(path, Some(NOBODY), Some(NOBODY)),
        }
    }

    /// The mode of a folder of ours that this account's servers must pass through.
    pub(crate) fn passage(self) -> u32 {
        match self {
            Self::Own => 0o700,
            Self::Nobody => 0o755,
        }
    }

    /// Whether this account can reach `folder` from the root of the file system.
    pub(crate) fn can_reach(self, folder: &Path) -> Result<(), ProviderError> {
        if self == Self::Own {
            return Ok(());
        }
        let closed = folder
            .ancestors()
            .find(|ancestor| fs::metadata(ancestor).is_ok_and(|metadata| metadata.permissions().mode() & 0o001 == 0));
        match closed {
            None => Ok(()),
            Some(closed) => Err(ProviderError::new(format!(
                "you are root, so the servers run as user {NOBODY}, but that user cannot enter {}",
                closed.display()
            ))
            .hint("set LAB_CACHE_DIR to a folder that everybody can enter, such as /var/cache/backend-labs")
            .specific()),
        }
    }
}
