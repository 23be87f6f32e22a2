//! Why a provider could not serve, and what the user can do about it.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

use super::{Kind, Provider};

/// Why one provider did not serve: a cause, and hints that mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    message: String,
    hints: Vec<String>,
}

impl Problem {
    /// A problem in words: a lower-case fragment.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hints: Vec::new() }
    }

    /// What was being done when the system said `error`.
    pub fn io(doing: impl fmt::Display, error: &io::Error) -> Self {
        let problem = Self::new(format!("cannot {doing}: {error}"));
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                problem.hint("free some disk space, or name another folder in LAB_CACHE_DIR")
            }
            _ => problem,
        }
    }

    /// Adds what the user can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// What the user can do, the best first.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

/// Why there is no service: always infrastructure, never the submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServicesError {
    /// The provider that was asked for did not serve.
    Unavailable {
        /// The service.
        kind: Kind,
        /// The provider that `--services` or `LAB_SERVICES` names.
        provider: Provider,
        /// Why not.
        problem: Problem,
    },
    /// `auto` tried them all.
    NoneWorks {
        /// The service.
        kind: Kind,
        /// Each provider and why it did not serve, in the order they were tried.
        attempts: Vec<(Provider, Problem)>,
        /// The one command that mends it on this system.
        remedy: String,
    },
    /// The thread that looks after a service ended without a word: a fault of ours.
    Lost {
        /// The service.
        kind: Kind,
    },
}

impl ServicesError {
    /// The exit code: 4, infrastructure.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        4
    }

    /// What the user can do, one hint to a line.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Unavailable { problem, .. } => problem.hints().to_vec(),
            Self::NoneWorks { remedy, .. } => vec![remedy.clone()],
            Self::Lost { .. } => Vec::new(),
        }
    }
}

impl fmt::Display for ServicesError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable { kind, provider, problem } => {
                write!(formatter, "no {kind} from provider `{provider}`: {problem}")
            }
            Self::NoneWorks { kind, attempts, .. } => {
                write!(formatter, "no {kind} was found on this machine, and none could be started")?;
                attempts
                    .iter()
                    .try_for_each(|(provider, problem)| write!(formatter, "\n  {:<11} {problem}", provider.name()))
            }
            Self::Lost { kind } => write!(formatter, "the thread that looks after {kind} has gone"),
        }
    }
}

impl std::error::Error for ServicesError {}
