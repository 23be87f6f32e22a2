//! `classroom50/result/v1`, the result.json of Classroom 50 (github.com/foundation50/classroom50, "Advanced Autograding").

use chrono::{SecondsFormat, Utc};
use lab_protocol::Verdict;
use lab_runner::report::{Check, Report};
use serde_json::{Value, json};

use super::Named;

/// The result. What it says of the submission's place comes from the variables that Classroom 50 sets for an autograder,
/// read by `variable`. Whoever passes it on has to look at the exit code first: a fault of ours is no score there.
pub(super) fn write(of: Named<'_>, variable: &dyn Fn(&str) -> Option<String>) -> Value {
    let report = of.report;
    let or = |name: &str, other: &str| variable(name).filter(|value| !value.is_empty()).unwrap_or(other.to_owned());
    let commit = or(
        "COMMIT_URL",
        report.submission.commit.as_ref().or(report.submission.sha256.as_ref()).map_or("unknown", String::as_str),
    );
    let when = report.started_at.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::Secs, true);
    json!({
        "schema": "classroom50/result/v1",
        "classroom": or("CLASSROOM", "unknown"),
        "assignment": or("ASSIGNMENT", &report.lab),
        "submission": or("SUBMISSION_TAG", of.name),
        "commit": commit,
        "release": or("RELEASE_URL", &commit),
        "review": or("REVIEW_URL", &commit),
        "datetime": when,
        "score": report.score,
        "max-score": report.possible_points(),
        "tests": tests(report),
    })
}

/// One for each check that counts; where no check was run, one for the whole, so that the sum of tests is the total.
fn tests(report: &Report) -> Vec<Value> {
    if report.checks.is_empty() {
        return vec![row(crate::words::outcome(report), false, 0, report.possible_points())];
    }
    let name = |check: &Check| format!("{}: {}", check.id, check.title);
    let test = |check: &Check| row(&name(check), check.verdict == Verdict::Passed, check.points, check.max_points);
    report.checks.iter().filter(|check| check.counted).map(test).collect()
}

fn row(name: &str, passed: bool, score: u32, max: u32) -> Value {
    json!({ "test-name": name, "passed": passed, "score": score, "max-score": max })
}
