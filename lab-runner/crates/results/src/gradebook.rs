//! `cargo lab gradebook`: one table of many report folders: a row for each learner, a column for each lab.
//!
//! Which of a learner's attempts counts, what being late costs and who has more time is the instructor's policy. A fault of
//! ours is no grade and never a zero.

mod attempts;
mod book;
mod cohort;
mod late;
mod page;
mod policy;
mod submitted;
mod tables;
mod text;

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use crate::ResultsError;
use crate::files::save;

pub use book::{Book, Cell, Row};
pub use lab_runner::grade::Roster;
pub use policy::Policy;

/// What a gradebook is made of.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The report folders of `cargo lab grade`, in the order in which they were handed in.
    pub reports: Vec<Utf8PathBuf>,
    /// The learners, as a CSV file with a header.
    pub roster: Option<Utf8PathBuf>,
    /// The column of the roster that submissions are called by.
    pub key: Option<String>,
    /// The policy, a TOML file.
    pub policy: Option<Utf8PathBuf>,
    /// When submissions were handed in, as a CSV file with a header.
    pub submitted: Option<Utf8PathBuf>,
}

/// Makes the gradebook of `sources`.
///
/// # Errors
/// A file cannot be read, or says something that contradicts another.
pub fn make(sources: &Sources) -> Result<Book, ResultsError> {
    let policy = sources.policy.as_deref().map(Policy::read).transpose()?.unwrap_or_default();
    let roster = match &sources.roster {
        Some(path) => Some(Roster::read(path, sources.key.as_deref())?),
        None if sources.key.is_some() => return refuse("--key names a column of the roster, and there is no --roster"),
        None => None,
    };
    let submitted = sources.submitted.as_deref().map(submitted::read).transpose()?.unwrap_or_default();
    let attempts = attempts::read(&sources.reports, &submitted)?;
    book::make(attempts, roster, policy)
}

/// Writes `book` to the folder `to`: as CSV, as JSON and as a page, and for each learning platform that the roster and the
/// policy allow it for. Gives the files.
///
/// # Errors
/// A file cannot be written.
pub fn write(book: &Book, to: &Utf8Path) -> Result<Vec<Utf8PathBuf>, ResultsError> {
    fs::create_dir_all(to).map_err(|source| ResultsError::File { path: to.to_owned(), source })?;
    let mut files = vec![
        ("gradebook.csv", tables::plain(book)?),
        ("gradebook.json", lab_runner::reporter::to_json(book).into_bytes()),
        ("gradebook.html", page::page(book).into_bytes()),
    ];
    files.extend(tables::canvas(book)?.map(|table| ("canvas.csv", table)));
    files.extend(tables::moodle(book)?.map(|table| ("moodle.csv", table)));
    let mut written = Vec::new();
    for (name, content) in files {
        save(&to.join(name), &content)?;
        written.push(to.join(name));
    }
    Ok(written)
}

fn refuse<T>(why: impl Into<String>) -> Result<T, ResultsError> {
    Err(ResultsError::Refused(why.into()))
}
