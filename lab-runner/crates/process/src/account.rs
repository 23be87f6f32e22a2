//! The account that private servers run under: ours, or an unprivileged one when we are root.

use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// `nobody` and `nogroup` in the numbers that all Unix systems in use agree on closely enough. Postgres's `initdb` insists
/// on a user that the password file knows, which rules out a number of our own.
const NOBODY: u32 = 65_534;

/// Who a private server runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// The user who runs us.
    Own,
    /// We are root, which Postgres refuses to be.
    Nobody,
}

impl Account {
    /// The account that servers of ours run under.
    #[must_use]
    pub fn for_servers() -> Self {
        if rustix::process::geteuid().is_root() { Self::Nobody } else { Self::Own }
    }

    /// Its number, if it is not ours.
    #[must_use]
    pub fn number(self) -> Option<u32> {
        (self == Self::Nobody).then_some(NOBODY)
    }

    /// Has `command` run under this account.
    pub fn apply(self, command: &mut Command) {
        if let Some(number) = self.number() {
            command.uid(number).gid(number);
        }
    }

    /// Gives `path` itself (not what is in it) to this account.
    ///
    /// # Errors
    /// The system says why not.
    pub fn own(self, path: &Path) -> io::Result<()> {
        self.number().map_or(Ok(()), |number| chown(path, Some(number), Some(number)))
    }

    /// The mode of a folder of ours that this account's servers must pass through.
    #[must_use]
    pub fn passage(self) -> u32 {
        match self {
            Self::Own => 0o700,
            Self::Nobody => 0o755,
        }
    }
}
