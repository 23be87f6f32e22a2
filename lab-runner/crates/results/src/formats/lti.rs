//! A score of LTI Advantage's Assignment and Grade Services 2.0 (www.imsglobal.org/spec/lti-ags/v2p0, 3.4), for whoever
//! posts it to a platform.

use chrono::{SecondsFormat, Utc};
use lab_protocol::Verdict;
use lab_runner::report::{Check, Report};
use serde_json::{Value, json};

use super::Named;
use crate::words;

/// The score. `userId` is the submission's name: whoever posts it puts the platform's own id there. A fault of ours is
/// `Failed` and has no score, and platforms leave the gradebook as it is then.
pub(super) fn write(of: Named<'_>) -> Value {
    let report = of.report;
    let ended =
        report.started_at + chrono::Duration::milliseconds(i64::try_from(report.duration_ms).unwrap_or_default());
    let mut score = json!({
        "userId": of.name,
        "timestamp": ended.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::Millis, true),
        "activityProgress": "Completed",
        "gradingProgress": if report.has_score() { "FullyGraded" } else { "Failed" },
        "comment": comment(report),
    });
    if report.has_score() {
        score["scoreGiven"] = report.score.into();
        // It has to be above 0.
        score["scoreMaximum"] = report.possible_points().max(1).into();
    }
    score
}

/// Words of ours alone: some platforms show a comment as markup.
fn comment(report: &Report) -> String {
    let failed: Vec<&str> = report.checks.iter().filter(|check| failed(check)).map(|check| check.id.as_str()).collect();
    match failed.as_slice() {
        [] => words::line(report),
        failed => format!("{}; not passed: {}", words::line(report), failed.join(", ")),
    }
}

fn failed(check: &Check) -> bool {
    check.counted && check.verdict != Verdict::Passed
}
