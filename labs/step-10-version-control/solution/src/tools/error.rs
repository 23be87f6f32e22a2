//! Why a tool did not do what it was asked, and the exit code that says so.

use std::io;
use std::process::ExitCode;

use crate::git::GitError;

/// Why a tool has changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// It was asked for something that makes no sense here. Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// It makes sense, and cannot be done. Exit code 1.
    #[error("{0}")]
    Refused(String),
    /// There is no single answer: these are left. Exit code 1.
    #[error("it is one of these, and what cannot be tested does not tell which")]
    Undecided(Vec<String>),
    /// Git failed. Exit code 1.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl From<io::Error> for ToolError {
    fn from(error: io::Error) -> Self {
        Self::Git(error.into())
    }
}

impl ToolError {
    /// Wrong usage.
    pub fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    /// What cannot be done.
    pub fn refused(text: impl Into<String>) -> Self {
        Self::Refused(text.into())
    }

    /// What goes to standard output nevertheless.
    pub fn lines(&self) -> &[String] {
        if let Self::Undecided(lines) = self { lines } else { &[] }
    }

    /// The exit code.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(if matches!(self, Self::Usage(_)) { 2 } else { 1 })
    }
}
