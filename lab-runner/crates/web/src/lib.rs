//! The page of `cargo lab`: a result as one HTML file with a timeline for each check, the same as a trace, and a server on
//! this machine alone that shows the course, its labs and what happened in the last runs.
//!
//! What a submission wrote is text here and nothing else: it is escaped where it stands, it is in no attribute that means
//! anything, and the content security policy allows the page's own style and script alone.

pub mod batch;
pub mod check;
mod drawing;
pub mod list;
pub mod page;
pub mod report_page;
pub mod site;
pub mod text;
pub mod timeline;
pub mod trace;

use camino::{Utf8Path, Utf8PathBuf};
use lab_runner::report::Report;

/// Why a report's files could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A file cannot be read or written.
    #[error("cannot access {path}")]
    File {
        /// The file.
        path: Utf8PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A result is none that this version knows.
    #[error("{path} is not a result of `cargo lab`")]
    Format {
        /// The file.
        path: Utf8PathBuf,
        /// Why not.
        source: serde_json::Error,
    },
}

/// Writes report.html and trace.json beside the result.json in `folder`.
///
/// # Errors
/// There is no result, or the files cannot be written.
pub fn write(folder: &Utf8Path) -> Result<(), WriteError> {
    let path = folder.join("result.json");
    let text = std::fs::read(&path).map_err(|source| WriteError::File { path: path.clone(), source })?;
    let report: Report = serde_json::from_slice(&text).map_err(|source| WriteError::Format { path, source })?;
    for (name, content) in [("report.html", report_page::report(&report)), ("trace.json", trace::trace(&report))] {
        let path = folder.join(name);
        std::fs::write(&path, content).map_err(|source| WriteError::File { path, source })?;
    }
    Ok(())
}
