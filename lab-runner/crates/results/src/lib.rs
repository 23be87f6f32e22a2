//! What is made of results for others: the formats that other programs read, signatures, and one gradebook of many machines'.
//!
//! Of held-out checks a result shows only what it may by then, and so does all that is made of it. Everything reads [`lab_runner::report::Report`], and what a submission wrote is inert in all of it: it is escaped as the
//! format asks for, and is never a command, markup or a formula.

pub mod collect;
pub mod compare;
pub mod files;
pub mod formats;
pub mod gradebook;
pub mod signature;
pub mod verify;
pub mod words;

use camino::Utf8PathBuf;

/// Why a result cannot be read, or nothing be made of it.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// A file cannot be read or written.
    #[error("cannot access {path}")]
    File {
        /// The file.
        path: Utf8PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file is none that this version knows.
    #[error("{path} is not {what} of `cargo lab`")]
    Format {
        /// The file, or where the text came from.
        path: Utf8PathBuf,
        /// What it should be.
        what: &'static str,
        /// Why not.
        source: serde_json::Error,
    },
    /// A file is no key.
    #[error("{path} is no {what} key for Ed25519 in PEM: {why}")]
    Key {
        /// The file.
        path: Utf8PathBuf,
        /// Which half it should be.
        what: &'static str,
        /// Why it is not.
        why: String,
    },
    /// A roster says nothing, or contradicts itself.
    #[error(transparent)]
    Roster(#[from] lab_runner::grade::RosterError),
    /// Reports do not belong together.
    #[error("{0}")]
    Refused(String),
    /// A format cannot be written.
    #[error("cannot write the result in another format: {0}")]
    Write(String),
}
