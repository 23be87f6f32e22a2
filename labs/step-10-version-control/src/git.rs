//! How git is started: arguments as they are, and no shell.

use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tokio::io::AsyncWriteExt as _;

/// A command of git's in `folder`. Each argument reaches git as one argument, whatever is in it.
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(folder).env_remove("USERS");
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
        if self.status.success() { Ok(self.stdout) } else { Err(failed(name, &self)) }
    }

    fn answer(self, name: &'static str) -> Result<bool, GitError> {
        match self.status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(failed(name, &self)),
        }
    }
}

fn failed(command: &'static str, output: &Output) -> GitError {
    GitError::Failed { command, message: String::from_utf8_lossy(&output.stderr).trim().to_owned() }
}

/// Runs `command` to its end without keeping the thread. It is killed if nobody waits any more.
///
/// # Errors
/// It cannot be started or not be read.
pub async fn output(command: Command) -> io::Result<Output> {
    answer(command, &[]).await
}

/// The same with `input` on its standard input.
///
/// # Errors
/// It cannot be started or not be read.
// All of the input and all of the output are in memory here. For a fetch of a small repository that will do; a push may be
// as large as a disk.
pub async fn answer(mut command: Command, input: &[u8]) -> io::Result<Output> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn()?;
    let stdin = child.stdin.take();
    let write = async move {
        if let Some(mut stdin) = stdin {
            // Whoever has heard enough closes its input. That is no error.
            let _ = stdin.write_all(input).await;
        }
    };
    let ((), output) = tokio::join!(write, child.wait_with_output());
    output
}
