//! Why the program cannot do its work: what ends with exit code 2, but for a reader that has gone.

use std::fmt;
use std::io;
use std::path::Path;

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
    /// The revenue of this event is more than can be told.
    TooMuch(String),
    /// Nobody reads the standard output any more.
    ReaderGone,
}

impl Error {
    /// Makes an error of the system's one of ours, with what was being done to `path`.
    pub fn at(doing: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let doing = format!("cannot {doing} {}", path.display());
        move |source| Self::Io { doing, source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(what) => write!(f, "{what}"),
            Self::Io { doing, source } => write!(f, "{doing}: {source}"),
            Self::TooMuch(event) => write!(f, "the revenue of {event:?} is too large"),
            Self::ReaderGone => write!(f, "nobody reads the output any more"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
