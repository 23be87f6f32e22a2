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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const REQUIRED: [(&str, &str); 4] =
        [("REPOS_DIR", "."), ("USERS", "ada:s3cret:write"), ("ALLOWED_SIGNERS", "signers"), ("TEST_COMMAND", "true")];

    fn configuration(name: &str, value: Option<&str>) -> Result<Configuration, ConfigurationError> {
        let mut variables: HashMap<String, String> =
            REQUIRED.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        match value {
            Some(value) => variables.insert(name.to_owned(), value.to_owned()),
            None => variables.remove(name),
        };
        Configuration::init_from_hashmap(&variables)
    }

    #[test]
    fn what_has_a_default_may_be_left_out() {
        let configuration = configuration("PORT", None).unwrap();
        assert_eq!((configuration.host.as_str(), configuration.port), ("127.0.0.1", 8080));
        assert_eq!(configuration.test_timeout.duration(), Duration::from_secs(10));
        assert!(configuration.repositories.path().is_absolute());
    }

    #[test]
    fn an_error_names_the_variable_and_not_its_value() {
        for (name, _) in REQUIRED {
            assert!(configuration(name, None).unwrap_err().to_string().contains(name));
        }
        let bad = [("USERS", "hunter2"), ("REPOS_DIR", "no/such/folder"), ("TEST_TIMEOUT_MS", "0"), ("PORT", "70000")];
        for (name, value) in bad {
            let error = configuration(name, Some(value)).unwrap_err().to_string();
            assert!(error.contains(name) && !error.contains(value), "{error}");
        }
    }
}
