//! `results.json` of a Gradescope autograder (gradescope-autograders.readthedocs.io, "Autograder Specifications").

use lab_protocol::Verdict;
use lab_runner::report::{Check, Report};
use serde_json::{Value, json};

use super::Named;
use crate::words;

/// The most text of one test, in bytes.
const OUTPUT: usize = 8 << 10;

/// The result. A fault of ours has neither score nor tests, by which Gradescope says that the autograder has failed, and
/// gives no grade. Nothing in it is hidden from students: while any test is, Gradescope hides the score of all.
pub(super) fn write(of: Named<'_>) -> Value {
    let report = of.report;
    if !report.has_score() {
        return json!({ "output": output(report), "output_format": "text" });
    }
    json!({
        "score": report.score,
        "execution_time": report.duration_ms.div_ceil(1000),
        "output": output(report),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "stdout_visibility": "hidden",
        "visibility": "visible",
        "tests": report.checks.iter().filter(|check| check.counted).map(test).collect::<Vec<_>>(),
        "extra_data": {
            "run_id": report.run_id,
            "seed": report.seed,
            "isolation": report.isolation,
            "suite_sha256": report.suite.sha256,
            "submission_sha256": report.submission.sha256,
        },
    })
}

fn output(report: &Report) -> String {
    let notes = report.notes.iter().cloned();
    let parts = [words::line(report), words::obstacle(report)].into_iter().chain(notes);
    words::cut(&parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n"), OUTPUT)
}

fn test(check: &Check) -> Value {
    json!({
        "name": check.title,
        "number": format!("{}.{}", check.task, check.id),
        "score": check.points,
        "max_score": check.max_points,
        "status": if check.verdict == Verdict::Passed { "passed" } else { "failed" },
        "output": words::cut(&words::explanation(check), OUTPUT),
        "output_format": "text",
        "tags": [format!("task-{}", check.task), words::verdict(check)],
        "visibility": "visible",
    })
}
