//! Everything that may keep a command from its result: each error knows its exit code and what may help.

use camino::{Utf8Path, Utf8PathBuf};
use lab_launcher::{Refusal, RefusalKind};
use lab_protocol::in_full;

use crate::disk;
use crate::exit::ExitCode;
use crate::manifest::ManifestError;
use crate::submission::SubmissionError;
use crate::suite::SuiteError;
use crate::workspace::{SelectError, WorkspaceError};
use lab_services::ServicesError;

/// An error that may come up in use: what the user is told besides its message.
pub trait ExpectedError: std::error::Error {
    /// What is wrong, with its causes.
    fn message(&self) -> String
    where
        Self: Sized,
    {
        in_full(self)
    }

    /// The exit code this ends the program with.
    fn exit_code(&self) -> ExitCode;

    /// What may help, each worth a line of its own.
    fn hints(&self) -> Vec<String> {
        Vec::new()
    }

    /// More lines that explain it, such as a compiler's errors.
    fn details(&self) -> &[String] {
        &[]
    }
}

/// Why a command has no result.
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
    #[error("cannot {doing} {path}")]
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

    /// The module's own error, which knows everything about itself.
    fn inner(&self) -> Option<&dyn ExpectedError> {
        Some(match self {
            Self::Workspace(error) => error,
            Self::Select(error) => error,
            Self::Manifest(error) => error,
            Self::Submission(error) => error,
            Self::Suite(error) => error,
            Self::Services(error) => error,
            _ => return None,
        })
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let Refusal { message, hint, kind, .. } = refusal;
        let hints = vec![hint];
        match kind {
            RefusalKind::Workspace => Self::Usage { message, hints },
            RefusalKind::Machine => Self::Infrastructure { message, hints },
        }
    }
}

impl ExpectedError for Error {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Io { .. } | Self::Infrastructure { .. } => ExitCode::Infrastructure,
            Self::Fault(_) => ExitCode::Fault,
            Self::Interrupted => ExitCode::Interrupted,
            _ => self.inner().map_or(ExitCode::Usage, ExpectedError::exit_code),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Usage { hints, .. } | Self::Infrastructure { hints, .. } => hints.clone(),
            Self::Io { path, source, .. } => disk::remedies(source, path),
            Self::Fault(_) => {
                vec![
                    "this is an internal error of the grader: please report it, along with the command you ran"
                        .to_owned(),
                ]
            }
            _ => self.inner().map(ExpectedError::hints).unwrap_or_default(),
        }
    }

    fn details(&self) -> &[String] {
        self.inner().map(ExpectedError::details).unwrap_or_default()
    }
}

impl ExpectedError for ServicesError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Infrastructure
    }

    fn hints(&self) -> Vec<String> {
        self.hints()
    }
}

#[cfg(test)]
mod tests {
    use lab_services::{Provider, ProviderError, ServiceId};

    use super::*;
    use crate::submission::mutant::MutantError;

    /// Whatever may fail for a cause that lies elsewhere, each by `cause`.
    fn with_cause(cause: &str) -> Vec<Error> {
        let io = || std::io::Error::other(cause.to_owned());
        let path = || Utf8PathBuf::from("labs/a");
        let manifest = || ManifestError::Unreadable { path: path(), source: io() };
        let source = ProviderError::new(cause);
        vec![
            Error::io("write", &path(), io()),
            WorkspaceError::Unreadable { path: path(), source: io() }.into(),
            manifest().into(),
            SelectError::Broken(Box::new(manifest())).into(),
            SubmissionError::Unreadable { path: path(), source: io() }.into(),
            SubmissionError::Unwritable { path: path(), source: io() }.into(),
            SubmissionError::from(MutantError::Unreadable { path: path(), source: io() }).into(),
            ServicesError::Unavailable { service: ServiceId::all()[0], provider: Provider::Native, source }.into(),
        ]
    }

    #[test]
    fn each_error_says_its_cause_once() {
        for error in with_cause("the disk is gone") {
            let (message, alone) = (error.message(), error.to_string());
            assert_eq!(message, format!("{alone}: the disk is gone"));
            assert!(!alone.contains("the disk is gone"), "{alone}");
        }
    }
}
