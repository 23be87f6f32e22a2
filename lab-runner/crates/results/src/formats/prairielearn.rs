//! The results of an external grader of PrairieLearn (docs.prairielearn.com, "External grading", "Grading results").

use lab_runner::report::{Check, Report};
use serde_json::{Value, json};

use super::Named;
use crate::words;

/// The most that PrairieLearn takes, in bytes, less what pretty printing and its escapes may add.
const MOST: usize = 600_000;
/// The most text of one test, in bytes. It is halved until all fits.
const OUTPUT: usize = 16 << 10;

/// The result. A fault of ours is `gradable: false`, which costs a student no attempt.
pub(super) fn write(of: Named<'_>) -> Value {
    let mut text = OUTPUT;
    loop {
        let value = within(of.report, text);
        if text == 0 || value.to_string().len() <= MOST {
            return value;
        }
        text /= 2;
    }
}

fn within(report: &Report, text: usize) -> Value {
    if !report.has_score() {
        return json!({ "gradable": false, "message": words::line(report), "output": words::cut(&words::obstacle(report), text) });
    }
    let share = f64::from(report.score) / f64::from(report.possible_points().max(1));
    json!({
        "gradable": true,
        "score": share,
        "message": words::line(report),
        "output": words::cut(&words::obstacle(report), text),
        "tests": report.checks.iter().filter(|check| check.counted).map(|check| test(check, text)).collect::<Vec<_>>(),
    })
}

fn test(check: &Check, text: usize) -> Value {
    json!({
        "name": check.title,
        "description": format!("task {}, {}", check.task, check.id),
        "points": check.points,
        "max_points": check.max_points,
        "message": words::cut(&words::reason(check), text),
        "output": words::cut(&words::explanation(check), text),
    })
}
