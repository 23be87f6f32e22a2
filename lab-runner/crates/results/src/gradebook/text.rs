//! What came of a gradebook, in a few lines for a terminal.

use std::fmt::Write as _;

use camino::Utf8PathBuf;
use lab_runner::reporter::inert;

use super::book::{Book, number};
use super::cohort;

impl Book {
    /// What came of it and was written to `files`: a line for each lab, then what an instructor should look at.
    #[must_use]
    pub fn text(&self, files: &[Utf8PathBuf]) -> String {
        let mut text = String::new();
        let learners = self.learners.len();
        for (place, lab) in self.labs.iter().enumerate() {
            let cohort = cohort::of(self, place);
            let median = number(cohort.median * 100.0);
            let _ = write!(text, "{}  {} of {learners} have a grade", one_line(&lab.lab), cohort.graded);
            if cohort.graded > 0 {
                let _ = write!(text, ", median {median} %");
            }
            if let Some(most) = cohort.obstacles.first() {
                let _ = write!(text, ", most often stopped by {}", one_line(&most.id));
            }
            text.push('\n');
        }
        for note in &self.notes {
            let _ = writeln!(text, "note: {}", one_line(note));
        }
        for file in files {
            let _ = writeln!(text, "wrote {}", one_line(file.as_str()));
        }
        text
    }
}

fn one_line(text: &str) -> String {
    inert(text).replace('\n', "\\n")
}
