//! Everything that may keep a command from its result: each error knows its exit code and what may help.

use camino::{Utf8Path, Utf8PathBuf};

use crate::exit::ExitCode;
use crate::manifest::ManifestError;
use crate::submission::SubmissionError;
use crate::suite::SuiteError;
use crate::workspace::{SelectError, WorkspaceError};
use lab_services::ServicesError;

/// An expected error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// No lab could be chosen.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// A manifest is wrong.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// There is nothing to grade.
    #[error(transparent)]
    Submission(#[from] SubmissionError),
    /// There is nothing to grade with.
    #[error(transparent)]
    Suite(#[from] SuiteError),
    /// A service is missing.
    #[error(transparent)]
    Services(#[from] ServicesError),
    /// The command line makes no sense.
    #[error("{message}")]
    Usage {
        /// Why not.
        message: String,
        /// What may help.
        hints: Vec<String>,
    },
    /// A file of ours cannot be read or written.
    #[error("cannot {doing} {path}: {source}")]
    Io {
        /// What we were doing.
        doing: &'static str,
        /// The file.
        path: Utf8PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The command could not be carried out, and nobody did anything wrong.
    #[error("{message}")]
    Infrastructure {
        /// What happened.
        message: String,
        /// What may help.
        hints: Vec<String>,
    },
    /// We made a mistake.
    #[error("{0}")]
    Fault(String),
    /// The run was cancelled.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// A command line that makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hints: Vec::new() }
    }

    /// A file of ours that cannot be read or written.
    pub fn io(doing: &'static str, path: &Utf8Path, source: std::io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), source }
    }

    /// The exit code this ends the program with.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Workspace(error) => error.exit_code(),
            Self::Select(error) => error.exit_code(),
            Self::Manifest(error) => error.exit_code(),
            Self::Submission(error) => error.exit_code(),
            Self::Suite(error) => error.exit_code(),
            Self::Services(_) | Self::Io { .. } | Self::Infrastructure { .. } => ExitCode::Infrastructure,
            Self::Usage { .. } => ExitCode::Usage,
            Self::Fault(_) => ExitCode::Fault,
            Self::Interrupted => ExitCode::Interrupted,
        }
    }

    /// What may help, each worth a line of its own.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Workspace(error) => error.hints(),
            Self::Select(error) => error.hints(),
            Self::Manifest(error) => error.hints(),
            Self::Submission(error) => error.hints(),
            Self::Suite(error) => error.hints(),
            Self::Services(error) => error.hints(),
            Self::Usage { hints, .. } | Self::Infrastructure { hints, .. } => hints.clone(),
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                vec!["free up some disk space; `cargo clean` frees the most".to_owned()]
            }
            Self::Fault(_) => {
                vec![
                    "this is an internal error of the grader: please report it, along with the command you ran"
                        .to_owned(),
                ]
            }
            Self::Io { .. } | Self::Interrupted => Vec::new(),
        }
    }

    /// More lines that explain it, such as a compiler's errors.
    pub fn details(&self) -> &[String] {
        match self {
            Self::Suite(error) => error.details(),
            _ => &[],
        }
    }
}
