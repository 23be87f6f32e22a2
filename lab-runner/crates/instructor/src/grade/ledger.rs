//! The report folder as the memory of a batch: what it was begun with, and a result for each submission that is done.
//! It is all that `--resume` goes by.

use camino::{Utf8Path, Utf8PathBuf};
use lab_runner::error::Error;
use lab_runner::grade::{GradeReport, Terms, result_folder};
use lab_runner::report::{Outcome, Report};
use lab_runner::whole;
use serde::Serialize;

use super::Entry;

const TERMS: &str = "grading.json";
const RESULT: &str = "result.json";

/// A report folder.
#[derive(Debug)]
pub struct Ledger {
    folder: Utf8PathBuf,
    terms: Terms,
    resumed: bool,
    unpacked: Utf8PathBuf,
}

impl Ledger {
    /// Opens `folder` for a batch with `terms`, or for going on with the one that it holds if `resume` says so: then with
    /// the seed that it began with, unless `seed` names one. Archives are unpacked below `unpacked`.
    ///
    /// # Errors
    /// It holds results and they are not to be gone on with, or they are of another lab; or it cannot be written.
    pub fn open(
        folder: &Utf8Path,
        mut terms: Terms,
        seed: Option<u64>,
        resume: bool,
        unpacked: Utf8PathBuf,
    ) -> Result<Self, Error> {
        let path = folder.join(TERMS);
        let earlier: Option<Terms> = std::fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        if let Some(earlier) = &earlier {
            if !resume {
                return Err(Error::Usage {
                    message: format!("{folder} holds the results of an earlier run"),
                    hints: vec!["--resume goes on with them; or name another folder with --report".into()],
                });
            }
            if earlier.lab != terms.lab {
                return Err(Error::usage(format!("{folder} holds results of {}, not of {}", earlier.lab, terms.lab)));
            }
            if seed.is_none() {
                terms.seed = earlier.seed;
            }
        }
        let resumed = resume && earlier.as_ref() == Some(&terms);
        std::fs::create_dir_all(folder).map_err(|error| Error::io("create the folder", folder, error))?;
        let ledger = Self { folder: folder.to_owned(), terms, resumed, unpacked };
        Ok(ledger)
    }

    /// What the results in `folder` were graded with.
    ///
    /// # Errors
    /// It holds none.
    pub fn terms_of(folder: &Utf8Path) -> Result<Terms, Error> {
        let path = folder.join(TERMS);
        let text = std::fs::read(&path).map_err(|error| Error::usage(format!("cannot read {path}: {error}")))?;
        serde_json::from_slice(&text).map_err(|error| Error::usage(format!("{path} cannot be used: {error}")))
    }

    /// What the batch is graded with.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Notes what the batch is graded with, before anything is.
    pub(super) fn begin(&self) -> Result<(), Error> {
        self.save(&self.folder.join(TERMS), &self.terms)
    }

    /// The earlier result of `entry`, if its files have the hash `sha256`, the suite has the hash `suite`, and the result
    /// is no fault of ours.
    pub(super) fn known(&self, entry: &Entry, sha256: &str, suite: &str) -> Option<Report> {
        let report = self.read(&entry.folder).filter(|_| self.resumed)?;
        let same_files = report.submission.sha256.as_deref() == Some(sha256);
        // A submission that does not build is never shown to the suite.
        let same_suite = report.suite.sha256.as_deref().is_none_or(|known| known == suite);
        (same_files && same_suite && report.outcome != Outcome::InfrastructureError).then_some(report)
    }

    /// The result in the folder of that name, as an earlier run left it.
    pub(super) fn result_of(&self, folder: &str) -> Option<Report> {
        self.read(folder)
    }

    /// Keeps the result of `entry`.
    pub(super) fn write(&self, entry: &Entry, report: &Report) -> Result<(), Error> {
        self.save(&result_folder(&self.folder, &entry.folder).join(RESULT), report)
    }

    /// Keeps the whole, as JSON and as a table.
    pub(super) fn conclude(&self, report: &GradeReport) -> Result<(), Error> {
        self.save(&self.folder.join("grades.json"), report)?;
        let path = self.folder.join("gradebook.csv");
        let table = report.gradebook().map_err(|error| Error::Fault(error.to_string()))?;
        whole::replace(&path, &table, whole::USUAL).map_err(|error| Error::io("write", &path, error))
    }

    /// The folder in which archives are unpacked.
    pub(super) fn unpacked(&self) -> &Utf8Path {
        &self.unpacked
    }

    fn read(&self, folder: &str) -> Option<Report> {
        let path = result_folder(&self.folder, folder).join(RESULT);
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }

    fn save(&self, path: &Utf8Path, value: &impl Serialize) -> Result<(), Error> {
        let text = lab_runner::reporter::to_json(value);
        whole::replace(path, text.as_bytes(), whole::USUAL).map_err(|error| Error::io("write", path, error))
    }
}
