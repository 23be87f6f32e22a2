//! The files of a batch: each result in the formats that were asked for, in the folder of the result.

use std::fs;
use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use lab_runner::report::Report;
use lab_runner::results::Foreign;
use serde::de::DeserializeOwned;

use crate::ResultsError;
use crate::formats::{self, Named};

/// The folders of the results in the report folder `report`, by name.
///
/// # Errors
/// It cannot be listed.
pub fn results_in(report: &Utf8Path) -> Result<Vec<Utf8PathBuf>, ResultsError> {
    let folder = report.join("submissions");
    let failed = |source| ResultsError::File { path: folder.clone(), source };
    let mut found = Vec::new();
    for entry in folder.read_dir_utf8().map_err(failed)? {
        let path = entry.map_err(failed)?.into_path();
        if path.join("result.json").is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Writes each result below `report` in each of `formats`.
///
/// # Errors
/// A result cannot be read, or a file cannot be written.
pub fn write(report: &Utf8Path, formats: &[Foreign]) -> Result<(), ResultsError> {
    for folder in results_in(report)? {
        let read: Report = load(&folder.join("result.json"), "a result")?;
        let name = folder.file_name().unwrap_or("submission");
        for format in formats {
            let text = formats::write(*format, Named { report: &read, name })?;
            save(&folder.join(formats::file_name(*format)), text.as_bytes())?;
        }
    }
    Ok(())
}

/// Reads a file that the runner has written.
///
/// # Errors
/// It cannot be read, or is something else.
pub fn load<T: DeserializeOwned>(path: &Utf8Path, what: &'static str) -> Result<T, ResultsError> {
    let text = fs::read(path).map_err(|source| ResultsError::File { path: path.to_owned(), source })?;
    serde_json::from_slice(&text).map_err(|source| ResultsError::Format { path: path.to_owned(), what, source })
}

/// Writes a file.
///
/// # Errors
/// It cannot be written.
pub fn save(path: &Utf8Path, content: &[u8]) -> Result<(), ResultsError> {
    fs::write(path, content).map_err(|source| ResultsError::File { path: path.to_owned(), source })
}

/// Adds `text` to the summary of the job step that we run in, if GitHub Actions runs us.
///
/// # Errors
/// The summary cannot be written.
pub fn add_to_step_summary(text: &str) -> Result<(), ResultsError> {
    let Ok(path) = std::env::var("GITHUB_STEP_SUMMARY") else { return Ok(()) };
    let path = Utf8PathBuf::from(path);
    let opened = fs::File::options().append(true).create(true).open(&path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| ResultsError::File { path, source })
}
