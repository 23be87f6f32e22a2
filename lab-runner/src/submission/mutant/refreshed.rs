//! What becomes of a patch when the solution has changed.

use serde::Serialize;

/// How a patch was carried over to the present solution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Refreshed {
    /// It fits as it is.
    Current,
    /// Its lines stand elsewhere, unchanged.
    Moved {
        /// The patch as it should be.
        #[serde(skip)]
        patch: String,
    },
    /// It was merged with what the solution has become since a commit.
    Merged {
        /// The patch as it should be.
        #[serde(skip)]
        patch: String,
        /// The commit whose solution it was made for.
        base: String,
    },
    /// Some of its context is another; the rest was found in one place only.
    Placed {
        /// The patch as it should be.
        #[serde(skip)]
        patch: String,
    },
}

impl Refreshed {
    /// What the patch should be, if not what it is.
    pub fn patch(&self) -> Option<&str> {
        match self {
            Self::Current => None,
            Self::Moved { patch } | Self::Merged { patch, .. } | Self::Placed { patch } => Some(patch),
        }
    }
}
