//! A mutant in the making: a copy of the solution that an instructor changes by hand, and what becomes its patch.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use lab_runner::submission::{self, SubmissionError, Tree, write_tree};
use lab_runner::workspace::{Lab, Workspace};

use super::refresh;

/// The file that holds the patch's first lines, beside the copy's editable paths.
const HEAD_FILE: &str = "mutant.txt";

/// A copy of the solution in the target folder. It stays until it is saved or begun anew.
#[derive(Debug)]
pub struct Draft {
    /// The folder of the copy.
    pub folder: Utf8PathBuf,
    lab: Lab,
}

impl Draft {
    /// The draft of the mutant `name` of `lab`, whether or not it has been begun.
    pub fn of(workspace: &Workspace, lab: &Lab, name: &str) -> Self {
        let folder = workspace.lab_folder().join("mutants").join(lab.package()).join(name);
        Self { folder, lab: lab.clone() }
    }

    /// Whether it has been begun and not saved.
    pub fn is_begun(&self) -> bool {
        self.folder.join(HEAD_FILE).is_file()
    }

    /// Begins it with the files of `tree`, and with what it `breaks` and the checks it `fails`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn begin(&self, tree: &Tree, breaks: &str, fails: &[String]) -> Result<(), SubmissionError> {
        write_tree(&self.folder, tree)?;
        self.describe(breaks, fails)
    }

    /// Has it say what it `breaks` and which checks it `fails`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn describe(&self, breaks: &str, fails: &[String]) -> Result<(), SubmissionError> {
        let path = self.folder.join(HEAD_FILE);
        std::fs::write(&path, head(breaks, fails)).map_err(|source| SubmissionError::Unwritable { path, source })
    }

    /// What it says it breaks, and the checks it says it fails.
    ///
    /// # Errors
    /// It has not been begun.
    pub fn description(&self) -> Result<(String, Vec<String>), SubmissionError> {
        let path = self.folder.join(HEAD_FILE);
        let text = std::fs::read_to_string(&path).map_err(|source| SubmissionError::Unreadable { path, source })?;
        let value = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        let fails = value("Fails").split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect();
        Ok((value("Breaks"), fails))
    }

    /// The patch that leads from `solution` to what stands in the draft now; none if nothing was changed.
    ///
    /// # Errors
    /// The draft cannot be read.
    pub fn patch(&self, solution: &Tree) -> Result<Option<String>, SubmissionError> {
        let mutated = submission::tree_in(&self.folder, &self.lab)?;
        if mutated == *solution {
            return Ok(None);
        }
        let (breaks, fails) = self.description()?;
        Ok(Some(format!("{}\n{}", head(&breaks, &fails), refresh::diff(solution, &mutated))))
    }

    /// Removes it.
    ///
    /// # Errors
    /// The folder cannot be removed.
    pub fn remove(&self) -> io::Result<()> {
        std::fs::remove_dir_all(&self.folder)
    }
}

fn head(breaks: &str, fails: &[String]) -> String {
    format!("Breaks: {breaks}\nFails: {}\n", fails.join(", "))
}

/// Whether a mutant can be called `name`: it is a file's name.
pub fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    !name.is_empty() && name.len() <= 60 && name.chars().all(fits)
}

/// The file of the mutant `name` of the lab in `folder`.
pub fn path_of(folder: &Utf8Path, name: &str) -> Utf8PathBuf {
    folder.join("mutants").join(format!("{name}.patch"))
}
