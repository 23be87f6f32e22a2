//! How git is started: arguments as they are, no shell, and no more of our environment than it needs.

use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Variables of ours that no child has to know.
const SECRET: [&str; 1] = ["USERS"];

/// A command of git's in `folder`. Each argument reaches git as one argument, whatever is in it. It sees each object as it is:
/// whoever may push could have a ref below `refs/replace/` cover up another history, or a key (git-replace(1)).
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(folder).stdin(Stdio::null()).env("GIT_NO_REPLACE_OBJECTS", "1");
    for name in SECRET {
        command.env_remove(name);
    }
    command
}

/// Why git did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// It could not be started, or not be read.
    #[error("git: {0}")]
    Io(#[from] io::Error),
    /// It ended with another exit code than zero.
    #[error("git {command}: {message}")]
    Failed {
        /// Which of its commands.
        command: &'static str,
        /// What it wrote to standard error.
        message: String,
    },
    /// What it wrote is not what it was asked for.
    #[error("git {0} wrote something unexpected")]
    Unexpected(&'static str),
}

impl GitError {
    /// The error of a command that ended as `output` says.
    pub fn from_output(command: &'static str, output: &Output) -> Self {
        Self::Failed { command, message: String::from_utf8_lossy(&output.stderr).trim().to_owned() }
    }
}

/// What is made of the end of a command called `name`.
pub trait Ended {
    /// What it wrote to standard output, if it succeeded.
    ///
    /// # Errors
    /// It did not.
    fn success(self, name: &'static str) -> Result<Vec<u8>, GitError>;

    /// Its answer, for commands whose exit code is one: 0 for yes, 1 for no.
    ///
    /// # Errors
    /// It has another exit code.
    fn answer(self, name: &'static str) -> Result<bool, GitError>;
}

impl Ended for Output {
    fn success(self, name: &'static str) -> Result<Vec<u8>, GitError> {
        if self.status.success() { Ok(self.stdout) } else { Err(GitError::from_output(name, &self)) }
    }

    fn answer(self, name: &'static str) -> Result<bool, GitError> {
        match self.status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(GitError::from_output(name, &self)),
        }
    }
}

/// Runs `command` to its end without keeping the thread. It is killed if nobody waits any more.
///
/// # Errors
/// It cannot be started or not be read.
pub async fn output(command: Command) -> io::Result<Output> {
    tokio::process::Command::from(command).kill_on_drop(true).output().await
}
