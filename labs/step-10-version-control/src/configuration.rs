//! What the environment says. Whatever is missing or makes no sense ends the start. The error of a variable names it and
//! leaves its value out, which may hold a password.

use std::io;
use std::num::{NonZeroU64, ParseIntError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use envconfig::Envconfig;

use crate::access::Users;

/// A variable that is missing or makes no sense.
pub use envconfig::Error as ConfigurationError;

/// The host's settings.
#[derive(Debug, Clone, Envconfig)]
pub struct Configuration {
    /// The address to listen on.
    #[envconfig(from = "HOST", default = "127.0.0.1")]
    pub host: String,
    /// The port to listen on.
    #[envconfig(from = "PORT", default = "8080")]
    pub port: u16,
    /// Where the repositories are.
    #[envconfig(from = "REPOS_DIR")]
    pub repositories: Folder,
    /// Who may do what.
    #[envconfig(from = "USERS")]
    pub users: Users,
    /// The file with the keys that may sign releases.
    #[envconfig(from = "ALLOWED_SIGNERS")]
    pub allowed_signers: PathBuf,
    /// What has to succeed before a merge counts. It is the operator's, not a user's: this, and nothing else, is given to
    /// a shell.
    #[envconfig(from = "TEST_COMMAND")]
    pub test_command: String,
    /// How long it may take.
    #[envconfig(from = "TEST_TIMEOUT_MS", default = "10000")]
    pub test_timeout: Milliseconds,
}

/// A folder that is there, by a path that holds from everywhere.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl FromStr for Folder {
    type Err = io::Error;

    fn from_str(text: &str) -> io::Result<Self> {
        let path = Path::new(text).canonicalize()?;
        if path.is_dir() { Ok(Self(path)) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }
}

/// A time to wait that is not zero.
#[derive(Debug, Clone, Copy)]
pub struct Milliseconds(NonZeroU64);

impl Milliseconds {
    /// As the standard library has it.
    pub fn duration(self) -> Duration {
        Duration::from_millis(self.0.get())
    }
}

impl FromStr for Milliseconds {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}
