//! A table of checks as CSV (RFC 4180). No cell is taken for a formula by a spreadsheet.

use lab_runner::grade::cell;

use super::Named;
use crate::ResultsError;
use crate::words;

/// The table: a row for each check, and one for what kept the whole from being graded.
pub(super) fn write(of: Named<'_>) -> Result<String, ResultsError> {
    let failed = |error: ::csv::Error| ResultsError::Write(error.to_string());
    let report = of.report;
    let mut table = ::csv::Writer::from_writer(Vec::new());
    let head =
        ["submission", "lab", "task", "check", "title", "verdict", "points", "max_points", "duration_ms", "message"];
    table.write_record(head).map_err(failed)?;
    let (name, lab) = (cell(of.name), cell(&report.lab));
    for check in &report.checks {
        let row = [
            name.clone(),
            lab.clone(),
            check.task.to_string(),
            cell(&check.id),
            cell(&check.title),
            words::verdict(check).to_owned(),
            check.points.to_string(),
            if check.counted { check.max_points.to_string() } else { String::new() },
            check.duration_ms.to_string(),
            cell(&words::reason(check)),
        ];
        table.write_record(row).map_err(failed)?;
    }
    if let Some(why) = &report.diagnostics {
        let word = words::outcome(report).to_owned();
        let empty = String::new;
        let row = [name, lab, empty(), empty(), empty(), word, empty(), empty(), empty(), cell(&why.message)];
        table.write_record(row).map_err(failed)?;
    }
    let bytes = table.into_inner().map_err(|error| ResultsError::Write(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| ResultsError::Write(error.to_string()))
}
