//! `cargo lab regrade`: what is different between an earlier report folder and a later one, per submission and check, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use camino::Utf8Path;
use lab_runner::report::{Check, Report};
use lab_runner::reporter::inert;
use serde::Serialize;

use crate::ResultsError;
use crate::files::{load, results_in};
use crate::words;

/// The name and version of the format.
const SCHEMA: &str = "backend-labs/regrade/v1";

/// What a regrading came to.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// `backend-labs/regrade/v1`.
    pub schema: &'static str,
    /// The submissions whose result is another one.
    pub changed: Vec<Changed>,
    /// How many have the same result.
    pub unchanged: usize,
    /// Those that only the earlier report has.
    pub only_before: Vec<String>,
    /// Those that only the later report has.
    pub only_now: Vec<String>,
}

/// A submission with another result.
#[derive(Debug, Clone, Serialize)]
pub struct Changed {
    /// The name of its folder.
    pub submission: String,
    /// What came of it before.
    pub before: Grade,
    /// What comes of it now.
    pub now: Grade,
    /// Why, in one sentence.
    pub why: &'static str,
    /// The checks with another result.
    pub checks: Vec<ChangedCheck>,
}

/// A grade. Points are null where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grade {
    /// What became of the submission as a whole.
    pub outcome: &'static str,
    /// Its points.
    pub score: Option<u32>,
    /// Out of how many.
    pub max_score: Option<u32>,
}

/// A check with another result. A side is null where the suite did not have it.
#[derive(Debug, Clone, Serialize)]
pub struct ChangedCheck {
    /// Its id.
    pub id: String,
    /// What it came to before.
    pub before: Option<Mark>,
    /// What it comes to now.
    pub now: Option<Mark>,
    /// What is wrong now, or was before.
    pub message: String,
}

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// The verdict.
    pub verdict: &'static str,
    /// The points it earned.
    pub points: u32,
    /// The points it is worth.
    pub max_points: u32,
}

impl Comparison {
    /// Whether nobody's result is another one.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.changed.is_empty()
    }

    /// The comparison for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for changed in &self.changed {
            let (name, before, now) = (one_line(&changed.submission), grade(&changed.before), grade(&changed.now));
            let _ = writeln!(text, "{name}  {before} → {now}  ({})", changed.why);
            for check in &changed.checks {
                let _ = writeln!(
                    text,
                    "    {}  {} → {}",
                    one_line(&check.id),
                    mark(check.before.as_ref()),
                    mark(check.now.as_ref())
                );
                if !check.message.is_empty() {
                    let _ = writeln!(text, "      {}", one_line(&check.message));
                }
            }
        }
        for (names, when) in [(&self.only_before, "earlier"), (&self.only_now, "new")] {
            if !names.is_empty() {
                let _ = writeln!(text, "only in the {when} report: {}", one_line(&names.join(", ")));
            }
        }
        let _ = writeln!(text, "{} of {} would change", self.changed.len(), self.changed.len() + self.unchanged);
        text
    }
}

fn one_line(text: &str) -> String {
    inert(text).replace('\n', "\\n")
}

fn grade(grade: &Grade) -> String {
    match (grade.score, grade.max_score) {
        (Some(score), Some(max)) if grade.outcome == "graded" => format!("{score}/{max}"),
        (Some(score), Some(max)) => format!("{score}/{max} {}", grade.outcome.replace('_', " ")),
        _ => "no grade".to_owned(),
    }
}

fn mark(mark: Option<&Mark>) -> String {
    let word = |mark: &Mark| format!("{} {}/{}", mark.verdict.replace('_', " "), mark.points, mark.max_points);
    mark.map_or_else(|| "not asked".to_owned(), word)
}

/// What is different in the report folder `now` from the one called `before`.
///
/// # Errors
/// A result cannot be read.
pub fn compare(before: &Utf8Path, now: &Utf8Path) -> Result<Comparison, ResultsError> {
    let (mut old, new) = (read(before)?, read(now)?);
    let mut comparison =
        Comparison { schema: SCHEMA, changed: Vec::new(), unchanged: 0, only_before: Vec::new(), only_now: Vec::new() };
    for (name, new) in new {
        let Some(old) = old.remove(&name) else {
            comparison.only_now.push(name);
            continue;
        };
        match changed(&name, &old, &new) {
            Some(changed) => comparison.changed.push(changed),
            None => comparison.unchanged += 1,
        }
    }
    comparison.only_before = old.into_keys().collect();
    Ok(comparison)
}

fn read(report: &Utf8Path) -> Result<BTreeMap<String, Report>, ResultsError> {
    let read = |folder: camino::Utf8PathBuf| {
        let name = folder.file_name().unwrap_or_default().to_owned();
        Ok((name, load(&folder.join("result.json"), "a result")?))
    };
    results_in(report)?.into_iter().map(read).collect()
}

fn changed(name: &str, old: &Report, new: &Report) -> Option<Changed> {
    let (before, now) = (grade_of(old), grade_of(new));
    let by_id = |report: &Report| -> BTreeMap<String, Check> {
        report.checks.iter().map(|check| (check.id.clone(), check.clone())).collect()
    };
    let (olds, news) = (by_id(old), by_id(new));
    // In the order of the suite as it is now, and what it no longer has behind.
    let order = new.checks.iter().chain(&old.checks).map(|check| check.id.clone());
    let mut seen = BTreeSet::new();
    let checks: Vec<ChangedCheck> = order
        .filter(|id| seen.insert(id.clone()))
        .filter_map(|id| {
            let (one, other) = (olds.get(&id), news.get(&id));
            let (before, now) = (one.map(mark_of), other.map(mark_of));
            let words = |check: Option<&Check>| check.map(words::reason).filter(|reason| !reason.is_empty());
            let message =
                words(other).or_else(|| words(one).map(|reason| format!("before: {reason}"))).unwrap_or_default();
            (before != now).then_some(ChangedCheck { id, before, now, message })
        })
        .collect();
    let same = before == now && checks.is_empty();
    (!same).then(|| Changed { submission: name.to_owned(), before, now, why: why(old, new), checks })
}

fn grade_of(report: &Report) -> Grade {
    let points = |points: u32| report.has_score().then_some(points);
    Grade { outcome: words::outcome(report), score: points(report.score), max_score: points(report.possible_points()) }
}

fn mark_of(check: &Check) -> Mark {
    Mark { verdict: words::verdict(check), points: check.points, max_points: check.max_points }
}

/// What a verdict depends on, the nearest first.
pub(crate) fn why(old: &Report, new: &Report) -> &'static str {
    if old.submission.sha256 != new.submission.sha256 {
        "its files have changed"
    } else if old.suite.sha256.is_some() && new.suite.sha256.is_some() && old.suite.sha256 != new.suite.sha256 {
        "the suite has changed"
    } else if old.manifest_sha256 != new.manifest_sha256 {
        "the lab's manifest has changed"
    } else if (old.seed, &old.isolation, &old.runner_version) != (new.seed, &new.isolation, &new.runner_version) {
        "it was graded with another seed, isolation or version of cargo lab"
    } else if !(old.has_score() && new.has_score()) {
        "one of the two could not be graded"
    } else {
        "nothing that the verdict should depend on has changed: it cannot be repeated"
    }
}
