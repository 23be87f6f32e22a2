//! What became of a batch: a line for each submission, and how often each check failed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::exit::ExitCode;
use crate::report::Outcome;

/// What became of a batch: what `grades.json` holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GradeReport {
    /// The format's name and version: `backend-labs/grades/v1`.
    pub schema: String,
    /// The lab's id.
    pub lab: String,
    /// The lab's title.
    pub title: String,
    /// The version of the runner.
    pub runner_version: String,
    /// The SHA-256 of the suite's program.
    pub suite_sha256: String,
    /// The seed of all random data.
    pub seed: u64,
    /// What the submissions were isolated by.
    pub isolation: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Which part of a batch it is, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Part>,
    /// The submissions, by name.
    pub submissions: Vec<Graded>,
    /// The checks that failed, the most often failed first.
    pub checks: Vec<CheckTally>,
}

/// One part of a batch that several machines grade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Which one, counted from 1.
    pub k: u32,
    /// Of how many.
    pub n: u32,
    /// The folders of all submissions of the batch, whoever grades them.
    pub submissions: Vec<String>,
}

/// What became of one submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graded {
    /// What it is called.
    pub name: String,
    /// The folder of its result, in `submissions/`.
    pub folder: String,
    /// What became of it as a whole. None, if it could not be read.
    pub outcome: Option<Outcome>,
    /// Its points. None where there is no grade: it could not be read, or we failed.
    pub score: Option<u32>,
    /// Out of how many.
    pub max_score: Option<u32>,
    /// Why it has no grade, or why there was nothing to grade, in one sentence.
    pub message: Option<String>,
    /// The SHA-256 of its files.
    pub sha256: Option<String>,
    /// How it came to its result.
    pub standing: Standing,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The checks that it failed, and their titles.
    pub failed: Vec<(String, String)>,
}

/// How a submission came to its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum Standing {
    /// It was graded in this run.
    Graded,
    /// It was graded in an earlier one, and nothing has changed since.
    Known,
    /// Its files are those of another submission, which was graded.
    SameAs {
        /// The folder of that one's result.
        folder: String,
    },
    /// It could not be read.
    Unreadable,
    /// A roster has it, and nothing was handed in.
    Missing,
}

/// How often a check failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckTally {
    /// Its id.
    pub id: String,
    /// The behaviour it asks for.
    pub title: String,
    /// In how many submissions it failed.
    pub failed: usize,
}

impl GradeReport {
    /// The same terms with other submissions.
    #[must_use]
    pub fn with(&self, mut submissions: Vec<Graded>) -> Self {
        submissions.sort_by(|one, other| one.folder.cmp(&other.folder));
        let mut tally: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
        for (id, title) in submissions.iter().flat_map(|graded| &graded.failed) {
            tally.entry(id).or_insert((0, title)).0 += 1;
        }
        let mut checks: Vec<CheckTally> = tally
            .into_iter()
            .map(|(id, (failed, title))| CheckTally { id: id.to_owned(), title: title.to_owned(), failed })
            .collect();
        checks.sort_by(|one, other| other.failed.cmp(&one.failed).then_with(|| one.id.cmp(&other.id)));
        Self { submissions, checks, ..self.clone() }
    }

    /// The table as CSV (RFC 4180): a row for each submission, with the points of each. No cell is taken for a formula.
    ///
    /// # Errors
    /// The table cannot be written.
    pub fn gradebook(&self) -> Result<Vec<u8>, csv::Error> {
        gradebook(self)
    }

    /// The submissions that were handed in and have no grade.
    pub fn ungraded(&self) -> impl Iterator<Item = &Graded> {
        self.submissions.iter().filter(|graded| graded.score.is_none() && graded.standing != Standing::Missing)
    }

    /// Those that a roster has and that were not handed in.
    pub fn missing(&self) -> impl Iterator<Item = &Graded> {
        self.submissions.iter().filter(|graded| graded.standing == Standing::Missing)
    }

    /// Whether every submission that was handed in has a grade, whatever it is. A fault of ours weighs more than a submission that cannot be
    /// read.
    pub fn exit_code(&self) -> ExitCode {
        let ours = |graded: &Graded| graded.outcome == Some(Outcome::InfrastructureError);
        match self.ungraded().next() {
            None => ExitCode::Passed,
            Some(_) if self.submissions.iter().any(ours) => ExitCode::Infrastructure,
            Some(_) => ExitCode::Usage,
        }
    }
}

fn gradebook(report: &GradeReport) -> Result<Vec<u8>, csv::Error> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["submission", "score", "max_score", "outcome", "message", "sha256", "result"])?;
    for graded in &report.submissions {
        let number = |value: Option<u32>| value.map(|value| value.to_string()).unwrap_or_default();
        let outcome = serde_json::to_value(graded.outcome).ok();
        let missing = graded.standing == Standing::Missing;
        let without = if missing { "missing" } else { "unreadable" };
        let outcome = outcome.as_ref().and_then(|word| word.as_str()).unwrap_or(without).to_owned();
        let result = if missing { String::new() } else { format!("submissions/{}/result.json", graded.folder) };
        table.write_record([
            cell(&graded.name),
            number(graded.score),
            number(graded.max_score),
            outcome,
            cell(graded.message.as_deref().unwrap_or_default()),
            graded.sha256.clone().unwrap_or_default(),
            result,
        ])?;
    }
    table.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

/// `text` as it is safe in a table: without control characters, and with an apostrophe before what a spreadsheet would
/// calculate (OWASP, "CSV Injection").
pub fn cell(text: &str) -> String {
    let text = crate::reporter::inert(text).replace(['\n', '\r', '\t'], " ");
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@']);
    if is_formula { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn no_cell_is_calculated() {
        assert_eq!(cell("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(cell("\t@SUM(1)"), "' @SUM(1)");
        assert_eq!(cell("ada-1"), "ada-1");
    }
}
