//! Why the program cannot do its work: what ends with exit code 2. This file is complete, but you may add to it.

use std::fmt;
use std::io;

/// Why the program ends before its work is done.
#[derive(Debug)]
pub enum Error {
    /// The arguments make no sense.
    Usage(String),
    /// The system refused something.
    Io {
        /// What was being done.
        doing: String,
        /// Why it was refused.
        source: io::Error,
    },
}

impl Error {
    /// Makes an error of the system's one of ours, with what was being done.
    pub fn doing(what: &str) -> impl FnOnce(io::Error) -> Self {
        let doing = format!("cannot {what}");
        move |source| Self::Io { doing, source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(what) => write!(f, "{what}"),
            Self::Io { doing, source } => write!(f, "{doing}: {source}"),
        }
    }
}

impl std::error::Error for Error {}
