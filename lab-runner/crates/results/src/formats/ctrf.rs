//! The Common Test Report Format (ctrf.io). A test has no other members than the schema names: what is ours is in `extra`.

use lab_protocol::Verdict;
use lab_runner::report::{Check, Report};
use serde_json::{Map, Value, json};

use super::Named;
use crate::words;

/// The version of the format.
const VERSION: &str = "1.0.0";

/// The result. What kept the whole from being graded is a test of its own, as most readers show nothing else.
pub(super) fn write(of: Named<'_>) -> Value {
    let report = of.report;
    let start = report.started_at.timestamp_millis();
    let mut tests: Vec<Value> = report.checks.iter().map(|check| test(report, check)).collect();
    if let Some(why) = &report.diagnostics {
        tests.push(json!({
            "name": words::outcome(report), "status": "other", "duration": report.duration_ms, "suite": [report.lab],
            "message": why.message, "trace": words::obstacle(report),
        }));
    }
    let count = |status: &str| tests.iter().filter(|test| test["status"] == status).count();
    json!({
        "reportFormat": "CTRF",
        "specVersion": VERSION,
        "reportId": report.run_id,
        "timestamp": report.started_at,
        "generatedBy": "backend-labs",
        "results": {
            "tool": { "name": "cargo lab", "version": report.runner_version },
            "summary": {
                "tests": tests.len(),
                "passed": count("passed"),
                "failed": count("failed"),
                "skipped": count("skipped"),
                "pending": 0,
                "other": count("other"),
                "start": start,
                "stop": start + i64::try_from(report.duration_ms).unwrap_or_default(),
                "duration": report.duration_ms,
            },
            "tests": tests,
        },
        "extra": {
            "schema": report.schema,
            "lab": report.lab,
            "submission": of.name,
            "outcome": words::outcome(report),
            "score": report.has_score().then_some(report.score),
            "max_score": report.has_score().then(|| report.possible_points()),
            "seed": report.seed,
            "isolation": report.isolation,
            "suite_sha256": report.suite.sha256,
            "submission_sha256": report.submission.sha256,
        },
    })
}

fn test(report: &Report, check: &Check) -> Value {
    let status = match check.verdict {
        Verdict::Passed => "passed",
        Verdict::Failed | Verdict::TimedOut => "failed",
        Verdict::Skipped => "skipped",
        Verdict::Error => "other",
    };
    let mut test = Map::new();
    let mut put = |name: &str, value: Value| test.insert(name.to_owned(), value);
    put("name", check.title.clone().into());
    put("status", status.into());
    put("duration", check.duration_ms.into());
    put("suite", json!([report.lab, format!("task {}", check.task)]));
    put("rawStatus", words::verdict(check).into());
    put("tags", json!([check.id]));
    if check.verdict != Verdict::Passed {
        put("message", words::reason(check).into());
        put("trace", words::explanation(check).into());
    }
    if !check.server_log.is_empty() {
        put("stdout", check.server_log.clone().into());
    }
    put(
        "extra",
        json!({
            "id": check.id, "points": check.points, "max_points": check.max_points, "counted": check.counted,
            "held_out": check.held_out,
        }),
    );
    Value::Object(test)
}
