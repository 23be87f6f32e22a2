//! What the graders of GitHub Classroom give to its reporter: one line of base64, the value of `GRADER_RESULTS`
//! (github.com/classroom-resources/autograding-grading-reporter).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lab_protocol::Verdict;
use lab_runner::report::{Check, Report};
use serde_json::{Value, json};

use super::Named;
use crate::words;

/// The most text of one test, in bytes: the whole has to fit into a variable.
const MESSAGE: usize = 1 << 10;

/// The result. Its reader takes the decoded bytes for Latin-1, so that every other character is a JSON escape.
pub(super) fn write(of: Named<'_>) -> String {
    format!("{}\n", STANDARD.encode(ascii(&value(of.report).to_string())))
}

fn value(report: &Report) -> Value {
    let passed = report.checks.iter().all(Check::is_fine) && !report.checks.is_empty();
    let status = match report.has_score() {
        false => "error",
        true if passed => "pass",
        true => "fail",
    };
    json!({ "version": 1, "status": status, "max_score": report.possible_points(), "tests": tests(report) })
}

fn tests(report: &Report) -> Vec<Value> {
    let row = |name: &str, status: &str, score: u32, message: String, ms: u64| {
        json!({
            "name": name, "status": status, "score": score, "message": words::cut(&message, MESSAGE), "test_code": "",
            "filename": "", "line_no": 0, "execution_time": format!("{:.3}s", ms as f64 / 1000.0),
        })
    };
    if report.checks.is_empty() {
        let status = if report.has_score() { "fail" } else { "error" };
        return vec![row(words::outcome(report), status, 0, words::obstacle(report), report.duration_ms)];
    }
    let test = |check: &Check| {
        let status = match check.verdict {
            Verdict::Passed => "pass",
            Verdict::Error => "error",
            _ => "fail",
        };
        row(&check.title, status, check.points, words::reason(check), check.duration_ms)
    };
    report.checks.iter().filter(|check| check.counted || check.verdict == Verdict::Error).map(test).collect()
}

/// JSON text in ASCII alone.
fn ascii(text: &str) -> String {
    let escape = |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
    text.chars().map(|c| if c.is_ascii() { c.to_string() } else { escape(c) }).collect()
}
