//! The summary of a batch as it comes about: a line for each submission, and the whole.

use std::time::Duration;

use lab_protocol::{Verdict, millis};
use lab_runner::error::{Error, ExpectedError as _};
use lab_runner::grade::{GradeReport, Graded, Standing, Terms};
use lab_runner::report::{Outcome, Report};
use lab_runner::suite::Suite;
use lab_runner::workspace::Lab;

use super::Entry;

/// The short form of `report`, by a suite whose checks have `points` in all: what does not run has none of them.
pub(super) fn graded(entry: &Entry, report: &Report, points: u32, standing: Standing) -> Graded {
    // A fault of ours is no grade.
    let is_grade = report.outcome != Outcome::InfrastructureError;
    let runs = report.outcome == Outcome::Graded;
    let lost = |verdict| matches!(verdict, Verdict::Failed | Verdict::TimedOut);
    let failed = report.checks.iter().filter(|check| lost(check.verdict));
    Graded {
        name: entry.name.clone(),
        folder: entry.folder.clone(),
        outcome: Some(report.outcome),
        score: is_grade.then_some(report.score),
        max_score: is_grade.then_some(if runs { report.max_score } else { points }),
        message: report.diagnostics.as_ref().map(|diagnostics| diagnostics.message.clone()),
        sha256: report.submission.sha256.clone(),
        standing,
        duration_ms: report.duration_ms,
        failed: failed.map(|check| (check.id.clone(), check.title.clone())).collect(),
    }
}

/// The line of a submission that cannot be read, because of `error`.
pub(super) fn unreadable(entry: &Entry, error: &Error) -> Graded {
    without_result(entry, Some(error.message()), Standing::Unreadable)
}

/// The line of what was not handed in.
pub(super) fn missing(entry: &Entry) -> Graded {
    let is_named = !entry.path.as_str().is_empty();
    let message = is_named.then(|| format!("there is nothing at {}", entry.path));
    without_result(entry, message, Standing::Missing)
}

fn without_result(entry: &Entry, message: Option<String>, standing: Standing) -> Graded {
    Graded {
        name: entry.name.clone(),
        folder: entry.folder.clone(),
        outcome: None,
        score: None,
        max_score: None,
        message,
        sha256: None,
        standing,
        duration_ms: 0,
        failed: Vec::new(),
    }
}

/// The summary of a batch.
pub(super) fn summary(
    lab: &Lab,
    isolation: &str,
    terms: &Terms,
    suite: &Suite,
    submissions: Vec<Graded>,
    took: Duration,
) -> GradeReport {
    let none = GradeReport {
        schema: "backend-labs/grades/v1".into(),
        lab: lab.id().to_owned(),
        title: lab.manifest.title.clone(),
        runner_version: terms.runner_version.clone(),
        suite_sha256: suite.sha256.clone(),
        seed: terms.seed,
        isolation: isolation.to_owned(),
        duration_ms: millis(took),
        shard: terms.shard.clone(),
        submissions: Vec::new(),
        checks: Vec::new(),
    };
    none.with(submissions)
}
