//! What learners have handed in, and what each of it came to: from report folders.
//!
//! A submission whose files are the same is one attempt, however often it was graded: then the latest grading counts.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use chrono::{DateTime, Utc};
use lab_protocol::Verdict;
use lab_runner::grade::{GradeReport, Graded, Standing};
use lab_runner::report::{Check, Report};

use super::refuse;
use super::submitted::Submitted;
use crate::ResultsError;
use crate::compare::why;
use crate::files::load;
use crate::words;

/// All attempts, and the labs they are for.
#[derive(Debug, Clone, Default)]
pub(super) struct Attempts {
    /// The labs, by id.
    pub(super) labs: BTreeMap<String, Lab>,
    /// The attempts for a lab and by a learner, in the order in which they were handed in.
    pub(super) by: BTreeMap<(String, String), Vec<Attempt>>,
}

/// A lab of which there is a report.
#[derive(Debug, Clone)]
pub(super) struct Lab {
    /// Its title.
    pub(super) title: String,
    /// The points of all its checks, as far as any submission could have them.
    pub(super) points: u32,
}

/// Something that a learner handed in.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    /// When it was handed in, if that is known.
    pub(super) submitted: Option<DateTime<Utc>>,
    /// The first report folder that has it, by its place.
    order: usize,
    /// The SHA-256 of its files.
    sha256: Option<String>,
    /// What it came to, each time that it was graded, the latest last.
    gradings: Vec<Grading>,
}

/// What an attempt came to.
#[derive(Debug, Clone)]
pub(super) struct Grading {
    /// The file of the result. None, where there was nothing to grade.
    pub(super) result: Option<Utf8PathBuf>,
    /// Its points, and out of how many. None where there is no grade.
    pub(super) score: Option<(u32, u32)>,
    /// Why there is no grade, or why nothing ran.
    pub(super) message: Option<String>,
    /// The checks that failed, in the suite's order.
    pub(super) failures: Vec<Failure>,
    /// What its verdicts depend on. The checks are left out.
    terms: Option<Box<Report>>,
}

/// A check that failed.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    /// The check's id.
    pub(super) id: String,
    /// The behaviour it asks for.
    pub(super) title: String,
    /// What was wrong.
    pub(super) message: String,
}

impl Attempt {
    /// The grading that counts: the latest with a grade.
    pub(super) fn grading(&self) -> Option<&Grading> {
        self.gradings.iter().rev().find(|grading| grading.score.is_some())
    }

    /// Why it has no grade, if it has none.
    pub(super) fn obstacle(&self) -> Option<&str> {
        if self.grading().is_some() {
            return None;
        }
        Some(self.gradings.last().and_then(|grading| grading.message.as_deref()).unwrap_or("it was not graded"))
    }

    /// What grading it again has changed, in a sentence.
    pub(super) fn regraded(&self) -> Option<String> {
        let mut graded = self.gradings.iter().rev().filter(|grading| grading.score.is_some());
        let (now, before) = (graded.next()?, graded.next()?);
        let ((score, max), (old_score, old_max)) = (now.score?, before.score?);
        if (score, max) == (old_score, old_max) {
            return None;
        }
        let reason = match (&before.terms, &now.terms) {
            (Some(before), Some(now)) => why(before, now),
            _ => "its earlier result is not at hand",
        };
        Some(format!("regraded from {old_score}/{old_max} to {score}/{max}: {reason}"))
    }
}

/// Reads the attempts of the report folders `reports`.
///
/// # Errors
/// A folder is none of `cargo lab grade`, holds only a part of a batch, or is there twice.
pub(super) fn read(reports: &[Utf8PathBuf], submitted: &Submitted) -> Result<Attempts, ResultsError> {
    let mut attempts = Attempts::default();
    for (order, folder) in reports.iter().enumerate() {
        if reports[..order].contains(folder) {
            return refuse(format!("{folder} is named twice"));
        }
        let report: GradeReport = load(&folder.join("grades.json"), "the summary of a batch")?;
        if let Some(part) = &report.shard {
            return refuse(format!(
                "{folder} holds shard {}/{} of a batch: join them with `cargo lab grade collect` first",
                part.k, part.n
            ));
        }
        attempts.take(order, folder, &report, submitted)?;
    }
    for attempts in attempts.by.values_mut() {
        // Where a time is missing, the order of the folders is what there is; the sort keeps it.
        if attempts.iter().all(|attempt| attempt.submitted.is_some()) {
            attempts.sort_by_key(|attempt| (attempt.submitted, attempt.order));
        }
        for attempt in attempts {
            attempt.gradings.sort_by_key(|grading| grading.terms.as_ref().map(|terms| terms.started_at));
        }
    }
    Ok(attempts)
}

impl Attempts {
    fn take(
        &mut self,
        order: usize,
        folder: &Utf8Path,
        report: &GradeReport,
        submitted: &Submitted,
    ) -> Result<(), ResultsError> {
        let possible = report.submissions.iter().filter_map(|graded| graded.max_score).max().unwrap_or_default();
        let lab = self.labs.entry(report.lab.clone()).or_insert_with(|| Lab { title: String::new(), points: 0 });
        lab.title.clone_from(&report.title);
        lab.points = lab.points.max(possible);
        // What was not handed in is no attempt.
        let handed_in = |graded: &&Graded| graded.standing != Standing::Missing;
        for graded in report.submissions.iter().filter(handed_in) {
            let when = submitted.when(folder.as_str(), &report.lab, &graded.name);
            let grading = grading(folder, graded)?;
            let attempts = self.by.entry((report.lab.clone(), graded.name.clone())).or_default();
            let same = |attempt: &&mut Attempt| graded.sha256.is_some() && attempt.sha256 == graded.sha256;
            match attempts.iter_mut().find(same) {
                Some(attempt) => {
                    attempt.submitted = earlier(attempt.submitted, when);
                    attempt.gradings.push(grading);
                }
                None => attempts.push(Attempt {
                    submitted: when,
                    order,
                    sha256: graded.sha256.clone(),
                    gradings: vec![grading],
                }),
            }
        }
        Ok(())
    }
}

/// What is handed in again unchanged was handed in before.
fn earlier(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn grading(folder: &Utf8Path, graded: &Graded) -> Result<Grading, ResultsError> {
    let result = folder.join("submissions").join(&graded.folder).join("result.json");
    let terms: Option<Box<Report>> = if result.is_file() { Some(Box::new(load(&result, "a result")?)) } else { None };
    // What had no point to win says nothing.
    let score = graded.score.zip(graded.max_score).filter(|(_, max)| *max > 0);
    let failures = terms.iter().flat_map(|report| report.checks.iter().filter(|check| has_failed(check)).map(failure));
    let failures = failures.collect();
    let terms = terms.map(|mut report| {
        report.checks.clear();
        report
    });
    Ok(Grading { result: terms.is_some().then_some(result), score, message: graded.message.clone(), failures, terms })
}

fn has_failed(check: &Check) -> bool {
    matches!(check.verdict, Verdict::Failed | Verdict::TimedOut)
}

fn failure(check: &Check) -> Failure {
    Failure { id: check.id.clone(), title: check.title.clone(), message: words::reason(check) }
}
